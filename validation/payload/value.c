/* value.c -- what one can ask of a value tree beyond its inline alphabet: a member by key, the name
 * of a kind, and the tree as JSON text.
 *
 * Threads: pure.
 */
#include "validation/payload/value.h"

#include "base/json_text.h"

#include <inttypes.h>
#include <string.h>

/* Deepest tree that is written out; every reader of this room stays below it. */
#define WRITER_MAX_DEPTH 1024

static const char *const kind_names[8] = {
    [SLU_VALUE_BIG] = "number",    [SLU_VALUE_NULL] = "null",     [SLU_VALUE_BOOL] = "boolean",
    [SLU_VALUE_NUMBER] = "number", [SLU_VALUE_STRING] = "string", [SLU_VALUE_ARRAY] = "array",
    [SLU_VALUE_OBJECT] = "object",
};

const char *slu_value_kind_name(const struct slu_value *value)
{
    const char *name = kind_names[slu_value_kind(value)];
    return name != NULL ? name : "nothing";
}

/* Most keys differ in length already, so that is all that is looked at for most. */
static inline __attribute__((always_inline)) const struct slu_value *
find_member(const struct slu_value *at, const struct slu_value *end, struct slu_slice key,
            bool flat)
{
    for (; at != end; at = flat ? at + 2 : slu_value_next(at + 1))
        if (slu_value_len(at) == key.len && memcmp(at->text, key.data, key.len) == 0)
            return at + 1;
    return NULL;
}

const struct slu_value *slu_value_get(const struct slu_value *object, struct slu_slice key)
{
    if (object == NULL || slu_value_kind(object) != SLU_VALUE_OBJECT)
        return NULL;
    const struct slu_value *const first = slu_value_first(object);
    const struct slu_value *const end = slu_value_next(object);
    const struct slu_value *const end_if_flat = first + 2 * slu_value_len(object);
    if (key.len == 0)
        key.data = ""; /* memcmp wants a place even for nothing */
    /* Objects of scalars, where a member is two cells, and all others. */
    return end == end_if_flat ? find_member(first, end, key, true)
                              : find_member(first, end, key, false);
}

static bool add_number(const struct slu_value *value, struct slu_buf *out)
{
    switch (slu_value_variant(value)) {
    case SLU_VALUE_UINT:
        return slu_buf_printf(out, "%" PRIu64, value->u64);
    case SLU_VALUE_SINT:
        /* The text "-0" is read as a negative integer zero: its sign must not get lost. */
        if (value->i64 == 0)
            return slu_buf_add_text(out, "-0");
        return slu_json_text_int(out, value->i64);
    default:
        return slu_json_text_double(out, value->f64);
    }
}

/* A scalar, or an empty container. */
static bool add_leaf(const struct slu_value *value, struct slu_buf *out)
{
    switch (slu_value_kind(value)) {
    case SLU_VALUE_BIG:
        return slu_buf_add_slice(out, slu_value_text(value));
    case SLU_VALUE_BOOL:
        return slu_buf_add_text(out, slu_value_variant(value) == SLU_VALUE_TRUE ? "true" : "false");
    case SLU_VALUE_NUMBER:
        return add_number(value, out);
    case SLU_VALUE_STRING:
        return slu_json_text_string(out, slu_value_text(value));
    case SLU_VALUE_ARRAY:
        return slu_buf_add_text(out, "[]");
    case SLU_VALUE_OBJECT:
        return slu_buf_add_text(out, "{}");
    case SLU_VALUE_NULL:
        break;
    }
    return slu_buf_add_text(out, "null");
}

static bool is_object(const struct slu_value *value)
{
    return slu_value_kind(value) == SLU_VALUE_OBJECT;
}

bool slu_value_json(const struct slu_value *value, struct slu_buf *out)
{
    const struct slu_value *open[WRITER_MAX_DEPTH]; /* containers around `at`, outermost first */
    size_t depth = 0;

    for (const struct slu_value *at = value;;) {
        if (depth > 0 && is_object(open[depth - 1])) {
            slu_json_text_string(out, slu_value_text(at));
            slu_buf_add_char(out, ':');
            at++;
        }
        if (slu_value_is_container(at) && slu_value_len(at) != 0) {
            if (depth == WRITER_MAX_DEPTH || out->failed) {
                out->failed = true;
                return false;
            }
            slu_buf_add_char(out, is_object(at) ? '{' : '[');
            open[depth++] = at++;
            continue;
        }
        add_leaf(at++, out);
        while (depth > 0 && at == slu_value_next(open[depth - 1]))
            slu_buf_add_char(out, is_object(open[--depth]) ? '}' : ']');
        if (depth == 0 || out->failed)
            return !out->failed;
        slu_buf_add_char(out, ',');
    }
}
