/* test_dead_letter.c -- letters on disk: durable together, never twice, whole after a crash. */
#include "sinks/dead_letter.h"

#include "sinks/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char data_dir[64];
static uint8_t spool_id[16] = {7, 7, 7};

/* System calls of this file's subject that fail on wish. */
static int fail_pwrite_after, fail_fdatasync,
    fail_ftruncate; /* pwrite: that many succeed; -1 all */
ssize_t __real_pwrite(int fd, const void *bytes, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t n, off_t at);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __real_ftruncate(int fd, off_t n);
int __wrap_ftruncate(int fd, off_t n);

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    if (fail_pwrite_after == 0) {
        errno = ENOSPC;
        return -1;
    }
    if (fail_pwrite_after > 0) {
        fail_pwrite_after--;
        return __real_pwrite(fd, bytes, n < 10 ? n : 10, at); /* short */
    }
    return __real_pwrite(fd, bytes, n, at);
}

int __wrap_fdatasync(int fd)
{
    if (fail_fdatasync > 0) {
        fail_fdatasync--;
        errno = EIO;
        return -1;
    }
    return __real_fdatasync(fd);
}

int __wrap_ftruncate(int fd, off_t n)
{
    if (fail_ftruncate > 0) {
        fail_ftruncate--;
        errno = EIO;
        return -1;
    }
    return __real_ftruncate(fd, n);
}

static const char *name_of(const void *names, uint16_t number)
{
    (void)names;
    return number == 1 ? "p" : NULL;
}

static const struct slu_sink_env env = {.name = "hist",
                                        .instance = "i",
                                        .spool_id = spool_id,
                                        .policy_name = name_of,
                                        .schema_name = name_of};

static int make_dir(void **state)
{
    (void)state;
    snprintf(data_dir, sizeof(data_dir), "/tmp/slu-dead-XXXXXX");
    fail_pwrite_after = -1;
    fail_fdatasync = fail_ftruncate = 0;
    spool_id[0] = 7;
    return mkdtemp(data_dir) != NULL ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", data_dir);
    return system(command);
}

static struct slu_dead_letters *letters_behind(uint64_t committed)
{
    struct slu_err err = {0};
    struct slu_dead_letters *letters = slu_dead_letters_open(data_dir, &env, committed, &err);
    if (letters == NULL)
        fail_msg("%s", err.text);
    return letters;
}

static int add(struct slu_dead_letters *letters, uint64_t seq, struct slu_err *err)
{
    const struct slu_record record = {.seq = seq,
                                      .policy = 1,
                                      .kind = SLU_RECORD_MESSAGE,
                                      .format = SLU_RECORD_NUMBER,
                                      .topic = SLU_SLICE("t"),
                                      .payload = SLU_SLICE("5")};
    struct slu_sink_reject reject = {.seq = seq, .code = "pg.22P02", .message = "no"};
    return slu_dead_letters_add(letters, &record, &reject, 0, err);
}

static void add_and_sync(struct slu_dead_letters *letters, uint64_t seq)
{
    struct slu_err err = {0};
    if (add(letters, seq, &err) != 0 || slu_dead_letters_sync(letters, &err) != 0)
        fail_msg("%s", err.text);
}

static const char *path_of(uint64_t first_seq)
{
    static char path[160];
    snprintf(path, sizeof(path), "%s/dead/hist/%020" PRIu64 ".jsonl", data_dir, first_seq);
    return path;
}

static bool note_seq(void *context, const struct slu_line *line)
{
    char *seqs = context;
    char seq[24];
    snprintf(seq, sizeof(seq), line->is_sound ? "%" PRIu64 " " : "? ", line->seq);
    strcat(seqs, seq); /* short by the tests' making */
    return true;
}

/* "5 6 7 " of the file that begins with `first_seq`; a torn rest adds "…". */
static const char *seqs_in(uint64_t first_seq)
{
    static char seqs[1024];
    struct stat status;
    off_t end = 0;
    const int fd = open(path_of(first_seq), O_RDONLY);
    if (fd < 0)
        return "no file";
    seqs[0] = '\0';
    assert_int_equal(slu_lines_walk(fd, spool_id, note_seq, seqs, &end, NULL), 0);
    assert_int_equal(fstat(fd, &status), 0);
    close(fd);
    if (status.st_size > end)
        strcat(seqs, "…");
    return seqs;
}

static void append(uint64_t first_seq, const char *bytes, size_t n)
{
    const int fd = open(path_of(first_seq), O_WRONLY | O_APPEND);
    assert_true(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
    close(fd);
}

static void nothing_is_made_before_the_first(void **state)
{
    (void)state;
    struct slu_dead_letters *letters = letters_behind(0);
    assert_int_equal(slu_dead_letters_sync(letters, NULL), 0);
    slu_dead_letters_close(letters);
    char path[128];
    snprintf(path, sizeof(path), "%s/dead", data_dir);
    assert_int_equal(access(path, F_OK), -1);
}

static void one_file_is_named_by_its_first_and_appended_to(void **state)
{
    (void)state;
    struct slu_dead_letters *letters = letters_behind(0);
    add_and_sync(letters, 618);
    add_and_sync(letters, 700);
    slu_dead_letters_close(letters);
    letters = letters_behind(700);
    add_and_sync(letters, 801);
    slu_dead_letters_close(letters);
    assert_string_equal(seqs_in(618), "618 700 801 ");

    struct stat status;
    assert_int_equal(stat(path_of(618), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    char path[128];
    snprintf(path, sizeof(path), "%s/dead/hist", data_dir);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
}

static void a_letter_holds_the_record_and_the_reason(void **state)
{
    (void)state;
    struct slu_dead_letters *letters = letters_behind(0);
    add_and_sync(letters, 9);
    slu_dead_letters_close(letters);
    char text[1024] = "";
    const int fd = open(path_of(9), O_RDONLY);
    assert_true(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
    close(fd);
    assert_non_null(strstr(text, "\"policy\":\"p\""));
    assert_non_null(strstr(text,
                           "\"payload\":5,\"dead\":{\"sink\":\"hist\",\"code\":\"pg.22P02\","
                           "\"message\":\"no\",\"time\":\"1970-01-01T00:00:00.000000Z\"}}\n"));
}

static void what_lies_beyond_the_cursor_is_known_and_not_written_again(void **state)
{
    (void)state;
    struct slu_dead_letters *letters = letters_behind(0);
    add_and_sync(letters, 5);
    add_and_sync(letters, 7);
    add_and_sync(letters, 9);
    slu_dead_letters_close(letters);

    letters = letters_behind(5); /* the crash came before the cursor */
    assert_false(slu_dead_letters_has(letters, 5));
    assert_true(slu_dead_letters_has(letters, 7));
    assert_false(slu_dead_letters_has(letters, 8));
    assert_true(slu_dead_letters_has(letters, 9));
    assert_int_equal(slu_dead_letters_between(letters, 5, 8), 1);
    add_and_sync(letters, 7);
    add_and_sync(letters, 8);
    add_and_sync(letters, 9);
    add_and_sync(letters, 10);
    slu_dead_letters_close(letters);
    assert_string_equal(seqs_in(5), "5 7 9 8 10 ");
}

static void a_torn_line_is_cut(void **state)
{
    (void)state;
    struct slu_dead_letters *letters = letters_behind(0);
    add_and_sync(letters, 5);
    slu_dead_letters_close(letters);
    append(5, "{\"v\":1,\"id\":\"half", 17);
    assert_string_equal(seqs_in(5), "5 …");
    letters = letters_behind(0);
    add_and_sync(letters, 6);
    slu_dead_letters_close(letters);
    assert_string_equal(seqs_in(5), "5 6 ");
}

static void a_line_with_a_hole_stays_and_its_record_is_written(void **state)
{
    (void)state;
    struct slu_dead_letters *letters = letters_behind(0);
    add_and_sync(letters, 5);
    slu_dead_letters_close(letters);
    append(5, "\0\0\0}\n", 5);
    letters = letters_behind(5);
    add_and_sync(letters, 6);
    slu_dead_letters_close(letters);
    assert_string_equal(seqs_in(5), "5 ? ");
    assert_string_equal(seqs_in(6), "6 ");
}

static void an_older_spool_with_the_same_numbers_is_another_matter(void **state)
{
    (void)state;
    struct slu_dead_letters *letters = letters_behind(0);
    add_and_sync(letters, 1);
    add_and_sync(letters, 50);
    slu_dead_letters_close(letters);
    spool_id[0] = 8;
    letters = letters_behind(0);
    assert_false(slu_dead_letters_has(letters, 50));
    add_and_sync(letters, 1);
    add_and_sync(letters, 2);
    slu_dead_letters_close(letters);
    assert_string_equal(seqs_in(1), "1 50 1 2 ");
    letters = letters_behind(1);
    assert_true(slu_dead_letters_has(letters, 2));
    slu_dead_letters_close(letters);
}

static void a_full_disk_adds_nothing_and_can_be_tried_again(void **state)
{
    (void)state;
    struct slu_err err = {0};
    struct slu_dead_letters *letters = letters_behind(0);
    add_and_sync(letters, 5);
    fail_pwrite_after = 3;
    assert_int_equal(add(letters, 6, &err), 0);
    assert_int_equal(slu_dead_letters_sync(letters, &err), -1);
    assert_int_equal(err.kind, SLU_EFULL);
    assert_string_equal(seqs_in(5), "5 ");
    fail_pwrite_after = -1;
    add_and_sync(letters, 6);
    add_and_sync(letters, 7);
    slu_dead_letters_close(letters);
    assert_string_equal(seqs_in(5), "5 6 7 ");
}

static void a_sync_that_failed_is_not_trusted(void **state)
{
    (void)state;
    struct slu_dead_letters *letters = letters_behind(0);
    add_and_sync(letters, 5);
    for (int cuts = 0; cuts < 3; cuts++) {
        struct slu_err err = {0};
        assert_int_equal(add(letters, 6, &err), 0);
        fail_fdatasync = 1;
        fail_ftruncate = cuts; /* … nor is the cut afterwards */
        assert_int_equal(slu_dead_letters_sync(letters, &err), -1);
        while (fail_ftruncate > 0)
            assert_int_equal(add(letters, 6, &err), -1);
    }
    add_and_sync(letters, 6);
    slu_dead_letters_close(letters);
    assert_string_equal(seqs_in(5), "5 6 ");
}

static void a_full_file_is_followed_by_another(void **state)
{
    (void)state;
    struct slu_dead_letters *letters = letters_behind(0);
    add_and_sync(letters, 5);
    slu_dead_letters_close(letters);
    /* Grown to its ceiling by one long foreign line, which is cheap. */
    assert_int_equal(truncate(path_of(5), SLU_DEAD_LETTER_FILE_BYTES - 1), 0);
    append(5, "\n", 1);
    letters = letters_behind(5);
    add_and_sync(letters, 6);
    add_and_sync(letters, 7);
    slu_dead_letters_close(letters);
    assert_string_equal(seqs_in(6), "6 7 ");

    letters = letters_behind(7);
    add_and_sync(letters, 8);
    slu_dead_letters_close(letters);
    assert_string_equal(seqs_in(6), "6 7 8 ");
}

static void a_file_that_fills_up_is_closed(void **state)
{
    (void)state;
    struct slu_dead_letters *letters = letters_behind(0);
    add_and_sync(letters, 5);
    slu_dead_letters_close(letters);
    /* Front: a hole; end: a sound line, so that it is the file to append to. */
    char line[512];
    int fd = open(path_of(5), O_RDWR);
    const ssize_t n = read(fd, line, sizeof(line));
    assert_true(n > 0);
    assert_int_equal(pwrite(fd, "\n", 1, SLU_DEAD_LETTER_FILE_BYTES - n - 2), 1);
    assert_int_equal(pwrite(fd, line, (size_t)n, SLU_DEAD_LETTER_FILE_BYTES - n - 1), n);
    close(fd);
    letters = letters_behind(5);
    add_and_sync(letters, 6);
    add_and_sync(letters, 7);
    slu_dead_letters_close(letters);
    assert_string_equal(seqs_in(5), "5 ? 5 6 ");
    assert_string_equal(seqs_in(7), "7 ");
}

static void a_file_that_was_removed_does_not_swallow_letters(void **state)
{
    (void)state;
    struct slu_err err = {0};
    struct slu_dead_letters *letters = letters_behind(0);
    add_and_sync(letters, 5);
    assert_int_equal(unlink(path_of(5)), 0);
    assert_int_equal(add(letters, 6, &err), 0);
    assert_int_equal(slu_dead_letters_sync(letters, &err), -1);
    add_and_sync(letters, 6);
    slu_dead_letters_close(letters);
    assert_string_equal(seqs_in(6), "6 ");
}

static void a_link_in_the_files_place_is_refused(void **state)
{
    (void)state;
    char target[128];
    struct slu_err err = {0};
    struct slu_dead_letters *letters = letters_behind(0);
    add_and_sync(letters, 5);
    slu_dead_letters_close(letters);
    assert_int_equal(unlink(path_of(5)), 0);
    snprintf(target, sizeof(target), "%s/elsewhere", data_dir);
    assert_int_equal(symlink(target, path_of(5)), 0);
    letters = slu_dead_letters_open(data_dir, &env, 0, &err);
    assert_null(letters);
    assert_int_equal(access(target, F_OK), -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_made_before_the_first),
        TEST(one_file_is_named_by_its_first_and_appended_to),
        TEST(a_letter_holds_the_record_and_the_reason),
        TEST(what_lies_beyond_the_cursor_is_known_and_not_written_again),
        TEST(a_torn_line_is_cut),
        TEST(a_line_with_a_hole_stays_and_its_record_is_written),
        TEST(an_older_spool_with_the_same_numbers_is_another_matter),
        TEST(a_full_disk_adds_nothing_and_can_be_tried_again),
        TEST(a_sync_that_failed_is_not_trusted),
        TEST(a_full_file_is_followed_by_another),
        TEST(a_file_that_fills_up_is_closed),
        TEST(a_file_that_was_removed_does_not_swallow_letters),
        TEST(a_link_in_the_files_place_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
