/* avro_c_values.c -- see avro_c_values.h. Avro C's value is made anew for each body: kept, it would keep
 * memory by pointers that do not lie as LeakSanitizer expects, and a fuzz target would seem to leak.
 */
#include "tests/conformance/avro_c_values.h"

#include "base/err.h"
#include "tests/conformance/avro_meaning.h"
#include "validation/payload/payload.h"

#include <avro.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const avro_c_excuses[AVRO_C_EXCUSES] = {
    [AVRO_C_VALUE_OF_NO_BYTES] =
        "a fixed of no bytes, or an array of such or of records without fields: refused, as its "
        "malloc(0) is NULL and taken for no memory",
    [AVRO_C_KEY_WITH_ZERO] =
        "a map's key with U+0000: it ends there, as avro_value_add() takes no length",
};

struct avro_c_schema {
    struct slu_arena arena;
    struct slu_document *document;
    const struct meaning *meaning, *made; /* of the whole; and the latest of all */
    avro_schema_t schema;
    avro_value_iface_t *class;
    avro_reader_t reader;
};

/* ---- telling ----------------------------------------------------------------------------------------- */

static bool differ(struct avro_c_answer *answer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool differ(struct avro_c_answer *answer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(answer->text, sizeof(answer->text), format, arguments);
    va_end(arguments);
    return false;
}

/* Put a step in front of where it differs; a way too long loses its end. */
static bool step_out(struct avro_c_answer *answer, struct slu_slice name, size_t item)
{
    char step[64];
    const size_t room = sizeof(answer->where) - sizeof(step);
    if (name.data != NULL)
        (void)snprintf(step, sizeof(step), "/%.*s", (int)(name.len < 60 ? name.len : 60),
                       name.data);
    else
        (void)snprintf(step, sizeof(step), "/%zu", item);
    const size_t len = strlen(step), inside = strnlen(answer->where, room - 1);
    memmove(answer->where + len, answer->where, inside);
    memcpy(answer->where, step, len);
    answer->where[len + inside] = 0;
    return false;
}

static bool is_kind(const struct slu_value *value, const char *kind, bool is,
                    struct avro_c_answer *answer)
{
    return is || differ(answer, "Avro C has %s, Sluice %s", kind, slu_value_kind_name(value));
}

/* ---- numbers ----------------------------------------------------------------------------------------- */

static bool same_long(const struct slu_value *value, int64_t theirs, struct avro_c_answer *answer)
{
    const uint8_t variant = slu_value_variant(value);
    if (variant == (theirs < 0 ? SLU_VALUE_SINT : SLU_VALUE_UINT) && value->i64 == theirs)
        return true;
    return differ(answer, "Avro C has %lld, Sluice %s %lld", (long long)theirs,
                  slu_value_kind_name(value), (long long)value->i64);
}

/* Numbers to the bit, so that -0 is not 0. What JSON has no number for is its name. */
static bool same_double(const struct slu_value *value, double theirs, struct avro_c_answer *answer)
{
    const char *word = isnan(theirs) ? "NaN" : theirs > 0 ? "Infinity" : "-Infinity";
    if (isfinite(theirs)
            ? slu_value_variant(value) == SLU_VALUE_REAL && memcmp(&value->f64, &theirs, 8) == 0
            : slu_value_kind(value) == SLU_VALUE_STRING &&
                  slu_slice_equal(slu_value_text(value), slu_slice_of(word)))
        return true;
    return differ(answer, "Avro C has %a, Sluice %s %a", theirs, slu_value_kind_name(value),
                  value->f64);
}

/* ---- bytes ------------------------------------------------------------------------------------------- */

static bool same_text(const struct slu_value *value, const void *theirs, size_t size,
                      struct avro_c_answer *answer)
{
    if (!is_kind(value, "a text", slu_value_kind(value) == SLU_VALUE_STRING, answer))
        return false;
    const struct slu_slice text = slu_value_text(value);
    if (text.len == size && (size == 0 || memcmp(text.data, theirs, size) == 0))
        return true;
    return differ(answer, "Avro C has a text of %zu bytes \"%.*s\", Sluice one of %zu \"%.*s\"",
                  size, (int)(size < 80 ? size : 80), (const char *)theirs, text.len,
                  (int)(text.len < 80 ? text.len : 80), text.data);
}

/* The text's code points are the bytes: one below 80, else two, C2 or C3 in front. */
static bool same_bytes(const struct slu_value *value, const uint8_t *theirs, size_t size,
                       struct avro_c_answer *answer)
{
    if (!is_kind(value, "bytes", slu_value_kind(value) == SLU_VALUE_STRING, answer))
        return false;
    const uint8_t *at = (const uint8_t *)value->text, *end = at + slu_value_len(value);
    size_t n = 0;
    for (; at < end && n < size; n++) {
        unsigned point = *at++;
        if (point >= 0x80 && at < end)
            point = (point & 0x1F) << 6 | (*at++ & 0x3F);
        if (point != theirs[n])
            return differ(answer, "byte %zu: Avro C has %02X, Sluice %02X", n, theirs[n], point);
    }
    return (at == end && n == size) ||
           differ(answer, "Avro C has %zu bytes, Sluice not as many", size);
}

static bool same_uuid(const struct slu_value *value, const uint8_t *b, struct avro_c_answer *answer)
{
    char text[40];
    (void)snprintf(text, sizeof(text),
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
                   b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
                   b[14], b[15]);
    return same_text(value, text, 36, answer);
}

static bool same_duration(const struct slu_value *value, const uint8_t *theirs,
                          struct avro_c_answer *answer)
{
    if (!is_kind(value, "a duration",
                 slu_value_kind(value) == SLU_VALUE_ARRAY && slu_value_len(value) == 3, answer))
        return false;
    const struct slu_value *part = slu_value_first(value);
    for (size_t i = 0; i < 3; i++, part++, theirs += 4) {
        const int64_t high = theirs[3] * 256 + theirs[2], low = theirs[1] * 256 + theirs[0];
        if (!same_long(part, high * 65536 + low, answer))
            return step_out(answer, slu_slice(NULL, 0), i);
    }
    return true;
}

/* ---- decimals ---------------------------------------------------------------------------------------- */

/* Bytes that MEANING_MAX_PRECISION digits, and zeros behind them for a scale, can take. */
#define DECIMAL_BYTES 1024

/* A number of bytes, the lowest first, grows as it is read. */
struct big {
    uint8_t bytes[DECIMAL_BYTES];
    size_t n;
    bool too_big;
};

static void big_shift_in(struct big *big, unsigned digit)
{
    unsigned carry = digit;
    for (size_t i = 0; i < big->n; i++) {
        carry += 10u * big->bytes[i];
        big->bytes[i] = (uint8_t)carry;
        carry >>= 8;
    }
    if (carry != 0 && big->n < DECIMAL_BYTES)
        big->bytes[big->n++] = (uint8_t)carry;
    else
        big->too_big = big->too_big || carry != 0;
}

/* A JSON number × 10^scale. False: it is no whole one, or no number. */
static bool big_of(struct slu_slice text, unsigned scale, struct big *big)
{
    const char *at = text.data, *const end = text.data + text.len;
    long shift = scale, behind = 0;
    bool point = false;
    *big = (struct big){.n = 0};
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.' && !point) {
            point = true;
            continue;
        }
        if (*at < '0' || *at > '9')
            return false;
        behind += point;
        big_shift_in(big, (unsigned)(*at - '0'));
    }
    if (at < end) {
        char exponent[16] = {0};
        if (end - at > 12)
            return false;
        memcpy(exponent, at + 1, (size_t)(end - at) - 1);
        shift += strtol(exponent, NULL, 10);
    }
    for (shift -= behind; shift > 0; shift--)
        big_shift_in(big, 0);
    return shift == 0 && !big->too_big;
}

/* The decimal's digits made bytes again: its magnitude must be the one of two's complement `theirs`. */
static bool same_decimal(const struct slu_value *value, const struct meaning *meaning,
                         const uint8_t *theirs, size_t size, struct avro_c_answer *answer)
{
    const bool negative = size > 0 && theirs[0] >= 0x80;
    struct slu_slice text = slu_value_text(value);
    struct big big;
    unsigned carry = negative;
    if (!is_kind(value, "a decimal", slu_value_kind(value) == SLU_VALUE_BIG, answer))
        return false;
    const bool minus = text.len > 0 && text.data[0] == '-';
    if (minus)
        text = slu_slice(text.data + 1, text.len - 1);
    bool same = minus == negative && big_of(text, meaning->scale, &big);
    for (size_t i = 0; same && (i < size || i < big.n); i++) {
        unsigned byte = i < size ? theirs[size - 1 - i] : negative ? 0xFF : 0;
        if (negative) {
            byte = (byte ^ 0xFF) + carry;
            carry = byte >> 8;
        }
        same = (uint8_t)byte == (i < big.n ? big.bytes[i] : 0);
    }
    return same || differ(answer, "the decimal %.*s, scale %u, is not Avro C's %zu bytes %02X…",
                          SLU_SLICE_ARG(text), meaning->scale, size, size > 0 ? theirs[0] : 0);
}

/* ---- any value --------------------------------------------------------------------------------------- */

static bool same(const struct meaning *meaning, const struct slu_value *value, avro_value_t *theirs,
                 struct avro_c_answer *answer);

static bool same_scalar(const struct meaning *meaning, const struct slu_value *value,
                        avro_value_t *theirs, struct avro_c_answer *answer)
{
    const void *bytes = NULL;
    const char *text = NULL;
    size_t size = 0;
    int64_t whole = 0;
    int32_t small = 0;
    int number = 0;
    float narrow = 0;
    double real = 0;

    switch (meaning->type) {
    case MEANS_NULL:
        return is_kind(value, "null",
                       avro_value_get_null(theirs) == 0 && slu_value_kind(value) == SLU_VALUE_NULL,
                       answer);
    case MEANS_BOOLEAN:
        avro_value_get_boolean(theirs, &number);
        return is_kind(value,
                       number == 0   ? "false"
                       : number == 1 ? "true"
                                     : "a boolean beyond 1",
                       (number == 0 && slu_value_variant(value) == SLU_VALUE_FALSE) ||
                           (number == 1 && slu_value_variant(value) == SLU_VALUE_TRUE),
                       answer);
    case MEANS_INT:
        avro_value_get_int(theirs, &small);
        return same_long(value, small, answer);
    case MEANS_LONG:
        avro_value_get_long(theirs, &whole);
        return same_long(value, whole, answer);
    case MEANS_FLOAT:
        avro_value_get_float(theirs, &narrow);
        return same_double(value, (double)narrow, answer);
    case MEANS_DOUBLE:
        avro_value_get_double(theirs, &real);
        return same_double(value, real, answer);
    case MEANS_STRING: /* the size has the zero behind the text in it */
        avro_value_get_string(theirs, &text, &size);
        return same_text(value, text, size - 1, answer);
    case MEANS_ENUM:
        avro_value_get_enum(theirs, &number);
        text = avro_schema_enum_get(avro_value_get_schema(theirs), number);
        return same_text(value, text, strlen(text), answer);
    case MEANS_FIXED:
        avro_value_get_fixed(theirs, &bytes, &size);
        break;
    default:
        avro_value_get_bytes(theirs, &bytes, &size);
        break;
    }
    switch (meaning->logical) {
    case LOGICAL_DECIMAL:
        return same_decimal(value, meaning, bytes, size, answer);
    case LOGICAL_UUID:
        return same_uuid(value, bytes, answer);
    case LOGICAL_DURATION:
        return same_duration(value, bytes, answer);
    default:
        return same_bytes(value, bytes, size, answer);
    }
}

/* Are there as many members as Avro C has? */
static bool same_size(const struct slu_value *value, enum slu_value_kind kind, avro_value_t *theirs,
                      struct avro_c_answer *answer)
{
    size_t size = 0;
    avro_value_get_size(theirs, &size);
    if (slu_value_kind(value) == kind && slu_value_len(value) == size)
        return true;
    return differ(answer, "Avro C has %zu members, Sluice %s of %zu", size,
                  slu_value_kind_name(value), slu_value_len(value));
}

static bool same_array(const struct meaning *meaning, const struct slu_value *value,
                       avro_value_t *theirs, struct avro_c_answer *answer)
{
    const struct slu_value *item = slu_value_first(value);
    if (!same_size(value, SLU_VALUE_ARRAY, theirs, answer))
        return false;
    for (size_t i = 0; i < slu_value_len(value); i++, item = slu_value_next(item)) {
        avro_value_t child;
        avro_value_get_by_index(theirs, i, &child, NULL);
        if (!same(meaning->parts[0], item, &child, answer))
            return step_out(answer, slu_slice(NULL, 0), i);
    }
    return true;
}

static bool has_zero_in_key(const struct slu_value *object)
{
    const struct slu_value *key = slu_value_first(object);
    for (size_t i = 0; i < slu_value_len(object); i++, key = slu_value_next(key + 1))
        if (memchr(key->text, 0, slu_value_len(key)) != NULL)
            return true;
    return false;
}

/* Of records and maps the members are alike; only the keys' names come from elsewhere. */
static bool same_members(const struct meaning *meaning, const struct slu_value *value,
                         avro_value_t *theirs, struct avro_c_answer *answer)
{
    const bool record = meaning->type == MEANS_RECORD;
    const struct slu_value *key = slu_value_first(value);
    if (!record && slu_value_kind(value) == SLU_VALUE_OBJECT && has_zero_in_key(value)) {
        answer->excused[AVRO_C_KEY_WITH_ZERO] = true; /* of this map, all else is compared */
        return true;
    }
    if (!same_size(value, SLU_VALUE_OBJECT, theirs, answer))
        return false;
    for (size_t i = 0; i < slu_value_len(value); i++, key = slu_value_next(key + 1)) {
        avro_value_t child;
        const char *name = NULL;
        avro_value_get_by_index(theirs, i, &child, &name);
        if (!same_text(key, name, strlen(name), answer) ||
            !same(meaning->parts[record ? i : 0], key + 1, &child, answer))
            return step_out(answer, slu_value_text(key), 0);
    }
    return true;
}

static bool same(const struct meaning *meaning, const struct slu_value *value, avro_value_t *theirs,
                 struct avro_c_answer *answer)
{
    avro_value_t branch;
    int number = -1;

    switch (meaning->type) {
    case MEANS_ARRAY:
        return same_array(meaning, value, theirs, answer);
    case MEANS_RECORD:
    case MEANS_MAP:
        return same_members(meaning, value, theirs, answer);
    case MEANS_UNION:
        avro_value_get_discriminant(theirs, &number);
        if (number < 0 || (size_t)number >= meaning->n ||
            avro_value_get_current_branch(theirs, &branch) != 0)
            return differ(answer, "Avro C has no branch: %d", number);
        return same(meaning->parts[number], value, &branch, answer);
    default:
        return same_scalar(meaning, value, theirs, answer);
    }
}

/* ---- schemas and bodies ------------------------------------------------------------------------------ */

/* A value that Avro C keeps in no bytes of memory: a fixed of none, a record without fields, or of such. */
static bool is_nothing(const struct meaning *meaning, unsigned depth)
{
    bool nothing = meaning->type == MEANS_RECORD && depth > 0;
    for (size_t i = 0; i < meaning->n && nothing; i++)
        nothing = is_nothing(meaning->parts[i], depth - 1);
    return nothing || (meaning->type == MEANS_FIXED && meaning->size == 0);
}

/* What it says when it has asked for no bytes and takes the NULL for no memory. */
static bool is_about_nothing(const struct avro_c_schema *schema)
{
    const char *const says = avro_strerror();
    for (const struct meaning *at = schema->made; at != NULL; at = at->made)
        if ((at->type == MEANS_FIXED && at->size == 0 &&
             strcmp(says, "Cannot allocate new fixed value") == 0) ||
            (at->type == MEANS_ARRAY && is_nothing(at->parts[0], 64) &&
             strcmp(says, "Couldn't expand array") == 0))
            return true;
    return false;
}

static bool open_theirs(struct avro_c_schema *schema, struct slu_slice text)
{
    avro_set_error("%s", "");
    if (avro_schema_from_json_length(text.data, text.len, &schema->schema) != 0)
        return false;
    schema->class = avro_generic_class_from_schema(schema->schema);
    schema->reader = avro_reader_memory("", 0);
    return schema->class != NULL && schema->reader != NULL;
}

struct avro_c_schema *avro_c_open(struct slu_slice text, struct avro_c_answer *answer)
{
    struct avro_c_schema *schema = calloc(1, sizeof(*schema));
    struct slu_err err = {0};

    *answer = (struct avro_c_answer){.where = ""};
    if (schema == NULL)
        abort();
    slu_arena_init(&schema->arena, 64u << 20);
    schema->document = slu_document_parse(text, 256, &err);
    if (schema->document != NULL)
        schema->meaning = meaning_of(schema->document->root, &schema->arena, &schema->made);
    if (schema->meaning == NULL)
        differ(answer, "the schema cannot be read naively");
    else if (open_theirs(schema, text))
        return schema;
    else
        differ(answer, "Avro C does not take the schema: %s", avro_strerror());
    avro_c_close(schema);
    return NULL;
}

void avro_c_close(struct avro_c_schema *schema)
{
    if (schema == NULL)
        return;
    if (schema->reader != NULL)
        avro_reader_free(schema->reader);
    if (schema->class != NULL)
        avro_value_iface_decref(schema->class);
    if (schema->schema != NULL)
        avro_schema_decref(schema->schema);
    slu_document_free(schema->document);
    slu_arena_fini(&schema->arena);
    free(schema);
}

const struct meaning *avro_c_meaning(const struct avro_c_schema *schema)
{
    return schema->meaning;
}

static bool agrees(struct avro_c_schema *schema, const struct slu_value *root, avro_value_t *theirs,
                   struct avro_c_answer *answer)
{
    char behind;

    if (avro_value_read(schema->reader, theirs) != 0) {
        answer->excused[AVRO_C_VALUE_OF_NO_BYTES] = is_about_nothing(schema);
        return answer->excused[AVRO_C_VALUE_OF_NO_BYTES] ||
               differ(answer, "Avro C does not take the body: %s", avro_strerror());
    }
    if (avro_read(schema->reader, &behind, 1) == 0)
        return differ(answer, "Avro C has read less than the whole body");
    return same(schema->meaning, root, theirs, answer);
}

bool avro_c_agrees(struct avro_c_schema *schema, struct slu_slice body,
                   const struct slu_value *root, struct avro_c_answer *answer)
{
    avro_value_t theirs;

    *answer = (struct avro_c_answer){.where = ""};
    avro_reader_memory_set_source(schema->reader, body.len > 0 ? body.data : "", (int64_t)body.len);
    avro_set_error("%s", "");
    if (avro_generic_value_new(schema->class, &theirs) != 0)
        return differ(answer, "Avro C makes no value: %s", avro_strerror());
    const bool sound = agrees(schema, root, &theirs, answer);
    avro_value_decref(&theirs);
    return sound;
}
