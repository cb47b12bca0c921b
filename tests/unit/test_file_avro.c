/* test_file_avro.c -- the file sink with `format: avro`: container files, torn, damaged, changed. */
#include "tests/unit/file_help.h"

/* ---- container files ------------------------------------------------------------------------------------- */

#define AVRO_1 "dt=2026-01-01/hour=00/.archive-plant1-00000000000000000001.avro.inprogress"

static void container_files_hold_the_records(void **state)
{
    static const char *const codecs[] = {"null", "'null'", "deflate", "zstandard"};
    for (size_t i = 0; i < COUNT(codecs); i++) {
        char options[96];
        tear_down(state);
        set_up(state);
        arrival = through_hours;
        snprintf(options, sizeof(options), "format: avro, codec: %s", codecs[i]);
        open_sink(options);
        deliver(30);
        finish();
        check_all(30, codecs[i]);
        assert_int_equal(found.n_avro, 2);
        assert_int_equal(found.n_files, 2);
        assert_true(exists("dt=2026-01-01/hour=00/archive-plant1-00000000000000000001-"
                           "00000000000000000020.avro"));
    }
}

static void path_of_open(char path[600])
{
    snprintf(path, 600, "%s/%s", lake, AVRO_1);
}

/* Cut (or lengthen with zeros) the open file to `size`; the state is lost or not. */
static void tear(off_t size, bool loses_state)
{
    char path[600];
    path_of_open(path);
    assert_int_equal(truncate(path, size), 0);
    snprintf(path, sizeof(path), "%s/.archive-plant1.state", lake);
    if (loses_state)
        assert_int_equal(unlink(path), 0);
}

static off_t size_of_open(void)
{
    struct stat status;
    char path[600];
    path_of_open(path);
    assert_int_equal(stat(path, &status), 0);
    return status.st_size;
}

/* Three blocks: 1–7, 8–14, 15 and 16. What is torn off comes again from the spool, which was told nothing. */
static void torn_at_every_byte_of_its_last_block(void **state)
{
    static const char *const codecs[] = {"format: avro, codec: 'null'", "format: avro",
                                         "format: avro, codec: zstandard"};
    for (size_t i = 0; i < 2 * COUNT(codecs); i++) {
        const char *options = codecs[i / 2];
        off_t size = 0;
        for (off_t left = -3; size == 0 || left <= size; left++) {
            struct objects objects = {.path = "torn"};
            char path[600], what[64];
            tear_down(state);
            set_up(state);
            payload_bytes = 20;
            open_sink(options);
            deliver(16);
            close_sink();
            path_of_open(path);
            const off_t whole = size_of_open();
            const struct container_look was = container_look(path, look_at_object, &objects);
            assert_int_equal(was.n_blocks, 3);
            size = whole - was.last_start;
            tear(whole - left, i % 2 == 0);
            snprintf(what, sizeof(what), "%s, %lld bytes torn off", options, (long long)left);

            cursor->committed = 0;
            open_sink(options);
            assert_int_equal(settle(), SLU_SINK_RESET);
            if (cursor->committed != (left > 0 ? 14 : 16))
                fail_msg("%s: stands at %" PRIu64, what, cursor->committed);
            deliver(20);
            finish();
            look();
            for (uint64_t seq = 1; seq <= 20; seq++)
                if (found.times[seq] != 1)
                    fail_msg("%s: record %" PRIu64 " %zu times", what, seq, found.times[seq]);
            assert_int_equal(found.n_open, 0);
        }
    }
}

/* Pages that never came are zeros, and the frame around them is whole: only the state knows. */
static void what_was_not_synced_is_cut_though_it_looks_whole(void **state)
{
    (void)state;
    open_sink("format: avro, codec: 'null'");
    deliver(14);
    const off_t safe = size_of_open();
    fail_from = n_calls + 2; /* pwrite, then the fdatasync: it failed, and then the power */
    fail_upto = 1000000;
    fail_with = EIO;
    assert_int_equal(turn(20, 6), SLU_SINK_PAUSED);
    assert_true(size_of_open() > safe);
    calls_are_well();
    close_sink();
    assert_int_equal(cursor->committed, 14);
    open_sink("format: avro, codec: 'null'");
    assert_int_equal(settle(), SLU_SINK_RESET);
    assert_int_equal(cursor->committed, 14);
    deliver(20);
    finish();
    check_all(20, "unsynced");
}

/* The block is on disk then, but was promised to nobody: it must not stay behind what comes instead. */
static void a_block_is_taken_back_when_the_state_cannot_be_written(void **state)
{
    (void)state;
    open_sink("format: avro, codec: null");
    deliver(14);
    fail_from = n_calls + 3; /* pwrite, fdatasync; then the state's pwrite */
    fail_upto = fail_from;
    fail_with = EIO;
    assert_int_equal(turn(20, 6), SLU_SINK_PAUSED);
    assert_non_null(strstr(last_err.text, "cannot write the state file"));
    calls_are_well();
    ops->reset(sink);
    assert_int_equal(settle(), SLU_SINK_RESET);
    deliver(16);
    finish();
    check_all(16, "taken back");
}

static void a_damaged_block_and_what_follows_is_set_aside(void **state)
{
    (void)state;
    char path[600];
    static const char hole[40];
    struct objects objects = {.path = "damaged"};
    open_sink("format: avro");
    deliver(20);
    close_sink();
    path_of_open(path);
    const struct container_look was = container_look(path, look_at_object, &objects);
    const int fd = open(path, O_WRONLY);
    assert_int_equal(__real_pwrite(fd, hole, sizeof(hole), was.last_start + 20), sizeof(hole));
    close(fd);
    cursor->committed = 0;
    open_sink("format: avro");
    deliver(22);
    finish();
    look();
    assert_int_equal(found.n_damaged, 1);
    for (uint64_t seq = 1; seq <= 22; seq++)
        assert_int_equal(found.times[seq], 1);
    assert_non_null(strstr(log_text, "is damaged from byte"));
}

static void a_change_of_format_finishes_the_other_kind(void **state)
{
    (void)state;
    open_sink("format: avro");
    deliver(3);
    close_sink();
    cursor->committed = 0;
    open_sink("compress: gzip");
    deliver(6);
    close_sink();
    cursor->committed = 0;
    open_sink("format: avro, codec: zstandard");
    deliver(9);
    finish();
    check_all(9, "formats");
    assert_int_equal(found.n_avro, 2);
    assert_int_equal(found.n_gzip + found.n_plain, 1);
}

static void retain_counts_container_files_too(void **state)
{
    (void)state;
    open_sink("format: avro, codec: 'null', rotate: {size: 8KiB}, retain: {max_size: 40KiB}");
    deliver(400);
    finish();
    look();
    assert_true(found.n_avro >= 3 && found.n_avro <= 8);
    assert_int_equal(found.times[1], 0);
    assert_int_equal(found.times[400], 1);
}

static void a_new_spool_starts_its_numbers_again(void **state)
{
    (void)state;
    open_sink("");
    deliver(3);
    finish();
    deliver(5); /* 4 and 5 are left open */
    close_sink();

    memset(spool_id, 6, sizeof(spool_id));
    cursor->committed = pushed = 0;
    open_sink("");
    assert_int_equal(settle(), SLU_SINK_RESET);
    assert_int_equal(cursor->committed, 0);
    deliver(3);
    finish();
    look();
    for (uint64_t seq = 1; seq <= 3; seq++)
        assert_int_equal(found.times[seq], 1);
    assert_int_equal(found.n_open, 0);
    assert_string_equal(
        found.names,
        "dt=2026-01-01/hour=00/archive-plant1-00000000000000000001-00000000000000000003-2.jsonl\n"
        "dt=2026-01-01/hour=00/archive-plant1-00000000000000000001-00000000000000000003.jsonl\n"
        "dt=2026-01-01/hour=00/archive-plant1-00000000000000000004-00000000000000000005.jsonl\n");
}

int main(void)
{
    cursor = mmap(NULL, sizeof(*cursor), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(container_files_hold_the_records),
        TEST(torn_at_every_byte_of_its_last_block),
        TEST(what_was_not_synced_is_cut_though_it_looks_whole),
        TEST(a_block_is_taken_back_when_the_state_cannot_be_written),
        TEST(a_damaged_block_and_what_follows_is_set_aside),
        TEST(a_change_of_format_finishes_the_other_kind),
        TEST(retain_counts_container_files_too),
        TEST(a_new_spool_starts_its_numbers_again),
    };
    return cursor != MAP_FAILED ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
