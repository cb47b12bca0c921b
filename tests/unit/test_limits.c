/* Value limits: which numbers hold, which do not, and what is said of them. */
#include "validation/limits.h"
#include "validation/payload/payload.h"
#include "validation/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct slu_payload_reader *reader;
static struct slu_arena arena;
static struct slu_verdict verdict;

static int open_all(void **state)
{
    (void)state;
    slu_arena_init(&arena, 16 << 20);
    slu_verdict_init(&verdict);
    reader = slu_payload_reader_new(1 << 20);
    return reader == NULL;
}

static int close_all(void **state)
{
    (void)state;
    slu_payload_reader_free(reader);
    slu_verdict_fini(&verdict);
    slu_arena_fini(&arena);
    return 0;
}

#define S(literal)                     \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }
#define NONE    \
    {           \
        NULL, 0 \
    }

/* Judge a JSON text; codes of the violations, joined by blanks, go to `codes`. */
static bool judge(const struct slu_limit *rows, size_t n_rows, enum slu_format format,
                  struct slu_slice text, char codes[256])
{
    struct slu_payload payload;
    const struct slu_limits *limits = slu_limits_compile(rows, n_rows, &arena, NULL, NULL);
    assert_non_null(limits);
    assert_true(slu_payload_read(reader, format, text, &payload));
    slu_verdict_reset(&verdict);
    const bool holds = slu_limits_judge(limits, &payload, &verdict);
    assert_int_equal(holds, slu_verdict_holds(&verdict));
    assert_int_equal(slu_limits_judge(limits, &payload, NULL), holds);
    codes[0] = '\0';
    for (size_t i = 0; i < verdict.n; i++) {
        const size_t used = strlen(codes);
        snprintf(codes + used, 256 - used, "%s%s", i > 0 ? " " : "", verdict.violations[i].code);
    }
    return holds;
}

static void numbers_are_held_against_their_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct slu_limit row; /* field, min, max, exclusive_min, exclusive_max, required */
        struct slu_slice payload;
        const char *codes; /* "": holds */
    } cases[] = {
        {"inside", {S("/v"), S("-50"), S("400"), NONE, NONE, true}, S("{\"v\":20.5}"), ""},
        {"the lowest", {S("/v"), S("-50"), S("400"), NONE, NONE, true}, S("{\"v\":-50}"), ""},
        {"the highest", {S("/v"), S("-50"), S("400"), NONE, NONE, true}, S("{\"v\":400}"), ""},
        {"the highest as a real",
         {S("/v"), S("-50"), S("400"), NONE, NONE, true},
         S("{\"v\":400.0}"),
         ""},
        {"the highest with an exponent",
         {S("/v"), S("-50"), S("400"), NONE, NONE, true},
         S("{\"v\":4E2}"),
         ""},
        {"above", {S("/v"), S("-50"), S("400"), NONE, NONE, true}, S("{\"v\":401}"), "limits.max"},
        {"just above",
         {S("/v"), S("-50"), S("400"), NONE, NONE, true},
         S("{\"v\":400.00000000000000000000000001}"),
         "limits.max"},
        {"just below",
         {S("/v"), S("-50"), S("400"), NONE, NONE, true},
         S("{\"v\":-50.00000000000000000000000001}"),
         "limits.min"},
        {"far above",
         {S("/v"), S("-50"), S("400"), NONE, NONE, true},
         S("{\"v\":1e999}"),
         "limits.max"},
        {"far below",
         {S("/v"), S("-50"), S("400"), NONE, NONE, true},
         S("{\"v\":-1e999}"),
         "limits.min"},
        {"the exclusive end",
         {S("/v"), NONE, NONE, S("0"), S("1"), true},
         S("{\"v\":1}"),
         "limits.exclusive_max"},
        {"the other exclusive end",
         {S("/v"), NONE, NONE, S("0"), S("1"), true},
         S("{\"v\":0}"),
         "limits.exclusive_min"},
        {"minus zero is zero",
         {S("/v"), NONE, NONE, S("0"), S("1"), true},
         S("{\"v\":-0}"),
         "limits.exclusive_min"},
        {"minus zero is not below zero",
         {S("/v"), S("0"), NONE, NONE, NONE, true},
         S("{\"v\":-0.0}"),
         ""},
        {"a bound of minus zero", {S("/v"), S("-0"), NONE, NONE, NONE, true}, S("{\"v\":0}"), ""},
        {"smaller than any double, yet above zero",
         {S("/v"), NONE, NONE, S("0"), S("1"), true},
         S("{\"v\":1e-999}"),
         ""},
        {"closer to one than any double",
         {S("/v"), NONE, NONE, S("0"), S("1"), true},
         S("{\"v\":0.99999999999999999999999999}"),
         ""},
        {"two bounds of one row",
         {S("/v"), S("10"), S("90"), S("20"), S("80"), true},
         S("{\"v\":5}"),
         "limits.min limits.exclusive_min"},
        {"an integer beyond 2^53",
         {S("/v"), NONE, S("9007199254740992"), NONE, NONE, true},
         S("{\"v\":9007199254740993}"),
         "limits.max"},
        {"an integer beyond 2^53 as a real",
         {S("/v"), NONE, S("9007199254740992"), NONE, NONE, true},
         S("{\"v\":9007199254740993.0}"),
         "limits.max"},
        {"a bound beyond 2^53 as a real",
         {S("/v"), S("9007199254740993.0"), NONE, NONE, NONE, true},
         S("{\"v\":9007199254740992}"),
         "limits.min"},
        {"the largest of 64 bits",
         {S("/v"), NONE, S("18446744073709551615"), NONE, NONE, true},
         S("{\"v\":18446744073709551615}"),
         ""},
        {"one beyond 64 bits",
         {S("/v"), NONE, S("18446744073709551615"), NONE, NONE, true},
         S("{\"v\":18446744073709551616}"),
         "limits.max"},
        {"a negative against a large bound",
         {S("/v"), S("9223372036854775808"), NONE, NONE, NONE, true},
         S("{\"v\":-1}"),
         "limits.min"},
        {"a large against a negative bound",
         {S("/v"), NONE, S("-1"), NONE, NONE, true},
         S("{\"v\":9223372036854775808}"),
         "limits.max"},
        {"a bound of many digits",
         {S("/v"), NONE, S("100000000000000000000000"), NONE, NONE, true},
         S("{\"v\":100000000000000000000001}"),
         "limits.max"},
        {"a real against a bound of many digits",
         {S("/v"), NONE, S("100000000000000000000000"), NONE, NONE, true},
         S("{\"v\":1e23}"),
         ""},
        {"a small real against a bound of many digits",
         {S("/v"), NONE, S("100000000000000000000000"), NONE, NONE, true},
         S("{\"v\":2.5}"),
         ""},
        {"a bound beyond the doubles",
         {S("/v"), NONE, S("1e400"), NONE, NONE, true},
         S("{\"v\":1.7e308}"),
         ""},
        {"beyond a bound beyond the doubles",
         {S("/v"), S("-1e400"), S("1e400"), NONE, NONE, true},
         S("{\"v\":1.1e400}"),
         "limits.max"},
        {"below a bound below the doubles",
         {S("/v"), S("-1e400"), S("1e400"), NONE, NONE, true},
         S("{\"v\":-10.1e399}"),
         "limits.min"},
        {"a decimal bound met exactly",
         {S("/v"), NONE, S("0.1"), NONE, NONE, true},
         S("{\"v\":0.10}"),
         ""},
        {"the double of a bound is not the bound",
         {S("/v"), NONE, S("0.1"), NONE, NONE, true},
         S("{\"v\":0.1000000000000000055511151231257827}"),
         "limits.max"},
        {"absent", {S("/v"), S("0"), NONE, NONE, NONE, false}, S("{\"w\":-1}"), ""},
        {"absent but required",
         {S("/v"), S("0"), NONE, NONE, NONE, true},
         S("{\"w\":-1}"),
         "limits.required"},
        {"required below no container",
         {S("/v/w"), NONE, NONE, NONE, NONE, true},
         S("{\"v\":1}"),
         "limits.required"},
        {"null is there, and no number",
         {S("/v"), S("0"), NONE, NONE, NONE, false},
         S("{\"v\":null}"),
         "limits.type"},
        {"a string", {S("/v"), S("0"), NONE, NONE, NONE, true}, S("{\"v\":\"1\"}"), "limits.type"},
        {"a boolean", {S("/v"), NONE, NONE, NONE, NONE, false}, S("{\"v\":true}"), "limits.type"},
        {"the root itself", {S(""), S("0"), S("9"), NONE, NONE, true}, S("10"), "limits.max"},
        {"deep inside",
         {S("/a/1/b~1c"), S("0"), S("9"), NONE, NONE, true},
         S("{\"a\":[0,{\"b/c\":-1}]}"),
         "limits.min"},
    };
    char codes[256];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        judge(&cases[i].row, 1, SLU_FORMAT_JSON, cases[i].payload, codes);
        if (strcmp(codes, cases[i].codes) != 0)
            print_error("%s: %s\n", cases[i].name, codes);
        assert_string_equal(codes, cases[i].codes);
    }
}

static void every_broken_row_is_told(void **state)
{
    (void)state;
    static const struct slu_limit rows[] = {
        {S("/a"), S("0"), NONE, NONE, NONE, false},
        {S("/b"), S("0"), S("5"), NONE, NONE, false},
        {S("/c"), S("0"), NONE, NONE, NONE, true},
        {S("/d"), S("0"), NONE, NONE, NONE, true},
    };
    char codes[256];
    assert_false(
        judge(rows, 4, SLU_FORMAT_JSON, SLU_SLICE("{\"a\":-1,\"b\":3,\"d\":\"x\"}"), codes));
    assert_string_equal(codes, "limits.min limits.required limits.type");
    assert_true(judge(rows, 0, SLU_FORMAT_JSON, SLU_SLICE("{}"), codes));
}

static void more_than_eight_are_counted(void **state)
{
    (void)state;
    struct slu_limit rows[20];
    char fields[20][8];
    for (size_t i = 0; i < 20; i++) {
        snprintf(fields[i], sizeof(fields[i]), "/f%zu", i);
        rows[i] = (struct slu_limit){.field = slu_slice_of(fields[i]), .required = true};
    }
    char codes[256];
    judge(rows, 20, SLU_FORMAT_JSON, SLU_SLICE("{}"), codes);
    assert_int_equal(verdict.n, SLU_VERDICT_MAX);
    assert_int_equal(verdict.total, 20);
}

static void scalars_have_limits_and_bytes_have_none(void **state)
{
    (void)state;
    static const struct slu_limit optional = {S(""), S("0"), S("9"), NONE, NONE, false};
    static const struct slu_limit required = {S(""), S("0"), S("9"), NONE, NONE, true};
    char codes[256];
    judge(&optional, 1, SLU_FORMAT_NUMBER, SLU_SLICE(" +9.0 "), codes);
    assert_string_equal(codes, "");
    judge(&optional, 1, SLU_FORMAT_NUMBER, SLU_SLICE("9.000000000000000000000001"), codes);
    assert_string_equal(codes, "limits.max");
    judge(&optional, 1, SLU_FORMAT_STRING, SLU_SLICE("9"), codes);
    assert_string_equal(codes, "limits.type");
    judge(&optional, 1, SLU_FORMAT_BYTES, SLU_SLICE("9"), codes);
    assert_string_equal(codes, "");
    judge(&required, 1, SLU_FORMAT_BYTES, SLU_SLICE("9"), codes);
    assert_string_equal(codes, "limits.required");
}

static void what_is_said_keeps_every_digit(void **state)
{
    (void)state;
    static const struct {
        struct slu_limit row;
        struct slu_slice payload;
        const char *pointer, *expected, *actual, *message;
    } cases[] = {
        {{S("/value"), NONE, S("400"), NONE, NONE, false},
         S("{\"value\":500}"),
         "/value",
         "400",
         "500",
         "500 is above the maximum 400"},
        {{S("/value"), S("-50.0"), NONE, NONE, NONE, false},
         S("{\"value\":-50.10}"),
         "/value",
         "-50.0",
         "-50.10",
         "-50.10 is below the minimum -50.0"},
        {{S("/v"), NONE, NONE, S("0"), NONE, false},
         S("{\"v\":-0}"),
         "/v",
         "0",
         "-0",
         "-0 is not above the exclusive minimum 0"},
        {{S("/v"), NONE, NONE, NONE, S("1e2"), false},
         S("{\"v\":100.0}"),
         "/v",
         "1e2",
         "100.0",
         "100.0 is not below the exclusive maximum 1e2"},
        {{S("/a~1b"), NONE, NONE, NONE, NONE, true},
         S("{}"),
         "/a~1b",
         "",
         "",
         "the required field /a~1b is missing"},
        {{S("/v"), NONE, S("1"), NONE, NONE, false},
         S("{\"v\":[\"x\",1.50]}"),
         "/v",
         "\"number\"",
         "[\"x\",1.5]",
         "expected a number, found: array"},
        {{S(""), NONE, S("1"), NONE, NONE, false},
         S("123456789012345678901234567890"),
         "",
         "1",
         "123456789012345678901234567890",
         "123456789012345678901234567890 is above the maximum 1"},
    };
    char codes[256];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_false(judge(&cases[i].row, 1, SLU_FORMAT_JSON, cases[i].payload, codes));
        const struct slu_violation *violation = &verdict.violations[0];
        const struct {
            struct slu_text_ref ref;
            const char *text;
        } texts[] = {{violation->pointer, cases[i].pointer},
                     {violation->expected, cases[i].expected},
                     {violation->actual, cases[i].actual},
                     {violation->message, cases[i].message}};
        for (size_t t = 0; t < 4; t++) {
            struct slu_slice text = slu_verdict_text(&verdict, texts[t].ref);
            assert_true(slu_slice_equal(text, slu_slice_of(texts[t].text)));
        }
        assert_null(violation->schema);
    }
}

static void a_number_of_many_digits_is_shown_in_part(void **state)
{
    (void)state;
    static char digits[100000];
    memset(digits, '7', sizeof(digits));
    static const struct slu_limit row = {S(""), NONE, S("1"), NONE, NONE, false};
    char codes[256];
    judge(&row, 1, SLU_FORMAT_JSON, slu_slice(digits, sizeof(digits)), codes);
    assert_string_equal(codes, "limits.max");
    assert_int_equal(verdict.violations[0].actual.len, 0);
    struct slu_slice message = slu_verdict_text(&verdict, verdict.violations[0].message);
    assert_true(message.len > 64 && message.len < 128);
}

static void rows_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static char long_bound[5000];
    memset(long_bound, '1', sizeof(long_bound));
    static const struct {
        struct slu_limit row;
        const char *says;
    } cases[] = {
        {{S("v"), NONE, NONE, NONE, NONE, false}, "Pointer"},
        {{S("/~"), NONE, NONE, NONE, NONE, false}, "'~'"},
        {{S("/v"), S("x"), NONE, NONE, NONE, false}, "min is not a number"},
        {{S("/v"), NONE, S("+1"), NONE, NONE, false}, "max is not a number"},
        {{S("/v"), NONE, NONE, S("\"1\""), NONE, false}, "exclusive_min is not a number"},
        {{S("/v"), NONE, NONE, NONE, S("[1]"), false}, "exclusive_max is not a number"},
        {{S("/v"), S("1 2"), NONE, NONE, NONE, false}, "min is not a number"},
        {{S("/v"), S("2"), S("1"), NONE, NONE, false}, "min 2 and max 1"},
        {{S("/v"), S("1.0000000000000000000000001"), S("1"), NONE, NONE, false}, "no number holds"},
        {{S("/v"), S("1"), NONE, NONE, S("1.0"), false}, "min 1 and exclusive_max 1.0"},
        {{S("/v"), NONE, S("1"), S("1"), NONE, false}, "exclusive_min 1 and max 1"},
        {{S("/v"), NONE, NONE, S("3"), S("2"), false}, "exclusive_min 3 and exclusive_max 2"},
        {{S("/v"), {long_bound, sizeof(long_bound)}, NONE, NONE, NONE, false}, "digits"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct slu_limit rows[] = {{S("/fine"), S("1"), S("1"), NONE, NONE, true},
                                         cases[i].row};
        struct slu_err err = {0};
        size_t bad_row = 99;
        assert_null(slu_limits_compile(rows, 2, &arena, &bad_row, &err));
        assert_int_equal(bad_row, 1);
        assert_int_equal(err.kind, SLU_EINVAL);
        if (strstr(err.text, cases[i].says) == NULL)
            print_error("case %zu: %s\n", i, err.text);
        assert_non_null(strstr(err.text, cases[i].says));
    }
}

static void no_memory_for_limits_is_an_error(void **state)
{
    (void)state;
    static const struct slu_limit rows[] = {{S("/a"), S("1"), S("2"), NONE, NONE, true},
                                            {S("/b"), S("1"), S("2"), NONE, NONE, true}};
    size_t fits = 0;
    for (size_t max = 0; max < 4096; max += 16) {
        struct slu_arena small;
        struct slu_err err = {0};
        slu_arena_init(&small, max);
        if (slu_limits_compile(rows, 2, &small, NULL, &err) != NULL)
            fits++;
        else
            assert_int_equal(err.kind, SLU_ENOMEM);
        slu_arena_fini(&small);
    }
    assert_true(fits > 0 && fits < 4096 / 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_held_against_their_bounds),
        cmocka_unit_test(every_broken_row_is_told),
        cmocka_unit_test(more_than_eight_are_counted),
        cmocka_unit_test(scalars_have_limits_and_bytes_have_none),
        cmocka_unit_test(what_is_said_keeps_every_digit),
        cmocka_unit_test(a_number_of_many_digits_is_shown_in_part),
        cmocka_unit_test(rows_that_make_no_sense_are_refused),
        cmocka_unit_test(no_memory_for_limits_is_an_error),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
