/* naive_inside.h -- what the files of the naive evaluator share. */
#ifndef SLU_CONFORMANCE_NAIVE_INSIDE_H
#define SLU_CONFORMANCE_NAIVE_INSIDE_H

#include "base/arena.h"
#include "tests/conformance/naive.h"

#include <gmp.h>
#include <stddef.h>
#include <string.h>

struct naive_dialect {
    enum naive_draft draft;
    bool applicator, unevaluated, validation; /* vocabularies in use */
};

/* A schema with a URI of its own. */
struct naive_resource {
    const char *uri; /* absolute, no fragment */
    const struct slu_value *root;
    struct naive_dialect dialect;
};

struct naive_anchor {
    size_t resource;
    struct slu_slice name;
    const struct slu_value *target;
    bool dynamic;
};

#define NAIVE_MAX_RESOURCES 2000
#define NAIVE_MAX_ANCHORS   2000

struct naive {
    enum naive_draft draft;
    struct slu_arena kept;   /* URIs of the documents */
    struct slu_arena opened; /* URIs of the opened schema */
    struct slu_arena *arena; /* where URIs go at the moment */
    struct naive_resource resources[NAIVE_MAX_RESOURCES];
    struct naive_anchor anchors[NAIVE_MAX_ANCHORS];
    size_t n_resources, n_anchors;
    size_t kept_resources, kept_anchors; /* of documents; those behind are the opened schema's */
    const struct slu_value *schema;
};

/* naive_uri.c: RFC 3986 §5.2. Terminated, in the arena. */
char *naive_uri_resolve(struct slu_arena *arena, const char *base, struct slu_slice reference);
char *naive_percent_decode(struct slu_arena *arena, const char *text);

/* naive_load.c */
#define NAIVE_NONE SIZE_MAX
size_t naive_resource_at(const struct naive *naive, const struct slu_value *root);
size_t naive_resource_named(const struct naive *naive, const char *uri);

/* Where a reference leads: the schema, the resource it lies in, and the anchor that was named. */
struct naive_target {
    const struct slu_value *schema; /* NULL: nowhere */
    size_t resource;
    const struct naive_anchor *anchor; /* NULL: none was named */
};
struct naive_target naive_resolve(struct naive *naive, struct slu_arena *arena, size_t from,
                                  struct slu_slice reference);
const struct naive_anchor *naive_anchor_find(const struct naive *naive, size_t resource,
                                             struct slu_slice name);

/* naive_value.c. False: it has too many digits. Initialises `number` in any case. */
bool naive_number(mpq_t number, const struct slu_value *value);

/* Does the ECMA-262 pattern match somewhere? */
bool naive_matches(struct slu_slice pattern, struct slu_slice text, bool *gave_up);

static inline const struct slu_value *naive_member(const struct slu_value *object, const char *name)
{
    return slu_value_get(object, slu_slice_of(name));
}

static inline bool naive_is(const struct slu_value *value, enum slu_value_kind kind)
{
    return value != NULL && slu_value_kind(value) == kind;
}

static inline bool naive_is_true(const struct slu_value *value)
{
    return naive_is(value, SLU_VALUE_BOOL) && slu_value_variant(value) == SLU_VALUE_TRUE;
}

/* naive.c: the schemas in which a judgement lies, and what they have seen of the value. */
struct scope {
    const struct scope *outer;
    size_t resource;
};

struct seen {
    bool *members; /* by number of property or item */
    size_t n;
};

struct run {
    struct naive *naive;
    struct slu_arena arena; /* of one judgement */
    unsigned depth, steps;
    bool gave_up;
};

/* One schema at one value. */
struct here {
    struct run *run;
    const struct slu_value *schema; /* an object */
    const struct slu_value *value;
    struct scope scope;
    struct naive_dialect dialect;
    struct seen seen;
};

/* A subschema for the same value: what it has seen counts if it holds. */
bool naive_in_place(struct here *here, const struct slu_value *schema);

/* A subschema for a member or item. */
bool naive_inside(struct here *here, const struct slu_value *schema, const struct slu_value *value);

static inline const struct slu_value *naive_sibling(const struct here *here, const char *name)
{
    return naive_member(here->schema, name);
}

/* naive_assert.c: `count` against a keyword's number. */
int naive_compare_count(struct here *here, size_t count, const struct slu_value *value);

/* The keywords: does the value hold by this one, whose own value is `value`? */
typedef bool naive_keyword(struct here *here, const struct slu_value *value);
naive_keyword naive_type, naive_one_of_these, naive_constant, naive_multiple_of, naive_maximum,
    naive_minimum, naive_exclusive_maximum, naive_exclusive_minimum, naive_max_length,
    naive_min_length, naive_pattern, naive_max_items, naive_min_items, naive_unique_items,
    naive_max_properties, naive_min_properties, naive_required, naive_dependencies,
    naive_properties, naive_pattern_properties, naive_additional_properties, naive_property_names,
    naive_prefix_items, naive_items, naive_additional_items, naive_contains,
    naive_unevaluated_items, naive_unevaluated_properties;

#endif
