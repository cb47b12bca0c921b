/* scan.h -- walks the frames of a segment file, finds its way again behind damage.
 *
 *   recovery (newest segment), readers (from a position), view and verify (everything)
 *
 * Reads ahead into one buffer with pread. Items are borrowed until the next call that may read.
 */
#ifndef SLU_SINKS_SPOOL_SCAN_H
#define SLU_SINKS_SPOOL_SCAN_H

#include "base/err.h"
#include "sinks/spool/disk.h"
#include "sinks/spool/pack.h"
#include "sinks/spool/segment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slu_scan {
    const struct slu_disk *disk;
    int fd; /* of the segment, the caller's */
    uint32_t seed;
    uint64_t at;        /* next frame */
    uint64_t end;       /* look at no byte from here on */
    uint64_t last_seq;  /* of the last record; what comes must be higher */
    uint64_t limit_seq; /* what comes must be lower */
    bool patch_holes;   /* unreadable pages count as damage instead of an error */
    uint8_t *buffer;    /* owned; file bytes from `buffer_at` */
    size_t capacity;
    uint64_t buffer_at;
    size_t buffered;
};

enum slu_scan_kind {
    SLU_SCAN_ERROR = -1, /* err is set; asking again tries again */
    SLU_SCAN_END = 0,    /* nothing valid from here to `end`; `offset` and `bytes` are what is left,
                            `dirty_end` is behind its last byte that is not zero */
    SLU_SCAN_RECORD,
    SLU_SCAN_DEFINITION,
    SLU_SCAN_FOOTER,
    SLU_SCAN_DAMAGE, /* `bytes` at `offset` make no sense, but something valid follows */
    SLU_SCAN_LATER,  /* the buffer would have to be refilled, and the caller said not now */
};

struct slu_scan_item {
    enum slu_scan_kind kind;
    uint64_t offset;
    uint64_t bytes;
    uint64_t dirty_end;               /* END: see there */
    uint64_t lost;                    /* DAMAGE: how many records that was, at most */
    struct slu_record record;         /* RECORD */
    struct slu_definition definition; /* DEFINITION */
    const uint8_t *frame;             /* RECORD, DEFINITION, FOOTER */
};

/* `capacity`: bytes read at once; grows to the largest frame when it must. */
void slu_scan_init(struct slu_scan *scan, const struct slu_disk *disk, size_t capacity);
void slu_scan_fini(struct slu_scan *scan);

/* Begin with another file, or elsewhere. */
void slu_scan_begin(struct slu_scan *scan, int fd, uint32_t seed, uint64_t at, uint64_t end,
                    uint64_t last_seq, uint64_t limit_seq);

/* The next item. With `in_buffer` set nothing is read: SLU_SCAN_LATER instead. */
enum slu_scan_kind slu_scan_next(struct slu_scan *scan, struct slu_scan_item *item, bool in_buffer,
                                 struct slu_err *err);

#endif
