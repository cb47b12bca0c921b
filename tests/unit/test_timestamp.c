/* The event time in a payload: every unit, every digit, and what is no time. */
#include "validation/timestamp.h"

#include "base/arena.h"
#include "validation/payload/payload.h"
#include "validation/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define UNTOUCHED INT64_C(-42)

/* The event time of `json` at `field`; the code instead when there is none. */
static const char *read_time(const char *json, const char *field, enum slu_time_unit unit,
                             int64_t *event_ns)
{
    static char code[64];
    struct slu_payload_reader *reader = slu_payload_reader_new(1 << 20);
    struct slu_timestamp timestamp = {.unit = unit};
    struct slu_payload payload;
    struct slu_verdict verdict;
    struct slu_arena arena;

    slu_arena_init(&arena, 1 << 16);
    slu_verdict_init(&verdict);
    assert_non_null(reader);
    assert_int_equal(slu_pointer_compile(slu_slice_of(field), &arena, &timestamp.field, NULL), 0);
    assert_true(slu_payload_read(reader, SLU_FORMAT_JSON, slu_slice_of(json), &payload));
    *event_ns = UNTOUCHED;
    const bool holds = slu_timestamp_judge(&timestamp, &payload, event_ns, &verdict);
    assert_int_equal(holds, slu_timestamp_judge(&timestamp, &payload, event_ns, NULL));
    assert_int_equal(verdict.n, holds ? 0 : 1);
    code[0] = '\0';
    if (!holds) {
        assert_int_equal(*event_ns, UNTOUCHED);
        assert_true(slu_slice_equal(slu_verdict_text(&verdict, verdict.violations[0].pointer),
                                    slu_slice_of(field)));
        strncat(code, verdict.violations[0].code, sizeof(code) - 1);
    }
    slu_verdict_fini(&verdict);
    slu_payload_reader_free(reader);
    slu_arena_fini(&arena);
    return code;
}

static void numbers_count_their_unit(void **state)
{
    static const struct {
        const char *json;
        enum slu_time_unit unit;
        int64_t ns;
    } cases[] = {
        {"1767225600", SLU_TIME_SECONDS, INT64_C(1767225600000000000)},
        {"1767225600000", SLU_TIME_MILLISECONDS, INT64_C(1767225600000000000)},
        {"1767225600000000", SLU_TIME_MICROSECONDS, INT64_C(1767225600000000000)},
        {"1767225600000000001", SLU_TIME_NANOSECONDS, INT64_C(1767225600000000001)},
        {"1767225600.123456789", SLU_TIME_SECONDS, INT64_C(1767225600123456789)},
        {"1767225600.1234567899", SLU_TIME_SECONDS, INT64_C(1767225600123456789)},
        {"1767225600000.000001", SLU_TIME_MILLISECONDS, INT64_C(1767225600000000001)},
        {"1.7672256e9", SLU_TIME_SECONDS, INT64_C(1767225600000000000)},
        {"0", SLU_TIME_SECONDS, 0},
        {"-0.0", SLU_TIME_SECONDS, 0},
        {"0.5", SLU_TIME_NANOSECONDS, 0},
        {"-0.5", SLU_TIME_NANOSECONDS, -1},
        {"-1", SLU_TIME_SECONDS, INT64_C(-1000000000)},
        {"-1.5", SLU_TIME_NANOSECONDS, -2},
        {"-1.0000000001", SLU_TIME_SECONDS, INT64_C(-1000000001)},
        {"1e-400", SLU_TIME_SECONDS, 0},
        {"9223372036854775807", SLU_TIME_NANOSECONDS, INT64_MAX},
        {"9223372036.854775807", SLU_TIME_SECONDS, INT64_MAX},
        {"-9223372036854775808", SLU_TIME_NANOSECONDS, INT64_MIN},
    };
    int64_t ns;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(read_time(cases[i].json, "", cases[i].unit, &ns), "");
        if (ns != cases[i].ns)
            fail_msg("%s %s: %lld", cases[i].json, slu_time_unit_names[cases[i].unit],
                     (long long)ns);
    }
}

static void text_is_rfc_3339(void **state)
{
    int64_t ns;

    (void)state;
    assert_string_equal(read_time("{\"a\":{\"t\":\"2026-01-01T01:00:00.000000001+01:00\"}}", "/a/t",
                                  SLU_TIME_RFC3339, &ns),
                        "");
    assert_int_equal(ns, INT64_C(1767225600000000001));
}

static void what_is_no_time_is_told(void **state)
{
    static const struct {
        const char *json;
        enum slu_time_unit unit;
        const char *code;
    } cases[] = {
        {"{}", SLU_TIME_SECONDS, "timestamp.missing"},
        {"[1]", SLU_TIME_SECONDS, "timestamp.missing"},
        {"{\"ts\":null}", SLU_TIME_SECONDS, "timestamp.malformed"},
        {"{\"ts\":true}", SLU_TIME_SECONDS, "timestamp.malformed"},
        {"{\"ts\":\"1767225600\"}", SLU_TIME_SECONDS, "timestamp.malformed"},
        {"{\"ts\":[1]}", SLU_TIME_SECONDS, "timestamp.malformed"},
        {"{\"ts\":9223372036.854775808}", SLU_TIME_SECONDS, "timestamp.malformed"},
        {"{\"ts\":9223372037}", SLU_TIME_SECONDS, "timestamp.malformed"},
        {"{\"ts\":18446744073709551615}", SLU_TIME_NANOSECONDS, "timestamp.malformed"},
        {"{\"ts\":9223372036854775808}", SLU_TIME_NANOSECONDS, "timestamp.malformed"},
        {"{\"ts\":-9223372036854775809}", SLU_TIME_NANOSECONDS, "timestamp.malformed"},
        {"{\"ts\":-9223372036854775808.5}", SLU_TIME_NANOSECONDS, "timestamp.malformed"},
        {"{\"ts\":1e400}", SLU_TIME_SECONDS, "timestamp.malformed"},
        {"{\"ts\":1767225600}", SLU_TIME_RFC3339, "timestamp.malformed"},
        {"{\"ts\":\"2026-01-01\"}", SLU_TIME_RFC3339, "timestamp.malformed"},
        {"{\"ts\":\"\"}", SLU_TIME_RFC3339, "timestamp.malformed"},
        {"{\"ts\":\"2026-02-30T00:00:00Z\"}", SLU_TIME_RFC3339, "timestamp.malformed"},
    };
    int64_t ns;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *code = read_time(cases[i].json, "/ts", cases[i].unit, &ns);
        if (strcmp(code, cases[i].code) != 0)
            fail_msg("%s: %s", cases[i].json, code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_count_their_unit),
        cmocka_unit_test(text_is_rfc_3339),
        cmocka_unit_test(what_is_no_time_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
