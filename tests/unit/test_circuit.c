/* test_circuit.c -- the circuit breaker: when it trips, how it is tried, how it closes. */
#include "sinks/circuit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { WAIT_MIN = 10, WAIT_MAX = 35 };

static struct slu_circuit circuit;

static int make(void **state)
{
    (void)state;
    slu_circuit_init(&circuit, 0, WAIT_MIN, WAIT_MAX);
    return 0;
}

/* Note `n` outcomes: every `one_in`-th is a reject (0: none). Returns at which it tripped, 0 never. */
static size_t note(size_t n, size_t one_in)
{
    for (size_t i = 1; i <= n; i++) {
        if (slu_circuit_note(&circuit, one_in > 0 && i % one_in == 0, 0))
            return i;
    }
    return 0;
}

static const struct {
    const char *name;
    struct {
        size_t n, one_in;
    } runs[4];
    size_t trips_at; /* in the last run; 0: never */
} cases[] = {
    {"99 in a row are borne", {{99, 1}, {1, 0}, {99, 1}}, 0},
    {"the 100th in a row trips it", {{5000, 0}, {200, 1}}, 100},
    {"one that passes ends a row", {{99, 1}, {1, 0}, {1, 1}}, 0},
    {"5 % are borne for ever", {{30000, 20}}, 0},
    {"more than 5 % trip it", {{30000, 19}}, 19 * 501},
    {"every second of a few hundred is not yet 501", {{1000, 2}}, 0},
    {"every second trips it at the 501st", {{2000, 2}}, 1002},
    {"what is older than 10,000 is forgotten", {{980, 2}, {10000, 0}, {980, 2}}, 0},
    {"what is not that old is not", {{980, 2}, {8000, 0}, {980, 2}}, 22},
};

static void too_many_rejects_trip_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        slu_circuit_init(&circuit, 0, WAIT_MIN, WAIT_MAX);
        size_t tripped_at = 0, run = 0;
        for (; run < COUNT(cases[i].runs) && cases[i].runs[run].n > 0; run++) {
            assert_int_equal(tripped_at, 0);
            tripped_at = note(cases[i].runs[run].n, cases[i].runs[run].one_in);
        }
        if (tripped_at != cases[i].trips_at)
            fail_msg("%s: at %zu", cases[i].name, tripped_at);
        assert_int_equal(circuit.state == SLU_CIRCUIT_OPEN, cases[i].trips_at > 0);
    }
}

static void the_run_is_an_option(void **state)
{
    (void)state;
    slu_circuit_init(&circuit, 3, WAIT_MIN, WAIT_MAX);
    assert_int_equal(note(10, 1), 3);
}

static void nothing_passes_while_it_is_open(void **state)
{
    (void)state;
    assert_true(slu_circuit_allows(&circuit, 0) == SIZE_MAX);
    note(100, 1);
    assert_int_equal(slu_circuit_allows(&circuit, WAIT_MIN - 1), 0);
    assert_false(slu_circuit_note(&circuit, true, 0));
    assert_int_equal(circuit.state, SLU_CIRCUIT_OPEN);
}

static void one_record_is_tried_after_a_while(void **state)
{
    (void)state;
    note(100, 1);
    assert_int_equal(slu_circuit_allows(&circuit, WAIT_MIN), 1);
    assert_int_equal(slu_circuit_allows(&circuit, WAIT_MIN + 1), 1);
    assert_false(slu_circuit_note(&circuit, false, WAIT_MIN + 1));
    assert_true(slu_circuit_allows(&circuit, WAIT_MIN + 1) == SIZE_MAX);
    assert_int_equal(note(99, 1), 0); /* what was before is forgotten */
}

static void a_probe_that_fails_doubles_the_wait(void **state)
{
    (void)state;
    static const int64_t waits[] = {WAIT_MIN, 2 * WAIT_MIN, WAIT_MAX, WAIT_MAX};
    int64_t now = 0;
    note(100, 1);
    for (size_t i = 0; i < COUNT(waits); i++) {
        assert_int_equal(slu_circuit_allows(&circuit, now + waits[i] - 1), 0);
        now += waits[i];
        assert_int_equal(slu_circuit_allows(&circuit, now), 1);
        assert_true(slu_circuit_note(&circuit, true, now));
    }
    slu_circuit_close(&circuit);
    note(100, 1);
    assert_int_equal(slu_circuit_allows(&circuit, WAIT_MIN), 1); /* closing forgets the doubling */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(too_many_rejects_trip_it, make),
        cmocka_unit_test_setup(the_run_is_an_option, make),
        cmocka_unit_test_setup(nothing_passes_while_it_is_open, make),
        cmocka_unit_test_setup(one_record_is_tried_after_a_while, make),
        cmocka_unit_test_setup(a_probe_that_fails_doubles_the_wait, make),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
