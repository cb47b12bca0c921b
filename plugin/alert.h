/* alert.h -- a verdict as the JSON record that tells of it (schemas/alert.schema.json). Pure: it
 * publishes nothing. */
#ifndef SLU_PLUGIN_ALERT_H
#define SLU_PLUGIN_ALERT_H

#include "base/buf.h"
#include "base/uuid.h"
#include "validation/judge.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLU_ALERT_ORIGINAL_MAX (64u << 10) /* bytes of the original in a published alert */

/* The alert of a violation. `id`: the same for every copy of it. `original_max`: cut the original
 * payload there (truncated: true). Each function returns false when `out` failed. */
bool slu_alert_violation(struct slu_buf *out, struct slu_uuid id,
                         const struct slu_snapshot *snapshot, const struct slu_finding *finding,
                         const struct slu_message *message, bool enforced, size_t original_max);

/* The summary of what a rate limit held back. */
bool slu_alert_summary(struct slu_buf *out, const struct slu_snapshot *snapshot, const char *policy,
                       uint64_t suppressed, int64_t now_ns);

/* Something about Sluice itself: the spool fills, a sink paused. `code` and `message` make the one
 * violation entry. */
bool slu_alert_system(struct slu_buf *out, const struct slu_snapshot *snapshot, const char *code,
                      const char *message, int64_t now_ns);

#endif
