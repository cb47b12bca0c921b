/* registry_ids.h -- the id of one schema under the subjects of many Kafka topics: what stands before a value.
 *
 *   topic plant.a ──▶ subject plant.a-value ──▶ memory, cache on disk, registry ──▶ 7
 *
 * Asked once a topic; the answer stays. SLU_REGISTRY_IDS_KEPT topics are kept in memory, what is more takes
 * turns and comes from the cache on disk.
 *
 * Threads: belongs to one thread, a sink's.
 */
#ifndef SLU_SINKS_REGISTRY_IDS_H
#define SLU_SINKS_REGISTRY_IDS_H

#include "base/node.h"
#include "sinks/registry.h"

#define SLU_REGISTRY_IDS_KEPT 1024

struct slu_registry_ids;

/* The options of a sink's section that got them from the configuration's loader: the members of the
 * configuration's `registry`, with absolute paths, and `cache`. Texts are borrowed from the node. */
void slu_registry_options_of(const struct slu_node *registry, struct slu_registry_options *options);

/* `options` and `text` are copied. NULL and err: see slu_registry_new(). */
struct slu_registry_ids *slu_registry_ids_new(const struct slu_registry_options *options,
                                              enum slu_registry_type type, struct slu_slice text,
                                              struct slu_err *err);
void slu_registry_ids_free(struct slu_registry_ids *ids);

/* The id for values of `topic`, when it is in memory; -1: it must be asked for. */
int64_t slu_registry_ids_known(const struct slu_registry_ids *ids, const char *topic);

/* The id for values of `topic`. 0, or -1 and err as registry.h has them; until then they cannot be sent.
 * Waits for the network until the deadline at most, and only the first time a topic is seen. */
int slu_registry_ids_find(struct slu_registry_ids *ids, const char *topic, int64_t deadline_mono_ns,
                          int64_t *id, struct slu_err *err);

/* May the schema follow what the topic's subject has? For who may register it: see slu_registry_compatible(). */
int slu_registry_ids_compatible(struct slu_registry_ids *ids, const char *topic,
                                int64_t deadline_mono_ns, bool *compatible, char *why,
                                size_t why_size, struct slu_err *err);

/* The same, but nothing is registered by it: for a look. */
void slu_registry_ids_only_look(struct slu_registry_ids *ids);

/* Has somebody to act for this error (a password, a schema that is refused, one that is not there and may
 * not be registered)? Else it may pass by itself. */
bool slu_registry_wants_action(enum slu_err_kind kind);

#endif
