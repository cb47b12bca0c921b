/* postgresql_queue.h -- records that were pushed and whose fate is not known yet, as rows ready to go.
 *
 *   entries  │ 618: 1 row │ 619: rejected │ 620: 3 rows │ …        in order of seq
 *   data     │ row        │               │ row row row │ …
 *              ▲ head                                    ▲ tail
 *
 * Threads: one at a time.
 */
#ifndef SLU_SINKS_POSTGRESQL_QUEUE_H
#define SLU_SINKS_POSTGRESQL_QUEUE_H

#include "base/buf.h"
#include "sinks/postgresql_rows.h"
#include "sinks/sink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLU_PG_QUEUE_BYTES (16u << 20) /* of rows; no more records are taken beyond it */

struct slu_pg_entry {
    uint64_t seq;
    size_t end; /* of its rows in data, counted from the head of the queue's life */
    uint32_t n_rows;
    struct slu_sink_reject *reject; /* owned; NULL: none */
};

struct slu_pg_queue {
    struct slu_pg_entry *entries; /* owned; [first, first + n) are in use */
    size_t first, n, cap;
    size_t n_rejects;
    struct slu_buf data;
    size_t gone; /* bytes of rows that have left since the last clear; data begins there */
};

void slu_pg_queue_init(struct slu_pg_queue *queue);
void slu_pg_queue_fini(struct slu_pg_queue *queue);
void slu_pg_queue_clear(struct slu_pg_queue *queue);

/* May another record be added? */
bool slu_pg_queue_has_room(const struct slu_pg_queue *queue);

/* Add a record; it is rejected, or has rows. False: no memory, nothing was added. */
bool slu_pg_queue_add(struct slu_pg_queue *queue, struct slu_pg_rows *rows,
                      const struct slu_record *record);

/* Add a place that needs nothing done: the far shore has that record already. */
bool slu_pg_queue_add_done(struct slu_pg_queue *queue, uint64_t seq);

/* The i-th from the head. */
static inline struct slu_pg_entry *slu_pg_queue_at(const struct slu_pg_queue *queue, size_t i)
{
    return &queue->entries[queue->first + i];
}

/* Rows of the first `n` entries. Borrowed until something is added or dropped. */
struct slu_slice slu_pg_queue_rows(const struct slu_pg_queue *queue, size_t n);

/* Reject entry i; its rows stay where they are until it is dropped. False: no memory. */
bool slu_pg_queue_reject(struct slu_pg_queue *queue, size_t i,
                         const struct slu_sink_reject *reject);

void slu_pg_queue_drop(struct slu_pg_queue *queue, size_t n);

#endif
