/* buf.c -- see buf.h for the contract.
 *
 *   data ──► │ len bytes used │ NUL │ free … │
 *            └──────────── cap ──────────────┘      len ≤ max, cap ≤ max + 1
 *
 * The memory doubles, so n additions cost n moves altogether; it never exceeds what the ceiling
 * needs.
 */
#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_BYTES 64u

void slu_buf_init(struct slu_buf *buf, size_t max)
{
    /* One byte below SIZE_MAX, so that the NUL always fits the arithmetic. */
    *buf = (struct slu_buf){.max = max < SIZE_MAX ? max : SIZE_MAX - 1};
}

void slu_buf_fini(struct slu_buf *buf)
{
    free(buf->data);
    *buf = (struct slu_buf){.max = buf->max};
}

void slu_buf_reset(struct slu_buf *buf)
{
    buf->failed = false;
    slu_buf_cut(buf, 0);
}

static bool fail(struct slu_buf *buf)
{
    buf->failed = true;
    return false;
}

/* Make room for `n` more bytes and the NUL; the way past the hot check in reserve(). */
static bool grow(struct slu_buf *buf, size_t n)
{
    if (n > buf->max - buf->len)
        return fail(buf);

    const size_t least = buf->len + n + 1;
    size_t cap = buf->cap < FIRST_BYTES ? FIRST_BYTES : buf->cap;
    while (cap < least)
        cap = cap > SIZE_MAX / 2 ? least : cap * 2;
    if (cap > buf->max + 1)
        cap = buf->max + 1;

    char *data = realloc(buf->data, cap);
    if (data == NULL)
        return fail(buf);
    buf->data = data;
    buf->cap = cap;
    buf->data[buf->len] = '\0';
    return true;
}

static inline bool reserve(struct slu_buf *buf, size_t n)
{
    if (buf->failed)
        return false;
    return n < buf->cap - buf->len || grow(buf, n);
}

bool slu_buf_add(struct slu_buf *buf, const void *bytes, size_t n)
{
    if (n == 0)
        return !buf->failed;
    if (!reserve(buf, n))
        return false;
    memcpy(buf->data + buf->len, bytes, n);
    buf->len += n;
    buf->data[buf->len] = '\0';
    return true;
}

bool slu_buf_add_char(struct slu_buf *buf, char c)
{
    if (!reserve(buf, 1))
        return false;
    buf->data[buf->len++] = c;
    buf->data[buf->len] = '\0';
    return true;
}

bool slu_buf_add_text(struct slu_buf *buf, const char *text)
{
    return slu_buf_add_slice(buf, slu_slice_of(text));
}

bool slu_buf_add_slice(struct slu_buf *buf, struct slu_slice slice)
{
    return slu_buf_add(buf, slice.data, slice.len);
}

bool slu_buf_printf(struct slu_buf *buf, const char *format, ...)
{
    if (buf->failed)
        return false;

    /* First into what is free; nearly always that is enough. */
    va_list args;
    va_start(args, format);
    const size_t room = buf->cap - buf->len;
    int wanted = vsnprintf(room > 0 ? buf->data + buf->len : NULL, room, format, args);
    va_end(args);

    if (wanted > 0 && (size_t)wanted >= room && reserve(buf, (size_t)wanted)) {
        va_start(args, format);
        wanted = vsnprintf(buf->data + buf->len, (size_t)wanted + 1, format, args);
        va_end(args);
    }
    if (wanted < 0)
        buf->failed = true;
    if (buf->failed) {
        slu_buf_cut(buf, buf->len); /* wipe the part that was written */
        return false;
    }
    buf->len += (size_t)wanted;
    return true;
}

char *slu_buf_room(struct slu_buf *buf, size_t n)
{
    return reserve(buf, n) ? buf->data + buf->len : NULL;
}

void slu_buf_grew(struct slu_buf *buf, size_t n)
{
    if (buf->data == NULL)
        return;
    const size_t room = buf->cap - buf->len - 1;
    buf->len += n < room ? n : room;
    buf->data[buf->len] = '\0';
}

void slu_buf_cut(struct slu_buf *buf, size_t len)
{
    if (buf->data == NULL || len > buf->len)
        return;
    buf->len = len;
    buf->data[len] = '\0';
}

const char *slu_buf_text(const struct slu_buf *buf)
{
    return buf->data != NULL ? buf->data : "";
}
