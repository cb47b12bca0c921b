/* test_log.c -- the log: who reaches the outlet, the queue's ceiling, lines nobody can forge. */
#include "base/log.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { KEPT_LINES = 600, QUEUE_LINES = 256 };

static struct {
    enum slu_log_level level;
    char text[1200];
} lines[KEPT_LINES];
static size_t n_lines;
static pthread_t owner;
static bool wrong_thread;

static void keep_line(enum slu_log_level level, const char *line)
{
    wrong_thread = wrong_thread || !pthread_equal(owner, pthread_self());
    if (n_lines < KEPT_LINES) {
        lines[n_lines].level = level;
        snprintf(lines[n_lines].text, sizeof(lines[0].text), "%s", line);
    }
    n_lines++;
}

static int open_log(void **state)
{
    (void)state;
    n_lines = 0;
    wrong_thread = false;
    owner = pthread_self();
    slu_log_open(keep_line);
    return 0;
}

static int close_log(void **state)
{
    (void)state;
    slu_log_close();
    return wrong_thread ? -1 : 0;
}

static void run_thread(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, body, argument), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void *log_lines(void *n)
{
    for (int i = 0; i < *(const int *)n; i++)
        slu_log(SLU_LOG_NOTICE, "line %d", i);
    return NULL;
}

static void the_owner_writes_straight_to_the_outlet(void **state)
{
    (void)state;
    slu_log(SLU_LOG_WARNING, "spool: %d of %s", 3, "x");
    assert_int_equal(n_lines, 1);
    assert_int_equal(lines[0].level, SLU_LOG_WARNING);
    assert_string_equal(lines[0].text, "spool: 3 of x");
}

static void lines_of_others_wait_until_the_owner_drains(void **state)
{
    (void)state;
    int n = 3;
    run_thread(log_lines, &n);
    assert_int_equal(n_lines, 0);
    slu_log_drain();
    assert_int_equal(n_lines, 3);
    for (size_t i = 0; i < 3; i++) {
        char expected[32];
        snprintf(expected, sizeof(expected), "line %zu", i);
        assert_string_equal(lines[i].text, expected);
        assert_int_equal(lines[i].level, SLU_LOG_NOTICE);
    }
    slu_log_drain();
    assert_int_equal(n_lines, 3);
}

static void a_full_queue_drops_and_the_next_drain_says_how_many(void **state)
{
    (void)state;
    int n = QUEUE_LINES + 44;
    run_thread(log_lines, &n);
    slu_log_drain();
    assert_int_equal(n_lines, QUEUE_LINES + 1);
    assert_string_equal(lines[0].text, "line 0");
    assert_string_equal(lines[QUEUE_LINES - 1].text, "line 255");
    assert_int_equal(lines[QUEUE_LINES].level, SLU_LOG_WARNING);
    assert_non_null(strstr(lines[QUEUE_LINES].text, " 44 more lines "));

    /* Told once, and the queue works on across its end. */
    n = QUEUE_LINES;
    run_thread(log_lines, &n);
    slu_log_drain();
    assert_int_equal(n_lines, 2 * QUEUE_LINES + 1);
    n = QUEUE_LINES + 1;
    run_thread(log_lines, &n);
    n_lines = 0;
    slu_log_drain();
    assert_non_null(strstr(lines[QUEUE_LINES].text, " 1 more line of"));
}

static void *drain_from_elsewhere(void *argument)
{
    slu_log(SLU_LOG_INFO, "mine");
    slu_log_drain();
    return argument;
}

static void only_the_owner_can_drain(void **state)
{
    (void)state;
    run_thread(drain_from_elsewhere, NULL);
    assert_int_equal(n_lines, 0);
    slu_log_drain();
    assert_int_equal(n_lines, 1);
}

static void a_closed_log_drops_lines_after_it_handed_over_the_last(void **state)
{
    (void)state;
    int n = 2;
    run_thread(log_lines, &n);
    slu_log_close();
    assert_int_equal(n_lines, 2);
    slu_log(SLU_LOG_ERROR, "too late");
    run_thread(log_lines, &n);
    slu_log_drain();
    slu_log_open(keep_line);
    slu_log_drain();
    assert_int_equal(n_lines, 2);
    slu_log_open(NULL);
    slu_log(SLU_LOG_ERROR, "nobody there");
    assert_int_equal(n_lines, 2);
}

static void nobody_can_forge_a_line(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
    } cases[] = {
        {"plain", "plain"},
        {"a\nb", "a\\x0Ab"},
        {"a\r\n1700000000: forged", "a\\x0D\\x0A1700000000: forged"},
        {"\x1B[31mred\t\x7F", "\\x1B[31mred\\x09\\x7F"},
        {"caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80", "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"},
        {"\xFF\xC3(", "\\xFF\\xC3("},
        {"\xED\xA0\x80", "\\xED\\xA0\\x80"},
        {"\xC2\x9B"
         "31m \xC2\x85 \xC2\xA0",
         "\\xC2\\x9B31m \\xC2\\x85 \xC2\xA0"}, /* C1 */
        {"\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xA6", "\\xE2\\x80\\xA8\\xE2\\x80\\xA9\xE2\x80\xA6"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        n_lines = 0;
        slu_log(SLU_LOG_INFO, "%s", cases[i].from);
        assert_string_equal(lines[0].text, cases[i].to);
    }
}

static void a_line_ends_at_900_bytes_between_characters(void **state)
{
    (void)state;
    static const struct {
        const char *piece;
        size_t expected;
    } cases[] = {
        {"x", 900},
        {"\xC3\xA9", 900},
        {"\xF0\x9F\x98\x80x", 900},
        {"\xE2\x82\xAC\xE2\x82\xACx", 899},
        {"\n", 900},
        {"ab\n", 900},
        {"abc\n", 899},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[3000];
        const size_t piece = strlen(cases[i].piece);
        size_t n = 0;
        for (; n + piece < sizeof(text); n += piece)
            memcpy(text + n, cases[i].piece, piece);
        text[n] = '\0';
        n_lines = 0;
        slu_log(SLU_LOG_INFO, "%s", text);
        assert_int_equal(strlen(lines[0].text), cases[i].expected);
        assert_true(slu_utf8_valid(lines[0].text, strlen(lines[0].text)));
    }
}

static void log_again(enum slu_log_level level, const char *line)
{
    keep_line(level, line);
    slu_log(SLU_LOG_INFO, "again");
}

static void an_outlet_that_logs_does_not_call_itself(void **state)
{
    (void)state;
    slu_log_open(log_again);
    slu_log(SLU_LOG_INFO, "first");
    assert_int_equal(n_lines, 1);
    slu_log_drain();
    assert_int_equal(n_lines, 2);
    slu_log_drain();
    assert_int_equal(n_lines, 3);
    assert_string_equal(lines[2].text, "again");
    slu_log_open(keep_line);
}

static void close_at_once(enum slu_log_level level, const char *line)
{
    keep_line(level, line);
    slu_log_close();
}

static void an_outlet_may_close_the_log(void **state)
{
    (void)state;
    slu_log_open(close_at_once);
    int n = QUEUE_LINES + 9;
    run_thread(log_lines, &n);
    slu_log_drain();
    assert_int_equal(n_lines, 1);
    slu_log_drain();
    assert_int_equal(n_lines, 1);

    slu_log_open(keep_line);
    n = 2;
    run_thread(log_lines, &n);
    slu_log_drain();
    assert_int_equal(n_lines, 3);
}

static int64_t now_ns;

static int64_t test_clock(void)
{
    return now_ns;
}

static void a_line_that_repeats_is_held_back_and_counted(void **state)
{
    (void)state;
    struct slu_log_rate rate = {0};
    struct slu_log_rate other = {0};
    slu_clock_replace(NULL, test_clock);
    now_ns = 1000;
    for (int i = 0; i < 4; i++)
        slu_log_sometimes(&rate, 100, SLU_LOG_WARNING, "kafka: down %d", i);
    slu_log_sometimes(&other, 100, SLU_LOG_WARNING, "other");
    now_ns = 1099;
    slu_log_sometimes(&rate, 100, SLU_LOG_WARNING, "kafka: down");
    assert_int_equal(n_lines, 2);
    now_ns = 1100;
    slu_log_sometimes(&rate, 100, SLU_LOG_WARNING, "kafka: down");
    now_ns = 1200;
    slu_log_sometimes(&rate, 100, SLU_LOG_WARNING, "kafka: down");
    slu_clock_replace(NULL, NULL);

    assert_int_equal(n_lines, 4);
    assert_string_equal(lines[0].text, "kafka: down 0");
    assert_string_equal(lines[1].text, "other");
    assert_string_equal(lines[2].text, "kafka: down (4 more like this)");
    assert_string_equal(lines[3].text, "kafka: down");
}

static void how_many_were_held_back_is_never_cut_off(void **state)
{
    (void)state;
    static const char suffix[] = " (7 more like this)";
    char text[2000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    struct slu_log_rate rate = {.held_back = 7};
    slu_log_sometimes(&rate, INT64_MAX, SLU_LOG_INFO, "%s", text);
    assert_int_equal(strlen(lines[0].text), 900);
    assert_string_equal(lines[0].text + 900 - strlen(suffix), suffix);
    slu_log_sometimes(&rate, INT64_MAX, SLU_LOG_INFO, "%s", text);
    assert_int_equal(n_lines, 1);
}

/* Several threads against a draining owner: nothing is lost uncounted, each thread's lines come in
 * order, and nobody but the owner is in the outlet. */
enum { THREADS = 3, EACH = 3000 };
static unsigned next_of[THREADS];
static unsigned long n_dropped, n_delivered;
static bool out_of_order;
static atomic_int n_running;

static void check_line(enum slu_log_level level, const char *line)
{
    unsigned thread = 0;
    unsigned number = 0;
    unsigned long dropped = 0;
    wrong_thread = wrong_thread || !pthread_equal(owner, pthread_self());
    if (level == SLU_LOG_WARNING) {
        if (sscanf(line, "log: %lu more", &dropped) == 1)
            n_dropped += dropped;
        return;
    }
    if (sscanf(line, "%u:%u", &thread, &number) != 2 || thread >= THREADS ||
        number < next_of[thread]) {
        out_of_order = true;
        return;
    }
    next_of[thread] = number + 1;
    n_delivered++;
}

static void *log_many(void *thread)
{
    for (unsigned i = 0; i < EACH; i++)
        slu_log(SLU_LOG_INFO, "%u:%u", *(const unsigned *)thread, i);
    atomic_fetch_sub(&n_running, 1);
    return NULL;
}

static void under_load_every_line_arrives_or_is_counted(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    unsigned numbers[THREADS];
    slu_log_open(check_line);
    atomic_store(&n_running, THREADS);
    for (unsigned i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, log_many, &numbers[i]), 0);
    }
    while (atomic_load(&n_running) > 0)
        slu_log_drain();
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    slu_log_drain();
    assert_false(out_of_order);
    assert_true(n_delivered > 0);
    assert_int_equal(n_delivered + n_dropped, THREADS * EACH);
    slu_log_open(keep_line);
}

static atomic_bool stop;

static void *log_until_stopped(void *argument)
{
    while (!atomic_load(&stop))
        slu_log(SLU_LOG_INFO, "still here");
    return argument;
}

/* A worker that was left behind logs on while the plugin goes and comes again. */
static void opening_and_closing_beside_a_worker_is_safe(void **state)
{
    (void)state;
    pthread_t thread;
    atomic_store(&stop, false);
    assert_int_equal(pthread_create(&thread, NULL, log_until_stopped, NULL), 0);
    for (int i = 0; i < 200; i++) {
        slu_log_close();
        const size_t before = n_lines;
        slu_log_drain();
        assert_int_equal(n_lines, before);
        slu_log_open(keep_line);
        slu_log_drain();
    }
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, open_log, close_log)

int main(void)
{
    slu_log(SLU_LOG_ERROR, "before anything is open");
    slu_log_drain();
    const struct CMUnitTest tests[] = {
        LOG_TEST(the_owner_writes_straight_to_the_outlet),
        LOG_TEST(lines_of_others_wait_until_the_owner_drains),
        LOG_TEST(a_full_queue_drops_and_the_next_drain_says_how_many),
        LOG_TEST(only_the_owner_can_drain),
        LOG_TEST(a_closed_log_drops_lines_after_it_handed_over_the_last),
        LOG_TEST(nobody_can_forge_a_line),
        LOG_TEST(a_line_ends_at_900_bytes_between_characters),
        LOG_TEST(an_outlet_that_logs_does_not_call_itself),
        LOG_TEST(an_outlet_may_close_the_log),
        LOG_TEST(a_line_that_repeats_is_held_back_and_counted),
        LOG_TEST(how_many_were_held_back_is_never_cut_off),
        LOG_TEST(under_load_every_line_arrives_or_is_counted),
        LOG_TEST(opening_and_closing_beside_a_worker_is_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
