/* bytes.h -- little-endian integers in byte arrays, at any alignment. */
#ifndef SLU_SINKS_SPOOL_BYTES_H
#define SLU_SINKS_SPOOL_BYTES_H

#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define SLU_LE16(value) (value)
#define SLU_LE32(value) (value)
#define SLU_LE64(value) (value)
#else
#define SLU_LE16(value) __builtin_bswap16(value)
#define SLU_LE32(value) __builtin_bswap32(value)
#define SLU_LE64(value) __builtin_bswap64(value)
#endif

static inline uint16_t slu_get_u16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof(value));
    return SLU_LE16(value);
}

static inline uint32_t slu_get_u32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return SLU_LE32(value);
}

static inline uint64_t slu_get_u64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return SLU_LE64(value);
}

static inline void slu_put_u16(uint8_t *at, uint16_t value)
{
    value = SLU_LE16(value);
    memcpy(at, &value, sizeof(value));
}

static inline void slu_put_u32(uint8_t *at, uint32_t value)
{
    value = SLU_LE32(value);
    memcpy(at, &value, sizeof(value));
}

static inline void slu_put_u64(uint8_t *at, uint64_t value)
{
    value = SLU_LE64(value);
    memcpy(at, &value, sizeof(value));
}

#endif
