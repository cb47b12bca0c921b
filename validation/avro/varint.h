/* varint.h -- Avro's numbers: zigzag, seven bits a byte, the low ones first; the high bit says that more
 * follow. Most are one byte; the others are taken and made a word at a time:
 *
 *   bytes in memory   1ddddddd 1ccccccc 1bbbbbbb 0aaaaaaa      the last is the first without a high bit
 *   number            aaaaaaa bbbbbbb ccccccc ddddddd
 *
 * Three steps join or part the groups of seven bits, two, four and eight at a time. Inside this room only.
 */
#ifndef SLU_AVRO_VARINT_H
#define SLU_AVRO_VARINT_H

#include "base/bytes.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are taken as they lie");

/* Bytes that a number of 64 bits takes at most. */
#define SLU_AVRO_VARINT_MAX 10

static inline int64_t slu_avro_unzigzag(uint64_t bits)
{
    return (int64_t)((bits >> 1) ^ (0 - (bits & 1)));
}

static inline uint64_t slu_avro_zigzag(int64_t number)
{
    return (uint64_t)number << 1 ^ (uint64_t)(number >> 63);
}

/* Byte by byte, for numbers of nine bytes or more and for the end of a message. NULL: it has no end
 * before `end`, or is beyond 64 bits. */
static __attribute__((noinline)) const char *slu_avro_varint_slowly(const char *at, const char *end,
                                                                    uint64_t *bits)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 7 * SLU_AVRO_VARINT_MAX && at != end; shift += 7) {
        const uint8_t byte = (uint8_t)*at++;
        if (shift == 63 && byte > 1)
            return NULL;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *bits = value;
            return at;
        }
    }
    return NULL;
}

/* The number at `at`, still in zigzag; where it ends, or NULL as above. */
static inline const char *slu_avro_varint_read(const char *at, const char *end, uint64_t *bits)
{
    if (__builtin_expect(at != end, 1) && (*at & 0x80) == 0) {
        *bits = (uint8_t)*at;
        return at + 1;
    }
    if (end - at < 8)
        return slu_avro_varint_slowly(at, end, bits);
    uint64_t word = slu_bytes_load8(at);
    const uint64_t lasts = ~word & UINT64_C(0x8080808080808080);
    if (lasts == 0)
        return slu_avro_varint_slowly(at, end, bits);
    word &= lasts ^ (lasts - 1); /* up to the first of them */
    word = (word & UINT64_C(0x007F007F007F007F)) | (word & UINT64_C(0x7F007F007F007F00)) >> 1;
    word = (word & UINT64_C(0x00003FFF00003FFF)) | (word & UINT64_C(0x3FFF00003FFF0000)) >> 2;
    *bits = (word & UINT64_C(0x0FFFFFFF)) | (word & UINT64_C(0x0FFFFFFF00000000)) >> 4;
    return at + (unsigned)__builtin_ctzll(lasts) / 8 + 1;
}

/* Write a number in zigzag; where it ends. Up to 16 bytes may be written from `out` on. `last`: the place of
 * its last byte, in bits. */
static inline char *slu_avro_varint_write(char *out, uint64_t bits)
{
    if (bits < 0x80) {
        *out = (char)bits;
        return out + 1;
    }
    if (bits >> 28 == 0) {
        uint32_t half = ((uint32_t)bits & 0x3FFF) | ((uint32_t)bits & 0x0FFFC000) << 2;
        half = (half & 0x007F007F) | (half & 0x3F803F80) << 1;
        const unsigned last = (31 - (unsigned)__builtin_clz(half)) & 24;
        half |= 0x80808080 & ((UINT32_C(1) << last) - 1);
        memcpy(out, &half, sizeof(half));
        return out + last / 8 + 1;
    }
    for (; bits >> 56 != 0; bits >>= 7) /* at most twice */
        *out++ = (char)(bits | 0x80);
    uint64_t word = (bits & UINT64_C(0x0FFFFFFF)) | (bits & UINT64_C(0x00FFFFFFF0000000)) << 4;
    word = (word & UINT64_C(0x00003FFF00003FFF)) | (word & UINT64_C(0x0FFFC0000FFFC000)) << 2;
    word = (word & UINT64_C(0x007F007F007F007F)) | (word & UINT64_C(0x3F803F803F803F80)) << 1;
    const unsigned last = (63 - (unsigned)__builtin_clzll(word)) & 56;
    word |= UINT64_C(0x8080808080808080) & ((UINT64_C(1) << last) - 1);
    memcpy(out, &word, sizeof(word));
    return out + last / 8 + 1;
}

#endif
