/* secret.c -- see secret.h for what is expanded.
 *
 * The text is collected in a buffer that is wiped before it is freed; a value read from a file passes
 * through one more of that kind. The copy in the arena is the only one that stays. (Growing, a buffer
 * may leave a piece behind in freed memory; the arena has the whole value in any case.)
 *
 * Threads: getenv() is read, so nobody may call setenv() at the same time; nothing in Sluice does.
 */
#include "base/secret.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/utf8.h"

#include <limits.h>
#include <stdlib.h>

/* A scalar with what was brought in. */
#define EXPANDED_MAX_BYTES (1u << 20)

static void wipe(struct slu_buf *buf)
{
    if (buf->data != NULL)
        explicit_bzero(buf->data, buf->cap);
    slu_buf_fini(buf);
}

static bool is_variable_name(struct slu_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.data[i];
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return text.len > 0 && text.len < 256;
}

static int add_variable(struct slu_slice name, struct slu_buf *out, struct slu_err *err)
{
    if (!is_variable_name(name))
        return slu_err_set(err, SLU_EINVAL, "${env:%.*s}: this is not the name of a variable",
                           SLU_SLICE_ARG(name));
    char terminated[256];
    memcpy(terminated, name.data, name.len);
    terminated[name.len] = '\0';

    const char *value = getenv(terminated);
    if (value == NULL)
        return slu_err_set(err, SLU_ENOENT, "the environment variable %s is not set", terminated);
    const size_t len = strnlen(value, SLU_SECRET_MAX_BYTES + 1);
    if (len > SLU_SECRET_MAX_BYTES)
        return slu_err_set(err, SLU_EINVAL, "the environment variable %s has more than %u bytes",
                           terminated, SLU_SECRET_MAX_BYTES);
    if (!slu_utf8_valid(value, len))
        return slu_err_set(err, SLU_EINVAL, "the environment variable %s is not UTF-8", terminated);
    slu_buf_add(out, value, len);
    return 0;
}

static int add_content(const char *path, struct slu_buf *content, struct slu_buf *out,
                       struct slu_err *err)
{
    if (slu_file_read(path, content, err) != 0)
        return -1;
    size_t len = content->len;
    if (len > 0 && content->data[len - 1] == '\n')
        len -= len > 1 && content->data[len - 2] == '\r' ? 2 : 1;
    if (len == 0)
        return 0;
    if (memchr(content->data, '\0', len) != NULL || !slu_utf8_valid(content->data, len))
        return slu_err_set(err, SLU_EINVAL, "%s is not text in UTF-8", path);
    slu_buf_add(out, content->data, len);
    return 0;
}

static int add_file(struct slu_slice path, const char *folder, struct slu_buf *out,
                    struct slu_err *err)
{
    if (path.len == 0)
        return slu_err_set(err, SLU_EINVAL, "${file:} names no file");
    struct slu_buf full, content;
    slu_buf_init(&full, PATH_MAX);
    slu_buf_init(&content, SLU_SECRET_MAX_BYTES);
    if (path.data[0] != '/') {
        slu_buf_add_text(&full, folder);
        slu_buf_add_char(&full, '/');
    }
    slu_buf_add_slice(&full, path);

    int result = -1;
    if (full.failed)
        slu_err_set(err, SLU_EINVAL, "${file:%.*s…}: the path is too long", 100, path.data);
    else
        result = add_content(slu_buf_text(&full), &content, out, err);
    wipe(&content);
    slu_buf_fini(&full);
    return result;
}

/* The kinds of things to bring in. */
enum source { SOURCE_NONE, SOURCE_ENV, SOURCE_FILE };

static enum source source_at(struct slu_slice text)
{
    if (slu_slice_starts_with(text, SLU_SLICE("${env:")))
        return SOURCE_ENV;
    if (slu_slice_starts_with(text, SLU_SLICE("${file:")))
        return SOURCE_FILE;
    return SOURCE_NONE;
}

/* `text` begins with "${env:" or "${file:". Returns the bytes up to and with the "}", 0 on error. */
static size_t add_source(struct slu_slice text, enum source source, const char *folder,
                         struct slu_buf *out, struct slu_err *err)
{
    const size_t begin = source == SOURCE_ENV ? strlen("${env:") : strlen("${file:");
    const char *end = memchr(text.data, '}', text.len);
    if (end == NULL) {
        slu_err_set(err, SLU_EINVAL, "%.*s… has no closing }", (int)begin, text.data);
        return 0;
    }
    const size_t len = (size_t)(end - text.data);
    const struct slu_slice name = slu_slice(text.data + begin, len - begin);
    const int result =
        source == SOURCE_ENV ? add_variable(name, out, err) : add_file(name, folder, out, err);
    return result == 0 ? len + 1 : 0;
}

static int expand(struct slu_slice text, const char *folder, struct slu_buf *out, bool *secret,
                  struct slu_err *err)
{
    size_t at = 0;
    while (at < text.len) {
        const char *dollar = memchr(text.data + at, '$', text.len - at);
        const size_t end = dollar != NULL ? (size_t)(dollar - text.data) : text.len;
        slu_buf_add(out, text.data + at, end - at);
        at = end;
        const struct slu_slice rest = slu_slice(text.data + at, text.len - at);
        const enum source source = source_at(rest);
        if (source != SOURCE_NONE) {
            const size_t taken = add_source(rest, source, folder, out, err);
            if (taken == 0)
                return -1;
            at += taken;
            *secret = true;
        } else if (slu_slice_starts_with(rest, SLU_SLICE("$${"))) {
            slu_buf_add_text(out, "${");
            at += strlen("$${");
        } else if (rest.len > 0) {
            slu_buf_add_char(out, '$');
            at++;
        }
    }
    return 0;
}

int slu_secret_expand(struct slu_slice text, const char *folder, struct slu_arena *arena,
                      struct slu_slice *out, bool *secret, struct slu_err *err)
{
    *secret = false;
    *out = text;
    int result = 0;
    struct slu_buf buf;
    slu_buf_init(&buf, text.len + EXPANDED_MAX_BYTES);
    if (text.len > 0 && memchr(text.data, '$', text.len) != NULL) {
        result = expand(text, folder, &buf, secret, err);
        *out = slu_buf_slice(&buf);
    }
    if (result == 0 && buf.failed)
        result = slu_err_set(err, SLU_ENOMEM, "the value is too large");
    if (result == 0) {
        out->data = slu_arena_copy(arena, *out);
        if (out->data == NULL)
            result = slu_err_set(err, SLU_ENOMEM, "no memory for a value");
    }
    wipe(&buf);
    return result;
}
