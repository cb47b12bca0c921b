/* test.c -- `sluice test FILE`: runs the cases that the configuration holds under `tests`.
 *
 * A case passes when everything its `expect` names is so. Exit 0: all passed; 1: one failed; 2: the
 * configuration is bad. */
#include "plugin/cli/args.h"
#include "plugin/cli/cli.h"
#include "plugin/cli/evaluate.h"
#include "plugin/cli/out.h"

#include "base/clock.h"
#include "plugin/config_case.h"

#include <stdio.h>
#include <string.h>

struct run {
    bool json;
    const struct slu_config *config;
    struct slu_buf out;
    size_t passed, failed;
};

/* The code that was expected if it was found, else the first one; NULL: none was found. */
static const char *code_of(const struct slu_evaluation *evaluation, const char *wanted)
{
    const char *first = NULL;

    for (size_t i = 0; i < evaluation->n; i++) {
        const struct slu_verdict *verdict = &evaluation->opinions[i].verdict;
        for (size_t v = 0; v < verdict->n; v++) {
            if (wanted != NULL && strcmp(verdict->violations[v].code, wanted) == 0)
                return wanted;
            if (first == NULL)
                first = verdict->violations[v].code;
        }
    }
    return first;
}

static uint64_t bits_of(const struct slu_config *config, const struct slu_node *names)
{
    uint64_t bits = 0;

    for (size_t n = 0; n < names->n; n++)
        for (size_t i = 0; i < config->n_sinks; i++)
            if (slu_slice_equal(names->items[n]->text, slu_slice_of(config->sinks[i].name)))
                bits |= UINT64_C(1) << config->sinks[i].bit;
    return bits;
}

static bool is_as_expected(const struct slu_config *config, const struct slu_config_case *test,
                           const struct slu_evaluation *evaluation)
{
    const char *code = code_of(evaluation, test->code);

    if (test->verdict != NULL && strcmp(test->verdict, evaluation->word) != 0)
        return false;
    if (test->code != NULL && (code == NULL || strcmp(test->code, code) != 0))
        return false;
    if (test->topic != NULL &&
        (!evaluation->has_topic ||
         !slu_slice_equal(slu_buf_slice(&evaluation->topic), slu_slice_of(test->topic))))
        return false;
    return test->sinks == NULL || bits_of(config, test->sinks) == evaluation->sinks;
}

/* {verdict, code, topic, sinks} as it was. */
static void add_actual(struct slu_buf *out, const char *name, const struct slu_config *config,
                       const struct slu_config_case *test, const struct slu_evaluation *evaluation)
{
    const char *code = code_of(evaluation, test->code);

    slu_out_open(out, name, '{');
    slu_out_text(out, "verdict", evaluation->word);
    if (code != NULL)
        slu_out_text(out, "code", code);
    if (evaluation->has_topic)
        slu_out_string(out, "topic", slu_buf_slice(&evaluation->topic));
    slu_evaluation_sinks(out, "sinks", config, evaluation->sinks);
    slu_out_close(out, '}');
}

static void report(struct run *run, const struct slu_config_case *test,
                   const struct slu_evaluation *evaluation, bool ok)
{
    struct slu_buf expected;

    slu_buf_init(&expected, SLU_OUT_MAX_BYTES);
    slu_node_json(test->expect, &expected);
    if (run->json) {
        slu_out_open(&run->out, NULL, '{');
        slu_out_int(&run->out, "line", test->line);
        slu_out_bool(&run->out, "ok", ok);
        slu_out_json(&run->out, "expected", slu_buf_slice(&expected));
        add_actual(&run->out, "actual", run->config, test, evaluation);
        slu_out_close(&run->out, '}');
    } else {
        slu_out_safe(&run->out, slu_slice_of(run->config->file));
        slu_buf_printf(&run->out, ":%u: %s: ", test->line, ok ? "ok" : "FAILED");
        slu_out_safe(&run->out, test->message.topic);
        if (!ok) {
            slu_buf_printf(&run->out, "\n  expected %s\n  actual   ", slu_buf_text(&expected));
            add_actual(&run->out, NULL, run->config, test, evaluation);
        }
        slu_buf_add_char(&run->out, '\n');
    }
    slu_buf_fini(&expected);
}

static int run_case(struct run *run, const struct slu_node *node, struct slu_err *err)
{
    struct slu_evaluation evaluation;
    struct slu_config_case test;
    struct slu_arena arena;
    int outcome;

    slu_arena_init(&arena, (size_t)64 << 20);
    outcome = slu_config_case_read(node, "/tests", &arena, &test, err);
    if (outcome == 0) {
        if (!test.has_time)
            test.message.received_ns = slu_clock_wall_ns();
        outcome = slu_evaluate(run->config->snapshot, &test.message, true, &evaluation, err);
        slu_err_place(err, run->config->file, node->line, node->column, NULL);
        if (outcome == 0) {
            const bool ok = is_as_expected(run->config, &test, &evaluation);
            *(ok ? &run->passed : &run->failed) += 1;
            report(run, &test, &evaluation, ok);
        }
        slu_evaluation_fini(&evaluation);
    }
    slu_arena_fini(&arena);
    return outcome;
}

static int run_all(struct run *run)
{
    const struct slu_node *tests = slu_node_get(run->config->root, "tests");
    struct slu_err err = {0};
    struct slu_buf whole;
    int status;

    if (run->json)
        slu_out_open(&run->out, NULL, '[');
    for (size_t i = 0; tests != NULL && i < tests->n; i++)
        if (run_case(run, tests->items[i], &err) != 0)
            return slu_out_failed_err(run->json, &err);
    status = run->failed == 0 ? SLU_EXIT_GOOD : SLU_EXIT_BAD;
    if (!run->json) {
        slu_buf_printf(&run->out, "%zu passed, %zu failed\n", run->passed, run->failed);
        return slu_out_print(&run->out, status);
    }
    slu_out_close(&run->out, ']');
    slu_buf_init(&whole, SLU_OUT_MAX_BYTES);
    slu_out_open(&whole, NULL, '{');
    slu_out_int(&whole, "passed", (int64_t)run->passed);
    slu_out_int(&whole, "failed", (int64_t)run->failed);
    slu_out_json(&whole, "cases", slu_buf_slice(&run->out));
    slu_out_close(&whole, '}');
    return slu_out_print(&whole, status);
}

int slu_cli_test(int argc, char **argv)
{
    struct run run = {0};
    const struct slu_option options[] = {{"--json", &run.json, NULL}};
    struct slu_operands operands;
    struct slu_problems problems;
    struct slu_config *config;
    int status;

    if (!slu_args_read(argc, argv, options, 1, &operands))
        return SLU_EXIT_FAILED;
    if (operands.n != 1)
        return slu_cli_usage("test", "needs one FILE");
    slu_problems_init(&problems);
    config = slu_config_load(operands.items[0], NULL, NULL, &problems);
    slu_buf_init(&run.out, SLU_OUT_MAX_BYTES);
    run.config = config;
    status = config == NULL ? slu_out_failed(run.json, &problems) : run_all(&run);
    slu_buf_fini(&run.out);
    slu_config_free(config);
    slu_problems_fini(&problems);
    return status;
}
