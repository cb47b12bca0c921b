/* differential.c -- the engine and the naive evaluator on random schemas and values.
 *
 *   differential [--seed N] [--count N] [--draft 4|6|7|2019-09|2020-12] [--cases DIR] [--print FILE]
 *   differential --replay DIR
 *
 * Judges `count` values (1,000,000 unless told otherwise) by both. At the first disagreement schema and
 * value are cut down as far as they still disagree, written to DIR (tests/cases/schema) in the form of
 * the official suite, the naive evaluator's answer being taken for right, and the exit status is 1.
 * Whoever looks into it finds out who was wrong; the case stays. --replay judges all such cases again.
 *
 * --print writes what both agree on for others to compare (tests/oracles/judgements.py), a line of JSON a
 * schema:
 *
 *   {"draft":"7","schema":{…},"values":[…],"held":[true,false,…]}
 *
 * What the engine refuses at load, and what either gives up on (a budget, an endless recursion), is
 * counted and left out: the lines at the end say how much of the million was worth its name.
 */
#include "base/err.h"
#include "tests/conformance/naive.h"
#include "tests/conformance/random_json.h"
#include "tests/conformance/suite_files.h"
#include "validation/json_schema/schema.h"
#include "validation/payload/payload.h"
#include "validation/verdict.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#ifndef SLU_CASES_DIR
#define SLU_CASES_DIR "tests/cases/schema"
#endif

#define VALUES_A_SCHEMA 40
#define MAX_TEXT        (1u << 20)
#define MAX_REASONS     16

enum outcome { AGREE, DISAGREE, REFUSED, GAVE_UP };

struct reason {
    char text[160];
    unsigned long count;
};

struct tally {
    unsigned long schemas, refused, judged, held, gave_up;
};

static struct slu_payload_reader *reader;
static struct slu_schema_scratch *scratch;
static struct slu_verdict verdict;
static FILE *printed; /* NULL: nobody wants to compare */
static struct naive *naives[NAIVE_DRAFTS];
static struct tally tallies[NAIVE_DRAFTS];
static struct reason reasons[MAX_REASONS];

static const char *const draft_names[NAIVE_DRAFTS] = {"4", "6", "7", "2019-09", "2020-12"};

static void die(const char *what)
{
    fprintf(stderr, "differential: %s\n", what);
    exit(2);
}

/* The words of a refusal, without what is quoted in it: so that equal reasons count together. */
static void count_reason(const struct slu_problems *problems)
{
    const char *text = "?";
    for (size_t i = 0; i < problems->n; i++) {
        if (!problems->items[i].is_warning) {
            text = problems->items[i].err.text;
            break;
        }
    }
    for (size_t i = 0; i < MAX_REASONS; i++) {
        if (reasons[i].count == 0)
            snprintf(reasons[i].text, sizeof(reasons[i].text), "%.150s",
                     i == MAX_REASONS - 1 ? "(others)" : text);
        if (i == MAX_REASONS - 1 || strncmp(reasons[i].text, text, 150) == 0) {
            reasons[i].count++;
            return;
        }
    }
}

static struct slu_schema *compile(struct slu_slice text, bool count)
{
    const struct slu_schema_options options = {
        .name = "random", .source = "random", .formats = SLU_FORMATS_ANNOTATE};
    struct slu_problems problems;
    slu_problems_init(&problems);
    struct slu_schema *schema = slu_schema_compile(text, &options, &problems);
    if (schema == NULL && count)
        count_reason(&problems);
    slu_problems_fini(&problems);
    return schema;
}

static struct slu_document *parse(struct slu_slice text)
{
    struct slu_err err = {0};
    struct slu_document *document = slu_document_parse(text, 256, &err);
    if (document == NULL)
        die(err.text);
    return document;
}

static bool ran_out_of_budget(void)
{
    for (size_t i = 0; i < verdict.n; i++) {
        if (strstr(verdict.violations[i].code, "budget") != NULL)
            return true;
    }
    return false;
}

/* Both at one value. `*held`: what the naive one says. */
static enum outcome judge(const struct slu_schema *schema, struct naive *naive,
                          struct slu_slice value, bool *held)
{
    struct slu_payload payload;
    struct slu_document *document = parse(value);
    const enum naive_answer answer = naive_judge(naive, document->raw_root);
    slu_document_free(document);
    *held = answer == NAIVE_HOLDS;
    if (answer == NAIVE_GIVES_UP)
        return GAVE_UP;
    if (!slu_payload_read(reader, SLU_FORMAT_JSON, value, &payload))
        die(payload.fault_text);
    const bool holds = slu_schema_judge(schema, scratch, &payload, NULL);
    slu_verdict_reset(&verdict);
    const bool told = slu_schema_judge(schema, scratch, &payload, &verdict);
    if (holds == *held && told == holds && slu_verdict_holds(&verdict) == holds)
        return AGREE;
    return ran_out_of_budget() ? GAVE_UP : DISAGREE;
}

/* Cutting down. */
struct suspect {
    struct json *schema, *value;
    struct naive *naive;
    struct slu_buf schema_text, value_text;
};

static enum outcome judge_suspect(struct suspect *suspect, bool *held)
{
    slu_buf_reset(&suspect->schema_text);
    slu_buf_reset(&suspect->value_text);
    json_print(suspect->schema, &suspect->schema_text);
    json_print(suspect->value, &suspect->value_text);
    struct slu_schema *schema = compile(slu_buf_slice(&suspect->schema_text), false);
    if (schema == NULL)
        return REFUSED;
    struct slu_document *document = parse(slu_buf_slice(&suspect->schema_text));
    const bool open = naive_open(suspect->naive, document->raw_root);
    const enum outcome outcome =
        open ? judge(schema, suspect->naive, slu_buf_slice(&suspect->value_text), held) : GAVE_UP;
    slu_document_free(document);
    slu_schema_free(schema);
    return outcome;
}

static bool still_disagrees(void *context)
{
    bool held;
    return judge_suspect(context, &held) == DISAGREE;
}

static void write_case(const struct suspect *suspect, bool held, const char *draft,
                       const char *folder, unsigned long long seed, unsigned long number)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/seed-%llu-%lu.json", folder, seed, number);
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        fprintf(stderr, "differential: %s: %s\n", path, strerror(errno));
        return;
    }
    fprintf(file,
            "[\n    {\n        \"description\": \"random, draft %s, seed %llu\",\n"
            "        \"schema\": %s,\n        \"tests\": [\n            {\n"
            "                \"description\": \"value %lu\",\n                \"data\": %s,\n"
            "                \"valid\": %s\n            }\n        ]\n    }\n]\n",
            draft, seed, slu_buf_text(&suspect->schema_text), number,
            slu_buf_text(&suspect->value_text), held ? "true" : "false");
    fclose(file);
    printf("written to %s\n", path);
}

static void tell_disagreement(struct dice *dice, int draft, struct json *schema, struct json *value,
                              const char *folder, unsigned long long seed, unsigned long number)
{
    struct suspect suspect = {.schema = schema, .value = value, .naive = naives[draft]};
    bool held = false;
    slu_buf_init(&suspect.schema_text, MAX_TEXT);
    slu_buf_init(&suspect.value_text, MAX_TEXT);
    if (still_disagrees(&suspect)) { /* else it depends on what was judged before: told as it is */
        json_cut_down(&suspect.schema, still_disagrees, &suspect);
        json_cut_down(&suspect.value, still_disagrees, &suspect);
        json_cut_down(&suspect.schema, still_disagrees, &suspect);
    }
    judge_suspect(&suspect, &held);
    printf("DISAGREEMENT, draft %s, seed %llu, value %lu: the naive evaluator says %s\n"
           "  schema %s\n  value  %s\n",
           draft_names[draft], seed, number, held ? "it holds" : "it fails",
           slu_buf_text(&suspect.schema_text), slu_buf_text(&suspect.value_text));
    write_case(&suspect, held, draft_names[draft], folder, seed, number);
    slu_buf_fini(&suspect.schema_text);
    slu_buf_fini(&suspect.value_text);
    slu_arena_fini(&dice->arena);
}

/* A line of --print: its beginning, a value that both judged the same, its end. */

static void print_schema(int draft, const struct slu_buf *text)
{
    if (printed != NULL)
        fprintf(printed, "{\"draft\":\"%s\",\"schema\":%s,\"values\":[", draft_names[draft],
                slu_buf_text(text));
}

static void print_value(const struct slu_buf *text, bool held, struct slu_buf *answers)
{
    if (printed == NULL)
        return;
    const char *comma = slu_buf_slice(answers).len == 0 ? "" : ",";
    fprintf(printed, "%s%s", comma, slu_buf_text(text));
    slu_buf_add_text(answers, comma);
    slu_buf_add_text(answers, held ? "true" : "false");
}

static void print_end(const struct slu_buf *answers)
{
    if (printed != NULL)
        fprintf(printed, "],\"held\":[%s]}\n", slu_buf_text(answers));
}

/* One schema and its values. False: a disagreement, told. */
static bool run_schema(struct dice *dice, int draft, const char *folder, unsigned long long seed)
{
    struct tally *tally = &tallies[draft];
    struct slu_buf text, answers;
    bool agree = true;

    slu_arena_init(&dice->arena, 64u << 20);
    slu_buf_init(&text, MAX_TEXT);
    slu_buf_init(&answers, MAX_TEXT);
    struct json *shape = random_schema(dice, draft);
    json_print(shape, &text);
    tally->schemas++;
    struct slu_schema *schema = compile(slu_buf_slice(&text), true);
    struct slu_document *document = parse(slu_buf_slice(&text));
    tally->refused += schema == NULL;
    if (!naive_open(naives[draft], document->raw_root))
        die("a dialect that the naive evaluator does not know");
    if (schema != NULL)
        print_schema(draft, &text);
    for (int i = 0; schema != NULL && agree && i < VALUES_A_SCHEMA; i++) {
        bool held;
        struct json *value = random_value(dice, 3);
        slu_buf_reset(&text);
        json_print(value, &text);
        const enum outcome outcome = judge(schema, naives[draft], slu_buf_slice(&text), &held);
        tally->judged += outcome != GAVE_UP;
        tally->gave_up += outcome == GAVE_UP;
        tally->held += outcome == AGREE && held;
        agree = outcome != DISAGREE;
        if (outcome == AGREE)
            print_value(&text, held, &answers);
        if (!agree)
            tell_disagreement(dice, draft, shape, value, folder, seed, tally->judged);
    }
    if (schema != NULL)
        print_end(&answers);
    slu_schema_free(schema);
    slu_document_free(document);
    slu_buf_fini(&text);
    slu_buf_fini(&answers);
    slu_arena_fini(&dice->arena);
    return agree;
}

static unsigned long judged_in_all(void)
{
    unsigned long sum = 0;
    for (int draft = 0; draft < NAIVE_DRAFTS; draft++)
        sum += tallies[draft].judged;
    return sum;
}

static void tell_tallies(void)
{
    printf("%-8s %9s %9s %10s %10s %8s\n", "draft", "schemas", "refused", "judged", "held",
           "gave up");
    for (int draft = 0; draft < NAIVE_DRAFTS; draft++) {
        const struct tally *tally = &tallies[draft];
        if (tally->schemas != 0)
            printf("%-8s %9lu %9lu %10lu %10lu %8lu\n", draft_names[draft], tally->schemas,
                   tally->refused, tally->judged, tally->held, tally->gave_up);
    }
    for (size_t i = 0; i < MAX_REASONS && reasons[i].count != 0; i++)
        printf("refused %lu times: %s\n", reasons[i].count, reasons[i].text);
}

/* A draft whose schemas were all refused, again and again. */
static bool is_out(int draft)
{
    return tallies[draft].refused >= 2000 && tallies[draft].judged == 0;
}

/* Judgements until `count`, of all drafts in turn or of one. */
static bool run(unsigned long long seed, unsigned long count, int only, const char *folder)
{
    struct dice dice = {.state = seed};
    int out = 0; /* in a row */
    for (int draft = 0; judged_in_all() < count; draft = (draft + 1) % NAIVE_DRAFTS) {
        const bool asked = (only < 0 || only == draft) && !is_out(draft);
        out = asked ? 0 : out + 1;
        if (out == NAIVE_DRAFTS)
            return false;
        if (asked && !run_schema(&dice, draft, folder, seed))
            return false;
    }
    return true;
}

/* Cases that were found before. */

static unsigned replay_group(const char *path, const struct slu_value *group)
{
    struct slu_buf text;
    unsigned wrong = 0;
    slu_buf_init(&text, MAX_TEXT);
    slu_value_json(suite_member(group, "schema"), &text);
    struct slu_schema *schema = compile(slu_buf_slice(&text), false);
    if (schema == NULL || !naive_open(naives[NAIVE_2020], suite_member(group, "schema"))) {
        printf("WRONG %s: the schema is refused\n", path);
        slu_schema_free(schema);
        slu_buf_fini(&text);
        return 1;
    }
    const struct slu_value *tests = suite_member(group, "tests"), *test = slu_value_first(tests);
    for (size_t i = 0; i < slu_value_len(tests); i++, test = slu_value_next(test)) {
        const bool valid = slu_value_variant(suite_member(test, "valid")) == SLU_VALUE_TRUE;
        bool held;
        slu_buf_reset(&text);
        slu_value_json(suite_member(test, "data"), &text);
        if (judge(schema, naives[NAIVE_2020], slu_buf_slice(&text), &held) == AGREE &&
            held == valid)
            continue;
        printf("WRONG %s: %.*s\n", path,
               SLU_SLICE_ARG(slu_value_text(suite_member(test, "description"))));
        wrong++;
    }
    slu_schema_free(schema);
    slu_buf_fini(&text);
    return wrong;
}

struct replayed {
    unsigned files, wrong;
};

static void replay_file(void *context, const char *path, const char *inside)
{
    struct replayed *const replayed = context;
    (void)inside;
    struct slu_document *document = suite_read(path);
    if (document == NULL)
        die(path);
    const struct slu_value *group = slu_value_first(document->raw_root);
    for (size_t i = 0; i < slu_value_len(document->raw_root); i++, group = slu_value_next(group))
        replayed->wrong += replay_group(path, group);
    slu_document_free(document);
    replayed->files++;
}

static bool replay(const char *folder)
{
    struct replayed replayed = {0};
    suite_walk(folder, false, replay_file, &replayed);
    printf("%u files of cases, %u wrong\n", replayed.files, replayed.wrong);
    return replayed.files > 0 && replayed.wrong == 0;
}

static int draft_of(const char *name)
{
    for (int draft = 0; draft < NAIVE_DRAFTS; draft++) {
        if (strcmp(name, draft_names[draft]) == 0)
            return draft;
    }
    die("--draft takes 4, 6, 7, 2019-09 or 2020-12");
    return -1;
}

int main(int argc, char **argv)
{
    unsigned long long seed = 1;
    unsigned long count = 1000000;
    const char *folder = SLU_CASES_DIR, *old = NULL;
    int draft = -1;

    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc)
            die("an option without its value");
        else if (strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--count") == 0)
            count = strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--draft") == 0)
            draft = draft_of(argv[i + 1]);
        else if (strcmp(argv[i], "--cases") == 0)
            folder = argv[i + 1];
        else if (strcmp(argv[i], "--replay") == 0)
            old = argv[i + 1];
        else if (strcmp(argv[i], "--print") == 0 && (printed = fopen(argv[i + 1], "w")) == NULL)
            die(argv[i + 1]);
        else if (strcmp(argv[i], "--print") != 0)
            die("options: --seed N --count N --draft D --cases DIR --print FILE --replay DIR");
    }
    reader = slu_payload_reader_new(MAX_TEXT);
    scratch = slu_schema_scratch_new();
    slu_verdict_init(&verdict);
    if (reader == NULL || scratch == NULL)
        die("no memory");
    for (int i = 0; i < NAIVE_DRAFTS; i++)
        naives[i] = naive_new((enum naive_draft)i);
    const bool sound = old != NULL ? replay(old) : run(seed, count, draft, folder);
    if (old == NULL)
        tell_tallies();
    if (printed != NULL && fclose(printed) != 0)
        die("what was to be printed could not be written");
    for (int i = 0; i < NAIVE_DRAFTS; i++)
        naive_free(naives[i]);
    slu_verdict_fini(&verdict);
    slu_schema_scratch_free(scratch);
    slu_payload_reader_free(reader);
    return sound ? 0 : 1;
}
