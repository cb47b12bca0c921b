/* avro_meaning.h -- an Avro schema read a second time, naively: the document, made a graph of types.
 *
 *   {"type":"array","items":["null","Node"]}      ARRAY ─▶ UNION ─┬▶ NULL
 *                                                                 └▶ RECORD Node ─▶ …
 *
 * For who wants to know what a message means without asking the code under test: who makes up messages
 * (random_avro.h), and who compares (avro_c_values.h). It believes what it reads: the schema was compiled
 * by others before. Knows those logical types that show in a value tree; the others are their numbers.
 */
#ifndef SLU_CONFORMANCE_AVRO_MEANING_H
#define SLU_CONFORMANCE_AVRO_MEANING_H

#include "base/arena.h"
#include "base/slice.h"
#include "validation/payload/value.h"

#include <stddef.h>
#include <stdint.h>

enum meaning_type {
    MEANS_NULL,
    MEANS_BOOLEAN,
    MEANS_INT,
    MEANS_LONG,
    MEANS_FLOAT,
    MEANS_DOUBLE,
    MEANS_BYTES,
    MEANS_STRING,
    MEANS_PRIMITIVES,
    MEANS_FIXED = MEANS_PRIMITIVES,
    MEANS_ENUM,
    MEANS_ARRAY,
    MEANS_MAP,
    MEANS_RECORD,
    MEANS_UNION,
    MEANS_TYPES,
};

extern const char *const meaning_names[MEANS_TYPES];

enum meaning_logical { LOGICAL_NONE, LOGICAL_DECIMAL, LOGICAL_UUID, LOGICAL_DURATION };

struct meaning {
    enum meaning_type type;
    enum meaning_logical logical;
    unsigned precision, scale; /* decimal */
    size_t size;               /* bytes of a fixed */
    struct slu_slice *names;   /* fields, symbols */
    struct meaning **parts;    /* fields, branches; one: the members of an array or map */
    size_t n;
    unsigned height;        /* containers and unions that a value has below each other at least */
    struct slu_slice full;  /* name of a named type */
    struct meaning *before; /* the named type defined before this one */
    struct meaning *made;   /* the type, whichever, made before this one */
};

/* A decimal of more digits is none (plan.h: what a message can make us compute has a bound). */
#define MEANING_MAX_PRECISION 1000

/* Lives in the arena, borrows the document's texts. NULL: it is no schema. `*made`: the type made last, the
 * others being behind it. */
const struct meaning *meaning_of(const struct slu_value *schema, struct slu_arena *arena,
                                 const struct meaning **made);

#endif
