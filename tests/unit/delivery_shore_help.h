/* delivery_shore_help.h -- the far shore of the tests of the delivery: a sink that exists only here, what it
 * was pushed, and the dead letters on disk. */
#ifndef SLU_TESTS_UNIT_DELIVERY_SHORE_HELP_H
#define SLU_TESTS_UNIT_DELIVERY_SHORE_HELP_H

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

static inline void law(bool holds, const char *text, uint64_t seq)
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

static inline bool count_letter(void *context, const struct slu_line *line)
{
    (void)context;
    if (line->is_sound && line->seq <= MAX_RECORDS) {
        letters[line->seq]++;
        n_letters++;
    }
    return true;
}

static inline void read_letters(void)
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

static inline void watch_rejects(void)
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

static inline int shore_open(void *self, const struct slu_sink_env *env,
                             const struct slu_node *section, struct slu_err *err)
{
    (void)self, (void)section;
    pthread_mutex_lock(&lock);
    shore.n_opens++;
    shore.has_next_id = memcmp(env->spool_id, next_id, sizeof(next_id)) == 0;
    pthread_mutex_unlock(&lock);
    return shore.refuses_open ? slu_err_set(err, SLU_EINVAL, "no such thing") : 0;
}

static inline void note_deadline(int64_t deadline)
{
    if (deadline > shore.latest_deadline)
        shore.latest_deadline = deadline;
}

static inline size_t shore_push(void *self, const struct slu_record *records, size_t n,
                                int64_t deadline)
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
static inline void arrive(uint64_t seq, struct slu_settlement *settlement)
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
static inline bool may_arrive(uint64_t seq)
{
    return shore.forgets || shore.n_reported == 0 || (shore.refuses != NULL && shore.refuses(seq));
}

static inline enum slu_sink_answer connect_shore(struct slu_settlement *settlement)
{
    shore.is_connected = true;
    shore.n_waiting = 0;
    shore.last_pushed = 0;
    settlement->safe_seq = shore.forgets ? 0 : shore.has_next_id ? shore.next_place : shore.place;
    return SLU_SINK_RESET;
}

static inline enum slu_sink_answer settle_shore(struct slu_settlement *settlement,
                                                struct slu_err *err)
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

static inline enum slu_sink_answer
shore_settle(void *self, int64_t deadline, struct slu_settlement *settlement, struct slu_err *err)
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

static inline void shore_reset(void *self)
{
    (void)self;
    pthread_mutex_lock(&lock);
    shore.n_resets++;
    shore.is_connected = false;
    shore.n_reported = 0; /* not all of them will be dead letters */
    shore.place_next = shore.has_next_id ? shore.next_place : shore.place;
    pthread_mutex_unlock(&lock);
}

static inline void shore_finish(void *self, int64_t deadline)
{
    (void)self;
    pthread_mutex_lock(&lock);
    note_deadline(deadline);
    shore.n_finishes++;
    shore.settles = 0;
    pthread_mutex_unlock(&lock);
}

static inline void shore_close(void *self)
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

#endif
