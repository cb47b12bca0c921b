/* test_envelope.c -- a record as one line of JSON, and its place read back. */
#include "sinks/envelope.h"

#include "base/properties.h"
#include "sinks/decoder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint8_t spool_id[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                     0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10};
static const uint8_t other_id[16] = {0xff};
static const struct slu_envelope envelope = {
    .instance = "plant1", .spool_id = spool_id, .policy = "ovens", .schema = "oven:1"};

static struct slu_record record_of(uint8_t format, struct slu_slice payload)
{
    return (struct slu_record){
        .seq = 7,
        .time_ns = INT64_C(1767225600123456789),
        .event_ns = INT64_C(1767225600000000000),
        .kind = SLU_RECORD_MESSAGE,
        .format = format,
        .quality = 192,
        .qos = 1,
        .topic = SLU_SLICE("plant/a/oven/7"),
        .client_id = SLU_SLICE("gw-1"),
        .username = SLU_SLICE("u\"1"),
        .payload = payload,
    };
}

static const char *write_record(const struct slu_record *record)
{
    static char text[4096];
    struct slu_buf out;
    slu_buf_init(&out, SLU_ENVELOPE_MAX_BYTES);
    assert_true(slu_envelope_write(&out, &envelope, record));
    assert_null(memchr(out.data, '\n', out.len));
    assert_true(out.len < sizeof(text));
    memcpy(text, out.data, out.len + 1);
    slu_buf_fini(&out);
    return text;
}

#define HEAD                                                                                   \
    "{\"v\":1,\"id\":\"01234567-89ab-8def-8000-000000000007\",\"seq\":\"7\","                  \
    "\"time\":\"2026-01-01T00:00:00.123456Z\",\"event_time\":\"2026-01-01T00:00:00.000000Z\"," \
    "\"instance\":\"plant1\","

static void all_fields_stand_in_their_order(void **state)
{
    (void)state;
    struct slu_buf packed;
    slu_buf_init(&packed, 1000);
    slu_properties_add(&packed, SLU_PROPERTY_CONTENT_TYPE, SLU_SLICE(""), SLU_SLICE("text/x"));
    slu_properties_add(&packed, SLU_PROPERTY_USER, SLU_SLICE("k"), SLU_SLICE("v"));
    slu_properties_add(&packed, SLU_PROPERTY_USER, SLU_SLICE("k"), SLU_SLICE("\"w\""));
    struct slu_record record = record_of(SLU_RECORD_JSON, SLU_SLICE("{\"value\":20.50}"));
    record.retain = true;
    record.properties = slu_buf_slice(&packed);

    assert_string_equal(write_record(&record), HEAD
                        "\"kind\":\"message\",\"topic\":\"plant/a/oven/7\",\"client_id\":\"gw-1\","
                        "\"username\":\"u\\\"1\",\"qos\":1,\"retain\":true,\"policy\":\"ovens\","
                        "\"schema\":\"oven:1\",\"quality\":192,\"user_properties\":[[\"k\",\"v\"],"
                        "[\"k\",\"\\\"w\\\"\"]],\"payload\":{\"value\":20.50}}");
    slu_buf_fini(&packed);
}

static void what_is_absent_is_left_out(void **state)
{
    (void)state;
    const struct slu_envelope bare = {.instance = "i", .spool_id = spool_id};
    const struct slu_record record = {
        .seq = UINT64_MAX, .format = SLU_RECORD_BYTES, .kind = SLU_RECORD_VIOLATION};
    struct slu_buf out;
    slu_buf_init(&out, 4096);
    assert_true(slu_envelope_write(&out, &bare, &record));
    assert_string_equal(
        slu_buf_text(&out),
        "{\"v\":1,\"id\":\"01234567-89ab-8def-bfff-ffffffffffff\","
        "\"seq\":\"18446744073709551615\",\"time\":\"1970-01-01T00:00:00.000000Z\","
        "\"event_time\":\"1970-01-01T00:00:00.000000Z\",\"instance\":\"i\","
        "\"kind\":\"violation\",\"topic\":\"\",\"qos\":0,\"retain\":false,\"quality\":0,"
        "\"payload_base64\":\"\"}");
    slu_buf_fini(&out);
}

/* A slice that is a constant. */
#define TEXT(literal)                  \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

static const struct {
    const char *name;
    uint8_t format;
    struct slu_slice payload;
    const char *expected;
} payloads[] = {
    {"JSON keeps its digits", SLU_RECORD_JSON, TEXT("[1e400,12345678901234567890.10]"),
     "\"payload\":[1e400,12345678901234567890.10]"},
    {"JSON comes onto one line", SLU_RECORD_JSON, TEXT("{\r\n \"a\":\t1}"),
     "\"payload\":{   \"a\":\t1}"},
    {"brackets in strings count for nothing", SLU_RECORD_JSON, TEXT("\"}\\\"]\""),
     "\"payload\":\"}\\\"]\""},
    {"broken JSON is bytes", SLU_RECORD_JSON, TEXT("{\"a\":1"), "\"payload_base64\":\"eyJhIjox\""},
    {"closing too much is bytes", SLU_RECORD_JSON, TEXT("1}"), "\"payload_base64\":\"MX0=\""},
    {"an open string is bytes", SLU_RECORD_JSON, TEXT("\"a"), "\"payload_base64\":\"ImE=\""},
    {"a backslash at the end is bytes", SLU_RECORD_JSON, TEXT("\"\\"),
     "\"payload_base64\":\"Ilw=\""},
    {"a newline in a string is bytes", SLU_RECORD_JSON, TEXT("\"a\nb\""),
     "\"payload_base64\":\"ImEKYiI=\""},
    {"no JSON at all is bytes", SLU_RECORD_JSON, TEXT(" "), "\"payload_base64\":\"IA==\""},
    {"JSON that is not UTF-8 is bytes", SLU_RECORD_JSON, TEXT("\"\xff\""),
     "\"payload_base64\":\"Iv8i\""},
    {"a number is its digits", SLU_RECORD_NUMBER, TEXT(" 20.50\n"), "\"payload\":20.50"},
    {"a plus is no JSON", SLU_RECORD_NUMBER, TEXT("+1e3"), "\"payload\":1e3"},
    {"a minus stays", SLU_RECORD_NUMBER, TEXT("-0.0E+10"), "\"payload\":-0.0E+10"},
    {"plus minus is no number", SLU_RECORD_NUMBER, TEXT("+-1"), "\"payload_base64\":\"Ky0x\""},
    {"leading zeros are no number", SLU_RECORD_NUMBER, TEXT("01"), "\"payload_base64\":\"MDE=\""},
    {"a point wants digits", SLU_RECORD_NUMBER, TEXT("1."), "\"payload_base64\":\"MS4=\""},
    {"an exponent wants digits", SLU_RECORD_NUMBER, TEXT("1e"), "\"payload_base64\":\"MWU=\""},
    {"nothing is no number", SLU_RECORD_NUMBER, TEXT(""), "\"payload_base64\":\"\""},
    {"on is true", SLU_RECORD_BOOLEAN, TEXT("On"), "\"payload\":true"},
    {"0 is false", SLU_RECORD_BOOLEAN, TEXT("0"), "\"payload\":false"},
    {"yes is neither", SLU_RECORD_BOOLEAN, TEXT("yes"), "\"payload_base64\":\"eWVz\""},
    {"a string is quoted", SLU_RECORD_STRING, TEXT("a\"\nb"), "\"payload\":\"a\\\"\\nb\""},
    {"an empty string is one", SLU_RECORD_STRING, TEXT(""), "\"payload\":\"\""},
    {"a string that is not UTF-8 is bytes", SLU_RECORD_STRING, TEXT("\xc3"),
     "\"payload_base64\":\"ww==\""},
    {"bytes are base64", SLU_RECORD_BYTES, TEXT("\0\xff"), "\"payload_base64\":\"AP8=\""},
    {"what nobody can decode is base64", SLU_RECORD_AVRO, TEXT("x"), "\"payload_base64\":\"eA==\""},
};

static void each_format_has_its_payload(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(payloads); i++) {
        const struct slu_record record = record_of(payloads[i].format, payloads[i].payload);
        const char *line = write_record(&record);
        const char *at = strstr(line, "\"payload");
        char expected[256];
        snprintf(expected, sizeof(expected), "%s}", payloads[i].expected);
        if (at == NULL || strcmp(at, expected) != 0)
            fail_msg("%s: %s instead of %s", payloads[i].name, at, expected);
    }
}

/* The spool keeps the schema's text; nothing else is needed to show an Avro record. */
static void avro_is_shown_by_the_text_of_its_schema(void **state)
{
    (void)state;
    static const char text[] =
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"},"
        "{\"name\":\"d\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\","
        "\"precision\":4,\"scale\":2}}]}";
    static const struct {
        uint8_t framing;
        struct slu_slice payload;
        const char *expected;
    } rows[] = {
        {0, TEXT("\x02\x02\x32"), "\"payload\":{\"a\":1,\"d\":0.50}}"},
        {1, TEXT("\xc3\x01........\x02\x02\x32"), "\"payload\":{\"a\":1,\"d\":0.50}}"},
        {2, TEXT("\0\0\0\0\x07\x02\x02\x32"), "\"payload\":{\"a\":1,\"d\":0.50}}"},
        {0, TEXT("\x02"), "\"payload_base64\":\"Ag==\"}"},
        {2, TEXT("\x02"), "\"payload_base64\":\"Ag==\"}"},
        {7, TEXT("\x02\x02\x32"), "\"payload_base64\":\"AgIy\"}"},
    };
    struct slu_decoder *decoder = slu_decoder_new();
    struct slu_envelope with = envelope;
    struct slu_buf out;

    assert_non_null(decoder);
    with.schema_text = slu_slice(text, sizeof(text) - 1);
    with.decoder = decoder;
    slu_buf_init(&out, SLU_ENVELOPE_MAX_BYTES);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slu_record record = record_of(SLU_RECORD_AVRO, rows[i].payload);
        record.framing = rows[i].framing;
        slu_buf_reset(&out);
        assert_true(slu_envelope_write(&out, &with, &record));
        assert_string_equal(strstr(slu_buf_text(&out), "\"payload"), rows[i].expected);
    }
    slu_buf_fini(&out);
    slu_decoder_free(decoder);
}

/* A record of three long names around single bytes, a hundred thousand times: tens of MiB as JSON. */
static void avro_that_grows_too_much_is_bytes(void **state)
{
    (void)state;
    struct slu_decoder *decoder = slu_decoder_new();
    struct slu_envelope with = envelope;
    struct slu_buf text, body, out;
    const size_t n = 200000;

    slu_buf_init(&text, 4096);
    slu_buf_printf(&text,
                   "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"R\","
                   "\"fields\":[{\"name\":\"%0*d\",\"type\":\"int\"}]}}",
                   200, 0);
    char *zeros = strstr(text.data, "0000");
    memset(zeros, 'x', 200);
    slu_buf_init(&body, 1u << 20);
    slu_buf_add(&body, "\x80\xb5\x18", 3);
    for (size_t i = 0; i < n; i++)
        slu_buf_add_char(&body, 2);
    slu_buf_add_char(&body, 0);
    slu_buf_init(&out, SLU_ENVELOPE_MAX_BYTES);
    with.schema_text = slu_buf_slice(&text);
    with.decoder = decoder;
    const struct slu_record record = record_of(SLU_RECORD_AVRO, slu_buf_slice(&body));
    assert_true(slu_envelope_write(&out, &with, &record));
    assert_non_null(strstr(slu_buf_text(&out), "\"payload_base64\":\""));
    slu_buf_fini(&out);
    slu_buf_fini(&body);
    slu_buf_fini(&text);
    slu_decoder_free(decoder);
}

static void a_dead_letter_tells_why(void **state)
{
    (void)state;
    const struct slu_record record = record_of(SLU_RECORD_NUMBER, SLU_SLICE("1"));
    struct slu_buf out;
    slu_buf_init(&out, 4096);
    assert_true(slu_envelope_write_dead(&out, &envelope, &record, "hist", "pg.23514", "no \"x\"",
                                        INT64_C(1767225601000000000)));
    assert_non_null(
        strstr(slu_buf_text(&out),
               "\"payload\":1,\"dead\":{\"sink\":\"hist\",\"code\":\"pg.23514\","
               "\"message\":\"no \\\"x\\\"\",\"time\":\"2026-01-01T00:00:01.000000Z\"}}"));
    slu_buf_fini(&out);
}

static void a_buffer_that_is_too_small_says_so(void **state)
{
    (void)state;
    const struct slu_record record = record_of(SLU_RECORD_NUMBER, SLU_SLICE("1"));
    struct slu_buf out;
    slu_buf_init(&out, 100);
    assert_false(slu_envelope_write(&out, &envelope, &record));
    slu_buf_fini(&out);
}

static void the_largest_record_fits_its_ceiling(void **state)
{
    (void)state;
    static char worst[SLU_RECORD_MAX_BYTES]; /* NULs: six bytes each */
    struct slu_record record = record_of(SLU_RECORD_STRING, slu_slice(worst, sizeof(worst)));
    struct slu_buf out;
    slu_buf_init(&out, SLU_ENVELOPE_MAX_BYTES);
    assert_true(slu_envelope_write(&out, &envelope, &record));
    assert_true(out.len > 6 * sizeof(worst));
    slu_buf_fini(&out);
}

static void the_place_is_read_back(void **state)
{
    (void)state;
    static const uint64_t seqs[] = {0, 1, 1234567890123456789u, UINT64_MAX};
    for (size_t i = 0; i < COUNT(seqs); i++) {
        struct slu_record record = record_of(SLU_RECORD_NUMBER, SLU_SLICE("1"));
        record.seq = seqs[i];
        const char *line = write_record(&record);
        uint64_t seq = 99;
        bool ours = false;
        assert_true(
            slu_envelope_place(slu_slice(line, SLU_ENVELOPE_HEAD_BYTES), spool_id, &seq, &ours));
        assert_true(seq == seqs[i] && ours);
        assert_true(slu_envelope_place(slu_slice_of(line), other_id, &seq, &ours));
        assert_false(ours);
    }
}

#define BEGIN "{\"v\":1,\"id\":\"01234567-89ab-8def-8000-000000000007\",\"seq\":\""

static void what_is_no_envelope_has_no_place(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "{\"v\":1,\"id\":\"",
        "{\"v\":2,\"id\":\"01234567-89ab-8def-8000-000000000007\",\"seq\":\"7\",",
        "{\"v\":1,\"id\":\"01234567-89ab-8def-8000-000000000007\",\"seq\":7,",
        BEGIN "\",",
        BEGIN "7",
        BEGIN "99999999999999999999\",",
    };
    for (size_t i = 0; i < COUNT(lines); i++) {
        uint64_t seq;
        bool ours;
        assert_false(slu_envelope_place(slu_slice_of(lines[i]), spool_id, &seq, &ours));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_fields_stand_in_their_order),
        cmocka_unit_test(what_is_absent_is_left_out),
        cmocka_unit_test(each_format_has_its_payload),
        cmocka_unit_test(avro_is_shown_by_the_text_of_its_schema),
        cmocka_unit_test(avro_that_grows_too_much_is_bytes),
        cmocka_unit_test(a_dead_letter_tells_why),
        cmocka_unit_test(a_buffer_that_is_too_small_says_so),
        cmocka_unit_test(the_largest_record_fits_its_ceiling),
        cmocka_unit_test(the_place_is_read_back),
        cmocka_unit_test(what_is_no_envelope_has_no_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
