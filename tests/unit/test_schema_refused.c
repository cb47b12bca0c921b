/* test_schema_refused.c -- schemas that are refused or warned of, each at its place. */
#include "tests/unit/schema_help.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_schema_is_refused_at_its_place),
        cmocka_unit_test(all_errors_of_a_schema_come_at_once),
        cmocka_unit_test(what_would_be_ignored_silently_is_a_warning),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
