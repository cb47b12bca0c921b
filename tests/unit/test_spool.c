/* test_spool.c -- the spool as its users see it: append, read, commit, close, open again. */
#include "tests/unit/spool_read_help.h"

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
        cmocka_unit_test(always_answers_when_it_is_durable),
        cmocka_unit_test(what_cannot_be_stored_is_refused_and_the_largest_goes_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
