/* content_json.c -- see content.h. One bit a level says whether it is an object. */
#include "validation/json_schema/content.h"

#include <stdint.h>
#include <string.h>

struct reader {
    const char *at, *end;
    size_t depth;
    uint64_t objects[SLU_CONTENT_MAX_DEPTH / 64];
};

static void skip_blanks(struct reader *reader)
{
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\t' ||
                                        *reader->at == '\n' || *reader->at == '\r'))
        reader->at++;
}

static bool take(struct reader *reader, char c)
{
    if (reader->at == reader->end || *reader->at != c)
        return false;
    reader->at++;
    return true;
}

static bool take_word(struct reader *reader, const char *word)
{
    const size_t n = strlen(word);
    if ((size_t)(reader->end - reader->at) < n || memcmp(reader->at, word, n) != 0)
        return false;
    reader->at += n;
    return true;
}

static bool take_digits(struct reader *reader)
{
    const char *begin = reader->at;
    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9')
        reader->at++;
    return reader->at != begin;
}

static bool take_number(struct reader *reader)
{
    take(reader, '-');
    if (!take(reader, '0') && !take_digits(reader))
        return false;
    if (take(reader, '.') && !take_digits(reader))
        return false;
    if (!take(reader, 'e') && !take(reader, 'E'))
        return true;
    if (!take(reader, '+'))
        take(reader, '-');
    return take_digits(reader);
}

static bool take_escape(struct reader *reader)
{
    if (reader->at == reader->end)
        return false;
    const char c = *reader->at++;
    if (c != 'u')
        return c != '\0' && strchr("\"\\/bfnrt", c) != NULL;
    for (int i = 0; i < 4; i++, reader->at++)
        if (reader->at == reader->end || *reader->at == '\0' ||
            strchr("0123456789abcdefABCDEF", *reader->at) == NULL)
            return false;
    return true;
}

static bool take_string(struct reader *reader)
{
    if (!take(reader, '"'))
        return false;
    while (reader->at < reader->end) {
        const char c = *reader->at++;
        if (c == '"')
            return true;
        if ((unsigned char)c < 0x20 || (c == '\\' && !take_escape(reader)))
            return false;
    }
    return false;
}

static bool enter(struct reader *reader, bool object)
{
    if (reader->depth == SLU_CONTENT_MAX_DEPTH)
        return false;
    const uint64_t bit = UINT64_C(1) << reader->depth % 64;
    uint64_t *word = &reader->objects[reader->depth / 64];
    *word = object ? *word | bit : *word & ~bit;
    reader->depth++;
    return true;
}

static bool in_object(const struct reader *reader)
{
    const size_t level = reader->depth - 1;
    return (reader->objects[level / 64] >> level % 64 & 1) != 0;
}

static bool take_key(struct reader *reader)
{
    skip_blanks(reader);
    if (!take_string(reader))
        return false;
    skip_blanks(reader);
    return take(reader, ':');
}

/* A value, or the beginning of a container that has members: then `*open`. */
static bool take_value(struct reader *reader, bool *open)
{
    *open = false;
    skip_blanks(reader);
    const bool object = take(reader, '{');
    if (object || take(reader, '[')) {
        skip_blanks(reader);
        if (take(reader, object ? '}' : ']'))
            return true;
        *open = true;
        return enter(reader, object) && (!object || take_key(reader));
    }
    if (reader->at == reader->end)
        return false;
    switch (*reader->at) {
    case '"':
        return take_string(reader);
    case 't':
        return take_word(reader, "true");
    case 'f':
        return take_word(reader, "false");
    case 'n':
        return take_word(reader, "null");
    default:
        return take_number(reader);
    }
}

/* What follows a value: a comma and the next member, or the end of containers. `*more`: a value is
 * to come. */
static bool take_rest(struct reader *reader, bool *more)
{
    *more = false;
    while (reader->depth > 0 && !*more) {
        skip_blanks(reader);
        const bool object = in_object(reader);
        if (take(reader, ','))
            *more = true;
        else if (take(reader, object ? '}' : ']'))
            reader->depth--;
        else
            return false;
        if (*more && object && !take_key(reader))
            return false;
    }
    return true;
}

bool slu_content_is_json(const char *text, size_t len)
{
    struct reader reader = {.at = text, .end = text + len};
    bool open = false, more = true;
    while (more) {
        if (!take_value(&reader, &open))
            return false;
        more = open;
        if (!open && !take_rest(&reader, &more))
            return false;
    }
    skip_blanks(&reader);
    return reader.at == reader.end;
}
