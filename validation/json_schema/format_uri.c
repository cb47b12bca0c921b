/* format_uri.c -- uri, uri-reference (RFC 3986) and iri, iri-reference (RFC 3987).
 *
 *   http://user:pw@example.com:80/over/there?name=x#nose
 *   scheme  userinfo  host    port path       query  fragment
 *           └───── authority ────┘
 *
 * One reader for the four: an IRI is a URI whose characters may lie beyond ASCII, a reference may do
 * without its scheme. Written to the grammar: a host is an address in brackets or any name, and
 * nobody asks what a scheme wants of its parts.
 */
#include "validation/json_schema/format_inside.h"

#include <string.h>

/* Who may be where. Beyond these, %41 may be everywhere but in scheme and port. */
enum {
    UNRESERVED = 1, /* letters, digits, - . _ ~ */
    SUB_DELIMS = 2, /* ! $ & ' ( ) * + , ; = */
    COLON = 4,
    AT = 8,
    SLASH = 16,
    QUESTION = 32,
    PRIVATE = 64, /* private use characters, of an IRI only */
    PERCENT = 128,

    USERINFO = UNRESERVED | SUB_DELIMS | PERCENT | COLON,
    REG_NAME = UNRESERVED | SUB_DELIMS | PERCENT,
    SEGMENT = REG_NAME | COLON | AT,
    PATH = SEGMENT | SLASH,
    QUERY = PATH | QUESTION | PRIVATE,
    FRAGMENT = PATH | QUESTION,
};

struct reader {
    const char *text;
    size_t len, at;
    bool international;
};

static unsigned class_of(char c)
{
    if (slu_format_is_letter(c) || slu_format_is_digit(c) ||
        (c != '\0' && strchr("-._~", c) != NULL))
        return UNRESERVED;
    if (c != '\0' && strchr("!$&'()*+,;=", c) != NULL)
        return SUB_DELIMS;
    return c == ':' ? COLON : c == '@' ? AT : c == '/' ? SLASH : c == '?' ? QUESTION : 0;
}

size_t slu_format_ucschar(const char *text, size_t len, bool private_use)
{
    const unsigned char *bytes = (const unsigned char *)text;
    const size_t n = bytes[0] < 0xE0 ? 2 : bytes[0] < 0xF0 ? 3 : 4;
    if (n > len)
        return 0;
    uint32_t point = bytes[0] & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++)
        point = point << 6 | (bytes[i] & 0x3F);

    const bool is_private = (point >= 0xE000 && point <= 0xF8FF) || point >= 0xF0000;
    const bool in_the_base = (point >= 0xA0 && point <= 0xD7FF) ||
                             (point >= 0xF900 && point <= 0xFDCF) ||
                             (point >= 0xFDF0 && point <= 0xFFEF);
    const bool above = point >= 0x10000 && (point & 0xFFFF) <= 0xFFFD;
    if (is_private)
        return private_use && (point < 0x10000 || above) ? n : 0;
    if (point >= 0xE0000 && point < 0xE1000)
        return 0;
    return in_the_base || above ? n : 0;
}

/* Step over all that may be here. */
static void skip(struct reader *reader, unsigned allowed)
{
    while (reader->at < reader->len) {
        const char *here = reader->text + reader->at;
        const size_t left = reader->len - reader->at;
        size_t n = 0;
        if ((here[0] & 0x80) != 0)
            n = reader->international ? slu_format_ucschar(here, left, (allowed & PRIVATE) != 0)
                                      : 0;
        else if (here[0] == '%')
            n = (allowed & PERCENT) != 0 && slu_format_is_percent(here, left) ? 3 : 0;
        else
            n = (class_of(here[0]) & allowed) != 0;
        if (n == 0)
            return;
        reader->at += n;
    }
}

static bool is_at(const struct reader *reader, char c)
{
    return reader->at < reader->len && reader->text[reader->at] == c;
}

static bool take(struct reader *reader, char c)
{
    if (!is_at(reader, c))
        return false;
    reader->at++;
    return true;
}

/* "v1.anything": for the addresses to come. Between its brackets, IRI or not, it is all ASCII. */
static bool is_future_address(const char *text, size_t len)
{
    size_t at = 1;
    if (len == 0 || (text[0] != 'v' && text[0] != 'V'))
        return false;
    while (at < len && slu_format_is_hex(text[at]))
        at++;
    if (at == 1 || at + 1 >= len || text[at] != '.')
        return false;
    for (at++; at < len; at++) {
        if ((class_of(text[at]) & (UNRESERVED | SUB_DELIMS | COLON)) == 0)
            return false;
    }
    return true;
}

/* "[2001:db8::1]"; the bracket is behind us. */
static bool take_address(struct reader *reader)
{
    const char *start = reader->text + reader->at;
    const char *end = memchr(start, ']', reader->len - reader->at);
    if (end == NULL)
        return false;
    const size_t n = (size_t)(end - start);
    reader->at += n + 1;
    return slu_format_ipv6(start, n) || is_future_address(start, n);
}

/* Behind "//". What is left wrong stands where a path should begin, so the path finds it. */
static bool take_authority(struct reader *reader)
{
    const size_t start = reader->at;
    skip(reader, USERINFO);
    if (!take(reader, '@'))
        reader->at = start;
    if (take(reader, '[')) {
        if (!take_address(reader))
            return false;
    } else {
        skip(reader, REG_NAME);
    }
    if (take(reader, ':')) {
        while (reader->at < reader->len && slu_format_is_digit(reader->text[reader->at]))
            reader->at++;
    }
    return reader->at == reader->len || is_at(reader, '/') || is_at(reader, '?') ||
           is_at(reader, '#');
}

/* "http:"; false, and nothing taken, when there is none. */
static bool take_scheme(struct reader *reader)
{
    size_t at = 0;
    if (reader->len == 0 || !slu_format_is_letter(reader->text[0]))
        return false;
    while (at < reader->len &&
           (slu_format_is_letter(reader->text[at]) || slu_format_is_digit(reader->text[at]) ||
            (reader->text[at] != '\0' && strchr("+-.", reader->text[at]) != NULL)))
        at++;
    if (at == reader->len || reader->text[at] != ':')
        return false;
    reader->at = at + 1;
    return true;
}

static bool is_reference(const char *text, size_t len, bool international, bool absolute)
{
    struct reader reader = {text, len, 0, international};
    const bool scheme = take_scheme(&reader);

    if (absolute && !scheme)
        return false;
    if (len - reader.at >= 2 && text[reader.at] == '/' && text[reader.at + 1] == '/') {
        reader.at += 2;
        if (!take_authority(&reader))
            return false;
    } else if (!scheme) {
        skip(&reader, SEGMENT & ~(unsigned)COLON); /* else it would be a scheme */
        if (is_at(&reader, ':'))
            return false;
    }
    skip(&reader, PATH);
    if (take(&reader, '?'))
        skip(&reader, QUERY);
    if (take(&reader, '#'))
        skip(&reader, FRAGMENT);
    return reader.at == len;
}

bool slu_format_uri(const char *text, size_t len)
{
    return is_reference(text, len, false, true);
}

bool slu_format_uri_reference(const char *text, size_t len)
{
    return is_reference(text, len, false, false);
}

bool slu_format_iri(const char *text, size_t len)
{
    return is_reference(text, len, true, true);
}

bool slu_format_iri_reference(const char *text, size_t len)
{
    return is_reference(text, len, true, false);
}
