/* recovery.h -- the inside of a recovery; see recovery.c. */
#ifndef SLU_SINKS_SPOOL_RECOVERY_H
#define SLU_SINKS_SPOOL_RECOVERY_H

#include "sinks/spool/look.h"

struct slu_recovery {
    struct slu_spool *spool;
    struct slu_look look;
    struct slu_look_files files;
    struct slu_scan scan;
    bool renew; /* the identity is not ours any more */
    bool had_identity;
    uint64_t passed[SLU_SINKS_MAX]; /* of the segment being walked */
    unsigned n_aside;
};

/* Read the cursors there are. 0, or -1 and err. */
int slu_recovery_cursors(struct slu_recovery *recovery, struct slu_err *err);

/* When the segments are known: sinks without a cursor get one, forgotten ones that nobody uses go. */
int slu_recovery_sinks(struct slu_recovery *recovery, struct slu_err *err);

/* Step 4: append and sync every valid record of the ring that the segments do not have. */
int slu_recovery_ring(struct slu_recovery *recovery, struct slu_err *err);

#endif
