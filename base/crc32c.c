/* crc32c.c -- see crc32c.h for which sum it is.
 *
 * The register holds the complement of the sum, bits reflected, as the processors' instructions do.
 * Three forms:
 *
 *   portable   slicing by eight: eight tables tell what each of eight bytes does to the register
 *              after the bytes behind it have passed
 *   hardware   one instruction for eight bytes; it takes three cycles, so records of a few hundred
 *              bytes (the usual case) are bound by it and not by what stands around it
 *   three streams at once, from LONG_BYTES on, hide those cycles:
 *
 *              │ STREAM_BYTES │ STREAM_BYTES │ STREAM_BYTES │
 *                    a              b              c           each from register 0, but a
 *
 *              The register is linear over GF(2): running a over the zeros that stand for b, then
 *              adding b, continues the sum. A table by byte makes that run four look-ups.
 *
 * Threads: the tables and the choice are made before main() or dlopen() returns and only read then.
 */
#include "base/crc32c.h"

#include <string.h>

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

#define POLYNOMIAL   UINT32_C(0x82F63B78) /* reflected */
#define STREAM_BYTES 512u
#define LONG_BYTES   (3 * STREAM_BYTES)

/* slices[k][b]: the register after byte b and k zero bytes, starting from 0. */
static uint32_t slices[8][256];

/* over_stream[k][b]: the register b << 8k after STREAM_BYTES zero bytes. */
static uint32_t over_stream[4][256];

static int has_hardware;

int slu_crc32c_has_hardware(void)
{
    return has_hardware;
}

static inline uint32_t step_byte(uint32_t sum, unsigned char byte)
{
    return sum >> 8 ^ slices[0][(sum ^ byte) & 0xFF];
}

/* Little endian whatever the machine is; compilers make one load of it. */
static inline uint32_t read_le32(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

uint32_t slu_crc32c_portable(uint32_t crc, const void *bytes, size_t n)
{
    const unsigned char *at = bytes;
    uint32_t sum = ~crc;

    for (; n >= 8; n -= 8, at += 8) {
        const uint32_t low = sum ^ read_le32(at);
        const uint32_t high = read_le32(at + 4);
        sum = slices[7][low & 0xFF] ^ slices[6][low >> 8 & 0xFF] ^ slices[5][low >> 16 & 0xFF] ^
              slices[4][low >> 24] ^ slices[3][high & 0xFF] ^ slices[2][high >> 8 & 0xFF] ^
              slices[1][high >> 16 & 0xFF] ^ slices[0][high >> 24];
    }
    for (; n > 0; n--)
        sum = step_byte(sum, *at++);
    return ~sum;
}

#if defined(__x86_64__) || defined(__aarch64__)

/* The register is kept in 64 bits, as the x86 instruction wants it; its upper half stays zero. */
#if defined(__x86_64__)
#define HARDWARE __attribute__((target("sse4.2")))

HARDWARE static inline uint64_t step8(uint64_t sum, uint64_t word)
{
    return __builtin_ia32_crc32di(sum, word);
}
HARDWARE static inline uint64_t step4(uint64_t sum, uint32_t word)
{
    return __builtin_ia32_crc32si((uint32_t)sum, word);
}
HARDWARE static inline uint64_t step2(uint64_t sum, uint16_t word)
{
    return __builtin_ia32_crc32hi((uint32_t)sum, word);
}
HARDWARE static inline uint64_t step1(uint64_t sum, uint8_t word)
{
    return __builtin_ia32_crc32qi((uint32_t)sum, word);
}

static int ask_processor(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.2") != 0;
}

#else
#define HARDWARE

/* As assembly, because compilers differ in how a single function is allowed the instruction. Words
 * are loaded little endian: this port of the architecture is. */
#define ARM_STEP(name, type, instruction, operand)                          \
    static inline uint64_t name(uint64_t sum, type word)                    \
    {                                                                       \
        uint32_t next;                                                      \
        __asm__(".arch_extension crc\n\t" instruction " %w0, %w1, " operand \
                : "=r"(next)                                                \
                : "r"((uint32_t)sum), "r"(word));                           \
        return next;                                                        \
    }
ARM_STEP(step8, uint64_t, "crc32cx", "%x2")
ARM_STEP(step4, uint32_t, "crc32cw", "%w2")
ARM_STEP(step2, uint16_t, "crc32ch", "%w2")
ARM_STEP(step1, uint8_t, "crc32cb", "%w2")

static int ask_processor(void)
{
    const unsigned long crc32_bit = 1ul << 7; /* HWCAP_CRC32 */
    const int little_endian = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

    return little_endian && (getauxval(AT_HWCAP) & crc32_bit) != 0;
}
#endif

#define LOAD(type)                                          \
    static inline type load_##type(const unsigned char *at) \
    {                                                       \
        type word;                                          \
        memcpy(&word, at, sizeof(word));                    \
        return word;                                        \
    }
LOAD(uint64_t)
LOAD(uint32_t)
LOAD(uint16_t)

static inline uint32_t run_over_stream(uint64_t sum)
{
    return over_stream[0][sum & 0xFF] ^ over_stream[1][sum >> 8 & 0xFF] ^
           over_stream[2][sum >> 16 & 0xFF] ^ over_stream[3][sum >> 24 & 0xFF];
}

/* The next LONG_BYTES. */
HARDWARE static uint64_t three_streams(uint64_t a, const unsigned char *at)
{
    uint64_t b = 0;
    uint64_t c = 0;
    for (size_t i = 0; i < STREAM_BYTES; i += 8) {
        a = step8(a, load_uint64_t(at + i));
        b = step8(b, load_uint64_t(at + STREAM_BYTES + i));
        c = step8(c, load_uint64_t(at + 2 * STREAM_BYTES + i));
    }
    return run_over_stream(run_over_stream(a) ^ b) ^ c;
}

HARDWARE uint32_t slu_crc32c_hardware(uint32_t crc, const void *bytes, size_t n)
{
    const unsigned char *at = bytes;
    uint64_t sum = ~crc;

    for (; __builtin_expect(n >= LONG_BYTES, 0); n -= LONG_BYTES, at += LONG_BYTES)
        sum = three_streams(sum, at);
    for (; n >= 32; n -= 32, at += 32) {
        sum = step8(sum, load_uint64_t(at));
        sum = step8(sum, load_uint64_t(at + 8));
        sum = step8(sum, load_uint64_t(at + 16));
        sum = step8(sum, load_uint64_t(at + 24));
    }
    for (; n >= 8; n -= 8, at += 8)
        sum = step8(sum, load_uint64_t(at));
    if ((n & 4) != 0) {
        sum = step4(sum, load_uint32_t(at));
        at += 4;
    }
    if ((n & 2) != 0) {
        sum = step2(sum, load_uint16_t(at));
        at += 2;
    }
    if ((n & 1) != 0)
        sum = step1(sum, *at);
    return ~(uint32_t)sum;
}

#else

static int ask_processor(void)
{
    return 0;
}

uint32_t slu_crc32c_hardware(uint32_t crc, const void *bytes, size_t n)
{
    return slu_crc32c_portable(crc, bytes, n);
}

#endif

static void make_slices(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t sum = byte;
        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (POLYNOMIAL & (0 - (sum & 1)));
        slices[0][byte] = sum;
    }
    for (unsigned slice = 1; slice < 8; slice++) {
        for (unsigned byte = 0; byte < 256; byte++)
            slices[slice][byte] = step_byte(slices[slice - 1][byte], 0);
    }
}

/* What each single bit becomes; every other value is a sum of bits. */
static void make_over_stream(void)
{
    for (unsigned bit = 0; bit < 32; bit++) {
        uint32_t sum = UINT32_C(1) << bit;
        for (unsigned i = 0; i < STREAM_BYTES; i++)
            sum = step_byte(sum, 0);
        over_stream[bit / 8][1u << bit % 8] = sum;
    }
    for (unsigned slice = 0; slice < 4; slice++) {
        for (unsigned byte = 1; byte < 256; byte++) {
            const unsigned without_lowest = byte & (byte - 1);
            const unsigned lowest = byte ^ without_lowest;
            over_stream[slice][byte] =
                over_stream[slice][without_lowest] ^ over_stream[slice][lowest];
        }
    }
}

__attribute__((constructor)) static void prepare(void)
{
    make_slices();
    make_over_stream();
    has_hardware = ask_processor();
}

uint32_t slu_crc32c(uint32_t crc, const void *bytes, size_t n)
{
    return __builtin_expect(has_hardware, 1) ? slu_crc32c_hardware(crc, bytes, n)
                                             : slu_crc32c_portable(crc, bytes, n);
}
