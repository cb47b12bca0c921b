/* evaluate.c -- see evaluate.h. The rules are the gate's: an empty retained payload passes; the first
 * enforcing violation acts and ends the matter; the rest is skipped. */
#include "plugin/cli/evaluate.h"

#include "plugin/cli/out.h"

#include <stdlib.h>

#define TOPIC_MAX_BYTES (4 * (size_t)SLU_TOPIC_MAX_BYTES)

/* Outcome words by action. */
static const char *const outcomes[] = {"reroute", "drop", "disconnect", "pass"};

/* The verdict's own copy: the judge's is gone at the next policy. */
static bool keep_verdict(struct slu_verdict *copy, const struct slu_verdict *verdict)
{
    const struct slu_slice texts = slu_buf_slice(&verdict->scratch);

    *copy = *verdict;
    slu_buf_init(&copy->scratch, SLU_VERDICT_SCRATCH_MAX);
    return texts.len == 0 || slu_buf_add_slice(&copy->scratch, texts);
}

static void set_topic(struct slu_evaluation *evaluation, struct slu_slice topic)
{
    slu_buf_reset(&evaluation->topic);
    slu_buf_add_slice(&evaluation->topic, topic);
    evaluation->has_topic = true;
}

static void set_reroute(struct slu_evaluation *evaluation, struct slu_judge *judge,
                        const struct slu_finding *finding)
{
    struct slu_template_values values;

    slu_judge_template_values(judge, finding, &values);
    slu_buf_reset(&evaluation->topic);
    evaluation->has_topic = true;
    if (slu_template_fill(finding->policy->reroute, SLU_TEMPLATE_TOPIC, &values,
                          &evaluation->topic) >= 0 &&
        slu_topic_is_publishable(slu_buf_slice(&evaluation->topic), NULL))
        return;
    slu_buf_reset(&evaluation->topic);
    slu_buf_printf(&evaluation->topic, "sluice/violations/%s", finding->policy->id);
}

/* The first enforcing violation. */
static void act(struct slu_evaluation *evaluation, struct slu_judge *judge,
                const struct slu_finding *finding, const struct slu_message *message)
{
    const struct slu_policy *policy = finding->policy;

    evaluation->outcome = outcomes[policy->action];
    evaluation->sinks = policy->violation_sinks;
    evaluation->has_topic = false;
    if (policy->action == SLU_ACTION_REROUTE)
        set_reroute(evaluation, judge, finding);
    else if (policy->action == SLU_ACTION_PASS)
        set_topic(evaluation, message->topic);
}

/* Take one finding in. True: the matter is ended. */
static bool take(struct slu_evaluation *evaluation, struct slu_judge *judge,
                 const struct slu_finding *finding, const struct slu_message *message)
{
    struct slu_opinion *opinion = &evaluation->opinions[evaluation->n - 1];
    const struct slu_policy *policy = finding->policy;

    opinion->word = finding->holds ? "holds" : "violation";
    if (finding->holds) {
        evaluation->sinks |= policy->sinks;
        if (evaluation->word[0] != 'v')
            evaluation->word = opinion->word;
        return false;
    }
    evaluation->word = opinion->word;
    if (policy->mode == SLU_MODE_MONITOR) {
        evaluation->sinks |= policy->sinks | policy->violation_sinks;
        return false;
    }
    act(evaluation, judge, finding, message);
    return true;
}

static int judge_all(struct slu_judge *judge, const struct slu_message *message, bool payload_known,
                     struct slu_evaluation *evaluation, struct slu_err *err)
{
    const bool is_clear = payload_known && message->retain && message->payload.len == 0;
    const size_t owners = slu_judge_begin(judge, message);
    const struct slu_finding *finding;
    bool ended = is_clear || !payload_known;

    evaluation->opinions = calloc(owners + 1, sizeof(*evaluation->opinions));
    if (evaluation->opinions == NULL)
        return slu_err_set(err, SLU_ENOMEM, "no memory to judge with");
    evaluation->outcome = owners == 0 || is_clear ? "pass" : "accept";
    while ((finding = slu_judge_next(judge)) != NULL && evaluation->n < owners) {
        struct slu_opinion *opinion = &evaluation->opinions[evaluation->n++];
        *opinion = (struct slu_opinion){finding->policy, finding->filter, "skipped", {0}};
        slu_verdict_init(&opinion->verdict);
        if (!payload_known)
            evaluation->sinks |= finding->policy->sinks;
        if (ended)
            continue;
        if (!finding->holds && !keep_verdict(&opinion->verdict, finding->verdict))
            return slu_err_set(err, SLU_ENOMEM, "no memory for the verdict");
        ended = take(evaluation, judge, finding, message);
    }
    return 0;
}

int slu_evaluate(const struct slu_snapshot *snapshot, const struct slu_message *message,
                 bool payload_known, struct slu_evaluation *evaluation, struct slu_err *err)
{
    struct slu_judge *judge;
    int outcome;

    *evaluation = (struct slu_evaluation){.word = "skipped", .outcome = "pass"};
    slu_buf_init(&evaluation->topic, TOPIC_MAX_BYTES);
    set_topic(evaluation, message->topic);
    if (!slu_topic_is_valid(message->topic, err))
        return -1;
    judge = slu_judge_new(snapshot);
    if (judge == NULL)
        return slu_err_set(err, SLU_ENOMEM, "no memory to judge with");
    outcome = judge_all(judge, message, payload_known, evaluation, err);
    slu_judge_free(judge);
    return outcome;
}

void slu_evaluation_fini(struct slu_evaluation *evaluation)
{
    for (size_t i = 0; i < evaluation->n; i++)
        slu_verdict_fini(&evaluation->opinions[i].verdict);
    free(evaluation->opinions);
    slu_buf_fini(&evaluation->topic);
}

void slu_evaluation_sinks(struct slu_buf *out, const char *name, const struct slu_config *config,
                          uint64_t sinks)
{
    slu_out_open(out, name, '[');
    for (size_t i = 0; i < config->n_sinks; i++)
        if ((sinks >> config->sinks[i].bit & 1) != 0)
            slu_out_text(out, NULL, config->sinks[i].name);
    slu_out_close(out, ']');
}
