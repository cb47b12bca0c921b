/* view.h -- the inside of a view; see view.c. */
#ifndef SLU_SINKS_SPOOL_VIEW_H
#define SLU_SINKS_SPOOL_VIEW_H

#include "sinks/spool/look.h"

struct slu_spool_view {
    int dir;
    struct slu_look look;
    struct slu_look_files files;
    struct slu_identity identity;
    struct slu_names names;
    struct slu_scan scan;
    uint8_t *ring; /* as it was before `files` were listed; NULL: none */
    uint8_t ring_id[16];
    bool has_ring_id; /* its header is whole; else it is taken to be the spool's own */
    /* Where slu_spool_view_next is. */
    size_t next_segment;
    int fd;
    uint64_t last_seq;
    bool in_ring;
    struct slu_ring_record *ring_records;
    size_t n_ring_records, next_ring_record;
};

/* Forget where slu_spool_view_next() was. */
void slu_view_end(struct slu_spool_view *view);

/* Records of the `index`-th segment have a seq below this. */
static inline uint64_t slu_view_limit(const struct slu_spool_view *view, size_t index)
{
    return index + 1 < view->files.n_segments ? view->files.segments[index + 1] : SLU_SEQ_MAX;
}

#endif
