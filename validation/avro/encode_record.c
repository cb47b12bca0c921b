/* encode_record.c -- an object becomes a record: field by field in the schema's order, missing ones from their
 * defaults. As most objects have their members in that order, the next key is mostly the one.
 */
#include "validation/avro/encode_quick.h"

/* The member `name`, looked for first where it should be; `*next` goes on behind it. */
static const struct slu_value *find_field(const struct slu_value *object, struct slu_slice name,
                                          const struct slu_value **next)
{
    const struct slu_value *value;

    if (*next != slu_value_next(object) && slu_slice_equal(slu_value_text(*next), name))
        value = *next + 1;
    else
        value = slu_value_get(object, name);
    if (value != NULL)
        *next = slu_value_next(value);
    return value;
}

static bool encode_missing(struct slu_avro_encoder *encoder, const struct slu_avro_field *field,
                           const struct slu_value *object)
{
    const struct slu_slice name = field->name;
    const int shown = (int)(name.len < 80 ? name.len : 80);

    if (field->has_default) {
        slu_buf_add_slice(encoder->out, field->default_bytes);
        return true;
    }
    if (field->default_value != NULL)
        return slu_avro_complain(encoder, SLU_PAYLOAD_AVRO_MALFORMED, object,
                                 "the default of the field %.*s would need itself", shown,
                                 name.data);
    return slu_avro_complain(encoder, SLU_PAYLOAD_AVRO_MALFORMED, object,
                             "the field %.*s is missing and has no default", shown, name.data);
}

static bool has_field(const struct slu_avro_encoder *encoder, const struct slu_avro_node *node,
                      struct slu_slice name)
{
    for (uint32_t i = 0; i < node->n; i++)
        if (slu_slice_equal(encoder->schema->fields[node->first + i].name, name))
            return true;
    return false;
}

static bool complain_unknown(struct slu_avro_encoder *encoder, const struct slu_avro_node *node,
                             const struct slu_value *object)
{
    const struct slu_value *key = slu_value_first(object);

    for (size_t n = slu_value_len(object); n > 0; n--, key = slu_value_next(key + 1))
        if (!has_field(encoder, node, slu_value_text(key)))
            return slu_avro_complain(encoder, SLU_PAYLOAD_AVRO_MALFORMED, key,
                                     "the record %.80s has no such field", node->name);
    return true;
}

/* Eight bytes may be read from where the member's key begins (value.h). */
SLU_AVRO_INLINE bool is_key(const struct slu_value *member, const struct slu_avro_field *field)
{
    const char *const text = member->text;
    const size_t len = field->name.len;

    if ((member->tag ^ field->key.tag) > 0xFF) /* of different lengths */
        return false;
    if (((slu_bytes_load8(text) ^ field->head) & field->head_mask) != 0)
        return false;
    if (len <= 8)
        return true;
    return len > 16 ? memcmp(text, field->name.data, len) == 0
                    : slu_bytes_load8(text + len - 8) == field->tail;
}

/* As many fields from `field` on as are plain, right, have room and are the object's next members, `*member`
 * first, which then is the one behind them. */
SLU_AVRO_INLINE const struct slu_avro_field *encode_run(struct slu_avro_encoder *encoder,
                                                        const struct slu_avro_field *field,
                                                        size_t n, const struct slu_value *behind,
                                                        const struct slu_value **member)
{
    const struct slu_value *at = *member;
    struct slu_avro_run run;
    const size_t members = (size_t)(behind - at) / 2; /* at most: a scalar is one cell */
    const size_t most = slu_avro_quick_begin(encoder, n < members ? n : members, &run);
    const struct slu_avro_field *const stop = field + most;

    if (most == 0)
        return field;
    char *out = encoder->out->data + encoder->out->len;
    for (; field != stop && is_key(at, field); field++, at += 2) {
        char *next = slu_avro_quick_add(&run, out, field, &at[1]);
        if (next == NULL)
            break;
        out = next;
    }
    slu_avro_quick_finish(encoder, out, most - (size_t)(stop - field));
    *member = at;
    return field;
}

bool slu_avro_encode_record(struct slu_avro_encoder *encoder, const struct slu_avro_node *node,
                            const struct slu_value *object)
{
    const struct slu_avro_field *field = encoder->schema->fields + node->first;
    const struct slu_avro_field *const end = field + node->n;
    const struct slu_value *next = slu_value_first(object);
    size_t missing = 0;

    if (slu_value_kind(object) != SLU_VALUE_OBJECT)
        return slu_avro_wrong_kind(encoder, object, "an object");
    for (;;) {
        field = encode_run(encoder, field, (size_t)(end - field), slu_value_next(object), &next);
        if (field == end)
            break;
        const struct slu_value *value = find_field(object, field->name, &next);
        if (value == NULL ? !encode_missing(encoder, field, object)
                          : !slu_avro_encode_value(encoder, field->node, value))
            return false;
        missing += value == NULL;
        field++;
    }
    return node->n - missing == slu_value_len(object) || encoder->options->drop_unknown ||
           complain_unknown(encoder, node, object);
}
