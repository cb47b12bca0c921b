/* uuid.h -- RFC 9562 UUIDs: random ones for alerts, and the id of a record, which says which spool
 * made it and in which place. */
#ifndef SLU_BASE_UUID_H
#define SLU_BASE_UUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLU_UUID_TEXT_SIZE 37 /* 36 characters and a NUL */

struct slu_uuid {
    uint8_t bytes[16]; /* network order */
};

/* Version 4 from the system's random source (cheap: a per-thread generator seeded from it). */
struct slu_uuid slu_uuid_random(void);

/* The id of record `seq` of spool `spool_id` (UUIDv8, RFC 9562 §5.8):
 *
 *   bytes 0–7   spool_id's first 8 bytes, version nibble 8 in byte 6
 *   bytes 8–15  variant 10, then the low 62 bits of seq, big endian
 */
struct slu_uuid slu_uuid_of_record(const uint8_t spool_id[16], uint64_t seq);

/* Lower case, dashed, terminated. Returns `out`. */
const char *slu_uuid_format(struct slu_uuid uuid, char out[SLU_UUID_TEXT_SIZE]);

/* The same in any case of letters, and nothing else. False: it is none. */
bool slu_uuid_parse(const char *text, size_t len, struct slu_uuid *uuid);

#endif
