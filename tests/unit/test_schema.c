/* test_schema.c -- the JSON Schema judge: what holds, and what is told of what does not. */
#include "tests/unit/schema_help.h"

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
        cmocka_unit_test(scalar_payloads_are_judged_like_json),
        cmocka_unit_test(a_verdict_collects_over_several_schemas),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
