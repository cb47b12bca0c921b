/* test_typed.c -- payloads of every format as framed values of an Avro schema, and why not. */
#include "sinks/typed.h"

#include "base/yaml.h"
#include "sinks/decoder.h"
#include "tests/unit/avro_help.h"

#define PRESS                                                                              \
    "{\"type\":\"record\",\"name\":\"Press\",\"namespace\":\"acme\",\"fields\":["          \
    "{\"name\":\"machine\",\"type\":\"string\"},"                                          \
    "{\"name\":\"force\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\","        \
    "\"precision\":8,\"scale\":3}},"                                                       \
    "{\"name\":\"at\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}}," \
    "{\"name\":\"temp\",\"type\":[\"null\",\"double\"],\"default\":null}]}"

static struct slu_slice schema_text_of_record = {0};

static struct slu_slice schema_text(const void *names, uint16_t number)
{
    (void)names;
    return number == 2 ? schema_text_of_record : slu_slice(NULL, 0);
}

static struct slu_sink_env env = {.name = "lake", .instance = "plant1", .schema_text = schema_text};
static struct slu_arena arena;
static struct slu_typed *typed;
static struct slu_sink_reject reject;

static int open_decoder(void **state)
{
    (void)state;
    env.decoder = slu_decoder_new();
    return env.decoder != NULL ? 0 : -1;
}

static int close_decoder(void **state)
{
    (void)state;
    slu_decoder_free(env.decoder);
    return 0;
}

static struct slu_typed *new_typed(const char *schema, const char *more, const char *id,
                                   struct slu_err *err)
{
    struct slu_problems problems;
    char text[4096];

    slu_problems_init(&problems);
    slu_arena_init(&arena, 1 << 20);
    snprintf(text, sizeof(text),
             "schema: press:3\n%s\nschema_document:\n  text: '%s'\n  name: press:3\n%s", more,
             schema, id);
    const struct slu_node *node = slu_yaml_parse(slu_slice_of(text), "t", &arena, &problems);
    assert_non_null(node);
    slu_problems_fini(&problems);
    return slu_typed_new(node, err);
}

static void open_typed(const char *schema, const char *more, const char *id)
{
    struct slu_err err = {0};
    typed = new_typed(schema, more, id, &err);
    if (typed == NULL)
        fail_msg("%s", err.text);
}

static void close_typed(void)
{
    slu_typed_free(typed);
    slu_arena_fini(&arena);
}

static struct slu_record of(enum slu_record_format format, const char *payload, size_t n)
{
    return (struct slu_record){.seq = 1,
                               .policy = 1,
                               .kind = SLU_RECORD_MESSAGE,
                               .format = (uint8_t)format,
                               .topic = SLU_SLICE("a"),
                               .payload = slu_slice(payload, n)};
}

/* Value of a record as hex, or "code message". */
static const char *made(const struct slu_record *record)
{
    static char text[1024];
    struct slu_slice value;
    struct slu_buf hex;

    switch (slu_typed_make(typed, &env, record, &value, &reject)) {
    case SLU_TYPED_MADE:
        slu_buf_init(&hex, sizeof(text));
        avro_to_hex(value, &hex);
        snprintf(text, sizeof(text), "%s", slu_buf_text(&hex));
        slu_buf_fini(&hex);
        return text;
    case SLU_TYPED_UNFIT:
        snprintf(text, sizeof(text), "%s %s", reject.code, reject.message);
        return text;
    case SLU_TYPED_NO_ID:
        return "no id";
    default:
        return "no memory";
    }
}

static const char *made_json(const char *json)
{
    const struct slu_record record = of(SLU_RECORD_JSON, json, strlen(json));
    return made(&record);
}

#define BODY "04 70 31 04 30 39 d0 0f 00" /* p1, 12.345, 1000 ms, null */

static void test_json_is_encoded_and_framed(void **state)
{
    (void)state;
    open_typed(PRESS, "framing: raw", "");
    assert_string_equal(made_json("{\"machine\":\"p1\",\"force\":12.345,\"at\":1000}"), BODY);
    assert_string_equal(made_json("{\"at\":\"1970-01-01T00:00:01Z\",\"force\":\"12.345\","
                                  "\"machine\":\"p1\",\"temp\":null}"),
                        BODY);
    close_typed();
    open_typed(PRESS, "framing: confluent", "  registry_id: 258");
    assert_string_equal(made_json("{\"machine\":\"p1\",\"force\":12.345,\"at\":1000}"),
                        "00 00 00 01 02 " BODY);
    close_typed();
    open_typed(PRESS, "", "  registry_id: 4294967295"); /* the default with an id */
    assert_string_equal(made_json("{\"machine\":\"p1\",\"force\":12.345,\"at\":1000}"),
                        "00 ff ff ff ff " BODY);
    close_typed();
}

static void test_single_object_names_the_schema_by_its_fingerprint(void **state)
{
    (void)state;
    struct slu_avro_schema *schema = avro_compile(PRESS);
    const uint64_t crc = slu_avro_schema_fingerprint(schema);
    char expected[128] = "c3 01";

    for (unsigned i = 0; i < 8; i++)
        snprintf(expected + strlen(expected), 8, " %02x", (unsigned)(crc >> 8 * i & 0xFF));
    strcat(expected, " " BODY);
    open_typed(PRESS, "", "");
    assert_string_equal(made_json("{\"machine\":\"p1\",\"force\":12.345,\"at\":1000}"), expected);
    close_typed();
    slu_avro_schema_free(schema);
}

static void test_what_is_no_value_is_told_with_code_and_place(void **state)
{
    static const struct {
        const char *json, *told;
    } cases[] = {
        {"{\"machine\":\"p1\",\"force\":12.3456,\"at\":1}",
         "avro.int_range /force: not a decimal of precision 8 and scale 3"},
        {"{\"machine\":\"p1\",\"force\":1}",
         "avro.malformed the field at is missing and has no default"},
        {"{\"machine\":5,\"force\":1,\"at\":1}", "avro.malformed /machine: "},
        {"{\"machine\":\"p\",\"force\":1,\"at\":1,\"temp\":\"hot\"}",
         "avro.malformed /temp: expected a number"},
        {"{\"machine\":\"p\",\"force\":1,\"at\":1,\"color\":1}", "avro.malformed /color: "},
        {"{\"machine\":\"p\",\"force\":1,\"at\":1.5}", "avro."},
        {"[]", "avro.malformed expected an object, found: array"},
        {"{\"machine\":", "payload.malformed "},
    };
    (void)state;
    open_typed(PRESS, "framing: raw", "");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *told = made_json(cases[i].json);
        if (strncmp(told, cases[i].told, strlen(cases[i].told)) != 0)
            fail_msg("%s: %s", cases[i].json, told);
    }
    assert_string_equal(made_json("{\"machine\":\"p1\",\"force\":12.345,\"at\":1000}"), BODY);
    close_typed();
}

static void test_options_of_unions_and_unknown_fields(void **state)
{
    (void)state;
    open_typed("[\"null\",\"double\"]", "framing: raw\nunions: avro_json", "");
    assert_string_equal(made_json("{\"double\":1}"), "02 00 00 00 00 00 00 f0 3f");
    assert_memory_equal(made_json("1"), "avro.union", 10);
    close_typed();
    open_typed(PRESS, "framing: raw\nunknown_fields: drop", "");
    assert_string_equal(made_json("{\"machine\":\"p1\",\"color\":{},\"force\":12.345,\"at\":1000}"),
                        BODY);
    close_typed();
}

static void test_other_formats_are_read_as_what_they_are(void **state)
{
    (void)state;
    const struct slu_record number = of(SLU_RECORD_NUMBER, " +21.5\n", 7);
    const struct slu_record truth = of(SLU_RECORD_BOOLEAN, "ON", 2);
    const struct slu_record text = of(SLU_RECORD_STRING, "abc", 3);
    const struct slu_record bytes = of(SLU_RECORD_BYTES, "\x00\xff", 2);
    struct slu_record alert = of(SLU_RECORD_JSON, "1", 1);

    open_typed("\"double\"", "framing: raw", "");
    assert_string_equal(made(&number), "00 00 00 00 00 80 35 40");
    assert_memory_equal(made(&text), "avro.malformed", 14);
    assert_memory_equal(made(&bytes), "avro.malformed the payload is bytes", 35);
    alert.kind = SLU_RECORD_VIOLATION;
    assert_memory_equal(made(&alert), "avro.malformed an alert", 23);
    close_typed();
    open_typed("\"boolean\"", "framing: raw", "");
    assert_string_equal(made(&truth), "01");
    close_typed();
    open_typed("\"string\"", "framing: raw", "");
    assert_string_equal(made(&text), "06 61 62 63");
    close_typed();
}

/* long 5 of schema "long", framed by single_object when it came in. */
static void test_avro_passes_as_it_is_or_is_written_anew(void **state)
{
    struct slu_record record = of(SLU_RECORD_AVRO,
                                  "\xC3\x01"
                                  "12345678"
                                  "\x0A",
                                  11);
    (void)state;
    record.framing = SLU_AVRO_SINGLE_OBJECT;
    record.schema = 2;
    schema_text_of_record = SLU_SLICE("\"long\"");
    open_typed("\"long\"", "framing: confluent", "  registry_id: 1");
    assert_string_equal(made(&record), "00 00 00 00 01 0a");
    close_typed();
    open_typed("\"double\"", "framing: raw", "");
    assert_string_equal(made(&record), "00 00 00 00 00 00 14 40");
    close_typed();
    open_typed("\"string\"", "framing: raw", "");
    assert_memory_equal(made(&record), "avro.malformed", 14);
    record.payload = SLU_SLICE("\xC3"); /* shorter than its frame: a damaged record */
    assert_memory_equal(made(&record), "avro.framing", 12);
    close_typed();
}

static void test_a_value_waits_for_its_id_and_huge_ones_are_refused(void **state)
{
    (void)state;
    open_typed("\"int\"", "framing: confluent", "  registry_id: 3");
    slu_typed_set_id(typed, -1);
    assert_string_equal(made_json("1"), "no id");
    slu_typed_set_id(typed, 7);
    assert_int_equal(slu_typed_id(typed), 7);
    assert_string_equal(made_json("1"), "00 00 00 00 07 02");
    close_typed();

    /* An array of {} whose default has a thousand bytes: small as JSON, huge as Avro. */
    struct slu_buf schema, json;
    slu_buf_init(&schema, 1 << 20);
    slu_buf_init(&json, 1 << 20);
    slu_buf_add_text(&schema, "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"R\","
                              "\"fields\":[{\"name\":\"f\",\"type\":\"string\",\"default\":\"");
    for (int i = 0; i < 1000; i++)
        slu_buf_add_char(&schema, 'x');
    slu_buf_add_text(&schema, "\"}]}}");
    for (int i = 0; i < 9000; i++)
        slu_buf_add_text(&json, i == 0 ? "[{}" : ",{}");
    slu_buf_add_char(&json, ']');
    open_typed(slu_buf_text(&schema), "framing: raw", "");
    assert_memory_equal(made_json(slu_buf_text(&json)), "record.too_large", 16);
    assert_string_equal(made_json("[]"), "00");
    close_typed();
    slu_buf_fini(&schema);
    slu_buf_fini(&json);
}

static void test_a_wrong_section_makes_none(void **state)
{
    struct slu_err err = {0};
    (void)state;
    assert_null(new_typed("\"intt\"", "", "", &err));
    assert_string_equal(err.text, "there is no type \"intt\", did you mean \"int\"?");
    slu_arena_fini(&arena);
    err = (struct slu_err){0};
    assert_null(new_typed("\"int\"", "framing: confluent", "", &err));
    assert_non_null(strstr(err.text, "needs the id"));
    slu_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_is_encoded_and_framed),
        cmocka_unit_test(test_single_object_names_the_schema_by_its_fingerprint),
        cmocka_unit_test(test_what_is_no_value_is_told_with_code_and_place),
        cmocka_unit_test(test_options_of_unions_and_unknown_fields),
        cmocka_unit_test(test_other_formats_are_read_as_what_they_are),
        cmocka_unit_test(test_avro_passes_as_it_is_or_is_written_anew),
        cmocka_unit_test(test_a_value_waits_for_its_id_and_huge_ones_are_refused),
        cmocka_unit_test(test_a_wrong_section_makes_none),
    };
    return cmocka_run_group_tests(tests, open_decoder, close_decoder);
}
