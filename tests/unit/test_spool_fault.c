/* test_spool_fault.c -- the spool on a disk that fails: every system call, every way, once and for
 * ever; and the picture a power cut leaves, at every step.
 *
 * The law: what was appended is delivered, once, in order, when the disk works again; what was durable
 * is there after a power cut; nothing that was not appended ever appears.
 */
#include "tests/fault/fault_disk.h"
#include "tests/unit/spool_help.h"

#include "base/random.h"
#include "sinks/spool/files.h"

#define RECORDS 400u

static const struct {
    enum fault_call call;
    const char *name;
} calls[] = {
    {FAULT_OPENAT, "openat"},       {FAULT_CLOSE, "close"},         {FAULT_PREAD, "pread"},
    {FAULT_PWRITE, "pwrite"},       {FAULT_FDATASYNC, "fdatasync"}, {FAULT_FSYNC, "fsync"},
    {FAULT_FALLOCATE, "fallocate"}, {FAULT_FTRUNCATE, "ftruncate"}, {FAULT_FSTAT, "fstat"},
    {FAULT_FSTATVFS, "fstatvfs"},   {FAULT_FSTATFS, "fstatfs"},     {FAULT_MKDIRAT, "mkdirat"},
    {FAULT_RENAMEAT, "renameat"},   {FAULT_UNLINKAT, "unlinkat"},   {FAULT_FLOCK, "flock"},
    {FAULT_MMAP, "mmap"},           {FAULT_MUNMAP, "munmap"},       {FAULT_MLOCK, "mlock"},
};

static const struct {
    int error;
    const char *name;
} errors[] = {
    {EIO, "EIO"},       {ENOSPC, "ENOSPC"}, {EDQUOT, "EDQUOT"},
    {EMFILE, "EMFILE"}, {EINTR, "EINTR"},   {FAULT_SHORT, "short"},
};

static struct slu_spool_options small_options(const struct help_dir *dir)
{
    struct slu_spool_options options = help_options(dir);
    options.segment_bytes = 16 << 10;
    options.sync_interval_ns = SLU_NS_PER_MS;
    options.disk = &fault_disk;
    return options;
}

/* Append some, QoS 1; those that were taken are marked. */
static void append_some(struct slu_spool *spool, uint64_t from, uint64_t to, uint8_t *taken,
                        uint64_t *last)
{
    for (uint64_t n = from; n <= to; n++) {
        struct slu_record record = help_record(n, 1);
        record.qos = (uint8_t)(n % 3 == 0 ? 0 : n % 3);
        if (slu_spool_append(spool, &record) != SLU_APPENDED)
            continue;
        taken[n] = 1;
        *last = record.seq;
    }
}

/* One life under one fault. `during`: the fault comes when the spool is open; else before. */
static void one_fault(size_t call, size_t error, int64_t from, bool forever, bool during)
{
    uint8_t taken[RECORDS + 1] = {0}, seen[RECORDS + 1] = {0};
    struct help_dir dir;
    struct slu_err err = {0};
    uint64_t last = 0;

    fault_reset();
    help_dir_make(&dir);
    struct slu_spool_options options = small_options(&dir);
    if (!during)
        fault_set(calls[call].call, errors[error].error, from, forever);
    struct slu_spool *spool = slu_spool_open(&options, &err);
    if (spool == NULL) {
        assert_true(fault.hits > 0);
        assert_int_not_equal(err.kind, SLU_OK);
        fault_set(FAULT_CALLS, 0, 0, false);
        spool = help_open(&options);
    }
    if (slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, &err) < 0) {
        fault_set(FAULT_CALLS, 0, 0, false); /* without a cursor there is no sink to append for */
        assert_true(slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL) >= 0);
    }
    append_some(spool, 1, RECORDS / 4, taken, &last);
    if (during)
        fault_set(calls[call].call, errors[error].error, from, forever);
    append_some(spool, RECORDS / 4 + 1, RECORDS / 2, taken, &last);
    usleep(3000); /* let it meet the fault; nothing depends on it */
    append_some(spool, RECORDS / 2 + 1, RECORDS, taken, &last);
    usleep(3000);
    struct slu_spool_reader *reader = slu_spool_reader_open(spool, "a", NULL);
    struct slu_record record;
    if (reader != NULL) {
        const int n = slu_spool_read(reader, 0, &record, 1, 1 << 16, &err);
        assert_true(n >= -1 && n <= 1);
        slu_spool_reader_close(reader);
    }
    fault_set(FAULT_CALLS, 0, 0, false); /* the disk is well again */
    assert_true(slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL) >= 0);
    help_deliver(spool, "a", last, seen, RECORDS);
    const struct slu_spool_sink_stats books = help_books(spool, "a");
    assert_true(help_balanced(&books));
    for (uint64_t n = 1; n <= RECORDS; n++)
        if (seen[n] != taken[n])
            print_message("%s %s from %d %s: record %d taken %d seen %d\n", calls[call].name,
                          errors[error].name, (int)from, forever ? "for ever" : "once", (int)n,
                          taken[n], seen[n]);
    assert_memory_equal(taken, seen, sizeof(taken));
    assert_int_equal(books.spooled, 0);
    help_close(spool);

    options.disk = NULL;
    spool = help_open(&options);
    assert_int_equal(help_books(spool, "a").spooled, 0);
    help_close(spool);
    help_remove(dir.path);
}

static void every_call_fails_every_way_and_nothing_taken_is_lost(void **state)
{
    (void)state;
    const int64_t places[] = {0, 1, 2, 3, 5, 8, 13, 21};
    const size_t n_places = getenv("SLU_LONG") != NULL ? 8 : 2;

    for (size_t call = 0; call < sizeof(calls) / sizeof(calls[0]); call++)
        for (size_t error = 0; error < sizeof(errors) / sizeof(errors[0]); error++)
            for (size_t place = 0; place < n_places; place++)
                for (int how = 0; how < 4; how++)
                    one_fault(call, error, places[place * (n_places == 2 ? 3 : 1)], (how & 1) != 0,
                              (how & 2) != 0);
}

/* Is `always` honest when the disk is not? */
static void always_refuses_what_did_not_become_durable(void **state)
{
    (void)state;
    struct help_dir dir;
    fault_reset();
    help_dir_make(&dir);
    struct slu_spool_options options = small_options(&dir);
    options.sync = SLU_SYNC_ALWAYS;
    struct slu_spool *spool = help_open(&options);
    slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
    struct slu_record record = help_record(1, 1);
    record.qos = 1;
    assert_int_equal(slu_spool_append(spool, &record), SLU_APPENDED);
    fault_set(FAULT_FDATASYNC, EIO, 0, true);
    assert_int_equal(slu_spool_append(spool, &record), SLU_APPEND_REFUSED);
    const int64_t began = slu_clock_mono_ns();
    for (int i = 0; i < 100; i++) /* and does not wait 2 s for each */
        assert_int_equal(slu_spool_append(spool, &record), SLU_APPEND_REFUSED);
    assert_true(slu_clock_mono_ns() - began < 100 * SLU_NS_PER_S); /* that would be 200 s */
    struct slu_spool_stats stats;
    slu_spool_stats(spool, &stats);
    assert_true(stats.failing && stats.sync_failures > 0);
    assert_non_null(strstr(stats.last_error, strerror(EIO)));
    fault_set(FAULT_CALLS, 0, 0, false);
    const int64_t deadline = help_in(10000);
    while (slu_spool_append(spool, &record) != SLU_APPENDED)
        assert_true(slu_clock_mono_ns() < deadline);
    help_close(spool);
    help_remove(dir.path);
}

/* A file whose fdatasync failed is never synced again. */
static void a_file_that_failed_to_sync_is_not_trusted_again(void **state)
{
    (void)state;
    struct help_dir dir;
    uint8_t seen[RECORDS + 1] = {0}, taken[RECORDS + 1] = {0};
    uint64_t last = 0;
    fault_reset();
    help_dir_make(&dir);
    struct slu_spool_options options = small_options(&dir);
    struct slu_spool *spool = help_open(&options);
    slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
    append_some(spool, 1, 20, taken, &last);
    help_deliver(spool, "a", last, seen, RECORDS);
    char path[600];
    help_join(path, dir.path, "spool/00000000000000000001.seg");
    fault_set(FAULT_FDATASYNC, EIO, 0, false);
    append_some(spool, 21, 30, taken, &last);
    help_deliver(spool, "a", last, seen, RECORDS);
    assert_memory_equal(taken, seen, sizeof(taken));
    struct slu_spool_stats stats;
    slu_spool_stats(spool, &stats);
    assert_int_equal(stats.sync_failures, 1);
    help_join(path, dir.path, "spool/00000000000000000021.seg");
    assert_int_equal(access(path, F_OK), 0); /* what was not durable went to a new file */
    help_close(spool);
    help_remove(dir.path);
}

static struct slu_spool_stats stats_of(struct slu_spool *spool)
{
    struct slu_spool_stats stats;
    slu_spool_stats(spool, &stats);
    return stats;
}

/* ---- power cut ------------------------------------------------------------------------------------- */

static struct slu_random chance;
static unsigned keep_of_8, ring_of_8;

static bool keep_some(void)
{
    return slu_random_below(&chance, 8) < keep_of_8;
}

static bool ring_some(void)
{
    return slu_random_below(&chance, 8) < ring_of_8;
}

static struct {
    const char *from;
    struct help_dir to;
    int64_t countdown;                      /* changes of the disk until the cut; below 0: done */
    _Atomic uint64_t acknowledged, durable; /* number of the last record */
    uint64_t must_be_there;
    bool always;
} cut;

/* Forty syncs fail, one after another. Each costs a segment; what was taken ahead for it is given back, so
 * that max_size is not filled with nothing and no sink loses its oldest records for that. Each record has
 * a new topic: either it or its definition is what is synced first. */
static void segments_that_were_abandoned_take_no_more_room_than_their_records(void **state)
{
    struct help_dir dir;
    (void)state;

    fault_reset();
    help_dir_make(&dir);
    struct slu_spool_options options = small_options(&dir);
    options.segment_bytes = 1 << 16;
    options.max_size_bytes = 16 << 16;
    struct slu_spool *spool = help_open(&options);
    assert_true(slu_spool_sink(spool, "a", "file", SLU_FULL_DROP_OLDEST, NULL) >= 0);
    struct slu_record first = help_record(1, 1);
    assert_int_equal(slu_spool_append(spool, &first), SLU_APPENDED);
    assert_true(slu_spool_flush(spool, help_in(10000))); /* its segment has begun */
    for (uint64_t n = 2; n <= 41; n++) {
        const uint64_t before = stats_of(spool).sync_failures;
        fault_set(FAULT_FDATASYNC, ENOSPC, 0, false);
        struct slu_record record = help_record(n, 1);
        assert_int_equal(slu_spool_append(spool, &record), SLU_APPENDED);
        assert_true(slu_spool_flush(spool, help_in(10000)));
        assert_int_equal(stats_of(spool).sync_failures, before + 1);
    }
    fault_set(FAULT_CALLS, 0, 0, false);
    assert_true(stats_of(spool).bytes < 8 << 16);
    const struct slu_spool_sink_stats books = help_books(spool, "a");
    assert_int_equal(books.discarded, 0);
    assert_int_equal(books.spooled, 41);
    help_close(spool);
    help_remove(dir.path);
}

static void cut_now(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    if (cut.countdown-- == 0) {
        cut.must_be_there = atomic_load(cut.always ? &cut.acknowledged : &cut.durable);
        fault_picture(cut.from, cut.to.path, keep_some, ring_some);
    }
    pthread_mutex_unlock(&lock);
}

/* Live until the cut and a little longer; then open what is left. */
static void one_cut(int64_t step, enum slu_spool_sync sync)
{
    uint8_t seen[RECORDS + 1] = {0};
    struct help_dir dir;

    fault_reset();
    help_dir_make(&dir);
    help_dir_make(&cut.to);
    cut.from = dir.path;
    cut.countdown = step;
    cut.always = sync == SLU_SYNC_ALWAYS;
    cut.must_be_there = 0;
    atomic_store(&cut.acknowledged, 0);
    atomic_store(&cut.durable, 0);
    fault.remember = true;
    struct slu_spool_options options = small_options(&dir);
    options.sync = sync;
    options.segment_bytes = 4 << 10;
    fault.before_change = cut_now;
    struct slu_spool *spool = help_open(&options);
    slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
    slu_spool_define_policy(spool, "p");
    slu_spool_await_definitions(spool);
    uint64_t n = 0;
    while (n < 100) {
        struct slu_record record = help_record(n + 1, 1);
        record.qos = 1;
        if (slu_spool_append(spool, &record) != SLU_APPENDED)
            continue;
        atomic_store(&cut.acknowledged, ++n);
        struct slu_spool_stats stats;
        slu_spool_stats(spool, &stats);
        atomic_store(&cut.durable, stats.durable_seq); /* a first run: seq = number */
        if (n % 25 == 0)
            usleep(1500); /* so that there are several syncs */
    }
    help_close(spool);
    fault_reset();

    struct slu_spool_options after = help_options(&cut.to);
    spool = help_open(&after); /* it always starts */
    slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
    const uint64_t at_start = help_books(spool, "a").spooled_at_start;
    const uint64_t total = help_deliver_all(spool, "a", seen, RECORDS);
    if (step >= 0 && cut.countdown < 0 && cut.must_be_there > 0) {
        /* A sink made before the cut has its cursor before the first record. */
        for (uint64_t i = 1; i <= cut.must_be_there; i++)
            assert_int_equal(seen[i], 1);
    }
    assert_int_equal(total, at_start);
    for (uint64_t i = 1; i <= RECORDS; i++)
        assert_true(seen[i] <= 1);

    /* And it goes on, with numbers that were never given. */
    uint64_t seq = 0;
    assert_int_equal(help_append(spool, 1, 1, &seq), SLU_APPENDED);
    assert_true(total == 0 || seq > total);
    help_close(spool);
    help_remove(dir.path);
    help_remove(cut.to.path);
}

static void names_are_many_and_the_wait_for_them_is_one(void **state)
{
    (void)state;
    struct help_dir dir;

    fault_reset();
    help_dir_make(&dir);
    struct slu_spool_options options = small_options(&dir);
    options.sync_interval_ns = 100 * SLU_NS_PER_S; /* nothing is due but what is waited for */
    struct slu_spool *spool = help_open(&options);
    fault_set(FAULT_CALLS, 0, 0, false);
    for (int i = 0; i < 1000; i++) {
        char name[24];
        snprintf(name, sizeof(name), "policy-%d", i);
        assert_int_equal(slu_spool_define_policy(spool, name), i + 1);
    }
    slu_spool_await_definitions(spool);
    pthread_mutex_lock(&fault.lock);
    const int64_t syncs = fault.seen[FAULT_FDATASYNC] + fault.seen[FAULT_FSYNC];
    pthread_mutex_unlock(&fault.lock);
    assert_in_range(syncs, 1, 100);
    help_close(spool);
    options.disk = NULL;
    spool = help_open(&options);
    assert_string_equal(slu_spool_policy_name(spool, 1000), "policy-999");
    assert_int_equal(slu_spool_define_policy(spool, "policy-500"), 501);
    help_close(spool);
    help_remove(dir.path);
}

static void a_power_cut_at_any_step_loses_nothing_that_was_durable(void **state)
{
    (void)state;
    const int64_t steps = 60, stride = getenv("SLU_LONG") != NULL ? 1 : 4;
    slu_random_seed(&chance, 4711);
    for (int mode = 0; mode < 2; mode++)
        for (int64_t step = 2; step < steps; step += stride)
            for (unsigned mix = 0; mix < 3; mix++) {
                keep_of_8 = mix == 0 ? 0 : mix == 1 ? 4 : 8;
                ring_of_8 = mix == 0 ? 0 : mix == 1 ? 5 : 8;
                one_cut(step, mode == 0 ? SLU_SYNC_INTERVAL : SLU_SYNC_ALWAYS);
            }
}

/* The picture made by hand: an unsynced chunk missing, a later one whole; a ring older than the
 * segments; a reservation ahead. */
static void a_missing_chunk_with_a_whole_one_behind_it_is_damage_and_not_an_end(void **state)
{
    (void)state;
    struct help_dir dir;
    uint8_t seen[RECORDS + 1] = {0};
    char path[600], ring[600];
    uint64_t seqs[101];
    fault_reset();
    help_dir_make(&dir);
    struct slu_spool_options options = help_options(&dir);
    struct slu_spool *spool = help_open(&options);
    slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
    help_join(ring, dir.path, "spool/ring");
    help_join(path, dir.path, "old-ring");
    for (uint64_t n = 1; n <= 20; n++)
        help_append(spool, n, 1, &seqs[n]);
    help_copy_file(ring, path); /* as of record 20 */
    for (uint64_t n = 21; n <= 100; n++)
        help_append(spool, n, 1, &seqs[n]);
    help_close(spool);

    /* Cut the clean stop away: the id as of the start says "reserved up to 2^20". */
    help_copy_file(path, ring);
    help_join(path, dir.path, "spool/00000000000000000001.seg");
    const int fd = open(path, O_RDWR);
    static uint8_t file[1 << 16];
    const ssize_t n_file = pread(fd, file, sizeof(file), 0);
    size_t first = 0, last = 0;
    char mark[24];
    for (size_t i = 0; i + 12 < (size_t)n_file; i++) { /* records 40 … 59 become zeros */
        snprintf(mark, sizeof(mark), "{\"n\":%d,", 40);
        if (first == 0 && memcmp(file + i, mark, strlen(mark)) == 0)
            first = i - 17 - 40 - 8;
        snprintf(mark, sizeof(mark), "{\"n\":%d,", 60);
        if (last == 0 && memcmp(file + i, mark, strlen(mark)) == 0)
            last = i - 17 - 40 - 8;
    }
    assert_true(first > 0 && last > first);
    memset(file, 0, sizeof(file));
    assert_int_equal(pwrite(fd, file, last - first, (off_t)first), (ssize_t)(last - first));
    close(fd);

    spool = help_open(&options);
    slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
    struct slu_spool_stats stats;
    slu_spool_stats(spool, &stats);
    const uint64_t total = help_deliver_all(spool, "a", seen, RECORDS);
    assert_true(stats.corrupt_records >= 20 && stats.corrupt_records <= 22);
    assert_int_equal(total, 100 - stats.corrupt_records);
    for (uint64_t n = 1; n < 39; n++)
        assert_int_equal(seen[n], 1);
    for (uint64_t n = 61; n <= 100; n++)
        assert_int_equal(seen[n], 1);
    help_close(spool);
    help_remove(dir.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_fails_every_way_and_nothing_taken_is_lost),
        cmocka_unit_test(always_refuses_what_did_not_become_durable),
        cmocka_unit_test(a_file_that_failed_to_sync_is_not_trusted_again),
        cmocka_unit_test(segments_that_were_abandoned_take_no_more_room_than_their_records),
        cmocka_unit_test(names_are_many_and_the_wait_for_them_is_one),
        cmocka_unit_test(a_power_cut_at_any_step_loses_nothing_that_was_durable),
        cmocka_unit_test(a_missing_chunk_with_a_whole_one_behind_it_is_damage_and_not_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
