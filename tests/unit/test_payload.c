/* A reader: its formats, its ceiling, its memory, and the digits behind its numbers. */
#include "base/buf.h"
#include "validation/payload/payload.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void formats_and_codes_have_their_names(void **state)
{
    (void)state;
    static const char *const formats[SLU_FORMATS] = {"json",   "number", "boolean",
                                                     "string", "bytes",  "avro"};
    static const char *const codes[SLU_PAYLOAD_FAULTS] = {
        NULL,
        "payload.empty",
        "payload.malformed",
        "payload.utf8",
        "payload.surrogate",
        "payload.duplicate_key",
        "payload.depth",
        "payload.too_large",
        "avro.malformed",
        "avro.truncated",
        "avro.trailing",
        "avro.int_range",
        "avro.union",
        "avro.enum",
        "avro.length",
        "avro.depth",
        "avro.items",
        "avro.utf8",
        "avro.framing",
        "avro.unknown_schema_id",
    };
    for (int i = 0; i < SLU_FORMATS; i++)
        assert_string_equal(slu_format_names[i], formats[i]);
    assert_null(slu_payload_codes[SLU_PAYLOAD_OK]);
    for (int i = 1; i < SLU_PAYLOAD_FAULTS; i++)
        assert_string_equal(slu_payload_codes[i], codes[i]);
}

/* Avro needs a schema: asked for it without one, the answer is a refusal. */
static void avro_is_not_read_without_its_schema(void **state)
{
    (void)state;
    struct slu_payload_reader *reader = slu_payload_reader_new(64);
    struct slu_payload payload;
    assert_non_null(reader);
    assert_false(slu_payload_read(reader, SLU_FORMAT_AVRO, SLU_SLICE("\x02"), &payload));
    assert_int_equal(payload.fault, SLU_PAYLOAD_AVRO_UNKNOWN_SCHEMA_ID);
    slu_payload_reader_free(reader);
}

static void a_payload_beyond_the_ceiling_is_too_large_in_every_format(void **state)
{
    (void)state;
    struct slu_payload_reader *reader = slu_payload_reader_new(4);
    struct slu_payload payload;
    assert_non_null(reader);
    static const char *const held[SLU_FORMATS] = {"1234", "1234", "true", "word",
                                                  "\xFF\xFF\xFF\xFF"};
    for (int format = 0; format < SLU_FORMAT_AVRO; format++) {
        assert_true(slu_payload_read(reader, (enum slu_format)format, slu_slice(held[format], 4),
                                     &payload));
        assert_false(
            slu_payload_read(reader, (enum slu_format)format, SLU_SLICE("12345"), &payload));
        assert_int_equal(payload.fault, SLU_PAYLOAD_TOO_LARGE);
        assert_int_equal(payload.fault_at, 4);
        assert_null(payload.root);
    }
    slu_payload_reader_free(reader);
    slu_payload_reader_free(NULL);
}

static void any_ceiling_is_taken(void **state)
{
    (void)state;
    static const size_t ceilings[] = {0, 1, SIZE_MAX};
    struct slu_payload payload;
    for (size_t i = 0; i < sizeof(ceilings) / sizeof(ceilings[0]); i++) {
        struct slu_payload_reader *reader = slu_payload_reader_new(ceilings[i]);
        assert_non_null(reader);
        assert_int_equal(slu_payload_read(reader, SLU_FORMAT_JSON, SLU_SLICE("7"), &payload),
                         i > 0);
        slu_payload_reader_free(reader);
    }
}

static void numbers_keep_their_digits(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "0",
        "-0",
        "0.0",
        "-0.0",
        "1",
        "-1",
        "1.10",
        "100e-2",
        "1E5",
        "0.1",
        "0.30000000000000004",
        "0.3000000000000000444089209850062616169452667236328125",
        "9007199254740993",
        "9007199254740993.0",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "-9223372036854775809",
        "1e400",
        "-1e400",
        "1e-400",
        "5e-324",
        "1.7976931348623157e308",
        "1.7976931348623159e308",
        "123456789.123456789123456789",
    };
    enum { N = sizeof(cases) / sizeof(cases[0]) };
    struct slu_payload_reader *reader = slu_payload_reader_new(1 << 20);
    struct slu_buf text;
    slu_buf_init(&text, 1 << 20);
    slu_buf_add_text(&text, "{\"a\":[\"x\",{}],\"n\":[");
    for (size_t i = 0; i < N; i++)
        slu_buf_printf(&text, "%s{\"v\\u0020\": %s }", i > 0 ? "," : "", cases[i]);
    slu_buf_add_text(&text, "]}");

    struct slu_payload payload;
    assert_true(slu_payload_read(reader, SLU_FORMAT_JSON, slu_buf_slice(&text), &payload));
    const struct slu_value *list = slu_value_get(payload.root, SLU_SLICE("n"));
    const struct slu_value *at = slu_value_first(list);
    for (size_t i = 0; i < N; i++, at = slu_value_next(at)) {
        char scratch[32];
        const struct slu_value *number = slu_value_get(at, SLU_SLICE("v "));
        struct slu_slice digits = slu_payload_number_text(&payload, number, scratch);
        assert_true(slu_slice_equal(digits, slu_slice_of(cases[i])));
        struct slu_decimal exact = slu_payload_digits(&payload, number, scratch);
        struct slu_decimal expected = slu_decimal_of(slu_slice_of(cases[i]));
        assert_int_equal(slu_decimal_compare(&exact, &expected), 0);
    }
    slu_buf_fini(&text);
    slu_payload_reader_free(reader);
}

/* The second reading is of the payload at hand, never of one before. */
static void digits_follow_the_payload_at_hand(void **state)
{
    (void)state;
    struct slu_payload_reader *reader = slu_payload_reader_new(1 << 20);
    struct slu_payload payload;
    char scratch[32];
    for (int i = 0; i < 100; i++) {
        char text[64];
        snprintf(text, sizeof(text), "[%d.10,%d.20]", i, i);
        assert_true(slu_payload_read(reader, SLU_FORMAT_JSON, slu_slice_of(text), &payload));
        if (i % 3 == 0)
            continue;
        struct slu_slice digits = slu_payload_number_text(&payload, payload.root + 2, scratch);
        char expected[32];
        snprintf(expected, sizeof(expected), "%d.20", i);
        assert_true(slu_slice_equal(digits, slu_slice_of(expected)));
    }
    slu_payload_reader_free(reader);
}

/* A tree from elsewhere, with no text behind it: the double's own digits. */
static void without_a_text_a_double_speaks_for_itself(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *text;
    } cases[] = {{0.1, "0.1"},        {20.5, "20.5"},
                 {-1e300, "-1e+300"}, {1.0 / 3, "0.3333333333333333"},
                 {5e-324, "5e-324"},  {0, "0"}};
    struct slu_payload_reader *reader = slu_payload_reader_new(16);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slu_value cell = {.tag = SLU_VALUE_REAL, .f64 = cases[i].number};
        struct slu_payload payload = {.format = SLU_FORMAT_BYTES, .root = &cell, .reader = reader};
        char scratch[32];
        struct slu_slice text = slu_payload_number_text(&payload, &cell, scratch);
        double back = strtod(scratch, NULL);
        assert_true(text.len < 32 && text.data == scratch);
        assert_true(back == cases[i].number);
        struct slu_decimal digits = slu_payload_digits(&payload, &cell, scratch);
        struct slu_decimal expected = slu_decimal_of(slu_slice_of(cases[i].text));
        assert_int_equal(digits.negative, expected.negative);
        assert_true(cases[i].number == 5e-324 || slu_decimal_compare(&digits, &expected) == 0);
    }
    slu_payload_reader_free(reader);
}

static size_t random_state = 12345;

static size_t dice(size_t faces)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (random_state >> 33) % faces;
}

static void add_random_value(struct slu_buf *out, int depth)
{
    static const char *const scalars[] = {"null",
                                          "true",
                                          "false",
                                          "0",
                                          "-1",
                                          "1.5",
                                          "1e999",
                                          "99999999999999999999",
                                          "\"\"",
                                          "\"a\\u0000b\"",
                                          "\"\\uD83D\\uDE00\"",
                                          "-0.0",
                                          "1e-999"};
    const size_t what = depth > 0 ? dice(4) : 2;
    if (what >= 2) {
        slu_buf_add_text(out, scalars[dice(sizeof(scalars) / sizeof(scalars[0]))]);
        return;
    }
    slu_buf_add_text(out, what == 0 ? "[" : "{");
    const size_t n = dice(5);
    for (size_t i = 0; i < n; i++) {
        slu_buf_add_text(out, i > 0 ? " ,\n" : "");
        if (what == 1)
            slu_buf_printf(out, "\"k%zu\" :", i);
        add_random_value(out, depth - 1);
    }
    slu_buf_add_text(out, what == 0 ? "]" : "}");
}

/* What slu_payload_digits() rests on. */
static void both_readings_have_the_same_shape(void **state)
{
    (void)state;
    struct slu_buf text;
    slu_buf_init(&text, 1 << 20);
    for (int round = 0; round < 2000; round++) {
        slu_buf_reset(&text);
        add_random_value(&text, 6);
        struct slu_document *document = slu_document_parse(slu_buf_slice(&text), 64, NULL);
        assert_non_null(document);
        const size_t n = (size_t)(slu_value_next(document->root) - document->root);
        assert_int_equal((size_t)(slu_value_next(document->raw_root) - document->raw_root), n);
        for (size_t i = 0; i < n; i++) {
            const struct slu_value *value = &document->root[i];
            const struct slu_value *raw = &document->raw_root[i];
            if (slu_value_is_number(value)) {
                assert_int_equal(slu_value_kind(raw), SLU_VALUE_BIG);
                continue;
            }
            assert_int_equal(slu_value_kind(raw), slu_value_kind(value));
            assert_int_equal(slu_value_len(raw), slu_value_len(value));
            if (slu_value_is_container(value))
                assert_int_equal(raw->size, value->size);
        }
        slu_document_free(document);
    }
    slu_buf_fini(&text);
}

static void a_reader_that_saw_the_largest_payload_allocates_no_more(void **state)
{
    (void)state;
    struct slu_payload_reader *reader = slu_payload_reader_new(1 << 20);
    struct slu_payload payload;
    struct slu_buf text;
    char scratch[32];
    slu_buf_init(&text, 1 << 20);
    slu_buf_add_text(&text, "{\"numbers\":[0.5");
    while (text.len < 100000)
        slu_buf_add_text(&text, ",0.25");
    slu_buf_add_text(&text, "]");
    for (int i = 0; text.len < 200000; i++)
        slu_buf_printf(&text, ",\"key%d\":%d", i, i);
    slu_buf_add_text(&text, "}");

    struct slu_slice large = slu_buf_slice(&text);
    assert_true(slu_payload_read(reader, SLU_FORMAT_JSON, large, &payload));
    slu_payload_number_text(&payload, payload.root + 3, scratch);
    const struct mallinfo2 before = mallinfo2();
    for (int i = 0; i < 100; i++) {
        assert_true(slu_payload_read(reader, SLU_FORMAT_JSON,
                                     i % 2 != 0 ? large : SLU_SLICE("[1.5]"), &payload));
        slu_payload_number_text(&payload, payload.root + (i % 2 != 0 ? 3 : 1), scratch);
        assert_true(slu_payload_read(reader, SLU_FORMAT_NUMBER, SLU_SLICE(" 20.5"), &payload));
        assert_false(slu_payload_read(reader, SLU_FORMAT_JSON, SLU_SLICE("[1,"), &payload));
    }
    const struct mallinfo2 after = mallinfo2();
    assert_int_equal(after.uordblks, before.uordblks);
    assert_int_equal(after.hblkhd, before.hblkhd);
    slu_buf_fini(&text);
    slu_payload_reader_free(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_and_codes_have_their_names),
        cmocka_unit_test(a_payload_beyond_the_ceiling_is_too_large_in_every_format),
        cmocka_unit_test(avro_is_not_read_without_its_schema),
        cmocka_unit_test(any_ceiling_is_taken),
        cmocka_unit_test(numbers_keep_their_digits),
        cmocka_unit_test(digits_follow_the_payload_at_hand),
        cmocka_unit_test(without_a_text_a_double_speaks_for_itself),
        cmocka_unit_test(both_readings_have_the_same_shape),
        cmocka_unit_test(a_reader_that_saw_the_largest_payload_allocates_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
