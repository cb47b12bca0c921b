/* slice.h -- borrowed bytes: a pointer and a length. Never terminated, never owned, may hold NUL. */
#ifndef SLU_BASE_SLICE_H
#define SLU_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slu_slice {
    const char *data; /* may be NULL when len is 0 */
    size_t len;       /* bytes */
};

/* A slice literal: SLU_SLICE("text"). */
#define SLU_SLICE(literal) ((struct slu_slice){(literal), sizeof(literal) - 1})

/* For printf's "%.*s": SLU_SLICE_ARG(slice). Only for text whose length fits an int. */
#define SLU_SLICE_ARG(slice) (int)(slice).len, ((slice).data != NULL ? (slice).data : "")

static inline struct slu_slice slu_slice(const char *data, size_t len)
{
    return (struct slu_slice){data, len};
}

/* The bytes of a C string; NULL gives the empty slice. */
static inline struct slu_slice slu_slice_of(const char *text)
{
    return (struct slu_slice){text, text != NULL ? strlen(text) : 0};
}

static inline bool slu_slice_equal(struct slu_slice a, struct slu_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool slu_slice_starts_with(struct slu_slice text, struct slu_slice prefix)
{
    return text.len >= prefix.len &&
           (prefix.len == 0 || memcmp(text.data, prefix.data, prefix.len) == 0);
}

/* Without the blanks (space, tab, CR, LF) around it. */
static inline struct slu_slice slu_slice_trim(struct slu_slice text)
{
    static const char blanks[] = " \t\r\n";

    while (text.len > 0 && memchr(blanks, text.data[text.len - 1], sizeof(blanks) - 1) != NULL)
        text.len--;
    while (text.len > 0 && memchr(blanks, text.data[0], sizeof(blanks) - 1) != NULL) {
        text.data++;
        text.len--;
    }
    return text;
}

#endif
