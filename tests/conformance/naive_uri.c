/* naive_uri.c -- resolving references: RFC 3986 §5.2, step by step, on copies. */
#include "tests/conformance/naive_inside.h"

#include <stdlib.h>

/* Parts of a URI, each a slice of it; `has_…` since empty is not absent. */
struct parts {
    struct slu_slice scheme, authority, path, query, fragment;
    bool has_scheme, has_authority, has_query, has_fragment;
};

/* The regular expression of appendix B, by hand. */
static struct parts split(struct slu_slice uri)
{
    struct parts parts = {.has_scheme = false};
    const char *at = uri.data, *end = uri.data + uri.len;

    const char *stop = at;
    while (stop < end && strchr(":/?#", *stop) == NULL)
        stop++;
    if (stop < end && *stop == ':' && stop > at) {
        parts.has_scheme = true;
        parts.scheme = slu_slice(at, (size_t)(stop - at));
        at = stop + 1;
    }
    if (end - at >= 2 && at[0] == '/' && at[1] == '/') {
        stop = at += 2;
        while (stop < end && strchr("/?#", *stop) == NULL)
            stop++;
        parts.has_authority = true;
        parts.authority = slu_slice(at, (size_t)(stop - at));
        at = stop;
    }
    for (stop = at; stop < end && strchr("?#", *stop) == NULL;)
        stop++;
    parts.path = slu_slice(at, (size_t)(stop - at));
    at = stop;
    if (at < end && *at == '?') {
        for (stop = ++at; stop < end && *stop != '#';)
            stop++;
        parts.has_query = true;
        parts.query = slu_slice(at, (size_t)(stop - at));
        at = stop;
    }
    if (at < end && *at == '#') {
        parts.has_fragment = true;
        parts.fragment = slu_slice(at + 1, (size_t)(end - at - 1));
    }
    return parts;
}

/* §5.2.4, in place. */
static void remove_dot_segments(char *path)
{
    char *in = path, *out = path;
    while (*in != '\0') {
        if (strncmp(in, "../", 3) == 0) {
            in += 3;
        } else if (strncmp(in, "./", 2) == 0 || strncmp(in, "/./", 3) == 0) {
            in += 2;
        } else if (strcmp(in, "/.") == 0) {
            *++in = '\0';
            *out++ = '/';
        } else if (strncmp(in, "/../", 4) == 0 || strcmp(in, "/..") == 0) {
            const bool last = in[3] == '\0';
            in += 3;
            while (out > path && *--out != '/')
                ;
            if (last)
                *out++ = '/';
        } else if (strcmp(in, ".") == 0 || strcmp(in, "..") == 0) {
            break;
        } else {
            do
                *out++ = *in++;
            while (*in != '\0' && *in != '/');
        }
    }
    *out = '\0';
}

/* §5.2.3. */
static char *merge(struct slu_arena *arena, const struct parts *base, struct slu_slice path)
{
    size_t keep = base->path.len;
    while (keep > 0 && base->path.data[keep - 1] != '/')
        keep--;
    const char *slash = keep == 0 && base->has_authority ? "/" : "";
    return slu_arena_printf(arena, "%.*s%s%.*s", (int)keep, base->path.len ? base->path.data : "",
                            slash, SLU_SLICE_ARG(path));
}

char *naive_uri_resolve(struct slu_arena *arena, const char *base_text, struct slu_slice text)
{
    const struct parts base = split(slu_slice_of(base_text)), given = split(text);
    struct parts to = given;
    char *path = slu_arena_copy(arena, given.path);

    if (given.has_scheme) {
        if (given.has_authority)
            remove_dot_segments(path);
    } else {
        to.scheme = base.scheme;
        to.has_scheme = base.has_scheme;
        if (given.has_authority) {
            remove_dot_segments(path);
        } else {
            to.authority = base.authority;
            to.has_authority = base.has_authority;
            if (given.path.len == 0) {
                path = slu_arena_copy(arena, base.path);
                to.query = given.has_query ? given.query : base.query;
                to.has_query = given.has_query || base.has_query;
            } else {
                if (path[0] != '/')
                    path = merge(arena, &base, given.path);
                remove_dot_segments(path);
            }
        }
    }
    return slu_arena_printf(
        arena, "%.*s%s%s%.*s%s%s%.*s%s%.*s", SLU_SLICE_ARG(to.scheme), to.has_scheme ? ":" : "",
        to.has_authority ? "//" : "", SLU_SLICE_ARG(to.authority), path, to.has_query ? "?" : "",
        SLU_SLICE_ARG(to.query), to.has_fragment ? "#" : "", SLU_SLICE_ARG(to.fragment));
}

char *naive_percent_decode(struct slu_arena *arena, const char *text)
{
    char *decoded = slu_arena_copy(arena, slu_slice_of(text)), *out = decoded;
    for (const char *in = text; *in != '\0'; in++) {
        const char digits[3] = {in[1], in[1] != '\0' ? in[2] : '\0', '\0'};
        char *end;
        const long byte = strtol(digits, &end, 16);
        if (*in == '%' && end == digits + 2) {
            *out++ = (char)byte;
            in += 2;
        } else {
            *out++ = *in;
        }
    }
    *out = '\0';
    return decoded;
}
