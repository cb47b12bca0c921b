/* format_idn.c -- host names beyond ASCII: hostname (since draft 7, with punycode) and idn-hostname.
 * The only file that knows libidn2.
 *
 *   "ｅxample。실례"                     text, 4 KiB at most
 *     │ idn2_lookup_u8                  UTS #46 mapping, NFC, labels, punycode
 *     ▼
 *   "example.xn--9n2bp8q"               a plain host name by its letters and lengths (RFC 1123)
 *     │ idn2_register_u8, per xn--      the strict rules of IDNA2008: RFC 5891 §4, RFC 5892 with its
 *     ▼                                 contextual rules, RFC 5893 within the label
 *   RFC 5893 between the labels, and its rule 4, which libidn2 leaves out: here
 *
 * A name that is ASCII already skips the first step. Looking up is laxer than registering (contextual
 * rules, symbols), so only registering decides. Plain labels with -- in the third and fourth place are
 * host names of RFC 1123, and stay so.
 *
 * libidn2 allocates what it returns: a few hundred bytes a label.
 */
#include "validation/json_schema/format_inside.h"

#include <idn2.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TEXT  4096 /* bytes: the mapping drops some characters, so names may shrink */
#define MAX_LABEL 63   /* bytes of a label of ASCII */

/* A letter written from right to left, for asking libidn2 about other characters. */
#define ALEF "\xD7\x90"

/* U-labels: at most 59 code points of 4 bytes, and what is put around them. */
#define MAX_PROBE (4 * MAX_LABEL + 8)

static bool is_ascii(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((text[i] & 0x80) != 0)
            return false;
    }
    return true;
}

static bool has_ace_prefix(const char *label, size_t len)
{
    return len >= 4 && (label[0] | 0x20) == 'x' && (label[1] | 0x20) == 'n' && label[2] == '-' &&
           label[3] == '-';
}

/* One label by the rules for registering it. libidn2's answer: IDN2_OK, or what is wrong. */
static int registers(const char *u_label, const char *a_label)
{
    uint8_t *name = NULL;
    const int answer =
        idn2_register_u8((const uint8_t *)u_label, (const uint8_t *)a_label, &name, 0);
    idn2_free(name);
    return answer;
}

/* libidn2's answer to the text before, the U-label and the text behind, put together. */
static int ask(const char *before, const char *u_label, size_t len, const char *behind)
{
    char probe[MAX_PROBE + 1];
    const size_t n_before = strlen(before), n_behind = strlen(behind);
    if (n_before + len + n_behind > MAX_PROBE)
        return IDN2_TOO_BIG_LABEL;
    memcpy(probe, before, n_before);
    memcpy(probe + n_before, u_label, len);
    memcpy(probe + n_before + len, behind, n_behind + 1);
    return registers(probe, NULL);
}

/* Has it characters of class R, AL or AN? Then, and only then, it is a label that no Latin letter may
 * begin. */
static bool is_right_to_left(const char *u_label, size_t len)
{
    return ask("a", u_label, len, "") == IDN2_BIDI;
}

/* The classes of one character out of a label that is not right_to_left: L is the one that may not lie
 * between two Hebrew letters; EN and NSM are those that may end a word that such a letter begins. */
static bool is_class_l(const char *character, size_t len)
{
    return ask(ALEF, character, len, ALEF) == IDN2_BIDI;
}

static bool is_class_en_or_nsm(const char *character, size_t len)
{
    return ask(ALEF, character, len, "") == IDN2_OK;
}

static size_t character_at(const char *text)
{
    const unsigned char c = (unsigned char)text[0];
    return c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

static bool is_european_digit(const char *character)
{
    return slu_format_is_digit(character[0]) ||
           (character[0] == '\xDB' && character[1] >= '\xB0' && character[1] <= '\xB9');
}

/* RFC 5893 §2 rule 1 and 6 for a label from left to right: it begins with L and ends with L or EN,
 * NSM behind it. (Rule 5 leaves nothing else that IDNA2008 lets through.) */
static bool left_to_right_is_fit(const char *u_label, size_t len)
{
    if (!is_class_l(u_label, character_at(u_label)))
        return false;
    size_t at = len;
    while (at != 0) {
        do
            at--;
        while ((u_label[at] & 0xC0) == 0x80);
        const size_t n = character_at(u_label + at);
        if (is_european_digit(u_label + at) || is_class_l(u_label + at, n))
            return true;
        if (!is_class_en_or_nsm(u_label + at, n))
            return false;
    }
    return false;
}

/* RFC 5893 §2 rule 4: no European digit beside an Arabic one (U+0660–0669, U+10D30–10D39). */
static bool digits_are_fit(const char *u_label, size_t len)
{
    bool european = false, arabic = false;
    for (size_t at = 0; at < len; at += character_at(u_label + at)) {
        const char *c = u_label + at;
        european = european || is_european_digit(c);
        arabic = arabic || (c[0] == '\xD9' && c[1] >= '\xA0' && c[1] <= '\xA9') ||
                 (memcmp(c, "\xF0\x90\xB4", len - at < 3 ? len - at : 3) == 0 && len - at > 3 &&
                  c[3] >= '\xB0' && c[3] <= '\xB9');
    }
    return !(european && arabic);
}

/* What the labels of a name have shown so far: whether the name is a Bidi domain name, and whether all
 * its labels would be fit for one. */
struct direction {
    bool right_to_left;
    bool fit;
};

static bool judge_plain_label(const char *label, struct direction *direction)
{
    direction->fit = direction->fit && slu_format_is_letter(label[0]);
    return true;
}

/* An A-label: it must stand for a U-label that IDNA2008 allows, in the one way there is. */
static bool judge_a_label(const char *label, size_t len, struct direction *direction)
{
    char lower[MAX_LABEL + 1];
    char *u_label = NULL;
    if (len > MAX_LABEL)
        return false;
    for (size_t i = 0; i < len; i++)
        lower[i] = (char)(label[i] | (slu_format_is_letter(label[i]) ? 0x20 : 0));
    lower[len] = '\0';
    if (registers(NULL, lower) != IDN2_OK || idn2_to_unicode_8z8z(lower, &u_label, 0) != IDN2_OK)
        return false;

    const size_t n = strlen(u_label);
    bool holds = !is_ascii(u_label, n);
    if (holds && is_right_to_left(u_label, n)) {
        direction->right_to_left = true;
        holds = digits_are_fit(u_label, n);
    } else if (holds) {
        direction->fit = direction->fit && left_to_right_is_fit(u_label, n);
    }
    idn2_free(u_label);
    return holds;
}

/* A name of ASCII. */
bool slu_format_hostname(const char *text, size_t len)
{
    struct direction direction = {false, true};
    if (!slu_format_ldh_name(text, len))
        return false;
    for (size_t at = 0; at < len;) {
        const char *dot = memchr(text + at, '.', len - at);
        const size_t n = dot != NULL ? (size_t)(dot - text) - at : len - at;
        const bool holds = has_ace_prefix(text + at, n) ? judge_a_label(text + at, n, &direction)
                                                        : judge_plain_label(text + at, &direction);
        if (!holds)
            return false;
        at += n + 1;
    }
    return !direction.right_to_left || direction.fit;
}

bool slu_format_idn_hostname(const char *text, size_t len)
{
    char copy[MAX_TEXT + 1];
    uint8_t *name = NULL;

    if (is_ascii(text, len))
        return slu_format_hostname(text, len);
    if (len > MAX_TEXT || memchr(text, '\0', len) != NULL)
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    const int answer =
        idn2_lookup_u8((const uint8_t *)copy, &name, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
    const bool holds = answer == IDN2_OK && slu_format_hostname((char *)name, strlen((char *)name));
    idn2_free(name);
    return holds;
}
