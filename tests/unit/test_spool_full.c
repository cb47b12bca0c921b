/* test_spool_full.c -- the spool when it is full, and when sinks come and go. */
#include "tests/unit/spool_read_help.h"

/* ---- full ------------------------------------------------------------------------------------------ */

static const struct full_case {
    const char *name;
    enum slu_when_full when_full;
    uint8_t qos;
    enum slu_append answer; /* when full is in force */
} full_cases[] = {
    {"drop_newest drops the new one, QoS 1", SLU_FULL_DROP_NEWEST, 1, SLU_APPEND_DROPPED},
    {"drop_newest drops the new one, QoS 0", SLU_FULL_DROP_NEWEST, 0, SLU_APPEND_DROPPED},
    {"refuse refuses QoS 1", SLU_FULL_REFUSE, 1, SLU_APPEND_REFUSED},
    {"refuse loses QoS 0", SLU_FULL_REFUSE, 0, SLU_APPEND_DROPPED},
};

static void wait_full(struct slu_spool *spool, bool full)
{
    struct slu_spool_stats stats;
    const int64_t deadline = help_in(10000);
    do {
        slu_spool_stats(spool, &stats);
    } while (stats.full != full && slu_clock_mono_ns() < deadline);
    assert_int_equal(stats.full, full);
}

/* Reads and commits all that is readable for the sink; returns how many records. */
static uint64_t read_up(struct slu_spool_reader *reader, uint64_t *after)
{
    static struct slu_record records[BATCH];
    uint64_t n = 0;
    int got;

    while ((got = slu_spool_read(reader, *after, records, BATCH, 1 << 20, NULL)) > 0) {
        *after = records[got - 1].seq;
        assert_int_equal(slu_spool_commit(reader, *after, 0, NULL), 0);
        n += (uint64_t)got;
    }
    assert_int_equal(got, 0);
    return n;
}

/* Sink a never reads. Sink b reads all along, c stops half-way. What b loses: nothing. */
static void a_sink_that_keeps_up_loses_nothing(void **state)
{
    (void)state;
    for (int policy = SLU_FULL_DROP_OLDEST; policy <= SLU_FULL_REFUSE; policy++) {
        struct help_dir dir;
        help_dir_make(&dir);
        struct slu_spool_options options = help_options(&dir);
        options.max_size_bytes = 24 << 16;
        struct slu_spool *spool = help_open(&options);
        slu_spool_sink(spool, "a", "file", (enum slu_when_full)policy, NULL);
        slu_spool_sink(spool, "b", "file", SLU_FULL_DROP_NEWEST, NULL);
        slu_spool_sink(spool, "c", "file", SLU_FULL_DROP_NEWEST, NULL);
        struct slu_spool_reader *b = slu_spool_reader_open(spool, "b", NULL);
        struct slu_spool_reader *c = slu_spool_reader_open(spool, "c", NULL);
        uint64_t b_after = 0, c_after = 0, b_read = 0, b_sent = 0, refused = 0;
        for (uint64_t n = 1; n <= 60000; n++) {
            struct slu_record record = help_record(n, 6 | (n % 4 == 0));
            record.qos = 1;
            if (slu_spool_append(spool, &record) == SLU_APPEND_REFUSED) {
                refused++;
                assert_int_equal(policy, SLU_FULL_REFUSE);
                assert_true((record.sinks & 1) != 0); /* only what the sink itself was to get */
            } else {
                b_sent++;
            }
            if (n % 100 == 0) {
                assert_true(slu_spool_flush(spool, help_in(10000)));
                b_read += read_up(b, &b_after);
                if (n < 30000)
                    (void)read_up(c, &c_after);
            }
        }
        struct slu_spool_stats stats;
        slu_spool_stats(spool, &stats);
        assert_true(stats.bytes <= stats.max_bytes);
        assert_int_equal(b_read, b_sent);
        const struct slu_spool_sink_stats books[] = {help_books(spool, "a"), help_books(spool, "b"),
                                                     help_books(spool, "c")};
        for (size_t i = 0; i < 3; i++)
            assert_true(help_balanced(&books[i]));
        assert_int_equal(books[1].discarded, 0);
        assert_true(books[2].discarded > 0);
        assert_int_equal(refused > 0, policy == SLU_FULL_REFUSE);
        assert_int_equal(books[0].discarded > 0, policy != SLU_FULL_REFUSE);
        slu_spool_reader_close(b);
        slu_spool_reader_close(c);
        help_close(spool);
        help_remove(dir.path);
    }
}

static void when_full_decides(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(full_cases) / sizeof(full_cases[0]); i++) {
        const struct full_case *it = &full_cases[i];
        struct help_dir dir;
        help_dir_make(&dir);
        struct slu_spool_options options = help_options(&dir);
        options.max_size_bytes = 8 << 16;
        struct slu_spool *spool = help_open(&options);
        slu_spool_sink(spool, "a", "file", it->when_full, NULL);
        struct slu_spool_stats stats = {0};
        uint64_t taken = 0;
        for (uint64_t n = 1; n < 100000 && !stats.full; n++) {
            struct slu_record record = help_record(n, 1);
            record.qos = 1;
            if (slu_spool_append(spool, &record) == SLU_APPENDED)
                taken++;
            slu_spool_stats(spool, &stats);
        }
        wait_full(spool, true);
        const struct slu_spool_sink_stats before = help_books(spool, "a");
        struct slu_record record = help_record(1, 1);
        record.qos = it->qos;
        assert_int_equal(slu_spool_append(spool, &record), it->answer);
        struct slu_spool_sink_stats books = help_books(spool, "a");
        assert_int_equal(books.discarded - before.discarded, it->answer == SLU_APPEND_DROPPED);
        assert_true(help_balanced(&books));

        /* Nothing that was taken is lost, and room comes back with deliveries. */
        struct slu_spool_reader *reader = slu_spool_reader_open(spool, "a", NULL);
        uint64_t after = 0;
        uint64_t *numbers = calloc(taken + 10, sizeof(uint64_t));
        uint64_t n = 0;
        while (n < taken) { /* the ring holds some that have no room on the disk yet */
            const size_t got = read_numbers(reader, &after, numbers + n, taken - n);
            assert_true(got > 0);
            assert_int_equal(slu_spool_commit(reader, after, 0, NULL), 0);
            n += got;
        }
        assert_int_equal(read_numbers(reader, &after, numbers, 10), 0);
        wait_full(spool, false);
        record = help_record(2, 1);
        assert_int_equal(slu_spool_append(spool, &record), SLU_APPENDED);
        free(numbers);
        slu_spool_reader_close(reader);
        help_close(spool);
        help_remove(dir.path);
    }
}

static void drop_oldest_keeps_the_newest_and_counts_the_rest(void **state)
{
    (void)state;
    struct help_dir dir;
    help_dir_make(&dir);
    struct slu_spool_options options = help_options(&dir);
    options.max_size_bytes = 8 << 16;
    struct slu_spool *spool = help_open(&options);
    slu_spool_sink(spool, "a", "file", SLU_FULL_DROP_OLDEST, NULL);
    const uint64_t total = 20000;
    uint64_t last = 0;
    for (uint64_t n = 1; n <= total; n++) {
        struct slu_record record = help_record(n, 1);
        record.qos = 1;
        while (slu_spool_append(spool, &record) == SLU_APPEND_REFUSED) /* the writer is behind */
            ;
        last = record.seq;
    }
    struct slu_spool_reader *reader = slu_spool_reader_open(spool, "a", NULL);
    while (!slu_spool_wait(reader, last - 1, help_in(5000)))
        ;
    struct slu_spool_sink_stats books = help_books(spool, "a");
    assert_true(books.discarded > 0);
    assert_true(help_balanced(&books));
    uint64_t after = 0;
    uint64_t *numbers = calloc(total, sizeof(uint64_t));
    const size_t n = read_numbers(reader, &after, numbers, total);
    assert_int_equal(n, books.spooled);
    assert_int_equal(after, last);
    assert_int_equal(slu_spool_commit(reader, after, 0, NULL), 0);
    books = help_books(spool, "a");
    assert_int_equal(books.spooled, 0);
    assert_int_equal(books.delivered + books.discarded, total);
    free(numbers);
    slu_spool_reader_close(reader);
    help_close(spool);
    help_remove(dir.path);
}

/* ---- sinks that come and go ------------------------------------------------------------------------ */

static void an_orphan_keeps_its_backlog_until_it_is_forgotten(void **state)
{
    (void)state;
    struct help_dir dir;
    struct slu_err err = {0};
    uint64_t records = 0;
    help_dir_make(&dir);
    const struct slu_spool_options options = help_options(&dir);
    struct slu_spool *spool = help_open(&options);
    slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
    slu_spool_sink(spool, "b", "kafka", SLU_FULL_REFUSE, NULL);
    for (uint64_t i = 1; i <= 2000; i++)
        help_append(spool, i, 3, NULL);
    assert_int_equal(slu_spool_forget(dir.path, "b", &records, &err), -1);
    assert_int_equal(err.kind, SLU_EBUSY);
    help_close(spool);
    err = (struct slu_err){0};
    assert_int_equal(slu_spool_forget(dir.path, "b", &records, &err), -1); /* still configured */
    assert_int_equal(err.kind, SLU_EINVAL);

    spool = help_open(&options);
    slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
    const char *const names[] = {"a"};
    slu_spool_keep_sinks(spool, names, 1);
    assert_true(help_books(spool, "b").orphaned);
    assert_int_equal(help_books(spool, "b").spooled, 2000);
    uint64_t after = 0;
    static uint64_t numbers[2000];
    struct slu_spool_reader *reader = slu_spool_reader_open(spool, "a", NULL);
    assert_int_equal(read_numbers(reader, &after, numbers, 2000), 2000);
    slu_spool_commit(reader, after, 0, NULL);
    slu_spool_reader_close(reader);
    help_close(spool);

    err = (struct slu_err){0};
    assert_int_equal(slu_spool_forget(dir.path, "nobody", &records, &err), -1);
    assert_int_equal(err.kind, SLU_ENOENT);
    assert_int_equal(slu_spool_forget(dir.path, "b", &records, NULL), 0);
    assert_int_equal(records, 2000);

    spool = help_open(&options);
    struct slu_spool_stats stats;
    slu_spool_stats(spool, &stats);
    assert_true(stats.bytes <= 2 << 16);
    /* The same name again is a new sink: it starts at the head. */
    const int bit = slu_spool_sink(spool, "b", "kafka", SLU_FULL_REFUSE, NULL);
    assert_true(bit >= 0);
    assert_int_equal(help_books(spool, "b").spooled, 0);
    help_append(spool, 4242, UINT64_C(1) << bit, NULL);
    reader = slu_spool_reader_open(spool, "b", NULL);
    after = slu_spool_reader_committed(reader);
    assert_int_equal(read_numbers(reader, &after, numbers, 1), 1);
    assert_int_equal(numbers[0], 4242);
    slu_spool_reader_close(reader);
    help_close(spool);
    help_remove(dir.path);
}

static void there_are_32_bits_and_no_more(void **state)
{
    (void)state;
    struct help_dir dir;
    help_dir_make(&dir);
    const struct slu_spool_options options = help_options(&dir);
    struct slu_spool *spool = help_open(&options);
    for (int i = 0; i < SLU_SINKS_MAX; i++) {
        char name[16];
        snprintf(name, sizeof(name), "s%d", i);
        assert_int_equal(slu_spool_sink(spool, name, "file", SLU_FULL_REFUSE, NULL), i);
    }
    struct slu_err err = {0};
    assert_int_equal(slu_spool_sink(spool, "more", "file", SLU_FULL_REFUSE, &err), -1);
    assert_non_null(strstr(err.text, "forget"));
    assert_int_equal(slu_spool_sink(spool, "../x", "file", SLU_FULL_REFUSE, NULL), -1);
    help_close(spool);
    help_remove(dir.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(when_full_decides),
        cmocka_unit_test(a_sink_that_keeps_up_loses_nothing),
        cmocka_unit_test(drop_oldest_keeps_the_newest_and_counts_the_rest),
        cmocka_unit_test(an_orphan_keeps_its_backlog_until_it_is_forgotten),
        cmocka_unit_test(there_are_32_bits_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
