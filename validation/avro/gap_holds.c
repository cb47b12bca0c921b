/* gap_holds.c -- can a node hold all values of one kind that a place of a JSON Schema allows?
 */
#include "validation/avro/gap_inside.h"

#include <math.h>

const struct slu_value *slu_avro_gap_get(const struct slu_value *place, const char *key)
{
    return slu_value_kind(place) == SLU_VALUE_OBJECT ? slu_value_get(place, slu_slice_of(key))
                                                     : NULL;
}

bool slu_avro_gap_has_any(const struct slu_value *place, const char *const *keywords, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (slu_avro_gap_get(place, keywords[i]) != NULL)
            return true;
    return false;
}

static double bound(const struct slu_value *place, const char *key, const char *exclusive,
                    double none)
{
    const struct slu_value *value = slu_avro_gap_get(place, key);

    if (value == NULL)
        value = slu_avro_gap_get(place, exclusive);
    return value != NULL && slu_value_is_number(value) ? slu_avro_nearest(value) : none;
}

static bool is_within_int(const struct slu_value *place)
{
    return bound(place, "minimum", "exclusiveMinimum", -INFINITY) >= -2147483648.0 &&
           bound(place, "maximum", "exclusiveMaximum", INFINITY) <= 2147483647.0;
}

static enum slu_avro_gap_answer holds_number(const struct slu_value *place,
                                             const struct slu_avro_node *node, bool is_whole)
{
    if (node->logical == SLU_AVRO_DECIMAL)
        return UNSURE;
    switch (node->type) {
    case SLU_AVRO_FLOAT:
    case SLU_AVRO_DOUBLE:
        return HOLDS;
    case SLU_AVRO_INT:
        if (is_whole)
            return is_within_int(place) ? HOLDS : GAP;
        return slu_avro_gap_get(place, "multipleOf") != NULL ? UNSURE : GAP;
    case SLU_AVRO_LONG:
        if (is_whole)
            return HOLDS;
        return slu_avro_gap_get(place, "multipleOf") != NULL ? UNSURE : GAP;
    default:
        return GAP;
    }
}

static enum slu_avro_gap_answer holds_string(const struct slu_value *place,
                                             const struct slu_avro_node *node)
{
    const bool is_bounded =
        HAS_ANY(place, "pattern", "format", "maxLength", "contentEncoding", "contentMediaType");

    if (node->type == SLU_AVRO_STRING && node->logical != SLU_AVRO_UUID)
        return HOLDS;
    switch (node->type) {
    case SLU_AVRO_NULL:
    case SLU_AVRO_BOOLEAN:
    case SLU_AVRO_ARRAY:
    case SLU_AVRO_MAP:
    case SLU_AVRO_RECORD:
        return GAP;
    case SLU_AVRO_INT:
    case SLU_AVRO_LONG:
        return node->logical == SLU_AVRO_PLAIN || !is_bounded ? GAP : UNSURE;
    default:
        return is_bounded ? UNSURE : GAP;
    }
}

enum slu_avro_gap_answer slu_avro_gap_holds(const struct slu_value *place,
                                            const struct slu_avro_node *node, unsigned kind)
{
    switch (kind) {
    case GAP_NULL:
        return node->type == SLU_AVRO_NULL ? HOLDS : GAP;
    case GAP_BOOL:
        return node->type == SLU_AVRO_BOOLEAN ? HOLDS : GAP;
    case GAP_WHOLE:
    case GAP_NUMBER:
        return holds_number(place, node, kind == GAP_WHOLE);
    case GAP_STRING:
        return holds_string(place, node);
    case GAP_ARRAY:
        return node->logical == SLU_AVRO_DURATION ? UNSURE
               : node->type == SLU_AVRO_ARRAY     ? HOLDS
                                                  : GAP;
    default:
        return node->type == SLU_AVRO_RECORD || node->type == SLU_AVRO_MAP ? HOLDS : GAP;
    }
}
