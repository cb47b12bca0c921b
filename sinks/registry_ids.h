/* registry_ids.h -- the id of one schema under the subjects of many Kafka topics: what stands before a value.
 *
 *   topic plant.a ──▶ subject plant.a-value ──▶ memory, cache on disk, registry ──▶ 7
 *
 *   00 00 00 00 07  value                       the frame: 00, the id in big endian
 *
 * Asked once a topic; the answer stays. SLU_REGISTRY_IDS_KEPT topics are kept in memory, what is more takes
 * turns and comes from the cache on disk.
 *
 * Threads: belongs to one thread, a sink's.
 */
#ifndef SLU_SINKS_REGISTRY_IDS_H
#define SLU_SINKS_REGISTRY_IDS_H

#include "sinks/registry.h"

#define SLU_REGISTRY_IDS_KEPT   1024
#define SLU_REGISTRY_FRAME_SIZE 5

struct slu_registry_ids;

/* `options` and `text` are copied. NULL and err: see slu_registry_new(). */
struct slu_registry_ids *slu_registry_ids_new(const struct slu_registry_options *options,
                                              enum slu_registry_type type, struct slu_slice text,
                                              struct slu_err *err);
void slu_registry_ids_free(struct slu_registry_ids *ids);

/* The frame of a value for `topic`. 0, or -1 and err as registry.h has them; until then the value cannot be
 * sent. Waits for the network until the deadline at most, and only the first time a topic is seen. */
int slu_registry_ids_frame(struct slu_registry_ids *ids, const char *topic,
                           int64_t deadline_mono_ns, char frame[SLU_REGISTRY_FRAME_SIZE],
                           struct slu_err *err);

/* Has somebody to act for this error (a password, a schema that is refused, one that is not there and may
 * not be registered)? Else it may pass by itself. */
bool slu_registry_wants_action(enum slu_err_kind kind);

#endif
