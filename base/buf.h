/* buf.h -- growable bytes, born with a ceiling.
 *
 * A failed growth (no memory, or beyond the ceiling) sets `failed` and leaves what was there; later
 * additions do nothing. So a writer adds freely and asks once, at the end.
 */
#ifndef SLU_BASE_BUF_H
#define SLU_BASE_BUF_H

#include "base/slice.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct slu_buf {
    char *data;  /* `len` bytes and a terminating NUL once anything was added; owned */
    size_t len;  /* bytes used, without the NUL */
    size_t cap;  /* bytes allocated */
    size_t max;  /* ceiling for `len` */
    bool failed; /* something did not fit */
};

/* An empty buffer that may grow to `max` bytes. Allocates nothing yet. */
void slu_buf_init(struct slu_buf *buf, size_t max);
void slu_buf_fini(struct slu_buf *buf);

/* Empty it and clear `failed`; keeps the memory. */
void slu_buf_reset(struct slu_buf *buf);

/* Each returns false once the buffer has failed. */
bool slu_buf_add(struct slu_buf *buf, const void *bytes, size_t n);
bool slu_buf_add_char(struct slu_buf *buf, char c);
bool slu_buf_add_text(struct slu_buf *buf, const char *text); /* NULL adds nothing */
bool slu_buf_add_slice(struct slu_buf *buf, struct slu_slice slice);
bool slu_buf_printf(struct slu_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Room for `n` more bytes; returns where they go, or NULL (failed). Write, then slu_buf_grew(). */
char *slu_buf_room(struct slu_buf *buf, size_t n);
void slu_buf_grew(struct slu_buf *buf, size_t n);

/* Cut back to `len` bytes (no more than there are). */
void slu_buf_cut(struct slu_buf *buf, size_t len);

static inline struct slu_slice slu_buf_slice(const struct slu_buf *buf)
{
    return (struct slu_slice){buf->data, buf->len};
}

/* The text so far, terminated; "" when nothing was added. Borrowed until the next addition. */
const char *slu_buf_text(const struct slu_buf *buf);

#endif
