/* test_file_crash.c -- the file sink: each record is in exactly one place whatever fails and wherever it crashes. */
#include "tests/unit/file_help.h"

/* ---- crashes ----------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name, *options;
    bool halfway;
    bool cursor_is_lost; /* as after a power cut: the sink's own knowledge must do */
} crashes[] = {
    {"plain", "rotate: {size: 8KiB}", false, false},
    {"plain, in the middle of writes, no cursor", "rotate: {size: 8KiB}", true, true},
    {"gzip", "rotate: {size: 8KiB}, compress: gzip", true, false},
    {"gzip, no cursor", "rotate: {size: 8KiB}, compress: gzip", false, true},
    {"avro", "rotate: {size: 8KiB}, format: avro, codec: null", false, false},
    {"avro, in the middle of writes, no cursor", "format: avro, codec: null", true, true},
    {"avro, zstandard, no cursor", "rotate: {size: 4KiB}, format: avro, codec: zstandard", true,
     true},
};

/* Deliver 60 records through hours and sizes, and stop cleanly. */
static void live(const char *options)
{
    open_sink(options);
    deliver(60);
    finish();
    close_sink();
}

/* Live in a child that ends at its `at`-th call. False: it lived to the end. */
static bool live_until(const char *options, long at, bool halfway)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        calls_are_well();
        crash_at = at;
        crash_halfway = halfway;
        live(options);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == CRASHED);
    return WEXITSTATUS(status) == CRASHED;
}

static void a_crash_at_any_call_loses_and_doubles_nothing(void **state)
{
    for (size_t i = 0; i < COUNT(crashes); i++) {
        bool crashed = true;
        long at = 1;
        for (; crashed; at++) {
            char what[96];
            snprintf(what, sizeof(what), "%s, call %ld", crashes[i].name, at);
            tear_down(state);
            set_up(state);
            arrival = through_hours;
            cursor->committed = 0;
            crashed = live_until(crashes[i].options, at, crashes[i].halfway);
            if (crashed && at % 3 == 0) /* and once more during the recovery */
                live_until(crashes[i].options, 1 + at % 7, crashes[i].halfway);
            if (crashes[i].cursor_is_lost)
                cursor->committed = 0;
            live(crashes[i].options);
            check_all(60, what);
        }
        assert_true(at > 60); /* it was worth it */
        print_message("%s: %ld calls\n", crashes[i].name, at - 2);
    }
}

static void a_torn_line_is_cut(void **state)
{
    (void)state;
    open_sink("");
    deliver(3);
    close_sink();
    char path[600];
    snprintf(path, sizeof(path), "%s/%s", lake, OPEN_1);
    const int fd = open(path, O_WRONLY | O_APPEND);
    assert_true(fd >= 0 && __real_write(fd, "{\"v\":1,\"id\":", 12) == 12);
    close(fd);
    cursor->committed = 0;
    open_sink("");
    assert_int_equal(settle(), SLU_SINK_RESET);
    assert_int_equal(cursor->committed, 3);
    assert_true(exists(FILE_1_3));
    check_all(3, "torn");
}

static void what_stands_behind_damage_is_set_aside(void **state)
{
    (void)state;
    open_sink("");
    deliver(9);
    close_sink();
    char path[600];
    static const char hole[100];
    snprintf(path, sizeof(path), "%s/%s", lake, OPEN_1);
    const int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    assert_int_equal(__real_pwrite(fd, hole, sizeof(hole), status.st_size / 2), sizeof(hole));
    close(fd);

    cursor->committed = 0; /* nobody was told that the rest is safe: it comes again */
    open_sink("");
    deliver(9);
    finish();
    look();
    assert_int_equal(found.n_damaged, 1);
    for (uint64_t seq = 1; seq <= 9; seq++)
        assert_int_equal(found.times[seq], 1);
    assert_non_null(strstr(log_text, "is damaged from byte"));
}

static void an_open_file_is_found_without_the_state(void **state)
{
    (void)state;
    arrival = through_hours;
    open_sink("");
    deliver(30);
    close_sink();
    char path[600];
    snprintf(path, sizeof(path), "%s/.archive-plant1.state", lake);
    assert_int_equal(unlink(path), 0);
    cursor->committed = 25;
    live("");
    check_all(60, "no state");
}

static void a_damaged_state_is_no_state(void **state)
{
    (void)state;
    open_sink("");
    deliver(3);
    close_sink();
    char path[600];
    snprintf(path, sizeof(path), "%s/.archive-plant1.state", lake);
    const int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(__real_pwrite(fd, "X", 1, 40), 1);
    assert_int_equal(__real_pwrite(fd, "X", 1, 552), 1);
    close(fd);
    cursor->committed = 0;
    open_sink("");
    deliver(5);
    finish();
    check_all(5, "damaged state");
}

/* Both slots of the state file, changed, with a right sum. */
static void rewrite_state(void (*change)(char *slot))
{
    char path[600], slots[1024], sum[9];
    snprintf(path, sizeof(path), "%s/.archive-plant1.state", lake);
    const int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, slots, sizeof(slots), 0), sizeof(slots));
    for (size_t i = 0; i < 2; i++) {
        char *slot = slots + i * 512;
        change(slot);
        snprintf(sum, sizeof(sum), "%08x", slu_crc32c(0, slot, 503));
        memcpy(slot + 503, sum, 8);
    }
    assert_int_equal(__real_pwrite(fd, slots, sizeof(slots), 0), sizeof(slots));
    close(fd);
}

static void as_format_3(char *slot)
{
    memcpy(slot, "sluice-file 3 ", 14);
}

static void a_newer_state_is_left_alone(void **state)
{
    (void)state;
    open_sink("");
    deliver(3);
    close_sink();
    rewrite_state(as_format_3);
    open_sink("");
    assert_int_equal(settle(), SLU_SINK_PAUSED);
    assert_int_equal(last_err.kind, SLU_EVERSION);
}

/* What format 1 would have said in place of this state, which is of lines. */
static void as_format_1(char *slot)
{
    slot[12] = '1';
    memmove(slot + 89, slot + 110, 503 - 110);
    memset(slot + 503 - 21, ' ', 21);
}

static void a_state_of_format_1_is_read(void **state)
{
    (void)state;
    open_sink("");
    deliver(3);
    close_sink();
    rewrite_state(as_format_1);
    cursor->committed = 0;
    open_sink("");
    assert_int_equal(settle(), SLU_SINK_RESET);
    assert_int_equal(cursor->committed, 3);
    assert_true(exists(FILE_1_3));
}

/* ---- failing calls ------------------------------------------------------------------------------------------------ */

static const struct {
    const char *name, *options;
    int with;
    long n; /* so many calls in a row fail */
} failures[] = {
    {"ENOSPC once", "rotate: {size: 8KiB}", ENOSPC, 1},
    {"EIO once", "rotate: {size: 8KiB}", EIO, 1},
    {"EIO for a while", "rotate: {size: 8KiB}", EIO, 40},
    {"ENOSPC once, gzip", "rotate: {size: 8KiB}, compress: gzip", ENOSPC, 1},
    {"EDQUOT for a while, gzip", "rotate: {size: 8KiB}, compress: gzip", EDQUOT, 15},
    {"ENOSPC once, avro", "rotate: {size: 8KiB}, format: avro", ENOSPC, 1},
    {"EIO for a while, avro", "rotate: {size: 8KiB}, format: avro, codec: 'null'", EIO, 40},
};

static void a_call_that_fails_pauses_and_loses_nothing(void **state)
{
    for (size_t i = 0; i < COUNT(failures); i++) {
        long at = 1;
        for (bool reached = true; reached; at++) {
            char what[96];
            snprintf(what, sizeof(what), "%s, call %ld", failures[i].name, at);
            tear_down(state);
            set_up(state);
            arrival = through_hours;
            cursor->committed = pushed = 0;
            open_sink(failures[i].options);
            fail_from = at;
            fail_upto = at + failures[i].n - 1;
            fail_with = failures[i].with;
            deliver(60);
            reached = n_calls >= fail_from;
            calls_are_well();
            finish();
            close_sink();
            cursor->committed = 0; /* … and what it says of itself is true */
            open_sink(failures[i].options);
            deliver(61);
            finish();
            close_sink();
            check_all(61, what);
        }
        print_message("%s: %ld calls\n", failures[i].name, at - 2);
        assert_true(at > 40);
    }
}

static void a_full_disk_is_said_and_waited_for(void **state)
{
    (void)state;
    open_sink("");
    deliver(3);
    fail_from = n_calls + 1;
    fail_upto = 1000000;
    fail_with = ENOSPC;
    assert_int_equal(turn(9, 5), SLU_SINK_PAUSED);
    assert_int_equal(last_err.kind, SLU_EFULL);
    assert_non_null(strstr(last_err.text, "No space left on device"));
    assert_non_null(strstr(last_err.text, lake));
    assert_int_equal(cursor->committed, 3);
    calls_are_well();
    deliver(9);
    finish();
    check_all(9, "freed");
}

static void a_small_file_system_fills_up_and_is_freed(void **state)
{
    (void)state;
    char mount_point[96], filler[128];
    snprintf(mount_point, sizeof(mount_point), "%s/small", root);
    assert_int_equal(mkdir(mount_point, 0700), 0);
    if (mount("tmpfs", mount_point, "tmpfs", 0, "size=256k") != 0) {
        print_message("SKIP a_small_file_system_fills_up_and_is_freed: cannot mount a tmpfs: %s\n",
                      strerror(errno));
        skip();
    }
    snprintf(lake, sizeof(lake), "%s/lake", mount_point);
    snprintf(filler, sizeof(filler), "%s/filler", mount_point);
    open_sink("rotate: {size: 16KiB}");
    deliver(50);
    static const char junk[4096];
    const int fd = open(filler, O_CREAT | O_WRONLY, 0600);
    while (__real_write(fd, junk, sizeof(junk)) > 0) {
    }
    close(fd);
    enum slu_sink_answer answer = SLU_SINK_LIVE;
    for (int i = 0; i < 100 && answer != SLU_SINK_PAUSED; i++)
        answer = turn(300, 16);
    assert_int_equal(answer, SLU_SINK_PAUSED);
    assert_int_equal(last_err.kind, SLU_EFULL);
    for (int i = 0; i < 10; i++)
        assert_int_equal(settle(), SLU_SINK_PAUSED);
    assert_int_equal(unlink(filler), 0);
    deliver(300);
    finish();
    close_sink();
    check_all(300, "tmpfs");
    assert_int_equal(umount(mount_point), 0);
}

int main(void)
{
    cursor = mmap(NULL, sizeof(*cursor), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_crash_at_any_call_loses_and_doubles_nothing),
        TEST(a_torn_line_is_cut),
        TEST(what_stands_behind_damage_is_set_aside),
        TEST(an_open_file_is_found_without_the_state),
        TEST(a_damaged_state_is_no_state),
        TEST(a_newer_state_is_left_alone),
        TEST(a_state_of_format_1_is_read),
        TEST(a_call_that_fails_pauses_and_loses_nothing),
        TEST(a_full_disk_is_said_and_waited_for),
        TEST(a_small_file_system_fills_up_and_is_freed),
    };
    return cursor != MAP_FAILED ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
