/* reader.h -- the inside of a reader: its walk through the segments, and the marks of what it has read
 * but not committed. See reader.c, walk.c, marks.c. */
#ifndef SLU_SINKS_SPOOL_READER_H
#define SLU_SINKS_SPOOL_READER_H

#include "sinks/spool/inside.h"

/* A place in the segments and the means to go on from it. */
struct slu_walk {
    struct slu_scan scan;
    int fd;
    uint64_t segment; /* base of the open one; 0: none */
    uint32_t generation;
    uint64_t own_last; /* seq of the last record of the sink that was passed */
    bool at_end;       /* of the segment, which is sealed and has been told to the marks */
};

struct slu_mark {
    uint64_t seq;
    uint64_t segment;
    int64_t time_ns;
    uint32_t offset; /* behind the record */
    uint32_t passed; /* is_end: records of the sink that the segment has up to here */
    bool is_end;     /* no record, but: the end of what can be read of the segment */
};

struct slu_spool_reader {
    struct slu_spool *spool;
    struct slu_spool_sink *sink;
    uint32_t bit;
    struct slu_walk walk;
    struct slu_mark *marks; /* a ring of marks_cap */
    size_t first_mark, n_marks, marks_cap;
    struct slu_position marked; /* all records up to here have a mark or are committed */
    bool marks_behind;          /* the walk is beyond what could be marked */
    uint64_t exhausted;         /* everything readable up to here has been looked at */
    unsigned failures;
    bool woken; /* under the lock */
    int64_t cursor_synced_ns;
    struct slu_log_rate cursor_rate;
};

/* ---- walk.c ----------------------------------------------------------------------------------------- */

void slu_walk_init(struct slu_walk *walk, const struct slu_disk *disk);
void slu_walk_fini(struct slu_walk *walk);

/* Open `segment` at `offset`. 0; 1: the file is gone; -1: err. */
int slu_walk_open(struct slu_spool *spool, struct slu_walk *walk, const struct slu_segment *segment,
                  uint64_t offset, uint64_t last_seq, struct slu_err *err);

/* Where to begin to find all records with seq > `after`; false: no segment holds any. Lock held. */
bool slu_walk_start(struct slu_spool_reader *reader, uint64_t after, struct slu_segment *segment,
                    uint64_t *offset, uint64_t *last_seq);

/* Bring the reader's walk to a place from which all records behind `after` come. 1, 0: nothing there, -1. */
int slu_walk_to(struct slu_spool_reader *reader, uint64_t after, struct slu_err *err);

/* The next record of this sink; SLU_SCAN_END: none readable; LATER; ERROR. `leads`: what is passed gets a
 * mark. `in_buffer`: only what is in memory already. */
enum slu_scan_kind slu_walk_next(struct slu_spool_reader *reader, struct slu_walk *walk, bool leads,
                                 bool in_buffer, struct slu_scan_item *item, struct slu_err *err);

/* ---- marks.c ---------------------------------------------------------------------------------------- */

/* A record of ours was passed by the walk that leads. */
void slu_marks_record(struct slu_spool_reader *reader, uint64_t segment,
                      const struct slu_scan_item *item);

/* The walk that leads has seen all that can be read of this segment. Lock held. */
void slu_marks_end(struct slu_spool_reader *reader, const struct slu_segment *segment);

/* Pass all marks up to `seq`; returns how many records that were. Lock held. */
uint64_t slu_marks_pass(struct slu_spool_reader *reader, uint64_t seq);

#endif
