/* format_net.c -- ipv4, ipv6, host names of ASCII letters, e-mail addresses.
 *
 *   "joe bloggs"@[IPv6:2001:db8::1]      local part @ domain or address
 *    quoted       address literal        (RFC 5321 §4.1.2, §4.1.3)
 *
 * IPv4 addresses are dotted quads (RFC 2673 §3.2) without leading zeros, which some take for octal;
 * only an e-mail's literal may have them (Snum). In an e-mail's literal :: stands for two groups or
 * more. The limits of RFC 5321 §4.5.3.1 hold: 64 bytes of local part.
 */
#include "validation/json_schema/format_inside.h"

#include <string.h>

#define MAX_NAME  253 /* bytes of a host name as text: 255 on the wire (RFC 1034 §3.1) */
#define MAX_LABEL 63
#define MAX_LOCAL 64

static bool dotted_quad(const char *text, size_t len, bool leading_zeros)
{
    size_t at = 0;
    for (int part = 0; part < 4; part++) {
        const size_t first = at;
        int value = 0;
        while (at < len && at - first < 3 && slu_format_is_digit(text[at]))
            value = value * 10 + (text[at++] - '0');
        if (at == first || value > 255)
            return false;
        if (at - first > 1 && text[first] == '0' && !leading_zeros)
            return false;
        if (part < 3 && (at == len || text[at++] != '.'))
            return false;
    }
    return at == len;
}

bool slu_format_ipv4(const char *text, size_t len)
{
    return dotted_quad(text, len, false);
}

/* What an IPv6 address is made of (RFC 4291 §2.2). */
struct groups {
    unsigned n;      /* of hexadecimal digits */
    bool compressed; /* there is a :: */
    bool quad;       /* ends with a dotted quad, worth two groups */
};

/* The groups; false when it is written wrongly, whatever their number. */
static bool take_groups(const char *text, size_t len, bool leading_zeros, struct groups *groups)
{
    size_t at = 0;
    *groups = (struct groups){0, len >= 2 && text[0] == ':' && text[1] == ':', false};
    if (groups->compressed && (at = 2) == len)
        return true;
    while (groups->n < 8) {
        const size_t first = at;
        while (at < len && at - first < 5 && slu_format_is_hex(text[at]))
            at++;
        if (at < len && text[at] == '.') {
            groups->quad = true;
            return dotted_quad(text + first, len - first, leading_zeros);
        }
        groups->n++;
        if (at == first || at - first > 4)
            return false;
        if (at == len)
            return true;
        if (text[at++] != ':' || at == len)
            return false;
        if (text[at] != ':')
            continue;
        if (groups->compressed)
            return false;
        groups->compressed = true;
        if (++at == len)
            return true;
    }
    return false;
}

bool slu_format_ipv6(const char *text, size_t len)
{
    struct groups groups;
    if (!take_groups(text, len, false, &groups))
        return false;
    const unsigned n = groups.n + (groups.quad ? 2 : 0);
    return groups.compressed ? n <= 7 : n == 8;
}

/* Letters, digits and hyphens (RFC 952, RFC 1123 §2.1): labels that neither begin nor end with -. */
bool slu_format_ldh_name(const char *text, size_t len)
{
    size_t label = 0; /* where it begins */
    if (len == 0 || len > MAX_NAME)
        return false;
    for (size_t at = 0; at <= len; at++) {
        const char c = at < len ? text[at] : '.';
        if (slu_format_is_letter(c) || slu_format_is_digit(c) || (c == '-' && at != label))
            continue;
        if (c != '.' || at == label || at - label > MAX_LABEL || text[at - 1] == '-')
            return false;
        label = at + 1;
    }
    return true;
}

/* Between the brackets: an IPv4 address, or "IPv6:" and one. Nobody has registered another tag. */
static bool address_literal(const char *text, size_t len)
{
    static const char tag[] = "ipv6:";
    const size_t tag_len = sizeof(tag) - 1;
    struct groups groups;

    for (size_t i = 0; i < tag_len; i++) {
        if (i == len || (text[i] | (slu_format_is_letter(text[i]) ? 0x20 : 0)) != tag[i])
            return dotted_quad(text, len, true);
    }
    if (!take_groups(text + tag_len, len - tag_len, true, &groups))
        return false;
    if (groups.compressed)
        return groups.n <= (groups.quad ? 4 : 6);
    return groups.n == (groups.quad ? 6 : 8);
}

static bool is_atom(char c, bool international)
{
    return slu_format_is_letter(c) || slu_format_is_digit(c) ||
           (international && (c & 0x80) != 0) ||
           (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Bytes of the dotted words at the beginning; 0: there are none. */
static size_t take_atoms(const char *text, size_t len, bool international)
{
    size_t at = 0, word = 0;
    for (; at < len; at++) {
        if (text[at] == '.' && at != word)
            word = at + 1;
        else if (!is_atom(text[at], international))
            break;
    }
    return at == word ? 0 : at;
}

/* Bytes of the quoted string at the beginning, quotes included; 0: there is none. */
static size_t take_quoted(const char *text, size_t len, bool international)
{
    for (size_t at = 1; at < len; at++) {
        if (text[at] == '"')
            return at + 1;
        const bool escaped = text[at] == '\\' && ++at < len;
        const unsigned char c = at < len ? (unsigned char)text[at] : 0;
        if ((c < 0x20 || c > 0x7E) && (c < 0x80 || !international || escaped))
            return 0;
    }
    return 0;
}

static bool is_email(const char *text, size_t len, bool international, slu_format_judge *is_domain)
{
    const bool quoted = len != 0 && text[0] == '"';
    const size_t local =
        quoted ? take_quoted(text, len, international) : take_atoms(text, len, international);
    if (local == 0 || local > MAX_LOCAL || local == len || text[local] != '@')
        return false;
    const char *domain = text + local + 1;
    const size_t n = len - local - 1;
    if (n >= 2 && domain[0] == '[' && domain[n - 1] == ']')
        return address_literal(domain + 1, n - 2);
    return is_domain(domain, n);
}

bool slu_format_email(const char *text, size_t len)
{
    return is_email(text, len, false, slu_format_ldh_name);
}

/* RFC 6531 §3.3: anything beyond ASCII in the local part, U-labels in the domain. */
bool slu_format_idn_email(const char *text, size_t len)
{
    return is_email(text, len, true, slu_format_idn_hostname);
}
