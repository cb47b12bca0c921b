/* compile.h -- a schema being compiled: what the keywords' compile functions work with.
 *
 *   document ──scan (scan.c)──▶ resources, their dialects, anchors
 *      └──────build, node by node (build.c)──▶ program (program.h) ──acyclic.c──▶ done
 *
 *   documents   0  the schema's own text
 *               1… others, read when a reference, or a $schema, first leads to them (resolve.c)
 *
 * Nodes are made once per subschema, whoever asks for them first, and filled later from a worklist:
 * so references may point anywhere, recursion included, and nothing here recurses.
 *
 * Everything that is wrong is told to the problems with its place, and compiling goes on: a file's
 * errors come all at once. A function that could not do its part has told why. Out of memory is told
 * once, at the end.
 *
 * Threads: belongs to one thread.
 */
#ifndef SLU_JSON_SCHEMA_COMPILE_H
#define SLU_JSON_SCHEMA_COMPILE_H

#include "validation/json_schema/keywords.h"
#include "validation/json_schema/program.h"

#include "base/problems.h"

/* Nesting of a schema's text. */
#define SLU_COMPILE_MAX_DEPTH 256

/* Subschemas in a row that look at the same value, references included. */
#define SLU_COMPILE_MAX_CHAIN 500

/* A schema with a URI of its own, and all inside that has none. */
struct slu_resource {
    struct slu_slice uri; /* absolute if its $id is; without a fragment; "" for one without $id */
    const struct slu_value *root;
    struct slu_dialect dialect;
};

/* A URI that a reference may use: a resource's own, and where its document was found. */
struct slu_name {
    struct slu_slice uri;
    uint64_t hash;
    uint32_t resource;
};

struct slu_anchor {
    uint32_t resource;
    struct slu_slice name; /* "": of $recursiveAnchor */
    uint64_t hash;
    const struct slu_value *target;
    bool dynamic;
};

/* "Judging `from` judges `to` on the same value": must not run in circles. */
struct slu_edge {
    uint32_t from, to;
    const struct slu_value *at; /* for the place */
};

/* What is known about each cell of one document. */
struct slu_cell_notes {
    struct slu_node **nodes; /* by cell; NULL: none yet */
    uint32_t *resources;     /* by cell; resource + 1; 0: not scanned as a schema */
};

/* A node to be filled, and the subschema it comes from. */
struct slu_work {
    struct slu_node *node;
    const struct slu_value *cell;
};

/* A growing array in malloc's memory. */
struct slu_list {
    void *items;
    size_t n, cap;
};

struct slu_compile {
    struct slu_schema *schema;
    const struct slu_schema_options *options;
    const char *text; /* the schema's own, to know it in the library */
    struct slu_problems *problems;
    struct slu_arena passing;  /* dies with this struct */
    struct slu_list notes;     /* struct slu_cell_notes: one a document */
    struct slu_list resources; /* struct slu_resource */
    struct slu_list names;     /* struct slu_name */
    struct slu_list anchors;   /* struct slu_anchor */
    struct slu_list dynamics;  /* dynamic.c: references whose target depends on the way */
    struct slu_list edges;     /* struct slu_edge */
    struct slu_list work;      /* struct slu_work: every node, by its index */
    bool *loaded;              /* by document of the library */
    unsigned loading;          /* documents being read because of one another: $schema of $schema */
    size_t n_errors;
    bool no_memory;
};

/* One schema object on its way to a node. */
struct slu_build {
    struct slu_compile *compile;
    struct slu_node *node;
    struct slu_dialect dialect;
    const struct slu_value *schema;
    const struct slu_value *values[SLU_KEYWORDS]; /* by row; NULL: not there */
    struct slu_op ops[SLU_KEYWORDS];
    size_t n_ops;
};

/* Fill compile->schema from `document`, which it takes over. False: something was wrong, all of it
 * told. */
bool slu_compile_run(struct slu_compile *compile, struct slu_document *document);
void slu_compile_fini(struct slu_compile *compile);

/* A new last item, zeroed; NULL: no memory (noted). */
void *slu_list_add(struct slu_compile *compile, struct slu_list *list, size_t item_size);

/* Memory that lives as long as the schema, zeroed; NULL: no memory (noted). */
void *slu_compile_alloc(struct slu_compile *compile, size_t count, size_t size);

/* documents.c: the documents, and what is at a cell of one. */

/* Take over one more, known by `uri` ("": by its own $id only), of `draft` (0: the default one) if it
 * has no $schema. False: no memory (noted). */
bool slu_documents_add(struct slu_compile *compile, struct slu_document *document,
                       const char *source, struct slu_slice uri, enum slu_schema_draft draft);

/* Tell an error at `cell`, a value or key of one of the documents. Always false. */
bool slu_compile_error(struct slu_compile *compile, const struct slu_value *cell,
                       const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same for a warning; one about another document than the schema's own is not told. */
void slu_compile_warn(struct slu_compile *compile, const struct slu_value *cell, const char *format,
                      ...) __attribute__((format(printf, 3, 4)));

/* Where `cell` is noted, and the number of its document. */
struct slu_cell_notes *slu_compile_notes(const struct slu_compile *compile,
                                         const struct slu_value *cell, size_t *index);
size_t slu_compile_document(const struct slu_compile *compile, const struct slu_value *cell,
                            size_t *index);
const struct slu_value *slu_compile_raw(const struct slu_compile *compile,
                                        const struct slu_value *cell);
uint32_t slu_compile_resource(const struct slu_compile *compile, const struct slu_value *cell);
const struct slu_resource *slu_compile_resource_at(const struct slu_compile *compile,
                                                   uint32_t resource);
struct slu_dialect slu_compile_dialect(const struct slu_compile *compile,
                                       const struct slu_value *cell);

/* build.c: one schema object becomes a node. */
void slu_build_node(struct slu_compile *compile, struct slu_node *node,
                    const struct slu_value *cell);

/* The node of the subschema at `cell`; NULL: it is no schema (told), or no memory. */
const struct slu_node *slu_compile_node(struct slu_compile *compile, const struct slu_value *cell);

/* The same where draft 4, which has no boolean schemas, allows true and false. */
const struct slu_node *slu_compile_node_or_flag(struct slu_compile *compile,
                                                const struct slu_value *cell);

/* The same for a subschema that looks at the same value as the one being built. */
const struct slu_node *slu_build_in_place(struct slu_build *build, const struct slu_value *cell);

/* The op that runs `row`'s judge function. Never NULL. */
struct slu_op *slu_build_op(struct slu_build *build, const struct slu_keyword *row,
                            const struct slu_value *value);

/* Checks that most keywords need; each tells what it does not like. */
bool slu_build_expect(struct slu_build *build, const struct slu_keyword *row,
                      const struct slu_value *value, enum slu_value_kind kind);
bool slu_build_count(struct slu_build *build, const struct slu_keyword *row,
                     const struct slu_value *value, uint64_t *count);
bool slu_build_expect_names(struct slu_build *build, const struct slu_keyword *row,
                            const struct slu_value *value);

/* The compiled pattern at `cell`, a string or key; NULL: told. */
const struct slu_regex *slu_build_regex(struct slu_build *build, const struct slu_value *cell);

/* scan.c: register resources and anchors of the schema at `cell`, which belongs to `resource`; of a
 * document. */
void slu_scan(struct slu_compile *compile, const struct slu_value *cell, uint32_t resource);
void slu_scan_root(struct slu_compile *compile, const struct slu_value *root, struct slu_slice uri,
                   enum slu_schema_draft draft);
uint32_t slu_scan_find(const struct slu_compile *compile,
                       struct slu_slice uri); /* UINT32_MAX: none */
const struct slu_anchor *slu_scan_anchor(const struct slu_compile *compile, uint32_t resource,
                                         struct slu_slice name);

/* dialect.c: what `named`, the value of $schema, calls for; false: told. */
bool slu_dialect_read(struct slu_compile *compile, const struct slu_value *named,
                      struct slu_dialect *dialect);
struct slu_dialect slu_dialect_of(const struct slu_compile *compile, enum slu_schema_draft draft);
const char *slu_schema_draft_name(enum slu_schema_draft draft); /* "2020-12" */

/* resolve.c: the resource of that absolute URI, its document read if need be; UINT32_MAX: none, or the
 * document is no JSON (then told, and `*told` set). */
uint32_t slu_resolve_resource(struct slu_compile *compile, struct slu_slice uri, bool *told);

/* What the reference at `ref`, a string in `resource`, means; NULL: nothing (told). `anchor`: the
 * anchor it went by, $recursiveAnchor's when it went by none; or NULL. */
const struct slu_value *slu_resolve(struct slu_compile *compile, const struct slu_value *ref,
                                    uint32_t resource, const struct slu_anchor **anchor);

/* dynamic.c: give every dynamic reference all targets that are known by now. True: there is new work. */
bool slu_dynamic_settle(struct slu_compile *compile);

/* acyclic.c: no subschema comes back to itself on the same value; else told. */
bool slu_compile_check_acyclic(struct slu_compile *compile);

#endif
