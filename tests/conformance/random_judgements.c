/* random_judgements.c -- what the engine says of random schemas and values, for others to compare.
 *
 *   random_judgements [--seed N] [--count N] [--draft 4|6|7|2019-09|2020-12]
 *
 * One line of JSON a schema, until `count` values (100,000 unless told otherwise) are judged:
 *
 *   {"draft":"7","schema":{…},"values":[…],"held":[true,false,…]}
 *
 * Schemas and values are those of differential.c. A schema that the engine refuses is left out, and
 * counted on stderr; formats are annotations, as they are for the peers.
 */
#include "base/err.h"
#include "tests/conformance/naive.h"
#include "tests/conformance/random_json.h"
#include "validation/json_schema/schema.h"
#include "validation/payload/payload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUES_A_SCHEMA 20
#define MAX_TEXT        (1u << 20)

static const char *const draft_names[NAIVE_DRAFTS] = {"4", "6", "7", "2019-09", "2020-12"};

static struct slu_payload_reader *reader;
static struct slu_schema_scratch *scratch;
static unsigned long schemas, refused, judged;

static void die(const char *what)
{
    fprintf(stderr, "random_judgements: %s\n", what);
    exit(2);
}

static struct slu_schema *compile(struct slu_slice text)
{
    const struct slu_schema_options options = {
        .name = "random", .source = "random", .formats = SLU_FORMATS_ANNOTATE};
    struct slu_problems problems;
    slu_problems_init(&problems);
    struct slu_schema *schema = slu_schema_compile(text, &options, &problems);
    slu_problems_fini(&problems);
    return schema;
}

static bool holds(const struct slu_schema *schema, struct slu_slice value)
{
    struct slu_payload payload;
    if (!slu_payload_read(reader, SLU_FORMAT_JSON, value, &payload))
        die(payload.fault_text);
    return slu_schema_judge(schema, scratch, &payload, NULL);
}

static void run_schema(struct dice *dice, int draft)
{
    struct slu_buf text, value_text, held;
    slu_arena_init(&dice->arena, 64u << 20);
    slu_buf_init(&text, MAX_TEXT);
    slu_buf_init(&value_text, MAX_TEXT);
    slu_buf_init(&held, MAX_TEXT);
    json_print(random_schema(dice, draft), &text);
    struct slu_schema *schema = compile(slu_buf_slice(&text));
    schemas++;
    refused += schema == NULL;
    if (schema != NULL) {
        printf("{\"draft\":\"%s\",\"schema\":%s,\"values\":[", draft_names[draft],
               slu_buf_text(&text));
        for (int i = 0; i < VALUES_A_SCHEMA; i++) {
            slu_buf_reset(&value_text);
            json_print(random_value(dice, 3), &value_text);
            printf("%s%s", i == 0 ? "" : ",", slu_buf_text(&value_text));
            slu_buf_add_text(&held, i == 0 ? "" : ",");
            slu_buf_add_text(&held, holds(schema, slu_buf_slice(&value_text)) ? "true" : "false");
            judged++;
        }
        printf("],\"held\":[%s]}\n", slu_buf_text(&held));
    }
    slu_schema_free(schema);
    slu_buf_fini(&text);
    slu_buf_fini(&value_text);
    slu_buf_fini(&held);
    slu_arena_fini(&dice->arena);
}

int main(int argc, char **argv)
{
    struct dice dice = {.state = 1};
    unsigned long count = 100000;
    int only = -1;

    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc)
            die("an option without its value");
        else if (strcmp(argv[i], "--seed") == 0)
            dice.state = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--count") == 0)
            count = strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--draft") == 0)
            for (only = 0; strcmp(argv[i + 1], draft_names[only]) != 0;) {
                if (++only == NAIVE_DRAFTS)
                    die("--draft takes 4, 6, 7, 2019-09 or 2020-12");
            }
        else
            die("options: --seed N --count N --draft D");
    }
    reader = slu_payload_reader_new(MAX_TEXT);
    scratch = slu_schema_scratch_new();
    if (reader == NULL || scratch == NULL)
        die("no memory");
    for (int draft = 0; judged < count; draft = (draft + 1) % NAIVE_DRAFTS) {
        if (only < 0 || only == draft)
            run_schema(&dice, draft);
    }
    fprintf(stderr, "%lu schemas, %lu of them refused, %lu values judged\n", schemas, refused,
            judged);
    slu_schema_scratch_free(scratch);
    slu_payload_reader_free(reader);
    return fflush(stdout) == 0 ? 0 : 2;
}
