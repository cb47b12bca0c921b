/* JSON to Avro: each type, both dialects of unions, defaults, what does not fit and where; and the round
 * trip: what is written is read back as the same value, for schemas and values made at random. */
#include "avro_help.h"

#include "base/random.h"

static struct slu_avro_reader *reader;
static struct slu_payload_reader *json_reader;

static int set_up(void **state)
{
    (void)state;
    reader = slu_avro_reader_new(1u << 20);
    json_reader = slu_payload_reader_new(1u << 20);
    return reader == NULL || json_reader == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    slu_avro_reader_free(reader);
    slu_payload_reader_free(json_reader);
    return 0;
}

#define RECORD(fields)           "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"
#define FIELD(name, type)        "{\"name\":\"" name "\",\"type\":" type "}"
#define DEFAULT(name, type, val) "{\"name\":\"" name "\",\"type\":" type ",\"default\":" val "}"
#define LOGICAL(type, logical)   "{\"type\":\"" type "\",\"logicalType\":\"" logical "\"}"
#define DECIMAL(p, s) \
    "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":" p ",\"scale\":" s "}"
#define ENUM "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}"

static const struct row {
    const char *schema, *json;
    const char *hex; /* what it becomes, or */
    const char *code, *pointer;
    enum slu_avro_dialect dialect;
} rows[] = {
    {"\"null\"", "null", "", NULL, NULL, SLU_AVRO_NATURAL},
    {"\"null\"", "0", NULL, "avro.malformed", "", SLU_AVRO_NATURAL},
    {"\"boolean\"", "true", "01", NULL, NULL, SLU_AVRO_NATURAL},
    {"\"int\"", "-2", "03", NULL, NULL, SLU_AVRO_NATURAL},
    {"\"int\"", "1.0", "02", NULL, NULL, SLU_AVRO_NATURAL},
    {"\"int\"", "1e3", "d0 0f", NULL, NULL, SLU_AVRO_NATURAL},
    {"\"int\"", "1.5", NULL, "avro.int_range", "", SLU_AVRO_NATURAL},
    {"\"int\"", "2147483648", NULL, "avro.int_range", "", SLU_AVRO_NATURAL},
    {"\"int\"", "\"1\"", NULL, "avro.malformed", "", SLU_AVRO_NATURAL},
    {"\"long\"", "9223372036854775807", "fe ff ff ff ff ff ff ff ff 01", NULL, NULL,
     SLU_AVRO_NATURAL},
    {"\"long\"", "-9223372036854775808", "ff ff ff ff ff ff ff ff ff 01", NULL, NULL,
     SLU_AVRO_NATURAL},
    {"\"long\"", "9223372036854775807.0", "fe ff ff ff ff ff ff ff ff 01", NULL, NULL,
     SLU_AVRO_NATURAL},
    {"\"long\"", "9223372036854775808", NULL, "avro.int_range", "", SLU_AVRO_NATURAL},
    {"\"float\"", "2.5", "00 00 20 40", NULL, NULL, SLU_AVRO_NATURAL},
    {"\"float\"", "1e39", NULL, "avro.int_range", "", SLU_AVRO_NATURAL},
    {"\"float\"", "\"Infinity\"", "00 00 80 7f", NULL, NULL, SLU_AVRO_NATURAL},
    {"\"double\"", "0.1", "9a 99 99 99 99 99 b9 3f", NULL, NULL, SLU_AVRO_NATURAL},
    {"\"double\"", "1e400", NULL, "avro.int_range", "", SLU_AVRO_NATURAL},
    {"\"string\"", "\"foo\"", "06 66 6f 6f", NULL, NULL, SLU_AVRO_NATURAL},
    {"\"bytes\"", "\"\\u0000A\\u00ff\"", "06 00 41 ff", NULL, NULL, SLU_AVRO_NATURAL},
    {"\"bytes\"", "\"\\u0100\"", NULL, "avro.malformed", "", SLU_AVRO_NATURAL},
    {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}", "\"a\\u0080\"", "61 80", NULL, NULL,
     SLU_AVRO_NATURAL},
    {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}", "\"abc\"", NULL, "avro.length", "",
     SLU_AVRO_NATURAL},
    {ENUM, "\"B\"", "02", NULL, NULL, SLU_AVRO_NATURAL},
    {ENUM, "\"C\"", NULL, "avro.enum", "", SLU_AVRO_NATURAL},
    {"{\"type\":\"array\",\"items\":\"int\"}", "[1,2]", "04 02 04 00", NULL, NULL,
     SLU_AVRO_NATURAL},
    {"{\"type\":\"array\",\"items\":\"int\"}", "[]", "00", NULL, NULL, SLU_AVRO_NATURAL},
    {"{\"type\":\"array\",\"items\":\"int\"}", "[1,\"x\"]", NULL, "avro.malformed", "/1",
     SLU_AVRO_NATURAL},
    {"{\"type\":\"map\",\"values\":\"int\"}", "{\"a\":3}", "02 02 61 06 00", NULL, NULL,
     SLU_AVRO_NATURAL},
    {RECORD(FIELD("a", "\"int\"") "," FIELD("b", "\"string\"")), "{\"b\":\"x\",\"a\":1}",
     "02 02 78", NULL, NULL, SLU_AVRO_NATURAL},
    {RECORD(FIELD("a", "\"int\"") "," FIELD("b", "\"string\"")), "{\"a\":1}", NULL,
     "avro.malformed", "", SLU_AVRO_NATURAL},
    {RECORD(FIELD("a", "\"int\"")), "{\"a\":1,\"c\":2}", NULL, "avro.malformed", "/c",
     SLU_AVRO_NATURAL},
    {RECORD(FIELD("a", "\"int\"") "," DEFAULT("b", "\"string\"", "\"hi\"")), "{\"a\":1}",
     "02 04 68 69", NULL, NULL, SLU_AVRO_NATURAL},
    {RECORD(DEFAULT("a", "[\"null\",\"int\"]", "null")), "{}", "00", NULL, NULL, SLU_AVRO_NATURAL},
    {RECORD(DEFAULT("a", "[\"null\",\"int\"]", "5")), "{}", "02 0a", NULL, NULL, SLU_AVRO_NATURAL},
    {RECORD(DEFAULT("a", DECIMAL("6", "2"), "\"\\u0001\\u0000\"")), "{\"a\":2.56}", "04 01 00",
     NULL, NULL, SLU_AVRO_NATURAL},
    {RECORD("{\"name\":\"a\",\"default\":{},\"type\":{\"type\":\"record\",\"name\":\"S\","
            "\"fields\":[" DEFAULT("b", "\"int\"", "7") "]}}"),
     "{}", "0e", NULL, NULL, SLU_AVRO_NATURAL},
    /* decimals, from digits */
    {DECIMAL("6", "2"), "2.56", "04 01 00", NULL, NULL, SLU_AVRO_NATURAL},
    {DECIMAL("6", "2"), "2.5", "04 00 fa", NULL, NULL, SLU_AVRO_NATURAL},
    {DECIMAL("6", "2"), "-0.01", "02 ff", NULL, NULL, SLU_AVRO_NATURAL},
    {DECIMAL("6", "2"), "0", "02 00", NULL, NULL, SLU_AVRO_NATURAL},
    {DECIMAL("6", "2"), "\"-1.28\"", "02 80", NULL, NULL, SLU_AVRO_NATURAL},
    {DECIMAL("6", "2"), "0.001", NULL, "avro.int_range", "", SLU_AVRO_NATURAL},
    {DECIMAL("6", "2"), "12345", NULL, "avro.int_range", "", SLU_AVRO_NATURAL},
    {DECIMAL("6", "2"), "\"x\"", NULL, "avro.malformed", "", SLU_AVRO_NATURAL},
    {DECIMAL("40", "0"), "340282366920938463463374607431768211455",
     "22 00 ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff", NULL, NULL, SLU_AVRO_NATURAL},
    {DECIMAL("30", "10"), "0.1000000001", "08 3b 9a ca 01", NULL, NULL, SLU_AVRO_NATURAL},
    {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":4,\"logicalType\":\"decimal\",\"precision\":4}",
     "-2", "ff ff ff fe", NULL, NULL, SLU_AVRO_NATURAL},
    /* times */
    {LOGICAL("int", "date"), "\"1970-01-02\"", "02", NULL, NULL, SLU_AVRO_NATURAL},
    {LOGICAL("int", "date"), "\"1969-12-31\"", "01", NULL, NULL, SLU_AVRO_NATURAL},
    {LOGICAL("int", "date"), "3", "06", NULL, NULL, SLU_AVRO_NATURAL},
    {LOGICAL("int", "date"), "\"soon\"", NULL, "avro.malformed", "", SLU_AVRO_NATURAL},
    {LOGICAL("int", "time-millis"), "\"00:00:01.5\"", "b8 17", NULL, NULL, SLU_AVRO_NATURAL},
    {LOGICAL("long", "timestamp-millis"), "\"1970-01-01T00:00:01.0019Z\"", "d2 0f", NULL, NULL,
     SLU_AVRO_NATURAL},
    {LOGICAL("long", "timestamp-micros"), "\"1970-01-01T01:00:00.000001+01:00\"", "02", NULL, NULL,
     SLU_AVRO_NATURAL},
    {LOGICAL("long", "timestamp-nanos"), "\"1970-01-01T00:00:00.000000003Z\"", "06", NULL, NULL,
     SLU_AVRO_NATURAL},
    {LOGICAL("long", "timestamp-millis"), "\"1970-01-01T00:00:01\"", NULL, "avro.malformed", "",
     SLU_AVRO_NATURAL},
    {LOGICAL("long", "local-timestamp-millis"), "\"1970-01-01T00:00:01\"", "d0 0f", NULL, NULL,
     SLU_AVRO_NATURAL},
    {LOGICAL("long", "local-timestamp-millis"), "\"1970-01-01T00:00:01Z\"", NULL, "avro.malformed",
     "", SLU_AVRO_NATURAL},
    {"{\"type\":\"fixed\",\"name\":\"D\",\"size\":12,\"logicalType\":\"duration\"}", "[1,2,1000]",
     "01 00 00 00 02 00 00 00 e8 03 00 00", NULL, NULL, SLU_AVRO_NATURAL},
    {"{\"type\":\"fixed\",\"name\":\"D\",\"size\":12,\"logicalType\":\"duration\"}", "[1,2,-1]",
     NULL, "avro.int_range", "/2", SLU_AVRO_NATURAL},
    {"{\"type\":\"fixed\",\"name\":\"U\",\"size\":16,\"logicalType\":\"uuid\"}",
     "\"00112233-4455-6677-8899-AABBCCDDEEFF\"", "00 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff",
     NULL, NULL, SLU_AVRO_NATURAL},
    /* unions, natural */
    {"[\"null\",\"int\"]", "null", "00", NULL, NULL, SLU_AVRO_NATURAL},
    {"[\"null\",\"int\"]", "3", "02 06", NULL, NULL, SLU_AVRO_NATURAL},
    {"[\"null\",\"int\"]", "true", NULL, "avro.union", "", SLU_AVRO_NATURAL},
    {"[\"null\",\"int\"]", "3.5", NULL, "avro.int_range", "", SLU_AVRO_NATURAL},
    {"[\"double\",\"long\"]", "3", "02 06", NULL, NULL, SLU_AVRO_NATURAL},
    {"[\"double\",\"long\"]", "3.5", "00 00 00 00 00 00 00 0c 40", NULL, NULL, SLU_AVRO_NATURAL},
    {"[\"float\",\"double\"]", "0.5", "00 00 00 00 3f", NULL, NULL, SLU_AVRO_NATURAL},
    {"[\"float\",\"double\"]", "0.1", "02 9a 99 99 99 99 99 b9 3f", NULL, NULL, SLU_AVRO_NATURAL},
    {"[\"string\"," ENUM "]", "\"B\"", "02 02", NULL, NULL, SLU_AVRO_NATURAL},
    {"[\"string\"," ENUM "]", "\"C\"", "00 02 43", NULL, NULL, SLU_AVRO_NATURAL},
    {"[{\"type\":\"record\",\"name\":\"P\",\"fields\":[" FIELD(
         "a", "\"int\"") "]},{\"type\":"
                         "\"record\",\"name\":\"Q\",\"fields\":[" FIELD("b", "\"int\"") "]}]",
     "{\"b\":1}", "02 02", NULL, NULL, SLU_AVRO_NATURAL},
    /* unions, as the specification writes them */
    {"[\"null\",\"int\"]", "{\"int\":3}", "02 06", NULL, NULL, SLU_AVRO_JSON},
    {"[\"null\",\"int\"]", "null", "00", NULL, NULL, SLU_AVRO_JSON},
    {"[\"null\",\"int\"]", "3", NULL, "avro.union", "", SLU_AVRO_JSON},
    {"[\"null\",\"int\"]", "{\"long\":3}", NULL, "avro.union", "/long", SLU_AVRO_JSON},
    {"[\"null\",{\"type\":\"enum\",\"name\":\"a.b.E\",\"symbols\":[\"A\"]}]", "{\"a.b.E\":\"A\"}",
     "02 00", NULL, NULL, SLU_AVRO_JSON},
};

static bool encode(const struct slu_avro_schema *schema, const struct slu_payload *payload,
                   enum slu_avro_dialect dialect, struct slu_buf *out,
                   struct slu_avro_complaint *complaint)
{
    const struct slu_avro_options options = {.dialect = dialect};
    const struct slu_avro_source source = slu_avro_source_of(payload);
    return slu_avro_encode(schema, &source, &options, out, complaint);
}

static void check_row(const struct row *row)
{
    struct slu_avro_schema *schema = avro_compile(row->schema);
    struct slu_avro_complaint complaint;
    struct slu_payload payload;
    struct slu_buf out, text;

    slu_buf_init(&out, 4096);
    slu_buf_init(&text, 4096);
    slu_buf_add_text(&out, "!");
    assert_true(slu_payload_read(json_reader, SLU_FORMAT_JSON, slu_slice_of(row->json), &payload));
    const bool done = encode(schema, &payload, row->dialect, &out, &complaint);
    if (done != (row->hex != NULL))
        fail_msg("%s %s: %s", row->schema, row->json, done ? "done" : complaint.text);
    if (done) {
        avro_to_hex(slu_slice(out.data + 1, out.len - 1), &text);
        assert_string_equal(slu_buf_text(&text), row->hex);
    } else {
        assert_int_equal(out.len, 1);
        slu_value_pointer(payload.root, complaint.at, &text);
        if (strcmp(slu_payload_codes[complaint.fault], row->code) != 0 ||
            strcmp(slu_buf_text(&text), row->pointer) != 0)
            fail_msg("%s %s: %s at \"%s\"", row->schema, row->json,
                     slu_payload_codes[complaint.fault], slu_buf_text(&text));
    }
    slu_buf_fini(&out);
    slu_buf_fini(&text);
    slu_avro_schema_free(schema);
}

static void values_and_their_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check_row(&rows[i]);
}

/* A value of a record or an array is written by another loop than one that stands alone. */
static void inside_of_others_they_are_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        char schema[2048], json[2048], hex[1024], pointer[256];
        const struct row inside = {schema,    json,    row->hex != NULL ? hex : NULL,
                                   row->code, pointer, row->dialect};
        snprintf(schema, sizeof(schema),
                 "{\"type\":\"record\",\"name\":\"Wrap\",\"fields\":["
                 "{\"name\":\"f\",\"type\":%s},{\"name\":\"a_longer_name\",\"type\":\"null\"}]}",
                 row->schema);
        snprintf(json, sizeof(json), "{\"f\":%s,\"a_longer_name\":null}", row->json);
        snprintf(hex, sizeof(hex), "%s", row->hex != NULL ? row->hex : "");
        snprintf(pointer, sizeof(pointer), "/f%s", row->pointer != NULL ? row->pointer : "");
        check_row(&inside);
        snprintf(json, sizeof(json), "{\"a_longer_name\":null,\"f\":%s}", row->json);
        check_row(&inside);
        snprintf(schema, sizeof(schema), "{\"type\":\"array\",\"items\":%s}", row->schema);
        snprintf(json, sizeof(json), "[%s,%s]", row->json, row->json);
        snprintf(hex, sizeof(hex), "04 %s%s%s%s00", row->hex != NULL ? row->hex : "",
                 row->hex != NULL && *row->hex != '\0' ? " " : "", row->hex != NULL ? row->hex : "",
                 row->hex != NULL && *row->hex != '\0' ? " " : "");
        snprintf(pointer, sizeof(pointer), "/0%s", row->pointer != NULL ? row->pointer : "");
        check_row(&inside);
    }
}

/* As the specification says it, byte by byte. */
static size_t varint(int64_t number, uint8_t *out)
{
    uint64_t bits = (uint64_t)number << 1 ^ (uint64_t)(number >> 63);
    size_t n = 0;

    for (; bits >= 0x80; bits >>= 7)
        out[n++] = (uint8_t)(bits | 0x80);
    out[n++] = (uint8_t)bits;
    return n;
}

/* There and back, with bytes behind the number and with none. */
static void check_number(const struct slu_avro_schema *schema, int64_t number)
{
    const struct slu_avro_schema *const schemas[] = {schema};
    const struct slu_avro_choice choice = {.schemas = schemas, .n = 1, .framing = SLU_AVRO_RAW};
    struct slu_avro_complaint complaint;
    struct slu_payload payload;
    struct slu_buf out;
    uint8_t bytes[40];
    char json[128];

    size_t n = varint(number, bytes);
    memcpy(bytes + n, "\0\0\0\0\0\0\xe0\x3f", 8);
    n += 8;
    n += varint(number, bytes + n);
    slu_buf_init(&out, 4096);
    snprintf(json, sizeof(json), "{\"a\":%lld,\"b\":0.5,\"c\":%lld}", (long long)number,
             (long long)number);
    assert_true(slu_payload_read(json_reader, SLU_FORMAT_JSON, slu_slice_of(json), &payload));
    assert_true(encode(schema, &payload, SLU_AVRO_NATURAL, &out, &complaint));
    assert_int_equal(out.len, n);
    assert_memory_equal(out.data, bytes, n);
    const struct slu_slice exact = avro_exact(slu_buf_slice(&out));
    assert_true(slu_avro_read(reader, &choice, exact, &payload, NULL));
    slu_buf_reset(&out);
    assert_true(slu_value_json(payload.root, &out));
    assert_string_equal(slu_buf_text(&out), json);
    free((void *)(uintptr_t)exact.data);
    slu_buf_fini(&out);
}

static void numbers_of_every_length(void **state)
{
    (void)state;
    struct slu_avro_schema *schema = avro_compile(
        RECORD(FIELD("a", "\"long\"") "," FIELD("b", "\"double\"") "," FIELD("c", "\"long\"")));

    for (unsigned bit = 0; bit < 63; bit++)
        for (int64_t more = -2; more <= 2; more++) {
            const int64_t number = (int64_t)((UINT64_C(1) << bit) + (uint64_t)more);
            check_number(schema, number);
            check_number(schema, -number);
        }
    check_number(schema, INT64_MAX);
    check_number(schema, INT64_MIN);
    slu_avro_schema_free(schema);
}

/* Two records that could hold each other all the way down, and a value wrong at the very bottom: trying
 * every combination would take for ever. */
static void trying_branches_ends(void **state)
{
    (void)state;
    struct slu_avro_schema *schema = avro_compile(
        "[\"null\",{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"x\",\"type\":["
        "\"null\",\"A\",{\"type\":\"record\",\"name\":\"B\",\"fields\":[{\"name\":\"x\",\"type\":["
        "\"null\",\"A\",\"B\"]}]}]}]},\"B\"]");
    struct slu_avro_complaint complaint;
    struct slu_payload payload;
    struct slu_buf json, out;

    slu_buf_init(&json, 4096);
    slu_buf_init(&out, 4096);
    for (int i = 0; i < 60; i++)
        slu_buf_add_text(&json, "{\"x\":");
    slu_buf_add_text(&json, "7");
    for (int i = 0; i < 60; i++)
        slu_buf_add_text(&json, "}");
    assert_true(slu_payload_read(json_reader, SLU_FORMAT_JSON, slu_buf_slice(&json), &payload));
    assert_false(encode(schema, &payload, SLU_AVRO_NATURAL, &out, &complaint));
    assert_string_equal(slu_payload_codes[complaint.fault], "avro.items");
    slu_buf_fini(&json);
    slu_buf_fini(&out);
    slu_avro_schema_free(schema);
}

static void what_has_no_room_is_refused_whole(void **state)
{
    (void)state;
    struct slu_avro_schema *schema = avro_compile("\"string\"");
    struct slu_avro_complaint complaint;
    struct slu_payload payload;
    struct slu_buf out;

    slu_buf_init(&out, 4);
    assert_true(slu_payload_read(json_reader, SLU_FORMAT_JSON, SLU_SLICE("\"longer\""), &payload));
    assert_false(encode(schema, &payload, SLU_AVRO_NATURAL, &out, &complaint));
    assert_string_equal(slu_payload_codes[complaint.fault], "payload.too_large");
    slu_buf_fini(&out);
    slu_avro_schema_free(schema);
}

/* Under every ceiling: whole, or refused with nothing left behind. */
static void no_ceiling_is_broken(void **state)
{
    (void)state;
    struct slu_avro_schema *schema =
        avro_compile(RECORD(FIELD("s", "\"string\"") "," FIELD("n", "\"long\"") "," FIELD(
            "u",
            "[\"null\",\"string\"]") "," FIELD("d",
                                               "\"double\"") "," FIELD("e",
                                                                       ENUM) "," FIELD("t",
                                                                                       "\"string"
                                                                                       "\"")));
    struct slu_avro_complaint complaint;
    struct slu_payload payload;
    struct slu_buf whole;

    assert_true(slu_payload_read(json_reader, SLU_FORMAT_JSON,
                                 SLU_SLICE("{\"s\":\"a text of some twenty\",\"n\":-70000,\"u\":"
                                           "\"abc\",\"d\":0.5,\"e\":\"B\",\"t\":\"12345678\"}"),
                                 &payload));
    slu_buf_init(&whole, 1u << 16);
    assert_true(encode(schema, &payload, SLU_AVRO_NATURAL, &whole, &complaint));
    for (size_t before = 0; before < 600; before += 37) {
        for (size_t max = before; max < before + whole.len + 600; max++) {
            struct slu_buf out;
            slu_buf_init(&out, max);
            for (size_t i = 0; i < before; i++)
                slu_buf_add_char(&out, '!');
            const bool done = encode(schema, &payload, SLU_AVRO_NATURAL, &out, &complaint);
            assert_int_equal(done, max >= before + whole.len);
            assert_int_equal(out.len, before + (done ? whole.len : 0));
            assert_true(out.len <= max);
            if (done)
                assert_memory_equal(out.data + before, whole.data, whole.len);
            else
                assert_int_equal(complaint.fault, SLU_PAYLOAD_TOO_LARGE);
            assert_true(out.data == NULL || out.data[out.len] == '\0');
            slu_buf_fini(&out);
        }
    }
    slu_buf_fini(&whole);
    slu_avro_schema_free(schema);
}

/* ---- round trips -------------------------------------------------------------------------------------- */

/* A random schema of bounded depth; names by a counter. */
static void random_schema(struct slu_random *random, struct slu_buf *out, int depth, int *names)
{
    static const char *const leaves[] = {
        "\"null\"",         "\"boolean\"",
        "\"int\"",          "\"long\"",
        "\"float\"",        "\"double\"",
        "\"bytes\"",        "\"string\"",
        DECIMAL("20", "5"), LOGICAL("long", "timestamp-millis"),
    };
    const uint64_t pick = slu_random_next(random) % (depth > 0 ? 17 : 12);

    if (pick < 10) {
        slu_buf_add_text(out, leaves[pick]);
    } else if (pick == 10) {
        slu_buf_printf(out, "{\"type\":\"enum\",\"name\":\"N%d\",\"symbols\":[\"A\",\"B\"]}",
                       (*names)++);
    } else if (pick == 11) {
        slu_buf_printf(out, "{\"type\":\"fixed\",\"name\":\"N%d\",\"size\":3}", (*names)++);
    } else if (pick < 14) {
        slu_buf_add_text(out, pick == 12 ? "{\"type\":\"array\",\"items\":"
                                         : "{\"type\":\"map\",\"values\":");
        random_schema(random, out, depth - 1, names);
        slu_buf_add_char(out, '}');
    } else if (pick == 14) {
        slu_buf_printf(out, "[\"null\",\"string\",\"double\",{\"type\":\"array\",\"items\":");
        random_schema(random, out, depth - 1, names);
        slu_buf_add_text(out, "}]");
    } else {
        slu_buf_printf(out, "{\"type\":\"record\",\"name\":\"N%d\",\"fields\":[", (*names)++);
        const uint64_t n = slu_random_next(random) % 4;
        for (uint64_t i = 0; i < n; i++) {
            slu_buf_printf(out, "%s{\"name\":\"f%d\",\"type\":", i == 0 ? "" : ",", (int)i);
            random_schema(random, out, depth - 1, names);
            slu_buf_add_char(out, '}');
        }
        slu_buf_add_text(out, "]}");
    }
}

/* Bytes that are often good: small numbers are likely. */
static size_t random_bytes(struct slu_random *random, uint8_t *bytes, size_t max)
{
    const size_t n = slu_random_next(random) % max;

    for (size_t i = 0; i < n; i++) {
        const uint64_t kind = slu_random_next(random) % 8;
        const uint64_t byte = slu_random_next(random);
        bytes[i] = (uint8_t)(kind < 4 ? 0 : kind < 7 ? byte % 6 : byte);
    }
    return n;
}

static void json_of(const struct slu_payload *payload, struct slu_buf *out)
{
    slu_buf_reset(out);
    assert_true(slu_value_json(payload->root, out));
}

/* What the reader takes the encoder writes so that the reader sees the same; also by way of JSON text. */
static void check_round_trip(const struct slu_avro_schema *schema, struct slu_payload *payload)
{
    const struct slu_avro_schema *const schemas[] = {schema};
    const struct slu_avro_choice choice = {.schemas = schemas, .n = 1, .framing = SLU_AVRO_RAW};
    struct slu_buf bytes, first, second;
    struct slu_avro_complaint complaint;
    struct slu_payload again, from_text;

    slu_buf_init(&bytes, 1u << 20);
    slu_buf_init(&first, 1u << 20);
    slu_buf_init(&second, 1u << 20);
    json_of(payload, &first);
    if (!encode(schema, payload, SLU_AVRO_NATURAL, &bytes, &complaint))
        fail_msg("%s: %s", slu_buf_text(&first), complaint.text);
    assert_true(slu_avro_read(reader, &choice, slu_buf_slice(&bytes), &again, NULL));
    json_of(&again, &second);
    assert_string_equal(slu_buf_text(&first), slu_buf_text(&second));

    assert_true(slu_payload_read(json_reader, SLU_FORMAT_JSON, slu_buf_slice(&first), &from_text));
    slu_buf_reset(&bytes);
    if (!encode(schema, &from_text, SLU_AVRO_NATURAL, &bytes, &complaint))
        fail_msg("%s: %s", slu_buf_text(&first), complaint.text);
    assert_true(slu_avro_read(reader, &choice, slu_buf_slice(&bytes), &again, NULL));
    json_of(&again, &second);
    assert_string_equal(slu_buf_text(&first), slu_buf_text(&second));
    slu_buf_fini(&bytes);
    slu_buf_fini(&first);
    slu_buf_fini(&second);
}

static void what_is_read_is_written_the_same(void **state)
{
    (void)state;
    struct slu_random random;
    struct slu_buf text;
    size_t trips = 0;

    slu_random_seed(&random, 600);
    slu_buf_init(&text, 1u << 16);
    for (int s = 0; s < 400; s++) {
        int names = 0;
        slu_buf_reset(&text);
        random_schema(&random, &text, 3, &names);
        struct slu_avro_schema *schema = avro_compile(slu_buf_text(&text));
        const struct slu_avro_schema *const schemas[] = {schema};
        const struct slu_avro_choice choice = {.schemas = schemas, .n = 1, .framing = SLU_AVRO_RAW};
        for (int m = 0; m < 200; m++) {
            struct slu_payload payload;
            uint8_t bytes[40];
            const size_t n = random_bytes(&random, bytes, sizeof(bytes));
            const struct slu_slice slice = slu_slice((const char *)bytes, n);
            if (!slu_avro_read(reader, &choice, slice, &payload, NULL))
                continue;
            check_round_trip(schema, &payload);
            trips++;
        }
        slu_avro_schema_free(schema);
    }
    slu_buf_fini(&text);
    assert_true(trips > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_their_bytes),
        cmocka_unit_test(inside_of_others_they_are_the_same),
        cmocka_unit_test(numbers_of_every_length),
        cmocka_unit_test(trying_branches_ends),
        cmocka_unit_test(what_has_no_room_is_refused_whole),
        cmocka_unit_test(no_ceiling_is_broken),
        cmocka_unit_test(what_is_read_is_written_the_same),
    };
    return cmocka_run_group_tests_name("avro_encode", tests, set_up, tear_down);
}
