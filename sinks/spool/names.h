/* names.h -- what the numbers of policies and schemas in records mean.
 *
 * A number is given once and never changes while the spool is open. Numbers that this run of the
 * broker uses are "live": every new segment begins with their definitions. Others are known only as
 * long as a segment defines them.
 *
 * Threads: changes under the spool's lock; the look-ups from any thread without it.
 */
#ifndef SLU_SINKS_SPOOL_NAMES_H
#define SLU_SINKS_SPOOL_NAMES_H

#include "base/buf.h"
#include "base/slice.h"
#include "sinks/spool/segment.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLU_NAMES_MAX       65535u
#define SLU_NAMES_BUCKETS   8192u
#define SLU_NAMES_MAX_BYTES (16u << 20) /* of live definitions: each segment begins with them */

struct slu_name {
    enum slu_definition_kind kind;
    uint16_t number;
    bool live;
    struct slu_name *same_bucket;
    uint32_t type_len, text_len;
    char *type, *text; /* in this block */
    char name[];       /* terminated */
};

struct slu_names {
    _Atomic(struct slu_name *) *policies; /* by number, SLU_NAMES_MAX + 1 of them */
    _Atomic(struct slu_name *) *schemas;
    struct slu_name **buckets; /* by content, SLU_NAMES_BUCKETS of them; placeholders are in none */
    struct slu_name **live;    /* in the order they became so; owned array of borrowed names */
    size_t n_live, live_cap;
    size_t live_bytes;
    size_t next_policy, next_schema; /* where the search for a free number goes on */
};

bool slu_names_init(struct slu_names *names); /* false: no memory */
void slu_names_fini(struct slu_names *names);

/* Learn what a segment defines. The first definition of a number stays. */
void slu_names_learn(struct slu_names *names, const struct slu_definition *definition);

/* A record on disk uses this number: never give it to something else. */
void slu_names_reserve(struct slu_names *names, uint16_t policy, uint16_t schema);

/* The number of that content, given if it is new; now live. 0: no room or memory. */
uint16_t slu_names_define(struct slu_names *names, enum slu_definition_kind kind,
                          struct slu_slice name, struct slu_slice type, struct slu_slice text);

/* Keep a number alive that a recovered record uses. */
void slu_names_revive(struct slu_names *names, uint16_t policy, uint16_t schema);

/* NULL when unknown. */
const char *slu_names_policy(const struct slu_names *names, uint16_t number);
const char *slu_names_schema(const struct slu_names *names, uint16_t number);

/* The document of a schema; empty when unknown. */
struct slu_slice slu_names_schema_text(const struct slu_names *names, uint16_t number);

/* Pack the live definitions from the `from`-th on, with `seq` as the next record's. `late`: NULL, or
 * where the last late definition begins in the file (moved on), while `file_at` is where `out` itself
 * will begin in it. False when `out` has no room. */
bool slu_names_pack(const struct slu_names *names, size_t from, uint64_t seq, uint32_t seed,
                    uint32_t *late, uint64_t file_at, struct slu_buf *out);

#endif
