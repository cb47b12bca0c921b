/* policy_answer.c -- what a policy does on a violation: its action and the topics of its alerts.
 *
 * A topic is a template. That the broker may publish to what comes out of it is seen at load as far as
 * its literal text goes; what is filled in is escaped.
 */
#include "validation/policy_inside.h"

#include <stdio.h>

#define DEFAULT_REROUTE SLU_SLICE("sluice/violations/${policy}/${topic}")

/* What a reroute or publish topic may ask for; tag and limit are an alarm's. */
#define TOPIC_VARIABLES                                                                \
    (SLU_VARIABLE_BIT(SLU_VARIABLE_TOPIC) | SLU_VARIABLE_BIT(SLU_VARIABLE_CLIENT_ID) | \
     SLU_VARIABLE_BIT(SLU_VARIABLE_USERNAME) | SLU_VARIABLE_BIT(SLU_VARIABLE_POLICY) | \
     SLU_VARIABLE_BIT(SLU_VARIABLE_CODE) | SLU_VARIABLE_BIT(SLU_VARIABLE_INSTANCE) |   \
     SLU_VARIABLE_BIT(SLU_VARIABLE_PAYLOAD))

/* Every level a template names must exist in every filter: which one matched is known too late. */
static void check_levels(struct slu_policy_work *work, const struct slu_template *pattern,
                         const char *below)
{
    struct slu_slice name;

    for (size_t i = 0; slu_template_level(pattern, i, &name); i++) {
        for (size_t f = 0; f < work->topics->n_filters; f++) {
            const struct slu_topic_filter *filter = &work->topics->filters[f];
            bool found = false;
            for (size_t l = 0; l < filter->n_levels && !found; l++)
                found = filter->levels[l].kind != SLU_LEVEL_LITERAL &&
                        slu_slice_equal(filter->levels[l].text, name);
            if (found)
                continue;
            slu_policy_tell(
                work, below,
                "there is no level {%.*s} in \"%.*s\": every filter of the policy must have it",
                SLU_SLICE_ARG(name), SLU_SLICE_ARG(filter->text));
            break;
        }
    }
}

/* Filled with something harmless: may the broker publish to what comes out? */
static bool check_literals(struct slu_policy_work *work, const struct slu_template *pattern,
                           const char *below)
{
    const struct slu_template_values values = {.topic = SLU_SLICE("x")};
    struct slu_err err = {0};
    struct slu_buf topic, filter;
    bool good = false;

    slu_buf_init(&topic, SLU_TOPIC_MAX_BYTES);
    slu_buf_init(&filter, SLU_TOPIC_MAX_BYTES);
    if (slu_template_fill(pattern, SLU_TEMPLATE_TOPIC, &values, &topic) < 0)
        slu_policy_tell(work, below, "is longer than a topic may be");
    else if (!slu_topic_is_publishable(slu_buf_slice(&topic), &err))
        slu_policy_tell(work, below, "%s", err.text);
    else if (!slu_template_filter(pattern, &filter))
        slu_policy_tell(work, below, "a first level that begins with $ can have no value in it");
    else
        good = true;
    slu_buf_fini(&topic);
    slu_buf_fini(&filter);
    return good;
}

static bool compile_topic(struct slu_policy_work *work, struct slu_slice text, const char *below,
                          const struct slu_template **pattern)
{
    struct slu_err err = {0};

    *pattern = slu_template_parse(text, TOPIC_VARIABLES, &work->compiler->snapshot->arena, &err);
    if (*pattern == NULL && err.kind == SLU_ENOMEM)
        return false;
    if (*pattern == NULL) {
        slu_policy_tell(work, below, "%s", err.text);
        return true;
    }
    check_levels(work, *pattern, below);
    if (!check_literals(work, *pattern, below))
        *pattern = NULL;
    if (slu_slice_starts_with(text, SLU_SLICE("{")) ||
        slu_slice_starts_with(text, SLU_SLICE("${"))) {
        slu_policy_tell(work, below, "must begin with text of its own, not with a value");
        *pattern = NULL;
    }
    return true;
}

bool slu_policy_compile_action(struct slu_policy_work *work)
{
    const struct slu_policy_options *options = work->options;
    struct slu_policy *policy = work->policy;

    policy->action = options->action;
    policy->payload_original = options->payload_original;
    policy->violation_sinks = options->violation_sinks;
    if (options->payload_original && options->action != SLU_ACTION_REROUTE)
        slu_policy_tell(work, "/on_violation/payload",
                        "only a rerouted message can keep its payload");
    if (options->action == SLU_ACTION_REROUTE &&
        !compile_topic(work, options->reroute.len != 0 ? options->reroute : DEFAULT_REROUTE,
                       "/on_violation/reroute", &policy->reroute))
        return false;
    return options->publish.len == 0 ||
           compile_topic(work, options->publish, "/on_violation/publish", &policy->publish);
}

void slu_policy_warn_of_loss(const struct slu_policy_work *work)
{
    const struct slu_policy *policy = work->policy;
    const struct slu_node *told = slu_node_get(work->options->place, "on_violation");
    const struct slu_node *to = slu_node_get(told, "to");
    char text[256];

    if (to != NULL && to->n != 0) /* of a name that is unknown was told already */
        return;
    if (policy->mode == SLU_MODE_OFF || policy->violation_sinks != 0 ||
        policy->action == SLU_ACTION_PASS)
        return;
    snprintf(text, sizeof(text),
             "violations of policy \"%s\" are %s and stored nowhere: on_violation has no `to`",
             policy->id, policy->action == SLU_ACTION_REROUTE ? "rerouted" : "taken away");
    slu_policy_tell_at(work->compiler->problems, true, work->options->place, work->pointer,
                       "/on_violation", text);
}
