/* walk.c -- see walk.h. The plan says what comes next, the bytes say how much of it:
 *
 *   int, long, enum, union    zigzag varint, at most ten bytes
 *   string, bytes             length, bytes                      array, map   blocks: count, items; 0
 *   float, double, fixed      their bytes                        record       its fields, nothing between
 *
 * Each value becomes one cell or more (value.h) where it is met. A container's size is known at its
 * end. Plain values are read in runs (walk_quick.c); what ends a run is read here.
 *
 * On failure each level on the way out adds its step, so that the good message pays nothing for
 * the pointer of a bad one.
 */
#include "validation/avro/varint.h"
#include "validation/avro/walk_inside.h"

/* Cells that any message may have, and for each of its bytes. */
#define FREE_CELLS     4096
#define CELLS_PER_BYTE 4

/* Eight bytes may be read where a key begins (value.h). */
#define KEY_READABLE 8

/* ---- faults ------------------------------------------------------------------------------------------ */

__attribute__((noinline, cold)) bool slu_avro_walk_fail(struct slu_avro_walk *walk,
                                                        enum slu_payload_fault fault,
                                                        const char *at, const char *text)
{
    walk->fault->fault = fault;
    walk->fault->at = (size_t)(at - walk->body.data);
    walk->fault->text = text;
    walk->fault->n_steps = 0;
    return false;
}

bool slu_avro_walk_no_memory(struct slu_avro_walk *walk)
{
    return slu_avro_walk_fail(walk, SLU_PAYLOAD_TOO_LARGE, walk->at, "no memory for its values");
}

static __attribute__((noinline, cold)) bool step_out(struct slu_avro_walk *walk,
                                                     struct slu_slice name, uint64_t item)
{
    struct slu_avro_fault *fault = walk->fault;

    if (fault->n_steps < sizeof(fault->steps) / sizeof(fault->steps[0]))
        fault->steps[fault->n_steps++] = (struct slu_avro_step){name, item};
    return false;
}

/* ---- cells ------------------------------------------------------------------------------------------- */

/* `limit` of the cells that there are. */
static void set_limit(struct slu_avro_walk *walk)
{
    const size_t cap = walk->memory->cap;
    walk->limit = walk->memory->cells + (cap < walk->max_cells ? cap : walk->max_cells);
}

__attribute__((noinline)) bool slu_avro_walk_grow(struct slu_avro_walk *walk, size_t wanted)
{
    const size_t n = (size_t)(walk->next - walk->memory->cells);

    if (n + wanted > walk->max_cells)
        return slu_avro_walk_fail(walk, SLU_PAYLOAD_AVRO_ITEMS, walk->at,
                                  "more values than so few bytes may stand for");
    if (!slu_avro_memory_grow(walk->memory))
        return slu_avro_walk_no_memory(walk);
    walk->next = walk->memory->cells + n;
    set_limit(walk);
    return true;
}

/* ---- bytes ------------------------------------------------------------------------------------------- */

static __attribute__((noinline, cold)) bool fail_number(struct slu_avro_walk *walk)
{
    if (walk->end - walk->at >= SLU_AVRO_VARINT_MAX)
        return slu_avro_walk_fail(walk, SLU_PAYLOAD_AVRO_MALFORMED, walk->at,
                                  "a number beyond 64 bits");
    walk->at = walk->end;
    return slu_avro_walk_fail(walk, SLU_PAYLOAD_AVRO_TRUNCATED, walk->at, "ends within a number");
}

bool slu_avro_walk_long(struct slu_avro_walk *walk, int64_t *number)
{
    uint64_t bits;
    const char *behind = slu_avro_varint_read(walk->at, walk->end, &bits);

    if (behind == NULL)
        return fail_number(walk);
    walk->at = behind;
    *number = slu_avro_unzigzag(bits);
    return true;
}

bool slu_avro_walk_counted(struct slu_avro_walk *walk, struct slu_slice *bytes)
{
    const char *const from = walk->at;
    int64_t len;

    if (!slu_avro_walk_long(walk, &len))
        return false;
    if (__builtin_expect((uint64_t)len > (uint64_t)(walk->end - walk->at), 0)) {
        if (len < 0 || (uint64_t)len > walk->body.len)
            return slu_avro_walk_fail(walk, SLU_PAYLOAD_AVRO_LENGTH, from,
                                      len < 0 ? "a negative length"
                                              : "a length beyond the whole message");
        return slu_avro_walk_fail(walk, SLU_PAYLOAD_AVRO_TRUNCATED, from, "ends within a text");
    }
    *bytes = slu_slice(walk->at, (size_t)len);
    walk->at += len;
    return true;
}

/* ---- containers -------------------------------------------------------------------------------------- */

static bool value(struct slu_avro_walk *walk, uint32_t index, unsigned depth);

static bool record(struct slu_avro_walk *walk, const struct slu_avro_node *node, unsigned depth)
{
    const struct slu_avro_field *field = walk->schema->fields + node->first;
    const struct slu_avro_field *const end = field + node->n;
    const size_t index = slu_avro_walk_open(walk);

    while ((field = slu_avro_walk_fields(walk, field, end)) != end) {
        if (!slu_avro_walk_room(walk, 2))
            return step_out(walk, field->name, 0);
        *walk->next++ = field->key;
        if (!value(walk, field->node, depth))
            return step_out(walk, field->name, 0);
        field++;
    }
    slu_avro_walk_close(walk, index, SLU_VALUE_OBJECT, node->n);
    return true;
}

/* The head of a block: how many items, 0 at the end. A negative count has its bytes behind it, which
 * must then be the items' exactly: `*block_end`, NULL: unknown. */
static bool block(struct slu_avro_walk *walk, uint64_t least, uint64_t *count,
                  const char **block_end)
{
    const char *const from = walk->at;
    int64_t number, bytes = 0;

    *block_end = NULL;
    if (!slu_avro_walk_long(walk, &number))
        return false;
    if (number < 0) {
        if (number == INT64_MIN)
            return slu_avro_walk_fail(walk, SLU_PAYLOAD_AVRO_LENGTH, from, "a block of 2^63 items");
        number = -number;
        if (!slu_avro_walk_long(walk, &bytes))
            return false;
        if (bytes < 0 || (uint64_t)bytes > walk->body.len)
            return slu_avro_walk_fail(walk, SLU_PAYLOAD_AVRO_LENGTH, from,
                                      "a block's size cannot be");
        if (bytes > walk->end - walk->at)
            return slu_avro_walk_fail(walk, SLU_PAYLOAD_AVRO_TRUNCATED, from,
                                      "ends within a block");
        *block_end = walk->at + bytes;
    }
    *count = (uint64_t)number;
    if (least != 0 && *count > walk->body.len / least)
        return slu_avro_walk_fail(walk, SLU_PAYLOAD_AVRO_LENGTH, from,
                                  "a block of more items than the whole message has bytes for");
    if (least != 0 && *count > (uint64_t)(walk->end - walk->at) / least)
        return slu_avro_walk_fail(walk, SLU_PAYLOAD_AVRO_TRUNCATED, from, "ends within a block");
    return true;
}

static bool end_of_block(struct slu_avro_walk *walk, const char *block_end)
{
    return block_end == NULL || block_end == walk->at ||
           slu_avro_walk_fail(walk, SLU_PAYLOAD_AVRO_LENGTH, walk->at,
                              "a block that is not of its size");
}

static bool array(struct slu_avro_walk *walk, const struct slu_avro_node *node, unsigned depth)
{
    const size_t index = slu_avro_walk_open(walk);
    const uint64_t least = walk->schema->nodes[node->first].least;
    const char *block_end;
    uint64_t items = 0, count;

    for (;;) {
        if (!block(walk, least, &count, &block_end))
            return false;
        if (count == 0)
            break;
        for (const uint64_t all = items + count; items != all; items++) {
            items += slu_avro_walk_items(walk, node->first, all - items);
            if (items == all)
                break;
            if (!slu_avro_walk_room(walk, 1) || !value(walk, node->first, depth))
                return step_out(walk, slu_slice(NULL, 0), items);
        }
        if (!end_of_block(walk, block_end))
            return false;
    }
    slu_avro_walk_close(walk, index, SLU_VALUE_ARRAY, items);
    return true;
}

static bool map_key(struct slu_avro_walk *walk, struct slu_slice *key)
{
    const char *const from = walk->at;

    if (!slu_avro_walk_counted(walk, key))
        return false;
    if (!slu_avro_is_ascii(key->data, key->len, walk->end) && !slu_utf8_valid(key->data, key->len))
        return slu_avro_walk_fail(walk, SLU_PAYLOAD_AVRO_UTF8, from, "a key that is not UTF-8");
    if (walk->end - key->data < KEY_READABLE) {
        char *copy = slu_avro_memory_text(walk->memory, key->len + KEY_READABLE);
        if (copy == NULL)
            return slu_avro_walk_no_memory(walk);
        memset(copy, 0, key->len + KEY_READABLE);
        memcpy(copy, key->data, key->len);
        key->data = copy;
    }
    slu_avro_walk_put_text(walk, *key);
    return true;
}

static bool map_entries(struct slu_avro_walk *walk, const struct slu_avro_node *node,
                        unsigned depth, uint64_t count)
{
    struct slu_slice key;

    for (; count > 0; count--) {
        if (!slu_avro_walk_room(walk, 2) || !map_key(walk, &key))
            return false;
        if (!value(walk, node->first, depth))
            return step_out(walk, key, 0);
    }
    return true;
}

static bool map(struct slu_avro_walk *walk, const struct slu_avro_node *node, unsigned depth)
{
    struct slu_avro_memory *memory = walk->memory;
    const size_t index = slu_avro_walk_open(walk);
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
    slu_avro_walk_close(walk, index, SLU_VALUE_OBJECT, entries);
    switch (slu_shape_check_keys(&memory->shape, &memory->cells[index], &culprit)) {
    case SLU_PAYLOAD_OK:
        return true;
    case SLU_PAYLOAD_DUPLICATE_KEY:
        slu_avro_walk_fail(walk, SLU_PAYLOAD_AVRO_MALFORMED, walk->at,
                           "a key that its map already has");
        return step_out(walk, slu_value_text(culprit), 0);
    default:
        return slu_avro_walk_no_memory(walk);
    }
}

/* ---- any value --------------------------------------------------------------------------------------- */

/* The branch that comes next; NULL: none. */
static const struct slu_avro_node *branch(struct slu_avro_walk *walk,
                                          const struct slu_avro_node *node)
{
    const char *const from = walk->at;
    int64_t number;

    if (!slu_avro_walk_long(walk, &number))
        return NULL;
    if ((uint64_t)number < node->n)
        return &walk->schema->nodes[walk->schema->links[node->first + (uint64_t)number]];
    slu_avro_walk_fail(walk, SLU_PAYLOAD_AVRO_UNION, from, "a branch that the union has not");
    return NULL;
}

/* One value, whose cell has room. Only containers go deeper, so `depth` bounds the stack. */
static bool value(struct slu_avro_walk *walk, uint32_t index, unsigned depth)
{
    const struct slu_avro_node *node = &walk->schema->nodes[index];

    if (node->type == SLU_AVRO_UNION)
        node = branch(walk, node);
    if (node == NULL)
        return false;
    if (node->type != SLU_AVRO_RECORD && node->type != SLU_AVRO_ARRAY && node->type != SLU_AVRO_MAP)
        return slu_avro_walk_scalar(walk, node);
    if (depth == SLU_PAYLOAD_MAX_DEPTH)
        return slu_avro_walk_fail(walk, SLU_PAYLOAD_AVRO_DEPTH, walk->at, "nested too deep");
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
    struct slu_avro_walk walk = {
        .memory = memory,
        .schema = schema,
        .at = body.data,
        .end = body.data + body.len,
        .next = memory->cells,
        .body = body,
        .max_cells = FREE_CELLS + CELLS_PER_BYTE * body.len,
        .fault = fault,
    };

    slu_avro_memory_reset(memory);
    set_limit(&walk);
    if (!value(&walk, schema->root, 0))
        return NULL;
    if (walk.at == walk.end)
        return memory->cells;
    slu_avro_walk_fail(&walk, SLU_PAYLOAD_AVRO_TRAILING, walk.at, "bytes behind the value");
    return NULL;
}
