/* err.c -- see err.h for what an error says.
 *
 * Every text is cut to its field, never in the middle of a code point: an error ends up in JSON and
 * in the broker's log, where half a character would be a second error.
 */
#include "base/err.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Copy at most `size` - 1 bytes of `text`, whole code points. */
static void copy_cut(char *out, size_t size, const char *text)
{
    const size_t len = slu_utf8_cut(text, strlen(text), size - 1);
    memcpy(out, text, len);
    out[len] = '\0';
}

/* Format into `out`, whole code points. A format that fails leaves its own text. */
static void format_cut(char *out, size_t size, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

static void format_cut(char *out, size_t size, const char *format, va_list args)
{
    const int full = vsnprintf(out, size, format, args);
    if (full < 0)
        copy_cut(out, size, format);
    else if ((size_t)full >= size)
        out[slu_utf8_cut(out, size - 1, size - 2)] = '\0';
}

int slu_err_set(struct slu_err *err, enum slu_err_kind kind, const char *format, ...)
{
    if (err == NULL || err->kind != SLU_OK)
        return -1;

    va_list args;
    va_start(args, format);
    format_cut(err->text, sizeof(err->text), format, args);
    va_end(args);
    err->kind = kind;
    err->sys = 0;
    return -1;
}

static enum slu_err_kind kind_of_errno(int sys)
{
    static const struct {
        int sys;
        enum slu_err_kind kind;
    } rows[] = {
        {ENOSPC, SLU_EFULL},  {EDQUOT, SLU_EFULL},  {EACCES, SLU_EDENIED},
        {EPERM, SLU_EDENIED}, {ENOENT, SLU_ENOENT}, {ENOMEM, SLU_ENOMEM},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].sys == sys)
            return rows[i].kind;
    }
    return SLU_EIO;
}

/* The C library's words for an errno value. strerror_r() has two shapes: glibc's returns the text,
 * everybody else's fills the buffer. */
static const char *errno_text(int sys, char *out, size_t size)
{
#ifdef __GLIBC__
    return strerror_r(sys, out, size);
#else
    if (strerror_r(sys, out, size) != 0)
        snprintf(out, size, "error %d", sys);
    return out;
#endif
}

int slu_err_system(struct slu_err *err, int sys, const char *format, ...)
{
    if (err == NULL || err->kind != SLU_OK)
        return -1;

    char words[128];
    const char *meaning = errno_text(sys, words, sizeof(words));
    const size_t meaning_bytes = slu_utf8_cut(meaning, strlen(meaning), sizeof(words));

    /* A long sentence gives way: what the system said is the part nobody can guess. */
    const size_t sentence_size = sizeof(err->text) - meaning_bytes - 2;
    va_list args;
    va_start(args, format);
    format_cut(err->text, sentence_size, format, args);
    va_end(args);

    const size_t len = strlen(err->text);
    snprintf(err->text + len, sizeof(err->text) - len, ": %.*s", (int)meaning_bytes, meaning);
    err->kind = kind_of_errno(sys);
    err->sys = sys;
    return -1;
}

void slu_err_place(struct slu_err *err, const char *source, unsigned line, unsigned column,
                   const char *pointer)
{
    if (err == NULL || err->kind == SLU_OK)
        return;
    if (err->source[0] != '\0' || err->line != 0 || err->pointer[0] != '\0')
        return;

    copy_cut(err->source, sizeof(err->source), source != NULL ? source : "");
    copy_cut(err->pointer, sizeof(err->pointer), pointer != NULL ? pointer : "");
    err->line = line;
    err->column = column;
}

/* Add to the text in `out`, as far as it fits. */
static void append(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void append(char *out, size_t size, const char *format, ...)
{
    const size_t len = strlen(out);
    if (size - len < 2)
        return;

    va_list args;
    va_start(args, format);
    format_cut(out + len, size - len, format, args);
    va_end(args);
}

const char *slu_err_format(const struct slu_err *err, char *out, size_t out_size)
{
    if (out_size == 0)
        return out;
    out[0] = '\0';
    if (err == NULL)
        return out;

    if (err->source[0] != '\0')
        append(out, out_size, "%s:", err->source);
    if (err->line != 0)
        append(out, out_size, "%u:", err->line);
    if (err->line != 0 && err->column != 0)
        append(out, out_size, "%u:", err->column);
    if (out[0] != '\0')
        append(out, out_size, " ");
    if (err->pointer[0] != '\0')
        append(out, out_size, "%s: ", err->pointer);
    append(out, out_size, "%s", err->text);
    return out;
}
