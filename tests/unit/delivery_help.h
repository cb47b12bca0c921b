/* delivery_help.h -- what the tests of the delivery share: a far shore (delivery_shore_help.h), a spool of
 * their own (the program is linked without the real one), and how to await what happens. */
#ifndef SLU_TESTS_UNIT_DELIVERY_HELP_H
#define SLU_TESTS_UNIT_DELIVERY_HELP_H

#include "tests/unit/delivery_shore_help.h"

/* ---- the spool of the test ------------------------------------------------------------------------------- */

struct slu_spool {
    uint64_t head, durable;
    uint64_t skip; /* every skip-th number is not of this sink; 0 none */
    uint64_t committed, n_dead, reads_fail, commits_fail;
    bool woken;
    uint64_t next_id_from;   /* records from here on have the next id; 0: none */
    uint64_t may_renew_from; /* what slu_spool_renew_id() sets it to; 0: it fails */
};
struct slu_spool_reader {
    struct slu_spool *spool;
};
static struct slu_spool spool;
static struct slu_spool_reader reader;

static inline bool is_of_sink(uint64_t seq)
{
    return spool.skip == 0 || seq % spool.skip != 0;
}

const uint8_t *slu_spool_id(const struct slu_spool *s)
{
    (void)s;
    return spool_id;
}

const uint8_t *slu_spool_id_of(const struct slu_spool *s, uint64_t seq)
{
    pthread_mutex_lock(&lock);
    const bool is_next = s->next_id_from != 0 && seq >= s->next_id_from;
    pthread_mutex_unlock(&lock);
    return is_next ? next_id : spool_id;
}

int slu_spool_renew_id(struct slu_spool *s, uint64_t far_seq, struct slu_err *err)
{
    pthread_mutex_lock(&lock);
    law(far_seq > s->head || s->may_renew_from == 0, "renewed without need", far_seq);
    s->next_id_from = s->may_renew_from;
    pthread_mutex_unlock(&lock);
    return s->next_id_from != 0 ? 0 : slu_err_set(err, SLU_EINVAL, "no");
}

const char *slu_spool_policy_name(const struct slu_spool *s, uint16_t number)
{
    (void)s, (void)number;
    return "p";
}

const char *slu_spool_schema_name(const struct slu_spool *s, uint16_t number)
{
    (void)s, (void)number;
    return NULL;
}

struct slu_slice slu_spool_schema_text(const struct slu_spool *s, uint16_t number)
{
    (void)s, (void)number;
    return slu_slice(NULL, 0);
}

struct slu_spool_reader *slu_spool_reader_open(struct slu_spool *s, const char *sink,
                                               struct slu_err *err)
{
    (void)sink, (void)err;
    reader.spool = s;
    return &reader;
}

void slu_spool_reader_close(struct slu_spool_reader *r)
{
    r->spool = NULL;
}

uint64_t slu_spool_reader_committed(const struct slu_spool_reader *r)
{
    return r->spool->committed;
}

int slu_spool_read(struct slu_spool_reader *r, uint64_t after, struct slu_record *records,
                   size_t max_records, size_t max_bytes, struct slu_err *err)
{
    (void)max_bytes;
    int n = 0;
    pthread_mutex_lock(&lock);
    if (r->spool->reads_fail > 0) {
        r->spool->reads_fail--;
        n = slu_err_set(err, SLU_EIO, "the disk is wet");
    }
    for (uint64_t seq = after + 1; n >= 0 && seq <= r->spool->durable && (size_t)n < max_records;
         seq++) {
        if (seq == r->spool->next_id_from && n > 0)
            break; /* one answer, one id */
        if (is_of_sink(seq))
            records[n++] = (struct slu_record){.seq = seq,
                                               .time_ns = slu_clock_wall_ns(),
                                               .kind = SLU_RECORD_MESSAGE,
                                               .format = SLU_RECORD_NUMBER,
                                               .topic = SLU_SLICE("t"),
                                               .payload = SLU_SLICE("1")};
    }
    pthread_mutex_unlock(&lock);
    return n;
}

static inline bool has_more(uint64_t after)
{
    while (after < spool.durable && !is_of_sink(after + 1))
        after++;
    return after < spool.durable;
}

bool slu_spool_wait(struct slu_spool_reader *r, uint64_t after, int64_t deadline_mono_ns)
{
    (void)r;
    const int64_t left = deadline_mono_ns - slu_clock_mono_ns();
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    const int64_t ns = at.tv_nsec + (left > 0 ? left : 0);
    at.tv_sec += (time_t)(ns / SLU_NS_PER_S);
    at.tv_nsec = (long)(ns % SLU_NS_PER_S);
    pthread_mutex_lock(&lock);
    while (!has_more(after) && !spool.woken && pthread_cond_timedwait(&moved, &lock, &at) == 0) {
    }
    spool.woken = false;
    const bool more = has_more(after);
    pthread_mutex_unlock(&lock);
    return more;
}

void slu_spool_wake(struct slu_spool_reader *r)
{
    (void)r;
    pthread_mutex_lock(&lock);
    spool.woken = true;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
}

int slu_spool_commit(struct slu_spool_reader *r, uint64_t seq, uint64_t n_dead, struct slu_err *err)
{
    pthread_mutex_lock(&lock);
    law(seq > r->spool->committed, "the cursor went back or stood", seq);
    law(seq <= r->spool->head, "the cursor passed the head", seq);
    read_letters();
    uint64_t dead = 0;
    for (uint64_t s = r->spool->committed + 1; s <= seq && s <= MAX_RECORDS; s++) {
        law(!is_of_sink(s) || shore.times[s] > 0 || letters[s] > 0,
            "the cursor passed a record without a fate", s);
        dead += letters[s] > 0;
    }
    law(dead == n_dead, "the number of dead letters is wrong", seq);
    r->spool->committed = seq;
    r->spool->n_dead += n_dead;
    int result = 0;
    if (r->spool->commits_fail > 0) {
        r->spool->commits_fail--;
        result = slu_err_set(err, SLU_EIO, "the cursor is stuck");
    }
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
    return result;
}

void slu_spool_stats(const struct slu_spool *s, struct slu_spool_stats *stats)
{
    pthread_mutex_lock(&lock);
    *stats = (struct slu_spool_stats){.head_seq = s->head, .durable_seq = s->durable};
    pthread_mutex_unlock(&lock);
}

size_t slu_spool_sink_stats(const struct slu_spool *s, struct slu_spool_sink_stats *stats,
                            size_t max)
{
    (void)max;
    pthread_mutex_lock(&lock);
    stats[0] = (struct slu_spool_sink_stats){.name = "lake", .spooled = s->head - s->committed};
    pthread_mutex_unlock(&lock);
    return 1;
}

/* ---- scaffolding ------------------------------------------------------------------------------------------- */

static char log_text[1 << 16];

static inline void keep_line(enum slu_log_level level, const char *line)
{
    (void)level;
    const size_t used = strlen(log_text);
    snprintf(log_text + used, sizeof(log_text) - used, "%s\n", line);
}

/* How many lines hold `text`. */
static inline size_t lines_with(const char *text)
{
    slu_log_drain();
    size_t n = 0;
    for (const char *at = log_text; (at = strstr(at, text)) != NULL; at++)
        n++;
    return n;
}

static inline int set_up(void **state)
{
    (void)state;
    snprintf(data_dir, sizeof(data_dir), "/tmp/slu-delivery-XXXXXX");
    memset(&shore, 0, sizeof(shore));
    memset(&spool, 0, sizeof(spool));
    broken_law[0] = log_text[0] = '\0';
    slu_log_open(keep_line);
    return mkdtemp(data_dir) != NULL ? 0 : -1;
}

/* The delivery of the test under way. A test that fails leaves it running, on data that the next test
 * would begin anew: then nothing that follows means anything, so that is the end. */
static struct slu_delivery *running;

static inline bool join_delivery(struct slu_delivery *delivery, int64_t deadline)
{
    running = NULL;
    return slu_delivery_join(delivery, deadline, NULL);
}

static inline int tear_down(void **state)
{
    (void)state;
    char command[128];
    if (running != NULL) {
        print_error("a failed test has left its delivery running: no test after it\n");
        fflush(NULL);
        _exit(1);
    }
    slu_log_close();
    snprintf(command, sizeof(command), "rm -rf '%s'", data_dir);
    if (broken_law[0] != '\0')
        print_error("broken: %s\n", broken_law);
    return system(command) != 0 || broken_law[0] != '\0' ? -1 : 0;
}

static inline struct slu_delivery_options options(void)
{
    return (struct slu_delivery_options){
        .name = "lake",
        .instance = "i",
        .data_dir = data_dir,
        .ops = &shore_ops,
        .batch_records = 100,
        .batch_time_ns = SLU_NS_PER_MS,
        .backoff_min_ns = SLU_NS_PER_MS,
        .backoff_max_ns = 5 * SLU_NS_PER_MS,
        .probe_min_ns = 3600 * SLU_NS_PER_S,
        .probe_max_ns = 3600 * SLU_NS_PER_S,
    };
}

static inline struct slu_delivery *start_with(const struct slu_delivery_options *o)
{
    struct slu_err err = {0};
    struct slu_delivery *delivery = slu_delivery_start(&spool, o, &err);
    if (delivery == NULL)
        fail_msg("%s", err.text);
    running = delivery;
    return delivery;
}

static inline struct slu_delivery *start(void)
{
    const struct slu_delivery_options o = options();
    return start_with(&o);
}

static inline void append(uint64_t n)
{
    pthread_mutex_lock(&lock);
    spool.head += n;
    spool.durable = spool.head;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
}

/* Wait until `condition` holds (under the lock). */
static inline void await(bool (*condition)(void), const char *what)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&lock);
    int timed_out = 0;
    while (!condition() && timed_out == 0 && broken_law[0] == '\0')
        timed_out = pthread_cond_timedwait(&moved, &lock, &at);
    const bool came = condition();
    pthread_mutex_unlock(&lock);
    if (!came)
        fail_msg("never came: %s %s", what, broken_law);
}
#define AWAIT(condition) await((condition), #condition)

static inline bool all_committed(void)
{
    return spool.committed == spool.head ||
           (spool.committed + 1 == spool.head && !is_of_sink(spool.head));
}

/* A state is not signalled to the test: poll for it, patiently. */
static inline void await_state(struct slu_delivery *delivery, enum slu_delivery_state state)
{
    struct slu_delivery_stats stats = {0};
    const int64_t until = slu_clock_mono_ns() + PATIENCE_S * SLU_NS_PER_S;
    do {
        slu_delivery_stats(delivery, &stats);
        if (stats.state == state)
            return;
        sched_yield();
    } while (slu_clock_mono_ns() < until);
    fail_msg("still %s", slu_delivery_state_names[stats.state]);
}

/* Stop it; it has closed the sink as often as it was opened. */
static inline void stop_after(struct slu_delivery *delivery, size_t n_opens)
{
    const int64_t deadline = slu_clock_mono_ns() + PATIENCE_S * SLU_NS_PER_S;
    slu_delivery_stop(delivery, deadline);
    assert_true(join_delivery(delivery, deadline));
    assert_int_equal(shore.n_closes, n_opens);
}

static inline void stop(struct slu_delivery *delivery)
{
    stop_after(delivery, 1);
}

/* Every record up to the head has exactly one fate; `n_dead` are dead letters. */
static inline void check_fates(uint64_t n_dead)
{
    uint64_t dead = 0;
    read_letters();
    for (uint64_t seq = 1; seq <= spool.head; seq++) {
        if (!is_of_sink(seq))
            continue;
        if (shore.times[seq] + letters[seq] != 1)
            fail_msg("record %" PRIu64 " came %zu times, %zu letters", seq, shore.times[seq],
                     letters[seq]);
        dead += letters[seq];
    }
    assert_int_equal(dead, n_dead);
    assert_int_equal(spool.n_dead, n_dead);
    for (size_t i = 1; i < shore.n_order; i++)
        assert_true(shore.order[i] > shore.order[i - 1]);
}

/* ---- away and paused ------------------------------------------------------------------------------------- */

static inline bool asked_once(void)
{
    return shore.n_settles >= 1;
}

#endif
