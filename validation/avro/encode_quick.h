/* encode_quick.h -- runs of plain values on their way to bytes: scalars of JSON that are just what their field
 * wants. It is to the encoder what walk_quick.c is to the walker: it never complains. What is not plain, does
 * not fit or has no room ends the run in front of it, and encode.c takes it with all the care and every
 * reason. Where the next byte goes stays in a register: so all of this is inline, for records and for arrays.
 * Inside this room only.
 */
#ifndef SLU_AVRO_ENCODE_QUICK_H
#define SLU_AVRO_ENCODE_QUICK_H

#include "validation/avro/encode_inside.h"
#include "validation/avro/varint.h"

#include <float.h>
#include <math.h>

/* Bytes that a value takes at most, a string's own apart, and those that may be written behind the last. */
#define SLU_AVRO_VALUE_ROOM 16
#define SLU_AVRO_SLACK      32

/* A run asks for so much at least, where the buffer may grow. */
#define SLU_AVRO_RUN_ROOM 512

#define SLU_AVRO_INLINE static inline __attribute__((always_inline))

struct slu_avro_run {
    const struct slu_avro_schema *schema;
    size_t spare; /* bytes left for strings */
    bool natural;
};

/* Each of these writes a value at `out` and returns where it ends; NULL: not here. */

SLU_AVRO_INLINE char *slu_avro_quick_integer(char *out, const struct slu_value *value, bool is_int)
{
    uint64_t bits = value->u64 << 1;

    if (slu_value_variant(value) == SLU_VALUE_SINT)
        bits = slu_avro_zigzag(value->i64);
    else if (slu_value_variant(value) != SLU_VALUE_UINT || value->i64 < 0)
        return NULL;
    return is_int && bits > UINT32_MAX ? NULL : slu_avro_varint_write(out, bits);
}

SLU_AVRO_INLINE double slu_avro_quick_real(const struct slu_value *value)
{
    if (__builtin_expect(slu_value_variant(value) == SLU_VALUE_REAL, 1))
        return value->f64;
    if (slu_value_variant(value) == SLU_VALUE_UINT)
        return (double)value->u64;
    return slu_value_variant(value) == SLU_VALUE_SINT ? (double)value->i64 : (double)INFINITY;
}

SLU_AVRO_INLINE char *slu_avro_quick_double(char *out, const struct slu_value *value)
{
    const double real = slu_avro_quick_real(value);

    memcpy(out, &real, sizeof(real));
    return fabs(real) <= DBL_MAX ? out + sizeof(real) : NULL;
}

SLU_AVRO_INLINE char *slu_avro_quick_float(char *out, const struct slu_value *value)
{
    const double real = slu_avro_quick_real(value);

    if (!(fabs(real) <= (double)FLT_MAX)) /* or no number */
        return NULL;
    const float narrow = (float)real;
    memcpy(out, &narrow, sizeof(narrow));
    return out + sizeof(narrow);
}

/* What memcpy() does, without the call, which short texts feel. */
SLU_AVRO_INLINE void slu_avro_quick_copy(char *out, const char *text, size_t len)
{
    if (len > 256) {
        memcpy(out, text, len);
    } else if (len >= 16) {
        const char *const last = text + len - 16;
        for (char *to = out; text < last; text += 16, to += 16)
            memcpy(to, text, 16);
        memcpy(out + len - 16, last, 16);
    } else if (len >= 8) {
        const uint64_t head = slu_bytes_load8(text), tail = slu_bytes_load8(text + len - 8);
        memcpy(out, &head, sizeof(head));
        memcpy(out + len - 8, &tail, sizeof(tail));
    } else if (len >= 4) {
        const uint32_t head = slu_bytes_load4(text), tail = slu_bytes_load4(text + len - 4);
        memcpy(out, &head, sizeof(head));
        memcpy(out + len - 4, &tail, sizeof(tail));
    } else if (len > 0) {
        const char middle = text[len / 2], tail = text[len - 1];
        out[0] = text[0];
        out[len / 2] = middle;
        out[len - 1] = tail;
    }
}

SLU_AVRO_INLINE char *slu_avro_quick_string(struct slu_avro_run *run, char *out,
                                            const struct slu_value *value)
{
    const size_t len = slu_value_len(value);

    if (slu_value_kind(value) != SLU_VALUE_STRING || len > run->spare)
        return NULL;
    run->spare -= len;
    out = slu_avro_varint_write(out, (uint64_t)len << 1);
    slu_avro_quick_copy(out, value->text, len);
    return out + len;
}

SLU_AVRO_INLINE char *slu_avro_quick_enum(const struct slu_avro_run *run, char *out,
                                          const struct slu_avro_node *node,
                                          const struct slu_value *value)
{
    const struct slu_slice *symbol = run->schema->symbols + node->first;
    const size_t len = slu_value_len(value);

    if (slu_value_kind(value) != SLU_VALUE_STRING)
        return NULL;
    for (uint32_t i = 0; i < node->n; i++)
        if (symbol[i].len == len && slu_bytes_equal(symbol[i].data, value->text, len))
            return slu_avro_varint_write(out, (uint64_t)i << 1);
    return NULL;
}

/* Of the field only `node` and `quick` are looked at. */
SLU_AVRO_INLINE char *slu_avro_quick_add(struct slu_avro_run *run, char *out,
                                         const struct slu_avro_field *field,
                                         const struct slu_value *value)
{
    const struct slu_avro_node *node = NULL; /* the branch */
    uint8_t quick = field->quick;
    uint32_t branch;

    for (;;) {
        switch ((enum slu_avro_type)quick) {
        case SLU_AVRO_NULL:
            return slu_value_kind(value) == SLU_VALUE_NULL ? out : NULL;
        case SLU_AVRO_BOOLEAN:
            *out = slu_value_variant(value) == SLU_VALUE_TRUE;
            return slu_value_kind(value) == SLU_VALUE_BOOL ? out + 1 : NULL;
        case SLU_AVRO_INT:
            return slu_avro_quick_integer(out, value, true);
        case SLU_AVRO_LONG:
            return slu_avro_quick_integer(out, value, false);
        case SLU_AVRO_FLOAT:
            return slu_avro_quick_float(out, value);
        case SLU_AVRO_DOUBLE:
            return slu_avro_quick_double(out, value);
        case SLU_AVRO_STRING:
            return slu_avro_quick_string(run, out, value);
        case SLU_AVRO_ENUM:
            return slu_avro_quick_enum(
                run, out, node != NULL ? node : &run->schema->nodes[field->node], value);
        case SLU_AVRO_UNION: /* of which no branch is one */
            node = &run->schema->nodes[field->node];
            branch = run->schema->onlys[node->only].branches[slu_value_kind(value)];
            if (!run->natural || branch == SLU_AVRO_NOT_ONE)
                return NULL;
            out = slu_avro_varint_write(out, (uint64_t)branch << 1);
            node = &run->schema->nodes[run->schema->links[node->first + branch]];
            quick = node->quick;
            continue;
        case SLU_AVRO_BYTES:
        case SLU_AVRO_FIXED:
        case SLU_AVRO_ARRAY:
        case SLU_AVRO_MAP:
        case SLU_AVRO_RECORD:
        case SLU_AVRO_TYPES:
            return NULL;
        }
        __builtin_unreachable(); /* quick.c gives no other */
    }
}

/* How many of `n` values there is room and are steps for; 0: no run can be. */
SLU_AVRO_INLINE size_t slu_avro_quick_begin(struct slu_avro_encoder *encoder, size_t n,
                                            struct slu_avro_run *run)
{
    struct slu_buf *out = encoder->out;
    const size_t wanted = n * SLU_AVRO_VALUE_ROOM + SLU_AVRO_RUN_ROOM;

    if (encoder->steps <= n || out->failed)
        return 0;
    if (out->cap - out->len < wanted && out->max - out->len >= wanted &&
        slu_buf_room(out, wanted) == NULL)
        return 0;
    if (out->cap - out->len <= SLU_AVRO_SLACK)
        return 0;
    const size_t room = out->cap - out->len - SLU_AVRO_SLACK;
    if (n > room / SLU_AVRO_VALUE_ROOM)
        n = room / SLU_AVRO_VALUE_ROOM;
    run->schema = encoder->schema;
    run->spare = room - n * SLU_AVRO_VALUE_ROOM;
    run->natural = encoder->options->dialect == SLU_AVRO_NATURAL;
    return n;
}

/* `n` values end at `end`. */
SLU_AVRO_INLINE void slu_avro_quick_finish(struct slu_avro_encoder *encoder, char *end, size_t n)
{
    encoder->steps -= n;
    encoder->out->len = (size_t)(end - encoder->out->data);
    *end = '\0';
}

#endif
