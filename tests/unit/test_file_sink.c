/* test_file_sink.c -- the file sink: where lines go, when files end, and that each record is in exactly
 * one place whatever fails and wherever it crashes.
 *
 * The sink is driven as the delivery drives it (push, settle, RESET → push again). Every call that
 * changes the disk is counted by wrappers: at a chosen one the process ends as if killed, or the call
 * fails. Syncs are counted but not made: a killed process does not need them.
 */
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
static bool counted(void)
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

static void calls_are_well(void)
{
    n_calls = crash_at = fail_from = fail_upto = 0;
    fail_with = 0;
}

/* ---- clocks and log ---------------------------------------------------------------------------------------- */

static int64_t wall_ns, mono_ns, mono_step_ns;

static int64_t read_wall(void)
{
    return wall_ns;
}

static int64_t read_mono(void)
{
    mono_ns += mono_step_ns;
    return mono_ns;
}

static char log_text[1 << 14];

static void keep_line(enum slu_log_level level, const char *line)
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

static const char *name_of(const void *names, uint16_t number)
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

static int open_err(const char *options, struct slu_err *err)
{
    env = (struct slu_sink_env){.name = "archive",
                                .instance = instance,
                                .spool_id = spool_id,
                                .policy_name = name_of,
                                .schema_name = name_of};
    sink = calloc(1, ops->self_bytes);
    return ops->open(sink, &env, section_of(options), err);
}

static void open_sink(const char *options)
{
    struct slu_err err = {0};
    if (open_err(options, &err) != 0)
        fail_msg("%s", err.text);
}

static void close_sink(void)
{
    if (sink == NULL)
        return;
    ops->close(sink);
    free(sink);
    sink = NULL;
}

/* Arrival of a record: what the scenarios are about. */
static int64_t (*arrival)(uint64_t seq);

static int64_t at_midnight(uint64_t seq)
{
    return MIDNIGHT + (int64_t)seq;
}

/* An hour on after 20 records, one back after 40 (the clock was set), two days on after 50. */
static int64_t through_hours(uint64_t seq)
{
    return MIDNIGHT + (int64_t)seq +
           (seq > 50   ? 48 * HOUR_NS
            : seq > 40 ? 0
            : seq > 20 ? HOUR_NS
                       : 0);
}

static size_t payload_bytes; /* up to 300 */

static struct slu_record record_of(uint64_t seq)
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

static int set_up(void **state)
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

static int tear_down(void **state)
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

static enum slu_sink_answer settle(void)
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
static enum slu_sink_answer turn(uint64_t upto, size_t batch)
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
static void deliver(uint64_t upto)
{
    for (int i = 0; i < 3000 && cursor->committed < upto; i++)
        turn(upto, 7);
    if (cursor->committed < upto)
        fail_msg("stands at %" PRIu64 ": %s", cursor->committed, last_err.text);
}

static void finish(void)
{
    ops->finish(sink, mono_ns + SLU_NS_PER_S);
    settle();
}

/* ---- looking at the lake ---------------------------------------------------------------------------------- */

/* Count the lines of one file, plain or packed (zlib reads both). */
static void look_at_file(const char *path)
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

static void look_at_object(void *context, const struct slu_value *object)
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

static void look_at_container(const char *path)
{
    struct objects objects = {.path = path};
    if (container_look(path, look_at_object, &objects).answer != SLU_CONTAINER_END)
        fail_msg("%s: torn or strange", path);
}

static bool ends_in(const char *name, const char *end)
{
    const size_t n = strlen(name), k = strlen(end);
    return n >= k && strcmp(name + n - k, end) == 0;
}

static void look_at(const char *folder, const char *name)
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

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void look_below(const char *folder)
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

static void look(void)
{
    memset(&found, 0, sizeof(found));
    look_below(lake);
}

/* Records 1 … upto are there once each, and no half of anything is. */
static void check_all(uint64_t upto, const char *what)
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

static bool exists(const char *below_lake)
{
    char path[600];
    snprintf(path, sizeof(path), "%s/%s", lake, below_lake);
    return access(path, F_OK) == 0;
}

#define FILE_1_3 \
    "dt=2026-01-01/hour=00/archive-plant1-00000000000000000001-00000000000000000003.jsonl"
#define OPEN_1 "dt=2026-01-01/hour=00/.archive-plant1-00000000000000000001.jsonl.inprogress"

/* ---- where lines go ---------------------------------------------------------------------------------------- */

static void a_file_is_open_until_it_is_finished(void **state)
{
    (void)state;
    open_sink("");
    deliver(3);
    assert_true(exists(OPEN_1));
    assert_false(exists(FILE_1_3));
    finish();
    assert_false(exists(OPEN_1));
    assert_true(exists(FILE_1_3));
    check_all(3, "three");
}

static unsigned mode_of(const char *below_lake)
{
    char path[600];
    struct stat status;
    snprintf(path, sizeof(path), "%s/%s", lake, below_lake);
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 0777;
}

static void modes_do_not_depend_on_the_umask(void **state)
{
    (void)state;
    const mode_t before = umask(077);
    open_sink("");
    deliver(3);
    finish();
    umask(before);
    assert_int_equal(mode_of(FILE_1_3), 0640);
    assert_int_equal(mode_of(""), 0750);
    assert_int_equal(mode_of("dt=2026-01-01"), 0750);
    assert_int_equal(mode_of("dt=2026-01-01/hour=00"), 0750);
}

static void the_first_answer_is_reset(void **state)
{
    (void)state;
    open_sink("");
    const struct slu_record record = record_of(1);
    assert_int_equal(ops->push(sink, &record, 1, 0), 0);
    assert_int_equal(settle(), SLU_SINK_RESET);
    assert_int_equal(settle(), SLU_SINK_LIVE);
}

static void instance_is_escaped_in_names(void **state)
{
    (void)state;
    snprintf(instance, sizeof(instance), "../a b%%");
    open_sink("");
    deliver(1);
    finish();
    assert_true(exists("dt=2026-01-01/hour=00/archive-..%2Fa b%25-00000000000000000001-"
                       "00000000000000000001.jsonl"));
    close_sink();
    open_sink(""); /* and its state is read back with the blank in it */
    deliver(2);
    finish();
    check_all(2, "escaped");
}

static void an_instance_too_long_for_names_is_refused(void **state)
{
    (void)state;
    struct slu_err err = {0};
    memset(instance, 'i', 200);
    instance[200] = '\0';
    assert_int_equal(open_err("", &err), -1);
    assert_non_null(strstr(err.text, "instance is too long"));
}

/* ---- when files end ------------------------------------------------------------------------------------------ */

static void a_change_of_hour_ends_the_file_even_backwards(void **state)
{
    (void)state;
    arrival = through_hours;
    open_sink("");
    deliver(60);
    finish();
    check_all(60, "hours");
    assert_string_equal(
        found.names,
        "dt=2026-01-01/hour=00/archive-plant1-00000000000000000001-00000000000000000020.jsonl\n"
        "dt=2026-01-01/hour=00/archive-plant1-00000000000000000041-00000000000000000050.jsonl\n"
        "dt=2026-01-01/hour=01/archive-plant1-00000000000000000021-00000000000000000040.jsonl\n"
        "dt=2026-01-03/hour=00/archive-plant1-00000000000000000051-00000000000000000060.jsonl\n");
}

static void enough_bytes_end_it(void **state)
{
    (void)state;
    open_sink("rotate: {size: 4KiB}");
    deliver(100);
    finish();
    check_all(100, "size");
    assert_true(found.n_files >= 10);
}

static void enough_time_ends_it(void **state)
{
    (void)state;
    open_sink("rotate: {age: 10s}");
    deliver(2);
    mono_ns += 9 * SLU_NS_PER_S;
    settle();
    look();
    assert_int_equal(found.n_open, 1);
    mono_ns += SLU_NS_PER_S;
    assert_int_equal(settle(), SLU_SINK_LIVE);
    check_all(2, "age");
    mono_ns += 100 * SLU_NS_PER_S; /* without records no files */
    settle();
    check_all(2, "idle");
    assert_int_equal(found.n_files, 1);
}

static void a_reload_that_leaves_the_sink_ends_it(void **state)
{
    (void)state;
    open_sink("rotate: {age: 10d}");
    slu_sink_file.rotate(sink);
    settle(); /* nothing is open */
    deliver(2);
    look();
    assert_int_equal(found.n_open, 1);
    slu_sink_file.rotate(sink);
    assert_int_equal(settle(), SLU_SINK_LIVE);
    check_all(2, "rotated");
    assert_int_equal(found.n_open, 0);
}

static void a_quiet_file_of_a_past_hour_is_ended(void **state)
{
    (void)state;
    open_sink("rotate: {age: 10d}");
    deliver(2);
    wall_ns += HOUR_NS;
    settle();
    look();
    assert_int_equal(found.n_open, 1);
    mono_ns += 10 * SLU_NS_PER_S;
    settle();
    check_all(2, "hour is over");
}

/* ---- gzip ------------------------------------------------------------------------------------------------------ */

static void gzip_holds_the_same_lines(void **state)
{
    (void)state;
    open_sink("compress: gzip, rotate: {size: 16KiB}");
    deliver(200);
    finish();
    check_all(200, "gzip");
    assert_int_equal(found.n_plain, 0);
    assert_true(found.n_gzip >= 5);
    assert_int_equal(mode_of("dt=2026-01-01/hour=00"), 0750);
}

static void compressing_gives_way_to_the_clock(void **state)
{
    (void)state;
    open_sink("compress: gzip, rotate: {size: 512KiB}");
    deliver(1);
    while (found.n_files == 0) { /* until the file has been ended, by its size */
        turn(MAX_SEQ, 16);
        mono_step_ns = 60 * SLU_NS_PER_MS; /* a look at the clock costs most of a slice */
        look();
    }
    assert_int_equal(found.n_temp, 1); /* begun, and not done in one go */
    const struct slu_record record = record_of(pushed + 1);
    assert_int_equal(ops->push(sink, &record, 1, 0), 0); /* nothing is taken meanwhile */
    const uint64_t upto = pushed;
    for (int i = 0; i < 1000 && found.n_gzip == 0; i++) {
        settle();
        look();
    }
    finish();
    check_all(upto, "slices");
}

static void a_compression_that_was_stopped_is_done_at_the_next_start(void **state)
{
    (void)state;
    open_sink("compress: gzip");
    deliver(300);
    mono_step_ns = SLU_NS_PER_S;
    ops->finish(sink, mono_ns);
    mono_step_ns = 0;
    close_sink();
    check_all(300, "stopped");
    assert_int_equal(found.n_plain, 1);

    open_sink("compress: gzip");
    settle();
    settle();
    check_all(300, "again");
    assert_int_equal(found.n_plain, 0);
    assert_int_equal(found.n_gzip, 1);
}

/* ---- crashes ----------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name, *options;
    bool halfway;
    bool cursor_is_lost; /* as after a power cut: the sink's own knowledge must do */
} crashes[] = {
    {"plain", "rotate: {size: 8KiB}", false, false},
    {"plain, in the middle of writes, no cursor", "rotate: {size: 8KiB}", true, true},
    {"gzip", "rotate: {size: 8KiB}, compress: gzip", true, false},
    {"gzip, no cursor", "rotate: {size: 8KiB}, compress: gzip", false, true},
    {"avro", "rotate: {size: 8KiB}, format: avro, codec: null", false, false},
    {"avro, in the middle of writes, no cursor", "format: avro, codec: null", true, true},
    {"avro, zstandard, no cursor", "rotate: {size: 4KiB}, format: avro, codec: zstandard", true,
     true},
};

/* Deliver 60 records through hours and sizes, and stop cleanly. */
static void live(const char *options)
{
    open_sink(options);
    deliver(60);
    finish();
    close_sink();
}

/* Live in a child that ends at its `at`-th call. False: it lived to the end. */
static bool live_until(const char *options, long at, bool halfway)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        calls_are_well();
        crash_at = at;
        crash_halfway = halfway;
        live(options);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == CRASHED);
    return WEXITSTATUS(status) == CRASHED;
}

static void a_crash_at_any_call_loses_and_doubles_nothing(void **state)
{
    for (size_t i = 0; i < COUNT(crashes); i++) {
        bool crashed = true;
        long at = 1;
        for (; crashed; at++) {
            char what[96];
            snprintf(what, sizeof(what), "%s, call %ld", crashes[i].name, at);
            tear_down(state);
            set_up(state);
            arrival = through_hours;
            cursor->committed = 0;
            crashed = live_until(crashes[i].options, at, crashes[i].halfway);
            if (crashed && at % 3 == 0) /* and once more during the recovery */
                live_until(crashes[i].options, 1 + at % 7, crashes[i].halfway);
            if (crashes[i].cursor_is_lost)
                cursor->committed = 0;
            live(crashes[i].options);
            check_all(60, what);
        }
        assert_true(at > 60); /* it was worth it */
        print_message("%s: %ld calls\n", crashes[i].name, at - 2);
    }
}

static void a_torn_line_is_cut(void **state)
{
    (void)state;
    open_sink("");
    deliver(3);
    close_sink();
    char path[600];
    snprintf(path, sizeof(path), "%s/%s", lake, OPEN_1);
    const int fd = open(path, O_WRONLY | O_APPEND);
    assert_true(fd >= 0 && __real_write(fd, "{\"v\":1,\"id\":", 12) == 12);
    close(fd);
    cursor->committed = 0;
    open_sink("");
    assert_int_equal(settle(), SLU_SINK_RESET);
    assert_int_equal(cursor->committed, 3);
    assert_true(exists(FILE_1_3));
    check_all(3, "torn");
}

static void what_stands_behind_damage_is_set_aside(void **state)
{
    (void)state;
    open_sink("");
    deliver(9);
    close_sink();
    char path[600];
    static const char hole[100];
    snprintf(path, sizeof(path), "%s/%s", lake, OPEN_1);
    const int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    assert_int_equal(__real_pwrite(fd, hole, sizeof(hole), status.st_size / 2), sizeof(hole));
    close(fd);

    cursor->committed = 0; /* nobody was told that the rest is safe: it comes again */
    open_sink("");
    deliver(9);
    finish();
    look();
    assert_int_equal(found.n_damaged, 1);
    for (uint64_t seq = 1; seq <= 9; seq++)
        assert_int_equal(found.times[seq], 1);
    assert_non_null(strstr(log_text, "is damaged from byte"));
}

static void an_open_file_is_found_without_the_state(void **state)
{
    (void)state;
    arrival = through_hours;
    open_sink("");
    deliver(30);
    close_sink();
    char path[600];
    snprintf(path, sizeof(path), "%s/.archive-plant1.state", lake);
    assert_int_equal(unlink(path), 0);
    cursor->committed = 25;
    live("");
    check_all(60, "no state");
}

static void a_damaged_state_is_no_state(void **state)
{
    (void)state;
    open_sink("");
    deliver(3);
    close_sink();
    char path[600];
    snprintf(path, sizeof(path), "%s/.archive-plant1.state", lake);
    const int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(__real_pwrite(fd, "X", 1, 40), 1);
    assert_int_equal(__real_pwrite(fd, "X", 1, 552), 1);
    close(fd);
    cursor->committed = 0;
    open_sink("");
    deliver(5);
    finish();
    check_all(5, "damaged state");
}

static void a_newer_state_is_left_alone(void **state)
{
    (void)state;
    open_sink("");
    deliver(3);
    close_sink();
    char path[600];
    snprintf(path, sizeof(path), "%s/.archive-plant1.state", lake);
    /* Both slots say format 3, with a right sum. */
    const int fd = open(path, O_RDWR);
    char slots[1024];
    assert_int_equal(pread(fd, slots, sizeof(slots), 0), sizeof(slots));
    for (size_t i = 0; i < 2; i++) {
        char *slot = slots + i * 512;
        memcpy(slot, "sluice-file 3 ", 14);
        char sum[9];
        snprintf(sum, sizeof(sum), "%08x", slu_crc32c(0, slot, 503));
        memcpy(slot + 503, sum, 8);
    }
    assert_int_equal(__real_pwrite(fd, slots, sizeof(slots), 0), sizeof(slots));
    close(fd);
    open_sink("");
    assert_int_equal(settle(), SLU_SINK_PAUSED);
    assert_int_equal(last_err.kind, SLU_EVERSION);
}

/* What format 1 would have said in place of this state, which is of lines. */
static void a_state_of_format_1_is_read(void **state)
{
    (void)state;
    open_sink("");
    deliver(3);
    close_sink();
    char path[600];
    snprintf(path, sizeof(path), "%s/.archive-plant1.state", lake);
    const int fd = open(path, O_RDWR);
    char slots[1024];
    assert_int_equal(pread(fd, slots, sizeof(slots), 0), sizeof(slots));
    for (size_t i = 0; i < 2; i++) {
        char *slot = slots + i * 512, sum[9];
        slot[12] = '1';
        memmove(slot + 89, slot + 110, 503 - 110);
        memset(slot + 503 - 21, ' ', 21);
        snprintf(sum, sizeof(sum), "%08x", slu_crc32c(0, slot, 503));
        memcpy(slot + 503, sum, 8);
    }
    assert_int_equal(__real_pwrite(fd, slots, sizeof(slots), 0), sizeof(slots));
    close(fd);
    cursor->committed = 0;
    open_sink("");
    assert_int_equal(settle(), SLU_SINK_RESET);
    assert_int_equal(cursor->committed, 3);
    assert_true(exists(FILE_1_3));
}

/* ---- container files ------------------------------------------------------------------------------------- */

#define AVRO_1 "dt=2026-01-01/hour=00/.archive-plant1-00000000000000000001.avro.inprogress"

static void container_files_hold_the_records(void **state)
{
    static const char *const codecs[] = {"null", "'null'", "deflate", "zstandard"};
    for (size_t i = 0; i < COUNT(codecs); i++) {
        char options[96];
        tear_down(state);
        set_up(state);
        arrival = through_hours;
        snprintf(options, sizeof(options), "format: avro, codec: %s", codecs[i]);
        open_sink(options);
        deliver(30);
        finish();
        check_all(30, codecs[i]);
        assert_int_equal(found.n_avro, 2);
        assert_int_equal(found.n_files, 2);
        assert_true(exists("dt=2026-01-01/hour=00/archive-plant1-00000000000000000001-"
                           "00000000000000000020.avro"));
    }
}

static void path_of_open(char path[600])
{
    snprintf(path, 600, "%s/%s", lake, AVRO_1);
}

/* Cut (or lengthen with zeros) the open file to `size`; the state is lost or not. */
static void tear(off_t size, bool loses_state)
{
    char path[600];
    path_of_open(path);
    assert_int_equal(truncate(path, size), 0);
    snprintf(path, sizeof(path), "%s/.archive-plant1.state", lake);
    if (loses_state)
        assert_int_equal(unlink(path), 0);
}

static off_t size_of_open(void)
{
    struct stat status;
    char path[600];
    path_of_open(path);
    assert_int_equal(stat(path, &status), 0);
    return status.st_size;
}

/* Three blocks: 1–7, 8–14, 15 and 16. What is torn off comes again from the spool, which was told nothing. */
static void torn_at_every_byte_of_its_last_block(void **state)
{
    static const char *const codecs[] = {"format: avro, codec: 'null'", "format: avro",
                                         "format: avro, codec: zstandard"};
    for (size_t i = 0; i < 2 * COUNT(codecs); i++) {
        const char *options = codecs[i / 2];
        off_t size = 0;
        for (off_t left = -3; size == 0 || left <= size; left++) {
            struct objects objects = {.path = "torn"};
            char path[600], what[64];
            tear_down(state);
            set_up(state);
            payload_bytes = 20;
            open_sink(options);
            deliver(16);
            close_sink();
            path_of_open(path);
            const off_t whole = size_of_open();
            const struct container_look was = container_look(path, look_at_object, &objects);
            assert_int_equal(was.n_blocks, 3);
            size = whole - was.last_start;
            tear(whole - left, i % 2 == 0);
            snprintf(what, sizeof(what), "%s, %lld bytes torn off", options, (long long)left);

            cursor->committed = 0;
            open_sink(options);
            assert_int_equal(settle(), SLU_SINK_RESET);
            if (cursor->committed != (left > 0 ? 14 : 16))
                fail_msg("%s: stands at %" PRIu64, what, cursor->committed);
            deliver(20);
            finish();
            look();
            for (uint64_t seq = 1; seq <= 20; seq++)
                if (found.times[seq] != 1)
                    fail_msg("%s: record %" PRIu64 " %zu times", what, seq, found.times[seq]);
            assert_int_equal(found.n_open, 0);
        }
    }
}

/* Pages that never came are zeros, and the frame around them is whole: only the state knows. */
static void what_was_not_synced_is_cut_though_it_looks_whole(void **state)
{
    (void)state;
    open_sink("format: avro, codec: 'null'");
    deliver(14);
    const off_t safe = size_of_open();
    fail_from = n_calls + 2; /* pwrite, then the fdatasync: it failed, and then the power */
    fail_upto = 1000000;
    fail_with = EIO;
    assert_int_equal(turn(20, 6), SLU_SINK_PAUSED);
    assert_true(size_of_open() > safe);
    calls_are_well();
    close_sink();
    assert_int_equal(cursor->committed, 14);
    open_sink("format: avro, codec: 'null'");
    assert_int_equal(settle(), SLU_SINK_RESET);
    assert_int_equal(cursor->committed, 14);
    deliver(20);
    finish();
    check_all(20, "unsynced");
}

/* The block is on disk then, but was promised to nobody: it must not stay behind what comes instead. */
static void a_block_is_taken_back_when_the_state_cannot_be_written(void **state)
{
    (void)state;
    open_sink("format: avro, codec: null");
    deliver(14);
    fail_from = n_calls + 3; /* pwrite, fdatasync; then the state's pwrite */
    fail_upto = fail_from;
    fail_with = EIO;
    assert_int_equal(turn(20, 6), SLU_SINK_PAUSED);
    assert_non_null(strstr(last_err.text, "cannot write the state file"));
    calls_are_well();
    ops->reset(sink);
    assert_int_equal(settle(), SLU_SINK_RESET);
    deliver(16);
    finish();
    check_all(16, "taken back");
}

static void a_damaged_block_and_what_follows_is_set_aside(void **state)
{
    (void)state;
    char path[600];
    static const char hole[40];
    struct objects objects = {.path = "damaged"};
    open_sink("format: avro");
    deliver(20);
    close_sink();
    path_of_open(path);
    const struct container_look was = container_look(path, look_at_object, &objects);
    const int fd = open(path, O_WRONLY);
    assert_int_equal(__real_pwrite(fd, hole, sizeof(hole), was.last_start + 20), sizeof(hole));
    close(fd);
    cursor->committed = 0;
    open_sink("format: avro");
    deliver(22);
    finish();
    look();
    assert_int_equal(found.n_damaged, 1);
    for (uint64_t seq = 1; seq <= 22; seq++)
        assert_int_equal(found.times[seq], 1);
    assert_non_null(strstr(log_text, "is damaged from byte"));
}

static void a_change_of_format_finishes_the_other_kind(void **state)
{
    (void)state;
    open_sink("format: avro");
    deliver(3);
    close_sink();
    cursor->committed = 0;
    open_sink("compress: gzip");
    deliver(6);
    close_sink();
    cursor->committed = 0;
    open_sink("format: avro, codec: zstandard");
    deliver(9);
    finish();
    check_all(9, "formats");
    assert_int_equal(found.n_avro, 2);
    assert_int_equal(found.n_gzip + found.n_plain, 1);
}

static void retain_counts_container_files_too(void **state)
{
    (void)state;
    open_sink("format: avro, codec: 'null', rotate: {size: 8KiB}, retain: {max_size: 40KiB}");
    deliver(400);
    finish();
    look();
    assert_true(found.n_avro >= 3 && found.n_avro <= 8);
    assert_int_equal(found.times[1], 0);
    assert_int_equal(found.times[400], 1);
}

static void a_new_spool_starts_its_numbers_again(void **state)
{
    (void)state;
    open_sink("");
    deliver(3);
    finish();
    deliver(5); /* 4 and 5 are left open */
    close_sink();

    memset(spool_id, 6, sizeof(spool_id));
    cursor->committed = pushed = 0;
    open_sink("");
    assert_int_equal(settle(), SLU_SINK_RESET);
    assert_int_equal(cursor->committed, 0);
    deliver(3);
    finish();
    look();
    for (uint64_t seq = 1; seq <= 3; seq++)
        assert_int_equal(found.times[seq], 1);
    assert_int_equal(found.n_open, 0);
    assert_string_equal(
        found.names,
        "dt=2026-01-01/hour=00/archive-plant1-00000000000000000001-00000000000000000003-2.jsonl\n"
        "dt=2026-01-01/hour=00/archive-plant1-00000000000000000001-00000000000000000003.jsonl\n"
        "dt=2026-01-01/hour=00/archive-plant1-00000000000000000004-00000000000000000005.jsonl\n");
}

/* ---- failing calls ------------------------------------------------------------------------------------------------ */

static const struct {
    const char *name, *options;
    int with;
    long n; /* so many calls in a row fail */
} failures[] = {
    {"ENOSPC once", "rotate: {size: 8KiB}", ENOSPC, 1},
    {"EIO once", "rotate: {size: 8KiB}", EIO, 1},
    {"EIO for a while", "rotate: {size: 8KiB}", EIO, 40},
    {"ENOSPC once, gzip", "rotate: {size: 8KiB}, compress: gzip", ENOSPC, 1},
    {"EDQUOT for a while, gzip", "rotate: {size: 8KiB}, compress: gzip", EDQUOT, 15},
    {"ENOSPC once, avro", "rotate: {size: 8KiB}, format: avro", ENOSPC, 1},
    {"EIO for a while, avro", "rotate: {size: 8KiB}, format: avro, codec: 'null'", EIO, 40},
};

static void a_call_that_fails_pauses_and_loses_nothing(void **state)
{
    for (size_t i = 0; i < COUNT(failures); i++) {
        long at = 1;
        for (bool reached = true; reached; at++) {
            char what[96];
            snprintf(what, sizeof(what), "%s, call %ld", failures[i].name, at);
            tear_down(state);
            set_up(state);
            arrival = through_hours;
            cursor->committed = pushed = 0;
            open_sink(failures[i].options);
            fail_from = at;
            fail_upto = at + failures[i].n - 1;
            fail_with = failures[i].with;
            deliver(60);
            reached = n_calls >= fail_from;
            calls_are_well();
            finish();
            close_sink();
            cursor->committed = 0; /* … and what it says of itself is true */
            open_sink(failures[i].options);
            deliver(61);
            finish();
            close_sink();
            check_all(61, what);
        }
        print_message("%s: %ld calls\n", failures[i].name, at - 2);
        assert_true(at > 40);
    }
}

static void a_full_disk_is_said_and_waited_for(void **state)
{
    (void)state;
    open_sink("");
    deliver(3);
    fail_from = n_calls + 1;
    fail_upto = 1000000;
    fail_with = ENOSPC;
    assert_int_equal(turn(9, 5), SLU_SINK_PAUSED);
    assert_int_equal(last_err.kind, SLU_EFULL);
    assert_non_null(strstr(last_err.text, "No space left on device"));
    assert_non_null(strstr(last_err.text, lake));
    assert_int_equal(cursor->committed, 3);
    calls_are_well();
    deliver(9);
    finish();
    check_all(9, "freed");
}

static void a_small_file_system_fills_up_and_is_freed(void **state)
{
    (void)state;
    char mount_point[96], filler[128];
    snprintf(mount_point, sizeof(mount_point), "%s/small", root);
    assert_int_equal(mkdir(mount_point, 0700), 0);
    if (mount("tmpfs", mount_point, "tmpfs", 0, "size=256k") != 0) {
        print_message("SKIP a_small_file_system_fills_up_and_is_freed: cannot mount a tmpfs: %s\n",
                      strerror(errno));
        skip();
    }
    snprintf(lake, sizeof(lake), "%s/lake", mount_point);
    snprintf(filler, sizeof(filler), "%s/filler", mount_point);
    open_sink("rotate: {size: 16KiB}");
    deliver(50);
    static const char junk[4096];
    const int fd = open(filler, O_CREAT | O_WRONLY, 0600);
    while (__real_write(fd, junk, sizeof(junk)) > 0) {
    }
    close(fd);
    enum slu_sink_answer answer = SLU_SINK_LIVE;
    for (int i = 0; i < 100 && answer != SLU_SINK_PAUSED; i++)
        answer = turn(300, 16);
    assert_int_equal(answer, SLU_SINK_PAUSED);
    assert_int_equal(last_err.kind, SLU_EFULL);
    for (int i = 0; i < 10; i++)
        assert_int_equal(settle(), SLU_SINK_PAUSED);
    assert_int_equal(unlink(filler), 0);
    deliver(300);
    finish();
    close_sink();
    check_all(300, "tmpfs");
    assert_int_equal(umount(mount_point), 0);
}

/* ---- people ------------------------------------------------------------------------------------------------------- */

static void a_removed_open_file_is_noticed(void **state)
{
    (void)state;
    char path[600];
    open_sink("");
    deliver(3);
    snprintf(path, sizeof(path), "%s/%s", lake, OPEN_1);
    assert_int_equal(unlink(path), 0);
    deliver(6);
    finish();
    assert_non_null(strstr(log_text, "the 3 records in it are gone"));
    look();
    for (uint64_t seq = 1; seq <= 6; seq++)
        assert_int_equal(found.times[seq], seq > 3);

    deliver(8); /* the same at the moment of ending it */
    snprintf(path, sizeof(path), "%s/dt=2026-01-01/hour=00/", lake);
    strcat(path, ".archive-plant1-00000000000000000007.jsonl.inprogress");
    assert_int_equal(unlink(path), 0);
    finish();
    assert_non_null(strstr(log_text, "the 2 records in it are gone"));
    deliver(9);
}

static void a_removed_path_is_made_again(void **state)
{
    (void)state;
    char command[200];
    open_sink("");
    deliver(3);
    snprintf(command, sizeof(command), "rm -rf '%s'", lake);
    assert_int_equal(system(command), 0);
    deliver(6);
    finish();
    look();
    for (uint64_t seq = 1; seq <= 6; seq++)
        assert_int_equal(found.times[seq], seq > 3);
    assert_non_null(strstr(log_text, "moved or removed"));
}

static void a_moved_path_keeps_its_files_and_a_new_one_is_begun(void **state)
{
    (void)state;
    char aside[200];
    open_sink("");
    deliver(3);
    snprintf(aside, sizeof(aside), "%s.old", lake);
    assert_int_equal(rename(lake, aside), 0);
    deliver(6);
    finish();
    look();
    for (uint64_t seq = 1; seq <= 6; seq++)
        assert_int_equal(found.times[seq], seq > 3);
    snprintf(lake, sizeof(lake), "%.150s", aside);
    check_all(3, "what was moved is finished over there");
}

static void two_brokers_do_not_share_a_path(void **state)
{
    (void)state;
    open_sink("");
    deliver(1);
    void *first = sink;
    open_sink("");
    assert_int_equal(settle(), SLU_SINK_PAUSED);
    assert_int_equal(last_err.kind, SLU_EBUSY);
    assert_non_null(strstr(last_err.text, "another broker writes here"));
    close_sink();
    sink = first;
    deliver(2);
    finish();
    check_all(2, "one");
}

static void links_are_not_followed(void **state)
{
    (void)state;
    char path[600], target[128];
    snprintf(target, sizeof(target), "%s/elsewhere", root);
    open_sink("");
    settle();
    snprintf(path, sizeof(path), "%s/dt=2026-01-01", lake);
    assert_int_equal(mkdir(target, 0700), 0);
    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(turn(1, 1), SLU_SINK_PAUSED);
    assert_int_equal(rmdir(target), 0); /* nothing was put there */
}

static void a_path_that_cannot_be_made_pauses(void **state)
{
    (void)state;
    char path[96];
    snprintf(path, sizeof(path), "%s/srv", root);
    const int fd = open(path, O_CREAT | O_WRONLY, 0600); /* a file where a folder must be */
    close(fd);
    open_sink("");
    assert_int_equal(settle(), SLU_SINK_PAUSED);
    assert_non_null(strstr(last_err.text, lake));
    assert_int_equal(unlink(path), 0);
    deliver(3);
    finish();
    check_all(3, "made");
}

static void a_reset_gives_up_what_is_not_safe(void **state)
{
    (void)state;
    open_sink("");
    deliver(3);
    const struct slu_record records[] = {record_of(4), record_of(5)};
    assert_int_equal(ops->push(sink, records, 2, 0), 2);
    ops->reset(sink);
    assert_int_equal(ops->push(sink, records, 1, 0), 0);
    assert_int_equal(settle(), SLU_SINK_RESET);
    assert_int_equal(cursor->committed, 3);
    deliver(6);
    finish();
    check_all(6, "reset");
}

/* ---- retain --------------------------------------------------------------------------------------------------------- */

static void touch(const char *below_lake)
{
    char path[600];
    snprintf(path, sizeof(path), "%s/%s", lake, below_lake);
    const int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void retain_bounds_the_bytes_from_the_oldest_on(void **state)
{
    (void)state;
    open_sink("rotate: {size: 4KiB}, retain: {max_size: 20KiB}");
    deliver(200);
    finish();
    look();
    assert_true(found.n_files >= 3 && found.n_files <= 5);
    size_t n = 0;
    for (uint64_t seq = 1; seq <= 200; seq++) {
        assert_true(found.times[seq] >= found.times[seq - 1]); /* a tail */
        n += found.times[seq];
    }
    assert_true(n > 0 && n < 60);
}

static void retain_bounds_the_age_and_touches_nobody_elses(void **state)
{
    (void)state;
    static const char *const others[] = {
        "dt=2026-01-01/hour=00/notes.jsonl",
        "dt=2026-01-01/hour=00/archive-plant10-00000000000000000001-00000000000000000003.jsonl",
        "dt=2026-01-01/hour=00/archive-plant1-1-3.jsonl",
        "dt=2026-01-01/hour=00/archive-plant1-00000000000000000001-00000000000000000003.jsonl.bz2",
        "dt=2026-01-01/hour=00/xarchive-plant1-00000000000000000001-00000000000000000003.jsonl",
    };
    arrival = through_hours;
    wall_ns = MIDNIGHT + 2 * HOUR_NS - 1;
    open_sink("retain: {max_age: 1h}");
    deliver(20);
    for (size_t i = 0; i < COUNT(others); i++)
        touch(others[i]);
    deliver(40); /* ends the file of hour 00, which is not yet too old */
    assert_true(exists(
        "dt=2026-01-01/hour=00/archive-plant1-00000000000000000001-00000000000000000020.jsonl"));
    wall_ns += HOUR_NS;
    mono_ns += 61 * SLU_NS_PER_S;
    settle();
    assert_false(exists(
        "dt=2026-01-01/hour=00/archive-plant1-00000000000000000001-00000000000000000020.jsonl"));
    for (size_t i = 0; i < COUNT(others); i++)
        assert_true(exists(others[i]));
    assert_true(exists("dt=2026-01-01/hour=01"));
    wall_ns += 100 * HOUR_NS;
    mono_ns += 61 * SLU_NS_PER_S;
    settle();
    assert_false(exists("dt=2026-01-01/hour=01")); /* its only file was too old: the folder too */
}

/* ---- options --------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *options;
    size_t n_errors, n_warnings;
} checks[] = {
    {"", 0, 0},
    {"rotate: {size: 1MiB, age: 1m}, retain: {max_age: 30d, max_size: 1GiB}", 0, 0},
    {"rotate: {size: 1KiB}", 1, 0},
    {"rotate: {age: 10ms}", 1, 0},
    {"retain: {max_age: 1s}", 1, 0},
    {"retain: {max_size: 1B}", 1, 1},
    {"retain: {max_size: 1MiB}", 0, 1},
    {"format: avro, codec: zstandard", 0, 0},
    {"format: avro, compress: none", 0, 0},
    {"format: avro, compress: gzip", 1, 0},
    {"codec: deflate", 1, 0},
    {"schema: 'press:3', schema_document: {text: '\"long\"'}", 1, 0},
    {"format: avro, schema: 'press:3', schema_document: {text: '\"long\"'}", 0, 0},
    {"format: avro, schema: 'press:3', schema_document: {text: '[\"null\", \"long\"]'}", 0, 0},
    {"format: avro, schema: 'press:3', schema_document: {text: '{\"type\": \"fixed\", \"size\": 2, "
     "\"name\": \"sluice_record\"}'}",
     1, 0},
};

static void options_that_make_no_sense_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(checks); i++) {
        struct slu_problems problems;
        slu_problems_init(&problems);
        ops->check(section_of(checks[i].options), &problems);
        if (problems.n_errors != checks[i].n_errors || problems.n_warnings != checks[i].n_warnings)
            fail_msg("%s: %zu errors, %zu warnings", checks[i].options, problems.n_errors,
                     problems.n_warnings);
        slu_problems_fini(&problems);
    }
}

int main(void)
{
    cursor = mmap(NULL, sizeof(*cursor), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_open_until_it_is_finished),
        TEST(modes_do_not_depend_on_the_umask),
        TEST(the_first_answer_is_reset),
        TEST(instance_is_escaped_in_names),
        TEST(an_instance_too_long_for_names_is_refused),
        TEST(a_change_of_hour_ends_the_file_even_backwards),
        TEST(enough_bytes_end_it),
        TEST(enough_time_ends_it),
        TEST(a_reload_that_leaves_the_sink_ends_it),
        TEST(a_quiet_file_of_a_past_hour_is_ended),
        TEST(gzip_holds_the_same_lines),
        TEST(compressing_gives_way_to_the_clock),
        TEST(a_compression_that_was_stopped_is_done_at_the_next_start),
        TEST(a_crash_at_any_call_loses_and_doubles_nothing),
        TEST(a_torn_line_is_cut),
        TEST(what_stands_behind_damage_is_set_aside),
        TEST(an_open_file_is_found_without_the_state),
        TEST(a_damaged_state_is_no_state),
        TEST(a_newer_state_is_left_alone),
        TEST(a_state_of_format_1_is_read),
        TEST(container_files_hold_the_records),
        TEST(torn_at_every_byte_of_its_last_block),
        TEST(what_was_not_synced_is_cut_though_it_looks_whole),
        TEST(a_block_is_taken_back_when_the_state_cannot_be_written),
        TEST(a_damaged_block_and_what_follows_is_set_aside),
        TEST(a_change_of_format_finishes_the_other_kind),
        TEST(retain_counts_container_files_too),
        TEST(a_new_spool_starts_its_numbers_again),
        TEST(a_call_that_fails_pauses_and_loses_nothing),
        TEST(a_full_disk_is_said_and_waited_for),
        TEST(a_small_file_system_fills_up_and_is_freed),
        TEST(a_removed_open_file_is_noticed),
        TEST(a_removed_path_is_made_again),
        TEST(a_moved_path_keeps_its_files_and_a_new_one_is_begun),
        TEST(two_brokers_do_not_share_a_path),
        TEST(links_are_not_followed),
        TEST(a_path_that_cannot_be_made_pauses),
        TEST(a_reset_gives_up_what_is_not_safe),
        TEST(retain_bounds_the_bytes_from_the_oldest_on),
        TEST(retain_bounds_the_age_and_touches_nobody_elses),
        TEST(options_that_make_no_sense_are_told),
    };
    return cursor != MAP_FAILED ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
