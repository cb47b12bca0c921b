/* properties.h -- the MQTT v5 properties of a publish, packed into bytes as the spool keeps them.
 *
 *   property := u8 kind, u16 name_len (LE), name, u16 value_len (LE), value
 *
 * Only a user property has a name. Values of the other kinds are their bytes: text for content type
 * and response topic, raw for correlation data, one byte ('0' or '1') for payload format indicator.
 */
#ifndef SLU_BASE_PROPERTIES_H
#define SLU_BASE_PROPERTIES_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define SLU_PROPERTIES_MAX_BYTES 65536u /* all of one publish; beyond it the rest is left out */

enum slu_property_kind {
    SLU_PROPERTY_USER = 1,
    SLU_PROPERTY_CONTENT_TYPE = 2,
    SLU_PROPERTY_RESPONSE_TOPIC = 3,
    SLU_PROPERTY_CORRELATION_DATA = 4,
    SLU_PROPERTY_PAYLOAD_FORMAT = 5,
};

struct slu_property {
    enum slu_property_kind kind;
    struct slu_slice name; /* user property: its name; else empty */
    struct slu_slice value;
};

/* Pack one. False when it does not fit `out` or is none of the above (nothing is added then, and a
 * reached ceiling does not set `failed`). */
bool slu_properties_add(struct slu_buf *out, enum slu_property_kind kind, struct slu_slice name,
                        struct slu_slice value);

/* Walk: `*at` starts at 0. Returns false at the end, or at the first byte that makes no sense;
 * `*at` equals the length only at the end. */
bool slu_properties_next(struct slu_slice packed, size_t *at, struct slu_property *property);

#endif
