/* crc32c.h -- CRC-32C (Castagnoli, RFC 3720 appendix B.4): the processor's instruction where it
 * has one (SSE 4.2, ARMv8 CRC; asked at run time), else a portable table form. Both give the same
 * sum. */
#ifndef SLU_BASE_CRC32C_H
#define SLU_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The CRC of `n` bytes, continuing from `crc` (0 to start). */
uint32_t slu_crc32c(uint32_t crc, const void *bytes, size_t n);

/* The two forms by themselves, for the test that compares them. The hardware form exists on every
 * machine but must only be called when slu_crc32c_has_hardware() is non-zero. */
uint32_t slu_crc32c_portable(uint32_t crc, const void *bytes, size_t n);
uint32_t slu_crc32c_hardware(uint32_t crc, const void *bytes, size_t n);
int slu_crc32c_has_hardware(void);

#endif
