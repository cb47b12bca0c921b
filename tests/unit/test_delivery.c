/* test_delivery.c -- the loop between spool and sink, against a spool and a far shore of the test's
 * own, which watch the laws at every call:
 *
 *   - what is pushed comes in order, and nothing twice unless a RESET came in between
 *   - a reject of the last settle is on disk when push or settle is called again
 *   - the cursor passes a record only when it is over there, or a dead letter on disk
 *
 * The real spool's functions are replaced here (this program is linked without it).
 */
#include "sinks/delivery.h"

#include "base/clock.h"
#include "base/log.h"
#include "sinks/lines.h"
#include "sinks/spool/spool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MAX_RECORDS = 20000, PATIENCE_S = 60 };

static const uint8_t spool_id[16] = {1, 2, 3, 4, 5, 6, 7, 8};
static const uint8_t next_id[16] = {8, 7, 6, 5, 4, 3, 2, 1};
static char data_dir[64];

/* Guards everything below; `moved` is signalled at every change. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static char broken_law[256]; /* the first that was broken */

static void law(bool holds, const char *text, uint64_t seq)
{
    if (!holds && broken_law[0] == '\0')
        snprintf(broken_law, sizeof(broken_law), "%s (record %" PRIu64 ")", text, seq);
}

/* ---- the far shore ------------------------------------------------------------------------------------- */

static struct shore {
    /* what a test sets */
    bool (*refuses)(uint64_t seq);
    size_t takes;                /* of one push; 0: all */
    size_t settles;              /* records of one settle; 0: all */
    bool forgets;                /* answers RESET with 0: holds no place */
    size_t lose_every;           /* every so many settles the connection is lost */
    enum slu_sink_answer answer; /* LIVE, or what it answers all the time */
    bool hangs;                  /* settle does not come back */
    bool refuses_open;
    uint64_t claims;    /* a safe_seq it has no right to; 0 none */
    bool stop_settling; /* LIVE, but nothing becomes safe */

    /* what it has seen */
    bool is_connected;
    bool has_next_id; /* opened under it: another place counts */
    size_t n_opens, n_settles, n_pushes, n_resets, n_finishes, n_closes, n_waiting, n_reported;
    uint64_t waiting[MAX_RECORDS];           /* pushed, not settled */
    uint64_t reported[SLU_SINK_REJECTS_MAX]; /* rejects of the last settle */
    uint64_t last_pushed;
    uint64_t
        waited_behind; /* the last that was pushed when settle was first given time; 0: not yet */
    int64_t latest_deadline;    /* of all calls */
    uint64_t next_place;        /* `place` under the next id */
    uint64_t place, place_next; /* what it would say after a crash: behind no reject before the call
                                   after the one that told of it */
    size_t times[MAX_RECORDS + 1]; /* how often a record came over there */
    uint64_t order[2 * MAX_RECORDS];
    size_t n_order;
    bool blocks_signals;
    char thread_name[16];
} shore;

/* ---- dead letters on disk -------------------------------------------------------------------------------- */

static size_t letters[MAX_RECORDS + 1], n_letters; /* how many of each, as last read */

static bool count_letter(void *context, const struct slu_line *line)
{
    (void)context;
    if (line->is_sound && line->seq <= MAX_RECORDS) {
        letters[line->seq]++;
        n_letters++;
    }
    return true;
}

static void read_letters(void)
{
    char folder[128];
    snprintf(folder, sizeof(folder), "%s/dead/lake", data_dir);
    memset(letters, 0, sizeof(letters));
    n_letters = 0;
    DIR *dir = opendir(folder);
    for (const struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        const int fd = openat(dirfd(dir), entry->d_name, O_RDONLY);
        if (entry->d_name[0] != '.')
            slu_lines_walk(fd, spool_id, count_letter, NULL, NULL, NULL);
        close(fd);
    }
    if (dir != NULL)
        closedir(dir);
}

/* ---- the sink that exists only here ------------------------------------------------------------------------ */

static void watch_rejects(void)
{
    uint64_t *place = shore.has_next_id ? &shore.next_place : &shore.place;
    if (shore.place_next > *place)
        *place = shore.place_next;
    if (shore.n_reported == 0)
        return;
    read_letters();
    for (size_t i = 0; i < shore.n_reported; i++)
        law(letters[shore.reported[i]] == 1, "called before a reject was on disk",
            shore.reported[i]);
    shore.n_reported = 0;
}

static int shore_open(void *self, const struct slu_sink_env *env, const struct slu_node *section,
                      struct slu_err *err)
{
    (void)self, (void)section;
    pthread_mutex_lock(&lock);
    shore.n_opens++;
    shore.has_next_id = memcmp(env->spool_id, next_id, sizeof(next_id)) == 0;
    pthread_mutex_unlock(&lock);
    return shore.refuses_open ? slu_err_set(err, SLU_EINVAL, "no such thing") : 0;
}

static void note_deadline(int64_t deadline)
{
    if (deadline > shore.latest_deadline)
        shore.latest_deadline = deadline;
}

static size_t shore_push(void *self, const struct slu_record *records, size_t n, int64_t deadline)
{
    (void)self;
    pthread_mutex_lock(&lock);
    note_deadline(deadline);
    watch_rejects();
    law(shore.is_connected, "pushed before RESET", records[0].seq);
    size_t taken = 0;
    while (taken < n && (shore.takes == 0 || taken < shore.takes)) {
        law(records[taken].seq > shore.last_pushed, "pushed out of order or twice",
            records[taken].seq);
        shore.last_pushed = records[taken].seq;
        shore.waiting[shore.n_waiting++] = records[taken++].seq;
    }
    shore.n_pushes++;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
    return taken;
}

/* One record reaches the far shore. */
static void arrive(uint64_t seq, struct slu_settlement *settlement)
{
    if (shore.refuses != NULL && shore.refuses(seq)) {
        struct slu_sink_reject *reject = &settlement->rejects[settlement->n_rejects++];
        reject->seq = seq;
        snprintf(reject->code, sizeof(reject->code), "test.refused");
        snprintf(reject->message, sizeof(reject->message), "record %" PRIu64 " is poison", seq);
        shore.reported[shore.n_reported++] = seq;
    } else {
        shore.times[seq]++;
        shore.order[shore.n_order++] = seq;
    }
    settlement->safe_seq = shore.place_next = seq;
    if (shore.n_reported == 0)
        *(shore.has_next_id ? &shore.next_place : &shore.place) = seq;
}

/* A shore that holds the place takes nothing behind a reject in the same settle. */
static bool may_arrive(uint64_t seq)
{
    return shore.forgets || shore.n_reported == 0 || (shore.refuses != NULL && shore.refuses(seq));
}

static enum slu_sink_answer connect_shore(struct slu_settlement *settlement)
{
    shore.is_connected = true;
    shore.n_waiting = 0;
    shore.last_pushed = 0;
    settlement->safe_seq = shore.forgets ? 0 : shore.has_next_id ? shore.next_place : shore.place;
    return SLU_SINK_RESET;
}

static enum slu_sink_answer settle_shore(struct slu_settlement *settlement, struct slu_err *err)
{
    pthread_cond_broadcast(&moved); /* it was asked */
    while (shore.hangs)
        pthread_cond_wait(&moved, &lock);
    if (shore.answer != SLU_SINK_LIVE) {
        slu_err_set(err, SLU_EIO, "the tide is %s",
                    shore.answer == SLU_SINK_AWAY ? "out" : "frozen");
        return shore.answer;
    }
    if (!shore.is_connected)
        return connect_shore(settlement);
    if (shore.lose_every > 0 && shore.n_settles % shore.lose_every == 0)
        return connect_shore(settlement);
    if (shore.stop_settling)
        return SLU_SINK_LIVE;
    size_t n = 0;
    while (n < shore.n_waiting && (shore.settles == 0 || n < shore.settles) &&
           settlement->n_rejects < SLU_SINK_REJECTS_MAX && may_arrive(shore.waiting[n]))
        arrive(shore.waiting[n++], settlement);
    shore.n_waiting -= n;
    memmove(shore.waiting, shore.waiting + n, shore.n_waiting * sizeof(shore.waiting[0]));
    if (shore.claims != 0)
        settlement->safe_seq = shore.claims;
    return SLU_SINK_LIVE;
}

static enum slu_sink_answer shore_settle(void *self, int64_t deadline,
                                         struct slu_settlement *settlement, struct slu_err *err)
{
    (void)self;
    pthread_mutex_lock(&lock);
    note_deadline(deadline);
    watch_rejects();
    if (shore.waited_behind == 0 && shore.n_waiting > 0 &&
        deadline - slu_clock_mono_ns() > SLU_NS_PER_S / 2)
        shore.waited_behind = shore.last_pushed;
    if (shore.n_settles++ == 0) {
        sigset_t blocked;
        pthread_sigmask(SIG_BLOCK, NULL, &blocked);
        shore.blocks_signals = sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGHUP);
    }
    pthread_getname_np(pthread_self(), shore.thread_name, sizeof(shore.thread_name));
    const enum slu_sink_answer answer = settle_shore(settlement, err);
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
    return answer;
}

static void shore_reset(void *self)
{
    (void)self;
    pthread_mutex_lock(&lock);
    shore.n_resets++;
    shore.is_connected = false;
    shore.n_reported = 0; /* not all of them will be dead letters */
    shore.place_next = shore.has_next_id ? shore.next_place : shore.place;
    pthread_mutex_unlock(&lock);
}

static void shore_finish(void *self, int64_t deadline)
{
    (void)self;
    pthread_mutex_lock(&lock);
    note_deadline(deadline);
    shore.n_finishes++;
    shore.settles = 0;
    pthread_mutex_unlock(&lock);
}

static void shore_close(void *self)
{
    (void)self;
    pthread_mutex_lock(&lock);
    shore.n_closes++;
    shore.is_connected = false;
    pthread_mutex_unlock(&lock);
}

static const struct slu_sink_ops shore_ops = {
    .type = "shore",
    .self_bytes = 8,
    .open = shore_open,
    .push = shore_push,
    .settle = shore_settle,
    .reset = shore_reset,
    .finish = shore_finish,
    .close = shore_close,
};

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

static bool is_of_sink(uint64_t seq)
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

static bool has_more(uint64_t after)
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

static void keep_line(enum slu_log_level level, const char *line)
{
    (void)level;
    const size_t used = strlen(log_text);
    snprintf(log_text + used, sizeof(log_text) - used, "%s\n", line);
}

/* How many lines hold `text`. */
static size_t lines_with(const char *text)
{
    slu_log_drain();
    size_t n = 0;
    for (const char *at = log_text; (at = strstr(at, text)) != NULL; at++)
        n++;
    return n;
}

static int set_up(void **state)
{
    (void)state;
    snprintf(data_dir, sizeof(data_dir), "/tmp/slu-delivery-XXXXXX");
    memset(&shore, 0, sizeof(shore));
    memset(&spool, 0, sizeof(spool));
    broken_law[0] = log_text[0] = '\0';
    slu_log_open(keep_line);
    return mkdtemp(data_dir) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    slu_log_close();
    snprintf(command, sizeof(command), "rm -rf '%s'", data_dir);
    if (broken_law[0] != '\0')
        print_error("broken: %s\n", broken_law);
    return system(command) != 0 || broken_law[0] != '\0' ? -1 : 0;
}

static struct slu_delivery_options options(void)
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

static struct slu_delivery *start_with(const struct slu_delivery_options *o)
{
    struct slu_err err = {0};
    struct slu_delivery *delivery = slu_delivery_start(&spool, o, &err);
    if (delivery == NULL)
        fail_msg("%s", err.text);
    return delivery;
}

static struct slu_delivery *start(void)
{
    const struct slu_delivery_options o = options();
    return start_with(&o);
}

static void append(uint64_t n)
{
    pthread_mutex_lock(&lock);
    spool.head += n;
    spool.durable = spool.head;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
}

/* Wait until `condition` holds (under the lock). */
static void await(bool (*condition)(void), const char *what)
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

static bool all_committed(void)
{
    return spool.committed == spool.head ||
           (spool.committed + 1 == spool.head && !is_of_sink(spool.head));
}

/* A state is not signalled to the test: poll for it, patiently. */
static void await_state(struct slu_delivery *delivery, enum slu_delivery_state state)
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
static void stop_after(struct slu_delivery *delivery, size_t n_opens)
{
    const int64_t deadline = slu_clock_mono_ns() + PATIENCE_S * SLU_NS_PER_S;
    slu_delivery_stop(delivery, deadline);
    assert_true(slu_delivery_join(delivery, deadline));
    assert_int_equal(shore.n_closes, n_opens);
}

static void stop(struct slu_delivery *delivery)
{
    stop_after(delivery, 1);
}

/* Every record up to the head has exactly one fate; `n_dead` are dead letters. */
static void check_fates(uint64_t n_dead)
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

/* ---- delivering ---------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    size_t takes, settles, lose_every;
    uint64_t skip;
} shapes[] = {
    {"all at once", 0, 0, 0, 0},
    {"takes a few at a time", 7, 0, 0, 0},
    {"settles behind what is pushed", 0, 13, 0, 0},
    {"both", 7, 3, 0, 0},
    {"loses its connection again and again", 0, 0, 3, 0},
    {"loses it with records under way", 11, 5, 4, 0},
    {"takes only some numbers", 0, 40, 0, 3},
};

static bool is_seventh(uint64_t seq)
{
    return seq % 70 == 7;
}

static void every_record_arrives_once_and_in_order(void **state)
{
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        for (int poison = 0; poison < 2; poison++) {
            tear_down(state);
            set_up(state);
            shore.takes = shapes[i].takes;
            shore.settles = shapes[i].settles;
            shore.lose_every = shapes[i].lose_every;
            shore.refuses = poison != 0 ? is_seventh : NULL;
            spool.skip = shapes[i].skip;
            append(1000);
            struct slu_delivery *delivery = start();
            append(1001);
            AWAIT(all_committed);
            append(1);
            stop(delivery);
            print_message("%s\n", shapes[i].name);
            assert_true(all_committed());
            uint64_t n_dead = 0;
            for (uint64_t seq = 1; seq <= spool.head; seq++)
                n_dead += poison != 0 && is_of_sink(seq) && is_seventh(seq);
            check_fates(n_dead);
        }
    }
}

static void a_shore_without_memory_gets_what_was_under_way_again(void **state)
{
    (void)state;
    shore.forgets = true;
    shore.settles = 5;
    shore.lose_every = 7;
    append(500);
    struct slu_delivery *delivery = start();
    AWAIT(all_committed);
    stop(delivery);
    for (uint64_t seq = 1; seq <= 500; seq++)
        assert_true(shore.times[seq] >= 1);
}

static bool waited(void)
{
    return shore.waited_behind != 0;
}

static void a_pipelined_sink_has_all_whole_batches_before_it_is_waited_for(void **state)
{
    (void)state;
    struct slu_sink_ops pipelined = shore_ops;
    struct slu_delivery_options o = options();
    pipelined.is_pipelined = true;
    o.ops = &pipelined;
    shore.stop_settling = true;
    append(1050);
    struct slu_delivery *delivery = start_with(&o);
    AWAIT(waited);
    assert_int_equal(shore.waited_behind, 1000);
    pthread_mutex_lock(&lock);
    shore.stop_settling = false;
    pthread_mutex_unlock(&lock);
    AWAIT(all_committed);
    stop(delivery);
    check_fates(0);
}

static void the_thread_has_a_name_and_no_signals(void **state)
{
    (void)state;
    append(1);
    struct slu_delivery *delivery = start();
    AWAIT(all_committed);
    stop(delivery);
    assert_true(shore.blocks_signals);
    assert_string_equal(shore.thread_name, "slu-lake");
}

static bool settled_three_times(void)
{
    return shore.n_settles >= 3;
}

static void an_idle_sink_has_its_turn(void **state)
{
    (void)state;
    struct slu_delivery *delivery = start();
    AWAIT(settled_three_times);
    assert_int_equal(shore.n_pushes, 0);
    stop(delivery);
}

static void a_claim_beyond_what_was_pushed_moves_nothing(void **state)
{
    (void)state;
    shore.claims = 1000000;
    shore.takes = 10;
    append(500);
    struct slu_delivery *delivery = start();
    AWAIT(all_committed);
    stop(delivery);
    check_fates(0);
}

static void a_section_that_is_wrong_is_told_at_start(void **state)
{
    (void)state;
    struct slu_err err = {0};
    const struct slu_delivery_options o = options();
    shore.refuses_open = true;
    assert_null(slu_delivery_start(&spool, &o, &err));
    assert_string_equal(err.text, "no such thing");
    assert_int_equal(shore.n_closes, 1);
}

/* ---- after a crash --------------------------------------------------------------------------------------- */

static void what_the_shore_has_is_not_pushed_again(void **state)
{
    (void)state;
    spool.committed = 40; /* the crash came before the cursor */
    shore.place = 60;
    for (size_t seq = 1; seq <= 60; seq++)
        shore.times[seq] = 1;
    append(100);
    struct slu_delivery *delivery = start();
    AWAIT(all_committed);
    stop(delivery);
    check_fates(0);
}

static void a_shore_that_was_wiped_does_not_get_the_past_again(void **state)
{
    (void)state;
    spool.committed = 60;
    shore.place = 20;
    for (size_t seq = 1; seq <= 60; seq++)
        shore.times[seq] = 1;
    append(100);
    struct slu_delivery *delivery = start();
    AWAIT(all_committed);
    stop(delivery);
    check_fates(0);
    assert_int_equal(lines_with("holds records up to 20, the cursor stands at 60"), 1);
}

static void a_letter_of_an_earlier_life_is_its_records_fate(void **state)
{
    (void)state;
    shore.refuses = is_seventh;
    append(100);
    struct slu_delivery *delivery = start();
    AWAIT(all_committed);
    stop(delivery); /* letters 7 and 77 */
    assert_int_equal(n_letters, 2);

    spool.committed = 6; /* the cursor was lost with the power, what lies over there was not */
    spool.n_dead = 0;
    shore.refuses = NULL; /* and somebody has repaired the table */
    shore.place = shore.place_next = 50;
    shore.n_closes = 0;
    for (size_t seq = 51; seq <= 100; seq++)
        shore.times[seq] = 0;
    shore.n_order = 49; /* 1 … 50 without 7 */
    delivery = start();
    AWAIT(all_committed);
    stop(delivery);
    check_fates(2);
}

/* A copy that had come to 100; the original went on to 500 over there. */
static struct slu_delivery *older_copy(void)
{
    shore.place = 500;
    append(100);
    for (size_t seq = 1; seq <= 100; seq++)
        shore.times[seq] = 1;
    spool.committed = 90;
    struct slu_delivery *delivery = start();
    AWAIT(all_committed); /* 91 … 100 are over there: they are not pushed */
    append(50);
    return delivery;
}

static void an_older_copy_goes_on_under_a_new_id(void **state)
{
    (void)state;
    spool.may_renew_from = 101;
    struct slu_delivery *delivery = older_copy();
    AWAIT(all_committed);
    stop_after(delivery, 2);
    assert_int_equal(shore.n_opens, 2);
    check_fates(0);
}

static void an_older_copy_without_a_new_id_is_paused(void **state)
{
    (void)state;
    struct slu_delivery *delivery = older_copy();
    await_state(delivery, SLU_DELIVERY_PAUSED);
    struct slu_delivery_stats stats;
    slu_delivery_stats(delivery, &stats);
    assert_non_null(strstr(stats.last_error, "older copy"));
    stop(delivery);
    assert_int_equal(shore.n_pushes, 0);
    assert_int_equal(spool.committed, 100);
}

static void a_backlog_keeps_its_id_and_what_follows_has_its_own(void **state)
{
    (void)state;
    spool.next_id_from = 301;
    shore.settles = 30;
    shore.refuses = is_seventh;
    append(1000);
    struct slu_delivery *delivery = start();
    AWAIT(all_committed);
    stop_after(delivery, 2);
    assert_int_equal(shore.n_opens, 2);
    assert_int_equal(shore.place, 300);
    check_fates(15);
}

/* ---- away and paused ------------------------------------------------------------------------------------- */

static bool asked_twenty_times(void)
{
    return shore.n_settles >= 20;
}

static void standing_still(enum slu_sink_answer answer, enum slu_delivery_state expected,
                           const char *cause)
{
    struct slu_delivery_stats stats;
    shore.answer = answer;
    append(300);
    struct slu_delivery *delivery = start();
    AWAIT(asked_twenty_times);
    slu_delivery_stats(delivery, &stats);
    assert_int_equal(stats.state, expected);
    assert_string_equal(stats.last_error, cause);
    assert_int_equal(lines_with(cause), 1); /* once, not twenty times */
    assert_int_equal(lines_with("300 records wait, next try in"), 1);

    pthread_mutex_lock(&lock);
    assert_int_equal(shore.n_pushes, 0);
    shore.answer = SLU_SINK_LIVE;
    pthread_mutex_unlock(&lock);
    AWAIT(all_committed);
    slu_delivery_stats(delivery, &stats);
    assert_int_equal(stats.state, SLU_DELIVERY_CONNECTED);
    assert_string_equal(stats.last_error, "");
    assert_int_equal(lines_with("sink lake: connected"), 1);
    stop(delivery);
    check_fates(0);
}

static void a_sink_that_is_away_keeps_its_records(void **state)
{
    (void)state;
    standing_still(SLU_SINK_AWAY, SLU_DELIVERY_DISCONNECTED, "the tide is out");
}

static void a_sink_that_is_paused_keeps_its_records(void **state)
{
    (void)state;
    standing_still(SLU_SINK_PAUSED, SLU_DELIVERY_PAUSED, "the tide is frozen");
}

static bool pushed_once(void)
{
    return shore.n_pushes >= 1;
}

static bool asked_once(void)
{
    return shore.n_settles >= 1;
}

static void a_resume_does_not_wait_for_the_backoff(void **state)
{
    (void)state;
    struct slu_delivery_options o = options();
    o.backoff_min_ns = o.backoff_max_ns = 1000000 * SLU_NS_PER_S; /* longer than any test */
    shore.answer = SLU_SINK_AWAY;
    append(10);
    struct slu_delivery *delivery = start_with(&o);
    AWAIT(asked_once);
    await_state(delivery, SLU_DELIVERY_DISCONNECTED);
    pthread_mutex_lock(&lock);
    shore.answer = SLU_SINK_LIVE;
    pthread_mutex_unlock(&lock);
    slu_delivery_resume(delivery);
    AWAIT(all_committed);
    stop(delivery);
}

static void a_spool_that_cannot_be_read_is_tried_again(void **state)
{
    (void)state;
    spool.reads_fail = 5;
    append(100);
    struct slu_delivery *delivery = start();
    AWAIT(all_committed);
    stop(delivery);
    check_fates(0);
    assert_int_equal(lines_with("the disk is wet"), 1);
}

static void a_cursor_that_cannot_be_written_stops_nobody(void **state)
{
    (void)state;
    spool.commits_fail = 3;
    append(1000);
    struct slu_delivery *delivery = start();
    AWAIT(all_committed);
    stop(delivery);
    check_fates(0);
    assert_int_equal(lines_with("the cursor is stuck"), 1);
}

/* ---- the circuit breaker ----------------------------------------------------------------------------------- */

static bool is_from_201(uint64_t seq)
{
    return seq >= 201;
}

static bool was_reset(void)
{
    return shore.n_resets >= 1 && shore.n_settles >= 20;
}

/* Everything from 201 on is refused: 201 … 300 become dead letters, nothing more. */
static struct slu_delivery *tripped(const struct slu_delivery_options *o)
{
    struct slu_delivery_stats stats;
    shore.refuses = is_from_201;
    append(2000);
    struct slu_delivery *delivery = start_with(o);
    await_state(delivery, SLU_DELIVERY_PAUSED);
    AWAIT(was_reset);
    slu_delivery_stats(delivery, &stats);
    assert_true(stats.breaker_open);
    assert_non_null(strstr(stats.last_error, "test.refused"));
    return delivery;
}

static void a_run_of_rejects_opens_the_breaker_and_no_more_die(void **state)
{
    (void)state;
    const struct slu_delivery_options o = options();
    struct slu_delivery *delivery = tripped(&o);
    stop(delivery);
    read_letters();
    assert_int_equal(n_letters, 100);
    assert_int_equal(spool.committed, 300);
    assert_int_equal(lines_with("too many records are refused"), 1);
    assert_int_equal(shore.n_finishes, 0);
}

static void a_resume_closes_the_breaker(void **state)
{
    (void)state;
    const struct slu_delivery_options o = options();
    struct slu_delivery *delivery = tripped(&o);
    pthread_mutex_lock(&lock);
    shore.refuses = NULL;
    pthread_mutex_unlock(&lock);
    slu_delivery_resume(delivery);
    AWAIT(all_committed);
    struct slu_delivery_stats stats;
    slu_delivery_stats(delivery, &stats);
    assert_false(stats.breaker_open);
    stop(delivery);
    check_fates(100);
}

static bool two_more_died(void)
{
    return spool.committed >= 302;
}

static void one_record_is_tried_at_a_time(void **state)
{
    (void)state;
    struct slu_delivery_options o = options();
    o.probe_min_ns = SLU_NS_PER_MS;
    o.probe_max_ns = 2 * SLU_NS_PER_MS;
    shore.refuses = is_from_201;
    append(2000);
    struct slu_delivery *delivery = start_with(&o);
    AWAIT(two_more_died);
    pthread_mutex_lock(&lock);
    shore.refuses = NULL;
    pthread_mutex_unlock(&lock);
    AWAIT(all_committed);
    stop(delivery);
    read_letters();
    assert_true(n_letters >= 102);
    check_fates(n_letters);
}

/* ---- dead letters that cannot be written ------------------------------------------------------------------- */

static void without_room_for_a_letter_the_sink_waits(void **state)
{
    (void)state;
    char blocked[96];
    snprintf(blocked, sizeof(blocked), "%s/dead", data_dir);
    shore.refuses = is_seventh;
    append(20);
    struct slu_delivery *delivery = start();
    AWAIT(asked_once); /* it has looked for letters; now a file stands where the folder must be */
    const int fd = open(blocked, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    append(100);
    await_state(delivery, SLU_DELIVERY_PAUSED);
    pthread_mutex_lock(&lock);
    assert_true(spool.committed < 77);
    pthread_mutex_unlock(&lock);
    assert_int_equal(unlink(blocked), 0);
    AWAIT(all_committed);
    stop(delivery);
    check_fates(2);
}

/* ---- stopping ---------------------------------------------------------------------------------------------- */

static void a_stop_delivers_what_is_spooled(void **state)
{
    (void)state;
    shore.settles = 3;
    append(2000);
    struct slu_delivery *delivery = start();
    stop(delivery);
    assert_int_equal(shore.n_finishes, 1);
    assert_int_equal(spool.committed, 2000);
    check_fates(0);
}

static bool ten_committed(void)
{
    return spool.committed == 10;
}

static void a_stop_waits_for_what_is_not_durable_yet(void **state)
{
    (void)state;
    append(10);
    spool.head = 20; /* ten are in the ring */
    struct slu_delivery *delivery = start();
    const int64_t deadline = slu_clock_mono_ns() + PATIENCE_S * SLU_NS_PER_S;
    slu_delivery_stop(delivery, deadline);
    AWAIT(ten_committed);
    append(0); /* now they are written */
    assert_true(slu_delivery_join(delivery, deadline));
    check_fates(0);
    assert_int_equal(spool.committed, 20);
}

static void a_sink_that_is_away_is_not_waited_for(void **state)
{
    (void)state;
    struct slu_delivery_options o = options();
    o.backoff_min_ns = o.backoff_max_ns = 1000000 * SLU_NS_PER_S;
    shore.answer = SLU_SINK_AWAY;
    append(10);
    struct slu_delivery *delivery = start_with(&o);
    AWAIT(asked_once);
    slu_delivery_stop(delivery, slu_clock_mono_ns() + 1000000 * SLU_NS_PER_S);
    assert_true(slu_delivery_join(delivery, slu_clock_mono_ns() + PATIENCE_S * SLU_NS_PER_S));
    assert_int_equal(spool.committed, 0);
    assert_int_equal(shore.n_finishes, 0);
}

static void a_slow_sink_ends_with_the_deadline(void **state)
{
    (void)state;
    shore.stop_settling = true;
    append(10);
    struct slu_delivery *delivery = start();
    AWAIT(pushed_once);
    const int64_t deadline = slu_clock_mono_ns() + 2500 * SLU_NS_PER_MS;
    slu_delivery_stop(delivery, deadline);
    assert_true(slu_delivery_join(delivery, slu_clock_mono_ns() + PATIENCE_S * SLU_NS_PER_S));
    assert_int_equal(spool.committed, 0);
    assert_int_equal(shore.n_finishes, 1);
    assert_int_equal(shore.n_closes, 1);
    /* It is through before the others have given it up, however long it takes for each answer. */
    assert_true(shore.latest_deadline < deadline - 50 * SLU_NS_PER_MS);
}

static struct slu_delivery *volatile left_behind; /* its memory is meant to stay */

static void a_sink_that_hangs_is_left_behind(void **state)
{
    (void)state;
    shore.hangs = true;
    append(10);
    struct slu_delivery *delivery = left_behind = start();
    AWAIT(asked_once);
    const int64_t deadline = slu_clock_mono_ns() + 50 * SLU_NS_PER_MS;
    slu_delivery_stop(delivery, deadline);
    assert_false(slu_delivery_join(delivery, deadline));

    /* It wakes up later, and does nothing more. */
    pthread_mutex_lock(&lock);
    shore.hangs = false;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
    await_state(delivery, SLU_DELIVERY_STOPPED);
    assert_int_equal(shore.n_pushes, 0);
    assert_int_equal(shore.n_closes, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_record_arrives_once_and_in_order),
        TEST(a_shore_without_memory_gets_what_was_under_way_again),
        TEST(a_pipelined_sink_has_all_whole_batches_before_it_is_waited_for),
        TEST(the_thread_has_a_name_and_no_signals),
        TEST(an_idle_sink_has_its_turn),
        TEST(a_claim_beyond_what_was_pushed_moves_nothing),
        TEST(a_section_that_is_wrong_is_told_at_start),
        TEST(what_the_shore_has_is_not_pushed_again),
        TEST(a_shore_that_was_wiped_does_not_get_the_past_again),
        TEST(a_letter_of_an_earlier_life_is_its_records_fate),
        TEST(an_older_copy_goes_on_under_a_new_id),
        TEST(an_older_copy_without_a_new_id_is_paused),
        TEST(a_backlog_keeps_its_id_and_what_follows_has_its_own),
        TEST(a_sink_that_is_away_keeps_its_records),
        TEST(a_sink_that_is_paused_keeps_its_records),
        TEST(a_resume_does_not_wait_for_the_backoff),
        TEST(a_spool_that_cannot_be_read_is_tried_again),
        TEST(a_cursor_that_cannot_be_written_stops_nobody),
        TEST(a_run_of_rejects_opens_the_breaker_and_no_more_die),
        TEST(a_resume_closes_the_breaker),
        TEST(one_record_is_tried_at_a_time),
        TEST(without_room_for_a_letter_the_sink_waits),
        TEST(a_stop_delivers_what_is_spooled),
        TEST(a_stop_waits_for_what_is_not_durable_yet),
        TEST(a_sink_that_is_away_is_not_waited_for),
        TEST(a_slow_sink_ends_with_the_deadline),
        TEST(a_sink_that_hangs_is_left_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
