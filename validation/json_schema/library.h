/* library.h -- the documents that references may lead to: other schemas of the configuration, files
 * that it names, the registry of a test harness. Never the network.
 *
 *   add(uri, text)…  ──▶  names: https://plant/oven ─▶ document 0   its URI, and each $id inside
 *                                https://plant/unit ─▶ document 0
 *                                https://plant/press ─▶ document 1
 *
 * Only the texts are here; a schema that refers to one reads it for itself. A name is a guess (an $id may
 * stand where no schema is): whoever reads the document finds out.
 *
 * Threads: never changes once filled.
 */
#ifndef SLU_JSON_SCHEMA_LIBRARY_H
#define SLU_JSON_SCHEMA_LIBRARY_H

#include "base/err.h"
#include "base/slice.h"
#include "validation/json_schema/schema.h"

#include <stddef.h>

struct slu_library_document {
    const char *uri;    /* that it is known by; NULL or "": by the $id inside only */
    const char *source; /* file, for places in errors */
    struct slu_slice text;
    enum slu_schema_draft
        default_draft; /* of a text without $schema; 0: as the one that refers to it */
};

struct slu_library;

/* NULL: no memory. */
struct slu_library *slu_library_new(void);
void slu_library_free(struct slu_library *library);

/* Everything is borrowed for the life of the library. 0, or -1: it is no JSON (`err`, with its place), or
 * there is no memory (SLU_ENOMEM). A name that is there already keeps its document. */
int slu_library_add(struct slu_library *library, const struct slu_library_document *document,
                    struct slu_err *err);

size_t slu_library_size(const struct slu_library *library); /* documents */
const struct slu_library_document *slu_library_at(const struct slu_library *library, size_t i);

/* The number of the document that is, or holds, the schema of that URI (without a fragment);
 * SIZE_MAX: none. */
size_t slu_library_find(const struct slu_library *library, struct slu_slice uri);

/* The text of a metaschema that comes with the program; empty: none of that URI. */
struct slu_slice slu_metaschema_text(struct slu_slice uri);

#endif
