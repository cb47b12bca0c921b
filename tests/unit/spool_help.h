/* spool_help.h -- what the tests of the spool share: a folder of their own, records that can be
 * recognised, the picture that a kill leaves. */
#ifndef SLU_TESTS_UNIT_SPOOL_HELP_H
#define SLU_TESTS_UNIT_SPOOL_HELP_H

#include "base/clock.h"
#include "sinks/spool/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct help_dir {
    char path[128];
};

static inline void help_dir_make(struct help_dir *dir)
{
    const char *base = getenv("TMPDIR");
    if (base == NULL) /* memory is fast, and a kill or a cut is a picture here anyway */
        base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(dir->path, sizeof(dir->path), "%.100s/slu-spool-XXXXXX", base);
    assert_non_null(mkdtemp(dir->path));
}

static inline int help_remove_one(const char *path, const struct stat *status, int kind,
                                  struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

static inline void help_remove(const char *path)
{
    (void)nftw(path, help_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void help_join(char out[600], const char *folder, const char *name)
{
    const int n = snprintf(out, 600, "%.300s/%.290s", folder, name);
    assert_true(n > 0 && n < 600);
}

/* A file that vanishes meanwhile (a segment delivered or renamed) is left out, as a kill would. */
static inline void help_copy_file(const char *from, const char *to)
{
    static char piece[1 << 16];
    const int in = open(from, O_RDONLY);
    if (in < 0 && errno == ENOENT)
        return;
    const int out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ssize_t got;
    assert_true(in >= 0 && out >= 0);
    while ((got = read(in, piece, sizeof(piece))) > 0)
        assert_int_equal(write(out, piece, (size_t)got), got);
    close(in);
    close(out);
}

/* Everything in a data_dir as it is now: what the next process would find after kill -9. */
static inline void help_copy_dir(const char *from, const char *to)
{
    char a[600], b[600];
    const struct dirent *entry;
    DIR *folder = opendir(from);
    assert_non_null(folder);
    mkdir(to, 0700);
    while ((entry = readdir(folder)) != NULL) {
        struct stat status;
        if (entry->d_name[0] == '.')
            continue;
        help_join(a, from, entry->d_name);
        help_join(b, to, entry->d_name);
        if (stat(a, &status) != 0)
            continue;
        if (S_ISDIR(status.st_mode))
            help_copy_dir(a, b);
        else
            help_copy_file(a, b);
    }
    closedir(folder);
}

static inline struct slu_spool_options help_options(const struct help_dir *dir)
{
    return (struct slu_spool_options){.data_dir = dir->path,
                                      .sync = SLU_SYNC_INTERVAL,
                                      .sync_interval_ns = 5 * SLU_NS_PER_MS,
                                      .max_size_bytes = 1 << 30,
                                      .segment_bytes = 1 << 16};
}

static inline struct slu_spool *help_open(const struct slu_spool_options *options)
{
    struct slu_err err = {0};
    struct slu_spool *spool = slu_spool_open(options, &err);
    if (spool == NULL)
        print_message("open: %s\n", err.text);
    assert_non_null(spool);
    return spool;
}

static inline int64_t help_in(int64_t ms)
{
    return slu_clock_mono_ns() + ms * SLU_NS_PER_MS;
}

static inline void help_close(struct slu_spool *spool)
{
    slu_spool_close(spool, help_in(10000));
}

/* Record number `n`: every field follows from it. Texts live until the next call. */
static inline struct slu_record help_record(uint64_t n, uint64_t sinks)
{
    static char topic[64], client[32], payload[600];
    const int topic_len = snprintf(topic, sizeof(topic), "plant/a/oven/%" PRIu64, n % 97);
    const int client_len = snprintf(client, sizeof(client), "c%" PRIu64, n % 13);
    int len = snprintf(payload, sizeof(payload), "{\"n\":%" PRIu64 ",\"pad\":\"", n);
    for (uint64_t i = 0; i < n % 251; i++)
        payload[len++] = (char)('a' + (n + i) % 26);
    len += snprintf(payload + len, 8, "\"}");
    return (struct slu_record){.time_ns = 1000000000 + (int64_t)n,
                               .event_ns = n % 3 == 0 ? 5 + (int64_t)n : 1000000000 + (int64_t)n,
                               .sinks = sinks,
                               .policy = (uint16_t)(n % 7),
                               .schema = (uint16_t)(n % 5),
                               .kind = (uint8_t)(1 + n % 3),
                               .format = (uint8_t)(1 + n % 7),
                               .framing = (uint8_t)(n % 4),
                               .quality = n % 2 ? 192 : 64,
                               .qos = (uint8_t)(n % 3),
                               .retain = n % 2 == 1,
                               .topic = slu_slice(topic, (size_t)topic_len),
                               .client_id = slu_slice(client, (size_t)client_len),
                               .payload = slu_slice(payload, (size_t)len)};
}

/* The number that a record was made from, by its payload; 0: it is none of ours or not whole. */
static inline uint64_t help_number(const struct slu_record *record)
{
    char text[40] = {0};
    const size_t n = record->payload.len < 39 ? record->payload.len : 39;
    uint64_t number = 0;
    memcpy(text, record->payload.data, n);
    if (sscanf(text, "{\"n\":%" SCNu64, &number) != 1)
        return 0;
    const struct slu_record made = help_record(number, record->sinks);
    const bool same = slu_slice_equal(made.topic, record->topic) &&
                      slu_slice_equal(made.client_id, record->client_id) &&
                      slu_slice_equal(made.payload, record->payload) &&
                      made.time_ns == record->time_ns && made.event_ns == record->event_ns &&
                      made.kind == record->kind && made.format == record->format &&
                      made.quality == record->quality && made.retain == record->retain &&
                      made.policy == record->policy;
    return same ? number : 0;
}

static inline enum slu_append help_append(struct slu_spool *spool, uint64_t n, uint64_t sinks,
                                          uint64_t *seq)
{
    struct slu_record record = help_record(n, sinks);
    const enum slu_append answer = slu_spool_append(spool, &record);
    if (seq != NULL)
        *seq = record.seq;
    return answer;
}

static inline struct slu_spool_sink_stats help_books(const struct slu_spool *spool,
                                                     const char *name)
{
    struct slu_spool_sink_stats all[SLU_SINKS_MAX];
    const size_t n = slu_spool_sink_stats(spool, all, SLU_SINKS_MAX);
    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i].name, name) == 0)
            return all[i];
    fail_msg("no sink %s", name);
    return all[0];
}

/* Read and commit everything until record `last` (by seq) was seen; numbers must be ours and rise. Adds
 * each number to `seen` (a byte each, up to `max`). */
static inline void help_deliver(struct slu_spool *spool, const char *sink, uint64_t last,
                                uint8_t *seen, uint64_t max)
{
    static struct slu_record records[256];
    struct slu_spool_reader *reader = slu_spool_reader_open(spool, sink, NULL);
    assert_non_null(reader);
    uint64_t after = slu_spool_reader_committed(reader);
    const int64_t deadline = help_in(20000);
    while (after < last && slu_clock_mono_ns() < deadline) {
        const int n = slu_spool_read(reader, after, records, 256, 1 << 18, NULL);
        for (int i = 0; i < n; i++) {
            const uint64_t number = help_number(&records[i]);
            assert_true(records[i].seq > after);
            assert_in_range(number, 1, max);
            after = records[i].seq;
            seen[number]++;
        }
        if (n > 0)
            (void)slu_spool_commit(reader, after, 0, NULL);
        else
            (void)slu_spool_wait(reader, after, help_in(20));
    }
    assert_true(after >= last);
    slu_spool_reader_close(reader);
}

/* Everything that can be read now, without waiting for more than `ms` of silence. */
static inline uint64_t help_deliver_all(struct slu_spool *spool, const char *sink, uint8_t *seen,
                                        uint64_t max)
{
    static struct slu_record records[256];
    struct slu_spool_reader *reader = slu_spool_reader_open(spool, sink, NULL);
    assert_non_null(reader);
    uint64_t after = slu_spool_reader_committed(reader), total = 0;
    for (;;) {
        const int n = slu_spool_read(reader, after, records, 256, 1 << 18, NULL);
        assert_true(n >= 0);
        for (int i = 0; i < n; i++) {
            const uint64_t number = help_number(&records[i]);
            assert_true(records[i].seq > after);
            assert_in_range(number, 1, max);
            after = records[i].seq;
            seen[number]++;
            total++;
        }
        if (n > 0)
            assert_int_equal(slu_spool_commit(reader, after, 0, NULL), 0);
        else if (help_books(spool, sink).spooled == 0 ||
                 !slu_spool_wait(reader, after, help_in(100)))
            break;
    }
    slu_spool_reader_close(reader);
    return total;
}

static inline bool help_balanced(const struct slu_spool_sink_stats *books)
{
    return books->spooled_at_start + books->routed == books->delivered + books->dead_lettered +
                                                          books->discarded + books->corrupt +
                                                          books->spooled;
}

#endif
