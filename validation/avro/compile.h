/* compile.h -- a schema while it is compiled: what compile.c (types), naming.c, logical.c, measure.c, quick.c
 * and defaults.c share. Inside this room only. */
#ifndef SLU_AVRO_COMPILE_H
#define SLU_AVRO_COMPILE_H

#include "validation/avro/names.h"
#include "validation/avro/plan.h"

#include "base/problems.h"

/* Nesting of a schema's document, and of the walk through its types. */
#define SLU_AVRO_COMPILE_MAX_DEPTH 200

/* Cells of a schema's document: bounds what a plan takes (some 200 bytes each). */
#define SLU_AVRO_MAX_CELLS (1u << 20)

struct slu_avro_compile {
    struct slu_avro_schema *schema;
    struct slu_problems *problems;
    struct slu_avro_names names;
    uint32_t primitives[SLU_AVRO_PRIMITIVES]; /* their plain nodes, plus 1; 0: none yet */
    struct slu_arena scratch;
    bool no_memory;
    bool wrong; /* an error was told */
};

/* Tell of an error or a warning at a value of the document. Always returns false. */
bool slu_avro_tell(struct slu_avro_compile *compile, const struct slu_value *at, const char *format,
                   ...) __attribute__((format(printf, 3, 4)));
void slu_avro_warn(struct slu_avro_compile *compile, const struct slu_value *at, const char *format,
                   ...) __attribute__((format(printf, 3, 4)));

/* What stands around a type. */
struct slu_avro_around {
    struct slu_slice space; /* the namespace; empty: none */
};

/* ---- small things ------------------------------------------------------------------------------------ */

static inline const struct slu_value *slu_avro_member(const struct slu_value *object,
                                                      const char *key)
{
    return slu_value_get(object, slu_slice_of(key));
}

static inline bool slu_avro_is_kind(const struct slu_value *value, enum slu_value_kind kind)
{
    return value != NULL && slu_value_kind(value) == kind;
}

/* Text of a problem is cut: a schema may name anything. */
static inline int slu_avro_shown(struct slu_slice text)
{
    return (int)(text.len < 80 ? text.len : 80);
}

static inline struct slu_avro_node *slu_avro_node_at(const struct slu_avro_compile *compile,
                                                     uint32_t index)
{
    return &compile->schema->nodes[index];
}

/* ---- names ------------------------------------------------------------------------------------------- */

/* The full name of `name` in a namespace, in the schema's arena; empty: no memory. */
struct slu_slice slu_avro_full_name(struct slu_avro_compile *compile, struct slu_slice name,
                                    struct slu_slice space);

/* Aliases only matter to who reads with another schema; here they must be names. */
void slu_avro_check_aliases(struct slu_avro_compile *compile, const struct slu_value *object,
                            bool dotted);

/* Give the node its full name, which must be free. `around` gets the namespace for what is inside. */
void slu_avro_name_node(struct slu_avro_compile *compile, const struct slu_value *object,
                        uint32_t index, struct slu_avro_around *around);

/* ---- step by step ------------------------------------------------------------------------------------ */

/* Document to nodes. False: problems were told, or there is no memory. */
bool slu_avro_compile_types(struct slu_avro_compile *compile);

/* The logicalType of `object`, whose type has become `node`; one that makes no sense is left out, with a
 * warning when it is one we know. */
void slu_avro_compile_logical(struct slu_avro_compile *compile, const struct slu_value *object,
                              struct slu_avro_node *node);

/* The nodes' `least`. False: a record contains itself, or there is no memory. */
bool slu_avro_compile_measure(struct slu_avro_compile *compile);

/* What walker and encoder know beforehand of a plan whose nodes are complete: `quick`, `key`, `only`.
 * False: no memory. */
bool slu_avro_compile_quick(struct slu_avro_compile *compile);

/* Check and encode every default; the nodes are complete. */
bool slu_avro_compile_defaults(struct slu_avro_compile *compile);

/* Fill in schema->canonical and fingerprint. False: no memory. */
bool slu_avro_compile_canonical(struct slu_avro_schema *schema);

/* Does Avro C take the text too? False: `why` says why not. It knows less than the specification
 * (bare types in an object, records of type "error"), so its no is no proof. */
bool slu_avro_second_opinion(struct slu_slice text, char *why, size_t why_size);

#endif
