/* binding.h -- a snapshot's names as the spool's and the counters' numbers.
 *
 * A snapshot speaks of sinks by their place in the file and of policies and schemas by name; records
 * carry the spool's bits and numbers. The binding is the table between the two, looked up once when a
 * snapshot is put in place, so that the hot path only indexes.
 *
 * Threads: made by the loader (or by the broker's thread while there is none); immutable then.
 */
#ifndef SLU_PLUGIN_BINDING_H
#define SLU_PLUGIN_BINDING_H

#include "plugin/config.h"
#include "plugin/counts.h"

#include <stdint.h>

struct slu_policy_binding {
    uint64_t sinks;           /* spool bits of `to` */
    uint64_t violation_sinks; /* spool bits of on_violation.to */
    uint16_t number;          /* of the policy */
    uint16_t schema;          /* of its schema when it has just one, else 0 */
    struct slu_policy_counts *counts;
};

struct slu_binding {
    struct slu_policy_binding *policies; /* by policy index */
    uint16_t *schemas;                   /* by place in snapshot->schemas */
    uint16_t *avro_schemas;              /* by place in snapshot->avro_schemas */
};

/* Make it for a configuration whose sinks have their spool bits (config->sinks[].bit). NULL and err:
 * no memory, or the spool has no numbers left. */
struct slu_binding *slu_binding_new(const struct slu_config *config,
                                    const struct slu_snapshot *snapshot, struct slu_spool *spool,
                                    struct slu_counts *counts, struct slu_err *err);
void slu_binding_free(struct slu_binding *binding);

/* The number of the schema that held, 0: none. */
uint16_t slu_binding_schema(const struct slu_binding *binding, const struct slu_snapshot *snapshot,
                            const struct slu_schema *schema);

/* The number of the Avro schema that read a message. */
uint16_t slu_binding_avro(const struct slu_binding *binding, const struct slu_snapshot *snapshot,
                          const struct slu_avro_schema *schema);

#endif
