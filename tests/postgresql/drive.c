/* drive.c -- drives the postgresql sink through sink.h with records of its own making, as the delivery
 * loop does but without spool and thread: so a test decides when what is asked.
 *
 *   drive SECTION.yaml [NAME]       the sink's section; NAME of the sink, default "historian"
 *
 * Commands on stdin, one a line; for each, one line of JSON on stdout:
 *
 *   records FILE        records from a JSON file: [{"topic":…, "payload":…, "format":"json", …}, …]
 *   make N POISON       N records {"oven":…,"value":…,"n":…}; each POISON-th has a value that is text
 *                       (0: none)
 *   settle MS           one settle
 *   push N              one push of what comes next
 *   run MS BATCH        until every record has its fate, or MS are over: push and settle in turn, a
 *                       RESET pushes again from behind the higher of far side and cursor
 *   reset               sink.reset()
 *   ddl                 the SQL
 *   quit
 *
 * A reject that settle() tells of is appended to FILE of the environment's DEAD, and flushed, before
 * the next call, and the cursor is written to the file of CURSOR: killing the driver loses nothing.
 */
#include "base/clock.h"
#include "base/json_text.h"
#include "base/properties.h"
#include "base/yaml.h"
#include "sinks/postgresql.h"
#include "sinks/sink.h"
#include "validation/payload/payload.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_NS INT64_C(1767225600123456789) /* 2026-01-01T00:00:00.123456789Z */

static const uint8_t spool_id[16] = {0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
                                     0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f};

static const char *policy_name(const void *context, uint16_t number)
{
    (void)context;
    return number == 1 ? "ovens" : number == 2 ? "others" : NULL;
}

static const char *schema_name(const void *context, uint16_t number)
{
    (void)context;
    return number == 1 ? "oven:1" : NULL;
}

struct drive {
    void *self;
    const struct slu_sink_ops *ops;
    struct slu_record *records; /* records[i].seq == i + 1 */
    size_t n;
    size_t pushed;   /* records given since the last RESET: all up to this place */
    uint64_t cursor; /* every record up to it has its fate */
    uint64_t n_dead;
    FILE *dead, *place;
    unsigned resets, aways, pauses, lives;
    char last_error[512];
    struct slu_arena arena;
};

static void die(const char *what)
{
    fprintf(stderr, "drive: %s\n", what);
    exit(2);
}

static void *must(void *memory)
{
    if (memory == NULL)
        die("no memory");
    return memory;
}

/* ---- records ----------------------------------------------------------------------------------------- */

static struct slu_slice keep(struct drive *drive, struct slu_slice text)
{
    return slu_slice(must(slu_arena_copy(&drive->arena, text)), text.len);
}

static const struct slu_value *member(const struct slu_value *object, const char *key)
{
    return slu_value_get(object, slu_slice_of(key));
}

static struct slu_slice text_member(struct drive *drive, const struct slu_value *object,
                                    const char *key)
{
    const struct slu_value *value = member(object, key);
    return value != NULL ? keep(drive, slu_value_text(value)) : (struct slu_slice){0};
}

static int64_t int_member(const struct slu_value *object, const char *key, int64_t fallback)
{
    const struct slu_value *value = member(object, key);
    return value != NULL ? value->i64 : fallback;
}

static uint8_t format_of(struct slu_slice name)
{
    static const char *const names[] = {"json", "number", "boolean", "string", "bytes"};
    for (size_t i = 0; i < 5; i++) {
        if (slu_slice_equal(name, slu_slice_of(names[i])))
            return (uint8_t)(i + 1);
    }
    return SLU_RECORD_JSON;
}

static struct slu_slice properties_of(struct drive *drive, const struct slu_value *list)
{
    struct slu_buf packed;
    slu_buf_init(&packed, 1 << 20);
    const struct slu_value *pair = list != NULL ? slu_value_first(list) : NULL;
    for (size_t i = 0; list != NULL && i < slu_value_len(list); i++) {
        const struct slu_value *key = slu_value_first(pair);
        slu_properties_add(&packed, SLU_PROPERTY_USER, slu_value_text(key),
                           slu_value_text(slu_value_next(key)));
        pair = slu_value_next(pair);
    }
    struct slu_slice kept = {0};
    if (packed.len > 0)
        kept = keep(drive, slu_buf_slice(&packed));
    slu_buf_fini(&packed);
    return kept;
}

static struct slu_record *new_record(struct drive *drive)
{
    if ((drive->n & (drive->n + 1)) == 0)
        drive->records =
            must(realloc(drive->records, (2 * drive->n + 2) * sizeof(drive->records[0])));
    struct slu_record *record = &drive->records[drive->n++];
    *record = (struct slu_record){
        .seq = drive->n,
        .time_ns = FIRST_NS + (int64_t)drive->n * SLU_NS_PER_MS,
        .event_ns = FIRST_NS + (int64_t)drive->n * SLU_NS_PER_MS,
        .policy = 1,
        .schema = 1,
        .kind = SLU_RECORD_MESSAGE,
        .format = SLU_RECORD_JSON,
        .quality = 192,
        .qos = 1,
        .client_id = SLU_SLICE("gateway"),
    };
    return record;
}

static void add_record(struct drive *drive, const struct slu_value *object)
{
    struct slu_record *record = new_record(drive);
    record->topic = text_member(drive, object, "topic");
    record->payload = text_member(drive, object, "payload");
    record->client_id = text_member(drive, object, "client_id");
    record->username = text_member(drive, object, "username");
    record->format = format_of(text_member(drive, object, "format"));
    record->kind = (uint8_t)int_member(object, "kind", SLU_RECORD_MESSAGE);
    record->policy = (uint16_t)int_member(object, "policy", 1);
    record->schema = (uint16_t)int_member(object, "schema", 1);
    record->qos = (uint8_t)int_member(object, "qos", 1);
    record->quality = (uint8_t)int_member(object, "quality", 192);
    record->retain = int_member(object, "retain", 0) != 0;
    record->event_ns = int_member(object, "event_ns", record->time_ns);
    record->properties = properties_of(drive, member(object, "properties"));
}

static void read_records(struct drive *drive, const char *path)
{
    FILE *file = must(fopen(path, "rb"));
    char *text = must(malloc(64u << 20));
    const size_t n = fread(text, 1, 64u << 20, file);
    fclose(file);
    struct slu_err err = {0};
    struct slu_document *document = slu_document_parse(slu_slice(text, n), 64, &err);
    if (document == NULL)
        die(err.text);
    const struct slu_value *object = slu_value_first(document->root);
    for (size_t i = 0; i < slu_value_len(document->root); i++, object = slu_value_next(object))
        add_record(drive, object);
    slu_document_free(document);
    free(text);
}

static void make_records(struct drive *drive, size_t n, size_t poison)
{
    char text[256];
    for (size_t i = 1; i <= n; i++) {
        struct slu_record *record = new_record(drive);
        const bool is_bad = poison > 0 && i % poison == 0;
        int len = snprintf(text, sizeof(text), "plant/a/oven/%zu/temperature", i % 100);
        record->topic = keep(drive, slu_slice(text, (size_t)len));
        len = snprintf(text, sizeof(text), "{\"oven\":%zu,\"value\":%s%zu.%zu%s,\"n\":%zu}",
                       i % 100, is_bad ? "\"bad" : "", i % 300, i % 10, is_bad ? "\"" : "", i);
        record->payload = keep(drive, slu_slice(text, (size_t)len));
    }
}

/* ---- the delivery loop's part --------------------------------------------------------------------------- */

static void note_answer(struct drive *drive, enum slu_sink_answer answer,
                        const struct slu_settlement *settlement, const struct slu_err *err)
{
    for (size_t i = 0; i < settlement->n_rejects; i++) {
        const struct slu_sink_reject *reject = &settlement->rejects[i];
        if (reject->seq <= drive->cursor || reject->seq > settlement->safe_seq)
            die("a reject out of order");
        fprintf(drive->dead, "%" PRIu64 "\t%s\t%s\n", reject->seq, reject->code, reject->message);
        drive->n_dead++;
    }
    fflush(drive->dead);
    uint64_t safe = settlement->safe_seq;
    if (answer != SLU_SINK_RESET && safe > drive->pushed)
        die("more is safe than was pushed");
    if (safe > drive->n)
        safe = drive->n;
    if (safe > drive->cursor)
        drive->cursor = safe;
    rewind(drive->place);
    fprintf(drive->place, "%020" PRIu64 "\n", drive->cursor);
    fflush(drive->place);
    if (answer == SLU_SINK_RESET)
        drive->pushed = drive->cursor;
    drive->lives += answer == SLU_SINK_LIVE;
    drive->resets += answer == SLU_SINK_RESET;
    drive->aways += answer == SLU_SINK_AWAY;
    drive->pauses += answer == SLU_SINK_PAUSED;
    if (answer == SLU_SINK_AWAY || answer == SLU_SINK_PAUSED)
        snprintf(drive->last_error, sizeof(drive->last_error), "%s", err->text);
}

static enum slu_sink_answer ask(struct drive *drive, int64_t ms, struct slu_settlement *settlement)
{
    struct slu_err err = {0};
    *settlement = (struct slu_settlement){0};
    const enum slu_sink_answer answer =
        drive->ops->settle(drive->self, slu_clock_mono_ns() + ms * SLU_NS_PER_MS, settlement, &err);
    note_answer(drive, answer, settlement, &err);
    return answer;
}

static size_t offer(struct drive *drive, size_t most)
{
    size_t n = drive->n - drive->pushed;
    n = n < most ? n : most;
    const size_t taken = n == 0 ? 0
                                : drive->ops->push(drive->self, &drive->records[drive->pushed], n,
                                                   slu_clock_mono_ns());
    drive->pushed += taken;
    return taken;
}

static void run(struct drive *drive, int64_t ms, size_t batch)
{
    const int64_t end = slu_clock_mono_ns() + ms * SLU_NS_PER_MS;
    bool is_up = false;
    do {
        struct slu_settlement settlement;
        const bool has_work = drive->pushed > drive->cursor || !is_up;
        const enum slu_sink_answer answer = ask(drive, has_work ? 1000 : 0, &settlement);
        is_up = answer == SLU_SINK_LIVE || answer == SLU_SINK_RESET;
        if (is_up)
            offer(drive, batch);
        else
            poll(NULL, 0, 20); /* the backoff of a delivery */
    } while (drive->cursor < drive->n && slu_clock_mono_ns() < end);
}

/* ---- commands ---------------------------------------------------------------------------------------- */

static void print_text(const char *text)
{
    struct slu_buf out;
    slu_buf_init(&out, 1 << 20);
    slu_json_text_string(&out, slu_slice_of(text));
    fputs(slu_buf_text(&out), stdout);
    slu_buf_fini(&out);
}

static void print_state(struct drive *drive, const char *answer)
{
    printf("{\"answer\":\"%s\",\"n\":%zu,\"pushed\":%zu,\"cursor\":%" PRIu64 ",\"dead\":%" PRIu64
           ",\"lives\":%u,\"resets\":%u,\"aways\":%u,\"pauses\":%u,\"error\":",
           answer, drive->n, drive->pushed, drive->cursor, drive->n_dead, drive->lives,
           drive->resets, drive->aways, drive->pauses);
    print_text(drive->last_error);
    printf("}\n");
    fflush(stdout);
}

static const char *const answers[] = {"LIVE", "RESET", "AWAY", "PAUSED"};

static void print_ddl(const struct slu_node *section)
{
    struct slu_err err = {0};
    struct slu_buf out;
    slu_buf_init(&out, 1 << 20);
    const int result = slu_sink_postgresql.ddl(section, &out, &err);
    printf("{\"ddl\":");
    print_text(result == 0 ? slu_buf_text(&out) : err.text);
    printf("}\n");
    fflush(stdout);
    slu_buf_fini(&out);
}

static bool obey(struct drive *drive, const struct slu_node *section, char *line)
{
    char file[1024] = "";
    long long a = 0, b = 0;
    struct slu_settlement settlement;

    if (sscanf(line, "records %1023s", file) == 1) {
        read_records(drive, file);
        print_state(drive, "");
    } else if (sscanf(line, "make %lld %lld", &a, &b) == 2) {
        make_records(drive, (size_t)a, (size_t)b);
        print_state(drive, "");
    } else if (sscanf(line, "settle %lld", &a) == 1) {
        print_state(drive, answers[ask(drive, a, &settlement)]);
    } else if (sscanf(line, "push %lld", &a) == 1) {
        offer(drive, (size_t)a);
        print_state(drive, "");
    } else if (sscanf(line, "run %lld %lld", &a, &b) == 2) {
        run(drive, a, (size_t)b);
        print_state(drive, "");
    } else if (strncmp(line, "reset", 5) == 0) {
        drive->ops->reset(drive->self);
        print_state(drive, "");
    } else if (strncmp(line, "ddl", 3) == 0) {
        print_ddl(section);
    } else {
        return false;
    }
    return true;
}

static uint64_t read_place(FILE *file)
{
    uint64_t place = 0;
    if (fscanf(file, "%" SCNu64, &place) != 1)
        place = 0;
    return place;
}

static FILE *open_file(const char *variable, const char *mode)
{
    const char *path = getenv(variable);
    FILE *file = path != NULL ? fopen(path, mode) : NULL;
    return file != NULL ? file : must(tmpfile());
}

static int tell_problems(const struct slu_problems *problems)
{
    printf("{\"problems\":[");
    for (size_t i = 0; i < problems->n; i++) {
        printf("%s", i > 0 ? "," : "");
        print_text(problems->items[i].err.text);
    }
    printf("],\"errors\":%zu}\n", problems->n_errors);
    fflush(stdout);
    return problems->n_errors > 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct drive drive = {.ops = &slu_sink_postgresql};
    struct slu_problems problems;
    struct slu_err err = {0};
    char line[2048];

    if (argc < 2)
        die("usage: drive SECTION.yaml [NAME]");
    slu_arena_init(&drive.arena, (size_t)2 << 30);
    slu_problems_init(&problems);
    const struct slu_node *section = slu_yaml_read(argv[1], &drive.arena, &problems);
    if (section != NULL)
        drive.ops->check(section, &problems);
    int result = tell_problems(&problems);
    slu_problems_fini(&problems);
    if (section == NULL || result != 0)
        goto end;

    drive.dead = open_file("DEAD", "a");
    drive.place = open_file(
        "CURSOR", access(getenv("CURSOR") != NULL ? getenv("CURSOR") : "", F_OK) ? "w+" : "r+");
    drive.cursor = drive.pushed = read_place(drive.place);
    const struct slu_sink_env env = {
        .name = argc > 2 ? argv[2] : "historian",
        .instance = "plant1-edge",
        .spool_id = spool_id,
        .policy_name = policy_name,
        .schema_name = schema_name,
    };
    drive.self = must(calloc(1, drive.ops->self_bytes));
    if (drive.ops->open(drive.self, &env, section, &err) != 0)
        die(err.text);
    while (fgets(line, sizeof(line), stdin) != NULL && obey(&drive, section, line)) {
    }
    drive.ops->close(drive.self);
    free(drive.self);
    fclose(drive.dead);
    fclose(drive.place);
end:
    free(drive.records);
    slu_arena_fini(&drive.arena);
    return result;
}
