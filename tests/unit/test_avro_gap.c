/* test_avro_gap.c -- what a JSON Schema allows and an Avro schema cannot hold: told where it is sure, and
 * only there. */
#include "tests/unit/avro_help.h"
#include "validation/avro/gap.h"

static void add_line(void *context, const char *pointer, const char *what)
{
    slu_buf_printf(context, "%s: %s\n", pointer, what);
}

/* The gaps, a line each. */
static const char *gaps(const char *avro, const char *json,
                        const struct slu_avro_gap_options *options)
{
    static const struct slu_avro_gap_options usual = {.n_others = 0};
    static char text[8192];
    struct slu_avro_schema *schema = avro_compile(avro);
    struct slu_buf lines;

    slu_buf_init(&lines, sizeof(text) - 1);
    slu_avro_gaps(schema, slu_slice_of(json), options != NULL ? options : &usual, add_line, &lines);
    snprintf(text, sizeof(text), "%s", slu_buf_text(&lines));
    slu_buf_fini(&lines);
    slu_avro_schema_free(schema);
    return text;
}

#define R(fields)      "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"
#define F(name, type)  "{\"name\":\"" name "\",\"type\":" type "}"
#define FD(name, type) "{\"name\":\"" name "\",\"type\":" type ",\"default\":null}"
#define CLOSED         "\"type\":\"object\",\"additionalProperties\":false"

static void test_types(void **state)
{
    static const struct {
        const char *avro, *json, *lines;
    } cases[] = {
        {"\"double\"", "{\"type\":\"number\"}", ""},
        {"\"double\"", "{\"type\":[\"number\",\"null\"]}", ": null\n"},
        {"[\"null\",\"double\"]", "{\"type\":[\"number\",\"null\"]}", ""},
        {"[\"null\",\"double\"]", "{\"type\":[\"string\",\"null\"]}", ": any text\n"},
        {"\"long\"", "{\"type\":\"integer\"}", ""},
        {"\"long\"", "{\"type\":\"number\"}", ": numbers with a fraction\n"},
        {"\"long\"", "{\"type\":\"number\",\"multipleOf\":1}", ""},
        {"\"int\"", "{\"type\":\"integer\"}", ": whole numbers beyond 32 bits\n"},
        {"[\"null\",\"int\"]", "{\"type\":\"integer\",\"minimum\":0}",
         ": whole numbers beyond 32 bits\n"},
        {"[\"int\",\"long\"]", "{\"type\":\"integer\"}", ""},
        {"\"int\"", "{\"type\":\"integer\",\"minimum\":-2147483648,\"maximum\":2147483647}", ""},
        {"\"int\"", "{\"type\":\"integer\",\"minimum\":0,\"exclusiveMaximum\":2147483649}",
         ": whole numbers beyond 32 bits\n"},
        {"\"string\"", "{\"type\":\"string\"}", ""},
        {"\"string\"", "{\"type\":\"boolean\"}", ": true and false\n"},
        {"\"string\"", "{}", ": values of any type\n"},
        {"\"string\"", "true", ": values of any type\n"},
        {"\"string\"", "false", ""},
        {"\"bytes\"", "{\"type\":\"string\"}", ": any text\n"},
        {"\"bytes\"", "{\"type\":\"string\",\"pattern\":\"^[a-z]*$\"}", ""},
        {"{\"type\":\"string\",\"logicalType\":\"uuid\"}", "{\"type\":\"string\"}", ": any text\n"},
        {"{\"type\":\"string\",\"logicalType\":\"uuid\"}",
         "{\"type\":\"string\",\"format\":\"uuid\"}", ""},
        {"{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}",
         "{\"type\":\"string\",\"format\":\"date-time\"}", ""},
        {"{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}", "{\"type\":\"string\"}",
         ": any text\n"},
        {"\"long\"", "{\"type\":\"string\",\"format\":\"date-time\"}", ": any text\n"},
        {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":5,\"scale\":2}",
         "{\"type\":\"number\"}", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *lines = gaps(cases[i].avro, cases[i].json, NULL);
        if (strcmp(lines, cases[i].lines) != 0)
            fail_msg("%s, %s: %s", cases[i].avro, cases[i].json, lines);
    }
}

static void test_listed_values_are_encoded(void **state)
{
    static const char color[] =
        "{\"type\":\"enum\",\"name\":\"Color\",\"symbols\":[\"RED\",\"BLUE\"]}";
    (void)state;
    assert_string_equal(gaps(color, "{\"enum\":[\"RED\",\"BLUE\"]}", NULL), "");
    assert_string_equal(gaps(color, "{\"enum\":[\"RED\",\"GREEN\",null]}", NULL),
                        "/enum/1: \"GREEN\"\n/enum/2: null\n");
    assert_string_equal(gaps(color, "{\"type\":\"string\",\"enum\":[\"GREEN\",1]}", NULL),
                        "/enum/0: \"GREEN\"\n");
    assert_string_equal(gaps(color, "{\"type\":\"integer\",\"enum\":[1]}", NULL), "");
    assert_string_equal(gaps(color, "{\"type\":\"string\"}", NULL), ": any text\n");
    assert_string_equal(gaps("\"int\"", "{\"const\":2147483648}", NULL), "/const: 2147483648\n");
    assert_string_equal(gaps("\"int\"", "{\"const\":1.0}", NULL), "");
    assert_string_equal(
        gaps("{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":5,\"scale\":2}",
             "{\"enum\":[1.25,1.255]}", NULL),
        "/enum/1: 1.255\n");
}

static void test_records_maps_and_arrays(void **state)
{
    static const struct {
        const char *avro, *json, *lines;
    } cases[] = {
        {R(F("v", "\"double\"")),
         "{" CLOSED ",\"required\":[\"v\"],\"properties\":{\"v\":{\"type\":\"number\"}}}", ""},
        {R(F("v", "\"double\"")), "{" CLOSED ",\"properties\":{\"v\":{\"type\":\"number\"}}}",
         ": objects without \"v\", which has no default\n"},
        {R(FD("v", "[\"null\",\"double\"]")),
         "{" CLOSED ",\"properties\":{\"v\":{\"type\":\"number\"}}}", ""},
        {R(F("v", "\"double\"")),
         "{\"type\":\"object\",\"required\":[\"v\"],\"properties\":{\"v\":{\"type\":\"number\"}}}",
         ": other members than the fields of R\n"},
        {R(F("v", "\"double\"")), "{\"type\":\"object\",\"required\":[\"v\"]}",
         ": anything as \"v\": it is none of its properties\n"
         ": other members than the fields of R\n"},
        {R(F("v", "\"double\"")),
         "{" CLOSED ",\"required\":[\"v\"],\"properties\":{\"v\":{\"type\":\"number\"},"
         "\"w\":{},\"x\":false}}",
         "/properties/w: a member that R has not\n"},
        {R(F("v", "\"double\"")), "{\"properties\":{}}",
         ": values of any type\n"
         ": objects without \"v\", which has no default\n"
         ": anything as \"v\": it is none of its properties\n"
         ": other members than the fields of R\n"},
        {"{\"type\":\"map\",\"values\":\"long\"}",
         "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}",
         "/additionalProperties: any text\n"},
        {"{\"type\":\"array\",\"items\":\"string\"}",
         "{\"type\":\"array\",\"items\":{\"type\":\"null\"}}", "/items: null\n"},
        /* Through a union with one record, and references. */
        {"[\"null\"," R(F("v", "\"long\"")) "]",
         "{\"$ref\":\"#/$defs/r\",\"$defs\":{\"r\":{\"type\":[\"object\",\"null\"],"
         "\"additionalProperties\":false,\"required\":[\"v\"],\"properties\":{\"v\":{\"type\":"
         "\"boolean\"}}}}}",
         ""},
        {"[\"null\"," R(F("v", "\"long\"")) "]",
         "{\"type\":[\"object\",\"null\"],\"additionalProperties\":false,\"required\":[\"v\"],"
         "\"properties\":{\"v\":{\"$ref\":\"#/$defs/"
         "v\"}},\"$defs\":{\"v\":{\"type\":\"boolean\"}}}",
         "/$defs/v: true and false\n"},
        /* What is not followed is not told. */
        {"\"long\"", "{\"anyOf\":[{\"type\":\"string\"}]}", ""},
        {"\"long\"", "{\"type\":\"string\",\"not\":{}}", ""},
        {"\"long\"", "{\"$ref\":\"other.json\"}", ""},
        {"\"long\"", "{\"$ref\":\"#\"}", ""},
        {"\"long\"", "{\"type\":", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *lines = gaps(cases[i].avro, cases[i].json, NULL);
        if (strcmp(lines, cases[i].lines) != 0)
            fail_msg("%s, %s: %s", cases[i].avro, cases[i].json, lines);
    }
}

static void test_options_close_gaps(void **state)
{
    static const char json[] =
        "{\"type\":\"object\",\"properties\":{\"v\":{\"type\":\"integer\"},"
        "\"a\":{\"properties\":{\"b/c\":{\"type\":\"string\"}},\"type\":\"object\"}}}";
    static const char avro[] =
        R(F("v", "\"int\"") "," F("a", "{\"type\":\"map\",\"values\":\"int\"}"));
    const struct slu_slice others[] = {SLU_SLICE("/v"), SLU_SLICE("/a/b~1c"), SLU_SLICE("/a")};
    struct slu_avro_gap_options options = {.encoding = {.drop_unknown = true}};
    (void)state;
    assert_string_equal(gaps(avro, json, &options),
                        "/properties/v: whole numbers beyond 32 bits\n"
                        ": objects without \"v\", which has no default\n"
                        "/properties/a/properties/b~1c: any text\n"
                        ": objects without \"a\", which has no default\n");
    options.others = others;
    options.n_others = 2;
    assert_string_equal(gaps(avro, json, &options),
                        ": objects without \"a\", which has no default\n");
    options.n_others = 3;
    assert_string_equal(gaps(avro, json, &options), "");
    options.encoding.dialect = SLU_AVRO_JSON; /* wrapped: another shape */
    assert_string_equal(gaps("[\"null\",\"int\"]", "{\"type\":\"string\"}", &options), "");
}

static void test_recursion_and_numbers_of_gaps_are_bounded(void **state)
{
    struct slu_buf json;
    (void)state;
    assert_string_equal(
        gaps("{\"type\":\"record\",\"name\":\"N\",\"fields\":[" FD("next", "[\"null\",\"N\"]") "]}",
             "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"next\":{"
             "\"$ref\":\"#\"}}}",
             NULL),
        "");
    slu_buf_init(&json, 1 << 16);
    slu_buf_add_text(&json, "{\"enum\":[");
    for (int i = 0; i < 100; i++)
        slu_buf_printf(&json, "%s%d", i == 0 ? "" : ",", i);
    slu_buf_add_text(&json, "]}");
    const char *lines = gaps("\"string\"", slu_buf_text(&json), NULL);
    size_t n = 0;
    for (const char *at = lines; (at = strchr(at, '\n')) != NULL; at++)
        n++;
    assert_int_equal(n, SLU_AVRO_GAPS);
    slu_buf_fini(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_listed_values_are_encoded),
        cmocka_unit_test(test_records_maps_and_arrays),
        cmocka_unit_test(test_options_close_gaps),
        cmocka_unit_test(test_recursion_and_numbers_of_gaps_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
