/* utf8.c -- see utf8.h. The forms of RFC 3629 §4:
 *
 *   00..7F
 *   C2..DF  80..BF
 *   E0      A0..BF  80..BF            (below A0: overlong)
 *   ED      80..9F  80..BF            (above 9F: surrogates)
 *   E1..EF  80..BF  80..BF            (the rest)
 *   F0      90..BF  80..BF  80..BF    (below 90: overlong)
 *   F1..F3  80..BF  80..BF  80..BF
 *   F4      80..8F  80..BF  80..BF    (above 8F: beyond U+10FFFF)
 *
 * Plain ASCII, which is most of what passes, goes eight bytes a step.
 */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)
#define LOW_BITS  UINT64_C(0x0101010101010101)

static inline uint64_t eight_bytes(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

static inline bool continues(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

/* Does a second byte stand where `first`, the lead of three or four bytes, allows it? */
static inline bool second_fits(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xE0:
        return second >= 0xA0 && second <= 0xBF;
    case 0xED:
        return second >= 0x80 && second <= 0x9F;
    case 0xF0:
        return second >= 0x90 && second <= 0xBF;
    case 0xF4:
        return second >= 0x80 && second <= 0x8F;
    default:
        return continues(second);
    }
}

size_t slu_utf8_step(const char *bytes, size_t n)
{
    const unsigned char *at = (const unsigned char *)bytes;

    if (n == 0)
        return 0;
    if (at[0] < 0x80)
        return 1;
    if (at[0] < 0xC2 || at[0] > 0xF4 || n < 2)
        return 0;
    if (at[0] < 0xE0)
        return continues(at[1]) ? 2 : 0;
    if (n < 3 || !second_fits(at[0], at[1]) || !continues(at[2]))
        return 0;
    if (at[0] < 0xF0)
        return 3;
    return n >= 4 && continues(at[3]) ? 4 : 0;
}

bool slu_utf8_valid(const char *bytes, size_t n)
{
    size_t at = 0;

    while (at < n) {
        if (n - at >= 8 && (eight_bytes(bytes + at) & HIGH_BITS) == 0) {
            at += 8;
            continue;
        }
        const size_t step = slu_utf8_step(bytes + at, n - at);
        if (step == 0)
            return false;
        at += step;
    }
    return true;
}

size_t slu_utf8_length(const char *bytes, size_t n)
{
    /* Every byte that continues nothing begins a code point. */
    size_t continuations = 0;
    size_t at = 0;

    for (; n - at >= 8; at += 8) {
        const uint64_t word = eight_bytes(bytes + at);
        const uint64_t ones = (word >> 7) & ~(word >> 6) & LOW_BITS;
        continuations += (size_t)((ones * LOW_BITS) >> 56);
    }
    for (; at < n; at++)
        continuations += continues((unsigned char)bytes[at]);
    return n - continuations;
}

size_t slu_utf8_cut(const char *bytes, size_t n, size_t max)
{
    if (n <= max)
        return n;

    /* The first byte left out must begin a code point. Three steps back find the lead of a
     * well-formed one; in anything else there is no better place than `max`. */
    for (size_t back = 0; back <= 3 && back <= max; back++) {
        if (!continues((unsigned char)bytes[max - back]))
            return max - back;
    }
    return max;
}

bool slu_utf8_allowed_in_mqtt(const char *bytes, size_t step)
{
    const unsigned char *b = (const unsigned char *)bytes;

    switch (step) {
    case 1:
        return b[0] >= 0x20 && b[0] != 0x7f;
    case 2:
        return b[0] != 0xc2 || b[1] >= 0xa0; /* U+0080 to U+009F */
    case 3:
        if (b[0] != 0xef)
            return true;
        return !(b[1] == 0xb7 && b[2] >= 0x90 && b[2] <= 0xaf) && /* U+FDD0 to U+FDEF */
               !(b[1] == 0xbf && b[2] >= 0xbe);                   /* U+FFFE, U+FFFF */
    default:
        /* U+1FFFE, U+1FFFF … U+10FFFF */
        return !((b[1] & 0x0f) == 0x0f && b[2] == 0xbf && b[3] >= 0xbe);
    }
}
