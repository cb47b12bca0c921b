/* spool.h -- the crash-safe log between the broker's thread and the sinks.
 *
 *   broker thread          writer thread                        sink threads
 *   ring (mapped file) ──▶ pwrite to segments, fdatasync ─────▶ pread from their cursor
 *
 * An append that returned survives kill -9 (the ring's pages outlive the process); it survives power
 * loss once it was synced (`durable_seq`). Sinks see a record only after its sync (mode os: after its
 * write), so the far side is never ahead of us. Every spool file, its recovery and its byte layout
 * are described at the top of segment.c, ring.c, cursor.c and recovery.c.
 *
 * Threads: functions say which thread may call them. "Owner" is the one that opened the spool and
 * appends (the broker's).
 */
#ifndef SLU_SINKS_SPOOL_SPOOL_H
#define SLU_SINKS_SPOOL_SPOOL_H

#include "base/err.h"
#include "base/slice.h"
#include "sinks/spool/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slu_disk;
struct slu_spool;
struct slu_spool_reader;

enum slu_spool_sync {
    SLU_SYNC_INTERVAL, /* fdatasync each sync_interval or 4 MiB */
    SLU_SYNC_ALWAYS,   /* the append waits (≤ 2 s) for its own record's fdatasync */
    SLU_SYNC_OS,       /* the kernel's own pace; sinks see a record after its pwrite */
};

/* When there is no more room. A sink that is behind meets it while others still have room: the last part
 * of max_size is kept for sinks that keep up (full.c). */
enum slu_when_full {
    SLU_FULL_DROP_OLDEST, /* the sink's oldest records go, counted */
    SLU_FULL_DROP_NEWEST, /* new records do not get this sink's bit, counted */
    SLU_FULL_REFUSE, /* the append is refused (QoS 1/2); QoS 0 loses this sink's bit, counted */
};

struct slu_spool_options {
    const char *data_dir; /* the spool lives in <data_dir>/spool; 0700 and ours. Made if it is
                                  missing (the last folder of the path, not its parents) */
    enum slu_spool_sync sync;
    int64_t sync_interval_ns;
    int64_t max_size_bytes;      /* of all segments */
    int64_t min_free_bytes;      /* on the file system */
    size_t segment_bytes;        /* 0: 64 MiB; tests use less */
    const struct slu_disk *disk; /* NULL: the real one (disk.h) */
};

/* Lock the data_dir, recover, start the writer thread. On error: err says what and which fix. A
 * warning worth a log line (damage set aside, identity renewed, mlock refused) is logged. Owner. */
struct slu_spool *slu_spool_open(const struct slu_spool_options *options, struct slu_err *err);

/* Write and sync what is in the ring, stop the writer, write the exact sequence number, unlock.
 * Readers must be closed before. Waits until `deadline_mono_ns` at most; what could not be written
 * stays in the ring for the next start. Owner. */
void slu_spool_close(struct slu_spool *spool, int64_t deadline_mono_ns);

/* Write and sync everything appended so far, so that sinks see it; waits until the deadline at most.
 * True when that was reached. Owner. */
bool slu_spool_flush(struct slu_spool *spool, int64_t deadline_mono_ns);

/* sync, sync_interval, max_size, min_free of a new configuration. Owner. */
void slu_spool_reconfigure(struct slu_spool *spool, const struct slu_spool_options *options);

/* The spool_id of records that are appended now; 16 bytes, good as long as the spool. */
const uint8_t *slu_spool_id(const struct slu_spool *spool);

/* The spool_id of record `seq`: a backlog keeps the id it was born with when the identity changed
 * (cloned image, restored copy). Numbers go on rising through such a change. One slu_spool_read() never
 * mixes records of two ids, so asking for the first is enough. Any thread. */
const uint8_t *slu_spool_id_of(const struct slu_spool *spool, uint64_t seq);

/* A far side knows records of our id that we never made: its cursor `far_seq` is beyond our head. We
 * are a copy of an older state; new records would pass for delivered. Gives a new id to all records of
 * this run. Sinks must then be opened again with slu_spool_id(), and ask their far side under that.
 * A second call in the same run changes nothing. Returns 0, or -1 and err (`far_seq` is not beyond;
 * the id cannot be written). Any thread. */
int slu_spool_renew_id(struct slu_spool *spool, uint64_t far_seq, struct slu_err *err);

/* ---- names: numbers that records carry instead of text ------------------------------------------- */

/* The bit of sink `name`, made if it is new (it then starts at the head). Returns 0 … SLU_SINKS_MAX-1,
 * or -1 when all bits are in use. `type` is for `spool list`. Syncs its file when
 * it is new. Any thread but one at a time; before the first record that has the bit. */
int slu_spool_sink(struct slu_spool *spool, const char *name, const char *type,
                   enum slu_when_full when_full, struct slu_err *err);

/* Sinks that are in the spool but not in `names` become orphaned: kept, shown. Threads: as above. */
void slu_spool_keep_sinks(struct slu_spool *spool, const char *const *names, size_t n_names);

/* The number of a policy, or of a schema with its type ("json-schema") and full text; the same for
 * the same content. 0: no room (65,535 at most) or no memory. Any thread but one at a time; not on
 * the hot path. A number stays good for the spool's life. Before the first record that uses it:
 * slu_spool_await_definitions(). */
uint16_t slu_spool_define_policy(struct slu_spool *spool, const char *id);
uint16_t slu_spool_define_schema(struct slu_spool *spool, const char *name, const char *type,
                                 struct slu_slice text);

/* Wait until everything defined so far is on the disk: a record that uses a number must not outlive its
 * meaning. One wait for all. Gives up after 2 s when the disk fails; the definitions then follow when it
 * works. Threads as above. */
void slu_spool_await_definitions(struct slu_spool *spool);

/* Text of a number, NULL when unknown; lives as long as the spool. Any thread. */
const char *slu_spool_policy_name(const struct slu_spool *spool, uint16_t number);
const char *slu_spool_schema_name(const struct slu_spool *spool, uint16_t number);
struct slu_slice slu_spool_schema_text(const struct slu_spool *spool, uint16_t number);

/* ---- append ---------------------------------------------------------------------------------------- */

enum slu_append {
    SLU_APPENDED,       /* in the spool; record->seq is set */
    SLU_APPEND_DROPPED, /* every sink's bit was taken away (full); all counted as discarded */
    SLU_APPEND_REFUSED, /* not taken: ring or disk full and refusal asked for; publisher shall re-send */
};

/* Append for the sinks in record->sinks. QoS 0 is never refused. The usual case is a memcpy and a
 * CRC: no lock, no allocation, no system call. Owner only.
 *
 * Without a sink nothing is stored: APPENDED, seq 0. A record that cannot be stored at all (larger
 * than SLU_RECORD_MAX_BYTES, a text beyond 65,535 bytes) is refused each time, QoS 0 dropped: the
 * caller's limits must be below. `always`: REFUSED also when the record is in the ring but not durable
 * within 2 s; it will be delivered, and its repetition as well. `record->properties` may be cut to
 * 65,535 bytes. */
enum slu_append slu_spool_append(struct slu_spool *spool, struct slu_record *record);

/* ---- read ------------------------------------------------------------------------------------------ */

/* The place of one sink. One reader a sink; used by one thread at a time. */
struct slu_spool_reader *slu_spool_reader_open(struct slu_spool *spool, const char *sink,
                                               struct slu_err *err);
void slu_spool_reader_close(struct slu_spool_reader *reader);

/* The durable place: every record of this sink up to here has a known fate. */
uint64_t slu_spool_reader_committed(const struct slu_spool_reader *reader);

/* Up to `max_records` records of this sink with seq > `after`, in order, as many as fit `max_bytes`
 * of record bytes (at least one). Records and their slices are borrowed until the next read. Returns
 * how many; 0: none readable yet; -1: an I/O error, err is set, try again later. Damaged records are
 * skipped and counted corrupt. When `after` is before the oldest kept record reading starts there. */
int slu_spool_read(struct slu_spool_reader *reader, uint64_t after, struct slu_record *records,
                   size_t max_records, size_t max_bytes, struct slu_err *err);

/* Wait until a record with seq > `after` is readable (true), or the deadline, or the reader was
 * woken (false). */
bool slu_spool_wait(struct slu_spool_reader *reader, uint64_t after, int64_t deadline_mono_ns);

/* End a wait early. Any thread. */
void slu_spool_wake(struct slu_spool_reader *reader);

/* All of this sink's records up to `seq` have their fate: `n_dead` of those newly passed were set
 * aside as dead letters, the rest was delivered. Moves the cursor on disk (synced at most once a
 * second and at close; the far side or the records themselves make a repeat harmless). Never goes
 * back. Returns 0, or -1 and `err`: the cursor in memory has moved all the same. */
int slu_spool_commit(struct slu_spool_reader *reader, uint64_t seq, uint64_t n_dead,
                     struct slu_err *err);

/* ---- watch ----------------------------------------------------------------------------------------- */

struct slu_spool_stats {
    int64_t bytes; /* of all segments */
    int64_t max_bytes;
    int64_t free_bytes; /* on the file system, as last asked */
    uint64_t head_seq;  /* newest appended */
    uint64_t durable_seq;
    uint64_t corrupt_records, corrupt_bytes; /* since start, set aside */
    uint64_t sync_failures;                  /* of segments, until they are sealed */
    bool full;    /* max_size, min_free or ENOSPC in force, for some sink or for all */
    bool failing; /* the last write or sync failed; see last_error */
    char last_error[256];
};

/* In every answer: spooled_at_start + routed = delivered + dead_lettered + discarded + corrupt + spooled */
struct slu_spool_sink_stats {
    char name[65];
    char type[16];
    int bit;
    bool orphaned;
    uint64_t spooled_at_start, routed, delivered, dead_lettered, discarded, corrupt, spooled;
    uint64_t committed_seq;
    int64_t oldest_time_ns; /* arrival of the oldest record still spooled, 0: none; about right */
};

/* Any thread. */
void slu_spool_stats(const struct slu_spool *spool, struct slu_spool_stats *stats);

/* Fill up to `max` entries, orphaned sinks included; returns how many there are. Any thread. */
size_t slu_spool_sink_stats(const struct slu_spool *spool, struct slu_spool_sink_stats *stats,
                            size_t max);

/* ---- look from outside ----------------------------------------------------------------------------- */

/* Reads a spool directory (live or not) without a lock and without changing it: for `sluice spool`. */
struct slu_spool_view;

struct slu_spool_view *slu_spool_view_open(const char *data_dir, struct slu_err *err);
void slu_spool_view_close(struct slu_spool_view *view);
const uint8_t *slu_spool_view_id(const struct slu_spool_view *view);

struct slu_spool_segment_info {
    char file[32]; /* <seq20>.seg */
    uint64_t first_seq, last_seq, records, bytes, damaged_records;
    bool sealed;
};
size_t slu_spool_view_segments(struct slu_spool_view *view, struct slu_spool_segment_info *infos,
                               size_t max);
size_t slu_spool_view_sinks(struct slu_spool_view *view, struct slu_spool_sink_stats *stats,
                            size_t max); /* name, type, bit, spooled, committed_seq are filled */

/* The spool_id of record `seq`, as slu_spool_id_of(). */
const uint8_t *slu_spool_view_id_of(const struct slu_spool_view *view, uint64_t seq);

/* Next record in order, ring records last; false at the end. `*policy` and `*schema` are names (NULL:
 * none or unknown). All is borrowed until the next call. */
bool slu_spool_view_next(struct slu_spool_view *view, struct slu_record *record,
                         const char **policy, const char **schema);

/* The document of a record's schema; empty when unknown. Borrowed like the record. */
struct slu_slice slu_spool_view_schema_text(const struct slu_spool_view *view, uint16_t number);

/* Check every byte: returns the number of damaged stretches, and describes each to `report`. */
size_t slu_spool_view_verify(struct slu_spool_view *view,
                             void (*report)(void *context, const char *line), void *context);

/* Give up an orphaned sink's claim, so that its segments can go. Takes the lock: the broker must not
 * run. Returns 0, or -1 and err (not orphaned? unknown? locked?). `records` gets how many it let go. */
int slu_spool_forget(const char *data_dir, const char *sink, uint64_t *records,
                     struct slu_err *err);

#endif
