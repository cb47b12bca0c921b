/* policies.h -- what a sink must know of the policies: which part of a topic a {level} is,
 * and which field is the timestamp.
 *
 * The section holds them under `policies`, in the configuration's own words; the loader of the
 * configuration puts them there (users write no such key). So the sink owns its copy and never looks
 * at the snapshot of the broker's thread.
 *
 *   policies: [{id: ovens, topics: ["plant/{site}/oven/{oven}/temperature"], timestamp: {field: /ts}}]
 *
 * Threads: never change once they are read.
 */
#ifndef SLU_SINKS_POLICIES_H
#define SLU_SINKS_POLICIES_H

#include "base/arena.h"
#include "base/err.h"
#include "base/node.h"
#include "base/topic.h"

struct slu_sink_policy {
    const char *id;
    const struct slu_topic_filter
        *filters; /* in the order of the file: the first that matches counts */
    size_t n_filters;
    struct slu_slice timestamp; /* JSON Pointer of the timestamp; empty: none */
};

struct slu_sink_policies {
    const struct slu_sink_policy *items;
    size_t n;
};

/* Returns 0, or -1 and err (a filter that is none, no memory). An absent list is empty. */
int slu_sink_policies_read(const struct slu_node *section, struct slu_arena *arena,
                           struct slu_sink_policies *policies, struct slu_err *err);

/* NULL: no such policy (any more). */
const struct slu_sink_policy *slu_sink_policies_find(const struct slu_sink_policies *policies,
                                                     const char *id);

/* The first filter of the policy that matches the topic. NULL: the policy does not own it (any more).
 * `policy` may be NULL. */
const struct slu_topic_filter *slu_sink_policy_filter(const struct slu_sink_policy *policy,
                                                      struct slu_slice topic);

/* The part of `topic` that {name} stands for. False when the policy has no such level, or does not own
 * the topic (any more). `policy` may be NULL. */
bool slu_sink_policy_level(const struct slu_sink_policy *policy, struct slu_slice topic,
                           struct slu_slice name, struct slu_slice *value);

#endif
