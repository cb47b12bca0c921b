/* err.h -- one error: what went wrong, where, and what to do about it.
 *
 * A function that can fail returns 0/-1 or a pointer/NULL and takes a `struct slu_err *` last; NULL
 * is allowed. The first one to set the error wins: it knew the most. Whoever decides what happens
 * next tells the log, once.
 *
 * Threads: an error belongs to the thread that passed it.
 */
#ifndef SLU_BASE_ERR_H
#define SLU_BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

enum slu_err_kind {
    SLU_OK = 0,
    SLU_EINVAL,   /* the input is wrong: text, value, combination */
    SLU_ENOMEM,   /* no memory, or a ceiling was reached */
    SLU_ENOENT,   /* the thing named is not there */
    SLU_EIO,      /* a system call failed; `sys` holds errno */
    SLU_EFULL,    /* a disk or a queue has no room */
    SLU_EBUSY,    /* somebody else holds it */
    SLU_EVERSION, /* written by a newer Sluice */
    SLU_ECORRUPT, /* bytes on disk are not what was written */
    SLU_EDENIED,  /* owner, mode or permission is wrong */
};

struct slu_err {
    enum slu_err_kind kind;
    int sys;           /* errno behind SLU_EIO and friends, else 0 */
    unsigned line;     /* 1-based place in `source`; 0: none */
    unsigned column;   /* 1-based, in bytes */
    char source[256];  /* file or thing the place belongs to; "" none */
    char pointer[256]; /* JSON Pointer inside it; "" none or the root */
    char text[512];    /* one sentence for a person, without the place */
};

/* Set `err` unless it is NULL or set already. Always returns -1, so that
 * `return slu_err_set(…)` reads. */
int slu_err_set(struct slu_err *err, enum slu_err_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a failed system call: appends ": " and the meaning of `sys` (an errno value). The
 * kind is SLU_EFULL for ENOSPC and EDQUOT, SLU_EDENIED for EACCES and EPERM, SLU_ENOENT for ENOENT,
 * SLU_ENOMEM for ENOMEM, else SLU_EIO. */
int slu_err_system(struct slu_err *err, int sys, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Add the place to a set error that has none yet. NULL err is fine. */
void slu_err_place(struct slu_err *err, const char *source, unsigned line, unsigned column,
                   const char *pointer);

/* Write `file:line:col: /ptr: text` (as much of it as there is) to `out`; always terminated.
 * Returns `out`. */
const char *slu_err_format(const struct slu_err *err, char *out, size_t out_size);

#endif
