/* Avro schemas: what the linter refuses and where, canonical forms and fingerprints (the vectors of the
 * project's schema-tests.txt), defaults, what is only warned of. */
#include "avro_help.h"

#include <inttypes.h>

/* ---- canonical form and fingerprint ------------------------------------------------------------------ */

static const struct {
    const char *text, *canonical;
    int64_t fingerprint; /* 0: not given */
} vectors[] = {
    {"\"null\"", "\"null\"", INT64_C(7195948357588979594)},
    {"{\"type\":\"null\"}", "\"null\"", 0},
    {"\"boolean\"", "\"boolean\"", INT64_C(-6970731678124411036)},
    {"\"int\"", "\"int\"", INT64_C(8247732601305521295)},
    {"\"long\"", "\"long\"", INT64_C(-3434872931120570953)},
    {"\"float\"", "\"float\"", INT64_C(5583340709985441680)},
    {"\"double\"", "\"double\"", INT64_C(-8181574048448539266)},
    {"\"bytes\"", "\"bytes\"", INT64_C(5746618253357095269)},
    {"\"string\"", "\"string\"", INT64_C(-8142146995180207161)},
    {"[  ]", "[]", INT64_C(-1241056759729112623)},
    {"[ \"int\"  ]", "[\"int\"]", INT64_C(-5232228896498058493)},
    {"[ \"int\" , {\"type\":\"boolean\"} ]", "[\"int\",\"boolean\"]", INT64_C(5392556393470105090)},
    {"{\"fields\":[], \"type\":\"record\", \"name\":\"foo\"}",
     "{\"name\":\"foo\",\"type\":\"record\",\"fields\":[]}", INT64_C(-4824392279771201922)},
    {"{\"fields\":[], \"type\":\"record\", \"name\":\"foo\", \"namespace\":\"x.y\"}",
     "{\"name\":\"x.y.foo\",\"type\":\"record\",\"fields\":[]}", INT64_C(5916914534497305771)},
    {"{\"fields\":[], \"type\":\"record\", \"name\":\"a.b.foo\", \"namespace\":\"x.y\"}",
     "{\"name\":\"a.b.foo\",\"type\":\"record\",\"fields\":[]}", INT64_C(-4616218487480524110)},
    {"{\"fields\":[], \"type\":\"record\", \"name\":\"foo\", \"doc\":\"foo\", "
     "\"aliases\":[\"foo\",\"bar\"]}",
     "{\"name\":\"foo\",\"type\":\"record\",\"fields\":[]}", INT64_C(-4824392279771201922)},
    {"{\"fields\":[{\"type\":{\"type\":\"boolean\"}, \"name\":\"f1\"}], \"type\":\"record\", "
     "\"name\":\"foo\"}",
     "{\"name\":\"foo\",\"type\":\"record\",\"fields\":[{\"name\":\"f1\",\"type\":\"boolean\"}]}",
     INT64_C(7843277075252814651)},
    /* 026, with a default that is one of its type */
    {"{ \"fields\":[{\"type\":\"boolean\", \"aliases\":[], \"name\":\"f1\", \"default\":true},"
     "{\"order\":\"descending\",\"name\":\"f2\",\"doc\":\"Hello\",\"type\":\"int\"}],"
     "\"type\":\"record\", \"name\":\"foo\"}",
     "{\"name\":\"foo\",\"type\":\"record\",\"fields\":[{\"name\":\"f1\",\"type\":\"boolean\"},"
     "{\"name\":\"f2\",\"type\":\"int\"}]}",
     INT64_C(-4860222112080293046)},
    {"{\"type\":\"enum\", \"name\":\"foo\", \"symbols\":[\"A1\"]}",
     "{\"name\":\"foo\",\"type\":\"enum\",\"symbols\":[\"A1\"]}", INT64_C(-6342190197741309591)},
    {"{\"namespace\":\"x.y.z\", \"type\":\"enum\", \"name\":\"foo\", \"doc\":\"foo bar\", "
     "\"symbols\":[\"A1\", \"A2\"]}",
     "{\"name\":\"x.y.z.foo\",\"type\":\"enum\",\"symbols\":[\"A1\",\"A2\"]}",
     INT64_C(-4448647247586288245)},
    {"{\"name\":\"foo\",\"type\":\"fixed\",\"size\":15}",
     "{\"name\":\"foo\",\"type\":\"fixed\",\"size\":15}", INT64_C(1756455273707447556)},
    {"{\"namespace\":\"x.y.z\", \"type\":\"fixed\", \"name\":\"foo\", \"doc\":\"foo bar\", "
     "\"size\":32}",
     "{\"name\":\"x.y.z.foo\",\"type\":\"fixed\",\"size\":32}", INT64_C(-3064184465700546786)},
    {"{ \"items\":{\"type\":\"null\"}, \"type\":\"array\"}",
     "{\"type\":\"array\",\"items\":\"null\"}", INT64_C(-589620603366471059)},
    {"{ \"values\":\"string\", \"type\":\"map\"}", "{\"type\":\"map\",\"values\":\"string\"}",
     INT64_C(-8732877298790414990)},
    {"{\"name\":\"PigValue\",\"type\":\"record\","
     "\"fields\":[{\"name\":\"value\", \"type\":[\"null\", \"int\", \"long\", \"PigValue\"]}]}",
     "{\"name\":\"PigValue\",\"type\":\"record\",\"fields\":[{\"name\":\"value\",\"type\":["
     "\"null\",\"int\",\"long\",\"PigValue\"]}]}",
     INT64_C(-1759257747318642341)},
    {"{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}", "\"long\"",
     INT64_C(-3434872931120570953)},
};

static void canonical_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct slu_avro_schema *schema = avro_compile(vectors[i].text);
        const struct slu_slice canonical = slu_avro_schema_canonical(schema);
        assert_int_equal(canonical.len, strlen(vectors[i].canonical));
        assert_memory_equal(canonical.data, vectors[i].canonical, canonical.len);
        if (vectors[i].fingerprint != 0)
            assert_int_equal((int64_t)slu_avro_schema_fingerprint(schema), vectors[i].fingerprint);
        slu_avro_schema_free(schema);
    }
}

/* ---- refusals ---------------------------------------------------------------------------------------- */

#define RECORD(fields) "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"

static const struct {
    const char *text, *place, *sentence; /* the place: line:column pointer */
} refusals[] = {
    {"{\"type\":\"record\",\n \"name\":\"R\"", "2:12 ", ""},
    {"7", "1:1 ", "a type is a name"},
    {"\"strng\"", "1:1 ", "did you mean \"string\""},
    {"\"record\"", "1:1 ", "needs an object"},
    {"\"acme.Thing\"", "1:1 ", "before this line"},
    {"{}", "1:1 ", "there is no `type`"},
    {"{\"type\":\"record\",\"fields\":[]}", "1:1 ", "needs a name"},
    {"{\"type\":\"record\",\"name\":\"1R\",\"fields\":[]}", "1:25 /name", "is no name"},
    {"{\"type\":\"record\",\"name\":\"int\",\"fields\":[]}", "1:25 /name", "primitive"},
    {"{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"a..b\",\"fields\":[]}", "1:41 /namespace",
     "no namespace"},
    {"{\"type\":\"record\",\"name\":\"R\"}", "1:1 ", "needs fields"},
    {RECORD("{\"name\":\"a\",\"type\":\"int\"},{\"name\":\"a\",\"type\":\"int\"}"),
     "1:73 /fields/1/name", "here twice"},
    {RECORD("{\"name\":\"a\"}"), "1:39 /fields/0", "needs a type"},
    {RECORD("{\"name\":\"a-b\",\"type\":\"int\"}"), "1:47 /fields/0/name", "is no name"},
    {RECORD("{\"name\":\"a\",\"type\":\"int\",\"order\":\"up\"}"), "1:72 /fields/0/order",
     "ascending"},
    {RECORD("{\"name\":\"a\",\"type\":\"int\",\"aliases\":\"b\"}"), "1:74 /fields/0/aliases",
     "array of names"},
    {RECORD("{\"name\":\"a\",\"type\":\"R\"}"), "1:39 /fields/0", "contains itself"},
    {RECORD("{\"name\":\"a\",\"type\":{\"type\":\"record\",\"name\":\"S\",\"fields\":[{"
            "\"name\":\"b\",\"type\":\"R\"}]}}"),
     "1:96 /fields/0/type/fields/0", "contains itself"},
    {RECORD("{\"name\":\"a\",\"type\":\"int\",\"default\":\"x\"}"), "1:74 /fields/0/default",
     "does not fit"},
    {RECORD("{\"name\":\"a\",\"type\":\"int\",\"default\":3000000000}"), "1:74 /fields/0/default",
     "beyond an int"},
    {RECORD("{\"name\":\"a\",\"type\":[\"null\",\"int\"],\"default\":\"x\"}"),
     "1:83 /fields/0/default", "no branch"},
    {RECORD("{\"name\":\"a\",\"type\":[\"null\",\"R\"],\"default\":{}}"), "1:81 /fields/0/default",
     "does not fit"},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"A\"]}", "1:42 /symbols/1",
     "here twice"},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A-B\"]}", "1:38 /symbols/0", "a name"},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"],\"default\":\"B\"}", "1:53 /default",
     "none of the symbols"},
    {"{\"type\":\"fixed\",\"name\":\"F\"}", "1:1 ", "size"},
    {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":-1}", "1:35 /size", "size"},
    {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":9223372036854775808}", "1:35 /size", "size"},
    {"{\"type\":\"array\"}", "1:1 ", "items"},
    {"{\"type\":\"map\"}", "1:1 ", "values"},
    {"[\"null\",[\"int\"]]", "1:9 /1", "union in it"},
    {"[\"int\",\"int\"]", "1:8 /1", "a second int"},
    {"[{\"type\":\"array\",\"items\":\"int\"},{\"type\":\"array\",\"items\":\"long\"}]", "1:33 /1",
     "a second array"},
    {"[{\"type\":\"fixed\",\"name\":\"F\",\"size\":1},{\"type\":\"fixed\",\"name\":\"F\","
     "\"size\":2}]",
     "1:62 /1/name", "defined twice"},
};

static void schemas_that_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        const struct slu_avro_schema_options options = {
            .name = "s:1", .source = "s.avsc", .registry_id = -1};
        struct slu_problems problems;
        char place[600];

        slu_problems_init(&problems);
        struct slu_avro_schema *schema =
            slu_avro_schema_compile(slu_slice_of(refusals[i].text), &options, &problems);
        if (schema != NULL || problems.n_errors == 0)
            fail_msg("%s: accepted", refusals[i].text);
        const struct slu_err *err = &problems.items[0].err;
        snprintf(place, sizeof(place), "%u:%u %s", err->line, err->column, err->pointer);
        assert_string_equal(err->source, "s.avsc");
        if (strcmp(place, refusals[i].place) != 0 ||
            strstr(err->text, refusals[i].sentence) == NULL)
            fail_msg("%s: %s %s", refusals[i].text, place, err->text);
        slu_problems_fini(&problems);
    }
}

/* ---- what is taken ----------------------------------------------------------------------------------- */

static size_t warnings_of(const char *text)
{
    const struct slu_avro_schema_options options = {.registry_id = -1};
    struct slu_problems problems;

    slu_problems_init(&problems);
    struct slu_avro_schema *schema =
        slu_avro_schema_compile(slu_slice_of(text), &options, &problems);
    if (schema == NULL)
        fail_msg("%s: %s", text, problems.items[0].err.text);
    const size_t n = problems.n_warnings;
    slu_avro_schema_free(schema);
    slu_problems_fini(&problems);
    return n;
}

static void logical_types_without_sense_are_ignored(void **state)
{
    (void)state;
    assert_int_equal(warnings_of("{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}"), 0);
    assert_int_equal(warnings_of("{\"type\":\"long\",\"logicalType\":\"my-own\"}"), 0);
    assert_int_equal(warnings_of("{\"type\":\"int\",\"logicalType\":\"timestamp-millis\"}"), 1);
    assert_int_equal(warnings_of("{\"type\":\"bytes\",\"logicalType\":\"decimal\"}"), 1);
    assert_int_equal(warnings_of("{\"type\":\"bytes\",\"logicalType\":\"decimal\","
                                 "\"precision\":4,\"scale\":5}"),
                     1);
    assert_int_equal(warnings_of("{\"type\":\"fixed\",\"name\":\"F\",\"size\":2,\"logicalType\":"
                                 "\"decimal\",\"precision\":5}"),
                     1);
    assert_int_equal(warnings_of("{\"type\":\"fixed\",\"name\":\"F\",\"size\":2,\"logicalType\":"
                                 "\"decimal\",\"precision\":4}"),
                     0);
}

/* What only Avro C dislikes is a warning, never a refusal. */
static void the_second_opinion_only_warns(void **state)
{
    (void)state;
    assert_int_equal(warnings_of("{\"type\":{\"type\":\"string\"}}"), 1);
    assert_int_equal(warnings_of(RECORD("{\"name\":\"a\",\"type\":\"int\"}")), 0);
}

static void recursion_is_fine_where_it_can_end(void **state)
{
    (void)state;
    slu_avro_schema_free(avro_compile(RECORD("{\"name\":\"a\",\"type\":[\"null\",\"R\"]}")));
    slu_avro_schema_free(
        avro_compile(RECORD("{\"name\":\"a\",\"type\":{\"type\":\"array\",\"items\":\"R\"}}")));
    slu_avro_schema_free(
        avro_compile(RECORD("{\"name\":\"a\",\"type\":{\"type\":\"map\",\"values\":\"R\"}}")));
}

static void namespaces_go_down(void **state)
{
    (void)state;
    struct slu_avro_schema *schema = avro_compile(
        "{\"type\":\"record\",\"name\":\"a.b.R\",\"fields\":[{\"name\":\"x\",\"type\":{\"type\":"
        "\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}},{\"name\":\"y\",\"type\":\"E\"},{\"name\":"
        "\"z\",\"type\":\"a.b.E\"}]}");
    const struct slu_slice canonical = slu_avro_schema_canonical(schema);
    assert_non_null(strstr(canonical.data, "\"name\":\"a.b.E\""));
    assert_non_null(strstr(canonical.data, "{\"name\":\"z\",\"type\":\"a.b.E\"}"));
    slu_avro_schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_forms),
        cmocka_unit_test(schemas_that_are_refused),
        cmocka_unit_test(logical_types_without_sense_are_ignored),
        cmocka_unit_test(the_second_opinion_only_warns),
        cmocka_unit_test(recursion_is_fine_where_it_can_end),
        cmocka_unit_test(namespaces_go_down),
    };
    return cmocka_run_group_tests_name("avro_schema", tests, NULL, NULL);
}
