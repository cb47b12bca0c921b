/* program.h -- the compiled form of a schema.
 *
 * Every subschema becomes a node; every keyword that asks something of a value becomes an op in its
 * node. A node holds one list of ops per kind of value, so that judging a string never looks at what
 * is said about objects; each list is sorted by cost, cheap and likely to fail first.
 *
 *   {"type": "object", "required": ["ts"], "additionalProperties": false, "properties": {
 *      "ts":   {"type": "integer", "minimum": 0},
 *      "site": {"enum": ["a", "b"]}}}
 *
 *   node 0   types: object
 *    ├ ops[OBJECT] ─▶ object walk ─▶ struct slu_object (object.c)
 *    │                                table  "ts"   ─▶ node 1, found bit 0
 *    │                                       "site" ─▶ node 2
 *    │                                required  bit 0         others ─▶ node 3
 *    └ ops[others]    none: `types` has said it all
 *   node 1   types: integer    quiet: integers, strictly between `above` and `below`
 *    └ ops[NUMBER] ─▶ minimum 0
 *   node 2   types: any
 *    └ ops[every kind] ─▶ enum ─▶ value set
 *   node 3   types: none       (`false`)
 *
 * The walk goes through the *instance* once and looks each key up in the node's table, so a message
 * costs what the message is long, however many properties are declared. The key that follows the
 * last one found is tried first: devices send their keys in the same order every time.
 *
 * `quiet` are the kinds of value that need no op at all as long as the node's guards hold: strictly
 * between two doubles, or a number of bytes that settles minLength and maxLength. Most properties of
 * most messages end there, without a call. What a guard cannot settle (a number that equals a bound
 * as a double, a length between bytes and code points) goes through the ops, which are exact; they
 * also tell what was wrong. A guard never fails a value.
 *
 * Drafts leave no trace here: what a keyword means in the draft of its resource was settled when its op
 * was made. A node knows its resource by number, for $dynamicRef and $recursiveRef:
 *
 *   document 0  {"$id": "https://plant/oven", …                resource 0   nodes 0, 1, 2
 *                 "$defs": {"unit": {"$id": "unit", …}}}        resource 1   node 4
 *   document 1  of the library, because of a $ref: "press"     resource 2   node 5
 *
 * Annotations. Only unevaluatedItems and unevaluatedProperties look at them, so they are kept as
 * one bit per member, and only where a node with such a keyword (`wants_seen`) is being judged: the
 * `seen` argument of the judging functions (NULL: nobody asks).
 *
 * Everything lies in one arena that the schema owns, beside the documents it was compiled from, its own
 * and those that it refers to: enum values, texts for violations and places point into those.
 *
 * Threads: never changes once compiled.
 */
#ifndef SLU_JSON_SCHEMA_PROGRAM_H
#define SLU_JSON_SCHEMA_PROGRAM_H

#include "base/arena.h"
#include "validation/payload/payload.h"
#include "validation/payload/value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slu_keyword;
struct slu_op;
struct slu_regex;
struct slu_run;
struct slu_seen;

/* Judge `value` by one op. A keyword that fails tells (slu_run_report) and returns false. */
typedef bool slu_keyword_judge(struct slu_run *run, const struct slu_op *op,
                               const struct slu_value *value, struct slu_seen *seen);

/* What the words of a schema mean. */
struct slu_dialect {
    uint8_t draft;        /* one bit of enum slu_schema_draft (schema.h) */
    uint8_t vocabularies; /* bits of enum slu_vocabulary: in use */
    bool asserts;         /* `format` is an assertion */
};

struct slu_op {
    slu_keyword_judge *judge;
    const struct slu_keyword *keyword; /* its row: code, sentence */
    const struct slu_value *raw;       /* the keyword's value, numbers as their text */
    union {
        const void *data; /* the keyword's own compiled form */
        const struct slu_node *node;
        uint64_t count; /* minLength, maxItems, … */
    };
};

struct slu_ops {
    const struct slu_op *at;
    size_t n;
};

#define SLU_KINDS 8 /* enum slu_value_kind is an index */

/* Sets of value variants: bit (tag & 0x1F), see value.h. */
#define SLU_VARIANTS(kind)                                                                     \
    (UINT32_C(1) << (kind) | UINT32_C(1) << ((kind) | 0x08) | UINT32_C(1) << ((kind) | 0x10) | \
     UINT32_C(1) << ((kind) | 0x18))
#define SLU_VARIANTS_INTEGER (UINT32_C(1) << SLU_VALUE_UINT | UINT32_C(1) << SLU_VALUE_SINT)
#define SLU_VARIANTS_ALL     UINT32_MAX

struct slu_node {
    uint32_t types;      /* variants that `type` allows at sight */
    uint32_t quiet;      /* variants that need nothing but the guards … */
    uint32_t free;       /* … and those that do not even need them */
    double above, below; /* guard: numbers strictly between them hold */
    size_t min_bytes;    /* guard: strings of so many bytes hold … */
    size_t max_bytes;    /* … up to so many */
    bool integer;        /* `type` allows numbers whose exact value is an integer … */
    bool as_written;     /* … and that are written as one (draft 4) */
    bool never;          /* the schema `false` */
    bool wants_seen;     /* has unevaluatedItems or unevaluatedProperties */
    bool careful;        /* wants_seen, or the program has a $dynamicRef: look at the scope */
    uint32_t resource;   /* whose dynamic anchors come into scope here */
    uint32_t index;      /* among the program's nodes */
    struct slu_ops ops[SLU_KINDS];
    const struct slu_value *raw_type; /* the value of `type`; NULL: none */
    const struct slu_value *raw;      /* the subschema itself */
};

/* One document that the schema was compiled from. The first is the schema's own text. */
struct slu_program_document {
    struct slu_document *document; /* owned */
    const char *source;            /* file, for places in errors */
    size_t n_cells;
};

/* A resource: for the places of output.c only. */
struct slu_program_resource {
    struct slu_slice uri;
    const struct slu_value *raw_root;
    struct slu_dialect dialect;
};

/* The compiled patterns, which do not live in the arena alone. */
struct slu_regex_list {
    struct slu_regex_list *next;
    struct slu_regex *regex; /* owned */
};

struct slu_schema {
    struct slu_arena arena;
    const char *name;
    const struct slu_node *root;
    struct slu_program_document *documents;
    size_t n_documents, room_documents;
    struct slu_program_resource *resources; /* by number; NULL unless compiled for output */
    struct slu_regex_list *regexes;         /* owned by them; freed with it */
};

/* For a number that is not big, or a string. */
static inline bool slu_node_guards_hold(const struct slu_node *node, const struct slu_value *value)
{
    const unsigned variant = slu_value_variant(value);
    double number;

    if (variant == SLU_VALUE_REAL) {
        number = value->f64;
    } else if ((variant & 0x07) == SLU_VALUE_STRING) {
        const size_t bytes = slu_value_len(value);
        return bytes >= node->min_bytes && bytes <= node->max_bytes;
    } else {
        number = (double)value->i64;
        if (value->i64 < 0 && variant == SLU_VALUE_UINT) /* 2^63 and above */
            return false;
    }
    return number > node->above && number < node->below;
}

/* True: `value` holds, and nothing has to be called to know it. The guards are for numbers and
 * strings; other kinds are either free of ops or not quiet. */
static inline bool slu_node_holds_at_sight(const struct slu_node *node,
                                           const struct slu_value *value)
{
    const uint8_t variant = slu_value_variant(value);
    if ((node->free >> variant & 1) != 0)
        return true;
    return (node->quiet >> variant & 1) != 0 && slu_node_guards_hold(node, value);
}

#endif
