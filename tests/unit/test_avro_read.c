/* Avro messages: what they mean as JSON, what is refused and where, frames, and that every truncation and
 * every flipped bit of good messages is either refused with a code or another good message. */
#include "avro_help.h"

static struct slu_avro_reader *reader;

static int set_up(void **state)
{
    (void)state;
    reader = slu_avro_reader_new(1u << 20);
    return reader == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    slu_avro_reader_free(reader);
    return 0;
}

#define RECORD(fields)    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define LIST              RECORD(FIELD("v", "\"int\"") "," FIELD("next", "[\"null\",\"R\"]"))

static const struct row {
    const char *schema, *hex;
    const char *json; /* what it means, or */
    const char *code, *pointer;
    size_t at;
} rows[] = {
    {"\"null\"", "", "null", NULL, NULL, 0},
    {"\"boolean\"", "01", "true", NULL, NULL, 0},
    {"\"boolean\"", "07", NULL, "avro.malformed", "", 0},
    {"\"int\"", "", NULL, "payload.empty", "", 0},
    {"\"int\"", "03", "-2", NULL, NULL, 0},
    {"\"int\"", "fe ff ff ff 0f", "2147483647", NULL, NULL, 0},
    {"\"int\"", "ff ff ff ff 0f", "-2147483648", NULL, NULL, 0},
    {"\"int\"", "80 80 80 80 10", NULL, "avro.int_range", "", 0},
    {"\"long\"", "ff ff ff ff ff ff ff ff ff 01", "-9223372036854775808", NULL, NULL, 0},
    {"\"long\"", "fe ff ff ff ff ff ff ff ff 01", "9223372036854775807", NULL, NULL, 0},
    {"\"long\"", "ff ff ff ff ff ff ff ff ff 02", NULL, "avro.malformed", "", 0},
    {"\"long\"", "80 80 80 80 80 80 80 80 80 80 01", NULL, "avro.malformed", "", 0},
    {"\"long\"", "80", NULL, "avro.truncated", "", 1},
    {"\"long\"", "02 00", NULL, "avro.trailing", "", 1},
    {"\"long\"", "80 00", "0", NULL, NULL, 0},
    {"\"float\"", "00 00 20 40", "2.5", NULL, NULL, 0},
    {"\"float\"", "00 00 c0 7f", "\"NaN\"", NULL, NULL, 0},
    {"\"double\"", "00 00 00 00 00 00 f0 ff", "\"-Infinity\"", NULL, NULL, 0},
    {"\"double\"", "9a 99 99 99 99 99 b9 3f", "0.1", NULL, NULL, 0},
    {"\"double\"", "00 00", NULL, "avro.truncated", "", 0},
    {"\"string\"", "06 66 6f 6f", "\"foo\"", NULL, NULL, 0},
    {"\"string\"", "02 00", "\"\\u0000\"", NULL, NULL, 0},
    {"\"string\"", "02 ff", NULL, "avro.utf8", "", 1},
    {"\"string\"", "06 66 6f", NULL, "avro.truncated", "", 0},
    {"\"string\"", "01", NULL, "avro.length", "", 0},
    {"\"string\"", "fe ff ff ff 0f", NULL, "avro.length", "", 0}, /* the bomb of five bytes */
    {"\"bytes\"", "06 00 41 ff", "\"\\u0000A\xc3\xbf\"", NULL, NULL, 0},
    {"\"bytes\"", "ff ff ff ff ff ff ff ff ff 01", NULL, "avro.length", "", 0},
    {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}", "80 41",
     "\"\xc2\x80"
     "A\"",
     NULL, NULL, 0},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}", "02", "\"B\"", NULL, NULL, 0},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}", "12", NULL, "avro.enum", "",
     0}, /* the one byte that crashes others */
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}", "80 80 80 80 20", NULL,
     "avro.enum", "", 0},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}", "01", NULL, "avro.enum", "",
     0},
    {"[\"null\",\"int\"]", "00", "null", NULL, NULL, 0},
    {"[\"null\",\"int\"]", "02 04", "2", NULL, NULL, 0},
    {"[\"null\",\"int\"]", "04", NULL, "avro.union", "", 0},
    {"[\"null\",\"int\"]", "01", NULL, "avro.union", "", 0},
    {"[]", "00", NULL, "avro.union", "", 0},
    {"{\"type\":\"array\",\"items\":\"int\"}", "04 02 04 00", "[1,2]", NULL, NULL, 0},
    {"{\"type\":\"array\",\"items\":\"int\"}", "03 04 02 04 02 06 00", "[1,2,3]", NULL, NULL, 0},
    {"{\"type\":\"array\",\"items\":\"int\"}", "03 06 02 04 00", NULL, "avro.length", "", 4},
    {"{\"type\":\"array\",\"items\":\"int\"}", "03 02 02 04 00", NULL, "avro.length", "", 4},
    {"{\"type\":\"array\",\"items\":\"int\"}", "04 02 80 80 80 80 10", NULL, "avro.int_range", "/1",
     2},
    {"{\"type\":\"array\",\"items\":\"int\"}", "ff ff ff ff ff ff ff ff ff 01 00", NULL,
     "avro.length", "", 0}, /* INT64_MIN items */
    {"{\"type\":\"array\",\"items\":\"null\"}", "fe ff ff ff 0f 00", NULL, "avro.items", "/4119",
     5},
    {"{\"type\":\"array\",\"items\":\"null\"}", "06 00", "[null,null,null]", NULL, NULL, 0},
    {"{\"type\":\"array\",\"items\":\"int\"}", "fe ff ff ff 0f 00", NULL, "avro.length", "", 0},
    {"{\"type\":\"array\",\"items\":" RECORD("") "}", "fe ff ff ff 0f 00", NULL, "avro.items",
     "/4119", 5},
    {"{\"type\":\"map\",\"values\":\"int\"}", "02 02 61 06 00", "{\"a\":3}", NULL, NULL, 0},
    {"{\"type\":\"map\",\"values\":\"int\"}", "04 02 61 06 02 61 08 00", NULL, "avro.malformed",
     "/a", 8},
    {"{\"type\":\"map\",\"values\":\"int\"}", "02 04 61 2f 01 00", "{\"a/\":-1}", NULL, NULL, 0},
    {"{\"type\":\"map\",\"values\":\"boolean\"}", "02 04 7e 2f 07 00", NULL, "avro.malformed",
     "/~0~1", 4},
    {"{\"type\":\"map\",\"values\":\"null\"}", "02 02 61 00", "{\"a\":null}", NULL, NULL, 0},
    {RECORD(FIELD("a", "\"int\"") "," FIELD("b", "\"string\"")), "02 02 78",
     "{\"a\":1,\"b\":\"x\"}", NULL, NULL, 0},
    {LIST, "02 02 04 00", "{\"v\":1,\"next\":{\"v\":2,\"next\":null}}", NULL, NULL, 0},
    {LIST, "02 02 04 02", NULL, "avro.truncated", "/next/next/v", 4},
    {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":6,\"scale\":2}", "04 01 00",
     "2.56", NULL, NULL, 0},
    {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":6,\"scale\":2}", "02 ff",
     "-0.01", NULL, NULL, 0},
    {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":6,\"scale\":2}", "00", "0.00",
     NULL, NULL, 0},
    {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":2,\"scale\":0}", "02 64", NULL,
     "avro.int_range", "", 1},
    {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":40,\"scale\":0}",
     "22 00 ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff",
     "340282366920938463463374607431768211455", NULL, NULL, 0},
    {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":40,\"scale\":0}",
     "20 80 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
     "-170141183460469231731687303715884105728", NULL, NULL, 0},
    {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":900,\"scale\":900}", "02 05",
     "5e-900", NULL, NULL, 0},
    {"{\"type\":\"fixed\",\"name\":\"D\",\"size\":12,\"logicalType\":\"duration\"}",
     "01 00 00 00 02 00 00 00 e8 03 00 00", "[1,2,1000]", NULL, NULL, 0},
    {"{\"type\":\"fixed\",\"name\":\"U\",\"size\":16,\"logicalType\":\"uuid\"}",
     "00 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff", "\"00112233-4455-6677-8899-aabbccddeeff\"",
     NULL, NULL, 0},
    {"{\"type\":\"string\",\"logicalType\":\"uuid\"}", "02 78", NULL, "avro.malformed", "", 1},
    {"{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}", "02", "1", NULL, NULL, 0},
};

static void check_row(const struct row *row)
{
    struct slu_avro_schema *schema = avro_compile(row->schema);
    const struct slu_avro_schema *const schemas[] = {schema};
    const struct slu_avro_choice choice = {.schemas = schemas, .n = 1, .framing = SLU_AVRO_RAW};
    struct slu_payload payload;
    struct slu_buf json;
    uint8_t bytes[512];

    const size_t n = avro_hex(row->hex, bytes);
    const struct slu_slice exact = avro_exact(slu_slice((const char *)bytes, n));
    const bool holds = slu_avro_read(reader, &choice, exact, &payload, NULL);
    slu_buf_init(&json, 4096);
    if (holds != (row->json != NULL))
        fail_msg("%s %s: %s", row->schema, row->hex,
                 holds ? "held" : slu_payload_codes[payload.fault]);
    if (holds) {
        assert_true(slu_value_json(payload.root, &json));
        assert_string_equal(slu_buf_text(&json), row->json);
    } else {
        assert_null(payload.root);
        assert_string_equal(slu_payload_codes[payload.fault], row->code);
        slu_buf_add_slice(&json, payload.fault_pointer);
        assert_string_equal(slu_buf_text(&json), row->pointer);
        assert_int_equal(payload.fault_at, row->at);
        assert_non_null(payload.fault_text);
    }
    slu_buf_fini(&json);
    free((void *)(uintptr_t)exact.data);
    slu_avro_schema_free(schema);
}

/* Does the fault say the same when more bytes follow? */
static bool is_of_the_value(const char *code)
{
    return strcmp(code, "avro.malformed") == 0 || strcmp(code, "avro.int_range") == 0 ||
           strcmp(code, "avro.utf8") == 0 || strcmp(code, "avro.enum") == 0 ||
           strcmp(code, "avro.union") == 0;
}

/* A value of a record or an array is read by another loop than one that stands alone, and near the end of
 * a message otherwise than before: it must be the same value, or the same fault at its place. */
static void check_row_inside(const struct row *row)
{
    const char *const code = row->code != NULL ? row->code : "";
    const bool is_array_of_two = row->json != NULL;
    char schema[2048], hex[1024], json[2048], pointer[256];
    struct row inside = {schema, hex, NULL, row->code, pointer, row->at};

    if (strcmp(code, "payload.empty") == 0 || strcmp(code, "avro.items") == 0)
        return; /* these are of the whole message */
    inside.json = row->json != NULL ? json : NULL;

    snprintf(schema, sizeof(schema), "{\"type\":\"record\",\"name\":\"Wrap\",\"fields\":[%s%s}]}",
             "{\"name\":\"f\",\"type\":", row->schema);
    snprintf(hex, sizeof(hex), "%s", row->hex);
    snprintf(json, sizeof(json), "{\"f\":%s}", row->json != NULL ? row->json : "");
    snprintf(pointer, sizeof(pointer), "%s%s", strcmp(code, "avro.trailing") == 0 ? "" : "/f",
             row->json == NULL ? row->pointer : "");
    if (strlen(hex) != 0)
        check_row(&inside);

    snprintf(schema, sizeof(schema), "{\"type\":\"record\",\"name\":\"Wrap\",\"fields\":[%s%s%s}]}",
             "{\"name\":\"f\",\"type\":", row->schema,
             "},{\"name\":\"after\",\"type\":\"double\"},{\"name\":\"last\",\"type\":\"null\"");
    snprintf(hex, sizeof(hex), "%s 9a 99 99 99 99 99 b9 3f", row->hex);
    snprintf(json, sizeof(json), "{\"f\":%s,\"after\":0.1,\"last\":null}",
             row->json != NULL ? row->json : "");
    if (row->json != NULL || is_of_the_value(code))
        check_row(&inside);

    if (!is_array_of_two)
        return;
    snprintf(schema, sizeof(schema), "{\"type\":\"array\",\"items\":%s}", row->schema);
    snprintf(hex, sizeof(hex), "02 %s 02 %s 00", row->hex, row->hex);
    snprintf(json, sizeof(json), "[%s,%s]", row->json, row->json);
    check_row(&inside);
    snprintf(hex, sizeof(hex), "04 %s %s 00", row->hex, row->hex);
    check_row(&inside);
}

static void messages_and_what_they_mean(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].json != NULL || rows[i].code != NULL)
            check_row(&rows[i]);
}

static void inside_of_others_they_mean_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].json != NULL || rows[i].code != NULL)
            check_row_inside(&rows[i]);
}

/* More values than there are cells ready, of which each has its turn at their end. */
static void runs_go_on_when_cells_move(void **state)
{
    (void)state;
    enum { MOST = 700 };
    struct slu_avro_schema *schema =
        avro_compile("{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"v\",\"type\":{"
                     "\"type\":\"array\","
                     "\"items\":\"long\"}},{\"name\":\"a\",\"type\":\"string\"},{\"name\":\"b\","
                     "\"type\":\"int\"}]}");
    const struct slu_avro_schema *const schemas[] = {schema};
    const struct slu_avro_choice choice = {.schemas = schemas, .n = 1, .framing = SLU_AVRO_RAW};
    uint8_t bytes[2 + MOST + 4];

    for (size_t n = 1; n < MOST; n++) {
        struct slu_avro_reader *fresh = slu_avro_reader_new(1u << 20);
        struct slu_payload payload;
        size_t len = 0;
        bytes[len++] = (uint8_t)(n << 1 | (n >= 64 ? 0x80 : 0));
        if (n >= 64)
            bytes[len++] = (uint8_t)(n >> 6);
        for (size_t i = 0; i < n; i++)
            bytes[len++] = (uint8_t)(i % 128);
        memcpy(bytes + len, "\0\x02x\x04", 4);
        const struct slu_slice exact = avro_exact(slu_slice((char *)bytes, len + 4));
        assert_true(slu_avro_read(fresh, &choice, exact, &payload, NULL));
        const struct slu_value *v = slu_value_get(payload.root, SLU_SLICE("v"));
        assert_int_equal(slu_value_len(v), n);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(slu_value_first(v)[i].i64,
                             i % 2 == 0 ? (int64_t)(i % 128) / 2 : -(int64_t)(i % 128 + 1) / 2);
        assert_int_equal(slu_value_get(payload.root, SLU_SLICE("b"))->i64, 2);
        assert_ptr_equal(slu_value_next(payload.root), v + n + 5);
        free((void *)(uintptr_t)exact.data);
        slu_avro_reader_free(fresh);
    }
    slu_avro_schema_free(schema);
}

/* ---- nesting ------------------------------------------------------------------------------------------ */

static void nesting_is_bounded(void **state)
{
    (void)state;
    struct slu_avro_schema *schema = avro_compile(LIST);
    const struct slu_avro_schema *const schemas[] = {schema};
    const struct slu_avro_choice choice = {.schemas = schemas, .n = 1, .framing = SLU_AVRO_RAW};
    struct slu_payload payload;
    char bytes[2 * 100000];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = 2;
    bytes[2 * 63 + 1] = 0;
    assert_true(slu_avro_read(reader, &choice, slu_slice(bytes, 2 * 64), &payload, NULL));
    bytes[2 * 63 + 1] = 2;
    assert_false(slu_avro_read(reader, &choice, slu_slice(bytes, sizeof(bytes)), &payload, NULL));
    assert_string_equal(slu_payload_codes[payload.fault], "avro.depth");
    slu_avro_schema_free(schema);
}

/* ---- frames ------------------------------------------------------------------------------------------- */

/* CRC-64-AVRO of "int" is 0x7275d51a3f395c8f. */
#define INT_HEAD "c3 01 8f 5c 39 3f 1a d5 75 72 "

static const struct {
    enum slu_avro_framing framing;
    const char *schema, *hex, *json, *code;
    enum slu_avro_framing was;
} frames[] = {
    {SLU_AVRO_SINGLE_OBJECT, "\"int\"", INT_HEAD "02", "1", NULL, SLU_AVRO_SINGLE_OBJECT},
    {SLU_AVRO_SINGLE_OBJECT, "\"int\"", "", NULL, "payload.empty", SLU_AVRO_SINGLE_OBJECT},
    {SLU_AVRO_SINGLE_OBJECT, "\"null\"", "", NULL, "payload.empty", SLU_AVRO_SINGLE_OBJECT},
    {SLU_AVRO_CONFLUENT, "\"int\"", "", NULL, "payload.empty", SLU_AVRO_CONFLUENT},
    {SLU_AVRO_SINGLE_OBJECT, "\"int\"", "02", NULL, "avro.framing", SLU_AVRO_SINGLE_OBJECT},
    {SLU_AVRO_SINGLE_OBJECT, "\"int\"", "c3 01 00", NULL, "avro.framing", SLU_AVRO_SINGLE_OBJECT},
    {SLU_AVRO_SINGLE_OBJECT, "\"int\"", "c3 01 00 00 00 00 00 00 00 00 02", NULL,
     "avro.unknown_schema_id", SLU_AVRO_SINGLE_OBJECT},
    {SLU_AVRO_CONFLUENT, "\"int\"", "00 00 00 00 07 02", "1", NULL, SLU_AVRO_CONFLUENT},
    {SLU_AVRO_CONFLUENT, "\"int\"", "00 00 00 00 08 02", NULL, "avro.unknown_schema_id",
     SLU_AVRO_CONFLUENT},
    {SLU_AVRO_CONFLUENT, "\"int\"", "02", NULL, "avro.framing", SLU_AVRO_CONFLUENT},
    {SLU_AVRO_AUTO, "\"int\"", INT_HEAD "02", "1", NULL, SLU_AVRO_SINGLE_OBJECT},
    {SLU_AVRO_AUTO, "\"int\"", INT_HEAD "02 00", NULL, "avro.trailing", SLU_AVRO_SINGLE_OBJECT},
    {SLU_AVRO_AUTO, "\"int\"", "00 00 00 00 07 02", "1", NULL, SLU_AVRO_CONFLUENT},
    {SLU_AVRO_AUTO, "\"int\"", "00", "0", NULL, SLU_AVRO_RAW},
    {SLU_AVRO_AUTO, "\"int\"", "c3 01", "-98", NULL, SLU_AVRO_RAW},
    {SLU_AVRO_AUTO, "\"int\"", "04", "2", NULL, SLU_AVRO_RAW},
    {SLU_AVRO_AUTO, "\"int\"", "00 00 00 00 08 02", NULL, "avro.unknown_schema_id", SLU_AVRO_RAW},
    {SLU_AVRO_AUTO, "\"int\"", "c3 01 00 00 00 00 00 00 00 00 02", NULL, "avro.unknown_schema_id",
     SLU_AVRO_RAW},
    {SLU_AVRO_AUTO, "\"int\"", "04 04", NULL, "avro.trailing", SLU_AVRO_RAW},
};

static void frames_are_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        struct slu_avro_schema *schema = avro_compile(frames[i].schema);
        const struct slu_avro_schema *const schemas[] = {schema};
        const struct slu_avro_choice choice = {
            .schemas = schemas, .n = 1, .framing = frames[i].framing};
        struct slu_avro_origin origin;
        struct slu_payload payload;
        struct slu_buf json;
        uint8_t bytes[64];

        const size_t n = avro_hex(frames[i].hex, bytes);
        slu_buf_init(&json, 4096);
        const bool holds =
            slu_avro_read(reader, &choice, slu_slice((const char *)bytes, n), &payload, &origin);
        assert_int_equal(holds, frames[i].json != NULL);
        if (holds) {
            slu_value_json(payload.root, &json);
            assert_string_equal(slu_buf_text(&json), frames[i].json);
            assert_ptr_equal(origin.schema, schema);
        } else {
            assert_string_equal(slu_payload_codes[payload.fault], frames[i].code);
        }
        assert_int_equal(origin.framing, frames[i].was);
        slu_buf_fini(&json);
        slu_avro_schema_free(schema);
    }
}

static void the_first_schema_that_reads_wins(void **state)
{
    (void)state;
    struct slu_avro_schema *text = avro_compile("\"string\"");
    struct slu_avro_schema *number = avro_compile("\"int\"");
    const struct slu_avro_schema *const schemas[] = {text, number};
    const struct slu_avro_choice choice = {.schemas = schemas, .n = 2, .framing = SLU_AVRO_AUTO};
    struct slu_avro_origin origin;
    struct slu_payload payload;

    assert_true(slu_avro_read(reader, &choice, SLU_SLICE("\x02x"), &payload, &origin));
    assert_ptr_equal(origin.schema, text);
    assert_true(slu_avro_read(reader, &choice, SLU_SLICE("\x02"), &payload, &origin));
    assert_ptr_equal(origin.schema, number);
    assert_false(slu_avro_read(reader, &choice, SLU_SLICE("\x02\x80\x80"), &payload, &origin));
    assert_string_equal(slu_payload_codes[payload.fault], "avro.utf8");
    slu_avro_schema_free(text);
    slu_avro_schema_free(number);
}

/* ---- damage ------------------------------------------------------------------------------------------- */

/* A message of every type. */
static const char everything[] =
    "{\"type\":\"record\",\"name\":\"All\",\"fields\":["
    "{\"name\":\"b\",\"type\":\"boolean\"},{\"name\":\"i\",\"type\":\"int\"},"
    "{\"name\":\"l\",\"type\":\"long\"},{\"name\":\"f\",\"type\":\"float\"},"
    "{\"name\":\"d\",\"type\":\"double\"},{\"name\":\"s\",\"type\":\"string\"},"
    "{\"name\":\"y\",\"type\":\"bytes\"},"
    "{\"name\":\"x\",\"type\":{\"type\":\"fixed\",\"name\":\"X\",\"size\":3}},"
    "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}},"
    "{\"name\":\"a\",\"type\":{\"type\":\"array\",\"items\":[\"null\",\"int\"]}},"
    "{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":\"string\"}},"
    "{\"name\":\"u\",\"type\":[\"null\",\"All\"]},"
    "{\"name\":\"p\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":9,"
    "\"scale\":3}}]}";
#define INNER                                                                        \
    "01 02 04 00 00 20 40 00 00 00 00 00 00 f0 3f 06 c3 a9 78 04 00 ff 80 41 42 02 " \
    "04 00 02 08 00 02 02 6b 02 76 00 "
#define WHOLE INNER "02 " INNER "00 04 01 00 02 ff"

static void check_tree(const struct slu_value *root)
{
    struct slu_buf json;

    slu_buf_init(&json, 1u << 20);
    assert_true(slu_value_json(root, &json));
    slu_buf_fini(&json);
}

static void damaged_messages_are_refused_or_others(void **state)
{
    (void)state;
    struct slu_avro_schema *schema = avro_compile(everything);
    const struct slu_avro_schema *const schemas[] = {schema};
    const struct slu_avro_choice choice = {.schemas = schemas, .n = 1, .framing = SLU_AVRO_RAW};
    struct slu_payload payload;
    uint8_t bytes[256];
    const size_t n = avro_hex(WHOLE, bytes);

    assert_true(slu_avro_read(reader, &choice, slu_slice((char *)bytes, n), &payload, NULL));
    for (size_t len = 0; len < n; len++) {
        const struct slu_slice cut = avro_exact(slu_slice((char *)bytes, len));
        assert_false(slu_avro_read(reader, &choice, cut, &payload, NULL));
        assert_non_null(slu_payload_codes[payload.fault]);
        free((void *)(uintptr_t)cut.data);
    }
    for (size_t bit = 0; bit < 8 * n; bit++) {
        const struct slu_slice bent = avro_exact(slu_slice((char *)bytes, n));
        ((char *)(uintptr_t)bent.data)[bit / 8] ^= (char)(1u << bit % 8);
        if (slu_avro_read(reader, &choice, bent, &payload, NULL))
            check_tree(payload.root);
        else
            assert_non_null(slu_payload_codes[payload.fault]);
        free((void *)(uintptr_t)bent.data);
    }
    slu_avro_schema_free(schema);
}

static void what_is_too_large_is_not_looked_at(void **state)
{
    (void)state;
    struct slu_avro_schema *schema = avro_compile("\"string\"");
    const struct slu_avro_schema *const schemas[] = {schema};
    const struct slu_avro_choice choice = {.schemas = schemas, .n = 1, .framing = SLU_AVRO_AUTO};
    struct slu_payload payload;
    char *bytes = calloc(1, (1u << 20) + 1);

    assert_non_null(bytes);
    assert_false(slu_avro_read(reader, &choice, slu_slice(bytes, (1u << 20) + 1), &payload, NULL));
    assert_string_equal(slu_payload_codes[payload.fault], "payload.too_large");
    free(bytes);
    slu_avro_schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_and_what_they_mean),
        cmocka_unit_test(inside_of_others_they_mean_the_same),
        cmocka_unit_test(runs_go_on_when_cells_move),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(frames_are_told_apart),
        cmocka_unit_test(the_first_schema_that_reads_wins),
        cmocka_unit_test(damaged_messages_are_refused_or_others),
        cmocka_unit_test(what_is_too_large_is_not_looked_at),
    };
    return cmocka_run_group_tests_name("avro_read", tests, set_up, tear_down);
}
