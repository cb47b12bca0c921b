/* test_spool_threads.c -- owner, writer, two sinks, a loader and a watcher at once; run under
 * ThreadSanitizer. The books must hold in every answer, whenever it is asked. */
#include "tests/unit/spool_help.h"

#include <pthread.h>
#include <stdatomic.h>

#define TOTAL 60000u

static struct slu_spool *spool;
static _Atomic bool done;
static _Atomic uint64_t last_seq;

struct reading {
    const char *name;
    uint64_t modulo; /* gets numbers that this divides */
    uint64_t n;
};

static uint64_t number_of(const struct slu_record *record)
{
    char text[40] = {0};
    uint64_t number = 0;
    memcpy(text, record->payload.data, record->payload.len < 39 ? record->payload.len : 39);
    return sscanf(text, "{\"n\":%" SCNu64 "}", &number) == 1 ? number : 0;
}
static void *read_all(void *argument)
{
    struct reading *reading = argument;
    struct slu_record records[200];
    struct slu_spool_reader *reader = slu_spool_reader_open(spool, reading->name, NULL);
    uint64_t after = 0, expected = reading->modulo;

    while (reading->n < TOTAL / reading->modulo) {
        const int n = slu_spool_read(reader, after, records, 200, 30000, NULL);
        for (int i = 0; i < n; i++) {
            if (number_of(&records[i]) != expected)
                abort();
            expected += reading->modulo;
            after = records[i].seq;
            reading->n++;
        }
        if (n > 0 && slu_spool_commit(reader, after, n > 10 ? 1 : 0, NULL) != 0)
            abort();
        if (n <= 0)
            (void)slu_spool_wait(reader, after, help_in(50));
    }
    slu_spool_reader_close(reader);
    return NULL;
}

static void *watch(void *argument)
{
    size_t *answers = argument;
    while (!atomic_load(&done)) {
        struct slu_spool_sink_stats books[SLU_SINKS_MAX];
        struct slu_spool_stats stats;
        const size_t n = slu_spool_sink_stats(spool, books, SLU_SINKS_MAX);
        for (size_t i = 0; i < n; i++)
            if (!help_balanced(&books[i]))
                abort();
        slu_spool_stats(spool, &stats);
        if (stats.durable_seq > stats.head_seq)
            abort();
        (*answers)++;
    }
    return NULL;
}

static void *load(void *argument)
{
    (void)argument;
    for (int i = 0; i < 30; i++) {
        char name[24];
        snprintf(name, sizeof(name), "policy-%d", i);
        const uint16_t number = slu_spool_define_policy(spool, name);
        if (number == 0 || strcmp(slu_spool_policy_name(spool, number), name) != 0)
            abort();
        if (slu_spool_define_schema(spool, name, "json-schema", SLU_SLICE("{}")) == 0)
            abort();
        slu_spool_await_definitions(spool);
    }
    return NULL;
}

/* Not help_record(): its texts are static. */
static enum slu_append append_own(uint64_t n)
{
    char topic[64], client[32], payload[300];
    const int topic_len = snprintf(topic, sizeof(topic), "plant/a/oven/%" PRIu64, n % 97);
    const int client_len = snprintf(client, sizeof(client), "c%" PRIu64, n % 13);
    const int len = snprintf(payload, sizeof(payload), "{\"n\":%" PRIu64 "}", n);
    struct slu_record record = {.time_ns = 1 + (int64_t)n,
                                .event_ns = 1 + (int64_t)n,
                                .sinks = n % 3 == 0 ? 3 : 1,
                                .kind = 1,
                                .format = 1,
                                .quality = 192,
                                .qos = 1,
                                .topic = slu_slice(topic, (size_t)topic_len),
                                .client_id = slu_slice(client, (size_t)client_len),
                                .payload = slu_slice(payload, (size_t)len)};
    const enum slu_append answer = slu_spool_append(spool, &record);
    atomic_store(&last_seq, record.seq);
    return answer;
}

static void everybody_at_once(void **state)
{
    (void)state;
    struct help_dir dir;
    help_dir_make(&dir);
    struct slu_spool_options options = help_options(&dir);
    options.segment_bytes = 32 << 10;
    options.sync_interval_ns = SLU_NS_PER_MS;
    spool = help_open(&options);
    slu_spool_sink(spool, "a", "file", SLU_FULL_REFUSE, NULL);
    slu_spool_sink(spool, "b", "file", SLU_FULL_REFUSE, NULL);

    struct reading readings[2] = {{"a", 1, 0}, {"b", 3, 0}};
    size_t answers = 0;
    pthread_t threads[4];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_all, &readings[i]), 0);
    assert_int_equal(pthread_create(&threads[2], NULL, watch, &answers), 0);
    assert_int_equal(pthread_create(&threads[3], NULL, load, NULL), 0);
    for (uint64_t n = 1; n <= TOTAL; n++) {
        while (append_own(n) == SLU_APPEND_REFUSED)
            ;
        if (n % 10000 == 0) {
            options.sync = n % 20000 == 0 ? SLU_SYNC_INTERVAL : SLU_SYNC_OS;
            slu_spool_reconfigure(spool, &options);
        }
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    pthread_join(threads[3], NULL);
    atomic_store(&done, true);
    pthread_join(threads[2], NULL);

    assert_true(answers > 0);
    const struct slu_spool_sink_stats a = help_books(spool, "a"), b = help_books(spool, "b");
    assert_int_equal(a.delivered + a.dead_lettered, TOTAL);
    assert_int_equal(b.delivered + b.dead_lettered, TOTAL / 3);
    assert_int_equal(a.spooled + b.spooled, 0);
    help_close(spool);
    help_remove(dir.path);
}

/* A slow disk share with drop_oldest: the writer moves positions while the reader reads and commits. */
static void *read_slowly(void *argument)
{
    uint64_t *n = argument;
    struct slu_record records[50];
    struct slu_spool_reader *reader = slu_spool_reader_open(spool, "a", NULL);
    uint64_t after = 0;
    while (!atomic_load(&done) || after < atomic_load(&last_seq)) {
        const int got = slu_spool_read(reader, after, records, 50, 5000, NULL);
        for (int i = 0; i < got; i++) {
            if (records[i].seq <= after)
                abort();
            after = records[i].seq;
        }
        *n += got > 0 ? (uint64_t)got : 0;
        if (got > 0 && slu_spool_commit(reader, after, 0, NULL) != 0)
            abort();
        if (got <= 0)
            (void)slu_spool_wait(reader, after, help_in(20));
        else if (!atomic_load(&done))
            usleep(200);
    }
    slu_spool_reader_close(reader);
    return NULL;
}

static void drop_oldest_and_a_reader_share_the_books(void **state)
{
    (void)state;
    struct help_dir dir;
    help_dir_make(&dir);
    struct slu_spool_options options = help_options(&dir);
    options.segment_bytes = 16 << 10;
    options.max_size_bytes = 128 << 10;
    options.sync_interval_ns = SLU_NS_PER_MS;
    spool = help_open(&options);
    slu_spool_sink(spool, "a", "file", SLU_FULL_DROP_OLDEST, NULL);
    atomic_store(&done, false);
    uint64_t n_read = 0;
    pthread_t reader, watcher;
    size_t answers = 0;
    assert_int_equal(pthread_create(&reader, NULL, read_slowly, &n_read), 0);
    assert_int_equal(pthread_create(&watcher, NULL, watch, &answers), 0);
    uint64_t taken = 0;
    for (uint64_t n = 1; n <= TOTAL; n++)
        taken += append_own(n) != SLU_APPEND_REFUSED;
    while (append_own(1) != SLU_APPENDED) /* so that the last seq is one that comes */
        usleep(1000);
    taken++;
    atomic_store(&done, true);
    pthread_join(reader, NULL);
    pthread_join(watcher, NULL);
    const struct slu_spool_sink_stats books = help_books(spool, "a");
    assert_true(help_balanced(&books));
    assert_int_equal(books.routed, taken);
    assert_int_equal(books.spooled, 0);
    assert_true(books.discarded > 0);
    assert_true(books.delivered <= n_read);
    help_close(spool);
    help_remove(dir.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_at_once),
        cmocka_unit_test(drop_oldest_and_a_reader_share_the_books),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
