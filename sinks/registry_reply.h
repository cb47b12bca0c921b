/* registry_reply.h -- what a registry says, read from its JSON and checked; and what it is told. The only
 * file below plugin/ that knows Jansson is its body.
 *
 * Every text of a schema passes through Jansson as one string, so no number of it is touched.
 *
 * Nothing is believed: a member that is missing, of another type, out of its range or with a NUL in it
 * makes the reply SLU_ECORRUPT.
 *
 * Threads: any.
 */
#ifndef SLU_SINKS_REGISTRY_REPLY_H
#define SLU_SINKS_REGISTRY_REPLY_H

#include "base/buf.h"
#include "sinks/registry.h"

/* What a reply with a schema in it says; the texts live in the arena it was read into. */
struct slu_registry_said {
    int64_t id;          /* -1: not said */
    int64_t version;     /* 0: not said */
    const char *subject; /* NULL: not said */
    enum slu_registry_type type;
    struct slu_slice text;
    struct slu_registry_reference
        *references; /* `text` only where the reply has it (our cache's) */
    size_t n_references;
};

/* 0, or -1 and err: SLU_ECORRUPT; SLU_EINVAL: a kind of schema that Sluice does not know; SLU_ENOMEM. */
int slu_registry_read_schema(struct slu_slice json, struct slu_arena *arena,
                             struct slu_registry_said *said, struct slu_err *err);

/* {"id": 7, …} */
int slu_registry_read_id(struct slu_slice json, int64_t *id, struct slu_err *err);

/* [1, 2, 3]: the highest `max` of them, ascending. */
int slu_registry_read_versions(struct slu_slice json, int64_t *versions, size_t max, size_t *n,
                               struct slu_err *err);

/* {"is_compatible": true, "messages": ["…"]}; `why` gets the messages, one behind the other. */
int slu_registry_read_compatible(struct slu_slice json, bool *compatible, char *why,
                                 size_t why_size, struct slu_err *err);

/* {"error_code": 40401, "message": "…"}; 0 and "" when it is something else. */
int slu_registry_read_error(struct slu_slice json, char *message, size_t message_size);

/* Is it a JSON list? */
bool slu_registry_is_list(struct slu_slice json);

/* {"schema": "…", "schemaType": "JSON"}: what register, look-up and compatibility are asked with. free(). */
char *slu_registry_write_schema(enum slu_registry_type type, struct slu_slice text);

/* The same members as a reply's, references with their texts, and "key": for the cache. free(). */
char *slu_registry_write_entry(const char *key, const struct slu_registry_schema *schema);

/* "key" of such an entry, into `arena`; NULL: it has none. */
const char *slu_registry_read_key(struct slu_slice json, struct slu_arena *arena);

#endif
