/* delivery_inside.h -- what the files of the delivery share; delivery.h is for everyone else.
 *
 *   delivery.c         its life: start, stop, join; the loop
 *   delivery_state.c   what others wish and see: wishes, naps, state, log lines
 *   delivery_answer.c  settle: what is due after an answer, dead letters, the cursor
 *   delivery_offer.c   push: reading from the spool and handing over
 *   delivery_identity.c  the spool id that the sink works under
 *
 *   spool    … │ committed │ under way (window)        │ not pushed yet
 *              └───────────┴───────────────────────────┴──────────────▶ seq
 *                          ▲            ▲              ▲
 *                    committed       safe_seq        pushed
 *
 * Threads: the delivery's own, but for what is said to be under `lock`.
 */
#ifndef SLU_SINKS_DELIVERY_INSIDE_H
#define SLU_SINKS_DELIVERY_INSIDE_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "sinks/circuit.h"
#include "sinks/dead_letter.h"
#include "sinks/delivery.h"
#include "sinks/spool/spool.h"
#include "sinks/window.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLU_DELIVERY_BATCH_BYTES  (4u << 20)   /* read and pushed at once */
#define SLU_DELIVERY_LETTERS_READ 64u          /* records read at once to find rejected ones */
#define SLU_DELIVERY_TURN_NS      SLU_NS_PER_S /* the longest a turn waits for anything */
#define SLU_DELIVERY_PAUSE_NS     (10 * SLU_NS_PER_MS) /* when there is no hurry */
#define SLU_DELIVERY_REPEAT_NS    (60 * SLU_NS_PER_S)  /* a cause that stays is told so often */

/* What the last answer decided and is still to be made durable. */
struct slu_due {
    bool is_open;
    uint64_t seq;     /* where the cursor goes */
    size_t n_rejects; /* the first so many of the settlement's become dead letters */
    size_t n_dead;    /* letters that are on disk already, passed as well */
    bool trips;       /* the circuit breaker opened at `seq` */
};

struct slu_delivery {
    /* fixed after start */
    struct slu_spool *spool;
    const struct slu_sink_ops *ops;
    void *self;
    char *name, *instance, *data_dir;
    struct slu_sink_env env;
    struct slu_arena arena; /* holds `section` */
    const struct slu_node *section;
    uint64_t start_head; /* of the spool, when this started */
    size_t batch_records;
    int64_t batch_time_ns, backoff_min_ns, backoff_max_ns;
    pthread_t thread;

    /* the thread's own */
    uint8_t spool_id[16]; /* of the records that are pushed now */
    bool is_open;         /* the sink, under that id */
    bool more_is_there;   /* the last batch was bounded by its bytes or by the sink: do not wait */
    bool batch_is_there;  /* a whole one, and the sink took all of the last */
    bool has_pushed;      /* anything, since the start */
    struct slu_spool_reader *reader;
    struct slu_dead_letters *letters; /* NULL: not looked at yet */
    struct slu_record *records;       /* batch_records, at least LETTERS_READ */
    struct slu_window window;
    struct slu_circuit circuit;
    struct slu_settlement settlement;
    struct slu_due due;
    uint64_t committed, pushed;
    uint64_t foreign_seq; /* a place the far side knew that was beyond our head then; 0: none */
    bool is_up;           /* the last answer was LIVE or RESET */
    bool gives_up;        /* stopping, and the far shore does not answer LIVE */
    bool is_drained;      /* stopping, and nothing of then is left */
    unsigned attempts;    /* backoffs since something went well */
    unsigned resets;      /* RESETs since something went well */
    bool is_stuck;        /* the spool gives numbers that the far side has seen before */
    bool told_lag, told_behind;
    uint64_t seen_wakes;
    struct slu_random random;
    struct slu_log_rate up_rate, change_rate, repeat_rate, spool_rate;
    char told[sizeof(((struct slu_delivery_stats *)NULL)->last_error)]; /* the cause last logged */

    /* under `lock` */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct slu_delivery_stats stats;
    uint64_t wakes; /* stops, resumes and rotations so far */
    bool is_stopping, wants_resume, wants_rotation, has_ended, is_abandoned;
    int64_t stop_deadline_ns; /* monotonic; for everything; a tenth of the time before join's */
    int64_t drain_until_ns;   /* … for delivering what is spooled; the rest is for finish() */
    uint64_t stop_head;       /* deliver up to here */
};

/* What this thread needs to know of the wishes, read in one go. */
struct slu_wishes {
    bool stop, abandoned, resume, rotate;
    int64_t deadline_ns, drain_until_ns;
    uint64_t head;
};

/* ---- delivery_state.c ------------------------------------------------------------------------------- */

/* The wishes of other threads; those to resume and to rotate are handed out once. */
struct slu_wishes slu_delivery_wishes(struct slu_delivery *d);

/* `by`, or when a stop wants to have delivered, if that is sooner. */
static inline int64_t slu_delivery_bounded(const struct slu_wishes *wishes, int64_t by)
{
    return wishes->stop && by > wishes->drain_until_ns ? wishes->drain_until_ns : by;
}

/* Has join left this thread behind? Then it touches nothing more. */
bool slu_delivery_is_abandoned(struct slu_delivery *d);

/* Wait on `changed`, under the lock, until a moment of slu_clock_mono_ns(). False: it has come. */
bool slu_delivery_wait_changed(struct slu_delivery *d, int64_t until_mono_ns);

/* Sleep, unless somebody has wished something since slu_delivery_wishes(), or does now. Short when
 * stopping. */
void slu_delivery_nap(struct slu_delivery *d, int64_t ns);

/* `error` NULL: as it was. */
void slu_delivery_set_state(struct slu_delivery *d, enum slu_delivery_state state,
                            const char *error);

/* Records of this sink that have no fate yet. */
uint64_t slu_delivery_waiting(const struct slu_delivery *d);

/* How long to wait after the next failure in a row. */
int64_t slu_delivery_backoff(struct slu_delivery *d);

/* Nothing goes on: say so, wait, then try again. When stopping: give up instead of waiting. */
void slu_delivery_hold(struct slu_delivery *d, enum slu_delivery_state state,
                       const struct slu_err *err);

/* The sink answers. */
void slu_delivery_note_up(struct slu_delivery *d);

/* How far behind: by the arrival of the oldest record just read, 0: none is waiting. */
void slu_delivery_note_lag(struct slu_delivery *d, int64_t arrival_ns);

/* ---- delivery_answer.c ------------------------------------------------------------------------------ */

/* Do what is due: dead letters first, then the cursor. False: not possible now; held. */
bool slu_delivery_pay(struct slu_delivery *d);

/* Ask the sink, decide, pay. True when it may be offered more. */
bool slu_delivery_ask(struct slu_delivery *d, int64_t deadline_ns);

/* ---- delivery_identity.c ---------------------------------------------------------------------------- */

/* How far the far shore, which says `safe_seq`, knows our records. A place that this spool has never
 * given out is no place of ours: the spool gets a new id, or else slu_delivery_is_foreign() stops. */
uint64_t slu_delivery_known(struct slu_delivery *d, uint64_t safe_seq);

/* Would the far shore take `record` for another one? Then held. */
bool slu_delivery_is_foreign(struct slu_delivery *d, const struct slu_record *record);

/* Does the sink work under the id of `record`? Else it is closed as soon as nothing is under way, to be
 * opened under that id. */
bool slu_delivery_takes_id_of(struct slu_delivery *d, const struct slu_record *record);

/* Open the sink unless it is open. False: not possible, held. */
bool slu_delivery_open_sink(struct slu_delivery *d);
void slu_delivery_close_sink(struct slu_delivery *d);

/* ---- delivery_offer.c ------------------------------------------------------------------------------- */

/* Give the sink more, or wait until there is more. */
void slu_delivery_offer(struct slu_delivery *d, const struct slu_wishes *wishes);

#endif
