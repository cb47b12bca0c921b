/* file_help.h -- what the tests of the file sink share: the sink driven as the delivery
 * drives it (push, settle, RESET → push again), and the lake looked at.
 *
 * Every call that changes the disk is counted by wrappers (the link says which): at a chosen one the process
 * ends as if killed, or the call fails. Syncs are counted but not made: a killed process does not need them. */
#ifndef SLU_TESTS_UNIT_FILE_HELP_H
#define SLU_TESTS_UNIT_FILE_HELP_H

#include "sinks/file.h"

#include "base/clock.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "base/uuid.h"
#include "base/yaml.h"
#include "sinks/envelope.h"
#include "tests/unit/container_help.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HOUR_NS      (3600 * SLU_NS_PER_S)
#define MIDNIGHT     INT64_C(1767225600000000000) /* 2026-01-01T00:00:00Z */

enum { MAX_SEQ = 4000, CRASHED = 77 };

/* ---- calls that change the disk ------------------------------------------------------------------------ */

static long n_calls;              /* so far */
static long crash_at;             /* the process ends there; 0 never */
static bool crash_halfway;        /* … after half of a write */
static long fail_from, fail_upto; /* these fail */
static int fail_with;

/* Count a call. True: it shall fail, errno is set. */
static inline bool counted(void)
{
    n_calls++;
    if (n_calls == crash_at)
        _exit(CRASHED);
    if (n_calls < fail_from || n_calls > fail_upto)
        return false;
    errno = fail_with;
    return true;
}

#define WRAP(type, name, parameters, arguments)          \
    type __real_##name parameters;                       \
    type __wrap_##name parameters;                       \
    type __wrap_##name parameters                        \
    {                                                    \
        return counted() ? -1 : __real_##name arguments; \
    }

WRAP(int, mkdirat, (int dir, const char *name, mode_t mode), (dir, name, mode))
WRAP(int, ftruncate, (int fd, off_t n), (fd, n))
WRAP(int, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to))
WRAP(int, renameat2, (int a, const char *from, int b, const char *to, unsigned flags),
     (a, from, b, to, flags))
WRAP(int, unlinkat, (int dir, const char *name, int flags), (dir, name, flags))

int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    (void)fd;
    return counted() ? -1 : 0;
}

int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
    (void)fd;
    return counted() ? -1 : 0;
}

ssize_t __real_pwrite(int fd, const void *bytes, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    if (crash_halfway && n_calls + 1 == crash_at)
        (void)!__real_pwrite(fd, bytes, n / 2, at);
    if (fail_with != 0 && n_calls + 1 == fail_from)
        (void)!__real_pwrite(fd, bytes, n / 3, at); /* … leaves something behind */
    return counted() ? -1 : __real_pwrite(fd, bytes, n, at);
}

ssize_t __real_write(int fd, const void *bytes, size_t n);
ssize_t __wrap_write(int fd, const void *bytes, size_t n);
ssize_t __wrap_write(int fd, const void *bytes, size_t n)
{
    if (fd <= 2)
        return __real_write(fd, bytes, n);
    if (crash_halfway && n_calls + 1 == crash_at)
        (void)!__real_write(fd, bytes, n / 2);
    return counted() ? -1 : __real_write(fd, bytes, n);
}

int __real_openat(int dir, const char *name, int flags, ...);
int __wrap_openat(int dir, const char *name, int flags, ...);
int __wrap_openat(int dir, const char *name, int flags, ...)
{
    if ((flags & O_CREAT) == 0)
        return __real_openat(dir, name, flags);
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = va_arg(arguments, mode_t);
    va_end(arguments);
    return counted() ? -1 : __real_openat(dir, name, flags, mode);
}

static inline void calls_are_well(void)
{
    n_calls = crash_at = fail_from = fail_upto = 0;
    fail_with = 0;
}

/* ---- clocks and log ---------------------------------------------------------------------------------------- */

static int64_t wall_ns, mono_ns, mono_step_ns;

static inline int64_t read_wall(void)
{
    return wall_ns;
}

static inline int64_t read_mono(void)
{
    mono_ns += mono_step_ns;
    return mono_ns;
}

static char log_text[1 << 14];

static inline void keep_line(enum slu_log_level level, const char *line)
{
    (void)level;
    const size_t used = strlen(log_text);
    snprintf(log_text + used, sizeof(log_text) - used, "%s\n", line);
}

/* ---- the sink and its driver ---------------------------------------------------------------------------- */

static char root[64], lake[160]; /* lake: the sink's path, not made beforehand */
static uint8_t spool_id[16];
static char instance[300];
static struct slu_sink_env env;
static const struct slu_sink_ops *const ops = &slu_sink_file;
static void *sink;
static struct slu_arena arena;

static inline const char *name_of(const void *names, uint16_t number)
{
    (void)names;
    return number == 1 ? "ovens" : NULL;
}

static const struct slu_node *section_of(const char *options)
{
    char text[512];
    struct slu_problems problems;
    slu_problems_init(&problems);
    snprintf(text, sizeof(text), "{type: file, path: \"%s\"%s%s}", lake,
             options[0] != '\0' ? ", " : "", options);
    const struct slu_node *section =
        slu_yaml_parse(slu_slice_of(text), "test.yaml", &arena, &problems);
    if (section == NULL)
        fail_msg("%s", problems.n > 0 ? problems.items[0].err.text : text);
    slu_problems_fini(&problems);
    return section;
}

static inline int open_err(const char *options, struct slu_err *err)
{
    env = (struct slu_sink_env){.name = "archive",
                                .instance = instance,
                                .spool_id = spool_id,
                                .policy_name = name_of,
                                .schema_name = name_of};
    sink = calloc(1, ops->self_bytes);
    return ops->open(sink, &env, section_of(options), err);
}

static inline void open_sink(const char *options)
{
    struct slu_err err = {0};
    if (open_err(options, &err) != 0)
        fail_msg("%s", err.text);
}

static inline void close_sink(void)
{
    if (sink == NULL)
        return;
    ops->close(sink);
    free(sink);
    sink = NULL;
}

/* Arrival of a record: what the scenarios are about. */
static int64_t (*arrival)(uint64_t seq);

static inline int64_t at_midnight(uint64_t seq)
{
    return MIDNIGHT + (int64_t)seq;
}

/* An hour on after 20 records, one back after 40 (the clock was set), two days on after 50. */
static inline int64_t through_hours(uint64_t seq)
{
    return MIDNIGHT + (int64_t)seq +
           (seq > 50   ? 48 * HOUR_NS
            : seq > 40 ? 0
            : seq > 20 ? HOUR_NS
                       : 0);
}

static size_t payload_bytes; /* up to 300 */

static inline struct slu_record record_of(uint64_t seq)
{
    static char text[300];
    memset(text, 'x', sizeof(text));
    return (struct slu_record){.seq = seq,
                               .time_ns = arrival(seq),
                               .event_ns = arrival(seq),
                               .policy = 1,
                               .kind = SLU_RECORD_MESSAGE,
                               .format = SLU_RECORD_STRING,
                               .quality = 192,
                               .topic = SLU_SLICE("plant/oven"),
                               .payload = slu_slice(text, payload_bytes)};
}

/* What the delivery knows; shared with a child that is killed. */
static struct cursor {
    uint64_t committed;
} * cursor;
static uint64_t pushed;
static struct slu_err last_err;

/* What look() found. */
static struct look {
    size_t times[MAX_SEQ + 1];
    size_t n_plain, n_gzip, n_avro, n_open, n_temp, n_damaged, n_files;
    char names[8192]; /* all finished ones, "dt=…/hour=…/name\n" */
} found;

static inline int set_up(void **state)
{
    (void)state;
    calls_are_well();
    snprintf(root, sizeof(root), "/tmp/slu-file-XXXXXX");
    memset(spool_id, 5, sizeof(spool_id));
    snprintf(instance, sizeof(instance), "plant1");
    wall_ns = MIDNIGHT;
    mono_ns = SLU_NS_PER_S;
    mono_step_ns = 0;
    log_text[0] = '\0';
    slu_clock_replace(read_wall, read_mono);
    slu_log_open(keep_line);
    slu_arena_init(&arena, 1 << 20);
    arrival = at_midnight;
    payload_bytes = 300;
    memset(&found, 0, sizeof(found));
    cursor->committed = pushed = 0;
    if (mkdtemp(root) == NULL)
        return -1;
    snprintf(lake, sizeof(lake), "%s/srv/lake", root);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    char command[128];
    calls_are_well();
    close_sink();
    slu_arena_fini(&arena);
    slu_log_close();
    slu_clock_replace(NULL, NULL);
    snprintf(command, sizeof(command), "rm -rf '%s'", root);
    return system(command);
}

static inline enum slu_sink_answer settle(void)
{
    struct slu_settlement settlement = {0};
    last_err = (struct slu_err){0};
    const enum slu_sink_answer answer = ops->settle(sink, mono_ns, &settlement, &last_err);
    assert_int_equal(settlement.n_rejects, 0);
    assert_true(answer == SLU_SINK_RESET || settlement.safe_seq <= pushed ||
                settlement.safe_seq <= cursor->committed);
    if (settlement.safe_seq > cursor->committed)
        cursor->committed = settlement.safe_seq;
    if (answer == SLU_SINK_RESET)
        pushed = cursor->committed;
    return answer;
}

/* One turn: offer up to `batch` records, settle. */
static inline enum slu_sink_answer turn(uint64_t upto, size_t batch)
{
    struct slu_record records[16];
    size_t n = 0;
    while (n < batch && pushed + n < upto) {
        records[n] = record_of(pushed + n + 1);
        n++;
    }
    if (n > 0)
        pushed += ops->push(sink, records, n, mono_ns);
    return settle();
}

/* Deliver up to record `upto`; gives up after many turns without an end. */
static inline void deliver(uint64_t upto)
{
    for (int i = 0; i < 3000 && cursor->committed < upto; i++)
        turn(upto, 7);
    if (cursor->committed < upto)
        fail_msg("stands at %" PRIu64 ": %s", cursor->committed, last_err.text);
}

static inline void finish(void)
{
    ops->finish(sink, mono_ns + SLU_NS_PER_S);
    settle();
}

/* ---- looking at the lake ---------------------------------------------------------------------------------- */

/* Count the lines of one file, plain or packed (zlib reads both). */
static inline void look_at_file(const char *path)
{
    gzFile file = gzopen(path, "rb");
    char line[4096];
    uint64_t last = 0;

    assert_non_null(file);
    while (gzgets(file, line, sizeof(line)) != NULL) {
        uint64_t seq = 0;
        bool ours = false;
        const size_t n = strlen(line);
        if (n < 2 || line[n - 1] != '\n' || line[n - 2] != '}' ||
            !slu_envelope_place(slu_slice(line, n), spool_id, &seq, &ours))
            fail_msg("%s: torn or strange: %s", path, line);
        if (seq <= last || seq > MAX_SEQ)
            fail_msg("%s: %" PRIu64 " behind %" PRIu64, path, seq, last);
        last = seq;
        found.times[seq] += ours;
    }
    gzclose(file);
}

struct objects {
    const char *path;
    uint64_t last;
};

static inline void look_at_object(void *context, const struct slu_value *object)
{
    struct objects *objects = context;
    const struct slu_value *number = slu_value_get(object, SLU_SLICE("seq"));
    const struct slu_slice text = slu_value_text(slu_value_get(object, SLU_SLICE("id")));
    struct slu_uuid id;

    assert_true(slu_value_is_number(number) && slu_uuid_parse(text.data, text.len, &id));
    const uint64_t seq = number->u64;
    if (seq <= objects->last || seq > MAX_SEQ)
        fail_msg("%s: %" PRIu64 " behind %" PRIu64, objects->path, seq, objects->last);
    objects->last = seq;
    const struct slu_uuid ours = slu_uuid_of_record(spool_id, seq);
    found.times[seq] += memcmp(id.bytes, ours.bytes, sizeof(id.bytes)) == 0;
}

static inline void look_at_container(const char *path)
{
    struct objects objects = {.path = path};
    if (container_look(path, look_at_object, &objects).answer != SLU_CONTAINER_END)
        fail_msg("%s: torn or strange", path);
}

static inline bool ends_in(const char *name, const char *end)
{
    const size_t n = strlen(name), k = strlen(end);
    return n >= k && strcmp(name + n - k, end) == 0;
}

static inline void look_at(const char *folder, const char *name)
{
    char path[600];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (ends_in(name, ".tmp")) {
        found.n_temp++;
        return;
    }
    if (ends_in(name, ".damaged")) {
        found.n_damaged++;
        return;
    }
    if (!ends_in(name, ".jsonl") && !ends_in(name, ".jsonl.gz") && !ends_in(name, ".avro") &&
        !ends_in(name, ".inprogress"))
        return;
    found.n_open += ends_in(name, ".inprogress");
    found.n_plain += ends_in(name, ".jsonl");
    found.n_gzip += ends_in(name, ".jsonl.gz");
    found.n_avro += ends_in(name, ".avro");
    if (!ends_in(name, ".inprogress")) {
        const size_t used = strlen(found.names);
        found.n_files++;
        snprintf(found.names + used, sizeof(found.names) - used, "%s\n", path + strlen(lake) + 1);
    }
    if (strstr(name, ".avro") != NULL)
        look_at_container(path);
    else
        look_at_file(path);
}

static inline int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static inline void look_below(const char *folder)
{
    struct dirent **names;
    const int n = scandir(folder, &names, NULL, by_name);
    for (int i = 0; i < n; i++) {
        char path[600];
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
        if (names[i]->d_type == DT_DIR && strchr(names[i]->d_name, '=') != NULL)
            look_below(path);
        else
            look_at(folder, names[i]->d_name);
        free(names[i]);
    }
    if (n >= 0)
        free(names);
}

static inline void look(void)
{
    memset(&found, 0, sizeof(found));
    look_below(lake);
}

/* Records 1 … upto are there once each, and no half of anything is. */
static inline void check_all(uint64_t upto, const char *what)
{
    look();
    for (uint64_t seq = 1; seq <= MAX_SEQ; seq++) {
        if (found.times[seq] != (seq <= upto))
            fail_msg("%s: record %" PRIu64 " is there %zu times in\n%s%s", what, seq,
                     found.times[seq], found.names, log_text);
    }
    if (found.n_open + found.n_temp + found.n_damaged > 0)
        fail_msg("%s: %zu open, %zu halves, %zu damaged", what, found.n_open, found.n_temp,
                 found.n_damaged);
}

static inline bool exists(const char *below_lake)
{
    char path[600];
    snprintf(path, sizeof(path), "%s/%s", lake, below_lake);
    return access(path, F_OK) == 0;
}

#define FILE_1_3 \
    "dt=2026-01-01/hour=00/archive-plant1-00000000000000000001-00000000000000000003.jsonl"
#define OPEN_1 "dt=2026-01-01/hour=00/.archive-plant1-00000000000000000001.jsonl.inprogress"

#endif
