/* format_inside.h -- the judges of the formats, one function each, by the noun of their file; and the
 * few words that they share. Inside this room only.
 *
 * A judge takes bytes that are well-formed UTF-8 and answers for the whole of them. `text` may be NULL
 * when `len` is 0.
 */
#ifndef SLU_JSON_SCHEMA_FORMAT_INSIDE_H
#define SLU_JSON_SCHEMA_FORMAT_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef bool slu_format_judge(const char *text, size_t len);

/* format_time.c: RFC 3339. */
slu_format_judge slu_format_date_time, slu_format_date, slu_format_time, slu_format_duration;

/* format_net.c: addresses and host names of ASCII. */
slu_format_judge slu_format_ipv4, slu_format_ipv6, slu_format_ldh_name, slu_format_email;
slu_format_judge slu_format_idn_email;

/* format_idn.c: IDNA2008; the only file that knows libidn2. */
slu_format_judge slu_format_hostname, slu_format_idn_hostname;

/* format_uri.c: RFC 3986 and 3987. */
slu_format_judge slu_format_uri, slu_format_uri_reference, slu_format_iri, slu_format_iri_reference;

/* Bytes of the code point at `text`, if an IRI may have it beyond ASCII (RFC 3987 §2.2 ucschar, with
 * `private_use` iprivate as well); else 0. */
size_t slu_format_ucschar(const char *text, size_t len, bool private_use);

/* format_template.c: RFC 6570. */
slu_format_judge slu_format_uri_template;

/* format_pointer.c: RFC 6901 and the drafts of relative pointers: up to 2019-09, and of 2020-12. */
slu_format_judge slu_format_json_pointer, slu_format_relative_pointer,
    slu_format_relative_pointer_2020;

/* format.c */
slu_format_judge slu_format_uuid, slu_format_regex;

static inline bool slu_format_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool slu_format_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool slu_format_is_hex(char c)
{
    return slu_format_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* "%41": three bytes of them at `text`. */
static inline bool slu_format_is_percent(const char *text, size_t len)
{
    return len >= 3 && text[0] == '%' && slu_format_is_hex(text[1]) && slu_format_is_hex(text[2]);
}

#endif
