/* yaml.h -- reads one YAML file into nodes. The only file that knows libyaml.
 *
 * YAML 1.2 core types for unquoted scalars (so `no` and `on` are strings, `0o17` is an integer); what
 * is quoted is a string. Anchors and aliases are resolved with a ceiling on the resulting nodes (no
 * "billion laughs"); an alias gives the anchor's node, with the anchor's place. Merge keys, tags
 * (all, `!!str` too: quote instead), several documents, keys that are no scalars and duplicate keys
 * are errors with their place.
 *
 * Secrets: `${env:NAME}` and `${file:PATH}` (one trailing newline removed; relative to the file's
 * folder) are expanded once, in scalar values only (not in keys), after parsing; the result is literal
 * and always a string; `$${` writes `${`. Other `${name}` are left for templates. See base/secret.h.
 *
 * A map where a scalar was surely meant (`{oven}`) is an ordinary map here; the validator's message
 * tells to quote it.
 *
 * JSON is YAML, so a .json configuration works as well.
 */
#ifndef SLU_BASE_YAML_H
#define SLU_BASE_YAML_H

#include "base/arena.h"
#include "base/node.h"
#include "base/problems.h"
#include "base/tree.h"

/* Ceilings. */
#define SLU_YAML_MAX_BYTES   (16u << 20)
#define SLU_YAML_MAX_NODES   SLU_TREE_MAX_NODES
#define SLU_YAML_MAX_DEPTH   SLU_TREE_MAX_DEPTH
#define SLU_YAML_MAX_ANCHORS SLU_TREE_MAX_ANCHORS

/* Read `path`. Nodes live in `arena`. On errors adds them to `problems` and returns NULL. An empty
 * file is an error ("is empty"). */
const struct slu_node *slu_yaml_read(const char *path, struct slu_arena *arena,
                                     struct slu_problems *problems);

/* The same from memory; `name` is used in messages and, for its folder, in ${file:…}. */
const struct slu_node *slu_yaml_parse(struct slu_slice text, const char *name,
                                      struct slu_arena *arena, struct slu_problems *problems);

#endif
