/* test_spool_damage.c -- every bit of a segment flipped, every length cut: damage is noticed, only what
 * it touched is lost, and the books say so. */
#include "tests/unit/spool_help.h"

#include "sinks/spool/bytes.h"
#include "sinks/spool/disk.h"
#include "sinks/spool/pack.h"
#include "sinks/spool/scan.h"
#include "sinks/spool/segment.h"

#define RECORDS 24u

static uint8_t original[1 << 16];
static size_t original_n;
static struct {
    size_t at, bytes;
} places[RECORDS + 1]; /* of record n in the file */

/* A spool of two sealed segments and an empty newest one is made once; segment 1 is then damaged. */
static void make(struct help_dir *dir, bool sealed)
{
    help_dir_make(dir);
    struct slu_spool_options options = help_options(dir);
    options.segment_bytes = sealed ? 2 << 10 : 1 << 16;
    struct slu_spool *spool = help_open(&options);
    slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
    slu_spool_define_policy(spool, "p");
    slu_spool_await_definitions(spool);
    struct slu_spool_reader *reader = slu_spool_reader_open(spool, "a", NULL);
    for (uint64_t n = 1; n <= RECORDS; n++) {
        uint64_t seq = 0;
        help_append(spool, n, 1, &seq);
        assert_true(slu_spool_wait(reader, seq - 1, help_in(5000)));
    }
    slu_spool_reader_close(reader);
    help_close(spool);
}

static void load(const struct help_dir *dir, char path[600])
{
    help_join(path, dir->path, "spool/00000000000000000001.seg");
    const int fd = open(path, O_RDONLY);
    original_n = (size_t)read(fd, original, sizeof(original));
    memset(places, 0, sizeof(places));
    struct slu_scan scan;
    struct slu_scan_item item;
    slu_scan_init(&scan, &slu_disk_real, 1 << 16);
    slu_scan_begin(&scan, fd, slu_pack_seed(original + 24), SLU_SEGMENT_HEADER_BYTES, original_n, 0,
                   SLU_SEQ_MAX);
    while (slu_scan_next(&scan, &item, false, NULL) > SLU_SCAN_END)
        if (item.kind == SLU_SCAN_RECORD) {
            places[item.record.seq].at = item.offset;
            places[item.record.seq].bytes = item.bytes;
        }
    slu_scan_fini(&scan);
    close(fd);
}

static void store(const char *path, const uint8_t *bytes, size_t n)
{
    const int fd = open(path, O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, bytes, n), n);
    close(fd);
}

/* The bit at `at` was flipped: does the walk lose the record it is in, and no other? */
static size_t lost_by_flip(const uint8_t *bytes, size_t n, const char *path,
                           bool whole[RECORDS + 1])
{
    struct slu_scan scan;
    struct slu_scan_item item;
    size_t damage = 0;
    const int fd = open(path, O_RDONLY);
    memset(whole, 0, RECORDS + 1);
    slu_scan_init(&scan, &slu_disk_real, 1 << 16);
    /* The seed comes from the unharmed header: recovery finds it by the id file (tested below). */
    slu_scan_begin(&scan, fd, slu_pack_seed(original + 24), SLU_SEGMENT_HEADER_BYTES, n, 0,
                   SLU_SEQ_MAX);
    while (slu_scan_next(&scan, &item, false, NULL) > SLU_SCAN_END) {
        if (item.kind == SLU_SCAN_RECORD) {
            assert_int_equal(help_number(&item.record), item.record.seq);
            whole[item.record.seq] = true;
        }
        damage += item.kind == SLU_SCAN_DAMAGE;
    }
    if (item.kind == SLU_SCAN_END && item.dirty_end > item.offset)
        damage++;
    slu_scan_fini(&scan);
    close(fd);
    (void)bytes;
    return damage;
}

static void every_flipped_bit_loses_the_record_it_is_in_and_no_other(void **state)
{
    (void)state;
    struct help_dir dir;
    char path[600];
    make(&dir, true);
    load(&dir, path);
    static uint8_t bytes[1 << 16];
    assert_true(original_n > 1000);

    for (size_t bit = SLU_SEGMENT_HEADER_BYTES * 8; bit < original_n * 8; bit++) {
        const size_t at = bit / 8;
        bool whole[RECORDS + 1];
        memcpy(bytes, original, original_n);
        bytes[at] ^= (uint8_t)(1u << bit % 8);
        const int fd = open(path, O_WRONLY);
        assert_int_equal(pwrite(fd, bytes + at, 1, (off_t)at), 1);
        const size_t damage = lost_by_flip(bytes, original_n, path, whole);
        assert_int_equal(damage, 1);
        for (size_t n = 1; n <= RECORDS; n++) {
            const bool hit = at >= places[n].at && at < places[n].at + places[n].bytes;
            assert_int_equal(whole[n], places[n].bytes > 0 && !hit);
        }
        assert_int_equal(pwrite(fd, original + at, 1, (off_t)at), 1);
        close(fd);
    }
    help_remove(dir.path);
}

static void quiet(void *context, const char *line)
{
    (void)line;
    (*(size_t *)context)++;
}

/* Through the whole spool, a flip every so often, header and footer included. */
static void a_damaged_segment_is_counted_exactly_by_the_books(void **state)
{
    (void)state;
    struct help_dir dir, copy;
    char path[600];
    make(&dir, true);
    load(&dir, path);
    const size_t stride = getenv("SLU_LONG") != NULL ? 3 : 61;

    for (size_t bit = 0; bit < original_n * 8; bit += stride) {
        uint8_t seen[RECORDS + 1] = {0};
        const size_t at = bit / 8;
        size_t lost = 0, lines = 0;
        help_dir_make(&copy);
        help_copy_dir(dir.path, copy.path);
        help_join(path, copy.path, "spool/00000000000000000001.seg");
        static uint8_t bytes[1 << 16];
        memcpy(bytes, original, original_n);
        bytes[at] ^= (uint8_t)(1u << bit % 8);
        store(path, bytes, original_n);
        for (size_t n = 1; n <= RECORDS; n++)
            lost += at >= places[n].at && at < places[n].at + places[n].bytes;

        struct slu_spool_view *view = slu_spool_view_open(copy.path, NULL);
        assert_true(slu_spool_view_verify(view, quiet, &lines) > 0);
        slu_spool_view_close(view);

        const struct slu_spool_options options = help_options(&copy);
        struct slu_spool *spool = help_open(&options);
        slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
        assert_int_equal(help_deliver_all(spool, "a", seen, RECORDS), RECORDS - lost);
        const struct slu_spool_sink_stats books = help_books(spool, "a");
        assert_true(help_balanced(&books));
        assert_int_equal(books.spooled, 0);
        assert_int_equal(books.delivered, RECORDS - lost);
        assert_int_equal(books.corrupt, lost);
        help_close(spool);
        help_remove(copy.path);
    }
    help_remove(dir.path);
}

static void every_truncation_keeps_what_is_before_it(void **state)
{
    (void)state;
    struct help_dir dir, copy;
    char path[600], other[600];
    make(&dir, false); /* one segment, unsealed: the newest */
    load(&dir, path);
    size_t end = 0;
    for (size_t n = 1; n <= RECORDS; n++)
        end = places[n].at + places[n].bytes;
    const size_t stride = getenv("SLU_LONG") != NULL ? 1 : 29;

    for (size_t cut = 0; cut <= end; cut += stride) {
        uint8_t seen[RECORDS + 1] = {0};
        size_t kept = 0;
        help_dir_make(&copy);
        help_copy_dir(dir.path, copy.path);
        help_join(path, copy.path, "spool/00000000000000000001.seg");
        help_join(other, copy.path, "spool/ring");
        store(path, original, cut);
        unlink(other); /* or the ring would bring all of it back */
        for (size_t n = 1; n <= RECORDS; n++)
            kept += places[n].at + places[n].bytes <= cut;
        const struct slu_spool_options options = help_options(&copy);
        struct slu_spool *spool = help_open(&options);
        slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
        assert_int_equal(help_deliver_all(spool, "a", seen, RECORDS), kept);
        for (size_t n = 1; n <= RECORDS; n++)
            assert_int_equal(seen[n], n <= kept);
        uint64_t seq = 0;
        assert_int_equal(help_append(spool, 1, 1, &seq), SLU_APPENDED);
        assert_true(seq > RECORDS);
        help_close(spool);

        /* Once more: what was cut off does not come back. */
        spool = help_open(&options);
        slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
        assert_int_equal(help_books(spool, "a").spooled_at_start, 1);
        help_close(spool);
        help_remove(copy.path);
    }
    help_remove(dir.path);
}

static void a_torn_tail_is_wiped_out(void **state)
{
    (void)state;
    struct help_dir dir;
    char path[600], garbage[5000];
    size_t lines = 0;
    make(&dir, false);
    load(&dir, path);
    memset(garbage, 'x', sizeof(garbage));
    const int fd = open(path, O_WRONLY);
    const off_t end = (off_t)(places[RECORDS].at + places[RECORDS].bytes);
    assert_int_equal(pwrite(fd, garbage, sizeof(garbage), end + 1000), sizeof(garbage));
    close(fd);
    const struct slu_spool_options options = help_options(&dir);
    for (int round = 0; round < 2; round++) {
        struct slu_spool_view *view = slu_spool_view_open(dir.path, NULL);
        assert_int_equal(slu_spool_view_verify(view, quiet, &lines), round == 0);
        slu_spool_view_close(view);
        struct slu_spool *spool = help_open(&options);
        slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
        assert_int_equal(help_books(spool, "a").spooled_at_start, RECORDS);
        help_close(spool);
    }
    help_remove(dir.path);
}

static void damaged_small_files_do_not_stop_the_spool(void **state)
{
    (void)state;
    static const char *const files[] = {"spool/id", "spool/ring", "spool/a.cursor"};
    static const uint8_t noise[1536] = {0x55, 0xaa, 3};
    struct help_dir dir;
    char path[600];

    for (size_t i = 0; i < 3; i++)
        for (int missing = 0; missing < 2; missing++) {
            uint8_t seen[RECORDS + 1] = {0};
            make(&dir, true);
            help_join(path, dir.path, files[i]);
            const int fd = open(path, O_WRONLY);
            assert_int_equal(pwrite(fd, noise, sizeof(noise), 0), sizeof(noise));
            close(fd);
            if (missing)
                unlink(path);
            struct slu_spool_options options = help_options(&dir);
            struct slu_spool *spool = help_open(&options);
            slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
            assert_int_equal(help_deliver_all(spool, "a", seen, RECORDS), RECORDS);
            uint64_t seq = 0;
            assert_int_equal(help_append(spool, 1, 1, &seq), SLU_APPENDED);
            assert_true(seq > RECORDS);
            help_close(spool);
            help_remove(dir.path);
        }
}

/* A record cut out of the middle while the reader is already there. */
static void damage_the_third_record(bool sealed)
{
    struct help_dir dir;
    char path[600];
    uint8_t seen[RECORDS + 1] = {0};
    make(&dir, sealed);
    load(&dir, path);
    const struct slu_spool_options options = help_options(&dir);
    struct slu_spool *spool = help_open(&options);
    slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
    const int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "xx", 2, (off_t)(places[3].at + 30)), 2);
    close(fd);
    assert_int_equal(help_deliver_all(spool, "a", seen, RECORDS), RECORDS - 1);
    assert_int_equal(seen[3], 0);
    struct slu_spool_stats stats;
    slu_spool_stats(spool, &stats);
    assert_int_equal(stats.corrupt_records, 1);
    assert_int_equal(stats.corrupt_bytes, places[3].bytes);
    assert_int_equal(help_books(spool, "a").corrupt, 1);
    help_close(spool);
    help_remove(dir.path);
}

static void damage_that_comes_later_is_found_by_the_reader(void **state)
{
    (void)state;
    damage_the_third_record(true);
    damage_the_third_record(false); /* in the segment that still grows */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flipped_bit_loses_the_record_it_is_in_and_no_other),
        cmocka_unit_test(a_damaged_segment_is_counted_exactly_by_the_books),
        cmocka_unit_test(every_truncation_keeps_what_is_before_it),
        cmocka_unit_test(a_torn_tail_is_wiped_out),
        cmocka_unit_test(damaged_small_files_do_not_stop_the_spool),
        cmocka_unit_test(damage_that_comes_later_is_found_by_the_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
