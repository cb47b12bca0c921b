/* uri.c -- see uri.h.
 *
 *   scheme ':' [ "//" authority ] path [ '?' query ]
 *
 * Nothing is normalised beyond what RFC 3986 §5.2.4 asks for: identifiers are compared as written.
 */
#include "validation/json_schema/uri.h"

struct parts {
    struct slu_slice scheme;    /* without ':' */
    struct slu_slice authority; /* with its "//" */
    struct slu_slice path;
    struct slu_slice query; /* with its '?' */
};

static size_t span_to(struct slu_slice text, size_t from, const char *stops)
{
    size_t at = from;
    while (at < text.len && (text.data[at] == '\0' || strchr(stops, text.data[at]) == NULL))
        at++;
    return at;
}

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Bytes of the scheme, without ':'; 0: none. */
static size_t scheme_len(struct slu_slice uri)
{
    if (uri.len == 0 || !is_alpha(uri.data[0]))
        return 0;
    for (size_t i = 1; i < uri.len; i++) {
        const char c = uri.data[i];
        if (c == ':')
            return i;
        if (!is_alpha(c) && !(c >= '0' && c <= '9') && c != '+' && c != '-' && c != '.')
            return 0;
    }
    return 0;
}

static struct parts split(struct slu_slice uri)
{
    struct parts parts = {{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
    size_t at = scheme_len(uri);
    if (at != 0) {
        parts.scheme = slu_slice(uri.data, at);
        at++;
    }
    if (uri.len >= at + 2 && uri.data[at] == '/' && uri.data[at + 1] == '/') {
        const size_t end = span_to(uri, at + 2, "/?");
        parts.authority = slu_slice(uri.data + at, end - at);
        at = end;
    }
    const size_t end = span_to(uri, at, "?");
    parts.path = slu_slice(uri.data != NULL ? uri.data + at : NULL, end - at);
    if (end < uri.len)
        parts.query = slu_slice(uri.data + end, uri.len - end);
    return parts;
}

void slu_uri_split(struct slu_slice uri, struct slu_slice *rest, struct slu_slice *fragment)
{
    const size_t at = span_to(uri, 0, "#");
    *rest = slu_slice(uri.data, at);
    *fragment = at < uri.len ? slu_slice(uri.data + at + 1, uri.len - at - 1) : slu_slice(NULL, 0);
}

bool slu_uri_is_absolute(struct slu_slice uri)
{
    return scheme_len(uri) != 0;
}

/* Segments "." and ".." of an absolute path (RFC 3986 §5.2.4), in place. Returns the new length. */
static size_t remove_dots(char *path, size_t len)
{
    size_t out = 0;
    size_t at = 0;
    while (at < len) {
        size_t end = at + 1; /* path[at] is '/', except at the very start */
        while (end < len && path[end] != '/')
            end++;
        const char *segment = path[at] == '/' ? path + at + 1 : path + at;
        const size_t n = (size_t)(path + end - segment);
        const bool dot = n == 1 && segment[0] == '.';
        const bool dots = n == 2 && segment[0] == '.' && segment[1] == '.';
        if (dots) {
            while (out > 0 && path[--out] != '/')
                ;
        }
        if (dot || dots) {
            if (end == len)
                path[out++] = '/';
        } else {
            memmove(path + out, path + at, end - at);
            out += end - at;
        }
        at = end;
    }
    return out;
}

static char *append(char *out, struct slu_slice text)
{
    if (text.len != 0)
        memcpy(out, text.data, text.len);
    return out + text.len;
}

static char *append_path(char *out, const struct parts *base, const struct parts *reference)
{
    char *start = out;
    if (reference->path.len != 0 && reference->path.data[0] != '/') {
        size_t keep = base->path.len;
        while (keep > 0 && base->path.data[keep - 1] != '/')
            keep--;
        if (base->authority.len != 0 && base->path.len == 0)
            *out++ = '/';
        out = append(out, slu_slice(base->path.data, keep));
    }
    out = append(out, reference->path);
    return start + remove_dots(start, (size_t)(out - start));
}

struct slu_slice slu_uri_resolve(struct slu_arena *arena, struct slu_slice base,
                                 struct slu_slice reference)
{
    char *text = slu_arena_alloc(arena, base.len + reference.len + 8);
    if (text == NULL)
        return slu_slice(NULL, 0);
    if (reference.len == 0)
        return slu_slice(text, (size_t)(append(text, base) - text));
    const struct parts from = split(base);
    const struct parts to = split(reference);
    if (to.scheme.len != 0)
        return slu_slice(text, (size_t)(append(text, reference) - text));

    char *out = append(text, from.scheme);
    if (from.scheme.len != 0)
        *out++ = ':';
    if (to.authority.len != 0) {
        out = append(append(append(out, to.authority), to.path), to.query);
        return slu_slice(text, (size_t)(out - text));
    }
    out = append(out, from.authority);
    if (to.path.len == 0) {
        out = append(append(out, from.path), to.query);
        return slu_slice(text, (size_t)(out - text));
    }
    out = append(append_path(out, &from, &to), to.query);
    return slu_slice(text, (size_t)(out - text));
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

struct slu_slice slu_uri_decode(struct slu_arena *arena, struct slu_slice text)
{
    char *out = slu_arena_alloc(arena, text.len + 1);
    size_t n = 0;
    for (size_t i = 0; out != NULL && i < text.len; i++) {
        if (text.data[i] != '%') {
            out[n++] = text.data[i];
            continue;
        }
        const int high = i + 2 < text.len ? hex(text.data[i + 1]) : -1;
        const int low = i + 2 < text.len ? hex(text.data[i + 2]) : -1;
        if (high < 0 || low < 0)
            return slu_slice(NULL, 0);
        out[n++] = (char)(high << 4 | low);
        i += 2;
    }
    return slu_slice(out, n);
}
