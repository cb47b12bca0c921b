/* node.h -- a piece of the configuration: a scalar, list or map that knows its place in the file.
 *
 * Every room that has options reads them from here (a sink gets its own section). Nodes are made by
 * yaml.c, live in one arena and never change afterwards.
 *
 *     historian: {type: file, path: /srv/lake}        line 9
 *     └ map ─┬ "type" → string "file"                 9:19
 *            └ "path" → string "/srv/lake"            9:31
 */
#ifndef SLU_BASE_NODE_H
#define SLU_BASE_NODE_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>

enum slu_node_kind {
    SLU_NODE_NULL,
    SLU_NODE_BOOL,
    SLU_NODE_INT,   /* YAML 1.2 core: decimal, 0o…, 0x…; `text` is the decimal form */
    SLU_NODE_FLOAT, /* `text` is a JSON number; .inf and .nan are errors of the reader */
    SLU_NODE_STRING,
    SLU_NODE_LIST,
    SLU_NODE_MAP,
};

struct slu_node;

struct slu_node_pair {
    struct slu_slice key;
    unsigned key_line, key_column;
    const struct slu_node *value;
};

struct slu_node {
    enum slu_node_kind kind;
    unsigned line, column; /* 1-based, of its first character */
    const char *file;      /* as it was named to the reader */
    struct slu_slice
        text;    /* scalars: after secrets were expanded; terminated. bool: "true"/"false" */
    bool secret; /* a ${env:} or ${file:} was expanded in it: never print the text */
    const struct slu_node *const *items; /* list */
    const struct slu_node_pair *pairs;   /* map, in file order; keys are unique */
    size_t n;                            /* items or pairs */
};

/* Member `key` of a map; NULL when absent, or when `node` is NULL or no map. */
const struct slu_node *slu_node_get(const struct slu_node *node, const char *key);

/* The node at a JSON Pointer (RFC 6901). When the last steps are absent, the deepest one that exists
 * (so that "required" points somewhere); `*exact`, if not NULL, says which. When the pointer names a
 * member, `key_place`, if not NULL, gets the pair (NULL for list items). */
const struct slu_node *slu_node_at(const struct slu_node *root, const char *pointer, bool *exact,
                                   const struct slu_node_pair **key_place);

/* Readers with a default for an absent (NULL) node. The kinds were checked against the
 * configuration's schema before; a wrong kind gives the default too. */
const char *slu_node_text(const struct slu_node *node, const char *fallback);
bool slu_node_bool(const struct slu_node *node, bool fallback);
long long slu_node_int(const struct slu_node *node, long long fallback);
long long slu_node_duration_ns(const struct slu_node *node, long long fallback);
long long slu_node_size_bytes(const struct slu_node *node, long long fallback);

/* The tree as JSON text. Strings stay strings; secrets are written out (the text is for our own
 * validator, never for people). Returns false when `out` failed. */
bool slu_node_json(const struct slu_node *node, struct slu_buf *out);

#endif
