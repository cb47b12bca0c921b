/* window.h -- the records that are under way: pushed to a sink, their fate not yet known. First in,
 * first out, bounded in records and bytes.
 *
 * Threads: one at a time.
 */
#ifndef SLU_SINKS_WINDOW_H
#define SLU_SINKS_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slu_underway {
    uint64_t seq;
    uint32_t bytes;
    bool
        is_dead; /* not pushed: a dead letter of an earlier life, whose cursor did not get that far */
};

struct slu_window {
    struct slu_underway *entries; /* owned; a ring of `max_records` */
    size_t max_records, max_bytes;
    size_t first, n, bytes;
};

/* Returns false when there is no memory. */
bool slu_window_init(struct slu_window *window, size_t max_records, size_t max_bytes);
void slu_window_fini(struct slu_window *window);

/* How many records may still be added (the last of them may exceed `max_bytes`). */
size_t slu_window_room(const struct slu_window *window);

/* There must be room. */
void slu_window_add(struct slu_window *window, struct slu_underway entry);

/* NULL when nothing is under way. Borrowed until it is dropped. */
const struct slu_underway *slu_window_oldest(const struct slu_window *window);
void slu_window_drop_oldest(struct slu_window *window);
void slu_window_clear(struct slu_window *window);

#endif
