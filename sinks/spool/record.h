/* record.h -- one accepted message (or violation) as the spool keeps it, unpacked: a borrowed view.
 *
 * The bytes are specified at the top of segment.c. Names that repeat (policy, schema, sinks) are
 * stored once as definitions and referred to by number; slu_spool_names (spool.h) resolves them.
 */
#ifndef SLU_SINKS_SPOOL_RECORD_H
#define SLU_SINKS_SPOOL_RECORD_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum slu_record_kind {
    SLU_RECORD_MESSAGE = 1,
    SLU_RECORD_VIOLATION = 2, /* payload is the alert record */
    SLU_RECORD_ALARM = 3,     /* likewise */
};

/* How the payload bytes are to be read; the numbers are on disk and never change. */
enum slu_record_format {
    SLU_RECORD_JSON = 1,
    SLU_RECORD_NUMBER = 2,
    SLU_RECORD_BOOLEAN = 3,
    SLU_RECORD_STRING = 4,
    SLU_RECORD_BYTES = 5,
    SLU_RECORD_AVRO = 6,
    SLU_RECORD_CSV = 7,
};

/* A record (all its bytes) may not be larger: at most half of the ring, so that it always fits an
 * empty one, wherever that one's head is. */
#define SLU_RECORD_MAX_BYTES ((4u << 20) - 4096u)

#define SLU_SINKS_MAX 32 /* sinks of one spool, orphaned ones included: bits of a u32 on disk */

struct slu_record {
    uint64_t seq;     /* given by the append; never reused, starts at 1 */
    int64_t time_ns;  /* arrival, wall clock */
    int64_t event_ns; /* event time; equals time_ns without `timestamp` */
    uint64_t sinks;   /* bit i: goes to sink i (< SLU_SINKS_MAX) */
    uint16_t policy;  /* definition number */
    uint16_t schema;  /* definition number; 0: none */
    uint8_t kind;     /* enum slu_record_kind */
    uint8_t format;   /* enum slu_record_format */
    uint8_t framing;  /* avro: enum of its room; else 0 */
    uint8_t quality;  /* 192, 64, 0 */
    uint8_t qos;
    bool retain;
    struct slu_slice topic;
    struct slu_slice client_id;
    struct slu_slice username;
    struct slu_slice properties; /* packed as in base/properties.h */
    struct slu_slice payload;
};

#endif
