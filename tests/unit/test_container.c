/* test_container.c -- container files in memory and on disk: what is written is read back by the schema it
 * carries, and whatever else stands in a file is refused within bounds. */
#include "tests/unit/container_help.h"

#include "base/arena.h"
#include "base/properties.h"
#include "base/uuid.h"
#include "sinks/decoder.h"
#include "sinks/deflate.h"
#include "sinks/envelope_avro.h"
#include "sinks/zstandard.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint8_t spool_id[16] = "spool-of-a-test";
static const uint8_t sync_marker[16] = "0123456789abcdef";
static const char press[] = "{\"type\": \"record\", \"name\": \"Press\", \"namespace\": \"acme\",\n"
                            " \"fields\": [{\"name\": \"temp\", \"type\": \"double\"}]}";

/* ---- a file of some bytes --------------------------------------------------------------------------- */

static char path[64];

static int set_up(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "/tmp/slu-container-XXXXXX");
    const int fd = mkstemp(path);
    return fd >= 0 ? close(fd) : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_file(struct slu_slice bytes)
{
    const int fd = open(path, O_WRONLY | O_TRUNC);
    assert_true(fd >= 0 && write(fd, bytes.data, bytes.len) == (ssize_t)bytes.len);
    close(fd);
}

/* Opens the file and takes up to `n` blocks; what the last answer was. */
static enum slu_container_answer walk(size_t n, size_t *n_whole)
{
    struct slu_container container;
    struct slu_container_block block;
    struct slu_buf objects;
    struct slu_err err = {0};
    struct stat status;
    const int fd = open(path, O_RDONLY);

    slu_buf_init(&objects, SLU_CONTAINER_BLOCK_MAX);
    assert_true(fd >= 0 && fstat(fd, &status) == 0);
    enum slu_container_answer answer =
        slu_container_open(&container, fd, status.st_size, NULL, &err);
    *n_whole = 0;
    while (answer == SLU_CONTAINER_WHOLE && *n_whole < n) {
        answer = slu_container_next(&container, &block, &err);
        if (answer == SLU_CONTAINER_WHOLE)
            answer = slu_container_unpack(&container, &block, &objects, &err);
        *n_whole += answer == SLU_CONTAINER_WHOLE;
    }
    slu_buf_fini(&objects);
    close(fd);
    return answer;
}

/* ---- codecs ------------------------------------------------------------------------------------------- */

static const struct {
    bool (*pack)(struct slu_slice raw, struct slu_buf *out);
    int (*unpack)(struct slu_slice packed, size_t max, struct slu_buf *out);
} codecs[] = {{slu_deflate_pack, slu_deflate_unpack}, {slu_zstandard_pack, slu_zstandard_unpack}};

static void what_is_packed_is_unpacked_within_its_bound(void **state)
{
    (void)state;
    static char raw[100000];
    const size_t lengths[] = {0, 1, 15, 4096, sizeof(raw)};
    for (size_t i = 0; i < sizeof(raw); i++)
        raw[i] = (char)(i % 251 * (i / 977));
    for (size_t c = 0; c < COUNT(codecs); c++) {
        for (size_t i = 0; i < COUNT(lengths); i++) {
            struct slu_buf packed, back;
            slu_buf_init(&packed, 1 << 20);
            slu_buf_init(&back, 1 << 20);
            assert_true(codecs[c].pack(slu_slice(raw, lengths[i]), &packed));
            assert_int_equal(codecs[c].unpack(slu_buf_slice(&packed), lengths[i], &back), 1);
            assert_true(slu_slice_equal(slu_buf_slice(&back), slu_slice(raw, lengths[i])));
            if (lengths[i] > 0)
                assert_int_equal(codecs[c].unpack(slu_buf_slice(&packed), lengths[i] - 1, &back),
                                 0);
            slu_buf_reset(&back);
            slu_buf_add_char(&packed, 'x'); /* something behind the end */
            assert_int_equal(codecs[c].unpack(slu_buf_slice(&packed), lengths[i], &back), 0);
            slu_buf_reset(&back);
            slu_buf_cut(&packed, packed.len - 2);
            assert_int_equal(codecs[c].unpack(slu_buf_slice(&packed), lengths[i], &back), 0);
            slu_buf_fini(&packed);
            slu_buf_fini(&back);
        }
    }
}

static void no_room_is_told_and_nothing_is_added(void **state)
{
    (void)state;
    static char raw[3000];
    for (size_t i = 0; i < sizeof(raw); i++)
        raw[i] = (char)(i * i % 253);
    for (int codec = 0; codec < SLU_CODECS; codec++) {
        struct slu_buf out;
        for (size_t max = 4; max < 400; max += 7) {
            slu_buf_init(&out, max);
            slu_buf_add(&out, "abc", 3);
            assert_false(slu_container_add_block(&out, 1, slu_slice(raw, sizeof(raw)),
                                                 (enum slu_codec)codec, sync_marker));
            assert_int_equal(out.len, 3);
            assert_false(out.failed);
            slu_buf_fini(&out);
        }
        slu_buf_init(&out, 50);
        assert_false(slu_container_add_header(&out, slu_slice_of(press), (enum slu_codec)codec,
                                              sync_marker, NULL, 0));
        assert_int_equal(out.len, 0);
        assert_false(out.failed);
        slu_buf_fini(&out);
    }
}

/* ---- files ---------------------------------------------------------------------------------------------- */

/* A header and blocks of the numbers 1, 2, 3, … as "long". */
static void make_numbers(struct slu_buf *out, enum slu_codec codec, const uint64_t *sizes, size_t n)
{
    int64_t number = 0;

    assert_true(slu_container_add_header(out, SLU_SLICE("\"long\""), codec, sync_marker, NULL, 0));
    for (size_t i = 0; i < n; i++) {
        struct slu_buf objects;
        slu_buf_init(&objects, 1 << 20);
        for (uint64_t k = 0; k < sizes[i]; k++)
            slu_avro_add_long(&objects, ++number);
        assert_true(
            slu_container_add_block(out, sizes[i], slu_buf_slice(&objects), codec, sync_marker));
        slu_buf_fini(&objects);
    }
}

static void add_up(void *context, const struct slu_value *object)
{
    *(uint64_t *)context += object->u64;
}

static void numbers_come_back(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {1, 70, 20000};
    for (int codec = 0; codec < SLU_CODECS; codec++) {
        struct slu_buf bytes;
        uint64_t sum = 0;
        slu_buf_init(&bytes, 1 << 20);
        make_numbers(&bytes, (enum slu_codec)codec, sizes, COUNT(sizes));
        write_file(slu_buf_slice(&bytes));
        const struct container_look look = container_look(path, add_up, &sum);
        assert_int_equal(look.answer, SLU_CONTAINER_END);
        assert_int_equal(look.n_objects, 20071);
        assert_int_equal(sum, 20071ull * 20072 / 2);
        slu_buf_fini(&bytes);
    }
}

static void torn_anywhere_only_whole_blocks_are_found(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {3, 2, 4};
    for (int codec = 0; codec < SLU_CODECS; codec++) {
        struct slu_buf bytes;
        size_t ends[4] = {0}, n_whole;
        slu_buf_init(&bytes, 1 << 20);
        for (size_t n = 0; n <= 3; n++) {
            slu_buf_reset(&bytes);
            make_numbers(&bytes, (enum slu_codec)codec, sizes, n);
            ends[n] = bytes.len;
        }
        for (size_t len = 0; len <= bytes.len; len++) {
            size_t expected = 0;
            bool at_end = len == 0;
            for (size_t n = 0; n <= 3; n++) {
                if (len >= ends[n])
                    expected = n;
                at_end |= len == ends[n];
            }
            write_file(slu_slice(bytes.data, len));
            assert_int_equal(walk(9, &n_whole), at_end ? SLU_CONTAINER_END : SLU_CONTAINER_BROKEN);
            assert_int_equal(n_whole, expected);
        }
        slu_buf_fini(&bytes);
    }
}

/* Header: everything that a reader must not believe. `%` stands for the marker. */
static const struct {
    const char *name, *bytes;
    size_t n;
} hostile[] = {
#define BYTES(text) text, sizeof(text) - 1
    {"another magic", BYTES("Obj\2\2\x16"
                            "avro.schema\x0c\"long\"\0%")},
    {"no schema", BYTES("Obj\1\2\x14"
                        "avro.codec\x08null\0%")},
    {"an unknown codec", BYTES("Obj\1\4\x16"
                               "avro.schema\x0c\"long\"\x14"
                               "avro.codec\x0csnappy\0%")},
    {"no metadata", BYTES("Obj\1\0%")},
    {"a negative count", BYTES("Obj\1\1\x16"
                               "avro.schema\x0c\"long\"\0%")},
    {"too many entries", BYTES("Obj\1\xfe\xff\xff\xff\xff\xff\xff\xff\xff\1%")},
    {"a count beyond 64 bits", BYTES("Obj\1\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x7f%")},
    {"a length beyond the file", BYTES("Obj\1\2\xfe\xff\xff\xff\xff\xff\xff\xff\xff\1"
                                       "avro%")},
    {"a negative length", BYTES("Obj\1\2\x15"
                                "avro.schema\x0c\"long\"\0%")},
    {"a varint without an end", BYTES("Obj\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff%")},
};

static void hostile_headers_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hostile); i++) {
        struct slu_buf bytes;
        size_t n_whole;
        slu_buf_init(&bytes, 1 << 20);
        slu_buf_add(&bytes, hostile[i].bytes, hostile[i].n - 1);
        slu_buf_add(&bytes, sync_marker, sizeof(sync_marker));
        write_file(slu_buf_slice(&bytes));
        if (walk(1, &n_whole) != SLU_CONTAINER_BROKEN)
            fail_msg("%s", hostile[i].name);
        slu_buf_fini(&bytes);
    }
}

static const struct {
    const char *name;
    int64_t n, bytes;
    const char *objects;
} hostile_blocks[] = {
    {"no objects", 0, 3, "\2\2\2"},
    {"fewer than none", -1, 3, "\2\2\2"},
    {"no bytes", 1, 0, ""},
    {"negative bytes", 1, -3, "\2\2\2"},
    {"more bytes than there are", 3, 1000, "\2\2\2"},
    {"as many as there could ever be", 3, INT64_MAX, "\2\2\2"},
    {"more than are taken", 3, SLU_CONTAINER_BLOCK_MAX + 1, "\2\2\2"},
    {"another marker", 3, 2, "\2\2\2"},
};

static void hostile_blocks_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hostile_blocks); i++) {
        struct slu_buf bytes;
        size_t n_whole;
        slu_buf_init(&bytes, 1 << 20);
        make_numbers(&bytes, SLU_CODEC_NULL, NULL, 0);
        slu_avro_add_long(&bytes, hostile_blocks[i].n);
        slu_avro_add_long(&bytes, hostile_blocks[i].bytes);
        slu_buf_add_text(&bytes, hostile_blocks[i].objects);
        slu_buf_add(&bytes, sync_marker, sizeof(sync_marker));
        write_file(slu_buf_slice(&bytes));
        if (walk(1, &n_whole) != SLU_CONTAINER_BROKEN)
            fail_msg("%s", hostile_blocks[i].name);
        slu_buf_fini(&bytes);
    }
}

/* A block of a few KiB that would be 65 MiB. */
static void a_bomb_is_not_unpacked(void **state)
{
    (void)state;
    const size_t len = SLU_CONTAINER_BLOCK_MAX + (1u << 20);
    char *zeros = calloc(1, len);
    assert_non_null(zeros);
    for (int codec = SLU_CODEC_DEFLATE; codec < SLU_CODECS; codec++) {
        struct slu_buf bytes;
        size_t n_whole;
        slu_buf_init(&bytes, 2 * len);
        make_numbers(&bytes, (enum slu_codec)codec, NULL, 0);
        assert_true(slu_container_add_block(&bytes, len, slu_slice(zeros, len),
                                            (enum slu_codec)codec, sync_marker));
        assert_true(bytes.len < 1 << 20);
        write_file(slu_buf_slice(&bytes));
        assert_int_equal(walk(1, &n_whole), SLU_CONTAINER_BROKEN);
        slu_buf_fini(&bytes);
    }
    free(zeros);
}

static void a_long_schema_needs_a_long_header(void **state)
{
    (void)state;
    struct slu_buf schema, bytes;
    size_t n_whole;
    slu_buf_init(&schema, 1 << 20);
    slu_buf_init(&bytes, 1 << 20);
    slu_buf_add_text(&schema, "{\"type\": \"long\", \"doc\": \"");
    for (int i = 0; i < 400000; i++)
        slu_buf_add_char(&schema, 'x');
    slu_buf_add_text(&schema, "\"}");
    assert_true(slu_container_add_header(&bytes, slu_buf_slice(&schema), SLU_CODEC_NULL,
                                         sync_marker, NULL, 0));
    assert_true(slu_container_add_block(&bytes, 1, SLU_SLICE("\2"), SLU_CODEC_NULL, sync_marker));
    write_file(slu_buf_slice(&bytes));
    assert_int_equal(walk(2, &n_whole), SLU_CONTAINER_END);
    assert_int_equal(n_whole, 1);
    slu_buf_fini(&schema);
    slu_buf_fini(&bytes);
}

/* ---- records -------------------------------------------------------------------------------------------- */

static const struct slu_envelope plain = {
    .instance = "plant1", .spool_id = spool_id, .policy = "ovens", .schema = "oven:1"};

static struct slu_record message(enum slu_record_format format, struct slu_slice payload)
{
    return (struct slu_record){.seq = 300,
                               .time_ns = INT64_C(1767225600123456789),
                               .event_ns = -1,
                               .kind = SLU_RECORD_MESSAGE,
                               .format = format,
                               .qos = 1,
                               .retain = true,
                               .quality = 192,
                               .topic = SLU_SLICE("plant/oven"),
                               .client_id = SLU_SLICE("c1"),
                               .payload = payload};
}

/* One record as JSON, by way of its bytes and the schema of files. */
static void as_json(struct slu_buf *json, struct slu_slice payload_schema,
                    const struct slu_envelope *envelope, const struct slu_record *record)
{
    struct slu_envelope_avro avro = {.payload = payload_schema};
    struct slu_problems problems;
    struct slu_buf schema, object;
    struct slu_payload payload;
    uint64_t seq;
    bool ours;

    slu_problems_init(&problems);
    slu_buf_init(&avro.scratch, SLU_ENVELOPE_MAX_BYTES);
    slu_buf_init(&schema, 1 << 20);
    slu_buf_init(&object, SLU_ENVELOPE_MAX_BYTES);
    if (!slu_envelope_avro_schema(&schema, payload_schema, &problems))
        fail_msg("%s", problems.n > 0 ? problems.items[0].err.text : "no reason");
    assert_true(slu_envelope_avro_write(&object, &avro, envelope, record));
    assert_true(slu_envelope_avro_place(slu_buf_slice(&object), spool_id, &seq, &ours));
    assert_true(ours && seq == record->seq);

    const struct slu_avro_schema_options options = {.registry_id = -1};
    struct slu_avro_schema *compiled =
        slu_avro_schema_compile(slu_buf_slice(&schema), &options, &problems);
    assert_non_null(compiled);
    assert_int_equal(problems.n, 0); /* nor does Avro C object */
    const struct slu_avro_schema *const one = compiled;
    const struct slu_avro_choice choice = {.schemas = &one, .n = 1, .framing = SLU_AVRO_RAW};
    struct slu_avro_reader *reader = slu_avro_reader_new(1 << 25);
    if (!slu_avro_read(reader, &choice, slu_buf_slice(&object), &payload, NULL))
        fail_msg("%s", slu_payload_codes[payload.fault]);
    slu_buf_reset(json);
    assert_true(slu_value_json(payload.root, json));
    slu_avro_reader_free(reader);
    slu_avro_schema_free(compiled);
    slu_buf_fini(&object);
    slu_buf_fini(&schema);
    slu_buf_fini(&avro.scratch);
    slu_problems_fini(&problems);
}

#define HEAD                                                                                     \
    "{\"time\":1767225600123456,\"event_time\":-1,\"instance\":\"plant1\",\"kind\":\"message\"," \
    "\"topic\":\"plant/oven\",\"client_id\":\"c1\",\"username\":null,\"qos\":1,\"retain\":true," \
    "\"policy\":\"ovens\",\"schema\":\"oven:1\",\"quality\":192,\"user_properties\":[],"

static void expect(struct slu_slice payload_schema, const struct slu_envelope *envelope,
                   const struct slu_record *record, const char *payload)
{
    char id[SLU_UUID_TEXT_SIZE];
    struct slu_buf json, expected;

    slu_buf_init(&json, 1 << 25);
    slu_buf_init(&expected, 1 << 25);
    slu_uuid_format(slu_uuid_of_record(spool_id, record->seq), id);
    slu_buf_printf(&expected, HEAD "%s,\"id\":\"%s\",\"seq\":%llu}", payload, id,
                   (unsigned long long)record->seq);
    as_json(&json, payload_schema, envelope, record);
    assert_string_equal(slu_buf_text(&json), slu_buf_text(&expected));
    slu_buf_fini(&json);
    slu_buf_fini(&expected);
}

static const struct {
    enum slu_record_format format;
    struct slu_slice payload;
    const char *fields;
} payloads[] = {
    {SLU_RECORD_JSON,
     {"{\"a\":\n1.10}", 11},
     "\"payload_json\":\"{\\\"a\\\": 1.10}\",\"payload_bytes\":null"},
    {SLU_RECORD_JSON, {"{\"a\":1", 6}, "\"payload_json\":null,\"payload_bytes\":\"{\\\"a\\\":1\""},
    {SLU_RECORD_NUMBER, {" +1.50", 6}, "\"payload_json\":\"1.50\",\"payload_bytes\":null"},
    {SLU_RECORD_BOOLEAN, {"ON", 2}, "\"payload_json\":\"true\",\"payload_bytes\":null"},
    {SLU_RECORD_STRING,
     {"h\"", 2},
     "\"payload_json\":\"\\\"h\\\\\\\"\\\"\",\"payload_bytes\":null"},
    {SLU_RECORD_BYTES,
     {"\x01\x02", 2},
     "\"payload_json\":null,\"payload_bytes\":\"\\u0001\\u0002\""},
    {SLU_RECORD_BYTES, {"", 0}, "\"payload_json\":null,\"payload_bytes\":\"\""},
    {SLU_RECORD_AVRO, {"\x02", 1}, "\"payload_json\":null,\"payload_bytes\":\"\\u0002\""},
};

static void a_payload_is_json_or_else_its_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(payloads); i++) {
        const struct slu_record record = message(payloads[i].format, payloads[i].payload);
        expect(slu_slice(NULL, 0), &plain, &record, payloads[i].fields);
    }
}

static const struct {
    const char *schema, *payload_schema; /* of the record, of the sink */
    struct slu_slice payload;
    uint8_t framing;
    const char *fields;
} typed[] = {
    {press,
     press,
     {"\0\0\0\0\0\0\xf0\x3f", 8},
     SLU_AVRO_RAW,
     "\"payload_json\":null,\"payload_bytes\":null,\"payload\":{\"temp\":1}"},
    {press,
     press,
     {"\0\0\0\0\7\0\0\0\0\0\0\xf0\x3f", 13},
     SLU_AVRO_CONFLUENT,
     "\"payload_json\":null,\"payload_bytes\":null,\"payload\":{\"temp\":1}"},
    {"\"long\"",
     press,
     {"\6", 1},
     SLU_AVRO_RAW,
     "\"payload_json\":\"3\",\"payload_bytes\":null,\"payload\":null"},
    {press,
     press,
     {"\0\0\0", 3},
     SLU_AVRO_RAW, /* damaged: it must not damage the block */
     "\"payload_json\":null,\"payload_bytes\":\"\\u0000\\u0000\\u0000\",\"payload\":null"},
    {"[\"null\", \"long\"]",
     "[\"null\", \"long\"]",
     {"\2\6", 2},
     SLU_AVRO_RAW,
     "\"payload_json\":null,\"payload_bytes\":null,\"payload\":{\"value\":3}"},
    {"\"null\"",
     "\"null\"",
     {"", 0},
     SLU_AVRO_RAW,
     "\"payload_json\":null,\"payload_bytes\":null,\"payload\":{\"value\":null}"},
};

static void a_payload_of_the_sinks_schema_is_typed(void **state)
{
    (void)state;
    struct slu_decoder *decoder = slu_decoder_new();
    for (size_t i = 0; i < COUNT(typed); i++) {
        struct slu_envelope envelope = plain;
        struct slu_record record = message(SLU_RECORD_AVRO, typed[i].payload);
        record.framing = typed[i].framing;
        envelope.schema_text = slu_slice_of(typed[i].schema);
        envelope.decoder = decoder;
        expect(slu_slice_of(typed[i].payload_schema), &envelope, &record, typed[i].fields);
    }
    slu_decoder_free(decoder);
}

static void the_schema_keeps_the_payloads_text(void **state)
{
    (void)state;
    struct slu_problems problems;
    struct slu_buf schema;
    slu_problems_init(&problems);
    slu_buf_init(&schema, 1 << 20);
    assert_true(slu_envelope_avro_schema(&schema, slu_slice_of(press), &problems));
    assert_non_null(strstr(slu_buf_text(&schema), press));
    slu_buf_reset(&schema);
    assert_false(slu_envelope_avro_schema(
        &schema, SLU_SLICE("{\"type\":\"enum\",\"name\":\"sluice_kind\",\"symbols\":[\"A\"]}"),
        &problems));
    assert_true(problems.n > 0);
    slu_problems_fini(&problems);
    slu_buf_fini(&schema);
}

static void texts_that_are_no_utf8_and_user_properties(void **state)
{
    (void)state;
    struct slu_buf json, packed;
    slu_buf_init(&json, 1 << 20);
    slu_buf_init(&packed, SLU_PROPERTIES_MAX_BYTES);
    slu_properties_add(&packed, SLU_PROPERTY_USER, SLU_SLICE("k"), SLU_SLICE("v"));
    slu_properties_add(&packed, SLU_PROPERTY_CONTENT_TYPE, SLU_SLICE(""), SLU_SLICE("text"));
    slu_properties_add(&packed, SLU_PROPERTY_USER, SLU_SLICE("k"), SLU_SLICE("w"));
    struct slu_record record = message(SLU_RECORD_NUMBER, SLU_SLICE("1"));
    record.kind = SLU_RECORD_VIOLATION;
    record.client_id = SLU_SLICE("a\xff\xc3z");
    record.properties = slu_buf_slice(&packed);
    as_json(&json, slu_slice(NULL, 0), &plain, &record);
    assert_non_null(strstr(slu_buf_text(&json), "\"client_id\":\"a\xEF\xBF\xBD\xEF\xBF\xBDz\""));
    assert_non_null(strstr(slu_buf_text(&json), "\"kind\":\"violation\""));
    assert_non_null(strstr(slu_buf_text(&json),
                           "\"user_properties\":[{\"name\":\"k\",\"value\":\"v\"},"
                           "{\"name\":\"k\",\"value\":\"w\"}]"));
    slu_buf_fini(&json);
    slu_buf_fini(&packed);
}

static void the_place_is_read_from_the_end_only_where_it_is_sound(void **state)
{
    (void)state;
    static const uint64_t seqs[] = {1, 63, 64, 8191, 8192, 1ull << 40, (1ull << 62) - 1};
    for (size_t i = 0; i < COUNT(seqs); i++) {
        struct slu_envelope_avro avro = {0};
        struct slu_record record = message(SLU_RECORD_NUMBER, SLU_SLICE("1"));
        struct slu_buf object;
        uint64_t seq;
        bool ours;
        slu_buf_init(&avro.scratch, 100);
        slu_buf_init(&object, 1 << 16);
        record.seq = seqs[i];
        assert_true(slu_envelope_avro_write(&object, &avro, &plain, &record));
        const struct slu_slice whole = slu_buf_slice(&object);
        assert_true(slu_envelope_avro_place(whole, spool_id, &seq, &ours));
        assert_true(ours && seq == seqs[i]);
        assert_true(slu_envelope_avro_place(whole, sync_marker, &seq, &ours));
        assert_false(ours);
        for (size_t len = 0; len < whole.len; len++)
            assert_false(
                slu_envelope_avro_place(slu_slice(whole.data, len), spool_id, &seq, &ours));
        object.data[object.len - 1] ^= 2; /* a number that the id does not have */
        assert_false(slu_envelope_avro_place(slu_buf_slice(&object), spool_id, &seq, &ours));
        slu_buf_fini(&object);
        slu_buf_fini(&avro.scratch);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_packed_is_unpacked_within_its_bound),
        TEST(no_room_is_told_and_nothing_is_added),
        TEST(numbers_come_back),
        TEST(torn_anywhere_only_whole_blocks_are_found),
        TEST(hostile_headers_are_refused),
        TEST(hostile_blocks_are_refused),
        TEST(a_bomb_is_not_unpacked),
        TEST(a_long_schema_needs_a_long_header),
        TEST(a_payload_is_json_or_else_its_bytes),
        TEST(a_payload_of_the_sinks_schema_is_typed),
        TEST(the_schema_keeps_the_payloads_text),
        TEST(texts_that_are_no_utf8_and_user_properties),
        TEST(the_place_is_read_from_the_end_only_where_it_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
