/* explain.c -- `sluice explain FILE TOPIC [TEXT|@FILE|-]`: what becomes of a message, and why.
 *
 * The policies that own the topic, in the order they are asked; with a payload what each says, without
 * one only that they match ("skipped"), and the outcome is that of a message that holds. Exit 0
 * whatever the verdict. */
#include "plugin/cli/args.h"
#include "plugin/cli/cli.h"
#include "plugin/cli/evaluate.h"
#include "plugin/cli/input.h"
#include "plugin/cli/out.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

#define PAYLOAD_MAX_BYTES ((size_t)64 << 20)

/* The payload that an operand stands for. */
static int read_payload(const char *operand, struct slu_buf *payload, struct slu_err *err)
{
    if (strcmp(operand, "-") == 0)
        return slu_input_read(operand, payload, err);
    if (operand[0] == '@')
        return slu_input_read(operand + 1, payload, err);
    if (!slu_buf_add_text(payload, operand))
        return slu_err_set(err, SLU_ENOMEM, "no memory for the payload");
    return 0;
}

static void add_levels(struct slu_buf *out, const struct slu_topic_filter *filter,
                       struct slu_slice topic)
{
    slu_out_open(out, "levels", '{');
    for (size_t i = 0; i < filter->n_levels; i++) {
        const struct slu_level *level = &filter->levels[i];
        struct slu_slice value;
        if (level->kind == SLU_LEVEL_LITERAL || level->text.len == 0 ||
            !slu_topic_filter_level(filter, topic, level->text, &value))
            continue;
        char name[256];
        snprintf(name, sizeof(name), "%.*s", (int)(level->text.len < 255 ? level->text.len : 255),
                 level->text.data);
        slu_out_string(out, name, value);
    }
    slu_out_close(out, '}');
}

static void report_json(struct slu_buf *out, const struct slu_config *config,
                        const struct slu_message *message, const struct slu_evaluation *evaluation)
{
    slu_out_open(out, NULL, '{');
    slu_out_string(out, "topic", message->topic);
    slu_out_open(out, "policies", '[');
    for (size_t i = 0; i < evaluation->n; i++) {
        const struct slu_opinion *opinion = &evaluation->opinions[i];
        slu_out_open(out, NULL, '{');
        slu_out_text(out, "id", opinion->policy->id);
        slu_out_text(out, "mode", slu_mode_names[opinion->policy->mode]);
        add_levels(out, opinion->filter, message->topic);
        slu_out_text(out, "verdict", opinion->word);
        slu_out_violations(out, &opinion->verdict);
        slu_out_close(out, '}');
    }
    slu_out_close(out, ']');
    slu_out_text(out, "outcome", evaluation->outcome);
    if (evaluation->has_topic)
        slu_out_string(out, "topic_out", slu_buf_slice(&evaluation->topic));
    else
        slu_out_text(out, "topic_out", NULL);
    slu_evaluation_sinks(out, "sinks", config, evaluation->sinks);
    slu_out_close(out, '}');
}

static void add_opinion(struct slu_buf *out, const struct slu_opinion *opinion,
                        struct slu_slice topic)
{
    slu_buf_printf(out, "policy %s (%s): %s, by filter ", opinion->policy->id,
                   slu_mode_names[opinion->policy->mode], opinion->word);
    slu_out_safe(out, opinion->filter->text);
    for (size_t i = 0; i < opinion->filter->n_levels; i++) {
        const struct slu_level *level = &opinion->filter->levels[i];
        struct slu_slice value;
        if (level->kind == SLU_LEVEL_LITERAL || level->text.len == 0 ||
            !slu_topic_filter_level(opinion->filter, topic, level->text, &value))
            continue;
        slu_buf_printf(out, ", %.*s = ", SLU_SLICE_ARG(level->text));
        slu_out_safe(out, value);
    }
    slu_buf_add_char(out, '\n');
    slu_out_violation_lines(out, "  ", &opinion->verdict);
}

static void report_text(struct slu_buf *out, const struct slu_config *config,
                        const struct slu_message *message, const struct slu_evaluation *evaluation)
{
    if (evaluation->n == 0)
        slu_buf_add_text(out, "no policy owns this topic\n");
    for (size_t i = 0; i < evaluation->n; i++)
        add_opinion(out, &evaluation->opinions[i], message->topic);
    slu_buf_printf(out, "outcome: %s", evaluation->outcome);
    if (evaluation->has_topic) {
        slu_buf_add_text(out, " to ");
        slu_out_safe(out, slu_buf_slice(&evaluation->topic));
    }
    slu_buf_add_text(out, "\nsinks:");
    for (size_t i = 0; i < config->n_sinks; i++)
        if ((evaluation->sinks >> config->sinks[i].bit & 1) != 0)
            slu_buf_printf(out, " %s", config->sinks[i].name);
    slu_buf_add_text(out, evaluation->sinks == 0 ? " none\n" : "\n");
}

static int explain(bool json, const struct slu_config *config, const struct slu_message *message,
                   bool payload_known)
{
    struct slu_evaluation evaluation;
    struct slu_err err = {0};
    struct slu_buf out;
    int status;

    slu_buf_init(&out, SLU_OUT_MAX_BYTES);
    if (slu_evaluate(config->snapshot, message, payload_known, &evaluation, &err) != 0) {
        status = slu_out_failed_err(json, &err);
    } else {
        if (json)
            report_json(&out, config, message, &evaluation);
        else
            report_text(&out, config, message, &evaluation);
        status = slu_out_print(&out, SLU_EXIT_GOOD);
    }
    slu_evaluation_fini(&evaluation);
    slu_buf_fini(&out);
    return status;
}

int slu_cli_explain(int argc, char **argv)
{
    bool json = false;
    const struct slu_option options[] = {{"--json", &json, NULL}};
    struct slu_operands operands;
    struct slu_problems problems;
    struct slu_buf payload;
    struct slu_err err = {0};
    int status;

    if (!slu_args_read(argc, argv, options, 1, &operands))
        return SLU_EXIT_FAILED;
    if (operands.n != 2 && operands.n != 3)
        return slu_cli_usage("explain", "needs FILE and TOPIC, and at most one payload");
    slu_buf_init(&payload, PAYLOAD_MAX_BYTES);
    slu_problems_init(&problems);
    struct slu_config *config = slu_config_load(operands.items[0], NULL, NULL, &problems);
    if (config == NULL) {
        status = slu_out_failed(json, &problems);
    } else if (operands.n == 3 && read_payload(operands.items[2], &payload, &err) != 0) {
        status = slu_out_failed_err(json, &err);
    } else {
        const struct slu_message message = {.topic = slu_slice_of(operands.items[1]),
                                            .payload = slu_buf_slice(&payload),
                                            .address = "127.0.0.1",
                                            .received_ns = slu_clock_wall_ns()};
        status = explain(json, config, &message, operands.n == 3);
    }
    slu_config_free(config);
    slu_problems_fini(&problems);
    slu_buf_fini(&payload);
    return status;
}
