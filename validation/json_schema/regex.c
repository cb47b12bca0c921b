/* regex.c -- see regex.h. The only file that knows PCRE2.
 *
 * An automaton's search costs what the text is long and is charged so. PCRE2 backtracks: what it
 * costs is counted while it happens, by the callouts that translate.c put into the pattern, drawn on
 * the run's budget, and cut off at PATTERN_STEPS for one match.
 */
#include "validation/json_schema/regex.h"

#include "base/err.h"
#include "validation/json_schema/automaton.h"
#include "validation/json_schema/pattern.h"
#include "validation/json_schema/run.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdio.h>
#include <stdlib.h>

/* Callouts of one match, and PCRE2's own counter behind them. */
#define PATTERN_STEPS 10000
#define MATCH_LIMIT   100000
#define HEAP_LIMIT    1024 /* KiB, where there is no JIT */

#define STACK_FIRST (32u << 10)
#define STACK_MAX   (512u << 10)

#define TREE_MAX        (16u << 20)
#define TRANSLATION_MAX (4u << 20)

struct slu_regex {
    struct slu_automaton *automaton; /* owned; NULL: `code` does it */
    pcre2_code *code;                /* owned */
    uint32_t behind;                 /* characters that a look-behind may go back */
    bool jit;
};

struct slu_regex_scratch {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    struct slu_run *run; /* the one that matches now */
    unsigned steps;
    unsigned behind; /* units that a step costs for what a look-behind may look at */
};

static pcre2_code *compile_code(const struct slu_buf *text, struct slu_err *err)
{
    const uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF |
                             PCRE2_ALLOW_EMPTY_CLASS | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_UTF_CHECK;
    int number = 0;
    PCRE2_SIZE at = 0;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)text->data, text->len, options, &number, &at, NULL);
    if (code != NULL)
        return code;
    PCRE2_UCHAR reason[128] = "a look-behind whose length is not fixed"; /* PCRE2's words differ */
    if (number != PCRE2_ERROR_LOOKBEHIND_NOT_FIXED_LENGTH)
        pcre2_get_error_message(number, reason, sizeof(reason));
    slu_err_set(err, SLU_EINVAL, "asks for something that cannot be matched here: %s",
                (const char *)reason);
    return NULL;
}

static bool compile_pcre2(struct slu_regex *regex, const struct slu_pattern *pattern,
                          struct slu_err *err)
{
    struct slu_buf text;
    slu_buf_init(&text, TRANSLATION_MAX);
    slu_buf_add_text(&text, "(?C1)");
    slu_pattern_translate(pattern, &text, err);
    if (text.failed)
        slu_err_set(err, SLU_ENOMEM, "is too large");
    else if (err->kind == SLU_OK)
        regex->code = compile_code(&text, err);
    slu_buf_fini(&text);
    if (regex->code == NULL)
        return false;
    pcre2_pattern_info(regex->code, PCRE2_INFO_MAXLOOKBEHIND, &regex->behind);
    regex->jit = pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE) == 0;
    return true;
}

/* The innermost node that PCRE2 cannot do: one that repeats too often, or a look-behind that does not
 * compile by itself. NULL: none. Recursive as deep as the pattern's parentheses. */
static const struct slu_pattern *find_culprit(const struct slu_pattern *pattern)
{
    for (const struct slu_pattern *child = pattern->child; child != NULL; child = child->next) {
        const struct slu_pattern *culprit = find_culprit(child);
        if (culprit != NULL)
            return culprit;
    }
    if (pattern->kind == SLU_PATTERN_REPEAT)
        return pattern->min > SLU_PATTERN_MAX_REPEAT || (pattern->max != SLU_PATTERN_INFINITE &&
                                                         pattern->max > SLU_PATTERN_MAX_REPEAT)
                   ? pattern
                   : NULL;
    if (pattern->kind != SLU_PATTERN_LOOK || !pattern->behind)
        return NULL;
    struct slu_regex alone = {0};
    struct slu_err err = {0};
    const bool sound = compile_pcre2(&alone, pattern, &err);
    pcre2_code_free(alone.code);
    return sound ? NULL : pattern;
}

/* " (at character 3)" behind what was said. */
static void add_place(struct slu_err *err, struct slu_slice text, const struct slu_pattern *culprit)
{
    size_t character = 1;
    const size_t said = strlen(err->text);
    if (culprit == NULL)
        return;
    for (size_t i = 0; i < culprit->at && i < text.len; i++)
        character += ((unsigned char)text.data[i] & 0xC0) != 0x80;
    snprintf(err->text + said, sizeof(err->text) - said, " (at character %zu)", character);
}

struct slu_regex *slu_regex_compile(struct slu_slice text, struct slu_err *err)
{
    struct slu_err own = {0};
    struct slu_arena arena;
    slu_arena_init(&arena, TREE_MAX);
    struct slu_regex *regex = calloc(1, sizeof(*regex));
    const struct slu_pattern *pattern =
        regex != NULL ? slu_pattern_parse(text, &arena, &own) : NULL;
    bool sound = pattern != NULL;
    if (sound) {
        regex->automaton = slu_automaton_build(pattern);
        sound = regex->automaton != NULL || compile_pcre2(regex, pattern, &own);
        if (!sound && own.kind == SLU_EINVAL)
            add_place(&own, text, find_culprit(pattern));
    }
    slu_arena_fini(&arena);
    if (sound)
        return regex;
    slu_regex_free(regex);
    slu_err_set(err, own.kind != SLU_OK ? own.kind : SLU_ENOMEM, "%s",
                own.kind != SLU_OK ? own.text : "finds no memory");
    return NULL;
}

void slu_regex_free(struct slu_regex *regex)
{
    if (regex == NULL)
        return;
    free(regex->automaton);
    pcre2_code_free(regex->code);
    free(regex);
}

bool slu_regex_is_linear(const struct slu_regex *regex)
{
    return regex->automaton != NULL;
}

/* A step costs some 100 instructions, a little for the way back to where the match began, and 20 for each
 * character that a look-behind goes back: PCRE2 steps over them one by one. */
static int count_step(pcre2_callout_block *block, void *data)
{
    struct slu_regex_scratch *scratch = data;
    const size_t way = block->current_position - block->start_match;
    if (++scratch->steps > PATTERN_STEPS ||
        !slu_run_draw(scratch->run, 10 + way / 8 + scratch->behind))
        return PCRE2_ERROR_CALLOUT;
    return 0;
}

struct slu_regex_scratch *slu_regex_scratch_new(void)
{
    struct slu_regex_scratch *scratch = calloc(1, sizeof(*scratch));
    if (scratch == NULL)
        return NULL;
    scratch->data = pcre2_match_data_create(1, NULL);
    scratch->context = pcre2_match_context_create(NULL);
    scratch->stack = pcre2_jit_stack_create(STACK_FIRST, STACK_MAX, NULL);
    if (scratch->data == NULL || scratch->context == NULL || scratch->stack == NULL) {
        slu_regex_scratch_free(scratch);
        return NULL;
    }
    pcre2_set_match_limit(scratch->context, MATCH_LIMIT);
    pcre2_set_heap_limit(scratch->context, HEAP_LIMIT);
    pcre2_set_callout(scratch->context, count_step, scratch);
    pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
    return scratch;
}

void slu_regex_scratch_free(struct slu_regex_scratch *scratch)
{
    if (scratch == NULL)
        return;
    pcre2_match_data_free(scratch->data);
    pcre2_match_context_free(scratch->context);
    pcre2_jit_stack_free(scratch->stack);
    free(scratch);
}

static bool code_matches(const struct slu_regex *regex, struct slu_run *run,
                         const struct slu_value *text)
{
    struct slu_regex_scratch *scratch = run->scratch->regex;
    const PCRE2_SPTR bytes = (PCRE2_SPTR)text->text;
    const size_t len = slu_value_len(text);
    int result;

    scratch->run = run;
    scratch->steps = 0;
    scratch->behind = 2 * regex->behind;
    if (!slu_run_draw(run, 10 + len / 2))
        return false;
    if (regex->jit)
        result = pcre2_jit_match(regex->code, bytes, len, 0, PCRE2_NO_UTF_CHECK, scratch->data,
                                 scratch->context);
    else
        result = pcre2_match(regex->code, bytes, len, 0, PCRE2_NO_UTF_CHECK, scratch->data,
                             scratch->context);
    if (result >= 0)
        return true;
    /* The budget's own end has been noted; every other error is a pattern that went too far. */
    if (result != PCRE2_ERROR_NOMATCH && run->stop == SLU_RUN_GOES)
        slu_run_stop(run, SLU_RUN_PATTERN_TOO_DEAR, text);
    return false;
}

bool slu_regex_matches(const struct slu_regex *regex, struct slu_run *run,
                       const struct slu_value *text)
{
    if (regex->automaton == NULL)
        return code_matches(regex, run, text);
    return slu_run_draw(run, 4 + slu_value_len(text) / 2) &&
           slu_automaton_matches(regex->automaton, slu_value_text(text));
}
