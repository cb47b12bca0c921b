/* test_spool.c -- the spool as its users see it: append, read, commit, close, open again, full,
 * orphans, permissions. */
#include "tests/unit/spool_help.h"

#include "base/crc32c.h"
#include "base/properties.h"
#include "sinks/spool/bytes.h"
#include "sinks/spool/files.h"
#include "sinks/spool/segment.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#define BATCH 512

/* Read until `n` numbers were seen or nothing more comes; returns how many. */
static size_t read_numbers(struct slu_spool_reader *reader, uint64_t *after, uint64_t *numbers,
                           size_t n)
{
    static struct slu_record records[BATCH];
    size_t done = 0;
    while (done < n) {
        const size_t left = n - done;
        const int got =
            slu_spool_read(reader, *after, records, left < BATCH ? left : BATCH, 1 << 20, NULL);
        assert_true(got >= 0);
        for (int i = 0; i < got; i++) {
            assert_true(records[i].seq > *after);
            *after = records[i].seq;
            numbers[done++] = help_number(&records[i]);
        }
        if (got == 0 && !slu_spool_wait(reader, *after, help_in(300)))
            break;
    }
    return done;
}

static void every_field_comes_back_as_it_went_in(void **state)
{
    (void)state;
    struct help_dir dir;
    struct slu_err err = {0};
    help_dir_make(&dir);
    const struct slu_spool_options options = help_options(&dir);
    struct slu_spool *spool = help_open(&options);
    const int bit = slu_spool_sink(spool, "archive", "file", SLU_FULL_REFUSE, &err);
    assert_true(bit >= 0);
    const uint16_t policy = slu_spool_define_policy(spool, "ovens");
    const uint16_t schema =
        slu_spool_define_schema(spool, "oven:1", "json-schema", SLU_SLICE("{\"type\":\"object\"}"));
    assert_true(policy != 0 && schema != 0);
    slu_spool_await_definitions(spool);
    assert_int_equal(slu_spool_define_policy(spool, "ovens"), policy);

    struct slu_buf properties;
    slu_buf_init(&properties, 1000);
    slu_properties_add(&properties, SLU_PROPERTY_USER, SLU_SLICE("k"), SLU_SLICE("v"));
    const char binary[] = {0, 1, 2, (char)0xff, 0};
    struct slu_record in = {.time_ns = 123456789,
                            .event_ns = -5,
                            .sinks = UINT64_C(1) << bit,
                            .policy = policy,
                            .schema = schema,
                            .kind = SLU_RECORD_VIOLATION,
                            .format = SLU_RECORD_AVRO,
                            .framing = 3,
                            .quality = 64,
                            .qos = 2,
                            .retain = true,
                            .topic = SLU_SLICE("plant/a"),
                            .client_id = SLU_SLICE("client"),
                            .username = SLU_SLICE("user"),
                            .properties = slu_buf_slice(&properties),
                            .payload = slu_slice(binary, sizeof(binary))};
    assert_int_equal(slu_spool_append(spool, &in), SLU_APPENDED);
    assert_int_equal(in.seq, 1);

    struct slu_spool_reader *reader = slu_spool_reader_open(spool, "archive", &err);
    struct slu_record out;
    assert_true(slu_spool_wait(reader, 0, help_in(5000)));
    assert_int_equal(slu_spool_read(reader, 0, &out, 1, 1 << 20, &err), 1);
    assert_int_equal(out.seq, in.seq);
    assert_int_equal(out.time_ns, in.time_ns);
    assert_int_equal(out.event_ns, in.event_ns);
    assert_int_equal(out.sinks, in.sinks);
    assert_string_equal(slu_spool_policy_name(spool, out.policy), "ovens");
    assert_string_equal(slu_spool_schema_name(spool, out.schema), "oven:1");
    assert_int_equal(out.kind, in.kind);
    assert_int_equal(out.format, in.format);
    assert_int_equal(out.framing, in.framing);
    assert_int_equal(out.quality, in.quality);
    assert_int_equal(out.qos, in.qos);
    assert_int_equal(out.retain, in.retain);
    assert_true(slu_slice_equal(out.topic, in.topic));
    assert_true(slu_slice_equal(out.client_id, in.client_id));
    assert_true(slu_slice_equal(out.username, in.username));
    assert_true(slu_slice_equal(out.properties, in.properties));
    assert_true(slu_slice_equal(out.payload, in.payload));
    assert_int_equal(slu_spool_commit(reader, out.seq, 0, &err), 0);
    const struct slu_spool_sink_stats books = help_books(spool, "archive");
    assert_int_equal(books.delivered, 1);
    assert_int_equal(books.spooled, 0);
    slu_spool_reader_close(reader);
    help_close(spool);
    slu_buf_fini(&properties);
    help_remove(dir.path);
}

static void a_record_costs_at_most_48_bytes(void **state)
{
    (void)state;
    assert_true(SLU_PACK_RECORD_BYTES + 8 <= 48); /* with an event time; there is no padding */
    struct slu_record record = help_record(3, 1);
    assert_true(record.event_ns != record.time_ns);
    assert_int_equal(
        slu_pack_size(&record) - record.topic.len - record.client_id.len - record.payload.len, 48);
}

static void a_backlog_survives_a_clean_stop_and_numbers_go_on(void **state)
{
    (void)state;
    struct help_dir dir;
    help_dir_make(&dir);
    const struct slu_spool_options options = help_options(&dir);
    static uint64_t numbers[5000];
    uint64_t last = 0, seq = 0;

    for (int round = 0; round < 4; round++) {
        struct slu_spool *spool = help_open(&options);
        const int bit = slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
        for (uint64_t i = 1; i <= 1000; i++) {
            assert_int_equal(
                help_append(spool, (uint64_t)round * 1000 + i, UINT64_C(1) << bit, &seq),
                SLU_APPENDED);
            assert_int_equal(seq, last + 1); /* nothing is skipped by a clean stop */
            last = seq;
        }
        const struct slu_spool_sink_stats books = help_books(spool, "a");
        assert_int_equal(books.spooled_at_start, round * 1000);
        assert_int_equal(books.spooled, (round + 1) * 1000);
        help_close(spool);
    }
    struct slu_spool *spool = help_open(&options);
    assert_int_equal(slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL), 0);
    struct slu_spool_reader *reader = slu_spool_reader_open(spool, "a", NULL);
    uint64_t after = 0;
    assert_int_equal(read_numbers(reader, &after, numbers, 5000), 4000);
    for (uint64_t i = 0; i < 4000; i++)
        assert_int_equal(numbers[i], i + 1);
    assert_int_equal(slu_spool_commit(reader, after, 0, NULL), 0);
    slu_spool_reader_close(reader);
    help_close(spool);

    spool = help_open(&options);
    assert_int_equal(help_books(spool, "a").spooled, 0);
    help_close(spool);
    help_remove(dir.path);
}

static void what_was_appended_survives_a_kill(void **state)
{
    (void)state;
    struct help_dir dir, copy;
    help_dir_make(&dir);
    help_dir_make(&copy);
    struct slu_spool_options options = help_options(&dir);
    options.sync_interval_ns = 60 * SLU_NS_PER_S; /* the ring alone must save them */
    struct slu_spool *spool = help_open(&options);
    const int bit = slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
    const uint16_t policy = slu_spool_define_policy(spool, "p");
    slu_spool_await_definitions(spool);
    for (uint64_t i = 1; i <= 3000; i++)
        assert_int_equal(help_append(spool, i, UINT64_C(1) << bit, NULL), SLU_APPENDED);
    help_remove(copy.path);
    help_copy_dir(dir.path, copy.path);

    struct slu_spool_options after_kill = help_options(&copy);
    struct slu_spool *again = help_open(&after_kill);
    assert_int_equal(slu_spool_sink(again, "a", "file", SLU_FULL_REFUSE, NULL), bit);
    assert_int_equal(help_books(again, "a").spooled_at_start, 3000);
    assert_string_equal(slu_spool_policy_name(again, policy), "p");
    uint64_t seq = 0, after = 0;
    static uint64_t numbers[4000];
    assert_int_equal(help_append(again, 3001, UINT64_C(1) << bit, &seq), SLU_APPENDED);
    assert_true(seq > 3001); /* numbers that may have been given are not given again */
    struct slu_spool_reader *reader = slu_spool_reader_open(again, "a", NULL);
    assert_int_equal(read_numbers(reader, &after, numbers, 4000), 3001);
    for (uint64_t i = 0; i < 3001; i++)
        assert_int_equal(numbers[i], i + 1);
    slu_spool_reader_close(reader);
    help_close(again);
    help_close(spool);
    help_remove(dir.path);
    help_remove(copy.path);
}

static void two_sinks_have_their_own_way(void **state)
{
    (void)state;
    struct help_dir dir;
    help_dir_make(&dir);
    const struct slu_spool_options options = help_options(&dir);
    struct slu_spool *spool = help_open(&options);
    assert_int_equal(slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL), 0);
    assert_int_equal(slu_spool_sink(spool, "b", "kafka", SLU_FULL_REFUSE, NULL), 1);
    for (uint64_t i = 1; i <= 2000; i++)
        help_append(spool, i, i % 2 ? 1 : 3, NULL);
    static uint64_t numbers[3000];
    uint64_t after = 0;
    struct slu_spool_reader *b = slu_spool_reader_open(spool, "b", NULL);
    assert_null(slu_spool_reader_open(spool, "b", NULL));
    assert_int_equal(read_numbers(b, &after, numbers, 3000), 1000);
    for (uint64_t i = 0; i < 1000; i++)
        assert_int_equal(numbers[i], 2 * (i + 1));
    assert_int_equal(slu_spool_commit(b, 1000, 7, NULL), 0);
    struct slu_spool_sink_stats books = help_books(spool, "b");
    assert_int_equal(books.delivered, 493);
    assert_int_equal(books.dead_lettered, 7);
    assert_int_equal(books.spooled, 500);

    /* After RESET: from the committed place again. */
    after = slu_spool_reader_committed(b);
    assert_int_equal(read_numbers(b, &after, numbers, 3000), 500);
    assert_int_equal(numbers[0], 1002);
    assert_int_equal(slu_spool_commit(b, 2000, 0, NULL), 0);
    slu_spool_reader_close(b);
    books = help_books(spool, "b");
    assert_int_equal(books.spooled, 0);
    assert_int_equal(help_books(spool, "a").spooled, 2000);
    help_close(spool);
    help_remove(dir.path);
}

static void a_far_side_that_knows_more_moves_the_cursor_with_exact_books(void **state)
{
    (void)state;
    struct help_dir dir;
    help_dir_make(&dir);
    const struct slu_spool_options options = help_options(&dir);
    struct slu_spool *spool = help_open(&options);
    slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
    uint64_t seq = 0;
    for (uint64_t i = 1; i <= 3000; i++)
        help_append(spool, i, 1, &seq);
    struct slu_spool_reader *reader = slu_spool_reader_open(spool, "a", NULL);
    while (slu_spool_wait(reader, seq - 1, help_in(5000)) == false)
        ;
    assert_int_equal(slu_spool_commit(reader, 2500, 0, NULL), 0);
    assert_int_equal(help_books(spool, "a").delivered, 2500);
    uint64_t after = slu_spool_reader_committed(reader);
    static uint64_t numbers[1000];
    assert_int_equal(read_numbers(reader, &after, numbers, 1000), 500);
    assert_int_equal(numbers[0], 2501);
    /* Never beyond what there is: what comes later was surely not delivered. */
    assert_int_equal(slu_spool_commit(reader, 999999, 0, NULL), 0);
    help_append(spool, 3001, 1, &seq);
    after = slu_spool_reader_committed(reader);
    assert_int_equal(after, 3000);
    assert_int_equal(read_numbers(reader, &after, numbers, 1), 1);
    assert_int_equal(numbers[0], 3001);
    slu_spool_reader_close(reader);
    help_close(spool);
    help_remove(dir.path);
}

static void delivered_segments_are_deleted(void **state)
{
    (void)state;
    struct help_dir dir;
    help_dir_make(&dir);
    const struct slu_spool_options options = help_options(&dir);
    struct slu_spool *spool = help_open(&options);
    slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
    static uint64_t numbers[5000];
    for (uint64_t i = 1; i <= 5000; i++)
        help_append(spool, i, 1, NULL);
    struct slu_spool_reader *reader = slu_spool_reader_open(spool, "a", NULL);
    uint64_t after = 0;
    assert_int_equal(read_numbers(reader, &after, numbers, 5000), 5000);
    struct slu_spool_stats stats;
    slu_spool_stats(spool, &stats);
    assert_true(stats.bytes > 10 << 16);
    assert_int_equal(slu_spool_commit(reader, after, 0, NULL), 0);
    const int64_t deadline = help_in(5000);
    do {
        slu_spool_stats(spool, &stats);
    } while (stats.bytes > 2 << 16 && slu_clock_mono_ns() < deadline);
    assert_true(stats.bytes <= 2 << 16);
    slu_spool_reader_close(reader);
    help_close(spool);
    help_remove(dir.path);
}

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

/* ---- who may open it -------------------------------------------------------------------------------- */

static void expect_refused(const struct help_dir *dir, enum slu_err_kind kind, const char *words)
{
    struct slu_err err = {0};
    const struct slu_spool_options options = help_options(dir);
    assert_null(slu_spool_open(&options, &err));
    if (err.kind != kind || strstr(err.text, words) == NULL)
        print_message("got: %s\n", err.text);
    assert_int_equal(err.kind, kind);
    assert_non_null(strstr(err.text, words));
}

static void a_second_broker_is_refused_and_told_who_is_there(void **state)
{
    (void)state;
    struct help_dir dir;
    help_dir_make(&dir);
    const struct slu_spool_options options = help_options(&dir);
    struct slu_spool *spool = help_open(&options);
    char pid[24];
    snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
    expect_refused(&dir, SLU_EBUSY, pid);
    help_close(spool);
    spool = help_open(&options);
    help_close(spool);
    help_remove(dir.path);
}

static void write_version(const char *path)
{
    uint8_t prologue[SLU_PROLOGUE_BYTES];
    const int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, prologue, sizeof(prologue), 0), sizeof(prologue));
    slu_put_u32(prologue + 8, 2);
    slu_put_u32(prologue + 12, slu_crc32c(0, prologue, 12));
    assert_int_equal(pwrite(fd, prologue, sizeof(prologue), 0), sizeof(prologue));
    close(fd);
}

static void wrong_modes_links_and_newer_versions_are_refused_with_the_fix(void **state)
{
    (void)state;
    static const char *const files[] = {"spool/id", "spool/ring", "spool/a.cursor",
                                        "spool/00000000000000000001.seg"};
    struct help_dir dir;
    char path[600], other[600];
    help_dir_make(&dir);
    const struct slu_spool_options options = help_options(&dir);
    struct slu_spool *spool = help_open(&options);
    slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
    help_append(spool, 1, 1, NULL);
    help_close(spool);

    chmod(dir.path, 0755);
    expect_refused(&dir, SLU_EDENIED, "chmod 700");
    chmod(dir.path, 0700);
    help_join(path, dir.path, "spool");
    chmod(path, 0750);
    expect_refused(&dir, SLU_EDENIED, "chmod 700");
    chmod(path, 0700);
    for (size_t i = 0; i < 4; i++) {
        help_join(path, dir.path, files[i]);
        help_join(other, dir.path, "kept");
        struct stat status;
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
        chmod(path, 0644);
        expect_refused(&dir, SLU_EDENIED, "chmod 600");
        chmod(path, 0600);
        help_copy_file(path, other);
        unlink(path);
        assert_int_equal(symlink(other, path), 0);
        expect_refused(&dir, SLU_EDENIED, "symbolic link");
        unlink(path);
        assert_int_equal(mkfifo(path, 0600), 0);
        expect_refused(&dir, SLU_EDENIED, "not a regular file");
        unlink(path);
        help_copy_file(other, path);
        write_version(path);
        expect_refused(&dir, SLU_EVERSION, "version 2");
        help_copy_file(other, path);
    }
    /* Nothing of all that changed anything. */
    spool = help_open(&options);
    slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
    assert_int_equal(help_books(spool, "a").spooled_at_start, 1);
    help_close(spool);
    help_remove(dir.path);
}

/* ---- identity --------------------------------------------------------------------------------------- */

static void a_copy_gets_a_new_id_and_keeps_the_backlog_under_the_old(void **state)
{
    (void)state;
    struct help_dir dir, copy;
    uint8_t old_id[16];
    help_dir_make(&dir);
    help_dir_make(&copy);
    const struct slu_spool_options options = help_options(&dir);
    struct slu_spool *spool = help_open(&options);
    slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
    memcpy(old_id, slu_spool_id(spool), 16);
    for (uint64_t i = 1; i <= 100; i++)
        help_append(spool, i, 1, NULL);
    help_close(spool);
    help_copy_dir(dir.path, copy.path);

    struct slu_spool_options copied = help_options(&copy);
    for (int round = 0; round < 2; round++) { /* it changes once, not at each start */
        uint64_t seq = 0;
        spool = help_open(&copied);
        slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
        assert_memory_not_equal(slu_spool_id(spool), old_id, 16);
        help_append(spool, 101 + (uint64_t)round, 1, &seq);
        assert_memory_equal(slu_spool_id_of(spool, 100), old_id, 16);
        assert_memory_equal(slu_spool_id_of(spool, seq), slu_spool_id(spool), 16);
        help_close(spool);
    }
    spool = help_open(&copied);
    slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
    struct slu_spool_reader *reader = slu_spool_reader_open(spool, "a", NULL);
    struct slu_record records[200];
    assert_int_equal(slu_spool_read(reader, 0, records, 200, 1 << 20, NULL), 100);
    const uint64_t after = records[99].seq; /* records of two ids do not come together */
    assert_int_equal(slu_spool_read(reader, after, records, 200, 1 << 20, NULL), 2);
    assert_int_equal(help_number(&records[1]), 102);
    slu_spool_reader_close(reader);

    uint8_t id[16];
    memcpy(id, slu_spool_id(spool), 16);
    assert_int_equal(slu_spool_renew_id(spool, 1, NULL), -1);
    assert_int_equal(slu_spool_renew_id(spool, 1000000000, NULL), 0);
    assert_memory_not_equal(slu_spool_id(spool), id, 16);
    memcpy(id, slu_spool_id(spool), 16);
    assert_int_equal(slu_spool_renew_id(spool, 1000000000, NULL), 0);
    assert_memory_equal(slu_spool_id(spool), id, 16);
    help_close(spool);
    spool = help_open(&copied);
    assert_memory_equal(slu_spool_id(spool), id, 16);
    help_close(spool);
    help_remove(dir.path);
    help_remove(copy.path);
}

/* ---- sync always ------------------------------------------------------------------------------------ */

static void always_answers_when_it_is_durable(void **state)
{
    (void)state;
    struct help_dir dir;
    help_dir_make(&dir);
    struct slu_spool_options options = help_options(&dir);
    options.sync = SLU_SYNC_ALWAYS;
    struct slu_spool *spool = help_open(&options);
    slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
    for (uint64_t i = 1; i <= 200; i++) {
        uint64_t seq = 0;
        assert_int_equal(help_append(spool, i, 1, &seq), SLU_APPENDED);
        struct slu_spool_stats stats;
        slu_spool_stats(spool, &stats);
        assert_true(stats.durable_seq >= seq);
    }
    help_close(spool);
    help_remove(dir.path);
}

/* ---- looking from outside --------------------------------------------------------------------------- */

static void count_line(void *context, const char *line)
{
    (void)line;
    (*(size_t *)context)++;
}

static void a_view_of_a_live_spool_sees_everything_and_changes_nothing(void **state)
{
    (void)state;
    struct help_dir dir;
    help_dir_make(&dir);
    struct slu_spool_options options = help_options(&dir);
    struct slu_spool *spool = help_open(&options);
    slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
    slu_spool_sink(spool, "b", "kafka", SLU_FULL_REFUSE, NULL);
    slu_spool_define_policy(spool, "one");
    slu_spool_await_definitions(spool);
    for (uint64_t i = 1; i <= 1500; i++) {
        struct slu_record record = help_record(i, i % 2 ? 1 : 3);
        record.policy = 1;
        slu_spool_append(spool, &record);
    }
    struct slu_err err = {0};
    struct slu_spool_view *view = slu_spool_view_open(dir.path, &err);
    assert_non_null(view);
    assert_memory_equal(slu_spool_view_id(view), slu_spool_id(spool), 16);
    struct slu_record record;
    const char *policy = NULL, *schema = NULL;
    uint64_t n = 0;
    while (slu_spool_view_next(view, &record, &policy, &schema)) {
        n++;
        assert_int_equal(record.seq, n);
        assert_string_equal(policy, "one");
    }
    assert_int_equal(n, 1500);
    struct slu_spool_sink_stats sinks[SLU_SINKS_MAX];
    assert_int_equal(slu_spool_view_sinks(view, sinks, SLU_SINKS_MAX), 2);
    assert_string_equal(sinks[1].name, "b");
    assert_string_equal(sinks[1].type, "kafka");
    assert_int_equal(sinks[0].spooled, 1500);
    assert_int_equal(sinks[1].spooled, 750);
    slu_spool_view_close(view);
    help_close(spool);

    view = slu_spool_view_open(dir.path, &err);
    struct slu_spool_segment_info infos[64];
    const size_t segments = slu_spool_view_segments(view, infos, 64);
    uint64_t records = 0;
    for (size_t i = 0; i < segments; i++) {
        records += infos[i].records;
        assert_int_equal(infos[i].damaged_records, 0);
        assert_int_equal(infos[i].sealed, i + 1 < segments);
    }
    assert_int_equal(records, 1500);
    size_t lines = 0;
    assert_int_equal(slu_spool_view_verify(view, count_line, &lines), 0);
    assert_int_equal(lines, 0);
    slu_spool_view_close(view);
    help_remove(dir.path);
}

static void a_view_beside_a_busy_writer_has_no_gap(void **state)
{
    (void)state;
    struct help_dir dir;
    help_dir_make(&dir);
    struct slu_spool_options options = help_options(&dir);
    struct slu_spool *spool = help_open(&options);
    slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
    uint64_t appended = 0, n = 0;
    while (appended < 300) {
        struct slu_record record = help_record(++appended, 1);
        slu_spool_append(spool, &record);
    }
    assert_true(slu_spool_flush(spool, help_in(60000)));
    struct slu_err err = {0};
    struct slu_spool_view *view = slu_spool_view_open(dir.path, &err);
    assert_non_null(view);
    struct slu_record record;
    const char *policy = NULL, *schema = NULL;
    while (slu_spool_view_next(view, &record, &policy, &schema)) {
        assert_int_equal(record.seq, ++n);
        while (n % 100 == 0 && appended < 30 * n) { /* behind its back, through several segments */
            struct slu_record next = help_record(++appended, 1);
            slu_spool_append(spool, &next);
            if (appended % 1000 == 0)
                assert_true(slu_spool_flush(spool, help_in(60000)));
        }
    }
    assert_true(n >= 300);
    slu_spool_view_close(view);
    help_close(spool);
    help_remove(dir.path);
}

/* ---- what does not fit ------------------------------------------------------------------------------ */

static void what_cannot_be_stored_is_refused_and_the_largest_goes_through(void **state)
{
    (void)state;
    struct help_dir dir;
    help_dir_make(&dir);
    struct slu_spool_options options = help_options(&dir);
    struct slu_spool *spool = help_open(&options);
    slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
    char *large = calloc(1, SLU_RECORD_MAX_BYTES + 1);
    struct slu_record record = help_record(1, 1);
    record.qos = 1;
    record.payload = slu_slice(large, SLU_RECORD_MAX_BYTES);
    assert_int_equal(slu_spool_append(spool, &record), SLU_APPEND_REFUSED);
    record.qos = 0;
    assert_int_equal(slu_spool_append(spool, &record), SLU_APPEND_DROPPED);
    record = help_record(1, 1);
    record.sinks = 0;
    assert_int_equal(slu_spool_append(spool, &record), SLU_APPENDED);
    assert_int_equal(record.seq, 0);

    struct slu_spool_reader *reader = slu_spool_reader_open(spool, "a", NULL);
    uint64_t after = 0;
    for (int i = 0; i < 6; i++) { /* more than a ring full of the largest */
        record = help_record(1, 1);
        record.qos = 1;
        record.event_ns = record.time_ns;
        record.payload = slu_slice(large, SLU_RECORD_MAX_BYTES - SLU_PACK_RECORD_BYTES -
                                              record.topic.len - record.client_id.len);
        while (slu_spool_append(spool, &record) == SLU_APPEND_REFUSED)
            ;
        struct slu_record out;
        assert_true(slu_spool_wait(reader, after, help_in(10000)));
        assert_int_equal(slu_spool_read(reader, after, &out, 1, 1, NULL), 1);
        assert_int_equal(out.payload.len, record.payload.len);
        after = out.seq;
        slu_spool_commit(reader, after, 0, NULL);
    }
    slu_spool_reader_close(reader);
    help_close(spool);
    free(large);
    help_remove(dir.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_comes_back_as_it_went_in),
        cmocka_unit_test(a_record_costs_at_most_48_bytes),
        cmocka_unit_test(a_backlog_survives_a_clean_stop_and_numbers_go_on),
        cmocka_unit_test(what_was_appended_survives_a_kill),
        cmocka_unit_test(two_sinks_have_their_own_way),
        cmocka_unit_test(a_far_side_that_knows_more_moves_the_cursor_with_exact_books),
        cmocka_unit_test(delivered_segments_are_deleted),
        cmocka_unit_test(when_full_decides),
        cmocka_unit_test(a_sink_that_keeps_up_loses_nothing),
        cmocka_unit_test(drop_oldest_keeps_the_newest_and_counts_the_rest),
        cmocka_unit_test(an_orphan_keeps_its_backlog_until_it_is_forgotten),
        cmocka_unit_test(there_are_32_bits_and_no_more),
        cmocka_unit_test(a_second_broker_is_refused_and_told_who_is_there),
        cmocka_unit_test(wrong_modes_links_and_newer_versions_are_refused_with_the_fix),
        cmocka_unit_test(a_copy_gets_a_new_id_and_keeps_the_backlog_under_the_old),
        cmocka_unit_test(always_answers_when_it_is_durable),
        cmocka_unit_test(a_view_of_a_live_spool_sees_everything_and_changes_nothing),
        cmocka_unit_test(a_view_beside_a_busy_writer_has_no_gap),
        cmocka_unit_test(what_cannot_be_stored_is_refused_and_the_largest_goes_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
