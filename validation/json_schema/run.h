/* run.h -- one judgement under way: what every keyword's judge function works with.
 *
 * Two passes of the same code. The first is fast: it stops at the first keyword that fails. Only when
 * it failed and a verdict is wanted, a second one collects: it goes on after a failure and tells each.
 * Inside a branch whose failure decides nothing by itself (anyOf, not, if, contains, …) collecting is
 * off: the applicator tells for its branches.
 *
 * The budget. Every node, op, member and comparison draws on it. It is a count of units of about ten
 * instructions, set from the payload's length so that any schema and a payload of 256 KiB end within
 * 30 million instructions, reading and both passes together. The second pass gets what the first one
 * used, so that it comes as far, and a quarter more to tell of what comes behind; but both together get
 * no more than nine eighths of a budget: where the first took more than that leaves, the second may come
 * to its end before it comes to what is wrong, and says that. When the budget is gone, or
 * a pattern exceeds its limit, `stop` is set, every node fails at once and the whole judgement is a
 * violation, whatever `not` and anyOf make of the failure; there is no second pass then.
 *
 * Threads: a run lives on the stack of its thread.
 */
#ifndef SLU_JSON_SCHEMA_RUN_H
#define SLU_JSON_SCHEMA_RUN_H

#include "validation/json_schema/keywords.h"
#include "validation/json_schema/program.h"
#include "validation/json_schema/property_table.h"

#include "base/slice.h"

/* Units: a floor, and some more for each byte of the payload. */
#define SLU_RUN_BUDGET          400000
#define SLU_RUN_BUDGET_PER_BYTE 4

/* Nodes inside nodes, in place and by members together. */
#define SLU_RUN_MAX_DEPTH 2000

/* Working memory: bits of members, hash tables of uniqueItems (2^20 slots and some). */
#define SLU_RUN_SCRATCH_WORDS (640u << 10)

enum slu_run_stop {
    SLU_RUN_GOES,
    SLU_RUN_BUDGET_GONE,
    SLU_RUN_PATTERN_TOO_DEAR,
};

/* Which members of one object or array have been evaluated, by their ordinal. */
struct slu_seen {
    uint64_t *words;
    size_t n_words;
    size_t end; /* all words from here on are zero */
};

/* The resources that evaluation came through, innermost first ($dynamicRef). */
struct slu_scope {
    const struct slu_scope *outer;
    uint32_t resource;
};

/* The nodes that judging came through, innermost first: for the places of output.c only. */
struct slu_frame {
    const struct slu_frame *outer;
    const struct slu_node *node;
    const struct slu_op *op;          /* that is being judged; NULL: none yet */
    size_t path, errors, annotations; /* how long they were when it began */
};

struct slu_output;
struct slu_regex_scratch;

struct slu_schema_scratch {
    struct slu_regex_scratch *regex; /* owned */
    struct slu_property_order order; /* keys' order in the messages before */
    uint64_t *words;                 /* owned; a stack */
    size_t used;
    bool keys_differ; /* of the payload's root; see slu_schema_keys_differ() */

    /* The last judgement; the rest of it only when it did not hold. */
    bool held;
    enum slu_run_stop stop;
    const struct slu_value *stopped_at;
    int64_t units;
};

struct slu_run {
    int64_t budget; /* units left; below zero: stopped */
    bool collect;
    bool collect_branches; /* for output: inside branches too */
    enum slu_run_stop stop;
    const struct slu_value *stopped_at; /* NULL: not known */
    unsigned depth;
    const struct slu_scope *scope;
    const struct slu_schema *schema;
    const struct slu_payload *payload;
    struct slu_verdict *verdict; /* NULL in the first pass */
    struct slu_schema_scratch *scratch;
    struct slu_output *output; /* NULL: no output is wanted */
    struct slu_frame *frame;   /* only then */
};

/* No more units, or worse. Always false. */
bool slu_run_stop(struct slu_run *run, enum slu_run_stop why, const struct slu_value *at);

static inline bool slu_run_draw(struct slu_run *run, size_t units)
{
    run->budget -= (int64_t)units;
    if (__builtin_expect(run->budget >= 0, 1))
        return true;
    return slu_run_stop(run, SLU_RUN_BUDGET_GONE, NULL);
}

/* The whole payload by the whole schema, once. */
bool slu_run_judge(struct slu_run *run, int64_t budget);
int64_t slu_run_budget_of(const struct slu_payload *payload);

bool slu_run_node_fully(struct slu_run *run, const struct slu_node *node,
                        const struct slu_value *value, struct slu_seen *seen);

/* Judge `value` by `node`. Free when it holds at sight: a loop that calls this draws for itself. */
static inline bool slu_run_node(struct slu_run *run, const struct slu_node *node,
                                const struct slu_value *value, struct slu_seen *seen)
{
    if (slu_node_holds_at_sight(node, value))
        return true;
    return slu_run_node_fully(run, node, value, seen);
}

/* The same for a branch: tells nothing. */
static inline bool slu_run_branch(struct slu_run *run, const struct slu_node *node,
                                  const struct slu_value *value, struct slu_seen *seen)
{
    const bool collect = run->collect;
    run->collect = run->collect_branches;
    const bool holds = slu_run_node(run, node, value, seen);
    run->collect = collect;
    return holds;
}

/* Zeroed words from the scratch; NULL: stopped. They are zeroed when they are given back, of which only
 * the first `n_used` have to be: a branch that marks little costs little, however large the array. */
uint64_t *slu_run_take(struct slu_run *run, size_t n_words);
void slu_run_give(struct slu_run *run, size_t n_words, size_t n_used);

/* No bits yet for the members of `container`. */
bool slu_seen_take(struct slu_run *run, const struct slu_value *container, struct slu_seen *seen);
void slu_seen_give(struct slu_run *run, struct slu_seen *seen);
void slu_seen_merge(struct slu_run *run, struct slu_seen *into, const struct slu_seen *from);
void slu_seen_all(struct slu_run *run, struct slu_seen *seen);

static inline void slu_seen_mark(struct slu_seen *seen, size_t ordinal)
{
    if (seen->end <= ordinal / 64)
        seen->end = ordinal / 64 + 1;
    seen->words[ordinal / 64] |= UINT64_C(1) << ordinal % 64;
}

static inline bool slu_seen_has(const struct slu_seen *seen, size_t ordinal)
{
    return (seen->words[ordinal / 64] >> ordinal % 64 & 1) != 0;
}

/* What slu_run_report_as() does when collecting. */
bool slu_run_tell(struct slu_run *run, const struct slu_keyword *row,
                  const struct slu_value *expected, const struct slu_value *value);

/* Tell that `value` failed by a keyword, with the row's code and sentence and what was expected; nothing
 * unless collecting. Always false. */
static inline bool slu_run_report_as(struct slu_run *run, const struct slu_keyword *row,
                                     const struct slu_value *expected,
                                     const struct slu_value *value)
{
    return run->collect && slu_run_tell(run, row, expected, value);
}

/* The same for the keyword of `op` and its value in the schema. */
static inline bool slu_run_report(struct slu_run *run, const struct slu_op *op,
                                  const struct slu_value *value)
{
    return run->collect && slu_run_tell(run, op->keyword, op->raw, value);
}

/* `object` lacks the property `name`: by `required`, or by dependentRequired. */
bool slu_run_report_missing(struct slu_run *run, const struct slu_keyword *row,
                            struct slu_slice name, const struct slu_value *object);

/* The key's member is not allowed: additionalProperties, unevaluatedProperties. */
bool slu_run_report_property(struct slu_run *run, const struct slu_keyword *row,
                             const struct slu_value *expected, const struct slu_value *key);

/* The schema `false`. */
bool slu_run_report_false(struct slu_run *run, const struct slu_value *value);

/* output.c: a node begins; one of its ops; it ends. What failed inside something that holds is
 * forgotten, and so are the annotations of what fails. */
void slu_output_enter(struct slu_run *run, struct slu_frame *frame, const struct slu_node *node);
void slu_output_op(struct slu_run *run, const struct slu_op *op);
void slu_output_op_holds(struct slu_run *run, size_t errors);
void slu_output_leave(struct slu_run *run, const struct slu_value *value, bool holds);
size_t slu_output_errors(const struct slu_run *run); /* a mark for slu_output_op_holds() */

/* `row` (NULL: the schema itself, `false`) failed at `value`. */
void slu_output_error(struct slu_run *run, const struct slu_keyword *row,
                      const struct slu_value *value, struct slu_slice message);

/* The judgement as a whole stopped: schema.budget, schema.pattern_budget. */
void slu_run_report_stop(struct slu_run *run);

/* The exact number behind `value` of the payload. */
struct slu_decimal slu_run_digits(struct slu_run *run, const struct slu_value *value,
                                  char scratch[32]);

#endif
