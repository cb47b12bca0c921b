/* policies.c -- see policies.h. */
#include "sinks/policies.h"

#include <string.h>

/* A filter that does not compile is the configuration's error, told by its own room. */
static int read_policy(const struct slu_node *node, struct slu_arena *arena,
                       struct slu_sink_policy *policy, struct slu_err *err)
{
    const struct slu_node *topics = slu_node_get(node, "topics");
    const size_t n = topics != NULL && topics->kind == SLU_NODE_LIST ? topics->n : 0;
    const struct slu_node *field = slu_node_get(slu_node_get(node, "timestamp"), "field");
    struct slu_topic_filter *filters = slu_arena_array(arena, n + 1, sizeof(filters[0]));

    policy->id = slu_arena_copy(arena, slu_slice_of(slu_node_text(slu_node_get(node, "id"), "")));
    const char *timestamp = slu_arena_copy(arena, slu_slice_of(slu_node_text(field, "")));
    if (filters == NULL || policy->id == NULL || timestamp == NULL)
        return slu_err_set(err, SLU_ENOMEM, "no memory for the policies' topics");
    for (size_t i = 0; i < n; i++) {
        const char *text = slu_arena_copy(arena, slu_slice_of(slu_node_text(topics->items[i], "")));
        if (text == NULL)
            return slu_err_set(err, SLU_ENOMEM, "no memory for the policies' topics");
        if (slu_topic_filter_parse(slu_slice_of(text), arena, &filters[i], err) != 0)
            return -1;
    }
    policy->filters = filters;
    policy->n_filters = n;
    policy->timestamp = slu_slice_of(timestamp);
    return 0;
}

int slu_sink_policies_read(const struct slu_node *section, struct slu_arena *arena,
                           struct slu_sink_policies *policies, struct slu_err *err)
{
    const struct slu_node *list = slu_node_get(section, "policies");
    const size_t n = list != NULL && list->kind == SLU_NODE_LIST ? list->n : 0;
    struct slu_sink_policy *items = slu_arena_array(arena, n + 1, sizeof(items[0]));

    if (items == NULL)
        return slu_err_set(err, SLU_ENOMEM, "no memory for the policies' topics");
    for (size_t i = 0; i < n; i++) {
        if (read_policy(list->items[i], arena, &items[i], err) != 0)
            return -1;
    }
    *policies = (struct slu_sink_policies){items, n};
    return 0;
}

const struct slu_sink_policy *slu_sink_policies_find(const struct slu_sink_policies *policies,
                                                     const char *id)
{
    for (size_t i = 0; id != NULL && i < policies->n; i++) {
        if (strcmp(policies->items[i].id, id) == 0)
            return &policies->items[i];
    }
    return NULL;
}

const struct slu_topic_filter *slu_sink_policy_filter(const struct slu_sink_policy *policy,
                                                      struct slu_slice topic)
{
    for (size_t i = 0; policy != NULL && i < policy->n_filters; i++) {
        if (slu_topic_filter_matches(&policy->filters[i], topic))
            return &policy->filters[i];
    }
    return NULL;
}

bool slu_sink_policy_level(const struct slu_sink_policy *policy, struct slu_slice topic,
                           struct slu_slice name, struct slu_slice *value)
{
    const struct slu_topic_filter *filter = slu_sink_policy_filter(policy, topic);
    return filter != NULL && slu_topic_filter_level(filter, topic, name, value);
}
