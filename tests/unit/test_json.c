/* JSON payloads: what holds, what does not, and the name of what is wrong. */
#include "base/buf.h"
#include "validation/payload/payload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct slu_payload_reader *reader;

static int open_reader(void **state)
{
    (void)state;
    reader = slu_payload_reader_new(16 << 20);
    return reader == NULL;
}

static int close_reader(void **state)
{
    (void)state;
    slu_payload_reader_free(reader);
    return 0;
}

/* A literal that may hold NUL. */
#define TEXT(literal)                  \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

/* Read from a block of exactly the text's size, so that a step beyond it is noticed. */
static struct slu_payload read_text(struct slu_slice text)
{
    struct slu_payload payload;
    char *exact = malloc(text.len != 0 ? text.len : 1);
    assert_non_null(exact);
    memcpy(exact, text.data, text.len);
    slu_payload_read(reader, SLU_FORMAT_JSON, slu_slice(exact, text.len), &payload);
    assert_memory_equal(exact, text.data, text.len);
    assert_int_equal(payload.root != NULL, payload.fault == SLU_PAYLOAD_OK);
    assert_int_equal(payload.fault_text == NULL, payload.fault == SLU_PAYLOAD_OK);
    assert_true(payload.fault_at <= text.len);
    free(exact);
    return payload;
}

static void well_formed_texts_hold(void **state)
{
    (void)state;
    static const struct slu_slice cases[] = {
        TEXT("null"),
        TEXT("true"),
        TEXT("false"),
        TEXT("0"),
        TEXT("-0"),
        TEXT("\"\""),
        TEXT("[]"),
        TEXT("{}"),
        TEXT(" \t\r\n[ \n] "),
        TEXT("{ \"a\" : 1 , \"b\" : [ ] }"),
        TEXT("[1,-1,0.5,-0.5,1e5,1E5,1e+5,1e-5,1.5e05,0e0,0E-0,-0.0]"),
        TEXT("1e999"),
        TEXT("-1e999"),
        TEXT("1e-999"),
        TEXT("123456789012345678901234567890"),
        TEXT("[123e65,0e+1,20e1,123.456e78,-123]"),
        TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u00e9\\uD83D\\uDE00\\udbff\\udfff\""),
        TEXT("\"\x7F\""),
        TEXT("\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\""),
        TEXT("\"\xEF\xBF\xBF\xEF\xBB\xBF\xF4\x8F\xBF\xBF\""),
        TEXT("\"\\uFFFE\\u200b\xE2\x80\xA8\""),
        TEXT("{\"\":0}"),
        TEXT("{\"\\u0000\":1,\"\":2}"),
        TEXT("{\"a\":1,\"A\":2,\"a \":3}"),
        TEXT("[{\"a\":1},{\"a\":1}]"),
        TEXT("{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}"),
        TEXT("[[[[[[[[[[]]]]]]]]]]"),
        TEXT("\"/* no comment */\""),
        TEXT("\" \""),
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(read_text(cases[i]).fault, SLU_PAYLOAD_OK);
}

static void what_is_wrong_is_named_and_placed(void **state)
{
    (void)state;
    enum { ANYWHERE = -1 };
    static const struct {
        struct slu_slice text;
        enum slu_payload_fault fault;
        int at;
    } cases[] = {
        /* nothing */
        {TEXT(""), SLU_PAYLOAD_EMPTY, 0},
        {TEXT(" "), SLU_PAYLOAD_EMPTY, 0},
        {TEXT("\r\n\t "), SLU_PAYLOAD_EMPTY, 0},
        {TEXT("\f"), SLU_PAYLOAD_MALFORMED, 0},
        {TEXT("\0"), SLU_PAYLOAD_MALFORMED, 0},
        {TEXT("\xC2\xA0"), SLU_PAYLOAD_MALFORMED, 0},
        /* around the value */
        {TEXT("\xEF\xBB\xBF{}"), SLU_PAYLOAD_MALFORMED, 0},
        {TEXT("{} {}"), SLU_PAYLOAD_MALFORMED, 3},
        {TEXT("[]]"), SLU_PAYLOAD_MALFORMED, 2},
        {TEXT("1 2"), SLU_PAYLOAD_MALFORMED, 2},
        {TEXT("{},"), SLU_PAYLOAD_MALFORMED, 2},
        {TEXT("{}\0"), SLU_PAYLOAD_MALFORMED, 2},
        {TEXT("[]\v"), SLU_PAYLOAD_MALFORMED, 2},
        {TEXT("\"a\"x"), SLU_PAYLOAD_MALFORMED, 3},
        {TEXT("/**/1"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("1 // one"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("[1/**/]"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("# 1"), SLU_PAYLOAD_MALFORMED, 0},
        /* structure */
        {TEXT("["), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("{"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("]"), SLU_PAYLOAD_MALFORMED, 0},
        {TEXT("[1,]"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("[,1]"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("[1,,2]"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("[1 2]"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("[1}"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("{\"a\":1]"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("{\"a\":1,}"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("{,}"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("{\"a\"}"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("{\"a\":}"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("{:1}"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("{\"a\" 1}"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("{\"a\"::1}"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("{a:1}"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("{'a':1}"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("{1:1}"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("{\"a\":1 \"b\":2}"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("['a']"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("[\"a\",\n4\n,1,"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        /* words */
        {TEXT("True"), SLU_PAYLOAD_MALFORMED, 0},
        {TEXT("nul"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("nullx"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("truefalse"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("undefined"), SLU_PAYLOAD_MALFORMED, 0},
        {TEXT("NaN"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("nan"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("Infinity"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("-Infinity"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("[-inf]"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        /* numbers */
        {TEXT("+1"), SLU_PAYLOAD_MALFORMED, 0},
        {TEXT("-"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("--1"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("01"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("-01"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("[00]"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT(".5"), SLU_PAYLOAD_MALFORMED, 0},
        {TEXT("-.5"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("5."), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("[5.]"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("5.e3"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("1e"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("[1e+]"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("1e1.5"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("1.2.3"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("0x10"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("1_000"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("1a"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("- 1"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("\xEF\xBC\x91"), SLU_PAYLOAD_MALFORMED, 0}, /* a full-width digit */
        /* strings */
        {TEXT("\""), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("\"abc"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("\"\\\""), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("\"\\"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("\"a\nb\""), SLU_PAYLOAD_MALFORMED, 2},
        {TEXT("\"a\tb\""), SLU_PAYLOAD_MALFORMED, 2},
        {TEXT("\"a\0b\""), SLU_PAYLOAD_MALFORMED, 2},
        {TEXT("\"\x1F\""), SLU_PAYLOAD_MALFORMED, 1},
        {TEXT("\"\\a\""), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("\"\\'\""), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("\"\\x41\""), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("\"\\0\""), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("\"\\u\""), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("\"\\u12\""), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("\"\\u123g\""), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("\"\\U0041\""), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("\"\\u{41}\""), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        {TEXT("\"\\\n\""), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        /* UTF-8, wherever it breaks */
        {TEXT("\"\xFF\""), SLU_PAYLOAD_UTF8, 1},
        {TEXT("\"ab\xC3\""), SLU_PAYLOAD_UTF8, 3},
        {TEXT("\"\xC3"), SLU_PAYLOAD_UTF8, 1},
        {TEXT("\"\x80\""), SLU_PAYLOAD_UTF8, 1},
        {TEXT("\"\xC0\xAF\""), SLU_PAYLOAD_UTF8, 1}, /* overlong */
        {TEXT("\"\xE0\x80\xAF\""), SLU_PAYLOAD_UTF8, 1},
        {TEXT("\"\xF0\x80\x80\xAF\""), SLU_PAYLOAD_UTF8, 1},
        {TEXT("\"\xED\xA0\x80\""), SLU_PAYLOAD_UTF8, 1},     /* U+D800 */
        {TEXT("\"\xF4\x90\x80\x80\""), SLU_PAYLOAD_UTF8, 1}, /* beyond U+10FFFF */
        {TEXT("{\"\xE9\":1}"), SLU_PAYLOAD_UTF8, 2},         /* Latin-1 */
        {TEXT("{\"a\":1,\"\xC3\xA9\":\"\xE9\"}"), SLU_PAYLOAD_UTF8, 13},
        {TEXT("\xFF\xFE{\0}\0"), SLU_PAYLOAD_UTF8, 0},
        {TEXT("[\xE5]"), SLU_PAYLOAD_UTF8, 1},
        {TEXT("\xFF"), SLU_PAYLOAD_UTF8, 0},
        /* halves of surrogate pairs */
        {TEXT("\"\\uD800\""), SLU_PAYLOAD_SURROGATE, 1},
        {TEXT("\"\\uDC00\""), SLU_PAYLOAD_SURROGATE, 1},
        {TEXT("\"\\uDFFF\\uD800\""), SLU_PAYLOAD_SURROGATE, 1},
        {TEXT("\"\\uD800\\uD800\""), SLU_PAYLOAD_SURROGATE, 1},
        {TEXT("\"\\uD800\\u0041\""), SLU_PAYLOAD_SURROGATE, 1},
        {TEXT("\"\\uD800\\n\""), SLU_PAYLOAD_SURROGATE, 1},
        {TEXT("\"\\uD800x\""), SLU_PAYLOAD_SURROGATE, 1},
        {TEXT("\"\\uD83D\\uDE00\\uDE00\""), SLU_PAYLOAD_SURROGATE, 13},
        {TEXT("{\"a\":\"\\\\\\uD800\"}"), SLU_PAYLOAD_SURROGATE, 8},
        {TEXT("{\"\\udbff\":1}"), SLU_PAYLOAD_SURROGATE, 2},
        {TEXT("[\"\\\\uD800\",\"\\\"\\uDABC \"]"), SLU_PAYLOAD_SURROGATE, 14},
        {TEXT("[\"\\\\uD800\",x]"), SLU_PAYLOAD_MALFORMED, 11},
        {TEXT("[\"\\q\",\"\\uD800\"]"), SLU_PAYLOAD_MALFORMED, ANYWHERE},
        /* keys twice */
        {TEXT("{\"a\":1,\"a\":1}"), SLU_PAYLOAD_DUPLICATE_KEY, 7},
        {TEXT("{\"a\":1,\"\\u0061\":2}"), SLU_PAYLOAD_DUPLICATE_KEY, 7},
        {TEXT("{\"\":1,\"b\":[],\"\":1}"), SLU_PAYLOAD_DUPLICATE_KEY, 13},
        {TEXT("[0,{\"x\":{\"k\":[1],\"l\":0,\"k\":2}}]"), SLU_PAYLOAD_DUPLICATE_KEY, 23},
        {TEXT("{\"x\":{\"k\":1},\"y\":{\"k\":1,\"j\":{},\"k\":1}}"), SLU_PAYLOAD_DUPLICATE_KEY, 31},
        {TEXT("{\"a\":{},\"b\":[{}],\"a\":0}"), SLU_PAYLOAD_DUPLICATE_KEY, 17},
        {TEXT("{\"twelve bytes\":1,\"twelve bytes\":2}"), SLU_PAYLOAD_DUPLICATE_KEY, 18},
        {TEXT("{\"a key of more than sixteen bytes\":1,\"\":0,\"a key of more than sixteen "
              "bytes\":2}"),
         SLU_PAYLOAD_DUPLICATE_KEY, 43},
        {TEXT("{\"\xC3\xA9\":1,\"\\u00E9\":2}"), SLU_PAYLOAD_DUPLICATE_KEY, 8},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slu_payload payload = read_text(cases[i].text);
        if (payload.fault != cases[i].fault ||
            (cases[i].at != ANYWHERE && payload.fault_at != (size_t)cases[i].at))
            print_error("case %zu: %.*s: fault %d at %zu: %s\n", i, SLU_SLICE_ARG(cases[i].text),
                        payload.fault, payload.fault_at,
                        payload.fault_text != NULL ? payload.fault_text : "");
        assert_int_equal(payload.fault, cases[i].fault);
        if (cases[i].at != ANYWHERE)
            assert_int_equal(payload.fault_at, cases[i].at);
    }
}

static void the_key_that_is_there_twice_is_told(void **state)
{
    (void)state;
    struct slu_payload payload = read_text(SLU_SLICE("{\"a\\n\":1,\"b\":2,\"\\u0061\\n\":3}"));
    assert_int_equal(payload.fault, SLU_PAYLOAD_DUPLICATE_KEY);
    assert_true(slu_slice_equal(payload.fault_key, SLU_SLICE("a\n")));
}

static void every_truncation_of_a_payload_is_refused(void **state)
{
    (void)state;
    const struct slu_slice text =
        SLU_SLICE("{\"ts\":1767225600000,\"d\":[1.5,-2e3,{\"\xC3\xA4\\u00e4\\uD83D\\uDE00\":null}],"
                  "\"ok\":true,\"s\":\"a\\\"b\"}");
    assert_int_equal(read_text(text).fault, SLU_PAYLOAD_OK);
    for (size_t n = 0; n < text.len; n++)
        assert_int_not_equal(read_text(slu_slice(text.data, n)).fault, SLU_PAYLOAD_OK);
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    static const struct {
        const char *open, *close;
        size_t at; /* of the container that is too deep, behind 64 opens */
    } cases[] = {{"[", "]", 64}, {"{\"a\":", "}", 64 * 5}, {"[[],{\"a\":1,\"b\":", "}]", 0}};
    struct slu_buf text;
    slu_buf_init(&text, 1 << 20);
    for (size_t i = 0; i < 3; i++) {
        const size_t levels = i == 2 ? SLU_PAYLOAD_MAX_DEPTH / 2 : SLU_PAYLOAD_MAX_DEPTH;
        for (size_t extra = 0; extra < 2; extra++) {
            slu_buf_reset(&text);
            for (size_t d = 0; d < levels; d++)
                slu_buf_add_text(&text, cases[i].open);
            slu_buf_add_text(&text, extra != 0 ? "[]" : "0");
            for (size_t d = 0; d < levels; d++)
                slu_buf_add_text(&text, cases[i].close);
            struct slu_payload payload = read_text(slu_buf_slice(&text));
            assert_int_equal(payload.fault, extra != 0 ? SLU_PAYLOAD_DEPTH : SLU_PAYLOAD_OK);
            if (extra != 0 && cases[i].at != 0)
                assert_int_equal(payload.fault_at, cases[i].at);
        }
    }
    slu_buf_fini(&text);
}

static void brackets_without_end_are_refused_within_bounded_memory(void **state)
{
    (void)state;
    enum { N = 1 << 20 };
    char *text = malloc(N);
    assert_non_null(text);
    memset(text, '[', N);
    assert_int_equal(read_text(slu_slice(text, N)).fault, SLU_PAYLOAD_MALFORMED);
    for (size_t i = 0; i + 5 <= N; i += 5)
        memcpy(text + i, "{\"a\":", 5);
    assert_int_equal(read_text(slu_slice(text, N)).fault, SLU_PAYLOAD_MALFORMED);
    memset(text, '[', N / 2);
    memset(text + N / 2, ']', N / 2);
    assert_int_equal(read_text(slu_slice(text, N)).fault, SLU_PAYLOAD_DEPTH);
    free(text);
}

/* ---- objects of many keys ---- */

static void add_key(struct slu_buf *text, const char *format, size_t i)
{
    char number[32];
    slu_buf_add_text(text, text->len > 1 ? ",\"" : "\"");
    for (const char *at = format; *at != '\0'; at++) {
        if (*at != '#') {
            slu_buf_add_char(text, *at);
            continue;
        }
        snprintf(number, sizeof(number), "%07zu", i);
        slu_buf_add_text(text, number);
    }
    slu_buf_add_text(text, "\":0");
}

static void many_keys_are_told_apart(void **state)
{
    (void)state;
    static const size_t sizes[] = {2, 12, 511, 512, 513, 5000, 100000};
    static const char *const formats[] = {"#", "sensor_#", "#_and_a_rather_long_tail_behind_it",
                                          "a_long_front_before_#_and_a_long_tail_behind"};
    struct slu_buf text;
    slu_buf_init(&text, 16 << 20);
    for (size_t f = 0; f < sizeof(formats) / sizeof(formats[0]); f++) {
        for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
            slu_buf_reset(&text);
            slu_buf_add_char(&text, '{');
            for (size_t i = 0; i < sizes[s]; i++)
                add_key(&text, formats[f], i);
            slu_buf_add_char(&text, '}');
            assert_int_equal(read_text(slu_buf_slice(&text)).fault, SLU_PAYLOAD_OK);
            /* The same with the first, a middle and the last key once more at the end. */
            const size_t again[] = {0, sizes[s] / 2, sizes[s] - 1};
            for (size_t a = 0; a < 3; a++) {
                slu_buf_cut(&text, text.len - 1);
                const size_t end = text.len;
                add_key(&text, formats[f], again[a]);
                slu_buf_add_char(&text, '}');
                struct slu_payload payload = read_text(slu_buf_slice(&text));
                assert_int_equal(payload.fault, SLU_PAYLOAD_DUPLICATE_KEY);
                assert_int_equal(payload.fault_at, end + 1);
                slu_buf_cut(&text, end);
                slu_buf_add_char(&text, '}');
            }
        }
    }
    slu_buf_fini(&text);
}

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
}

/* Fill the middle and last word of a key of 24 bytes so that the hash comes out the same for every
 * first word, in characters that a JSON string may hold as they are. A byte of a product depends on
 * the bytes below it only, so the middle word is found byte by byte. */
static bool complete_key(uint64_t words[3])
{
    const uint64_t mix = UINT64_C(0xC2B2AE3D27D4EB4F); /* MIX_B of shape.c */
    const uint64_t front = (24 ^ words[0]) * mix;
    words[1] = 0;
    for (int shift = 0; shift < 64; shift += 8) {
        uint64_t c = 0x20;
        for (; c < 0x7F; c++) {
            words[2] = ((front ^ (words[1] | c << shift)) * mix) ^ UINT64_C(0x6162636465666768);
            if (is_plain((unsigned char)c) && is_plain((unsigned char)(words[2] >> shift)))
                break;
        }
        if (c == 0x7F)
            return false;
        words[1] |= c << shift;
    }
    return true;
}

static void add_colliding_keys(struct slu_buf *text, size_t n)
{
    size_t added = 0;
    for (uint64_t i = 0; added < n; i++) {
        uint64_t words[3] = {0, 0, 0};
        for (int byte = 0; byte < 8; byte++)
            words[0] |= (uint64_t)('a' + (i >> (4 * byte)) % 16) << (8 * byte);
        if (!complete_key(words))
            continue;
        slu_buf_add_text(text, text->len > 1 ? ",\"" : "\"");
        slu_buf_add(text, words, sizeof(words));
        slu_buf_add_text(text, "\":[]");
        added++;
    }
}

static void keys_made_to_collide_are_told_apart_as_well(void **state)
{
    (void)state;
    static const size_t sizes[] = {2, 12, 100, 600, 20000};
    struct slu_buf text;
    slu_buf_init(&text, 16 << 20);
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        slu_buf_reset(&text);
        slu_buf_add_char(&text, '{');
        add_colliding_keys(&text, sizes[s]);
        slu_buf_add_char(&text, '}');
        assert_int_equal(read_text(slu_buf_slice(&text)).fault, SLU_PAYLOAD_OK);

        /* Twice a key from the middle, then the first one: the earliest repetition is told. */
        const size_t key = 28 + 2; /* bytes a member takes */
        slu_buf_cut(&text, text.len - 1);
        const size_t end = text.len;
        char member[30];
        const size_t from[] = {1 + (sizes[s] / 2) * key, 1};
        for (size_t i = 0; i < 2; i++) {
            memcpy(member, text.data + from[i], sizeof(member) - 1);
            slu_buf_add_char(&text, ',');
            slu_buf_add(&text, member, sizeof(member) - 1);
        }
        slu_buf_add_char(&text, '}');
        struct slu_payload payload = read_text(slu_buf_slice(&text));
        assert_int_equal(payload.fault, SLU_PAYLOAD_DUPLICATE_KEY);
        assert_int_equal(payload.fault_at, end + 1);
        /* What the sort leaves behind does not disturb the next payload. */
        assert_int_equal(read_text(SLU_SLICE("{\"a\":1,\"b\":2,\"c\":{\"a\":1,\"b\":2}}")).fault,
                         SLU_PAYLOAD_OK);
    }
    slu_buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_texts_hold),
        cmocka_unit_test(what_is_wrong_is_named_and_placed),
        cmocka_unit_test(the_key_that_is_there_twice_is_told),
        cmocka_unit_test(every_truncation_of_a_payload_is_refused),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(brackets_without_end_are_refused_within_bounded_memory),
        cmocka_unit_test(many_keys_are_told_apart),
        cmocka_unit_test(keys_made_to_collide_are_told_apart_as_well),
    };
    return cmocka_run_group_tests(tests, open_reader, close_reader);
}
