/* run.c -- see run.h. Nodes, ops, the budget and the scratch. */
#include "validation/json_schema/run.h"

#include <string.h>

bool slu_run_stop(struct slu_run *run, enum slu_run_stop why, const struct slu_value *at)
{
    run->budget = -1;
    if (run->stop == SLU_RUN_GOES) {
        run->stop = why;
        run->stopped_at = at;
    }
    return false;
}

#define PIECE        128 /* words */
#define WORDS_A_UNIT 8

/* In pieces short enough for plain stores: the string instructions that longer ones are given to take
 * their time to begin. */
static void fill(uint64_t *words, int byte, size_t n)
{
    for (; n > PIECE; n -= PIECE, words += PIECE)
        memset(words, byte, PIECE * sizeof(*words));
    memset(words, byte, n * sizeof(*words));
}

uint64_t *slu_run_take(struct slu_run *run, size_t n_words)
{
    struct slu_schema_scratch *scratch = run->scratch;
    if (n_words > SLU_RUN_SCRATCH_WORDS - scratch->used) {
        slu_run_stop(run, SLU_RUN_BUDGET_GONE, NULL);
        return NULL;
    }
    uint64_t *words = scratch->words + scratch->used;
    scratch->used += n_words;
    return words;
}

/* Drawn even when the budget is gone: then nothing comes after it. */
void slu_run_give(struct slu_run *run, size_t n_words, size_t n_used)
{
    struct slu_schema_scratch *scratch = run->scratch;
    scratch->used -= n_words;
    fill(scratch->words + scratch->used, 0, n_used);
    (void)slu_run_draw(run, n_used / WORDS_A_UNIT);
}

bool slu_seen_take(struct slu_run *run, const struct slu_value *container, struct slu_seen *seen)
{
    seen->n_words = slu_value_len(container) / 64 + 1;
    seen->end = 0;
    seen->words = slu_run_take(run, seen->n_words);
    return seen->words != NULL;
}

void slu_seen_give(struct slu_run *run, struct slu_seen *seen)
{
    slu_run_give(run, seen->n_words, seen->end);
}

void slu_seen_merge(struct slu_run *run, struct slu_seen *into, const struct slu_seen *from)
{
    uint64_t *restrict words = into->words;
    const uint64_t *restrict more = from->words;
    const size_t n = from->end;
    for (size_t i = 0; i < n; i++)
        words[i] |= more[i];
    if (into->end < n)
        into->end = n;
    (void)slu_run_draw(run, n / 2);
}

void slu_seen_all(struct slu_run *run, struct slu_seen *seen)
{
    fill(seen->words, 0xFF, seen->n_words);
    seen->end = seen->n_words;
    (void)slu_run_draw(run, seen->n_words / WORDS_A_UNIT);
}

struct slu_decimal slu_run_digits(struct slu_run *run, const struct slu_value *value,
                                  char scratch[32])
{
    const struct slu_decimal digits = slu_payload_digits(run->payload, value, scratch);
    if (digits.n_read > 32) /* few digits may stand in a long text: 0.000…1 */
        (void)slu_run_draw(run, digits.n_read);
    return digits;
}

/* "a JSON number without a fraction or exponent part": draft 4, so 1.0 is none there. */
static bool is_written_as_integer(struct slu_run *run, const struct slu_value *value)
{
    char digits[32];
    const struct slu_slice text = slu_payload_number_text(run->payload, value, digits);
    size_t i = text.len != 0 && text.data[0] == '-';
    if (!slu_run_draw(run, text.len))
        return false;
    while (i < text.len && text.data[i] >= '0' && text.data[i] <= '9')
        i++;
    return i == text.len;
}

/* The variant is not allowed at sight. A double may still be an integer by its digits. */
static __attribute__((noinline)) bool type_holds(struct slu_run *run, const struct slu_node *node,
                                                 const struct slu_value *value)
{
    if (node->integer && slu_value_is_number(value)) {
        const double number = value->f64;
        const bool may =
            slu_value_kind(value) == SLU_VALUE_BIG ||
            (slu_value_variant(value) == SLU_VALUE_REAL &&
             (number >= 0x1p53 || number <= -0x1p53 || number == (double)(int64_t)number));
        char digits[32];
        if (may && node->as_written) {
            if (is_written_as_integer(run, value))
                return true;
        } else if (may) {
            const struct slu_decimal decimal = slu_run_digits(run, value, digits);
            if (slu_decimal_is_integer(&decimal))
                return true;
        }
    }
    if (node->never)
        return slu_run_report_false(run, value);
    return slu_run_report_as(run, &slu_keywords[SLU_KEYWORD_TYPE], node->raw_type, value);
}

static bool judge_op_for_output(struct slu_run *run, const struct slu_op *op,
                                const struct slu_value *value, struct slu_seen *seen)
{
    const size_t errors = slu_output_errors(run);
    slu_output_op(run, op);
    const bool holds = op->judge(run, op, value, seen);
    if (holds)
        slu_output_op_holds(run, errors);
    return holds;
}

static bool ops_hold(struct slu_run *run, const struct slu_ops *ops, const struct slu_value *value,
                     struct slu_seen *seen)
{
    bool holds = true;
    for (size_t i = 0; i < ops->n; i++) {
        if (run->output != NULL ? judge_op_for_output(run, &ops->at[i], value, seen)
                                : ops->at[i].judge(run, &ops->at[i], value, seen))
            continue;
        if (!run->collect)
            return false;
        holds = false;
    }
    return holds;
}

/* A node that asks for annotations keeps its own bits; its parent gets them when it holds. */
static bool judge_and_see(struct slu_run *run, const struct slu_node *node,
                          const struct slu_value *value, struct slu_seen *parents)
{
    const struct slu_ops *ops = &node->ops[slu_value_kind(value)];
    if (!node->wants_seen || !slu_value_is_container(value))
        return ops_hold(run, ops, value, parents);

    struct slu_seen own;
    if (!slu_seen_take(run, value, &own))
        return false;
    const bool holds = ops_hold(run, ops, value, &own);
    if (holds && parents != NULL)
        slu_seen_merge(run, parents, &own);
    slu_seen_give(run, &own);
    return holds;
}

static bool judge_in_scope(struct slu_run *run, const struct slu_node *node,
                           const struct slu_value *value, struct slu_seen *seen)
{
    if (run->scope->resource == node->resource)
        return judge_and_see(run, node, value, seen);

    const struct slu_scope scope = {run->scope, node->resource};
    run->scope = &scope;
    const bool holds = judge_and_see(run, node, value, seen);
    run->scope = scope.outer;
    return holds;
}

/* The whole of it: collecting, annotations, dynamic scope. */
static __attribute__((noinline)) bool judge_carefully(struct slu_run *run,
                                                      const struct slu_node *node,
                                                      const struct slu_value *value,
                                                      struct slu_seen *seen)
{
    struct slu_frame frame;
    bool holds = true;
    if (!slu_run_draw(run, 6))
        return false;
    if (run->output != NULL)
        slu_output_enter(run, &frame, node);
    if ((node->types >> slu_value_variant(value) & 1) == 0 && !type_holds(run, node, value)) {
        if (!run->collect)
            return false;
        holds = false;
    }
    run->depth++;
    holds = judge_in_scope(run, node, value, seen) && holds;
    run->depth--;
    if (run->output != NULL)
        slu_output_leave(run, value, holds);
    return holds;
}

bool slu_run_node_fully(struct slu_run *run, const struct slu_node *node,
                        const struct slu_value *value, struct slu_seen *seen)
{
    const struct slu_ops *ops = &node->ops[slu_value_kind(value)];
    if (!slu_run_draw(run, 4 + 4 * ops->n))
        return false;
    if (run->depth == SLU_RUN_MAX_DEPTH)
        return slu_run_stop(run, SLU_RUN_BUDGET_GONE, value);
    if (run->collect || node->careful)
        return judge_carefully(run, node, value, seen);

    if ((node->types >> slu_value_variant(value) & 1) == 0 && !type_holds(run, node, value))
        return false;
    if (ops->n == 0)
        return true;
    const struct slu_op *end = ops->at + ops->n;
    bool holds = true;
    run->depth++;
    for (const struct slu_op *op = ops->at; op < end && holds; op++)
        holds = op->judge(run, op, value, seen);
    run->depth--;
    return holds;
}
