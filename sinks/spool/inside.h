/* inside.h -- the spool's own parts, seen by its files only.
 *
 *   spool.c     open, close, definitions, numbers for the watcher
 *   sink.c      the sinks: bits, cursors, orphans
 *   append.c    the owner's hot path
 *   writer.c    the writer thread: ring -> segments -> disk
 *   active.c    the segment it writes: begun, defined, sealed, abandoned
 *   table.c     the segments there are, and what each sink still has to pass in them
 *   full.c      max_size, min_free, when_full
 *   recovery.c  from files to the state above
 *   reader.c    one sink's way through the segments; walk.c, marks.c: its parts
 *
 * Threads: `lock` guards the table, the sinks' books and positions, and the names. It is held for
 * memory only, never over a system call that may wait (deleting a segment is the writer's, without
 * it). The owner takes it for sinks and definitions, never in an append. What the owner and the writer
 * share in the hot path are the atomics here and in the ring.
 */
#ifndef SLU_SINKS_SPOOL_INSIDE_H
#define SLU_SINKS_SPOOL_INSIDE_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "sinks/spool/cursor.h"
#include "sinks/spool/disk.h"
#include "sinks/spool/identity.h"
#include "sinks/spool/names.h"
#include "sinks/spool/ring.h"
#include "sinks/spool/scan.h"
#include "sinks/spool/segment.h"
#include "sinks/spool/spool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define SLU_CHUNK_BYTES     (256u << 10) /* one pwrite */
#define SLU_UNSYNCED_BYTES  (4u << 20)   /* then a sync is due */
#define SLU_SEGMENT_DEFAULT (64u << 20)
#define SLU_SEGMENT_LEAST   (1u << 20)
#define SLU_PASS_NS         (100 * SLU_NS_PER_MS) /* longest time between two passes of the writer */

/* ---- segments ------------------------------------------------------------------------------------ */

/* What is known of one segment. Only what is readable by sinks is counted here. */
struct slu_segment {
    uint64_t base_seq;
    uint64_t last_seq; /* base_seq - 1: no record yet */
    uint64_t records;
    uint64_t end;        /* bytes that sinks may read */
    uint64_t on_disk;    /* size of the file */
    uint8_t id[16];      /* seed of its CRCs */
    bool sealed;         /* nothing more will come */
    uint32_t generation; /* rises when a file of the same name takes its place */
    int64_t first_time_ns, last_time_ns;
    uint64_t damage_seen; /* damage before this offset has been counted */
    uint32_t late_definition;
    uint32_t counts[SLU_SINKS_MAX];
};

struct slu_table {
    struct slu_segment *items; /* ascending base_seq */
    size_t n, cap;
};

/* All under the lock, pointers good until the next change. */
struct slu_segment *slu_table_add(struct slu_table *table, const struct slu_segment *segment);
void slu_table_remove(struct slu_table *table, size_t index);
struct slu_segment *slu_table_find(const struct slu_table *table, uint64_t base_seq);
/* The first with base_seq > `base_seq`; NULL: none. */
struct slu_segment *slu_table_next(const struct slu_table *table, uint64_t base_seq);
/* The last with base_seq ≤ `seq`, else the first of all; NULL: none at all. */
struct slu_segment *slu_table_holding(const struct slu_table *table, uint64_t seq);
struct slu_segment *slu_table_newest(const struct slu_table *table);

/* ---- sinks --------------------------------------------------------------------------------------- */

struct slu_spool_sink {
    bool used;
    bool reader_open;
    struct slu_cursor cursor; /* position and flags under the lock, its file under file_lock */
    pthread_mutex_t file_lock;
    _Atomic uint8_t when_full;
    /* Under the lock. */
    uint64_t spooled_at_start, delivered, dead_lettered, corrupt, discarded_old;
    uint64_t written; /* records of this sink that became readable in this run */
    /* Written by the owner only. */
    _Atomic uint64_t routed, discarded_new;
    /* Written by the writer only. */
    _Atomic uint64_t visible_last; /* seq of the newest readable record of this sink */
    _Atomic int64_t oldest_ns;     /* arrival of the oldest that is left; about right */
};

/* Records of `sink` in `segment` that it still has to pass. */
uint64_t slu_sink_left_in(const struct slu_spool_sink *sink, const struct slu_segment *segment);
/* The same in all segments. */
uint64_t slu_sink_left(const struct slu_table *table, const struct slu_spool_sink *sink);
/* Move on: what is left up to the end of `segment` counts as gone; returns how many that were. */
uint64_t slu_sink_pass_segment(const struct slu_table *table, struct slu_spool_sink *sink,
                               const struct slu_segment *segment);

/* ---- writer -------------------------------------------------------------------------------------- */

struct slu_writer {
    int fd;            /* of the segment being written; -1: none, one must be begun */
    uint64_t base_seq; /* its base */
    uint64_t written;  /* where the next byte goes */
    uint8_t *unsynced; /* frames that are not durable yet, in order */
    size_t unsynced_len, unsynced_cap;
    size_t in_file; /* of those, how many are in the file */
    int64_t unsynced_since_ns;
    size_t names_written;   /* live definitions that the segment has */
    uint32_t sinks_written; /* bits of the sinks it defines */
    uint32_t late_definition;
    uint64_t last_seq; /* of the last record taken over from the ring or recovered */
    int ahead_fd;      /* the next segment, made ahead; -1: none */
    uint64_t ahead_bytes;
    int64_t retry_ns; /* not before this (monotonic) after a failure */
    int64_t retry_wait_ns;
    int64_t looked_ns; /* last look at the disk's free space */
    unsigned level;    /* 50, 80, 95: last told */
    bool run_wanted;   /* numbers were skipped: say so in the segment */
    struct slu_log_rate failing_rate, works_rate, full_rate, reserve_rate;
    struct slu_buf scratch;
};

struct slu_spool {
    const struct slu_disk *disk;
    int data_fd, dir_fd, lock_fd;
    char *data_dir;
    struct slu_identity identity;
    struct slu_ring ring;
    uint32_t seed; /* of this run's frames */
    uint8_t seed_id[16];
    uint64_t run_first_seq;

    /* Options; atomics because they change while the writer runs. */
    _Atomic int sync;
    _Atomic int64_t sync_interval_ns, max_size_bytes, min_free_bytes;
    size_t segment_option;

    /* Owner's own. */
    uint64_t next_seq;
    bool ring_stalled;
    uint64_t woken_at;      /* head of the ring's last wake */
    uint64_t undurable_seq; /* always: a record that was not durable in time */

    /* Owner to all. */
    _Atomic uint64_t head_seq;
    _Atomic uint32_t wake; /* futex of the writer */
    _Atomic bool stopping;
    _Atomic int64_t stop_deadline_ns;

    /* Writer to all. */
    _Atomic uint64_t reserved_end; /* numbers below it may be given */
    _Atomic uint64_t passed_head;  /* ring position at the writer's last pass */
    _Atomic uint64_t durable_seq;
    _Atomic uint32_t durable_step; /* futex of an owner that waits in `always` */
    _Atomic uint32_t full_for;     /* bits of the sinks whose when_full is in force (full.c) */
    _Atomic bool failing;
    _Atomic int64_t free_bytes;
    _Atomic uint64_t sync_failures, corrupt_records, corrupt_bytes;
    _Atomic bool identity_changed; /* the writer shall store it */
    _Atomic bool reclaim;          /* a cursor moved: segments may be free */
    _Atomic bool emptied;          /* at the end: everything is durable */

    pthread_mutex_t lock;
    pthread_cond_t readable; /* something became readable, or a reader was woken */
    pthread_cond_t defined;  /* definitions were written, or the writer ended */
    struct slu_table table;
    struct slu_spool_sink sinks[SLU_SINKS_MAX];
    struct slu_names names;
    size_t names_durable; /* live definitions that are on disk */
    char last_error[256];
    bool writer_ended;

    struct slu_writer writer;
    pthread_t thread;
    bool thread_started;
    bool recovering; /* from open until the writer's thread starts */
};

/* Set up before recovery, which writes with it; the thread comes later. */
bool slu_writer_init(struct slu_spool *spool);
void slu_writer_fini(struct slu_spool *spool);

/* Write a sink's cursor as it is now. Any thread, no lock held. */
int slu_spool_store_cursor(struct slu_spool *spool, struct slu_spool_sink *sink, bool sync,
                           struct slu_err *err);

/* Absolute CLOCK_MONOTONIC time for pthread_cond_timedwait, `ns` from now. */
void slu_wait_until(int64_t ns, struct timespec *until);

/* Remember why the last write failed, for the watcher; and that the disk works. */
void slu_spool_failed(struct slu_spool *spool, const char *what, int sys);
void slu_spool_works(struct slu_spool *spool);

/* Have the file of the next segment ready. 0, or -1 and errno: `full_for` is everybody, or `failing` is
 * set. */
int slu_writer_keep_ahead(struct slu_spool *spool);

/* Look again for whom the spool is full. */
void slu_writer_look_full(struct slu_spool *spool);

/* Begin a new segment, and write to it what is not durable yet. 0 or -1. */
int slu_writer_begin(struct slu_spool *spool);

/* The file being written failed: it ends where it was last durable. */
void slu_writer_abandon(struct slu_spool *spool);

/* Take over whole frames (one chunk, or one large frame): they are in the file when 0 is returned.
 * After -1 nothing of them was taken; the caller keeps them and tries again later. */
int slu_writer_put(struct slu_spool *spool, const uint8_t *frames, size_t n);

/* Sync a segment that is being written; a failure is counted. 0, or -1 and errno. */
int slu_writer_sync_file(struct slu_spool *spool, int fd);

/* Make everything durable and readable. 0 or -1. */
int slu_writer_sync(struct slu_spool *spool);

/* Write the definitions that the segment lacks, and sync. 0 or -1. */
int slu_writer_define(struct slu_spool *spool);

/* End the segment being written: footer, exact size, sync. */
void slu_writer_seal(struct slu_spool *spool);

/* Bytes of a new segment under the options in force. */
uint64_t slu_writer_segment_bytes(const struct slu_spool *spool);

void *slu_writer_main(void *spool);

/* Wake the writer. Any thread. */
void slu_writer_wake(struct slu_spool *spool);

/* Write a footer to a segment that is complete but unsealed. 0, or -1 and errno. */
int slu_segment_seal(const struct slu_disk *disk, int fd, const struct slu_segment *segment);

/* ---- full ---------------------------------------------------------------------------------------- */

/* Delete the segments that all sinks have passed. Writer. Returns how many. */
size_t slu_full_reclaim(struct slu_spool *spool);

/* May `bytes` more be put on the disk? Deletes what may be deleted, lets sinks with drop_oldest lose
 * what they must. Writer. */
bool slu_full_make_room(struct slu_spool *spool, uint64_t bytes);

/* The same after the disk itself said there is no room: gives up one segment; false: none to give. */
bool slu_full_give_one(struct slu_spool *spool);

/* Bits of the sinks that have used up what they may: they are behind, and only the reserve is left. Whether
 * there is room at all is make_room's answer. Writer. */
uint32_t slu_full_behind(struct slu_spool *spool);

/* All segments' bytes, the one made ahead included. Any thread, lock held. */
uint64_t slu_full_bytes(const struct slu_spool *spool);

/* ---- recovery ------------------------------------------------------------------------------------ */

/* Steps 2 to 5 of a start (recovery.c): identity, segments, ring. 0, or -1 and err. */
int slu_recovery_run(struct slu_spool *spool, const char *data_dir, struct slu_err *err);

/* ---- waiting ------------------------------------------------------------------------------------- */

/* futex(2) on a word of our own process. The wait ends at a wake, a change, or after `ns`. */
void slu_futex_wait(const _Atomic uint32_t *word, uint32_t expected, int64_t ns);
void slu_futex_wake(const _Atomic uint32_t *word);

#endif
