/* identity.h -- who this spool is, and which sequence numbers are taken. Layout in identity.c.
 *
 * Threads: load and the first reserve belong to open; after that reserve is the writer's, the list of
 * identities may be read by any thread.
 */
#ifndef SLU_SINKS_SPOOL_IDENTITY_H
#define SLU_SINKS_SPOOL_IDENTITY_H

#include "base/err.h"
#include "sinks/spool/slots.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SLU_IDENTITIES_MAX 16
#define SLU_RESERVE_BLOCK  (UINT64_C(1) << 20) /* sequence numbers reserved at once */

struct slu_identity_span {
    uint64_t first_seq; /* records from here on, up to the next span, have this id */
    uint8_t id[16];
};

struct slu_identity {
    struct slu_slots slots;
    uint64_t next_seq; /* clean: the exact next one; else the first that is not reserved */
    bool clean;
    uint8_t place[8]; /* hash of machine-id and path */
    _Atomic uint32_t n_spans;
    struct slu_identity_span spans[SLU_IDENTITIES_MAX]; /* ascending; the last one is current */
};

/* Hash of /etc/machine-id and the folder's real path. */
void slu_identity_place(const char *data_dir, uint8_t place[8]);

/* Read `id`: as slu_slots_load(). */
enum slu_slots_found slu_identity_load(struct slu_identity *identity, const struct slu_disk *disk,
                                       int dir, bool foreign, struct slu_err *err);

/* A new random id for the records from `first_seq` on. A span of the same begin is replaced; the
 * oldest gives way when there are too many. Written by the next store. */
void slu_identity_renew(struct slu_identity *identity, uint64_t first_seq);

/* Forget spans that end before `oldest_seq`. */
void slu_identity_prune(struct slu_identity *identity, uint64_t oldest_seq);

/* Write and sync: `next_seq` is the first unreserved number, or the exact next one when `clean`. */
int slu_identity_store(struct slu_identity *identity, uint64_t next_seq, bool clean,
                       struct slu_err *err);

/* The id of record `seq`; the current one for 0 and for what is to come. Borrowed. */
const uint8_t *slu_identity_of(const struct slu_identity *identity, uint64_t seq);
const uint8_t *slu_identity_current(const struct slu_identity *identity);

#endif
