/* test_spool_open.c -- who may open a spool, whose it is, and what is seen of it from outside. */
#include "tests/unit/spool_read_help.h"

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

static void write_version(const char *path, bool with_crc)
{
    uint8_t prologue[SLU_PROLOGUE_BYTES];
    const int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, prologue, sizeof(prologue), 0), sizeof(prologue));
    slu_put_u32(prologue + 8, 2);
    if (with_crc)
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
        write_version(path, true);
        expect_refused(&dir, SLU_EVERSION, "version 2");
        help_copy_file(other, path);
        write_version(path, false);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_broker_is_refused_and_told_who_is_there),
        cmocka_unit_test(wrong_modes_links_and_newer_versions_are_refused_with_the_fix),
        cmocka_unit_test(a_copy_gets_a_new_id_and_keeps_the_backlog_under_the_old),
        cmocka_unit_test(a_view_of_a_live_spool_sees_everything_and_changes_nothing),
        cmocka_unit_test(a_view_beside_a_busy_writer_has_no_gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
