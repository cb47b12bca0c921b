/* avro_differential.c -- Sluice's reader of Avro and Avro C on random schemas and bodies.
 *
 *   avro_differential [--seed N] [--count N] [--cases DIR]
 *   avro_differential --replay DIR
 *
 *   schema ─▶ sound bodies ─┬────────▶ Sluice ── refused: wrong, if it was sound
 *                           └ damage ─▶        └ accepted ─▶ Avro C: refused, or other values: wrong
 *
 * Judges `count` bodies (600,000 unless told otherwise). What Sluice refuses of the damaged ones Avro C never
 * sees: such bytes crash it. So this shows that nothing sound is refused, and that what is accepted means what
 * it means to others; that nothing unsound is accepted only as far as Avro C looks (it does not at
 * the sizes of blocks, at UTF-8, at uuids).
 *
 * At the first disagreement schema and body are cut down as far as they still disagree and written to DIR
 * (tests/cases/avro), and the exit status is 1. Whoever looks into it finds out who was wrong; the case
 * stays, with `valid` set right. --replay judges all such cases again.
 */
#include "base/err.h"
#include "tests/conformance/avro_c_values.h"
#include "tests/conformance/random_avro.h"
#include "tests/conformance/suite_files.h"
#include "validation/avro/read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef SLU_CASES_DIR
#define SLU_CASES_DIR "tests/cases/avro"
#endif

#define BODIES_A_SCHEMA 200
#define SOUND_OF_THEM   60
#define MAX_TEXT        (1u << 20)

enum outcome {
    AGREE,
    REFUSED, /* the body, by Sluice */
    WRONG_SCHEMA,
    WRONG_REFUSAL, /* of a sound body */
    WRONG_VALUE,
};

static struct slu_avro_reader *reader;
static struct avro_c_answer answer;
static struct {
    unsigned long schemas, bodies, sound, equal, refused, excused, wrong;
    unsigned long excuses[AVRO_C_EXCUSES], faults[SLU_PAYLOAD_FAULTS];
} tally;

static void die(const char *what)
{
    fprintf(stderr, "avro_differential: %s\n", what);
    exit(2);
}

/* A schema as both have it. */
struct pair {
    struct slu_avro_schema *ours;
    struct avro_c_schema *theirs;
};

static void close_pair(struct pair *pair)
{
    slu_avro_schema_free(pair->ours);
    avro_c_close(pair->theirs);
}

static bool open_pair(struct slu_slice text, struct pair *pair)
{
    const struct slu_avro_schema_options options = {
        .name = "random", .source = "random", .registry_id = -1, .no_second_opinion = true};
    struct slu_problems problems;
    *pair = (struct pair){.ours = NULL};
    slu_problems_init(&problems);
    pair->ours = slu_avro_schema_compile(text, &options, &problems);
    for (size_t i = 0; pair->ours == NULL && i < problems.n; i++)
        if (!problems.items[i].is_warning)
            snprintf(answer.text, sizeof(answer.text), "Sluice refuses the schema: %.400s",
                     problems.items[i].err.text);
    slu_problems_fini(&problems);
    if (pair->ours != NULL)
        pair->theirs = avro_c_open(text, &answer);
    if (pair->theirs != NULL)
        return true;
    close_pair(pair);
    return false;
}

/* Both at one body, of which there is a copy of exactly its size: a byte behind it is one too many. */
static enum outcome judge(const struct pair *pair, struct slu_slice body, bool sound)
{
    const struct slu_avro_schema *const schemas[] = {pair->ours};
    const struct slu_avro_choice choice = {.schemas = schemas, .n = 1, .framing = SLU_AVRO_RAW};
    struct slu_payload payload;
    enum outcome outcome = AGREE;
    char *exact = malloc(body.len + (body.len == 0));
    if (exact == NULL)
        die("no memory");
    memcpy(exact, body.len > 0 ? body.data : "", body.len);
    answer = (struct avro_c_answer){.where = ""};
    if (!slu_avro_read(reader, &choice, slu_slice(exact, body.len), &payload, NULL)) {
        outcome = sound ? WRONG_REFUSAL : REFUSED;
        tally.faults[payload.fault]++;
        const struct slu_slice at = payload.fault_pointer;
        snprintf(answer.where, sizeof(answer.where), "%.*s", (int)(at.len < 200 ? at.len : 200),
                 at.len > 0 ? at.data : "");
        snprintf(answer.text, sizeof(answer.text),
                 "Sluice refuses a sound body at byte %zu: %s, %s", payload.fault_at,
                 slu_payload_codes[payload.fault], payload.fault_text);
    } else if (!avro_c_agrees(pair->theirs, slu_slice(exact, body.len), payload.root, &answer)) {
        outcome = WRONG_VALUE;
    }
    free(exact);
    return outcome;
}

static void count(enum outcome outcome)
{
    bool excused = false;
    for (int i = 0; i < AVRO_C_EXCUSES; i++) {
        tally.excuses[i] += answer.excused[i];
        excused = excused || answer.excused[i];
    }
    tally.bodies++;
    tally.refused += outcome == REFUSED;
    tally.wrong += outcome > REFUSED;
    tally.excused += outcome == AGREE && excused;
    tally.equal += outcome == AGREE && !excused;
}

/* ---- cutting down ------------------------------------------------------------------------------------ */

#define TRIES 300

struct suspect {
    struct json *schema;
    struct slu_buf text, body;
    enum outcome outcome;
};

/* Bodies made up for the schema as it is now; the shortest that disagrees the same way becomes the body. */
static bool find_body(struct suspect *suspect, const struct pair *pair, bool found)
{
    struct dice dice = {.state = 1};
    struct slu_buf body;
    slu_buf_init(&body, MAX_TEXT);
    for (int i = 0; i < TRIES; i++) {
        slu_buf_reset(&body);
        random_avro_body(&dice, avro_c_meaning(pair->theirs), &body);
        if ((found && body.len >= suspect->body.len) ||
            judge(pair, slu_buf_slice(&body), true) != suspect->outcome)
            continue;
        found = true;
        slu_buf_reset(&suspect->body);
        slu_buf_add_slice(&suspect->body, slu_buf_slice(&body));
    }
    slu_buf_fini(&body);
    return found;
}

/* With the body that there is (only a sound one's refusal is wrong, and that was one of the schema as it
 * was), or with another one. */
static bool still_disagrees(void *context)
{
    struct suspect *suspect = context;
    struct pair pair;
    slu_buf_reset(&suspect->text);
    json_print(suspect->schema, &suspect->text);
    if (!open_pair(slu_buf_slice(&suspect->text), &pair))
        return false;
    const bool same = suspect->outcome == WRONG_VALUE &&
                      judge(&pair, slu_buf_slice(&suspect->body), false) == WRONG_VALUE;
    const bool found = find_body(suspect, &pair, same);
    close_pair(&pair);
    return found;
}

/* Bytes that can go. */
static void cut_body(struct suspect *suspect)
{
    struct slu_buf *body = &suspect->body;
    struct pair pair;
    if (suspect->outcome != WRONG_VALUE || !open_pair(slu_buf_slice(&suspect->text), &pair))
        return;
    for (size_t i = body->len; i-- > 0;) {
        const char byte = body->data[i];
        memmove(body->data + i, body->data + i + 1, body->len - i - 1);
        body->len--;
        if (judge(&pair, slu_buf_slice(body), false) == WRONG_VALUE)
            continue;
        memmove(body->data + i + 1, body->data + i, body->len - i);
        body->data[i] = byte;
        body->len++;
    }
    close_pair(&pair);
}

/* The answer that comes of them, if they still disagree. */
static void cut_down(struct suspect *suspect)
{
    const struct avro_c_answer first = answer;
    struct pair pair;
    if (!still_disagrees(suspect)) { /* a schema, or it depends on what was before: told as it is */
        answer = first;
        return;
    }
    json_cut_down(&suspect->schema, still_disagrees, suspect);
    (void)still_disagrees(suspect); /* the last try may have failed: back to what the text was */
    cut_body(suspect);
    if (open_pair(slu_buf_slice(&suspect->text), &pair)) {
        judge(&pair, slu_buf_slice(&suspect->body), suspect->outcome == WRONG_REFUSAL);
        close_pair(&pair);
    }
}

static void print_hex(FILE *file, struct slu_slice body)
{
    for (size_t i = 0; i < body.len; i++)
        fprintf(file, "%02x", (unsigned char)body.data[i]);
}

static void write_case(const struct suspect *suspect, const char *folder, unsigned long long seed)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/seed-%llu-%lu.json", folder, seed, tally.bodies);
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        fprintf(stderr, "avro_differential: %s: %s\n", path, strerror(errno));
        return;
    }
    fprintf(file,
            "[\n    {\n        \"description\": \"random, seed %llu\",\n        \"schema\": %s,\n"
            "        \"tests\": [\n            {\n                \"description\": \"body %lu\",\n"
            "                \"body\": \"",
            seed, slu_buf_text(&suspect->text), tally.bodies);
    print_hex(file, slu_buf_slice(&suspect->body));
    fprintf(file, "\",\n                \"valid\": true\n            }\n        ]\n    }\n]\n");
    fclose(file);
    printf("written to %s\n", path);
}

static void tell(struct json *schema, struct slu_slice body, enum outcome outcome,
                 const char *folder, unsigned long long seed)
{
    struct suspect suspect = {.schema = schema, .outcome = outcome};
    slu_buf_init(&suspect.text, MAX_TEXT);
    slu_buf_init(&suspect.body, MAX_TEXT);
    slu_buf_add_slice(&suspect.body, body);
    json_print(schema, &suspect.text);
    cut_down(&suspect);
    printf("DISAGREEMENT, seed %llu, body %lu, at \"%s\": %s\n  schema %s\n  body   ", seed,
           tally.bodies, answer.where, answer.text, slu_buf_text(&suspect.text));
    print_hex(stdout, slu_buf_slice(&suspect.body));
    printf("\n");
    write_case(&suspect, folder, seed);
    slu_buf_fini(&suspect.text);
    slu_buf_fini(&suspect.body);
}

/* ---- random ones ------------------------------------------------------------------------------------- */

/* Bodies of one schema; the last sound one is what damage begins with. */
static enum outcome run_bodies(struct dice *dice, const struct pair *pair, struct slu_buf *body)
{
    const struct meaning *meaning = avro_c_meaning(pair->theirs);
    struct slu_buf sound[2]; /* the last, and the one before */
    enum outcome outcome = AGREE;
    slu_buf_init(&sound[0], MAX_TEXT);
    slu_buf_init(&sound[1], MAX_TEXT);
    for (int i = 0; i < BODIES_A_SCHEMA && outcome <= REFUSED; i++) {
        const bool fresh = i * SOUND_OF_THEM % BODIES_A_SCHEMA < SOUND_OF_THEM;
        struct slu_buf *last = &sound[(size_t)i * SOUND_OF_THEM / BODIES_A_SCHEMA % 2];
        if (fresh) {
            slu_buf_reset(last);
            random_avro_body(dice, meaning, last);
        }
        slu_buf_reset(body);
        slu_buf_add_slice(body, slu_buf_slice(last));
        if (!fresh)
            random_avro_damage(dice, slu_buf_slice(last == sound ? &sound[1] : &sound[0]), body);
        tally.sound += fresh;
        count(outcome = judge(pair, slu_buf_slice(body), fresh));
    }
    slu_buf_fini(&sound[0]);
    slu_buf_fini(&sound[1]);
    return outcome;
}

/* One schema and its bodies. False: a disagreement, told. */
static bool run_schema(struct dice *dice, const char *folder, unsigned long long seed)
{
    struct slu_buf text, body;
    struct pair pair;
    enum outcome outcome = WRONG_SCHEMA;
    slu_arena_init(&dice->arena, 64u << 20);
    slu_buf_init(&text, MAX_TEXT);
    slu_buf_init(&body, MAX_TEXT);
    struct json *shape = random_avro_schema(dice);
    json_print(shape, &text);
    tally.schemas++;
    if (open_pair(slu_buf_slice(&text), &pair)) {
        outcome = run_bodies(dice, &pair, &body);
        close_pair(&pair);
    } else {
        tally.wrong++;
    }
    if (outcome > REFUSED)
        tell(shape, slu_buf_slice(&body), outcome, folder, seed);
    slu_buf_fini(&text);
    slu_buf_fini(&body);
    slu_arena_fini(&dice->arena);
    return outcome <= REFUSED;
}

/* Excuses that were never needed are told as well: they may be out of date. */
static void tell_tally(void)
{
    for (int i = 0; i < AVRO_C_EXCUSES; i++)
        printf("excused %lu times: %s\n", tally.excuses[i], avro_c_excuses[i]);
    for (int i = 0; i < SLU_PAYLOAD_FAULTS; i++)
        if (tally.faults[i] != 0)
            printf("refused %lu times: %s\n", tally.faults[i], slu_payload_codes[i]);
    printf("%lu bodies of %lu schemas, %lu sound by construction: %lu accepted by both with equal "
           "values, %lu refused by Sluice, %lu excused, %lu disagreements\n",
           tally.bodies, tally.schemas, tally.sound, tally.equal, tally.refused, tally.excused,
           tally.wrong);
}

/* ---- cases that were found before -------------------------------------------------------------------- */

static void read_hex(struct slu_slice text, struct slu_buf *body)
{
    slu_buf_reset(body);
    for (size_t i = 0; i + 1 < text.len; i += 2) {
        const char pair[] = {text.data[i], text.data[i + 1], 0};
        slu_buf_add_char(body, (char)strtoul(pair, NULL, 16));
    }
}

static void replay_group(const char *path, const struct slu_value *group)
{
    const struct slu_value *tests = suite_member(group, "tests"), *test = slu_value_first(tests);
    struct slu_buf text, body;
    struct pair pair;
    slu_buf_init(&text, MAX_TEXT);
    slu_buf_init(&body, MAX_TEXT);
    slu_value_json(suite_member(group, "schema"), &text);
    const bool open = open_pair(slu_buf_slice(&text), &pair);
    if (!open) {
        printf("WRONG %s: %s\n", path, answer.text);
        tally.wrong++;
    }
    for (size_t i = 0; open && i < slu_value_len(tests); i++, test = slu_value_next(test)) {
        const bool valid = slu_value_variant(suite_member(test, "valid")) == SLU_VALUE_TRUE;
        read_hex(slu_value_text(suite_member(test, "body")), &body);
        enum outcome outcome = judge(&pair, slu_buf_slice(&body), valid);
        if (outcome == AGREE && !valid) {
            outcome = WRONG_VALUE;
            snprintf(answer.text, sizeof(answer.text), "accepted");
        }
        count(outcome);
        if (outcome > REFUSED)
            printf("WRONG %s: %.*s: at \"%s\": %s\n", path,
                   SLU_SLICE_ARG(slu_value_text(suite_member(test, "description"))), answer.where,
                   answer.text);
    }
    if (open)
        close_pair(&pair);
    slu_buf_fini(&text);
    slu_buf_fini(&body);
}

static void replay_file(void *context, const char *path, const char *inside)
{
    unsigned *const n_files = context;
    (void)inside;
    struct slu_document *document = suite_read(path);
    if (document == NULL)
        die(path);
    const struct slu_value *group = slu_value_first(document->root);
    for (size_t i = 0; i < slu_value_len(document->root); i++, group = slu_value_next(group))
        replay_group(path, group);
    slu_document_free(document);
    (*n_files)++;
}

static void replay(const char *folder)
{
    unsigned n_files = 0;
    suite_walk(folder, false, replay_file, &n_files);
    if (tally.bodies == 0)
        die("no cases");
    printf("%lu bodies of %u files of cases, %lu excused, %lu wrong\n", tally.bodies, n_files,
           tally.excused, tally.wrong);
}

int main(int argc, char **argv)
{
    struct dice dice = {.state = 1};
    unsigned long wanted = 600000;
    const char *folder = SLU_CASES_DIR, *old = NULL;

    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc)
            die("an option without its value");
        else if (strcmp(argv[i], "--seed") == 0)
            dice.state = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--count") == 0)
            wanted = strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--cases") == 0)
            folder = argv[i + 1];
        else if (strcmp(argv[i], "--replay") == 0)
            old = argv[i + 1];
        else
            die("options: --seed N --count N --cases DIR --replay DIR");
    }
    const unsigned long long seed = dice.state;
    reader = slu_avro_reader_new(MAX_TEXT);
    if (reader == NULL)
        die("no memory");
    if (old != NULL)
        replay(old);
    while (old == NULL && tally.bodies < wanted && run_schema(&dice, folder, seed))
        ;
    if (old == NULL)
        tell_tally();
    slu_avro_reader_free(reader);
    return tally.wrong == 0 ? 0 : 1;
}
