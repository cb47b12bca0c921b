/* test_spool_model.c -- the spool against a plain array, and against SIGKILL.
 *
 * The model: an array of numbers for each of two sinks, in order, and how far each is committed. Random
 * operations on both; after each commit, reopen and kill the two must agree.
 */
#include "tests/unit/spool_help.h"

#include "base/random.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define MODEL_MAX 40000u

struct model {
    uint64_t numbers[2][MODEL_MAX];
    size_t n[2], committed[2];
};

static struct model model;
static struct slu_spool *spool;
static struct slu_spool_reader *readers[2];
static struct slu_spool_options options;
static struct help_dir dir, copy;
static struct slu_random chance;
static uint64_t next_number;
static uint64_t delivered[2], at_start[2], routed[2];
static const char *const names[2] = {"left", "right"};

static void open_it(void)
{
    options = help_options(&dir);
    options.segment_bytes = 8 << 10;
    options.sync = slu_random_below(&chance, 4) == 0 ? SLU_SYNC_OS : SLU_SYNC_INTERVAL;
    options.sync_interval_ns = (int64_t)(1 + slu_random_below(&chance, 5)) * SLU_NS_PER_MS;
    spool = help_open(&options);
    for (int s = 0; s < 2; s++) {
        assert_int_equal(slu_spool_sink(spool, names[s], "file", SLU_FULL_REFUSE, NULL), s);
        readers[s] = slu_spool_reader_open(spool, names[s], NULL);
        assert_non_null(readers[s]);
        const struct slu_spool_sink_stats books = help_books(spool, names[s]);
        assert_int_equal(books.spooled_at_start, model.n[s] - model.committed[s]);
        at_start[s] = books.spooled_at_start;
        delivered[s] = routed[s] = 0;
    }
}

static void check_books(void)
{
    for (int s = 0; s < 2; s++) {
        const struct slu_spool_sink_stats books = help_books(spool, names[s]);
        assert_true(help_balanced(&books));
        assert_int_equal(books.spooled_at_start, at_start[s]);
        assert_int_equal(books.routed, routed[s]);
        assert_int_equal(books.delivered + books.dead_lettered, delivered[s]);
        assert_int_equal(books.spooled, model.n[s] - model.committed[s]);
    }
}

static void do_append(void)
{
    for (uint64_t i = 1 + slu_random_below(&chance, 200); i > 0; i--) {
        const uint64_t sinks = 1 + slu_random_below(&chance, 3);
        struct slu_record record = help_record(++next_number, sinks);
        record.qos = 1;
        assert_int_equal(slu_spool_append(spool, &record), SLU_APPENDED);
        for (int s = 0; s < 2; s++)
            if ((sinks >> s & 1) != 0) {
                model.numbers[s][model.n[s]++] = next_number;
                routed[s]++;
            }
    }
}

/* Read some behind the committed place (as after a RESET), commit a part of it. */
static void do_deliver(int s)
{
    static struct slu_record records[300];
    static uint64_t seqs[3000];
    uint64_t after = slu_spool_reader_committed(readers[s]);
    size_t got = 0;
    const size_t rounds = 1 + slu_random_below(&chance, 8);

    for (size_t round = 0; round < rounds; round++) {
        const int n = slu_spool_read(readers[s], after, records, 1 + slu_random_below(&chance, 300),
                                     slu_random_below(&chance, 50000), NULL);
        assert_true(n >= 0);
        for (int i = 0; i < n; i++) {
            assert_true(model.committed[s] + got < model.n[s]);
            assert_int_equal(help_number(&records[i]), model.numbers[s][model.committed[s] + got]);
            assert_true(records[i].seq > after);
            after = records[i].seq;
            seqs[got++] = after;
        }
        if (n == 0)
            (void)slu_spool_wait(readers[s], after, help_in(2));
    }
    if (got == 0)
        return;
    const size_t part = slu_random_below(&chance, got + 1);
    if (part == 0)
        return;
    assert_int_equal(
        slu_spool_commit(readers[s], seqs[part - 1], slu_random_below(&chance, 3), NULL), 0);
    model.committed[s] += part;
    delivered[s] += part;
}

static void do_reopen(void)
{
    for (int s = 0; s < 2; s++)
        slu_spool_reader_close(readers[s]);
    help_close(spool);
    open_it();
}

/* What a kill would leave is opened instead; the old one is closed and thrown away. */
static void do_kill(void)
{
    help_remove(copy.path);
    help_copy_dir(dir.path, copy.path);
    for (int s = 0; s < 2; s++)
        slu_spool_reader_close(readers[s]);
    help_close(spool);
    help_remove(dir.path);
    rename(copy.path, dir.path);
    open_it();
}

static void random_operations_agree_with_an_array(void **state)
{
    (void)state;
    const int runs = getenv("SLU_LONG") != NULL ? 100 : 6;
    for (int run = 0; run < runs; run++) {
        memset(&model, 0, sizeof(model));
        slu_random_seed(&chance, 1000 + (uint64_t)run);
        next_number = 0;
        help_dir_make(&dir);
        help_dir_make(&copy);
        open_it();
        for (int step = 0; step < 150; step++) {
            const uint64_t what = slu_random_below(&chance, 100);
            if (what < 45)
                do_append();
            else if (what < 92)
                do_deliver((int)(what & 1));
            else if (what < 96)
                do_reopen();
            else
                do_kill();
            check_books();
        }
        for (int s = 0; s < 2; s++)
            slu_spool_reader_close(readers[s]);
        help_close(spool);
        help_remove(dir.path);
        help_remove(copy.path);
    }
}

/* ---- SIGKILL ---------------------------------------------------------------------------------------- */

struct shared {
    _Atomic uint64_t appended; /* last number whose append returned */
    _Atomic uint64_t last_seq;
};

static void live(struct shared *shared, uint64_t from)
{
    struct slu_spool_options mine = help_options(&dir);
    struct slu_err err = {0};
    mine.segment_bytes = 256 << 10;
    struct slu_spool *own = slu_spool_open(&mine, &err);
    if (own == NULL || slu_spool_sink(own, "a", "file", SLU_FULL_DROP_NEWEST, &err) < 0)
        _exit(2);
    for (uint64_t n = from;; n++) {
        struct slu_record record = help_record(n, 1);
        record.qos = 1;
        while (slu_spool_append(own, &record) == SLU_APPEND_REFUSED)
            ;
        atomic_store(&shared->last_seq, record.seq);
        atomic_store(&shared->appended, n);
    }
}

static void no_kill_loses_what_was_appended(void **state)
{
    (void)state;
    const int kills = getenv("SLU_LONG") != NULL ? 400 : 20;
    struct shared *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    static uint8_t seen[1 << 24];
    const uint64_t max = sizeof(seen) - 1;
    uint64_t from = 1, last_seq = 0;

    assert_true(shared != MAP_FAILED);
    slu_random_seed(&chance, 99);
    help_dir_make(&dir);
    for (int i = 0; i < kills; i++) {
        const pid_t child = fork();
        if (child == 0)
            live(shared, from);
        const uint64_t before = atomic_load(&shared->appended);
        while (atomic_load(&shared->appended) == before)
            usleep(100);
        usleep((useconds_t)slu_random_below(&chance, 20000));
        kill(child, SIGKILL);
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));

        struct slu_spool_options mine = help_options(&dir);
        spool = help_open(&mine);
        assert_int_equal(slu_spool_sink(spool, "a", "file", SLU_FULL_DROP_NEWEST, NULL), 0);
        (void)help_deliver_all(spool, "a", seen, max);
        uint64_t end = atomic_load(&shared->appended);
        for (uint64_t n = from; n <= end; n++)
            assert_int_equal(seen[n], 1);
        assert_true(seen[end + 1] <= 1); /* one may have been finished and not told */
        assert_true(atomic_load(&shared->last_seq) > last_seq);
        last_seq = atomic_load(&shared->last_seq);
        from = end + 2;
        assert_true(from + 3000000 < max);
        help_close(spool);
    }
    munmap(shared, sizeof(*shared));
    help_remove(dir.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations_agree_with_an_array),
        cmocka_unit_test(no_kill_loses_what_was_appended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
