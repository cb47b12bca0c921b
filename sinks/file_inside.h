/* file_inside.h -- what the files of the file sink share; file.h is for everyone else.
 *
 *   file.c           the sink: options, push, settle
 *   file_rotate.c    begin and end one file
 *   file_state.c     the state file: lock, and what a crash must not forget
 *   file_recover.c   after a start: finish what was left open
 *   file_tree.c      walking the dated folders, names of files
 *   file_retain.c    removing the oldest
 *   file_probe.c     what `sluice check --connect` tells
 *   file_compress.c  gzip, a slice at a time
 *   file_avro.c      `format: avro`: blocks of records
 *
 * Exactly once. What is in the open file up to `synced_bytes` is durable and never written again;
 * `pending` belongs behind it and stays in memory until its fdatasync succeeded:
 *
 *   .archive-plant1-….inprogress  │ whole lines, synced         │ pending (memory)
 *                                 └──────── synced_bytes ───────┴── pwrite, fdatasync
 *                                                 safe_seq ▲            ▲ pending_last
 *
 * A write that fails (disk full) is cut back to synced_bytes and tried again later with the same
 * bytes. After a failed fdatasync nobody knows what the disk holds: the file is cut to synced_bytes
 * and ended there, pending goes into a new one.
 *
 * Each file goes through these steps; a crash between any two of them loses and doubles nothing:
 *
 *   1 the state says: safe up to s, next open file is X     recovery: X is not there: safe = s
 *   2 X is made, its folder synced                          X is empty: removed, safe = s
 *   3 lines, fdatasync; again and again                     X is cut to its last whole line: safe = its seq
 *   4 the state says: safe up to X's last line, open is X   the same
 *   5 X gets its final name, its folder synced              X is not there: safe = state's
 *   6 gzip: .tmp written, synced, renamed; the plain one    .tmp: removed, begun again; both are there:
 *     removed                                               the plain one is removed
 *
 * With `format: avro` read blocks for lines. After each fdatasync of 3 the state also says how many bytes
 * of X are safe, and that is where X is cut: a block has no mark of its own that would tell pages which
 * never reached the disk from zeros that were written.
 *
 * Recovery trusts the state and the lines only as far as they were written from this spool (the state
 * holds its id, each line's id is made from it): with a new spool, numbers start again from 1.
 *
 * Threads: all of it runs in the sink's own thread.
 */
#ifndef SLU_SINKS_FILE_INSIDE_H
#define SLU_SINKS_FILE_INSIDE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "sinks/sink.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SLU_FILE_PREFIX_MAX  160u /* bytes of "<sink>-<instance>" */
#define SLU_FILE_NAME_SIZE   256u /* NAME_MAX and a NUL */
#define SLU_FILE_FOLDER_SIZE 32u  /* "dt=YYYY-MM-DD/hour=HH" and a NUL */
#define SLU_FILE_PLACE_SIZE  (SLU_FILE_FOLDER_SIZE + SLU_FILE_NAME_SIZE)

/* What the state file holds (file_state.c). */
struct slu_file_state {
    int fd;           /* locked; -1: not open */
    bool is_known;    /* false: the file is new, or was not readable */
    uint64_t counter; /* of the newest slot */
    uint8_t spool_id[16];
    uint64_t safe_seq;
    uint64_t open_bytes; /* of the open file that are safe, when it is a container file */
    char open[SLU_FILE_PLACE_SIZE]; /* "dt=…/hour=…/.….inprogress"; "" none; "*" search for it */
};

struct slu_file_gzip;
struct slu_file_avro;

/* What is in the files; the end of their names says so. */
enum slu_file_format {
    SLU_FILE_JSONL,
    SLU_FILE_AVRO,
    SLU_FILE_FORMATS,
};
extern const char *const slu_file_suffixes[SLU_FILE_FORMATS]; /* ".jsonl", ".avro" */

struct slu_file {
    /* options */
    const struct slu_sink_env *env;
    char *path;
    char prefix[SLU_FILE_PREFIX_MAX + 1]; /* "<sink>-<instance>", escaped */
    int64_t rotate_bytes, rotate_age_ns;
    int64_t retain_age_ns, retain_bytes; /* 0: not bounded */
    enum slu_file_format format;
    bool compresses;            /* finished files of lines */
    struct slu_file_avro *avro; /* NULL: lines */

    /* the path */
    bool is_started; /* root is open and locked, recovery is done */
    int root;        /* folder `path`; -1 */
    struct slu_file_state state;
    struct slu_file_gzip *gzip; /* a compression under way; NULL none */
    int64_t retain_due_ns;      /* monotonic */

    /* the open file */
    int fd, folder; /* -1: none */
    char folder_name[SLU_FILE_FOLDER_SIZE], name[SLU_FILE_NAME_SIZE];
    int64_t hour; /* hours since 1970 of the open file, or of what is pending */
    uint64_t first_seq, n_lines;
    off_t synced_bytes;
    bool is_suspect; /* an fdatasync or the state failed: cut and end it before anything else */
    bool wants_end;  /* the next record belongs into another file, or a reload asks for that */
    char final
        [SLU_FILE_NAME_SIZE]; /* the name it has already, but its folder is not synced; "" none */
    int64_t opened_ns, written_ns; /* monotonic */

    /* lines that are not durable yet */
    struct slu_buf pending;
    uint64_t pending_first, pending_last, n_pending;

    uint64_t safe_seq;
    bool needs_reset; /* answer RESET next */
};

/* ---- file_rotate.c ----------------------------------------------------------------------------------- */

/* The folder of an hour since 1970, made if it is missing. Returns a descriptor, or -1 and err. */
int slu_file_folder(struct slu_file *file, int64_t hour, char name[SLU_FILE_FOLDER_SIZE],
                    struct slu_err *err);

/* Make the open file of `hour` whose first record is pending_first: steps 1 and 2. */
int slu_file_begin(struct slu_file *file, struct slu_err *err);

/* Give the open file its final name: steps 4 and 5, and begin 6. Nothing may be pending behind it. One
 * without a line is removed. Returns 0, or -1 and err: it is still open. */
int slu_file_end(struct slu_file *file, struct slu_err *err);

/* Rename `open_name` in `folder` to the final name for its records; `final` gets that name ("" when it
 * could not be renamed), and the folder is synced. */
int slu_file_rename(const struct slu_file *file, int folder, const char *open_name,
                    enum slu_file_format format, uint64_t first_seq, uint64_t last_seq,
                    char final[SLU_FILE_NAME_SIZE], struct slu_err *err);

/* The open file was removed by somebody: say so and drop it. */
void slu_file_note_gone(struct slu_file *file);

/* Close the open file as it is. */
void slu_file_drop(struct slu_file *file);

/* ---- file_state.c ------------------------------------------------------------------------------------ */

/* Open (or make) and lock the state file in folder `root`, read it. Returns 0, or -1 and err. */
int slu_file_state_open(struct slu_file_state *state, int root, const char *prefix,
                        struct slu_err *err);
int slu_file_state_write(struct slu_file_state *state, const uint8_t spool_id[16],
                         uint64_t safe_seq, const char *open, uint64_t open_bytes,
                         struct slu_err *err);
void slu_file_state_close(struct slu_file_state *state);

/* ---- file_recover.c ---------------------------------------------------------------------------------- */

/* Finish what an earlier life left open and set safe_seq. Repeatable. Returns 0, or -1 and err. */
int slu_file_recover(struct slu_file *file, struct slu_err *err);

/* The same for one open file by its folder ("dt=…/hour=…") and name. Does the state know how much of it
 * is safe? */
int slu_file_recover_one(struct slu_file *file, const char *folder_name, const char *name,
                         bool state_knows, struct slu_err *err);

/* How much of a file that was left open is sound. */
struct slu_file_reading {
    off_t sound_end; /* of the last line or block of the unbroken front */
    uint64_t last_seq, last_ours;
    bool is_damaged; /* what follows is more than one that is torn */
};

/* ---- file_tree.c ------------------------------------------------------------------------------------- */

/* "dt=YYYY-MM-DD/hour=HH" of an hour since 1970. */
void slu_file_folder_name(int64_t hour, char name[SLU_FILE_FOLDER_SIZE]);

/* What a name in an hour's folder is. */
enum slu_file_kind {
    SLU_FILE_FOREIGN, /* not of this sink and instance */
    SLU_FILE_OPEN,    /* .<prefix>-<first>.jsonl.inprogress, or .avro. */
    SLU_FILE_PLAIN,   /* <prefix>-<first>-<last>[-n].jsonl */
    SLU_FILE_GZIP,    /* the same with .gz, or .avro: as it stays */
    SLU_FILE_TEMP,    /* .<prefix>-<first>-<last>[-n].jsonl.gz.tmp */
};
enum slu_file_kind slu_file_kind(const struct slu_file *file, const char *name,
                                 uint64_t *first_seq);

/* By the end of an open file's name. */
enum slu_file_format slu_file_format_of(const char *open_name);

/* Open "dt=…/hour=…" below root without following links; -1 and errno. */
int slu_file_folder_open(const struct slu_file *file, const char *folder_name);

/* One folder of an hour and its names, sorted. Borrowed for the call. */
struct slu_file_visit {
    int folder;
    const char *folder_name;
    int64_t hour;
    struct dirent **names;
    int n_names;
};

/* Visit one. True when there is nothing there, or `visit` wants to go on. */
bool slu_file_folder_visit(const struct slu_file *file, const char *folder_name,
                           bool (*visit)(void *context, const struct slu_file_visit *folder),
                           void *context);

/* Visit up to `max` folders of hours, oldest or newest first, until `visit` returns false. */
int slu_file_tree_walk(const struct slu_file *file, bool newest_first, size_t max,
                       bool (*visit)(void *context, const struct slu_file_visit *folder),
                       void *context, struct slu_err *err);

/* ---- file_retain.c ----------------------------------------------------------------------------------- */

/* Remove finished files beyond `retain`; at most once a minute unless `now`. */
void slu_file_retain(struct slu_file *file, bool now);

/* ---- file_compress.c --------------------------------------------------------------------------------- */

/* Begin to compress the finished file `name` in `folder` (which is duplicated). When that is not
 * possible, or one is under way already, the file stays plain and a line says so. */
void slu_file_gzip_begin(struct slu_file *file, int folder, const char *name);

/* Go on until it is done or the moment has come. Returns 0, or -1 and err when a file that is no
 * longer wanted cannot be removed: the next call tries again. */
int slu_file_gzip_step(struct slu_file *file, int64_t until_mono_ns, struct slu_err *err);

/* Give up; the plain file stays for the next start. */
void slu_file_gzip_stop(struct slu_file *file);

/* ---- file_avro.c ------------------------------------------------------------------------------------- */

/* The options of container files, for sink.h's check and open. */
void slu_file_avro_check(const struct slu_node *section, struct slu_problems *problems);
int slu_file_avro_open(struct slu_file *file, const struct slu_node *section, struct slu_err *err);
void slu_file_avro_close(struct slu_file *file);

/* Add a record to the block that is being filled; a full one becomes pending. False: no memory now. */
bool slu_file_avro_add(struct slu_file *file, const struct slu_record *record);

/* Bytes of that block, before they are packed. */
size_t slu_file_avro_unsealed(const struct slu_file *file);

/* Make a pending block of it. False: no memory now. */
bool slu_file_avro_seal(struct slu_file *file);

/* Forget it. */
void slu_file_avro_forget(struct slu_file *file);

/* What the open file begins with; borrowed. */
struct slu_slice slu_file_avro_head(const struct slu_file *file);

/* Which of the first `size` bytes of a container file are whole blocks? Returns 0, or -1 and err. */
int slu_file_avro_read(const struct slu_file *file, int fd, off_t size,
                       struct slu_file_reading *reading, struct slu_err *err);

/* ---- file_probe.c ------------------------------------------------------------------------------------ */

/* sink.h's probe. */
void slu_file_probe(const struct slu_sink_env *env, const struct slu_node *section,
                    int64_t deadline_mono_ns, struct slu_sink_report *report);

#endif
