/* JSON Schema: what holds, what is told about what does not, what is refused at load. The official
 * suite (test_schema_suite) covers each keyword's meaning; here is what it leaves open. */
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

static int set_up(void **state)
{
    (void)state;
    reader = slu_payload_reader_new(16u << 20);
    scratch = slu_schema_scratch_new();
    slu_verdict_init(&verdict);
    return reader == NULL || scratch == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    slu_verdict_fini(&verdict);
    slu_schema_scratch_free(scratch);
    slu_payload_reader_free(reader);
    return 0;
}

static struct slu_schema *compile(const char *text)
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
static bool judge(const struct slu_schema *schema, struct slu_slice text)
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

static bool holds(const char *schema_text, const char *payload)
{
    struct slu_schema *schema = compile(schema_text);
    const bool result = judge(schema, slu_slice_of(payload));
    slu_schema_free(schema);
    return result;
}

static const struct {
    const char *schema, *payload;
    bool holds;
} cases[] = {
    /* Numbers by their exact value. */
    {"{\"type\":\"integer\"}", "1.0", true},
    {"{\"type\":\"integer\"}", "1e3", true},
    {"{\"type\":\"integer\"}", "-0.0", true},
    {"{\"type\":\"integer\"}", "1.00000000000000000001", false},
    {"{\"type\":\"integer\"}", "0.99999999999999999999", false},
    {"{\"type\":\"integer\"}", "12345678901234567890123", true},
    {"{\"type\":\"integer\"}", "9007199254740993.5", false},
    {"{\"type\":\"integer\"}", "1e400", true},
    {"{\"type\":\"integer\"}", "1e-400", false},
    {"{\"type\":\"number\"}", "1e400", true},
    {"{\"minimum\":9007199254740993}", "9007199254740992", false},
    {"{\"minimum\":9007199254740993}", "9007199254740993", true},
    {"{\"minimum\":9007199254740993}", "9007199254740993.0", true},
    {"{\"minimum\":9007199254740993}", "9007199254740992.5", false},
    {"{\"exclusiveMaximum\":0.1}", "0.1", false},
    {"{\"exclusiveMaximum\":0.1}", "0.09999999999999999999999", true},
    {"{\"exclusiveMaximum\":0.1}", "0.10000000000000000000001", false},
    {"{\"maximum\":0.1}", "0.10000000000000000000001", false},
    {"{\"maximum\":18446744073709551615}", "18446744073709551615", true},
    {"{\"maximum\":18446744073709551615}", "18446744073709551616", false},
    {"{\"maximum\":18446744073709551615}", "18446744073709551614", true},
    {"{\"minimum\":-9223372036854775808}", "-9223372036854775808", true},
    {"{\"minimum\":-9223372036854775808}", "-9223372036854775809", false},
    {"{\"minimum\":-1}", "18446744073709551615", true},
    {"{\"maximum\":-1}", "18446744073709551615", false},
    {"{\"maximum\":5}", "18446744073709551615", false},
    {"{\"minimum\":0}", "-0.0", true},
    {"{\"minimum\":-0.0}", "0", true},
    {"{\"exclusiveMinimum\":0}", "1e-400", true},
    {"{\"maximum\":1e400}", "1e399", true},
    {"{\"maximum\":1e400}", "1e401", false},
    {"{\"maximum\":1e400}", "5", true},
    {"{\"minimum\":-1e400}", "-1e401", false},
    {"{\"minimum\":1,\"maximum\":3}", "\"x\"", true},
    {"{\"minimum\":1.5,\"exclusiveMinimum\":1}", "1.2", false},
    {"{\"multipleOf\":0.01}", "19.99", true},
    {"{\"multipleOf\":0.01}", "19.995", false},
    {"{\"multipleOf\":0.1}", "0.30000000000000000000000000001", false},
    {"{\"multipleOf\":1e-8}", "12391239123", true},
    {"{\"multipleOf\":3}", "9007199254740993", true},
    {"{\"multipleOf\":3}", "-9", true},
    {"{\"multipleOf\":3}", "-10", false},
    {"{\"multipleOf\":3}", "9.0", true},
    {"{\"multipleOf\":18446744073709551615}", "18446744073709551615", true},
    {"{\"multipleOf\":1e400}", "1e401", true},
    {"{\"multipleOf\":7}", "0", true},
    {"{\"const\":1}", "1.0", true},
    {"{\"const\":1.0}", "1", true},
    {"{\"const\":1}", "1.00000000000000000001", false},
    {"{\"const\":9007199254740993}", "9007199254740993.0", true},
    {"{\"const\":9007199254740993}", "9007199254740992", false},
    {"{\"const\":9007199254740993.0}", "9007199254740992", false},
    {"{\"const\":0}", "-0.0", true},
    {"{\"const\":0}", "-0", true},
    {"{\"const\":1e400}", "10e399", true},
    {"{\"const\":1}", "true", false},
    {"{\"const\":false}", "0", false},
    {"{\"const\":{\"a\":[1,{\"b\":null}],\"c\":\"x\"}}", "{\"c\":\"x\",\"a\":[1.0,{\"b\":null}]}",
     true},
    {"{\"const\":{\"a\":1,\"b\":2}}", "{\"a\":1,\"c\":2}", false},
    {"{\"const\":{\"a\":1}}", "{\"a\":1,\"b\":2}", false},
    {"{\"const\":[1,2]}", "[2,1]", false},
    {"{\"enum\":[1,2,3,4,5,6,7,8,9.5,\"x\",[1],{\"a\":1}]}", "9.50", true},
    {"{\"enum\":[1,2,3,4,5,6,7,8,9.5,\"x\",[1],{\"a\":1}]}", "8.0", true},
    {"{\"enum\":[1,2,3,4,5,6,7,8,9.5,\"x\",[1],{\"a\":1}]}", "{\"a\":1.0}", true},
    {"{\"enum\":[1,2,3,4,5,6,7,8,9.5,\"x\",[1],{\"a\":1}]}", "[1]", true},
    {"{\"enum\":[1,2,3,4,5,6,7,8,9.5,\"x\",[1],{\"a\":1}]}", "\"y\"", false},
    {"{\"enum\":[\"a\",\"b\"]}", "\"b\"", true},
    {"{\"enum\":[\"a\",\"b\"]}", "\"ab\"", false},
    {"{\"enum\":[\"a\\u0000b\"]}", "\"a\\u0000b\"", true},
    {"{\"enum\":[\"a\\u0000b\"]}", "\"a\\u0000c\"", false},
    {"{\"enum\":[\"a\"]}", "1", false},
    {"{\"enum\":[]}", "1", false},
    {"{\"uniqueItems\":true}", "[1,1.0]", false},
    {"{\"uniqueItems\":true}", "[1,1.00000000000000000001]", true},
    {"{\"uniqueItems\":true}", "[1e400,10e399]", false},
    {"{\"uniqueItems\":true}", "[0,-0.0]", false},
    {"{\"uniqueItems\":true}", "[1,2,3,4,5,6,7,8,9,1e0]", false},
    {"{\"uniqueItems\":true}", "[1,2,3,4,5,6,7,8,9,true]", true},
    {"{\"uniqueItems\":true}", "[0,1,2,3,4,5,6,false,null,\"\",\"0\",[],{}]", true},
    {"{\"uniqueItems\":true}", "[0,1,2,3,4,5,6,{\"a\":1,\"b\":2},{\"b\":2,\"a\":1}]", false},
    {"{\"uniqueItems\":true}", "[0,1,2,3,4,5,6,[1,2],[2,1]]", true},
    {"{\"uniqueItems\":false}", "[1,1]", true},
    /* Counts may be written as any whole number. */
    {"{\"maxItems\":2.0}", "[1,2,3]", false},
    {"{\"minLength\":2e0}", "\"a\"", false},
    {"{\"maxLength\":1e30}", "\"abc\"", true},
    {"{\"minItems\":99999999999999999999}", "[]", false},
    {"{\"minProperties\":0}", "{}", true},
    /* Lengths are code points. */
    {"{\"maxLength\":2}", "\"\xF0\x9F\x98\x80\xC3\xA9\"", true},
    {"{\"maxLength\":1}", "\"\xF0\x9F\x98\x80\xC3\xA9\"", false},
    {"{\"minLength\":2}", "\"\xF0\x9F\x98\x80\"", false},
    {"{\"minLength\":3}", "\"\xC3\xA9\xC3\xA9\"", false},
    {"{\"minLength\":1}", "\"\"", false},
    {"{\"minLength\":3,\"maxLength\":3}", "\"\\u0000\\ud83d\\ude00a\"", true},
    /* Objects. */
    {"{\"required\":[\"a\",\"b\"],\"properties\":{\"a\":true}}", "{\"b\":1,\"a\":2}", true},
    {"{\"required\":[\"a\",\"b\"],\"properties\":{\"a\":true}}", "{\"b\":1,\"c\":2}", false},
    {"{\"required\":[\"\"]}", "{\"\":1}", true},
    {"{\"additionalProperties\":false}", "{\"a\":1}", false},
    {"{\"additionalProperties\":false,\"required\":[\"a\"]}", "{\"a\":1}", false},
    {"{\"patternProperties\":{\"^a\":true},\"additionalProperties\":false}", "{\"ab\":1}", true},
    {"{\"patternProperties\":{\"^a\":{\"type\":\"string\"}},\"properties\":{\"ab\":{\"minimum\":1}}"
     "}",
     "{\"ab\":1}", false},
    {"{\"propertyNames\":{\"maxLength\":2}}", "{\"ab\":1,\"abc\":1}", false},
    {"{\"propertyNames\":false}", "{}", true},
    {"{\"dependentRequired\":{\"a\":[\"b\",\"c\"]}}", "{\"a\":1,\"c\":1,\"b\":1}", true},
    {"{\"dependentRequired\":{\"a\":[\"b\",\"c\"]}}", "{\"a\":1,\"c\":1}", false},
    {"{\"dependentRequired\":{\"a\":[\"b\"],\"c\":[\"a\"]},\"required\":[\"c\"]}",
     "{\"c\":1,\"a\":1}", false},
    {"{\"dependentSchemas\":{\"a\":{\"maxProperties\":1}}}", "{\"b\":1,\"a\":1}", false},
    /* References. */
    {"{\"$ref\":\"#/$defs/a~1b%25\",\"$defs\":{\"a/b%\":{\"type\":\"null\"}}}", "1", false},
    {"{\"items\":{\"$ref\":\"#\"},\"type\":\"array\"}", "[[],[[]]]", true},
    {"{\"items\":{\"$ref\":\"#\"},\"type\":\"array\"}", "[[],[1]]", false},
    {"{\"$ref\":\"#a\",\"$defs\":{\"x\":{\"$anchor\":\"a\",\"const\":1}}}", "2", false},
    {"{\"$ref\":\"urn:x:y#/$defs/z\",\"$defs\":{\"x\":{\"$id\":\"urn:x:y\",\"$defs\":{\"z\":"
     "{\"const\":1}}}}}",
     "2", false},
    {"{\"$id\":\"http://h/a/b\",\"$ref\":\"../c\",\"$defs\":{\"x\":{\"$id\":\"/c\",\"const\":1}}}",
     "2", false},
    /* Applicators. */
    {"{\"contains\":{\"const\":1},\"minContains\":0}", "[]", true},
    {"{\"contains\":{\"const\":1},\"minContains\":0,\"maxContains\":1}", "[1,1]", false},
    {"{\"minContains\":3}", "[]", true},
    {"{\"if\":{\"minimum\":5},\"then\":{\"maximum\":6},\"else\":{\"maximum\":1}}", "6", true},
    {"{\"if\":{\"minimum\":5},\"then\":{\"maximum\":6},\"else\":{\"maximum\":1}}", "2", false},
    {"{\"then\":false,\"else\":false}", "1", true},
    {"{\"not\":{}}", "1", false},
    {"true", "1", true},
    {"false", "1", false},
    {"{\"format\":\"ipv4\",\"unit\":\"bar\",\"x-thing\":[1]}", "\"no address\"", true},
    {"{\"$schema\":\"https://json-schema.org/draft/2020-12/schema#\"}", "1", true},
};

static void values_are_judged_exactly(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (holds(cases[i].schema, cases[i].payload) != cases[i].holds)
            fail_msg("%s on %s", cases[i].schema, cases[i].payload);
}

/* code pointer expected actual, a line each */
static const struct {
    const char *schema, *payload, *told;
} told[] = {
    {"{\"type\":\"string\"}", "5", "schema.type  \"string\" 5\n"},
    {"{\"type\":[\"string\",\"null\"]}", "true", "schema.type  [\"string\",\"null\"] true\n"},
    {"{\"type\":\"integer\"}", "1.50", "schema.type  \"integer\" 1.50\n"},
    {"{\"minimum\":1.50}", "1.4900", "schema.minimum  1.50 1.4900\n"},
    {"{\"maximum\":9007199254740993}", "9007199254740994.0",
     "schema.maximum  9007199254740993 9007199254740994.0\n"},
    {"{\"exclusiveMinimum\":1e0}", "1", "schema.exclusiveMinimum  1e0 1\n"},
    {"{\"exclusiveMaximum\":1}", "1.00", "schema.exclusiveMaximum  1 1.00\n"},
    {"{\"multipleOf\":0.10}", "0.25", "schema.multipleOf  0.10 0.25\n"},
    {"{\"const\":{\"a\":1.0}}", "[]", "schema.const  {\"a\":1.0} []\n"},
    {"{\"enum\":[\"a\",1.0]}", "\"b\"", "schema.enum  [\"a\",1.0] \"b\"\n"},
    {"{\"minLength\":2}", "\"a\"", "schema.minLength  2 \"a\"\n"},
    {"{\"maxLength\":2}", "\"abc\"", "schema.maxLength  2 \"abc\"\n"},
    {"{\"pattern\":\"^a\"}", "\"b\"", "schema.pattern  \"^a\" \"b\"\n"},
    {"{\"minItems\":2}", "[1]", "schema.minItems  2 [1]\n"},
    {"{\"maxItems\":1}", "[1,2]", "schema.maxItems  1 [1,2]\n"},
    {"{\"uniqueItems\":true}", "[1,2,1.0]", "schema.uniqueItems /2 true 1.0\n"},
    {"{\"minProperties\":1}", "{}", "schema.minProperties  1 {}\n"},
    {"{\"maxProperties\":0}", "{\"a\":1}", "schema.maxProperties  0 {\"a\":1}\n"},
    {"{\"required\":[\"a\",\"b\",\"c\"]}", "{\"b\":1}",
     "schema.required  \"a\" \nschema.required  \"c\" \n"},
    {"{\"properties\":{\"o\":{\"required\":[\"a\"]}}}", "{\"o\":{}}",
     "schema.required /o \"a\" \n"},
    {"{\"additionalProperties\":false,\"properties\":{\"a\":true}}", "{\"a\":1,\"b/~\":2}",
     "schema.additionalProperties /b~1~0 false 2\n"},
    {"{\"additionalProperties\":{\"type\":\"null\"}}", "{\"a\":1}", "schema.type /a \"null\" 1\n"},
    {"{\"patternProperties\":{\"^a\":{\"minimum\":2}}}", "{\"ab\":1}", "schema.minimum /ab 2 1\n"},
    {"{\"propertyNames\":{\"maxLength\":1}}", "{\"ab\":1}",
     "schema.propertyNames /ab {\"maxLength\":1} \"ab\"\n"},
    {"{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"a\":1}", "schema.dependentRequired  \"b\" \n"},
    {"{\"dependentSchemas\":{\"a\":{\"required\":[\"c\"]}}}", "{\"a\":1}",
     "schema.required  \"c\" \n"},
    {"{\"properties\":{\"a\":false}}", "{\"a\":1}", "schema.false /a  1\n"},
    {"false", "{}", "schema.false   {}\n"},
    {"{\"items\":{\"type\":\"null\"}}", "[null,1,null,2]",
     "schema.type /1 \"null\" 1\nschema.type /3 \"null\" 2\n"},
    {"{\"prefixItems\":[{\"type\":\"null\"}],\"items\":false}", "[1,2]",
     "schema.type /0 \"null\" 1\nschema.false /1  2\n"},
    {"{\"contains\":{\"const\":1}}", "[2]", "schema.contains  {\"const\":1} [2]\n"},
    {"{\"contains\":{\"const\":1},\"minContains\":2}", "[1]", "schema.minContains  2 [1]\n"},
    {"{\"contains\":{\"const\":1},\"maxContains\":1}", "[1,1]", "schema.maxContains  1 [1,1]\n"},
    {"{\"allOf\":[{\"minimum\":2},{\"maximum\":0}]}", "1",
     "schema.minimum  2 1\nschema.maximum  0 1\n"},
    /* A branch tells nothing: the keyword tells for it. */
    {"{\"anyOf\":[{\"minimum\":2},{\"maximum\":0}]}", "1",
     "schema.anyOf  [{\"minimum\":2},{\"maximum\":0}] 1\n"},
    {"{\"oneOf\":[true,true]}", "1", "schema.oneOf  [true,true] 1\n"},
    {"{\"not\":{\"const\":1}}", "1", "schema.not  {\"const\":1} 1\n"},
    {"{\"if\":true,\"then\":{\"minimum\":2}}", "1", "schema.minimum  2 1\n"},
    {"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"minimum\":2}}}", "1", "schema.minimum  2 1\n"},
    {"{\"properties\":{\"a\":true},\"unevaluatedProperties\":false}", "{\"a\":1,\"b\":2}",
     "schema.unevaluatedProperties /b false 2\n"},
    {"{\"prefixItems\":[true],\"unevaluatedItems\":false}", "[1,2]",
     "schema.unevaluatedItems /1 false 2\n"},
    {"{\"unevaluatedItems\":{\"type\":\"null\"}}", "[1]", "schema.type /0 \"null\" 1\n"},
    /* Beyond eight they are counted. */
    {"{\"items\":{\"minimum\":1}}", "[0,0,0,0,0,0,0,0,0,0]",
     "schema.minimum /0 1 0\nschema.minimum /1 1 0\nschema.minimum /2 1 0\nschema.minimum /3 1 0\n"
     "schema.minimum /4 1 0\nschema.minimum /5 1 0\nschema.minimum /6 1 0\nschema.minimum /7 1 0\n"
     "and 2 more\n"},
};

static void write_told(char *out, size_t size)
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < verdict.n; i++) {
        const struct slu_violation *violation = &verdict.violations[i];
        assert_string_equal(violation->schema, "oven:1");
        assert_true(violation->message.len != 0);
        n += (size_t)snprintf(out + n, size - n, "%s %.*s %.*s %.*s\n", violation->code,
                              SLU_SLICE_ARG(slu_verdict_text(&verdict, violation->pointer)),
                              SLU_SLICE_ARG(slu_verdict_text(&verdict, violation->expected)),
                              SLU_SLICE_ARG(slu_verdict_text(&verdict, violation->actual)));
    }
    if (verdict.total > verdict.n)
        snprintf(out + n, size - n, "and %zu more\n", (size_t)verdict.total - verdict.n);
}

static void violations_say_what_where_and_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        char text[4096];
        struct slu_schema *schema = compile(told[i].schema);
        assert_false(judge(schema, slu_slice_of(told[i].payload)));
        write_told(text, sizeof(text));
        assert_string_equal(text, told[i].told);
        slu_schema_free(schema);
    }
}

static void messages_are_sentences(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *payload, *message;
    } rows[] = {
        {"{\"maximum\":400}", "500", "500 is above the maximum of 400"},
        {"{\"required\":[\"ts\"]}", "{}", "the object lacks the property \"ts\""},
        {"{\"type\":\"object\"}", "\"x\"", "\"x\" is not of type \"object\""},
        {"{\"additionalProperties\":false}", "{\"a\":1}",
         "\"a\" is a property that is not allowed"},
        {"false", "1", "nothing is allowed here"},
        {"{\"pattern\":\"^[0-9]+$\"}", "\"x\"", "\"x\" does not match the pattern \"^[0-9]+$\""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_false(holds(rows[i].schema, rows[i].payload));
        const struct slu_slice message = slu_verdict_text(&verdict, verdict.violations[0].message);
        assert_int_equal(message.len, strlen(rows[i].message));
        assert_memory_equal(message.data, rows[i].message, message.len);
    }
}

static void long_values_are_left_out_of_a_violation(void **state)
{
    (void)state;
    static char payload[400000];
    memset(payload, 'x', sizeof(payload));
    payload[0] = '"';
    payload[sizeof(payload) - 1] = '"';
    struct slu_schema *schema = compile("{\"type\":\"null\"}");
    assert_false(judge(schema, slu_slice(payload, sizeof(payload))));
    assert_int_equal(verdict.violations[0].actual.len, 0);
    const size_t n = sizeof(payload) - 1;
    for (size_t i = 0; i < n; i++)
        payload[i] = i % 2 ? '1' : ',';
    payload[0] = '[';
    payload[n - 1] = ']';
    assert_false(judge(schema, slu_slice(payload, n)));
    assert_int_equal(verdict.violations[0].actual.len, 0);
    slu_schema_free(schema);
}

#define D2019 "{\"$schema\":\"https://json-schema.org/draft/2019-09/schema\","
#define D7    "{\"$schema\":\"http://json-schema.org/draft-07/schema#\","
#define D4    "{\"$schema\":\"http://json-schema.org/draft-04/schema#\","

/* The first problem as file:line:column: /pointer: text */
static const struct {
    const char *schema, *problem;
} refused[] = {
    {"{\"type\":\"strin\"}", "oven.json:1:9: /type: type takes null, boolean, integer"},
    {"{\"type\":[]}", "oven.json:1:9: /type: type takes at least one name"},
    {"{\"type\":[\"null\",\"null\"]}", "oven.json:1:17: /type/1: type names this one twice"},
    {"{\"type\":5}", "oven.json:1:9: /type: type takes"},
    {"{\n  \"minimum\": \"3\"\n}",
     "oven.json:2:14: /minimum: minimum takes a number, not a string"},
    {"{\"multipleOf\":0}", "/multipleOf: multipleOf takes a number above 0"},
    {"{\"multipleOf\":-1}", "/multipleOf: multipleOf takes a number above 0"},
    {"{\"maxLength\":-1}", "/maxLength: maxLength takes a whole number from 0 on"},
    {"{\"maxLength\":1.5}", "/maxLength: maxLength takes a whole number from 0 on"},
    {"{\"minContains\":-1,\"contains\":true}", "/minContains: minContains takes a whole number"},
    {"{\"uniqueItems\":1}", "/uniqueItems: uniqueItems takes a boolean, not a number"},
    {"{\"pattern\":\"a(\"}", "oven.json:1:12: /pattern: the pattern is wrong at character 2"},
    {"{\"patternProperties\":{\"[\":true}}",
     "oven.json:1:23: /patternProperties/[: the pattern is wrong at character 1"},
    {"{\"pattern\":\"(?<=a+)b\"}", "/pattern: the pattern asks for something that cannot"},
    {"{\"enum\":1}", "/enum: enum takes an array, not a number"},
    {"{\"required\":\"a\"}", "/required: required takes an array, not a string"},
    {"{\"required\":[1]}", "/required/0: required takes names of properties"},
    {"{\"required\":[\"a\",\"a\"]}", "/required/1: required names this property twice"},
    {"{\"dependentRequired\":{\"a\":1}}", "/dependentRequired/a: dependentRequired takes an array"},
    {"{\"properties\":[]}", "/properties: properties takes an object, not an array"},
    {"{\"properties\":{\"a\":1}}",
     "/properties/a: a schema is an object or a boolean, not a number"},
    {"{\"items\":[]}", "/items: items takes one schema; a list of them is prefixItems"},
    {"{\"prefixItems\":[]}", "/prefixItems: prefixItems takes at least one schema"},
    {"{\"allOf\":[]}", "/allOf: allOf takes at least one schema"},
    {"{\"anyOf\":{}}", "/anyOf: anyOf takes an array, not an object"},
    {"{\"not\":1}", "/not: a schema is an object or a boolean, not a number"},
    {"{\"if\":1}", "/if: a schema is"},
    {"{\"else\":1}", "/else: a schema is"},
    {"{\"title\":1}", "/title: title takes a string, not a number"},
    {"{\"$defs\":{\"a\":{\"type\":1}}}", "/$defs/a/type: type takes"},
    {"5", "oven.json:1:1: a schema is an object or a boolean, not a number"},
    {"{\"$ref\":\"#/$defs/a\"}", "/$ref: the reference leads nowhere: there is no /$defs/a"},
    {"{\"$ref\":\"#a\"}", "/$ref: the reference leads nowhere: there is no anchor \"a\""},
    {"{\"$ref\":\"other.json\"}", "/$ref: the reference leads to a schema that is not here: other"},
    {"{\"$ref\":\"#/%zz\"}", "/$ref: the reference has a malformed % in its fragment"},
    {"{\"$ref\":\"#/title\",\"title\":\"x\"}", "/title: a schema is an object or a boolean"},
    {"{\"$ref\":5}", "/$ref: $ref takes a string, not a number"},
    {"{\"$ref\":\"#\"}", "oven.json:1:1: a reference that comes back here"},
    {"{\"$defs\":{\"a\":{\"anyOf\":[{\"$ref\":\"#/$defs/b\"}]},\"b\":{\"not\":{\"$ref\":"
     "\"#/$defs/a\"}}}}",
     "a reference that comes back here"},
    {"{\"$anchor\":\"1\"}", "/$anchor: $anchor takes a letter or _"},
    {"{\"$id\":\"http://x/#a\"}", "/$id: $id has a fragment"},
    {"{\"$defs\":{\"a\":{\"$id\":\"b\"},\"c\":{\"$id\":\"b\"}}}",
     "/$defs/c/$id: another schema has this $id already"},
    {"{\"$defs\":{\"a\":{\"$anchor\":\"b\"},\"c\":{\"$anchor\":\"b\"}}}",
     "/$defs/c/$anchor: another subschema"},
    {"{\"$schema\":\"http://json-schema.org/draft-03/schema#\"}",
     "oven.json:1:12: /$schema: $schema is of no draft (4, 6, 7, 2019-09, 2020-12)"},
    {"{\"$schema\":5}", "/$schema: $schema takes a string, not a number"},
    {"{\"$schema\":\"\"}", "/$schema: $schema is of no draft"},
    {"{\"$vocabulary\":5}", "/$vocabulary: $vocabulary takes an object, not a number"},
    {"{\"$vocabulary\":{\"x:y\":1}}", "/$vocabulary/x:y: $vocabulary takes a boolean"},
    {D2019 "\"$recursiveRef\":\"#a\"}", "/$recursiveRef: $recursiveRef takes \"#\""},
    {D2019 "\"$recursiveRef\":\"#\"}", "a reference that comes back here"},
    {D2019 "\"$recursiveAnchor\":1}", "/$recursiveAnchor: $recursiveAnchor takes a boolean"},
    {D2019 "\"$anchor\":\"_a\"}", "/$anchor: $anchor takes a letter, then"},
    {D2019 "\"items\":[]}", "/items: items takes at least one schema"},
    {D7 "\"$ref\":5}", "/$ref: $ref takes a string, not a number"},
    {D7 "\"dependencies\":{\"a\":5}}", "/dependencies/a: a schema is an object or a boolean"},
    {D7 "\"dependencies\":{\"a\":[5]}}", "/dependencies/a/0: dependencies takes names"},
    {D7 "\"contentEncoding\":5}", "/contentEncoding: contentEncoding takes a string"},
    {D7 "\"format\":5}", "/format: format takes a string, not a number"},
    {D7 "\"additionalItems\":5}", "/additionalItems: a schema is an object or a boolean"},
    {D7 "\"definitions\":{\"a\":{\"$id\":\"#b\"},\"c\":{\"$id\":\"#b\"}}}",
     "/definitions/c/$id: another subschema of this schema has the anchor \"b\""},
    {D4 "\"not\":true}", "/not: a schema is an object in draft 4, not a boolean"},
    {D4 "\"items\":true}", "/items: a schema is an object in draft 4, not a boolean"},
    {D4 "\"minimum\":1,\"exclusiveMinimum\":1}",
     "/exclusiveMinimum: exclusiveMinimum takes a bool"},
    {D4 "\"required\":true}", "/required: required takes an array, not a boolean"},
    {D4 "\"$ref\":\"#/definitions/a\"}", "/$ref: the reference leads nowhere"},
    {"{\"a\":1,\"a\":2}", "oven.json:1:8: /a: \"a\": a key that its object already has"},
    {"{", "oven.json:1:"},
    {"", "oven.json:"},
};

static void a_bad_schema_is_refused_at_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct slu_problems problems;
        slu_problems_init(&problems);
        if (slu_schema_compile(slu_slice_of(refused[i].schema), &options, &problems) != NULL)
            fail_msg("%s was accepted", refused[i].schema);
        char text[1200] = "";
        assert_true(problems.n_errors > 0);
        for (size_t j = 0; j < problems.n && text[0] == '\0'; j++)
            if (!problems.items[j].is_warning)
                slu_err_format(&problems.items[j].err, text, sizeof(text));
        if (strstr(text, refused[i].problem) == NULL)
            fail_msg("%s: %s", refused[i].schema, text);
        slu_problems_fini(&problems);
    }
}

static void all_errors_of_a_schema_come_at_once(void **state)
{
    (void)state;
    struct slu_problems problems;
    slu_problems_init(&problems);
    assert_null(
        slu_schema_compile(SLU_SLICE("{\"type\":\"nul\",\n\"properties\":{\"a\":{\"minimum\":"
                                     "\"x\"},\n\"b\":{\"pattern\":\"(\",\"$ref\":\"#c\"}}}"),
                           &options, &problems));
    assert_int_equal(problems.n_errors, 4);
    assert_int_equal(problems.items[0].err.line, 1);
    assert_int_equal(problems.items[1].err.line, 2);
    assert_int_equal(problems.items[2].err.line, 3);
    assert_int_equal(problems.items[3].err.line, 3);
    slu_problems_fini(&problems);
}

static void what_would_be_ignored_silently_is_a_warning(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *warning;
    } rows[] = {
        {"{\"requird\":[\"a\"]}", "did you mean \"required\"?"},
        {"{\"properties\":{\"a\":{\"maximun\":3}}}", "did you mean \"maximum\"?"},
        {"{\"additionalItems\":false}", "additionalItems asks for nothing: draft 2020-12 does not"},
        {D7 "\"$defs\":{}}", "$defs asks for nothing: draft 7 does not have it"},
        {D7 "\"$ref\":\"#/definitions/a\",\"maximum\":3,\"definitions\":{\"a\":{}}}",
         "maximum asks for nothing: up to draft 7 what is beside $ref is ignored"},
        {D4 "\"const\":3}", "const asks for nothing: draft 4 does not have it"},
        {D4 "\"exclusiveMinimum\":true}", "asks for nothing without minimum in draft 4"},
        {"{\"properties\":{\"a\":{\"$schema\":\"http://json-schema.org/draft-07/schema#\"}}}",
         "$schema asks for nothing: it goes to the root of a schema"},
        {"{\"enum\":[]}", "an empty enum allows nothing"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slu_problems problems;
        slu_problems_init(&problems);
        struct slu_schema *schema =
            slu_schema_compile(slu_slice_of(rows[i].schema), &options, &problems);
        assert_non_null(schema);
        assert_int_equal(problems.n_warnings, 1);
        assert_non_null(strstr(problems.items[0].err.text, rows[i].warning));
        slu_problems_fini(&problems);
        slu_schema_free(schema);
    }
}

static void hundreds_of_required_names_are_all_looked_for(void **state)
{
    (void)state;
    enum { N = 300 };
    static char schema_text[N * 16], payload[N * 16];
    size_t n = 0;
    n += (size_t)sprintf(schema_text + n, "{\"required\":[");
    for (int i = 0; i < N; i++)
        n += (size_t)sprintf(schema_text + n, "%s\"k%d\"", i ? "," : "", i);
    sprintf(schema_text + n, "]}");
    struct slu_schema *schema = compile(schema_text);
    for (int missing = -1; missing < N; missing++) {
        n = (size_t)sprintf(payload, "{\"x\":1");
        for (int i = N - 1; i >= 0; i--)
            if (i != missing)
                n += (size_t)sprintf(payload + n, ",\"k%d\":%d", i, i);
        payload[n++] = '}';
        assert_int_equal(judge(schema, slu_slice(payload, n)), missing == -1);
        assert_int_equal(verdict.total, missing != -1);
    }
    slu_schema_free(schema);
}

/* a0 … a39, each of which applies the next one twice: 2^40 judgements. */
static void write_exponential(char *out, const char *open, const char *close, const char *last)
{
    size_t n = (size_t)sprintf(out, "{\"$ref\":\"#/$defs/a0\",\"$defs\":{");
    for (int i = 0; i < 40; i++)
        n += (size_t)sprintf(out + n,
                             "\"a%d\":%s{\"$ref\":\"#/$defs/a%d\"},{\"$ref\":\"#/$defs/a%d\"}%s,",
                             i, open, i + 1, i + 1, close);
    sprintf(out + n, "\"a40\":%s}}", last);
}

static void the_budget_ends_every_judgement_as_a_violation(void **state)
{
    (void)state;
    static const struct {
        const char *open, *close, *last;
    } rows[] = {
        {"{\"allOf\":[", "]}", "{\"type\":\"null\"}"},
        {"{\"anyOf\":[", "]}", "{\"type\":\"string\"}"},
        {"{\"oneOf\":[", "]}", "{\"type\":\"string\"}"},
        {"{\"not\":{\"allOf\":[", "]}}", "{\"type\":\"null\"}"},
        {"{\"not\":{\"anyOf\":[", "]}}", "{\"type\":\"string\"}"},
        {"{\"if\":{\"allOf\":[", "]},\"then\":true,\"else\":true}", "{\"type\":\"null\"}"},
    };
    static char text[8192];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        write_exponential(text, rows[i].open, rows[i].close, rows[i].last);
        assert_false(holds(text, "null"));
        assert_int_equal(verdict.total, 1);
        assert_string_equal(verdict.violations[0].code, "schema.budget");
    }
}

static void a_pattern_that_runs_away_never_turns_a_judgement_around(void **state)
{
    (void)state;
    static const char *const schemas[] = {
        "{\"pattern\":\"%s\"}",
        "{\"not\":{\"pattern\":\"%s\"}}",
        "{\"anyOf\":[{\"pattern\":\"%s\"},true]}",
        "{\"anyOf\":[{\"not\":{\"pattern\":\"%s\"}}]}",
        "{\"oneOf\":[{\"pattern\":\"%s\"},true]}",
        "{\"if\":{\"pattern\":\"%s\"},\"then\":false}",
        "{\"allOf\":[{\"if\":{\"pattern\":\"%s\"},\"else\":true}]}",
    };
    static const char payload[] =
        "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"";
    for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++) {
        char text[256], schema[256];
        snprintf(schema, sizeof(schema), "%s", schemas[i]);
        char *at = strstr(schema, "%s");
        snprintf(text, sizeof(text), "%.*s^(?=a)(a|a)*\\\\1[cx]%s", (int)(at - schema), schema,
                 at + 2);
        assert_false(holds(text, payload));
        assert_string_equal(verdict.violations[verdict.n - 1].code, "schema.pattern_budget");
    }
}

static void names_are_matched_within_the_budget_too(void **state)
{
    (void)state;
    assert_false(holds("{\"patternProperties\":{\"^(?=a)(a|a)*\\\\1[cx]\":true}}",
                       "{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\":1}"));
    assert_string_equal(verdict.violations[0].code, "schema.pattern_budget");
}

static void depth_is_bounded_by_payload_and_schema(void **state)
{
    (void)state;
    char payload[256];
    memset(payload, '[', 64);
    memset(payload + 64, ']', 64);
    struct slu_schema *schema = compile("{\"items\":{\"$ref\":\"#\"},\"maxItems\":1}");
    assert_true(judge(schema, slu_slice(payload, 128)));
    slu_schema_free(schema);

    /* 400 schemas in a row at each of 64 levels are more than a thread's stack should hold. */
    static char text[65536];
    size_t n = (size_t)sprintf(text, "{\"$ref\":\"#/$defs/a0\",\"$defs\":{");
    for (int i = 0; i < 400; i++)
        n += (size_t)sprintf(text + n, "\"a%d\":{\"$ref\":\"#/$defs/a%d\"},", i, i + 1);
    sprintf(text + n, "\"a400\":{\"items\":{\"$ref\":\"#\"}}}}");
    schema = compile(text);
    assert_true(judge(schema, SLU_SLICE("[[]]")));
    assert_false(judge(schema, slu_slice(payload, 128)));
    assert_string_equal(verdict.violations[0].code, "schema.budget");
    slu_schema_free(schema);
}

static void a_chain_of_references_has_a_limit(void **state)
{
    (void)state;
    static char text[65536];
    size_t n = (size_t)sprintf(text, "{\"$ref\":\"#/$defs/a0\",\"$defs\":{");
    for (int i = 0; i < 600; i++)
        n += (size_t)sprintf(text + n, "\"a%d\":{\"$ref\":\"#/$defs/a%d\"},", i, i + 1);
    sprintf(text + n, "\"a600\":true}}");
    struct slu_problems problems;
    slu_problems_init(&problems);
    assert_null(slu_schema_compile(slu_slice_of(text), &options, &problems));
    assert_non_null(strstr(problems.items[0].err.text, "schemas in a row"));
    slu_problems_fini(&problems);
}

static void a_hundred_thousand_items_are_compared_in_time(void **state)
{
    (void)state;
    enum { N = 100000 };
    static char payload[N * 8];
    size_t n = 0;
    payload[n++] = '[';
    for (int i = 0; i < N; i++)
        n += (size_t)sprintf(payload + n, "%s%d", i ? "," : "", i);
    payload[n++] = ']';
    struct slu_schema *schema = compile("{\"uniqueItems\":true}");
    assert_true(judge(schema, slu_slice(payload, n)));
    n--;
    n += (size_t)sprintf(payload + n, ",77]");
    assert_false(judge(schema, slu_slice(payload, n)));
    const struct slu_slice pointer = slu_verdict_text(&verdict, verdict.violations[0].pointer);
    assert_memory_equal(pointer.data, "/100000", pointer.len);
    slu_schema_free(schema);
}

static void scalar_payloads_are_judged_like_json(void **state)
{
    (void)state;
    struct slu_payload payload;
    struct slu_schema *schema =
        compile("{\"type\":\"number\",\"multipleOf\":0.1,\"maximum\":20.5}");
    slu_verdict_reset(&verdict);
    assert_true(slu_payload_read(reader, SLU_FORMAT_NUMBER, SLU_SLICE(" 20.5 "), &payload));
    assert_true(slu_schema_judge(schema, scratch, &payload, &verdict));
    assert_true(slu_payload_read(reader, SLU_FORMAT_NUMBER, SLU_SLICE("20.50000000000000000001"),
                                 &payload));
    assert_false(slu_schema_judge(schema, scratch, &payload, &verdict));
    assert_int_equal(verdict.total, 2);
    assert_true(slu_payload_read(reader, SLU_FORMAT_BYTES, SLU_SLICE("\xFF"), &payload));
    assert_false(slu_schema_judge(schema, scratch, &payload, NULL)); /* there is no value */
    slu_schema_free(schema);
}

static void a_verdict_collects_over_several_schemas(void **state)
{
    (void)state;
    struct slu_payload payload;
    struct slu_schema *one = compile("{\"minimum\":2}");
    struct slu_schema *other = compile("{\"maximum\":0}");
    slu_verdict_reset(&verdict);
    assert_true(slu_payload_read(reader, SLU_FORMAT_JSON, SLU_SLICE("1"), &payload));
    assert_false(slu_schema_judge(one, scratch, &payload, &verdict));
    assert_false(slu_schema_judge(other, scratch, &payload, &verdict));
    assert_int_equal(verdict.total, 2);
    assert_string_equal(verdict.violations[1].code, "schema.maximum");
    slu_schema_free(one);
    slu_schema_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_judged_exactly),
        cmocka_unit_test(violations_say_what_where_and_why),
        cmocka_unit_test(messages_are_sentences),
        cmocka_unit_test(long_values_are_left_out_of_a_violation),
        cmocka_unit_test(a_bad_schema_is_refused_at_its_place),
        cmocka_unit_test(all_errors_of_a_schema_come_at_once),
        cmocka_unit_test(what_would_be_ignored_silently_is_a_warning),
        cmocka_unit_test(hundreds_of_required_names_are_all_looked_for),
        cmocka_unit_test(the_budget_ends_every_judgement_as_a_violation),
        cmocka_unit_test(a_pattern_that_runs_away_never_turns_a_judgement_around),
        cmocka_unit_test(names_are_matched_within_the_budget_too),
        cmocka_unit_test(depth_is_bounded_by_payload_and_schema),
        cmocka_unit_test(a_chain_of_references_has_a_limit),
        cmocka_unit_test(a_hundred_thousand_items_are_compared_in_time),
        cmocka_unit_test(scalar_payloads_are_judged_like_json),
        cmocka_unit_test(a_verdict_collects_over_several_schemas),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
