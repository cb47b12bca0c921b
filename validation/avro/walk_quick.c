/* walk_quick.c -- runs of plain values, which is what most messages are made of: no logical type that needs
 * looking into, no container, nothing wrong.
 *
 * It never tells of a fault. A value that is not plain, that does not hold or that has no room ends the run
 * in front of it, and walk.c reads it once more, with all the care and every reason there is. So what a
 * message means is said in one place only; here it is said how most of it is read fast: where it is and
 * where the next cell goes stays in registers from value to value.
 */
#include "validation/avro/varint.h"
#include "validation/avro/walk_inside.h"

#define EXPONENT UINT64_C(0x7FF0000000000000)

#define INLINE static inline __attribute__((always_inline))

/* A message, and what it is read with. */
struct run {
    const char *end;
    const struct slu_avro_node *nodes;
    const uint32_t *links;
    const struct slu_slice *symbols;
};

static struct run run_of(const struct slu_avro_walk *walk)
{
    const struct slu_avro_schema *schema = walk->schema;
    return (struct run){walk->end, schema->nodes, schema->links, schema->symbols};
}

/* Each of these reads a value at `at` into a cell and returns where it ends; NULL: not here, and the cell
 * means nothing. */

INLINE const char *put_integer(struct slu_value *cell, uint64_t bits, const char *behind)
{
    const int64_t number = slu_avro_unzigzag(bits);
    _Static_assert(SLU_VALUE_SINT - SLU_VALUE_UINT == 1 << 3, "the variant of a negative number");
    *cell = (struct slu_value){.tag = SLU_VALUE_UINT | (bits & 1) << 3, .i64 = number};
    return behind;
}

INLINE const char *put_real(struct slu_value *cell, double number, const char *behind)
{
    uint64_t bits;

    memcpy(&bits, &number, sizeof(bits));
    *cell = (struct slu_value){.tag = SLU_VALUE_REAL, .u64 = bits};
    return (bits & EXPONENT) != EXPONENT ? behind : NULL;
}

INLINE const char *put_string(const struct run *run, const char *at, struct slu_value *cell,
                              bool is_text)
{
    uint64_t bits;

    at = slu_avro_varint_read(at, run->end, &bits);
    if (at == NULL || (bits & 1) != 0 || bits >> 1 > (uint64_t)(run->end - at))
        return NULL;
    const size_t len = (size_t)(bits >> 1);
    *cell = (struct slu_value){.tag = SLU_VALUE_STRING | (uint64_t)len << 8, .text = at};
    if (slu_avro_is_ascii(at, len, run->end) || (is_text && slu_utf8_valid(at, len)))
        return at + len;
    return NULL;
}

INLINE const char *put_value(const struct run *run, const char *at, uint8_t quick, uint32_t index,
                             struct slu_value *cell)
{
    const struct slu_avro_node *node;
    struct slu_slice symbol;
    uint64_t bits;
    double real;
    float narrow;

    for (;;) {
        switch ((enum slu_avro_type)quick) {
        case SLU_AVRO_NULL:
            *cell = (struct slu_value){.tag = SLU_VALUE_NULL};
            return at;
        case SLU_AVRO_BOOLEAN:
            if (at == run->end || (uint8_t)*at > 1)
                return NULL;
            _Static_assert(SLU_VALUE_TRUE - SLU_VALUE_FALSE == 1 << 3, "the variant of true");
            *cell = (struct slu_value){.tag = SLU_VALUE_FALSE | (uint64_t)(uint8_t)*at << 3};
            return at + 1;
        case SLU_AVRO_INT:
            at = slu_avro_varint_read(at, run->end, &bits);
            return at != NULL && bits <= UINT32_MAX ? put_integer(cell, bits, at) : NULL;
        case SLU_AVRO_LONG:
            at = slu_avro_varint_read(at, run->end, &bits);
            return at != NULL ? put_integer(cell, bits, at) : NULL;
        case SLU_AVRO_FLOAT:
            if (run->end - at < (ptrdiff_t)sizeof(narrow))
                return NULL;
            memcpy(&narrow, at, sizeof(narrow));
            return put_real(cell, (double)narrow, at + sizeof(narrow));
        case SLU_AVRO_DOUBLE:
            if (run->end - at < (ptrdiff_t)sizeof(real))
                return NULL;
            memcpy(&real, at, sizeof(real));
            return put_real(cell, real, at + sizeof(real));
        case SLU_AVRO_BYTES:
            return put_string(run, at, cell, false);
        case SLU_AVRO_STRING:
            return put_string(run, at, cell, true);
        case SLU_AVRO_ENUM:
            node = &run->nodes[index];
            at = slu_avro_varint_read(at, run->end, &bits);
            if (at == NULL || (bits & 1) != 0 || bits >> 1 >= node->n)
                return NULL;
            symbol = run->symbols[node->first + (bits >> 1)];
            *cell = (struct slu_value){.tag = SLU_VALUE_STRING | (uint64_t)symbol.len << 8,
                                       .text = symbol.data};
            return at;
        case SLU_AVRO_UNION: /* of which no branch is one */
            node = &run->nodes[index];
            at = slu_avro_varint_read(at, run->end, &bits);
            if (at == NULL || (bits & 1) != 0 || bits >> 1 >= node->n)
                return NULL;
            index = run->links[node->first + (bits >> 1)];
            quick = run->nodes[index].quick;
            continue;
        default:
            return NULL;
        }
    }
}

const struct slu_avro_field *slu_avro_walk_fields(struct slu_avro_walk *walk,
                                                  const struct slu_avro_field *field,
                                                  const struct slu_avro_field *end)
{
    const struct run run = run_of(walk);
    const ptrdiff_t room = (walk->limit - walk->next) / 2;
    const struct slu_avro_field *const stop = end - field <= room ? end : field + room;
    struct slu_value *cell = walk->next;
    const char *at = walk->at;

    for (; field != stop; field++, cell += 2) {
        cell[0] = field->key;
        const char *behind = put_value(&run, at, field->quick, field->node, &cell[1]);
        if (behind == NULL)
            break;
        at = behind;
    }
    walk->at = at;
    walk->next = cell;
    return field;
}

uint64_t slu_avro_walk_items(struct slu_avro_walk *walk, uint32_t node, uint64_t n)
{
    const struct run run = run_of(walk);
    const uint8_t quick = walk->schema->nodes[node].quick;
    const uint64_t room = (uint64_t)(walk->limit - walk->next);
    struct slu_value *const first = walk->next;
    struct slu_value *const stop = first + (n < room ? n : room);
    struct slu_value *cell = first;
    const char *at = walk->at;

    for (; cell != stop; cell++) {
        const char *behind = put_value(&run, at, quick, node, cell);
        if (behind == NULL)
            break;
        at = behind;
    }
    walk->at = at;
    walk->next = cell;
    return (uint64_t)(cell - first);
}
