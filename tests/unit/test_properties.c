/* test_properties.c -- packed v5 properties: the bytes, both ways, hostile input. */
#include "base/properties.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define EMPTY        slu_slice(NULL, 0)

static void the_bytes_are_as_drawn(void **state)
{
    (void)state;
    struct slu_buf out;
    slu_buf_init(&out, SLU_PROPERTIES_MAX_BYTES);
    assert_true(slu_properties_add(&out, SLU_PROPERTY_USER, SLU_SLICE("k"), SLU_SLICE("vw")));
    assert_true(slu_properties_add(&out, SLU_PROPERTY_PAYLOAD_FORMAT, EMPTY, SLU_SLICE("1")));
    static const char expected[] = "\x01\x01\x00k\x02\x00vw"
                                   "\x05\x00\x00\x01\x00"
                                   "1";
    assert_int_equal(out.len, sizeof(expected) - 1);
    assert_memory_equal(out.data, expected, out.len);
    slu_buf_fini(&out);
}

static void what_is_packed_comes_back(void **state)
{
    (void)state;
    static char large[65535];
    const struct slu_property given[] = {
        {SLU_PROPERTY_USER, SLU_SLICE("name"), SLU_SLICE("value")},
        {SLU_PROPERTY_USER, EMPTY, EMPTY},
        {SLU_PROPERTY_CONTENT_TYPE, EMPTY, SLU_SLICE("application/json")},
        {SLU_PROPERTY_RESPONSE_TOPIC, EMPTY, SLU_SLICE("a/b")},
        {SLU_PROPERTY_CORRELATION_DATA, EMPTY, SLU_SLICE("\0\xFF\0")},
        {SLU_PROPERTY_PAYLOAD_FORMAT, EMPTY, SLU_SLICE("0")},
        {SLU_PROPERTY_CORRELATION_DATA, EMPTY, slu_slice(large, sizeof(large))},
    };
    struct slu_buf out;
    slu_buf_init(&out, 1u << 20);
    for (size_t i = 0; i < COUNT(given); i++)
        assert_true(slu_properties_add(&out, given[i].kind, given[i].name, given[i].value));

    size_t at = 0;
    for (size_t i = 0; i < COUNT(given); i++) {
        struct slu_property got;
        assert_true(slu_properties_next(slu_buf_slice(&out), &at, &got));
        assert_int_equal(got.kind, given[i].kind);
        assert_true(slu_slice_equal(got.name, given[i].name));
        assert_true(slu_slice_equal(got.value, given[i].value));
    }
    struct slu_property got;
    assert_false(slu_properties_next(slu_buf_slice(&out), &at, &got));
    assert_int_equal(at, out.len);
    slu_buf_fini(&out);
}

static void what_does_not_fit_adds_nothing(void **state)
{
    (void)state;
    static char large[65536];
    struct slu_buf out;
    slu_buf_init(&out, 12);
    assert_true(slu_properties_add(&out, SLU_PROPERTY_USER, SLU_SLICE("a"), SLU_SLICE("b")));
    assert_false(slu_properties_add(&out, SLU_PROPERTY_USER, SLU_SLICE("a"), SLU_SLICE("")));
    assert_int_equal(out.len, 7);
    assert_false(out.failed);
    assert_true(slu_properties_add(&out, SLU_PROPERTY_USER, SLU_SLICE(""), SLU_SLICE("")));
    assert_int_equal(out.len, 12);
    slu_buf_fini(&out);

    slu_buf_init(&out, 1u << 20);
    const struct slu_slice too_long = {large, sizeof(large)};
    assert_false(slu_properties_add(&out, SLU_PROPERTY_USER, too_long, EMPTY));
    assert_false(slu_properties_add(&out, SLU_PROPERTY_USER, EMPTY, too_long));
    assert_false(slu_properties_add(&out, (enum slu_property_kind)0, EMPTY, EMPTY));
    assert_false(slu_properties_add(&out, (enum slu_property_kind)6, EMPTY, EMPTY));
    assert_false(slu_properties_add(&out, SLU_PROPERTY_CONTENT_TYPE, SLU_SLICE("n"), EMPTY));
    assert_false(slu_properties_add(&out, SLU_PROPERTY_PAYLOAD_FORMAT, EMPTY, SLU_SLICE("2")));
    assert_false(slu_properties_add(&out, SLU_PROPERTY_PAYLOAD_FORMAT, EMPTY, EMPTY));
    assert_int_equal(out.len, 0);
    slu_buf_fini(&out);
}

static void the_walk_ends_at_the_first_byte_that_makes_no_sense(void **state)
{
    (void)state;
    static const struct {
        struct slu_slice packed;
        size_t good; /* bytes of sound properties before */
    } cases[] = {
        {{NULL, 0}, 0},
        {{"\x00\x00\x00\x00\x00", 5}, 0},
        {{"\x06\x00\x00\x00\x00", 5}, 0},
        {{"\xFF\x00\x00\x00\x00", 5}, 0},
        {{"\x01", 1}, 0},
        {{"\x01\x00", 2}, 0},
        {{"\x01\x00\x00", 3}, 0},
        {{"\x01\x00\x00\x00", 4}, 0},
        {{"\x01\x02\x00k\x00\x00", 6}, 0},
        {{"\x01\xFF\xFFk\x00\x00", 6}, 0},
        {{"\x01\x01\x00k\x02\x00v", 7}, 0},
        {{"\x02\x01\x00k\x00\x00", 6}, 0}, /* only a user property has a name */
        {{"\x05\x00\x00\x01\x00x", 6}, 0},
        {{"\x01\x00\x00\x00\x00\x09", 6}, 5},
        {{"\x01\x00\x00\x00\x00\x01\x00\x00\x00", 9}, 5},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slu_property got;
        size_t at = 0;
        while (slu_properties_next(cases[i].packed, &at, &got)) {
        }
        assert_int_equal(at, cases[i].good);
    }
}

/* The copy is exactly as large as the text, so that a sanitizer sees any byte read beyond. */
static void no_bytes_lead_the_walk_outside(void **state)
{
    (void)state;
    struct slu_random random;
    slu_random_seed(&random, 17);

    for (int round = 0; round < 20000; round++) {
        const size_t n = 1 + slu_random_below(&random, 40);
        char *bytes = malloc(n);
        assert_non_null(bytes);
        for (size_t i = 0; i < n; i++)
            bytes[i] = (char)slu_random_below(&random, 7);
        size_t at = 0;
        struct slu_property got;
        while (slu_properties_next(slu_slice(bytes, n), &at, &got)) {
            assert_true(at <= n);
            assert_true(got.value.data + got.value.len == bytes + at);
        }
        assert_true(at <= n);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bytes_are_as_drawn),
        cmocka_unit_test(what_is_packed_comes_back),
        cmocka_unit_test(what_does_not_fit_adds_nothing),
        cmocka_unit_test(the_walk_ends_at_the_first_byte_that_makes_no_sense),
        cmocka_unit_test(no_bytes_lead_the_walk_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
