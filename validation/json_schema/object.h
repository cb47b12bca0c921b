/* object.h -- the compiled form of the walk over an object's members: object_compile.c makes it,
 * object.c judges by it.
 *
 * One op does all of properties, patternProperties, additionalProperties, propertyNames, required,
 * dependentRequired, dependentSchemas and dependencies: the members of the instance are walked once,
 * each key is looked up in the table of all names that any of the keywords mentions, and what has to be
 * known afterwards (required and the triggers of dependencies) is one bit per such name:
 *
 *   found    1 1 0 1 | 0 …
 *   required 1 1 1 1   all set?      bits 0 … n_required-1
 *   others             dependencies  then the other names that a dependency mentions
 *
 * Keys are unique: the reader saw to that, or left the payload's root to us (payload.h, "unproved").
 * Keys that come in the order of the table are different; and where 64 bits suffice every declared name
 * gets one: as many bits as members says the same. Both are cheaper to see here than there.
 */
#ifndef SLU_JSON_SCHEMA_OBJECT_H
#define SLU_JSON_SCHEMA_OBJECT_H

#include "validation/json_schema/property_table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slu_keyword;
struct slu_regex;

struct slu_object_pattern {
    const struct slu_regex *regex;
    const struct slu_node *node;
};

/* Once `trigger` was found: these must be too, and the object must hold by `node`. */
struct slu_object_dependency {
    uint32_t trigger;
    size_t n_needs;
    const uint32_t *needs; /* entries */
    const struct slu_node *node;
    const struct slu_keyword *row; /* that asks for it */
};

struct slu_object {
    struct slu_property_table table;
    uint32_t n_required;
    uint32_t n_bits;
    bool plain; /* no patterns, no names */
    size_t n_patterns;
    struct slu_object_pattern *patterns;
    const struct slu_node *additional; /* NULL: anything */
    const struct slu_value *raw_additional;
    const struct slu_node *names; /* NULL: any */
    const struct slu_value *raw_names;
    size_t n_dependencies;
    struct slu_object_dependency *dependencies;
};

#endif
