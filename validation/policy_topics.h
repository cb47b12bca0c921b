/* policy_topics.h -- do the topics of all policies go together?
 *
 * Two laws over the whole set, both looked at once, at load:
 *
 *   no loop      what a policy reroutes or publishes must not be owned by a policy again: two bridged
 *                brokers would send such a message round for ever                            error
 *   one reading  two policies that own a topic should read its payload the same way          warning
 */
#ifndef SLU_VALIDATION_POLICY_TOPICS_H
#define SLU_VALIDATION_POLICY_TOPICS_H

#include "base/topic.h"
#include "validation/policy.h"

/* The compiled topics of one policy. */
struct slu_policy_topics {
    const struct slu_policy_options *options;
    const char *pointer; /* "/policies/3" */
    const struct slu_policy *policy;
    const struct slu_topic_filter *filters;
    size_t n_filters;
    const struct slu_topic_filter *excludes;
    size_t n_excludes;
};

/* Look at `n` policies (none of them off). `arena` holds what is needed meanwhile. */
void slu_policy_topics_check(const struct slu_policy_topics *topics, size_t n,
                             struct slu_arena *arena, struct slu_problems *problems);

#endif
