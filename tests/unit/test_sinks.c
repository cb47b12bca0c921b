/* test_sinks.c -- the table of sinks knows every sink by its own word. */
#include "sinks/sink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void every_type_is_found_by_its_word(void **state)
{
    static const char *const types[] = {
        "file",
        "postgresql",
        "kafka",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        const struct slu_sink_ops *ops = slu_sink_find(types[i]);
        assert_non_null(ops);
        assert_string_equal(ops->type, types[i]);
        assert_non_null(strstr(slu_sink_types(), types[i]));
    }
}

static void what_does_not_exist_is_not_found(void **state)
{
    (void)state;
    assert_null(slu_sink_find("fiel"));
    assert_null(slu_sink_find(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_found_by_its_word),
        cmocka_unit_test(what_does_not_exist_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
