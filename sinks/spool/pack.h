/* pack.h -- a record as bytes and back. The bytes are specified at the top of segment.c. */
#ifndef SLU_SINKS_SPOOL_PACK_H
#define SLU_SINKS_SPOOL_PACK_H

#include "sinks/spool/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLU_PACK_FRAME_BYTES  16u /* crc, word, seq: what every framed thing begins with */
#define SLU_PACK_RECORD_BYTES 40u /* of a record before event time and texts */

#define SLU_SEQ_MAX ((UINT64_C(1) << 55) - 1)

/* No gap between two records is larger: a start after a crash skips two blocks of 2^20 at most. What
 * looks like a frame with a seq beyond is none, and its CRC need not be computed. */
#define SLU_SEQ_GAP (UINT64_C(1) << 40)

/* The tag in the top bits of the word. 0 is never one: zeros are no frame. */
enum slu_tag {
    SLU_TAG_RECORD = 5,
    SLU_TAG_DEFINITION = 6,
    SLU_TAG_FOOTER = 3,
};

/* The CRC that every frame of a spool starts from. */
uint32_t slu_pack_seed(const uint8_t spool_id[16]);

/* Bytes the record will take, or 0 when it cannot be stored: a text of more than 65,535 bytes, or more
 * than SLU_RECORD_MAX_BYTES in all. Properties beyond 65,535 bytes are cut at a whole one first. */
size_t slu_pack_size(struct slu_record *record);

/* Write the record, `size` bytes as slu_pack_size() said, for these sinks. */
void slu_pack_record(uint8_t *at, const struct slu_record *record, uint32_t sinks, size_t size,
                     uint32_t seed);

/* A frame's parts, without any check. */
static inline uint32_t slu_frame_bytes(uint32_t word)
{
    return word & 0x3FFFFFu;
}

static inline unsigned slu_frame_tag(uint32_t word)
{
    return word >> 29;
}

/* What is framed at `at`? Returns its size in bytes when a whole frame with a right CRC lies within
 * `n` bytes, else 0. `*seq` is its number. */
size_t slu_frame_check(const uint8_t *at, size_t n, uint32_t seed, unsigned *tag, uint64_t *seq);

/* Finish a frame of `size` bytes whose body is written: tag, seq, `extra` (9 bits), CRC. */
void slu_frame_finish(uint8_t *at, size_t size, enum slu_tag tag, uint64_t seq, unsigned extra,
                      uint32_t seed);

/* Compute its CRC anew, from another seed. */
void slu_frame_reseed(uint8_t *at, uint32_t seed);

/* Unpack a record frame that was checked; slices are borrowed from `at`. False when its inside makes
 * no sense. */
bool slu_unpack_record(const uint8_t *at, size_t size, struct slu_record *record);

/* The same for the few fields that the writer needs of each record. */
uint32_t slu_unpack_sinks(const uint8_t *at);
int64_t slu_unpack_time(const uint8_t *at);
uint64_t slu_unpack_seq(const uint8_t *at);

#endif
