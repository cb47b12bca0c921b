/* bytes.h -- are two short byte strings equal? For keys and enum values, which mostly have less than
 * 16 bytes: two overlapping loads instead of a call.
 */
#ifndef SLU_BASE_BYTES_H
#define SLU_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t slu_bytes_load8(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

static inline uint32_t slu_bytes_load4(const char *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

/* `len` bytes, 8 at most, as one word: of two texts of one length, equal words mean equal texts. */
static inline uint64_t slu_bytes_word(const char *bytes, size_t len)
{
    if (len >= 4)
        return slu_bytes_load4(bytes) | (uint64_t)slu_bytes_load4(bytes + len - 4) << 32;
    if (len == 0)
        return 0;
    return (uint64_t)(uint8_t)bytes[0] | (uint64_t)(uint8_t)bytes[len / 2] << 8 |
           (uint64_t)(uint8_t)bytes[len - 1] << 16;
}

/* Both have `len` bytes. */
static inline bool slu_bytes_equal(const char *a, const char *b, size_t len)
{
    if (len >= 8) {
        if (len > 16)
            return memcmp(a, b, len) == 0;
        return ((slu_bytes_load8(a) ^ slu_bytes_load8(b)) |
                (slu_bytes_load8(a + len - 8) ^ slu_bytes_load8(b + len - 8))) == 0;
    }
    if (len >= 4)
        return ((slu_bytes_load4(a) ^ slu_bytes_load4(b)) |
                (slu_bytes_load4(a + len - 4) ^ slu_bytes_load4(b + len - 4))) == 0;
    return len == 0 || (a[0] == b[0] && a[len / 2] == b[len / 2] && a[len - 1] == b[len - 1]);
}

#endif
