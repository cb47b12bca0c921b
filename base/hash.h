/* hash.h -- a fast seeded hash for tables in memory.
 *
 * Two 64×64→128-bit multiplications for up to 16 bytes, one more for each further 16; the two halves
 * of each product are folded by xor. The seed goes into both factors of every product, so who does
 * not know it cannot choose bytes that make a product zero, or names that fall into one bucket.
 *
 * The result depends on the byte order of the machine: never store it, never send it. Not for
 * secrets. Take the seed from slu_random_fill() wherever the keys come from the network.
 */
#ifndef SLU_BASE_HASH_H
#define SLU_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

__extension__ typedef unsigned __int128 slu_uint128; /* -Wpedantic does not know the type */

/* Odd numbers without pattern (fractions of square roots of primes). */
#define SLU_HASH_A UINT64_C(0x6a09e667f3bcc909)
#define SLU_HASH_B UINT64_C(0xbb67ae8584caa73b)
#define SLU_HASH_C UINT64_C(0x3c6ef372fe94f82b)

/* The folded product. */
static inline uint64_t slu_hash_mix(uint64_t a, uint64_t b)
{
    const slu_uint128 product = (slu_uint128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t slu_hash_load8(const unsigned char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

static inline uint64_t slu_hash_load4(const unsigned char *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

/* The hash of `len` bytes; `data` may be NULL when `len` is 0. */
static inline uint64_t slu_hash_bytes(uint64_t seed, const void *data, size_t len)
{
    const unsigned char *bytes = data;
    const uint64_t secret = seed ^ SLU_HASH_A;
    uint64_t state = (seed << 32 | seed >> 32) ^ SLU_HASH_B;
    uint64_t first = 0, last = 0;

    if (len > 16) {
        size_t left = len;
        for (; left > 16; left -= 16, bytes += 16)
            state = slu_hash_mix(slu_hash_load8(bytes) ^ secret, slu_hash_load8(bytes + 8) ^ state);
        /* The last 16 bytes, some of which may have been read before. */
        first = slu_hash_load8(bytes + left - 16);
        last = slu_hash_load8(bytes + left - 8);
    } else if (len >= 8) {
        first = slu_hash_load8(bytes);
        last = slu_hash_load8(bytes + len - 8);
    } else if (len >= 4) {
        first = slu_hash_load4(bytes);
        last = slu_hash_load4(bytes + len - 4);
    } else if (len > 0) {
        first = (uint64_t)bytes[0] << 16 | (uint64_t)bytes[len / 2] << 8 | bytes[len - 1];
    }
    state = slu_hash_mix(first ^ secret, last ^ state);
    return slu_hash_mix(state ^ SLU_HASH_C, len ^ secret);
}

#endif
