/* test_delivery.c -- each record is delivered or set aside, in order, and the cursor follows, across crashes. */
#include "tests/unit/delivery_help.h"

/* ---- delivering ---------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    size_t takes, settles, lose_every;
    uint64_t skip;
} shapes[] = {
    {"all at once", 0, 0, 0, 0},
    {"takes a few at a time", 7, 0, 0, 0},
    {"settles behind what is pushed", 0, 13, 0, 0},
    {"both", 7, 3, 0, 0},
    {"loses its connection again and again", 0, 0, 3, 0},
    {"loses it with records under way", 11, 5, 4, 0},
    {"takes only some numbers", 0, 40, 0, 3},
};

static bool is_seventh(uint64_t seq)
{
    return seq % 70 == 7;
}

static void every_record_arrives_once_and_in_order(void **state)
{
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        for (int poison = 0; poison < 2; poison++) {
            tear_down(state);
            set_up(state);
            shore.takes = shapes[i].takes;
            shore.settles = shapes[i].settles;
            shore.lose_every = shapes[i].lose_every;
            shore.refuses = poison != 0 ? is_seventh : NULL;
            spool.skip = shapes[i].skip;
            append(1000);
            struct slu_delivery *delivery = start();
            append(1001);
            AWAIT(all_committed);
            append(1);
            stop(delivery);
            print_message("%s\n", shapes[i].name);
            assert_true(all_committed());
            uint64_t n_dead = 0;
            for (uint64_t seq = 1; seq <= spool.head; seq++)
                n_dead += poison != 0 && is_of_sink(seq) && is_seventh(seq);
            check_fates(n_dead);
        }
    }
}

static void a_shore_without_memory_gets_what_was_under_way_again(void **state)
{
    (void)state;
    shore.forgets = true;
    shore.settles = 5;
    shore.lose_every = 7;
    append(500);
    struct slu_delivery *delivery = start();
    AWAIT(all_committed);
    stop(delivery);
    for (uint64_t seq = 1; seq <= 500; seq++)
        assert_true(shore.times[seq] >= 1);
}

static bool waited(void)
{
    return shore.waited_behind != 0;
}

static void a_pipelined_sink_has_all_whole_batches_before_it_is_waited_for(void **state)
{
    (void)state;
    struct slu_sink_ops pipelined = shore_ops;
    struct slu_delivery_options o = options();
    pipelined.is_pipelined = true;
    o.ops = &pipelined;
    shore.stop_settling = true;
    append(1050);
    struct slu_delivery *delivery = start_with(&o);
    AWAIT(waited);
    assert_int_equal(shore.waited_behind, 1000);
    pthread_mutex_lock(&lock);
    shore.stop_settling = false;
    pthread_mutex_unlock(&lock);
    AWAIT(all_committed);
    stop(delivery);
    check_fates(0);
}

static void the_thread_has_a_name_and_no_signals(void **state)
{
    (void)state;
    append(1);
    struct slu_delivery *delivery = start();
    AWAIT(all_committed);
    stop(delivery);
    assert_true(shore.blocks_signals);
    assert_string_equal(shore.thread_name, "slu-lake");
}

static bool settled_three_times(void)
{
    return shore.n_settles >= 3;
}

static void an_idle_sink_has_its_turn(void **state)
{
    (void)state;
    struct slu_delivery *delivery = start();
    AWAIT(settled_three_times);
    assert_int_equal(shore.n_pushes, 0);
    stop(delivery);
}

static void a_claim_beyond_what_was_pushed_moves_nothing(void **state)
{
    (void)state;
    shore.claims = 1000000;
    shore.takes = 10;
    append(500);
    struct slu_delivery *delivery = start();
    AWAIT(all_committed);
    stop(delivery);
    check_fates(0);
}

static void a_section_that_is_wrong_is_told_at_start(void **state)
{
    (void)state;
    struct slu_err err = {0};
    const struct slu_delivery_options o = options();
    shore.refuses_open = true;
    assert_null(slu_delivery_start(&spool, &o, &err));
    assert_string_equal(err.text, "no such thing");
    assert_int_equal(shore.n_closes, 1);
}

/* ---- after a crash --------------------------------------------------------------------------------------- */

static void what_the_shore_has_is_not_pushed_again(void **state)
{
    (void)state;
    spool.committed = 40; /* the crash came before the cursor */
    shore.place = 60;
    for (size_t seq = 1; seq <= 60; seq++)
        shore.times[seq] = 1;
    append(100);
    struct slu_delivery *delivery = start();
    AWAIT(all_committed);
    stop(delivery);
    check_fates(0);
}

static void a_shore_that_was_wiped_does_not_get_the_past_again(void **state)
{
    (void)state;
    spool.committed = 60;
    shore.place = 20;
    for (size_t seq = 1; seq <= 60; seq++)
        shore.times[seq] = 1;
    append(100);
    struct slu_delivery *delivery = start();
    AWAIT(all_committed);
    stop(delivery);
    check_fates(0);
    assert_int_equal(lines_with("holds records up to 20, the cursor stands at 60"), 1);
}

static void a_letter_of_an_earlier_life_is_its_records_fate(void **state)
{
    (void)state;
    shore.refuses = is_seventh;
    append(100);
    struct slu_delivery *delivery = start();
    AWAIT(all_committed);
    stop(delivery); /* letters 7 and 77 */
    assert_int_equal(n_letters, 2);

    spool.committed = 6; /* the cursor was lost with the power, what lies over there was not */
    spool.n_dead = 0;
    shore.refuses = NULL; /* and somebody has repaired the table */
    shore.place = shore.place_next = 50;
    shore.n_closes = 0;
    for (size_t seq = 51; seq <= 100; seq++)
        shore.times[seq] = 0;
    shore.n_order = 49; /* 1 … 50 without 7 */
    delivery = start();
    AWAIT(all_committed);
    stop(delivery);
    check_fates(2);
}

/* A copy that had come to 100; the original went on to 500 over there. */
static struct slu_delivery *older_copy(void)
{
    shore.place = 500;
    append(100);
    for (size_t seq = 1; seq <= 100; seq++)
        shore.times[seq] = 1;
    spool.committed = 90;
    struct slu_delivery *delivery = start();
    AWAIT(all_committed); /* 91 … 100 are over there: they are not pushed */
    append(50);
    return delivery;
}

static void an_older_copy_goes_on_under_a_new_id(void **state)
{
    (void)state;
    spool.may_renew_from = 101;
    struct slu_delivery *delivery = older_copy();
    AWAIT(all_committed);
    stop_after(delivery, 2);
    assert_int_equal(shore.n_opens, 2);
    check_fates(0);
}

static void an_older_copy_without_a_new_id_is_paused(void **state)
{
    (void)state;
    struct slu_delivery *delivery = older_copy();
    await_state(delivery, SLU_DELIVERY_PAUSED);
    struct slu_delivery_stats stats;
    slu_delivery_stats(delivery, &stats);
    assert_non_null(strstr(stats.last_error, "older copy"));
    stop(delivery);
    assert_int_equal(shore.n_pushes, 0);
    assert_int_equal(spool.committed, 100);
}

static void a_backlog_keeps_its_id_and_what_follows_has_its_own(void **state)
{
    (void)state;
    spool.next_id_from = 301;
    shore.settles = 30;
    shore.refuses = is_seventh;
    append(1000);
    struct slu_delivery *delivery = start();
    AWAIT(all_committed);
    stop_after(delivery, 2);
    assert_int_equal(shore.n_opens, 2);
    assert_int_equal(shore.place, 300);
    check_fates(15);
}

/* ---- dead letters that cannot be written ------------------------------------------------------------------- */

static void without_room_for_a_letter_the_sink_waits(void **state)
{
    (void)state;
    char blocked[96];
    snprintf(blocked, sizeof(blocked), "%s/dead", data_dir);
    shore.refuses = is_seventh;
    struct slu_delivery *delivery = start();
    AWAIT(asked_once); /* it has looked for letters; now a file stands where the folder must be */
    const int fd = open(blocked, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    append(120);
    await_state(delivery, SLU_DELIVERY_PAUSED);
    pthread_mutex_lock(&lock);
    assert_true(spool.committed < 7);
    pthread_mutex_unlock(&lock);
    assert_int_equal(unlink(blocked), 0);
    AWAIT(all_committed);
    stop(delivery);
    check_fates(2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_record_arrives_once_and_in_order),
        TEST(a_shore_without_memory_gets_what_was_under_way_again),
        TEST(a_pipelined_sink_has_all_whole_batches_before_it_is_waited_for),
        TEST(the_thread_has_a_name_and_no_signals),
        TEST(an_idle_sink_has_its_turn),
        TEST(a_claim_beyond_what_was_pushed_moves_nothing),
        TEST(a_section_that_is_wrong_is_told_at_start),
        TEST(what_the_shore_has_is_not_pushed_again),
        TEST(a_shore_that_was_wiped_does_not_get_the_past_again),
        TEST(a_letter_of_an_earlier_life_is_its_records_fate),
        TEST(an_older_copy_goes_on_under_a_new_id),
        TEST(an_older_copy_without_a_new_id_is_paused),
        TEST(a_backlog_keeps_its_id_and_what_follows_has_its_own),
        TEST(without_room_for_a_letter_the_sink_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
