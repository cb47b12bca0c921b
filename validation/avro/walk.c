/* walk.c -- see walk.h. The plan says what comes next, the bytes say how much of it:
 *
 *   int, long, enum, union    zigzag varint, at most ten bytes
 *   string, bytes             length, bytes                      array, map   blocks: count, items; 0
 *   float, double, fixed      their bytes                        record       its fields, nothing between
 *
 * Each value becomes one cell or more (value.h) where it is met. A container's size is known at its
 * end. Cells move when they grow, so open containers are known by their index.
 *
 * On failure each level on the way out adds its step, so that the good message pays nothing for
 * the pointer of a bad one.
 */
#include "validation/avro/walk.h"

#include "base/utf8.h"
#include "base/uuid.h"
#include "validation/avro/digits.h"

#include <math.h>
#include <stdlib.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "floats are read as they lie");

/* Cells that any message may have, and for each of its bytes. */
#define FREE_CELLS     4096
#define CELLS_PER_BYTE 4

#define READY_CELLS 256
#define CHUNK_BYTES 4096

/* Eight bytes may be read where a key begins (value.h). */
#define KEY_READABLE 8

struct slu_avro_chunk {
    struct slu_avro_chunk *next;
    size_t used, size;
    char bytes[];
};

struct walk {
    struct slu_avro_memory *memory;
    const struct slu_avro_schema *schema;
    const char *at, *end;
    struct slu_slice body;
    size_t max_cells;
    struct slu_avro_fault *fault;
};

/* ---- memory ------------------------------------------------------------------------------------------ */

bool slu_avro_memory_init(struct slu_avro_memory *memory)
{
    *memory = (struct slu_avro_memory){.cap = READY_CELLS};
    memory->cells = malloc(READY_CELLS * sizeof(*memory->cells));
    return slu_shape_init(&memory->shape) && memory->cells != NULL &&
           slu_avro_memory_text(memory, 1) != NULL;
}

void slu_avro_memory_fini(struct slu_avro_memory *memory)
{
    while (memory->chunks != NULL) {
        struct slu_avro_chunk *chunk = memory->chunks;
        memory->chunks = chunk->next;
        free(chunk);
    }
    free(memory->cells);
    slu_shape_fini(&memory->shape);
}

char *slu_avro_memory_text(struct slu_avro_memory *memory, size_t len)
{
    struct slu_avro_chunk *chunk = memory->chunks;

    if (chunk == NULL || chunk->size - chunk->used < len) {
        size_t size = chunk == NULL ? CHUNK_BYTES : 2 * chunk->size;
        if (size < len)
            size = len;
        chunk = malloc(sizeof(*chunk) + size);
        if (chunk == NULL)
            return NULL;
        *chunk = (struct slu_avro_chunk){.next = memory->chunks, .size = size};
        memory->chunks = chunk;
    }
    char *text = chunk->bytes + chunk->used;
    chunk->used += len;
    return text;
}

/* All texts are gone; the last and largest chunk stays. */
static void reset(struct slu_avro_memory *memory)
{
    struct slu_avro_chunk *kept = memory->chunks;

    while (kept->next != NULL) {
        struct slu_avro_chunk *chunk = kept->next;
        kept->next = chunk->next;
        free(chunk);
    }
    kept->used = 0;
    memory->n = 0;
}

/* ---- faults ------------------------------------------------------------------------------------------ */

static __attribute__((noinline, cold)) bool fail_at(struct walk *walk, enum slu_payload_fault fault,
                                                    const char *at, const char *text)
{
    walk->fault->fault = fault;
    walk->fault->at = (size_t)(at - walk->body.data);
    walk->fault->text = text;
    walk->fault->n_steps = 0;
    return false;
}

static __attribute__((noinline, cold)) bool step_out(struct walk *walk, struct slu_slice name,
                                                     uint64_t item)
{
    struct slu_avro_fault *fault = walk->fault;

    if (fault->n_steps < sizeof(fault->steps) / sizeof(fault->steps[0]))
        fault->steps[fault->n_steps++] = (struct slu_avro_step){name, item};
    return false;
}

static bool no_memory(struct walk *walk)
{
    return fail_at(walk, SLU_PAYLOAD_TOO_LARGE, walk->at, "no memory for its values");
}

/* ---- cells ------------------------------------------------------------------------------------------- */

static __attribute__((noinline)) bool grow(struct walk *walk, size_t wanted)
{
    struct slu_avro_memory *memory = walk->memory;

    if (memory->n + wanted > walk->max_cells)
        return fail_at(walk, SLU_PAYLOAD_AVRO_ITEMS, walk->at,
                       "more values than so few bytes may stand for");
    size_t cap = 2 * memory->cap;
    struct slu_value *grown = realloc(memory->cells, cap * sizeof(*grown));
    if (grown == NULL)
        return no_memory(walk);
    memory->cells = grown;
    memory->cap = cap;
    return true;
}

/* Room for `wanted` ≤ READY_CELLS more. */
static inline bool room(struct walk *walk, size_t wanted)
{
    const struct slu_avro_memory *memory = walk->memory;
    const size_t bound = memory->cap < walk->max_cells ? memory->cap : walk->max_cells;
    return __builtin_expect(memory->n + wanted <= bound, 1) || grow(walk, wanted);
}

static inline bool put(struct walk *walk, uint64_t tag, uint64_t bits)
{
    struct slu_avro_memory *memory = walk->memory;
    memory->cells[memory->n++] = (struct slu_value){.tag = tag, .u64 = bits};
    return true;
}

static inline bool put_text(struct walk *walk, const char *text, size_t len)
{
    struct slu_avro_memory *memory = walk->memory;
    memory->cells[memory->n++] =
        (struct slu_value){.tag = SLU_VALUE_STRING | (uint64_t)len << 8, .text = text};
    return true;
}

static inline bool put_long(struct walk *walk, int64_t number)
{
    return put(walk, number < 0 ? SLU_VALUE_SINT : SLU_VALUE_UINT, (uint64_t)number);
}

static bool put_double(struct walk *walk, double number)
{
    static const struct slu_slice words[] = {{"NaN", 3}, {"Infinity", 8}, {"-Infinity", 9}};
    uint64_t bits;

    if (__builtin_expect(!isfinite(number), 0)) {
        const struct slu_slice word = words[isnan(number) ? 0 : number > 0 ? 1 : 2];
        return put_text(walk, word.data, word.len);
    }
    memcpy(&bits, &number, sizeof(bits));
    return put(walk, SLU_VALUE_REAL, bits);
}

/* A container that ends here. */
static void close_container(struct walk *walk, size_t index, uint64_t kind, uint64_t members)
{
    struct slu_avro_memory *memory = walk->memory;
    struct slu_value *cell = &memory->cells[index];
    *cell =
        (struct slu_value){.tag = kind | members << 8, .size = (memory->n - index) * sizeof(*cell)};
}

/* ---- bytes ------------------------------------------------------------------------------------------- */

static __attribute__((noinline)) bool read_long_varint(struct walk *walk, uint64_t *number)
{
    const char *const from = walk->at;
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (walk->at == walk->end)
            return fail_at(walk, SLU_PAYLOAD_AVRO_TRUNCATED, walk->at, "ends within a number");
        const uint8_t byte = (uint8_t)*walk->at++;
        if (shift == 63 && byte > 1)
            return fail_at(walk, SLU_PAYLOAD_AVRO_MALFORMED, from, "a number beyond 64 bits");
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *number = value;
            return true;
        }
    }
    return fail_at(walk, SLU_PAYLOAD_AVRO_MALFORMED, from, "a number of more than ten bytes");
}

/* A zigzag number. Most are a byte or two. */
static inline bool read_long(struct walk *walk, int64_t *number)
{
    const char *at = walk->at;
    uint64_t value;

    if (__builtin_expect(walk->end - at >= 2, 1) && (at[0] & at[1] & 0x80) == 0) {
        value = (uint8_t)at[0];
        walk->at = at + 1;
        if (value >= 0x80) {
            value = (value & 0x7F) | (uint64_t)(uint8_t)at[1] << 7;
            walk->at = at + 2;
        }
    } else if (!read_long_varint(walk, &value)) {
        return false;
    }
    *number = (int64_t)((value >> 1) ^ (0 - (value & 1)));
    return true;
}

static inline bool take(struct walk *walk, size_t len, const char **bytes)
{
    if ((size_t)(walk->end - walk->at) < len)
        return fail_at(walk, SLU_PAYLOAD_AVRO_TRUNCATED, walk->at, "ends within a value");
    *bytes = walk->at;
    walk->at += len;
    return true;
}

/* A length and that many bytes. */
static inline bool take_counted(struct walk *walk, struct slu_slice *bytes)
{
    const char *const from = walk->at;
    int64_t len;

    if (!read_long(walk, &len))
        return false;
    if (__builtin_expect((uint64_t)len > (uint64_t)(walk->end - walk->at), 0)) {
        if (len < 0 || (uint64_t)len > walk->body.len)
            return fail_at(walk, SLU_PAYLOAD_AVRO_LENGTH, from,
                           len < 0 ? "a negative length" : "a length beyond the whole message");
        return fail_at(walk, SLU_PAYLOAD_AVRO_TRUNCATED, from, "ends within a text");
    }
    *bytes = slu_slice(walk->at, (size_t)len);
    walk->at += len;
    return true;
}

/* Only ASCII? Then it is UTF-8, and bytes are their own code points. */
static inline bool is_ascii(struct slu_slice text)
{
    size_t at = 0;
    uint64_t seen = 0;

    for (; at + 8 <= text.len; at += 8) {
        uint64_t word;
        memcpy(&word, text.data + at, sizeof(word));
        seen |= word;
    }
    for (; at < text.len; at++)
        seen |= (uint64_t)(uint8_t)text.data[at];
    return (seen & UINT64_C(0x8080808080808080)) == 0;
}

/* ---- texts ------------------------------------------------------------------------------------------- */

/* Each byte the code point of its number. */
static bool put_bytes(struct walk *walk, struct slu_slice bytes)
{
    if (is_ascii(bytes))
        return put_text(walk, bytes.data, bytes.len);
    char *const text = slu_avro_memory_text(walk->memory, 2 * bytes.len);
    if (text == NULL)
        return no_memory(walk);
    char *out = text;
    for (size_t i = 0; i < bytes.len; i++) {
        const uint8_t byte = (uint8_t)bytes.data[i];
        if (byte >= 0x80)
            *out++ = (char)(0xC0 | byte >> 6);
        *out++ = (char)(byte >= 0x80 ? 0x80 | (byte & 0x3F) : byte);
    }
    return put_text(walk, text, (size_t)(out - text));
}

static bool put_decimal(struct walk *walk, const struct slu_avro_node *node, struct slu_slice bytes)
{
    char digits[SLU_AVRO_DIGITS_TEXT];
    const size_t len = slu_avro_digits_text(bytes, node->precision, node->scale, digits);

    if (len == 0)
        return fail_at(walk, SLU_PAYLOAD_AVRO_INT_RANGE, bytes.data,
                       "a decimal of more digits than its precision");
    char *text = slu_avro_memory_text(walk->memory, len);
    if (text == NULL)
        return no_memory(walk);
    memcpy(text, digits, len);
    const uint64_t tag = SLU_VALUE_BIG | (uint64_t)len << 8;
    walk->memory->cells[walk->memory->n++] = (struct slu_value){.tag = tag, .text = text};
    return true;
}

static bool put_uuid(struct walk *walk, struct slu_slice bytes)
{
    char *text = slu_avro_memory_text(walk->memory, SLU_UUID_TEXT_SIZE);
    struct slu_uuid uuid;

    if (text == NULL)
        return no_memory(walk);
    memcpy(uuid.bytes, bytes.data, sizeof(uuid.bytes));
    slu_uuid_format(uuid, text);
    return put_text(walk, text, SLU_UUID_TEXT_SIZE - 1);
}

static uint32_t little_endian(const char *bytes)
{
    const uint8_t *b = (const uint8_t *)bytes;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static bool put_duration(struct walk *walk, struct slu_slice bytes)
{
    const size_t index = walk->memory->n;

    if (!room(walk, 4))
        return false;
    walk->memory->n++;
    for (size_t i = 0; i < 3; i++)
        put(walk, SLU_VALUE_UINT, little_endian(bytes.data + 4 * i));
    close_container(walk, index, SLU_VALUE_ARRAY, 3);
    return true;
}

static bool put_fixed(struct walk *walk, const struct slu_avro_node *node, const char *bytes)
{
    const struct slu_slice slice = slu_slice(bytes, node->n);

    switch (node->logical) {
    case SLU_AVRO_DECIMAL:
        return put_decimal(walk, node, slice);
    case SLU_AVRO_UUID:
        return put_uuid(walk, slice);
    case SLU_AVRO_DURATION:
        return put_duration(walk, slice);
    default:
        return put_bytes(walk, slice);
    }
}

static bool put_string(struct walk *walk, const struct slu_avro_node *node, struct slu_slice text)
{
    struct slu_uuid ignored;

    if (!is_ascii(text) && !slu_utf8_valid(text.data, text.len))
        return fail_at(walk, SLU_PAYLOAD_AVRO_UTF8, text.data, "a string that is not UTF-8");
    if (node->logical == SLU_AVRO_UUID && !slu_uuid_parse(text.data, text.len, &ignored))
        return fail_at(walk, SLU_PAYLOAD_AVRO_MALFORMED, text.data, "a uuid that is none");
    return put_text(walk, text.data, text.len);
}

/* ---- containers -------------------------------------------------------------------------------------- */

static bool value(struct walk *walk, uint32_t index, unsigned depth);

static bool record(struct walk *walk, const struct slu_avro_node *node, unsigned depth)
{
    const struct slu_avro_field *field = walk->schema->fields + node->first;
    const struct slu_avro_field *const end = field + node->n;
    const size_t index = walk->memory->n++;

    for (; field != end; field++) {
        if (!room(walk, 2))
            return step_out(walk, field->name, 0);
        put_text(walk, field->name.data, field->name.len);
        if (!value(walk, field->node, depth))
            return step_out(walk, field->name, 0);
    }
    close_container(walk, index, SLU_VALUE_OBJECT, node->n);
    return true;
}

/* The head of a block: how many items, 0 at the end. A negative count has its bytes behind it, which
 * must then be the items' exactly: `*block_end`, NULL: unknown. */
static bool block(struct walk *walk, uint64_t least, uint64_t *count, const char **block_end)
{
    const char *const from = walk->at;
    int64_t number, bytes = 0;

    *block_end = NULL;
    if (!read_long(walk, &number))
        return false;
    if (number < 0) {
        if (number == INT64_MIN)
            return fail_at(walk, SLU_PAYLOAD_AVRO_LENGTH, from, "a block of 2^63 items");
        number = -number;
        if (!read_long(walk, &bytes))
            return false;
        if (bytes < 0 || (uint64_t)bytes > walk->body.len)
            return fail_at(walk, SLU_PAYLOAD_AVRO_LENGTH, from, "a block's size cannot be");
        if (bytes > walk->end - walk->at)
            return fail_at(walk, SLU_PAYLOAD_AVRO_TRUNCATED, from, "ends within a block");
        *block_end = walk->at + bytes;
    }
    *count = (uint64_t)number;
    if (least != 0 && *count > walk->body.len / least)
        return fail_at(walk, SLU_PAYLOAD_AVRO_LENGTH, from,
                       "a block of more items than the whole message has bytes for");
    if (least != 0 && *count > (uint64_t)(walk->end - walk->at) / least)
        return fail_at(walk, SLU_PAYLOAD_AVRO_TRUNCATED, from, "ends within a block");
    return true;
}

static bool end_of_block(struct walk *walk, const char *block_end)
{
    return block_end == NULL || block_end == walk->at ||
           fail_at(walk, SLU_PAYLOAD_AVRO_LENGTH, walk->at, "a block that is not of its size");
}

static bool array(struct walk *walk, const struct slu_avro_node *node, unsigned depth)
{
    const size_t index = walk->memory->n++;
    const uint64_t least = walk->schema->nodes[node->first].least;
    const char *block_end;
    uint64_t items = 0, count;

    for (;;) {
        if (!block(walk, least, &count, &block_end))
            return false;
        if (count == 0)
            break;
        for (; count > 0; count--, items++)
            if (!room(walk, 1) || !value(walk, node->first, depth))
                return step_out(walk, slu_slice(NULL, 0), items);
        if (!end_of_block(walk, block_end))
            return false;
    }
    close_container(walk, index, SLU_VALUE_ARRAY, items);
    return true;
}

static bool map_key(struct walk *walk, struct slu_slice *key)
{
    const char *const from = walk->at;

    if (!take_counted(walk, key))
        return false;
    if (!is_ascii(*key) && !slu_utf8_valid(key->data, key->len))
        return fail_at(walk, SLU_PAYLOAD_AVRO_UTF8, from, "a key that is not UTF-8");
    if (walk->end - key->data < KEY_READABLE) {
        char *copy = slu_avro_memory_text(walk->memory, key->len + KEY_READABLE);
        if (copy == NULL)
            return no_memory(walk);
        memset(copy, 0, key->len + KEY_READABLE);
        memcpy(copy, key->data, key->len);
        key->data = copy;
    }
    put_text(walk, key->data, key->len);
    return true;
}

static bool map_entries(struct walk *walk, const struct slu_avro_node *node, unsigned depth,
                        uint64_t count)
{
    struct slu_slice key;

    for (; count > 0; count--) {
        if (!room(walk, 2) || !map_key(walk, &key))
            return false;
        if (!value(walk, node->first, depth))
            return step_out(walk, key, 0);
    }
    return true;
}

static bool map(struct walk *walk, const struct slu_avro_node *node, unsigned depth)
{
    struct slu_avro_memory *memory = walk->memory;
    const size_t index = memory->n++;
    const uint64_t least = (uint64_t)walk->schema->nodes[node->first].least + 1;
    const struct slu_value *culprit;
    const char *block_end;
    uint64_t entries = 0, count;

    for (;;) {
        if (!block(walk, least, &count, &block_end))
            return false;
        if (count == 0)
            break;
        if (!map_entries(walk, node, depth, count) || !end_of_block(walk, block_end))
            return false;
        entries += count;
    }
    close_container(walk, index, SLU_VALUE_OBJECT, entries);
    switch (slu_shape_check_keys(&memory->shape, &memory->cells[index], &culprit)) {
    case SLU_PAYLOAD_OK:
        return true;
    case SLU_PAYLOAD_DUPLICATE_KEY:
        fail_at(walk, SLU_PAYLOAD_AVRO_MALFORMED, walk->at, "a key that its map already has");
        return step_out(walk, slu_value_text(culprit), 0);
    default:
        return no_memory(walk);
    }
}

/* ---- any value --------------------------------------------------------------------------------------- */

/* One value, whose cell has room. Only containers go deeper, so `depth` bounds the stack. */
static bool value(struct walk *walk, uint32_t index, unsigned depth)
{
    const struct slu_avro_node *node = &walk->schema->nodes[index];
    const char *from = walk->at, *bytes;
    struct slu_slice text;
    int64_t number;
    double real;
    float narrow;

    if (node->type == SLU_AVRO_UNION) {
        if (!read_long(walk, &number))
            return false;
        if ((uint64_t)number >= node->n)
            return fail_at(walk, SLU_PAYLOAD_AVRO_UNION, from, "a branch that the union has not");
        node = &walk->schema->nodes[walk->schema->links[node->first + (uint64_t)number]];
        from = walk->at;
    }
    switch ((enum slu_avro_type)node->type) {
    case SLU_AVRO_NULL:
        return put(walk, SLU_VALUE_NULL, 0);
    case SLU_AVRO_BOOLEAN:
        if (!take(walk, 1, &bytes))
            return false;
        if ((uint8_t)*bytes > 1)
            return fail_at(walk, SLU_PAYLOAD_AVRO_MALFORMED, from, "a boolean is 0 or 1");
        return put(walk, *bytes != 0 ? SLU_VALUE_TRUE : SLU_VALUE_FALSE, 0);
    case SLU_AVRO_INT:
        if (!read_long(walk, &number))
            return false;
        if (number != (int32_t)number)
            return fail_at(walk, SLU_PAYLOAD_AVRO_INT_RANGE, from, "an int beyond 32 bits");
        return put_long(walk, number);
    case SLU_AVRO_LONG:
        return read_long(walk, &number) && put_long(walk, number);
    case SLU_AVRO_FLOAT:
        if (!take(walk, sizeof(narrow), &bytes))
            return false;
        memcpy(&narrow, bytes, sizeof(narrow));
        return put_double(walk, (double)narrow);
    case SLU_AVRO_DOUBLE:
        if (!take(walk, sizeof(real), &bytes))
            return false;
        memcpy(&real, bytes, sizeof(real));
        return put_double(walk, real);
    case SLU_AVRO_STRING:
        return take_counted(walk, &text) && put_string(walk, node, text);
    case SLU_AVRO_BYTES:
        return take_counted(walk, &text) &&
               (node->logical == SLU_AVRO_DECIMAL ? put_decimal(walk, node, text)
                                                  : put_bytes(walk, text));
    case SLU_AVRO_FIXED:
        return take(walk, node->n, &bytes) && put_fixed(walk, node, bytes);
    case SLU_AVRO_ENUM:
        if (!read_long(walk, &number))
            return false;
        if ((uint64_t)number >= node->n)
            return fail_at(walk, SLU_PAYLOAD_AVRO_ENUM, from, "a symbol that the enum has not");
        text = walk->schema->symbols[node->first + (uint64_t)number];
        return put_text(walk, text.data, text.len);
    case SLU_AVRO_ARRAY:
    case SLU_AVRO_MAP:
    case SLU_AVRO_RECORD:
        break;
    case SLU_AVRO_UNION:
    case SLU_AVRO_TYPES:
        return fail_at(walk, SLU_PAYLOAD_AVRO_MALFORMED, from, "a union in a union");
    }
    if (depth == SLU_PAYLOAD_MAX_DEPTH)
        return fail_at(walk, SLU_PAYLOAD_AVRO_DEPTH, from, "nested too deep");
    return node->type == SLU_AVRO_RECORD  ? record(walk, node, depth + 1)
           : node->type == SLU_AVRO_ARRAY ? array(walk, node, depth + 1)
                                          : map(walk, node, depth + 1);
}

const struct slu_value *slu_avro_walk(struct slu_avro_memory *memory,
                                      const struct slu_avro_schema *schema, struct slu_slice body,
                                      struct slu_avro_fault *fault)
{
    if (body.len == 0)
        body = SLU_SLICE("");
    struct walk walk = {
        .memory = memory,
        .schema = schema,
        .at = body.data,
        .end = body.data + body.len,
        .body = body,
        .max_cells = FREE_CELLS + CELLS_PER_BYTE * body.len,
        .fault = fault,
    };

    reset(memory);
    if (!value(&walk, schema->root, 0))
        return NULL;
    if (walk.at == walk.end)
        return memory->cells;
    fail_at(&walk, SLU_PAYLOAD_AVRO_TRAILING, walk.at, "bytes behind the value");
    return NULL;
}
