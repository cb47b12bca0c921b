/* schema_help.h -- what the tests of the JSON Schema judge share: compile a text, judge a text. */
#ifndef SLU_TESTS_UNIT_SCHEMA_HELP_H
#define SLU_TESTS_UNIT_SCHEMA_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "validation/json_schema/schema.h"
#include "validation/payload/payload.h"
#include "validation/verdict.h"

#include <stdio.h>
#include <stdlib.h>

static struct slu_payload_reader *reader;
static struct slu_schema_scratch *scratch;
static struct slu_verdict verdict;
static const struct slu_schema_options options = {.name = "oven:1", .source = "oven.json"};

static inline struct slu_schema *compile(const char *text)
{
    struct slu_problems problems;
    slu_problems_init(&problems);
    struct slu_schema *schema = slu_schema_compile(slu_slice_of(text), &options, &problems);
    if (schema == NULL)
        fail_msg("%s: %s", text, problems.n != 0 ? problems.items[0].err.text : "no reason");
    slu_problems_fini(&problems);
    return schema;
}

/* Twice fast, once collecting: all must agree. */
static inline bool judge(const struct slu_schema *schema, struct slu_slice text)
{
    struct slu_payload payload;
    if (!slu_payload_read(reader, SLU_FORMAT_JSON, text, &payload))
        fail_msg("no payload: %s", payload.fault_text);
    slu_verdict_reset(&verdict);
    const bool first = slu_schema_judge(schema, scratch, &payload, NULL);
    const bool told = slu_schema_judge(schema, scratch, &payload, &verdict);
    assert_int_equal(slu_schema_judge(schema, scratch, &payload, NULL), first);
    assert_int_equal(told, first);
    assert_int_equal(slu_verdict_holds(&verdict), first);
    return first;
}

static inline bool holds(const char *schema_text, const char *payload)
{
    struct slu_schema *schema = compile(schema_text);
    const bool result = judge(schema, slu_slice_of(payload));
    slu_schema_free(schema);
    return result;
}

#define D2019 "{\"$schema\":\"https://json-schema.org/draft/2019-09/schema\","
#define D7    "{\"$schema\":\"http://json-schema.org/draft-07/schema#\","
#define D4    "{\"$schema\":\"http://json-schema.org/draft-04/schema#\","

static inline int set_up(void **state)
{
    (void)state;
    reader = slu_payload_reader_new(16u << 20);
    scratch = slu_schema_scratch_new();
    slu_verdict_init(&verdict);
    return reader == NULL || scratch == NULL;
}

static inline int tear_down(void **state)
{
    (void)state;
    slu_verdict_fini(&verdict);
    slu_schema_scratch_free(scratch);
    slu_payload_reader_free(reader);
    return 0;
}

#endif
