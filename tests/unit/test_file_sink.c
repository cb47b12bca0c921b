/* test_file_sink.c -- the file sink: where lines go, when files end, what is kept of them. */
#include "tests/unit/file_help.h"

/* ---- where lines go ---------------------------------------------------------------------------------------- */

static void a_file_is_open_until_it_is_finished(void **state)
{
    (void)state;
    open_sink("");
    deliver(3);
    assert_true(exists(OPEN_1));
    assert_false(exists(FILE_1_3));
    finish();
    assert_false(exists(OPEN_1));
    assert_true(exists(FILE_1_3));
    check_all(3, "three");
}

static unsigned mode_of(const char *below_lake)
{
    char path[600];
    struct stat status;
    snprintf(path, sizeof(path), "%s/%s", lake, below_lake);
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 0777;
}

static void modes_do_not_depend_on_the_umask(void **state)
{
    (void)state;
    const mode_t before = umask(077);
    open_sink("");
    deliver(3);
    finish();
    umask(before);
    assert_int_equal(mode_of(FILE_1_3), 0640);
    assert_int_equal(mode_of(""), 0750);
    assert_int_equal(mode_of("dt=2026-01-01"), 0750);
    assert_int_equal(mode_of("dt=2026-01-01/hour=00"), 0750);
}

static void the_first_answer_is_reset(void **state)
{
    (void)state;
    open_sink("");
    const struct slu_record record = record_of(1);
    assert_int_equal(ops->push(sink, &record, 1, 0), 0);
    assert_int_equal(settle(), SLU_SINK_RESET);
    assert_int_equal(settle(), SLU_SINK_LIVE);
}

static void instance_is_escaped_in_names(void **state)
{
    (void)state;
    snprintf(instance, sizeof(instance), "../a b%%");
    open_sink("");
    deliver(1);
    finish();
    assert_true(exists("dt=2026-01-01/hour=00/archive-..%2Fa b%25-00000000000000000001-"
                       "00000000000000000001.jsonl"));
    close_sink();
    open_sink(""); /* and its state is read back with the blank in it */
    deliver(2);
    finish();
    check_all(2, "escaped");
}

static void an_instance_too_long_for_names_is_refused(void **state)
{
    (void)state;
    struct slu_err err = {0};
    memset(instance, 'i', 200);
    instance[200] = '\0';
    assert_int_equal(open_err("", &err), -1);
    assert_non_null(strstr(err.text, "instance is too long"));
}

/* ---- when files end ------------------------------------------------------------------------------------------ */

static void a_change_of_hour_ends_the_file_even_backwards(void **state)
{
    (void)state;
    arrival = through_hours;
    open_sink("");
    deliver(60);
    finish();
    check_all(60, "hours");
    assert_string_equal(
        found.names,
        "dt=2026-01-01/hour=00/archive-plant1-00000000000000000001-00000000000000000020.jsonl\n"
        "dt=2026-01-01/hour=00/archive-plant1-00000000000000000041-00000000000000000050.jsonl\n"
        "dt=2026-01-01/hour=01/archive-plant1-00000000000000000021-00000000000000000040.jsonl\n"
        "dt=2026-01-03/hour=00/archive-plant1-00000000000000000051-00000000000000000060.jsonl\n");
}

static void enough_bytes_end_it(void **state)
{
    (void)state;
    open_sink("rotate: {size: 4KiB}");
    deliver(100);
    finish();
    check_all(100, "size");
    assert_true(found.n_files >= 10);
}

static void enough_time_ends_it(void **state)
{
    (void)state;
    open_sink("rotate: {age: 10s}");
    deliver(2);
    mono_ns += 9 * SLU_NS_PER_S;
    settle();
    look();
    assert_int_equal(found.n_open, 1);
    mono_ns += SLU_NS_PER_S;
    assert_int_equal(settle(), SLU_SINK_LIVE);
    check_all(2, "age");
    mono_ns += 100 * SLU_NS_PER_S; /* without records no files */
    settle();
    check_all(2, "idle");
    assert_int_equal(found.n_files, 1);
}

static void a_reload_that_leaves_the_sink_ends_it(void **state)
{
    (void)state;
    open_sink("rotate: {age: 10d}");
    slu_sink_file.rotate(sink);
    settle(); /* nothing is open */
    deliver(2);
    look();
    assert_int_equal(found.n_open, 1);
    slu_sink_file.rotate(sink);
    assert_int_equal(settle(), SLU_SINK_LIVE);
    check_all(2, "rotated");
    assert_int_equal(found.n_open, 0);
}

static void a_quiet_file_of_a_past_hour_is_ended(void **state)
{
    (void)state;
    open_sink("rotate: {age: 10d}");
    deliver(2);
    wall_ns += HOUR_NS;
    settle();
    look();
    assert_int_equal(found.n_open, 1);
    mono_ns += 10 * SLU_NS_PER_S;
    settle();
    check_all(2, "hour is over");
}

/* ---- gzip ------------------------------------------------------------------------------------------------------ */

static void gzip_holds_the_same_lines(void **state)
{
    (void)state;
    open_sink("compress: gzip, rotate: {size: 16KiB}");
    deliver(200);
    finish();
    check_all(200, "gzip");
    assert_int_equal(found.n_plain, 0);
    assert_true(found.n_gzip >= 5);
    assert_int_equal(mode_of("dt=2026-01-01/hour=00"), 0750);
}

static void compressing_gives_way_to_the_clock(void **state)
{
    (void)state;
    open_sink("compress: gzip, rotate: {size: 512KiB}");
    deliver(1);
    while (found.n_files == 0) { /* until the file has been ended, by its size */
        turn(MAX_SEQ, 16);
        mono_step_ns = 60 * SLU_NS_PER_MS; /* a look at the clock costs most of a slice */
        look();
    }
    assert_int_equal(found.n_temp, 1); /* begun, and not done in one go */
    const struct slu_record record = record_of(pushed + 1);
    assert_int_equal(ops->push(sink, &record, 1, 0), 0); /* nothing is taken meanwhile */
    const uint64_t upto = pushed;
    for (int i = 0; i < 1000 && found.n_gzip == 0; i++) {
        settle();
        look();
    }
    finish();
    check_all(upto, "slices");
}

static void a_compression_that_was_stopped_is_done_at_the_next_start(void **state)
{
    (void)state;
    open_sink("compress: gzip");
    deliver(300);
    mono_step_ns = SLU_NS_PER_S;
    ops->finish(sink, mono_ns);
    mono_step_ns = 0;
    close_sink();
    check_all(300, "stopped");
    assert_int_equal(found.n_plain, 1);

    open_sink("compress: gzip");
    settle();
    settle();
    check_all(300, "again");
    assert_int_equal(found.n_plain, 0);
    assert_int_equal(found.n_gzip, 1);
}

/* ---- people ------------------------------------------------------------------------------------------------------- */

static void a_removed_open_file_is_noticed(void **state)
{
    (void)state;
    char path[600];
    open_sink("");
    deliver(3);
    snprintf(path, sizeof(path), "%s/%s", lake, OPEN_1);
    assert_int_equal(unlink(path), 0);
    deliver(6);
    finish();
    assert_non_null(strstr(log_text, "the 3 records in it are gone"));
    look();
    for (uint64_t seq = 1; seq <= 6; seq++)
        assert_int_equal(found.times[seq], seq > 3);

    deliver(8); /* the same at the moment of ending it */
    snprintf(path, sizeof(path), "%s/dt=2026-01-01/hour=00/", lake);
    strcat(path, ".archive-plant1-00000000000000000007.jsonl.inprogress");
    assert_int_equal(unlink(path), 0);
    finish();
    assert_non_null(strstr(log_text, "the 2 records in it are gone"));
    deliver(9);
}

static void a_removed_path_is_made_again(void **state)
{
    (void)state;
    char command[200];
    open_sink("");
    deliver(3);
    snprintf(command, sizeof(command), "rm -rf '%s'", lake);
    assert_int_equal(system(command), 0);
    deliver(6);
    finish();
    look();
    for (uint64_t seq = 1; seq <= 6; seq++)
        assert_int_equal(found.times[seq], seq > 3);
    assert_non_null(strstr(log_text, "moved or removed"));
}

static void a_moved_path_keeps_its_files_and_a_new_one_is_begun(void **state)
{
    (void)state;
    char aside[200];
    open_sink("");
    deliver(3);
    snprintf(aside, sizeof(aside), "%s.old", lake);
    assert_int_equal(rename(lake, aside), 0);
    deliver(6);
    finish();
    look();
    for (uint64_t seq = 1; seq <= 6; seq++)
        assert_int_equal(found.times[seq], seq > 3);
    snprintf(lake, sizeof(lake), "%.150s", aside);
    check_all(3, "what was moved is finished over there");
}

static void two_brokers_do_not_share_a_path(void **state)
{
    (void)state;
    open_sink("");
    deliver(1);
    void *first = sink;
    open_sink("");
    assert_int_equal(settle(), SLU_SINK_PAUSED);
    assert_int_equal(last_err.kind, SLU_EBUSY);
    assert_non_null(strstr(last_err.text, "another broker writes here"));
    close_sink();
    sink = first;
    deliver(2);
    finish();
    check_all(2, "one");
}

static void links_are_not_followed(void **state)
{
    (void)state;
    char path[600], target[128];
    snprintf(target, sizeof(target), "%s/elsewhere", root);
    open_sink("");
    settle();
    snprintf(path, sizeof(path), "%s/dt=2026-01-01", lake);
    assert_int_equal(mkdir(target, 0700), 0);
    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(turn(1, 1), SLU_SINK_PAUSED);
    assert_int_equal(rmdir(target), 0); /* nothing was put there */
}

static void a_path_that_cannot_be_made_pauses(void **state)
{
    (void)state;
    char path[96];
    snprintf(path, sizeof(path), "%s/srv", root);
    const int fd = open(path, O_CREAT | O_WRONLY, 0600); /* a file where a folder must be */
    close(fd);
    open_sink("");
    assert_int_equal(settle(), SLU_SINK_PAUSED);
    assert_non_null(strstr(last_err.text, lake));
    assert_int_equal(unlink(path), 0);
    deliver(3);
    finish();
    check_all(3, "made");
}

static void a_reset_gives_up_what_is_not_safe(void **state)
{
    (void)state;
    open_sink("");
    deliver(3);
    const struct slu_record records[] = {record_of(4), record_of(5)};
    assert_int_equal(ops->push(sink, records, 2, 0), 2);
    ops->reset(sink);
    assert_int_equal(ops->push(sink, records, 1, 0), 0);
    assert_int_equal(settle(), SLU_SINK_RESET);
    assert_int_equal(cursor->committed, 3);
    deliver(6);
    finish();
    check_all(6, "reset");
}

/* ---- retain --------------------------------------------------------------------------------------------------------- */

static void touch(const char *below_lake)
{
    char path[600];
    snprintf(path, sizeof(path), "%s/%s", lake, below_lake);
    const int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void retain_bounds_the_bytes_from_the_oldest_on(void **state)
{
    (void)state;
    open_sink("rotate: {size: 4KiB}, retain: {max_size: 20KiB}");
    deliver(200);
    finish();
    look();
    assert_true(found.n_files >= 3 && found.n_files <= 5);
    size_t n = 0;
    for (uint64_t seq = 1; seq <= 200; seq++) {
        assert_true(found.times[seq] >= found.times[seq - 1]); /* a tail */
        n += found.times[seq];
    }
    assert_true(n > 0 && n < 60);
}

static void retain_bounds_the_age_and_touches_nobody_elses(void **state)
{
    (void)state;
    static const char *const others[] = {
        "dt=2026-01-01/hour=00/notes.jsonl",
        "dt=2026-01-01/hour=00/archive-plant10-00000000000000000001-00000000000000000003.jsonl",
        "dt=2026-01-01/hour=00/archive-plant1-1-3.jsonl",
        "dt=2026-01-01/hour=00/archive-plant1-00000000000000000001-00000000000000000003.jsonl.bz2",
        "dt=2026-01-01/hour=00/xarchive-plant1-00000000000000000001-00000000000000000003.jsonl",
    };
    arrival = through_hours;
    wall_ns = MIDNIGHT + 2 * HOUR_NS - 1;
    open_sink("retain: {max_age: 1h}");
    deliver(20);
    for (size_t i = 0; i < COUNT(others); i++)
        touch(others[i]);
    deliver(40); /* ends the file of hour 00, which is not yet too old */
    assert_true(exists(
        "dt=2026-01-01/hour=00/archive-plant1-00000000000000000001-00000000000000000020.jsonl"));
    wall_ns += HOUR_NS;
    mono_ns += 61 * SLU_NS_PER_S;
    settle();
    assert_false(exists(
        "dt=2026-01-01/hour=00/archive-plant1-00000000000000000001-00000000000000000020.jsonl"));
    for (size_t i = 0; i < COUNT(others); i++)
        assert_true(exists(others[i]));
    assert_true(exists("dt=2026-01-01/hour=01"));
    wall_ns += 100 * HOUR_NS;
    mono_ns += 61 * SLU_NS_PER_S;
    settle();
    assert_false(exists("dt=2026-01-01/hour=01")); /* its only file was too old: the folder too */
}

/* ---- options --------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *options;
    size_t n_errors, n_warnings;
} checks[] = {
    {"", 0, 0},
    {"rotate: {size: 1MiB, age: 1m}, retain: {max_age: 30d, max_size: 1GiB}", 0, 0},
    {"rotate: {size: 1KiB}", 1, 0},
    {"rotate: {age: 10ms}", 1, 0},
    {"retain: {max_age: 1s}", 1, 0},
    {"retain: {max_size: 1B}", 1, 1},
    {"retain: {max_size: 1MiB}", 0, 1},
    {"format: avro, codec: zstandard", 0, 0},
    {"format: avro, compress: none", 0, 0},
    {"format: avro, compress: gzip", 1, 0},
    {"codec: deflate", 1, 0},
    {"schema: 'press:3', schema_document: {text: '\"long\"'}", 1, 0},
    {"format: avro, schema: 'press:3', schema_document: {text: '\"long\"'}", 0, 0},
    {"format: avro, schema: 'press:3', schema_document: {text: '[\"null\", \"long\"]'}", 0, 0},
    {"format: avro, schema: 'press:3', schema_document: {text: '{\"type\": \"fixed\", \"size\": 2, "
     "\"name\": \"sluice_record\"}'}",
     1, 0},
};

static void options_that_make_no_sense_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(checks); i++) {
        struct slu_problems problems;
        slu_problems_init(&problems);
        ops->check(section_of(checks[i].options), &problems);
        if (problems.n_errors != checks[i].n_errors || problems.n_warnings != checks[i].n_warnings)
            fail_msg("%s: %zu errors, %zu warnings", checks[i].options, problems.n_errors,
                     problems.n_warnings);
        slu_problems_fini(&problems);
    }
}

int main(void)
{
    cursor = mmap(NULL, sizeof(*cursor), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_open_until_it_is_finished),
        TEST(modes_do_not_depend_on_the_umask),
        TEST(the_first_answer_is_reset),
        TEST(instance_is_escaped_in_names),
        TEST(an_instance_too_long_for_names_is_refused),
        TEST(a_change_of_hour_ends_the_file_even_backwards),
        TEST(enough_bytes_end_it),
        TEST(enough_time_ends_it),
        TEST(a_reload_that_leaves_the_sink_ends_it),
        TEST(a_quiet_file_of_a_past_hour_is_ended),
        TEST(gzip_holds_the_same_lines),
        TEST(compressing_gives_way_to_the_clock),
        TEST(a_compression_that_was_stopped_is_done_at_the_next_start),
        TEST(a_removed_open_file_is_noticed),
        TEST(a_removed_path_is_made_again),
        TEST(a_moved_path_keeps_its_files_and_a_new_one_is_begun),
        TEST(two_brokers_do_not_share_a_path),
        TEST(links_are_not_followed),
        TEST(a_path_that_cannot_be_made_pauses),
        TEST(a_reset_gives_up_what_is_not_safe),
        TEST(retain_bounds_the_bytes_from_the_oldest_on),
        TEST(retain_bounds_the_age_and_touches_nobody_elses),
        TEST(options_that_make_no_sense_are_told),
    };
    return cursor != MAP_FAILED ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
