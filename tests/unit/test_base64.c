/* test_base64.c -- RFC 4648 §10 and what is not base64. */
#include "base/base64.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void the_vectors_of_the_rfc(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *text;
    } cases[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xFB\xEF\xBE\xFF", "++++/w=="},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slu_buf out;
        slu_buf_init(&out, 100);
        assert_true(slu_base64_encode(&out, slu_slice_of(cases[i].bytes)));
        assert_string_equal(slu_buf_text(&out), cases[i].text);
        slu_buf_reset(&out);
        assert_int_equal(slu_base64_decode(&out, slu_slice_of(cases[i].text)), 0);
        assert_string_equal(slu_buf_text(&out), cases[i].bytes);
        slu_buf_fini(&out);
    }
}

static void what_is_not_base64_is_refused_and_nothing_is_added(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "Z",        "Zg",       "Zg=",  "Zm9",     "=",        "==",       "====",
        "===A",     "A===",     "Zg=g", "Z===",    "Zg==Zg==", "Zm8=Zm8=", "Zm9v\n",
        "Zm9v Zm9", "Zm 9",     "Zm-_", "Zm9\x80", "Zh==", /* bits that are cut off must be zero */
        "Zm9=",     "Zm9vZh==",
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slu_buf out;
        slu_buf_init(&out, 100);
        slu_buf_add_text(&out, "kept");
        if (slu_base64_decode(&out, slu_slice_of(cases[i])) != -1)
            fail_msg("'%s' was decoded", cases[i]);
        assert_string_equal(slu_buf_text(&out), "kept");
        assert_int_equal(out.len, 4);
        slu_buf_fini(&out);
    }
    struct slu_buf out;
    slu_buf_init(&out, 100);
    assert_int_equal(slu_base64_decode(&out, slu_slice("Zm\0v", 4)), -1);
    slu_buf_fini(&out);
}

static void every_length_comes_back(void **state)
{
    (void)state;
    struct slu_random random;
    slu_random_seed(&random, 5);

    for (size_t n = 0; n < 300; n++) {
        unsigned char bytes[300];
        for (size_t i = 0; i < n; i++)
            bytes[i] = (unsigned char)slu_random_next(&random);
        struct slu_buf text;
        struct slu_buf again;
        slu_buf_init(&text, 1000);
        slu_buf_init(&again, 1000);
        assert_true(slu_base64_encode(&text, slu_slice((const char *)bytes, n)));
        assert_int_equal(text.len, (n + 2) / 3 * 4);
        assert_int_equal(slu_base64_decode(&again, slu_buf_slice(&text)), 0);
        assert_int_equal(again.len, n);
        if (n > 0)
            assert_memory_equal(again.data, bytes, n);
        slu_buf_fini(&text);
        slu_buf_fini(&again);
    }
}

static void a_full_buffer_fails(void **state)
{
    (void)state;
    struct slu_buf out;
    slu_buf_init(&out, 7);
    assert_false(slu_base64_encode(&out, SLU_SLICE("four")));
    assert_true(out.failed);
    assert_int_equal(slu_base64_decode(&out, SLU_SLICE("Zm9v")), -1);
    slu_buf_reset(&out);
    assert_int_equal(slu_base64_decode(&out, SLU_SLICE("Zm9vYmFyZm9v")), -1);
    assert_int_equal(out.len, 0);
    slu_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_rfc),
        cmocka_unit_test(what_is_not_base64_is_refused_and_nothing_is_added),
        cmocka_unit_test(every_length_comes_back),
        cmocka_unit_test(a_full_buffer_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
