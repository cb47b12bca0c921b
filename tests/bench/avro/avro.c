/* avro.c -- what reading and writing one Avro record costs, here and in Avro C: the program that run.py
 * drives.
 *
 *   bench_avro SCHEMA LINES              answers lines on stdin: "CASE PASSES" → nanoseconds of the thread's
 *                                        CPU time for PASSES times all records
 *   bench_avro SCHEMA LINES CASE PASSES  does that once, for callgrind
 *
 *   read          bytes → proved value tree: slu_avro_read()
 *   avro_c_read   the same bytes → Avro C's value; reader and value are made once and used again
 *   write         value tree → bytes: slu_avro_encode(), the tree was read before
 *   avro_c_write  the same trees → Avro C's value, set member by member → the same bytes. Value, writer and
 *                 buffer are made once. Each member finds its field by name, and the field's type says
 *                 how it is set, as in any code that does not know the schema or the members' order
 *   avro_c_fill   the same without looking: code for this one schema that believes each member to be the
 *                 next field and of the right kind. It is the floor of what that interface costs; who writes
 *                 JSON that came from elsewhere cannot do so
 *
 * LINES holds the records as JSON, a record a line, their members in the schema's order. Before anything is
 * measured each record has gone all ways, and all bytes are the same.
 */
#include "base/file.h"
#include "validation/avro/encode.h"
#include "validation/avro/read.h"
#include "validation/payload/payload.h"

#include <avro.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_RECORDS 4096
#define MAX_BYTES   ((size_t)1 << 20)
#define MAX_FILE    ((size_t)64 << 20)
#define FIELDS      12

struct record {
    struct slu_payload_reader *reader; /* keeps the tree */
    struct slu_payload payload;
    struct slu_slice bytes; /* in Avro */
};

static struct record records[MAX_RECORDS];
static size_t n_records;
static struct slu_avro_schema *schema;
static struct slu_avro_reader *reader;
static struct slu_buf out;
static avro_schema_t peer_schema, peer_states;
static avro_value_t peer_value;
static avro_reader_t peer_reader;
static avro_writer_t peer_writer;
static char peer_out[4096];

static void die(const char *what, const char *about)
{
    fprintf(stderr, "bench_avro: %s: %s\n", about, what);
    exit(1);
}

static struct slu_slice read_file(const char *path)
{
    struct slu_buf content;
    struct slu_err err = {0};
    slu_buf_init(&content, MAX_FILE);
    if (slu_file_read(path, &content, &err) != 0)
        die(err.text, path);
    return slu_buf_slice(&content); /* not given back: it lives as long as the program */
}

/* ---- ours -------------------------------------------------------------------------------------------- */

static bool read_one(struct slu_slice bytes)
{
    const struct slu_avro_schema *const schemas[] = {schema};
    const struct slu_avro_choice choice = {.schemas = schemas, .n = 1, .framing = SLU_AVRO_RAW};
    struct slu_payload payload;
    return slu_avro_read(reader, &choice, bytes, &payload, NULL);
}

static bool write_one(const struct slu_payload *payload)
{
    const struct slu_avro_source source = slu_avro_source_of(payload);
    const struct slu_avro_options options = {.dialect = SLU_AVRO_NATURAL};
    struct slu_avro_complaint complaint;
    slu_buf_reset(&out);
    return slu_avro_encode(schema, &source, &options, &out, &complaint);
}

/* ---- Avro C ------------------------------------------------------------------------------------------ */

static bool peer_read_one(struct slu_slice bytes)
{
    avro_reader_memory_set_source(peer_reader, bytes.data, (int64_t)bytes.len);
    return avro_value_read(peer_reader, &peer_value) == 0;
}

static double real_of(const struct slu_value *value)
{
    return slu_value_variant(value) == SLU_VALUE_REAL ? value->f64 : (double)value->u64;
}

/* Its sizes count a NUL, which is not written: any byte does, and one is always there behind a text. */
static int peer_set_text(avro_value_t *field, const struct slu_value *value)
{
    return avro_value_set_string_len(field, value->text, slu_value_len(value) + 1);
}

/* The branches of this schema's union: null, string. */
static int peer_set_union(avro_value_t *field, const struct slu_value *value)
{
    const bool is_null = slu_value_kind(value) == SLU_VALUE_NULL;
    avro_value_t branch;
    if (avro_value_set_branch(field, is_null ? 0 : 1, &branch) != 0)
        return -1;
    return is_null ? avro_value_set_null(&branch) : peer_set_text(&branch, value);
}

static int peer_set(avro_value_t *field, const struct slu_value *value)
{
    switch (avro_value_get_type(field)) {
    case AVRO_INT32:
        return slu_value_kind(value) != SLU_VALUE_NUMBER || value->i64 > INT32_MAX ||
               avro_value_set_int(field, (int32_t)value->i64);
    case AVRO_INT64:
        return slu_value_kind(value) != SLU_VALUE_NUMBER || avro_value_set_long(field, value->i64);
    case AVRO_FLOAT:
        return slu_value_kind(value) != SLU_VALUE_NUMBER ||
               avro_value_set_float(field, (float)real_of(value));
    case AVRO_DOUBLE:
        return slu_value_kind(value) != SLU_VALUE_NUMBER ||
               avro_value_set_double(field, real_of(value));
    case AVRO_BOOLEAN:
        return slu_value_kind(value) != SLU_VALUE_BOOL ||
               avro_value_set_boolean(field, slu_value_variant(value) == SLU_VALUE_TRUE);
    case AVRO_STRING:
        return slu_value_kind(value) != SLU_VALUE_STRING || peer_set_text(field, value);
    case AVRO_ENUM:
        return slu_value_kind(value) != SLU_VALUE_STRING ||
               avro_value_set_enum(
                   field, avro_schema_enum_get_by_name(avro_value_get_schema(field), value->text));
    case AVRO_UNION:
        return peer_set_union(field, value);
    default:
        return -1;
    }
}

static bool peer_write_one(const struct slu_payload *payload)
{
    const struct slu_value *key = slu_value_first(payload->root);
    avro_value_t field;
    for (size_t n = slu_value_len(payload->root); n > 0; n--, key = slu_value_next(key + 1))
        if (avro_value_get_by_name(&peer_value, key->text, &field, NULL) != 0 ||
            peer_set(&field, key + 1) != 0)
            return false;
    avro_writer_reset(peer_writer);
    return avro_value_write(peer_writer, &peer_value) == 0;
}

static int peer_fill(int index, avro_value_t *field, const struct slu_value *value)
{
    switch (index) {
    case 0:
    case 1:
        return avro_value_set_long(field, value->i64);
    case 3:
        return avro_value_set_enum(field, avro_schema_enum_get_by_name(peer_states, value->text));
    case 4:
    case 5:
        return avro_value_set_double(field, real_of(value));
    case 6:
        return avro_value_set_float(field, (float)real_of(value));
    case 7:
        return avro_value_set_int(field, (int32_t)value->i64);
    case 8:
        return avro_value_set_boolean(field, slu_value_variant(value) == SLU_VALUE_TRUE);
    case 10:
        return peer_set_union(field, value);
    default:
        return peer_set_text(field, value);
    }
}

static bool peer_fill_one(const struct slu_payload *payload)
{
    const struct slu_value *key = slu_value_first(payload->root);
    avro_value_t field;
    for (int i = 0; i < FIELDS; i++, key = slu_value_next(key + 1))
        if (avro_value_get_by_index(&peer_value, (size_t)i, &field, NULL) != 0 ||
            peer_fill(i, &field, key + 1) != 0)
            return false;
    avro_writer_reset(peer_writer);
    return avro_value_write(peer_writer, &peer_value) == 0;
}

/* ---- before measuring -------------------------------------------------------------------------------- */

static void compile(const char *path)
{
    const struct slu_slice text = read_file(path);
    const struct slu_avro_schema_options options = {
        .name = path, .source = path, .registry_id = -1};
    struct slu_problems problems;
    slu_problems_init(&problems);
    schema = slu_avro_schema_compile(text, &options, &problems);
    if (schema == NULL)
        die(problems.n != 0 ? problems.items[0].err.text : "does not compile", path);
    slu_problems_fini(&problems);
    if (avro_schema_from_json_length(text.data, text.len, &peer_schema) != 0)
        die(avro_strerror(), path);
    peer_states = avro_schema_record_field_get(peer_schema, "state");
    if (avro_schema_record_size(peer_schema) != FIELDS || peer_states == NULL)
        die("not the schema that this program was written for", path);
    avro_value_iface_t *class = avro_generic_class_from_schema(peer_schema);
    if (class == NULL || avro_generic_value_new(class, &peer_value) != 0)
        die(avro_strerror(), path);
}

/* Through all ways; the bytes are kept. */
static void prepare(struct record *record, struct slu_slice line)
{
    record->reader = slu_payload_reader_new(line.len + 1);
    if (record->reader == NULL ||
        !slu_payload_read(record->reader, SLU_FORMAT_JSON, line, &record->payload))
        die("not read as JSON", line.data);
    if (!write_one(&record->payload))
        die("does not encode", line.data);
    char *copy = malloc(out.len);
    if (copy == NULL)
        die("no memory", "start");
    memcpy(copy, out.data, out.len);
    record->bytes = slu_slice(copy, out.len);
    if (!read_one(record->bytes))
        die("is not read", line.data);
    if (!peer_read_one(record->bytes))
        die(avro_strerror(), line.data);
    static bool (*const peers[])(const struct slu_payload *) = {peer_write_one, peer_fill_one};
    for (size_t i = 0; i < sizeof(peers) / sizeof(peers[0]); i++) {
        if (!peers[i](&record->payload))
            die(avro_strerror(), line.data);
        if ((size_t)avro_writer_tell(peer_writer) != out.len ||
            memcmp(peer_out, copy, out.len) != 0)
            die("Avro C writes other bytes", line.data);
    }
}

static void prepare_all(const char *path)
{
    const struct slu_slice lines = read_file(path);
    const char *at = lines.data, *const end = at + lines.len;
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if (line_end == NULL || n_records == MAX_RECORDS)
            die("too many lines, or one that does not end", path);
        prepare(&records[n_records++], slu_slice(at, (size_t)(line_end - at)));
        at = line_end + 1;
    }
    if (n_records == 0)
        die("no records", path);
}

/* ---- measuring --------------------------------------------------------------------------------------- */

static __attribute__((noinline)) bool read_all(void)
{
    bool good = true;
    for (size_t i = 0; i < n_records; i++)
        good = read_one(records[i].bytes) && good;
    return good;
}

static __attribute__((noinline)) bool peer_read_all(void)
{
    bool good = true;
    for (size_t i = 0; i < n_records; i++)
        good = peer_read_one(records[i].bytes) && good;
    return good;
}

static __attribute__((noinline)) bool write_all(void)
{
    bool good = true;
    for (size_t i = 0; i < n_records; i++)
        good = write_one(&records[i].payload) && good;
    return good;
}

static __attribute__((noinline)) bool peer_write_all(void)
{
    bool good = true;
    for (size_t i = 0; i < n_records; i++)
        good = peer_write_one(&records[i].payload) && good;
    return good;
}

static __attribute__((noinline)) bool peer_fill_all(void)
{
    bool good = true;
    for (size_t i = 0; i < n_records; i++)
        good = peer_fill_one(&records[i].payload) && good;
    return good;
}

static const struct {
    const char *name;
    bool (*all)(void);
} cases[] = {
    {"read", read_all},
    {"avro_c_read", peer_read_all},
    {"write", write_all},
    {"avro_c_write", peer_write_all},
    {"avro_c_fill", peer_fill_all},
};

static long long cpu_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static long long measure(const char *name, unsigned long passes)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (strcmp(cases[i].name, name) != 0)
            continue;
        const long long before = cpu_now();
        for (unsigned long pass = 0; pass < passes; pass++)
            if (!cases[i].all())
                die("a record was not taken", name);
        return cpu_now() - before;
    }
    die("there is no such case", name);
    return 0;
}

int main(int argc, char **argv)
{
    char name[32];
    unsigned long passes;
    if (argc != 3 && argc != 5) {
        fputs("usage: bench_avro SCHEMA LINES [CASE PASSES]\n", stderr);
        return 2;
    }
    reader = slu_avro_reader_new(MAX_BYTES);
    peer_reader = avro_reader_memory(NULL, 0);
    peer_writer = avro_writer_memory(peer_out, sizeof(peer_out));
    slu_buf_init(&out, MAX_BYTES);
    if (reader == NULL || peer_reader == NULL || peer_writer == NULL)
        die("no memory", "start");
    compile(argv[1]);
    prepare_all(argv[2]);
    if (argc == 5) {
        measure(argv[3], strtoul(argv[4], NULL, 10));
        return 0;
    }
    while (scanf("%31s %lu", name, &passes) == 2) {
        printf("%lld\n", measure(name, passes));
        fflush(stdout);
    }
    return 0;
}
