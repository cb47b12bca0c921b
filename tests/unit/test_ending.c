/* test_ending.c -- what ends in time is waited for, what does not is left behind. */
#include "sinks/ending.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

struct thing {
    pthread_mutex_t gate; /* held: ending it hangs */
    atomic_bool is_ended, has_signals;
    pthread_t thread;
};

static void end(void *context)
{
    struct thing *thing = context;
    sigset_t blocked;

    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    thing->has_signals = sigismember(&blocked, SIGTERM) != 1;
    thing->thread = pthread_self();
    pthread_mutex_lock(&thing->gate);
    pthread_mutex_unlock(&thing->gate);
    thing->is_ended = true;
}

static void what_ends_in_time_is_over(void **state)
{
    (void)state;
    struct thing thing = {.gate = PTHREAD_MUTEX_INITIALIZER};

    assert_true(slu_end_within(end, &thing, 600 * SLU_NS_PER_S));
    assert_true(thing.is_ended);
    assert_false(thing.has_signals);
    assert_false(pthread_equal(thing.thread, pthread_self()));
}

static void what_hangs_is_left_behind_and_ends_by_itself(void **state)
{
    (void)state;
    static struct thing thing = {.gate = PTHREAD_MUTEX_INITIALIZER}; /* outlives this function */

    pthread_mutex_lock(&thing.gate);
    assert_false(slu_end_within(end, &thing, 20 * SLU_NS_PER_MS));
    assert_false(thing.is_ended);
    pthread_mutex_unlock(&thing.gate);
    while (!thing.is_ended)
        sched_yield();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_ends_in_time_is_over),
        cmocka_unit_test(what_hangs_is_left_behind_and_ends_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
