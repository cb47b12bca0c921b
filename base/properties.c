/* properties.c -- see properties.h for how they are packed.
 *
 *   │ kind │ name_len  │ name … │ value_len │ value … │
 *     1      2 LE                 2 LE
 *
 * A property is judged by the same law when it is packed and when it is read: what comes back from
 * a disk is as little trusted as what comes from a client.
 */
#include "base/properties.h"

#define FIXED_BYTES 5u /* kind and two lengths */

static bool is_sound(const struct slu_property *property)
{
    if (property->name.len > UINT16_MAX || property->value.len > UINT16_MAX)
        return false;

    switch (property->kind) {
    case SLU_PROPERTY_USER:
        return true;
    case SLU_PROPERTY_CONTENT_TYPE:
    case SLU_PROPERTY_RESPONSE_TOPIC:
    case SLU_PROPERTY_CORRELATION_DATA:
        return property->name.len == 0;
    case SLU_PROPERTY_PAYLOAD_FORMAT:
        return property->name.len == 0 && property->value.len == 1 &&
               (property->value.data[0] == '0' || property->value.data[0] == '1');
    }
    return false; /* a kind of a later time */
}

static void add_counted(struct slu_buf *out, struct slu_slice text)
{
    slu_buf_add(
        out, (const unsigned char[]){(unsigned char)text.len, (unsigned char)(text.len >> 8)}, 2);
    slu_buf_add_slice(out, text);
}

bool slu_properties_add(struct slu_buf *out, enum slu_property_kind kind, struct slu_slice name,
                        struct slu_slice value)
{
    const struct slu_property property = {kind, name, value};
    if (!is_sound(&property))
        return false;

    /* All or nothing: the room is taken first, and too little of it is no failure. */
    const size_t bytes = FIXED_BYTES + name.len + value.len;
    if (out->failed || bytes > out->max - out->len || slu_buf_room(out, bytes) == NULL)
        return false;
    slu_buf_add_char(out, (char)kind);
    add_counted(out, name);
    add_counted(out, value);
    return true;
}

/* A counted text at `*at`, which moves behind it. */
static bool take_counted(struct slu_slice packed, size_t *at, struct slu_slice *text)
{
    if (packed.len - *at < 2)
        return false;
    const unsigned char *count = (const unsigned char *)packed.data + *at;
    const size_t len = (size_t)count[0] | (size_t)count[1] << 8;
    if (packed.len - *at - 2 < len)
        return false;
    *text = slu_slice(packed.data + *at + 2, len);
    *at += 2 + len;
    return true;
}

bool slu_properties_next(struct slu_slice packed, size_t *at, struct slu_property *property)
{
    if (*at >= packed.len)
        return false;

    struct slu_property next = {.kind = (enum slu_property_kind)(unsigned char)packed.data[*at]};
    size_t behind = *at + 1;
    if (!take_counted(packed, &behind, &next.name) || !take_counted(packed, &behind, &next.value) ||
        !is_sound(&next))
        return false;
    *property = next;
    *at = behind;
    return true;
}
