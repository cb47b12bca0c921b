/* test_delivery_pause.c -- a delivery that stands still: away, paused, its circuit breaker open, stopped. */
#include "tests/unit/delivery_help.h"

/* ---- away and paused ------------------------------------------------------------------------------------- */

static bool asked_twenty_times(void)
{
    return shore.n_settles >= 20;
}

static void standing_still(enum slu_sink_answer answer, enum slu_delivery_state expected,
                           const char *cause)
{
    struct slu_delivery_stats stats;
    shore.answer = answer;
    append(300);
    struct slu_delivery *delivery = start();
    AWAIT(asked_twenty_times);
    slu_delivery_stats(delivery, &stats);
    assert_int_equal(stats.state, expected);
    assert_string_equal(stats.last_error, cause);
    assert_int_equal(lines_with(cause), 1); /* once, not twenty times */
    assert_int_equal(lines_with("300 records wait, next try in"), 1);

    pthread_mutex_lock(&lock);
    assert_int_equal(shore.n_pushes, 0);
    shore.answer = SLU_SINK_LIVE;
    pthread_mutex_unlock(&lock);
    AWAIT(all_committed);
    slu_delivery_stats(delivery, &stats);
    assert_int_equal(stats.state, SLU_DELIVERY_CONNECTED);
    assert_string_equal(stats.last_error, "");
    assert_int_equal(lines_with("sink lake: connected"), 1);
    stop(delivery);
    check_fates(0);
}

static bool frozen_was_told(void)
{
    return lines_with("the tide is frozen") > 0;
}

/* A sink whose connection is lost and which then meets what somebody has to mend: the second cause comes
 * too soon to be told at once, and is told all the same. */
static void a_cause_that_follows_another_is_told(void **state)
{
    (void)state;
    shore.answer = SLU_SINK_AWAY;
    append(10);
    struct slu_delivery *delivery = start();
    AWAIT(asked_twenty_times);
    pthread_mutex_lock(&lock);
    shore.answer = SLU_SINK_PAUSED;
    pthread_mutex_unlock(&lock);
    await_state(delivery, SLU_DELIVERY_PAUSED);
    assert_int_equal(lines_with("the tide is out"), 1);
    AWAIT(frozen_was_told);
    assert_int_equal(lines_with("the tide is frozen"), 1);

    pthread_mutex_lock(&lock);
    shore.answer = SLU_SINK_LIVE;
    pthread_mutex_unlock(&lock);
    AWAIT(all_committed);
    stop(delivery);
    check_fates(0);
}

static void a_sink_that_is_away_keeps_its_records(void **state)
{
    (void)state;
    standing_still(SLU_SINK_AWAY, SLU_DELIVERY_DISCONNECTED, "the tide is out");
}

static void a_sink_that_is_paused_keeps_its_records(void **state)
{
    (void)state;
    standing_still(SLU_SINK_PAUSED, SLU_DELIVERY_PAUSED, "the tide is frozen");
}

static bool pushed_once(void)
{
    return shore.n_pushes >= 1;
}

static void a_resume_does_not_wait_for_the_backoff(void **state)
{
    (void)state;
    struct slu_delivery_options o = options();
    o.backoff_min_ns = o.backoff_max_ns = 1000000 * SLU_NS_PER_S; /* longer than any test */
    shore.answer = SLU_SINK_AWAY;
    append(10);
    struct slu_delivery *delivery = start_with(&o);
    AWAIT(asked_once);
    await_state(delivery, SLU_DELIVERY_DISCONNECTED);
    pthread_mutex_lock(&lock);
    shore.answer = SLU_SINK_LIVE;
    pthread_mutex_unlock(&lock);
    slu_delivery_resume(delivery);
    AWAIT(all_committed);
    stop(delivery);
}

static void a_spool_that_cannot_be_read_is_tried_again(void **state)
{
    (void)state;
    spool.reads_fail = 5;
    append(100);
    struct slu_delivery *delivery = start();
    AWAIT(all_committed);
    stop(delivery);
    check_fates(0);
    assert_int_equal(lines_with("the disk is wet"), 1);
}

static void a_cursor_that_cannot_be_written_stops_nobody(void **state)
{
    (void)state;
    spool.commits_fail = 3;
    append(1000);
    struct slu_delivery *delivery = start();
    AWAIT(all_committed);
    stop(delivery);
    check_fates(0);
    assert_int_equal(lines_with("the cursor is stuck"), 1);
}

/* ---- the circuit breaker ----------------------------------------------------------------------------------- */

static bool is_from_201(uint64_t seq)
{
    return seq >= 201;
}

static bool was_reset(void)
{
    return shore.n_resets >= 1 && shore.n_settles >= 20;
}

/* Everything from 201 on is refused: 201 … 300 become dead letters, nothing more. */
static struct slu_delivery *tripped(const struct slu_delivery_options *o)
{
    struct slu_delivery_stats stats;
    shore.refuses = is_from_201;
    append(2000);
    struct slu_delivery *delivery = start_with(o);
    await_state(delivery, SLU_DELIVERY_PAUSED);
    AWAIT(was_reset);
    slu_delivery_stats(delivery, &stats);
    assert_true(stats.breaker_open);
    assert_non_null(strstr(stats.last_error, "test.refused"));
    return delivery;
}

static void a_run_of_rejects_opens_the_breaker_and_no_more_die(void **state)
{
    (void)state;
    const struct slu_delivery_options o = options();
    struct slu_delivery *delivery = tripped(&o);
    stop(delivery);
    read_letters();
    assert_int_equal(n_letters, 100);
    assert_int_equal(spool.committed, 300);
    assert_int_equal(lines_with("too many records are refused"), 1);
    assert_int_equal(shore.n_finishes, 0);
}

static void a_resume_closes_the_breaker(void **state)
{
    (void)state;
    const struct slu_delivery_options o = options();
    struct slu_delivery *delivery = tripped(&o);
    pthread_mutex_lock(&lock);
    shore.refuses = NULL;
    pthread_mutex_unlock(&lock);
    slu_delivery_resume(delivery);
    AWAIT(all_committed);
    struct slu_delivery_stats stats;
    slu_delivery_stats(delivery, &stats);
    assert_false(stats.breaker_open);
    stop(delivery);
    check_fates(100);
}

static bool two_more_died(void)
{
    return spool.committed >= 302;
}

static void one_record_is_tried_at_a_time(void **state)
{
    (void)state;
    struct slu_delivery_options o = options();
    o.probe_min_ns = SLU_NS_PER_MS;
    o.probe_max_ns = 2 * SLU_NS_PER_MS;
    shore.refuses = is_from_201;
    append(2000);
    struct slu_delivery *delivery = start_with(&o);
    AWAIT(two_more_died);
    pthread_mutex_lock(&lock);
    shore.refuses = NULL;
    pthread_mutex_unlock(&lock);
    AWAIT(all_committed);
    stop(delivery);
    read_letters();
    assert_true(n_letters >= 102);
    check_fates(n_letters);
}

/* ---- stopping ---------------------------------------------------------------------------------------------- */

static void a_stop_delivers_what_is_spooled(void **state)
{
    (void)state;
    shore.settles = 3;
    append(2000);
    struct slu_delivery *delivery = start();
    stop(delivery);
    assert_int_equal(shore.n_finishes, 1);
    assert_int_equal(spool.committed, 2000);
    check_fates(0);
}

static bool ten_committed(void)
{
    return spool.committed == 10;
}

static void a_stop_waits_for_what_is_not_durable_yet(void **state)
{
    (void)state;
    append(10);
    spool.head = 20; /* ten are in the ring */
    struct slu_delivery *delivery = start();
    const int64_t deadline = slu_clock_mono_ns() + PATIENCE_S * SLU_NS_PER_S;
    slu_delivery_stop(delivery, deadline);
    AWAIT(ten_committed);
    append(0); /* now they are written */
    assert_true(join_delivery(delivery, deadline));
    check_fates(0);
    assert_int_equal(spool.committed, 20);
}

static void a_sink_that_is_away_is_not_waited_for(void **state)
{
    (void)state;
    struct slu_delivery_options o = options();
    o.backoff_min_ns = o.backoff_max_ns = 1000000 * SLU_NS_PER_S;
    shore.answer = SLU_SINK_AWAY;
    append(10);
    struct slu_delivery *delivery = start_with(&o);
    AWAIT(asked_once);
    slu_delivery_stop(delivery, slu_clock_mono_ns() + 1000000 * SLU_NS_PER_S);
    assert_true(join_delivery(delivery, slu_clock_mono_ns() + PATIENCE_S * SLU_NS_PER_S));
    assert_int_equal(spool.committed, 0);
    assert_int_equal(shore.n_finishes, 0);
}

static void a_slow_sink_ends_with_the_deadline(void **state)
{
    (void)state;
    shore.stop_settling = true;
    append(10);
    struct slu_delivery *delivery = start();
    AWAIT(pushed_once);
    const int64_t deadline = slu_clock_mono_ns() + 2500 * SLU_NS_PER_MS;
    slu_delivery_stop(delivery, deadline);
    assert_true(join_delivery(delivery, slu_clock_mono_ns() + PATIENCE_S * SLU_NS_PER_S));
    assert_int_equal(spool.committed, 0);
    assert_int_equal(shore.n_finishes, 1);
    assert_int_equal(shore.n_closes, 1);
    /* It is through before the others have given it up, however long it takes for each answer. */
    assert_true(shore.latest_deadline < deadline - 50 * SLU_NS_PER_MS);
}

static size_t threads_called(const char *name)
{
    size_t n = 0;
    DIR *tasks = opendir("/proc/self/task");
    for (const struct dirent *task; tasks != NULL && (task = readdir(tasks)) != NULL;) {
        char path[300], line[32] = "";
        snprintf(path, sizeof(path), "/proc/self/task/%s/comm", task->d_name);
        FILE *comm = fopen(path, "re");
        if (comm != NULL && fgets(line, sizeof(line), comm) != NULL)
            n += strncmp(line, name, strlen(name)) == 0;
        if (comm != NULL)
            fclose(comm);
    }
    if (tasks != NULL)
        closedir(tasks);
    return n;
}

static void await_end_of_threads(const char *name)
{
    const int64_t until = slu_clock_mono_ns() + PATIENCE_S * SLU_NS_PER_S;
    while (threads_called(name) > 0 && slu_clock_mono_ns() < until)
        sched_yield();
    assert_int_equal(threads_called(name), 0);
}

static struct slu_delivery *volatile left_behind; /* its memory is meant to stay */

static void a_sink_that_hangs_is_left_behind(void **state)
{
    (void)state;
    shore.hangs = true;
    append(10);
    struct slu_delivery *delivery = left_behind = start();
    AWAIT(asked_once);
    const int64_t deadline = slu_clock_mono_ns() + 50 * SLU_NS_PER_MS;
    slu_delivery_stop(delivery, deadline);
    assert_false(join_delivery(delivery, deadline));

    /* It wakes up later, and does nothing more. */
    pthread_mutex_lock(&lock);
    shore.hangs = false;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
    await_state(delivery, SLU_DELIVERY_STOPPED);
    await_end_of_threads("slu-lake"); /* the program must not end around it */
    assert_int_equal(shore.n_pushes, 0);
    assert_int_equal(shore.n_closes, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_sink_that_is_away_keeps_its_records),
        TEST(a_sink_that_is_paused_keeps_its_records),
        TEST(a_cause_that_follows_another_is_told),
        TEST(a_resume_does_not_wait_for_the_backoff),
        TEST(a_spool_that_cannot_be_read_is_tried_again),
        TEST(a_cursor_that_cannot_be_written_stops_nobody),
        TEST(a_run_of_rejects_opens_the_breaker_and_no_more_die),
        TEST(a_resume_closes_the_breaker),
        TEST(one_record_is_tried_at_a_time),
        TEST(a_stop_delivers_what_is_spooled),
        TEST(a_stop_waits_for_what_is_not_durable_yet),
        TEST(a_sink_that_is_away_is_not_waited_for),
        TEST(a_slow_sink_ends_with_the_deadline),
        TEST(a_sink_that_hangs_is_left_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
