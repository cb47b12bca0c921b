/* segment.h -- the bytes of a segment file apart from its records: header, definitions, footer. All
 * are specified at the top of segment.c. Pure: bytes in, bytes out. */
#ifndef SLU_SINKS_SPOOL_SEGMENT_H
#define SLU_SINKS_SPOOL_SEGMENT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "sinks/spool/pack.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLU_SEGMENT_HEADER_BYTES 64u
#define SLU_SEGMENT_FOOTER_BYTES 192u
#define SLU_SEGMENT_NAME_SIZE    32u
#define SLU_SEGMENT_AHEAD        "next.seg.new" /* the one prepared ahead, not in use yet */

/* "<seq20>.seg" */
void slu_segment_name(uint64_t base_seq, char out[SLU_SEGMENT_NAME_SIZE]);
bool slu_segment_name_parse(const char *name, uint64_t *base_seq);

void slu_segment_header_write(uint8_t out[SLU_SEGMENT_HEADER_BYTES], uint64_t base_seq,
                              const uint8_t spool_id[16], int64_t now_ns);

/* 0: whole; 1: damaged; -1: newer, err is set. */
int slu_segment_header_read(const uint8_t bytes[SLU_SEGMENT_HEADER_BYTES], const char *name,
                            uint64_t base_seq, uint8_t spool_id[16], struct slu_err *err);

enum slu_definition_kind {
    SLU_DEFINE_SINK = 1, /* number: its bit */
    SLU_DEFINE_POLICY = 2,
    SLU_DEFINE_SCHEMA = 3,
    SLU_DEFINE_RUN = 4, /* nothing but the seq: what follows begins there, there is no gap before */
};

struct slu_definition {
    enum slu_definition_kind kind;
    uint64_t seq;      /* of the next record */
    uint32_t previous; /* offset of the definition before this one among the late ones; 0: none */
    uint16_t number;
    struct slu_slice name;
    struct slu_slice type;
    struct slu_slice text;
};

/* Append its frame; false when it does not fit `out` or is larger than a record may be. */
bool slu_definition_pack(struct slu_buf *out, const struct slu_definition *definition,
                         uint32_t seed);

/* From a frame that was checked; slices are borrowed. False when it makes no sense. */
bool slu_definition_unpack(const uint8_t *at, size_t size, struct slu_definition *definition);

struct slu_footer {
    uint64_t base_seq;
    uint64_t last_seq; /* base_seq - 1: no record */
    uint64_t records;
    int64_t first_time_ns, last_time_ns;
    uint32_t late_definition; /* offset of the last late one; 0: none */
    uint32_t counts[SLU_SINKS_MAX];
};

void slu_footer_write(uint8_t out[SLU_SEGMENT_FOOTER_BYTES], const struct slu_footer *footer,
                      uint32_t seed);
/* False unless these bytes are a whole footer of the segment that begins at `base_seq`. */
bool slu_footer_read(const uint8_t bytes[SLU_SEGMENT_FOOTER_BYTES], uint64_t base_seq,
                     uint32_t seed, struct slu_footer *footer);

#endif
