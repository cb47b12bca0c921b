/* look.h -- reading a spool's files without knowing anything yet: for recovery and for the view from
 * outside. Changes nothing. */
#ifndef SLU_SINKS_SPOOL_LOOK_H
#define SLU_SINKS_SPOOL_LOOK_H

#include "sinks/spool/inside.h"

struct slu_look {
    const struct slu_disk *disk;
    int dir;
    bool foreign;                  /* any owner, read only */
    struct slu_identity *identity; /* its ids are tried where a header is damaged */
    struct slu_names *names;       /* learns */
    char sink_names[SLU_SINKS_MAX]
                   [SLU_SINK_NAME_MAX + 1]; /* by bit, from definitions; "" unknown */
    char sink_types[SLU_SINKS_MAX][16];
};

/* The files of a spool folder. */
struct slu_look_files {
    uint64_t *segments; /* bases, ascending; owned */
    size_t n_segments;
    char (*cursors)[SLU_SINK_NAME_MAX + 1]; /* sinks' names; owned */
    size_t n_cursors;
    char (*leftovers)[80]; /* "*.new"; owned */
    size_t n_leftovers;
};
int slu_look_files(struct slu_look *look, struct slu_look_files *files, struct slu_err *err);
void slu_look_files_fini(struct slu_look_files *files);

enum slu_look_found {
    SLU_LOOK_FAILED = -1, /* err: cannot be read, or newer */
    SLU_LOOK_GOOD = 0,
    SLU_LOOK_GONE = 1,    /* no such file (any more) */
    SLU_LOOK_NOTHING = 2, /* not one valid frame, nor a header */
};

/* Open a segment and fill in what header and footer say: id, size, and when sealed counts, times, end.
 * `*header_damaged` when its id had to be guessed. */
enum slu_look_found slu_look_segment(struct slu_look *look, uint64_t base_seq, int *fd,
                                     struct slu_segment *segment, bool *header_damaged,
                                     struct slu_err *err);

/* Learn one definition. */
void slu_look_learn(struct slu_look *look, const struct slu_definition *definition);

/* Learn what a sealed segment defines, without walking its records. */
void slu_look_definitions(struct slu_look *look, int fd, const struct slu_segment *segment,
                          struct slu_scan *scan);

#endif
