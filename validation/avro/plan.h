/* plan.h -- an Avro schema, compiled: flat arrays that name each other by index, so that recursion is
 * a number like any other.
 *
 *   record Reading { string tag; union {null, double} value; }
 *
 *   nodes     0 RECORD fields 0…1    1 STRING    2 UNION branches 0…1    3 NULL    4 DOUBLE
 *   fields    0 "tag" → 1            1 "value" → 2
 *   links     0 → 3                  1 → 4
 *
 * A named type is one node however often it is referred to. The walker (walk.c), the encoder
 * (encode.c) and the canonical form (canonical.c) read plans; only compile.c writes them. Of a type
 * `logical` is what a value means; one whose parameters make no sense was ignored, as the
 * specification asks.
 *
 * Inside this room only. Threads: a finished plan never changes.
 */
#ifndef SLU_AVRO_PLAN_H
#define SLU_AVRO_PLAN_H

#include "base/arena.h"
#include "base/slice.h"
#include "validation/avro/schema.h"
#include "validation/payload/payload.h"

#include <stdbool.h>
#include <stdint.h>

enum slu_avro_type {
    SLU_AVRO_NULL,
    SLU_AVRO_BOOLEAN,
    SLU_AVRO_INT,
    SLU_AVRO_LONG,
    SLU_AVRO_FLOAT,
    SLU_AVRO_DOUBLE,
    SLU_AVRO_BYTES,
    SLU_AVRO_STRING,
    SLU_AVRO_PRIMITIVES, /* those above have no parts and no names */
    SLU_AVRO_FIXED = SLU_AVRO_PRIMITIVES,
    SLU_AVRO_ENUM,
    SLU_AVRO_ARRAY,
    SLU_AVRO_MAP,
    SLU_AVRO_RECORD,
    SLU_AVRO_UNION,
    SLU_AVRO_TYPES,
};

/* "null", "boolean", …; index by type. */
extern const char *const slu_avro_type_names[SLU_AVRO_TYPES];

enum slu_avro_logical {
    SLU_AVRO_PLAIN,
    SLU_AVRO_DECIMAL, /* bytes, fixed */
    SLU_AVRO_UUID,    /* string, fixed(16) */
    SLU_AVRO_DATE,    /* int: days since 1970-01-01 */
    SLU_AVRO_TIME_MILLIS,
    SLU_AVRO_TIME_MICROS,
    SLU_AVRO_TIMESTAMP_MILLIS,
    SLU_AVRO_TIMESTAMP_MICROS,
    SLU_AVRO_TIMESTAMP_NANOS,
    SLU_AVRO_LOCAL_MILLIS,
    SLU_AVRO_LOCAL_MICROS,
    SLU_AVRO_LOCAL_NANOS,
    SLU_AVRO_DURATION, /* fixed(12): months, days, milliseconds, each 32 bits, little endian */
    SLU_AVRO_LOGICALS,
};

/* "decimal", …; [SLU_AVRO_PLAIN] is NULL. */
extern const char *const slu_avro_logical_names[SLU_AVRO_LOGICALS];

/* Digits a decimal may have: bounds what a message's bytes can make us compute. */
#define SLU_AVRO_MAX_PRECISION 1000

/* A fixed of more bytes could not be in any message. */
#define SLU_AVRO_MAX_FIXED (64u << 20)

struct slu_avro_node {
    uint8_t type;    /* enum slu_avro_type */
    uint8_t logical; /* enum slu_avro_logical */
    uint8_t quick;   /* the type where a value is no more than that: a scalar that nothing has to be
                           looked into for, or a union; else SLU_AVRO_TYPES */
    uint16_t scale;  /* decimal */
    uint16_t precision; /* decimal */
    uint32_t n;         /* fields, branches, symbols; bytes of a fixed */
    uint32_t first;     /* in fields, links or symbols; array, map: the node of the members */
    uint32_t least;     /* bytes that a value takes at least */
    uint32_t only;      /* union: in `onlys` */
    const char *name;   /* full name of a named type, else NULL */
    const struct slu_value *place; /* where it stands in the document */
};

struct slu_avro_field {
    struct slu_slice name; /* eight bytes may be read from where it begins (value.h) */
    struct slu_value key;  /* the name as a cell of the value tree */
    uint64_t head;         /* its first eight bytes, 0 where it is shorter */
    uint64_t head_mask;    /* of those that it has, all bits */
    uint64_t tail;         /* its last eight bytes, where it has more than those */
    uint32_t node;
    uint8_t quick; /* of the node */
    bool has_default;
    const struct slu_value *default_value; /* in the document; NULL: none */
    struct slu_slice default_bytes;        /* its encoding, when has_default */
    const struct slu_value *place;
};

/* Of a union: the one branch that could take a JSON value of each kind (enum slu_value_kind). */
struct slu_avro_only {
    uint32_t branches[8];
};
#define SLU_AVRO_NOT_ONE UINT32_MAX /* none, or several: it depends on the value */

struct slu_avro_schema {
    char *name;
    char *source;
    struct slu_document *document; /* owned */
    struct slu_avro_node *nodes;
    struct slu_avro_field *fields;
    uint32_t *links; /* nodes of branches */
    struct slu_slice *symbols;
    struct slu_avro_only *onlys;
    uint32_t n_nodes, n_fields, n_links, n_symbols;
    uint32_t root;
    int64_t registry_id; /* -1: none */
    uint64_t fingerprint;
    struct slu_slice canonical;
    struct slu_arena arena;
};

#endif
