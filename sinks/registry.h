/* registry.h -- the client of a schema registry that speaks Confluent's REST: Confluent's own, Apicurio
 * (under /apis/ccompat/v7), Karapace, Redpanda.
 *
 *   by_id       GET  /schemas/ids/7                             → type, text, references
 *   by_version  GET  /subjects/press-value/versions/3           → id, version, type, text, references
 *               GET  /subjects/press-value/versions/latest
 *   versions    GET  /subjects/press-value/versions             → [1, 2, 3]
 *   id_of       POST /subjects/press-value/versions  {schema}   → id       register, where that is allowed
 *               POST /subjects/press-value           {schema}   → id       else look up
 *   compatible  POST /compatibility/subjects/press-value/versions/latest
 *   reach       GET  /subjects                                  does it answer, and let us in?
 *
 * What a registry says of an id, of a numbered version or of a registered text never changes: it is kept
 * on disk (registry_cache.h), and asked for once. "latest" is kept too, for who looks into the cache
 * alone; who asks the registry for it gets today's.
 *
 *   cached      looks into the cache and nowhere else: any thread, no network
 *
 * Bounds. A reply is at most 1 MiB of body and 64 KiB of head, redirects are not followed, nothing is
 * decompressed, every call has a deadline. A schema has at most 32 references, 8 deep, counted with theirs.
 * The client tries once: who calls decides when to try again.
 *
 * Errors, the same for every call:
 *   SLU_ENOENT    the registry says that there is no such subject, version, schema or id
 *   SLU_EINVAL    the registry refuses the schema (409, 422): its own words are in the text
 *   SLU_EDENIED   401, 403: the registry does not let us in
 *   SLU_EIO       no answer in time, a broken one, 5xx, a redirect: later it may be different
 *   SLU_ECORRUPT  what answers is no schema registry, or says what cannot be
 *   SLU_EBUSY     *stop was set
 *   SLU_ENOMEM    no memory
 * No text ever holds a password or token.
 *
 * Threads: a client belongs to one thread at a time, and never to the broker's: every call but `cached`
 * waits for the network. Clients of different threads may share a cache.
 */
#ifndef SLU_SINKS_REGISTRY_H
#define SLU_SINKS_REGISTRY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLU_REGISTRY_ID_MAX        INT64_C(4294967295) /* four bytes before a message */
#define SLU_REGISTRY_LATEST        0                   /* as a version */
#define SLU_REGISTRY_TEXT_MAX      ((size_t)1 << 20)   /* bytes of a schema */
#define SLU_REGISTRY_REFERENCE_MAX 32 /* of a schema, with those of its references */

/* All borrowed while the client lives; NULL: none. */
struct slu_registry_options {
    const char *url;      /* "https://registry:8081", with a path where there is one */
    const char *username; /* basic authentication */
    const char *password;
    const char *token;   /* bearer; not together with username */
    const char *ca_file; /* PEM of who may sign the registry's certificate; NULL: the system's */
    const char *cache;   /* folder of the cache; made when it is missing, its parent is not */
    bool may_register;   /* else what is not there already is SLU_ENOENT */
    const _Atomic bool *stop; /* once true, calls come back soon */
};

enum slu_registry_type { SLU_REGISTRY_AVRO, SLU_REGISTRY_JSON, SLU_REGISTRY_TYPES };

/* "AVRO", "JSON": as the registry writes them. */
extern const char *const slu_registry_type_names[SLU_REGISTRY_TYPES];

/* A schema that another one refers to. Avro: `name` is the full name of its type. JSON Schema: what $ref
 * says. */
struct slu_registry_reference {
    const char *name;
    const char *subject;
    int64_t version;
    struct slu_slice text; /* terminated */
};

struct slu_registry_schema {
    int64_t id;
    const char *subject; /* "" when asked by id */
    int64_t version;     /* from 1; 0 when asked by id */
    enum slu_registry_type type;
    struct slu_slice text;                           /* terminated */
    const struct slu_registry_reference *references; /* each after all that it refers to itself */
    size_t n_references;
    struct slu_arena arena; /* owns all of it */
};

void slu_registry_schema_free(struct slu_registry_schema *schema);

struct slu_registry;

/* Can it be sent like that? 0, or -1, err, and in *option the one that cannot: "url". */
int slu_registry_check(const struct slu_registry_options *options, const char **option,
                       struct slu_err *err);

/* NULL and err: the options fail slu_registry_check(), no memory. Asks nobody yet. */
struct slu_registry *slu_registry_new(const struct slu_registry_options *options,
                                      struct slu_err *err);
void slu_registry_free(struct slu_registry *registry);

/* From now on nothing is registered by it, whatever the options say. */
void slu_registry_only_look(struct slu_registry *registry);

/* The answers are the caller's: slu_registry_schema_free(). NULL and err. Deadlines: monotonic clock. */
struct slu_registry_schema *slu_registry_by_id(struct slu_registry *registry, int64_t id,
                                               int64_t deadline_mono_ns, struct slu_err *err);
struct slu_registry_schema *slu_registry_by_version(struct slu_registry *registry,
                                                    const char *subject, int64_t version,
                                                    int64_t deadline_mono_ns, struct slu_err *err);

/* The newest `max` versions of a subject, ascending; not kept. 0, or -1 and err. */
int slu_registry_versions(struct slu_registry *registry, const char *subject,
                          int64_t deadline_mono_ns, int64_t *versions, size_t max, size_t *n,
                          struct slu_err *err);

/* What the cache holds; NULL: nothing, or nothing that can be trusted. `id` < 0: the subject's version. */
struct slu_registry_schema *slu_registry_cached(const struct slu_registry_options *options,
                                                int64_t id, const char *subject, int64_t version);

/* The newest `max` versions of `subject` that the cache holds, ascending; of those that lie no more than
 * SLU_REGISTRY_WINDOW behind `newest` or before it. Returns how many. */
#define SLU_REGISTRY_WINDOW 1024
size_t slu_registry_cached_versions(const struct slu_registry_options *options, const char *subject,
                                    int64_t newest, int64_t *versions, size_t max);

/* The id of `text` under `subject`; registered first when that is allowed. 0, or -1 and err. */
int slu_registry_id_of(struct slu_registry *registry, const char *subject,
                       enum slu_registry_type type, struct slu_slice text, int64_t deadline_mono_ns,
                       int64_t *id, struct slu_err *err);

/* May `text` follow the subject's latest version? A subject that is not there yet takes everything. Where
 * it may not, `why` gets what the registry says (it may say nothing). 0, or -1 and err. */
int slu_registry_compatible(struct slu_registry *registry, const char *subject,
                            enum slu_registry_type type, struct slu_slice text,
                            int64_t deadline_mono_ns, bool *compatible, char *why, size_t why_size,
                            struct slu_err *err);

/* Does it answer, and let us in? 0, or -1 and err. */
int slu_registry_reach(struct slu_registry *registry, int64_t deadline_mono_ns,
                       struct slu_err *err);

/* The subject of the values of a Kafka topic (strategy TopicName): "<topic>-value". False: too long. */
bool slu_registry_topic_subject(const char *topic, char *out, size_t size);

#endif
