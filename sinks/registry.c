/* registry.c -- see registry.h: one question, the cache before it or behind it. The references of what was
 * answered: registry_references.c.
 *
 *   by_id, by_version 3 ──▶ cache ── not there ──▶ ask ──▶ references, each by_version ──▶ cache
 *   by_version latest ────────────────────────────▶ ask ──▶ … ──▶ cache, as latest and under its number
 *   id_of ────────────────▶ cache ── not there ──▶ ask ──▶ cache
 */
#include "sinks/registry.h"

#include "sinks/registry_cache.h"
#include "sinks/registry_http.h"
#include "sinks/registry_inside.h"
#include "sinks/registry_reply.h"
#include "validation/avro/schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_MAX_BYTES  6000
#define ARENA_MAX_BYTES ((size_t)64 << 20)

/* ---- the client ---------------------------------------------------------------------------------------- */

/* What goes into a line of the request must not end that line. */
static bool is_one_line(const char *text)
{
    for (; text != NULL && *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7F)
            return false;
    return true;
}

static int refuse(const char **option, const char *name, struct slu_err *err, const char *why)
{
    *option = name;
    return slu_err_set(err, SLU_EINVAL, "%s", why);
}

int slu_registry_check(const struct slu_registry_options *options, const char **option,
                       struct slu_err *err)
{
    const char *url = options->url;

    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return refuse(option, "url", err, "must begin with http:// or https://");
    if (strpbrk(url, "@?# ") != NULL || !is_one_line(url))
        return refuse(option, "url", err,
                      "is an address alone, without a user, ? or # (name and password go into "
                      "username and password)");
    if (!is_one_line(options->username) ||
        (options->username != NULL && strchr(options->username, ':') != NULL))
        return refuse(option, "username", err, "has a colon or a control character in it");
    if (!is_one_line(options->password))
        return refuse(option, "password", err, "has a control character in it");
    if (!is_one_line(options->token))
        return refuse(option, "token", err, "has a control character in it");
    if (options->token != NULL && options->username != NULL)
        return refuse(option, "token", err,
                      "is there together with username: one of them says who we are");
    if (options->password != NULL && options->username == NULL)
        return refuse(option, "password", err, "is there without username");
    return 0;
}

struct slu_registry *slu_registry_new(const struct slu_registry_options *options,
                                      struct slu_err *err)
{
    struct slu_err why = {.kind = SLU_OK};
    struct slu_registry *registry;
    const char *option;

    if (slu_registry_check(options, &option, &why) != 0) {
        slu_err_set(err, why.kind, "%s: %s", option, why.text);
        return NULL;
    }
    registry = calloc(1, sizeof(*registry));
    if (registry == NULL) {
        slu_err_set(err, SLU_ENOMEM, "no memory for the registry's client");
        return NULL;
    }
    registry->options = *options;
    slu_buf_init(&registry->reply.body, SLU_HTTP_BODY_MAX);
    registry->http = slu_http_new(&registry->options, err);
    if (registry->http != NULL)
        return registry;
    slu_registry_free(registry);
    return NULL;
}

void slu_registry_free(struct slu_registry *registry)
{
    if (registry == NULL)
        return;
    slu_http_free(registry->http);
    slu_buf_fini(&registry->reply.body);
    free(registry);
}

void slu_registry_only_look(struct slu_registry *registry)
{
    registry->options.may_register = false;
}

void slu_registry_schema_free(struct slu_registry_schema *schema)
{
    if (schema == NULL)
        return;
    slu_arena_fini(&schema->arena);
    free(schema);
}

/* ---- one question ---------------------------------------------------------------------------------------- */

/* What a reply that is not 2xx means. */
static int tell_status(const struct slu_registry *registry, struct slu_err *err)
{
    const char *url = registry->options.url;
    const long status = registry->reply.status;
    char message[200];
    const int code =
        slu_registry_read_error(slu_buf_slice(&registry->reply.body), message, sizeof(message));
    const char *colon = message[0] != '\0' ? ": " : "";

    if (status == 404 && code >= 40400 && code <= 40499)
        return slu_err_set(err, SLU_ENOENT, "registry %s: not there%s%s (%d)", url, colon, message,
                           code);
    if (status == 404)
        return slu_err_set(err, SLU_ECORRUPT,
                           "registry %s: 404, and not a schema registry's: is the path in url "
                           "right?",
                           url);
    if (status == 401 || status == 403)
        return slu_err_set(err, SLU_EDENIED,
                           "registry %s: does not let us in (%ld)%s%s: look at username, password "
                           "and token",
                           url, status, colon, message);
    if (status == 409 || status == 422)
        return slu_err_set(err, SLU_EINVAL, "registry %s: refuses it (%d)%s%s", url,
                           code != 0 ? code : (int)status, colon, message);
    if (status >= 300 && status <= 399)
        return slu_err_set(err, SLU_EIO,
                           "registry %s: sends us elsewhere (%ld): url must name the place itself",
                           url, status);
    return slu_err_set(err, SLU_EIO, "registry %s: answers %ld%s%s", url, status, colon, message);
}

static int ask(struct slu_registry *registry, const char *path, const char *body,
               int64_t deadline_mono_ns, struct slu_err *err)
{
    if (slu_http_ask(registry->http, path, body, deadline_mono_ns, &registry->reply, err) != 0)
        return -1;
    if (registry->reply.status >= 200 && registry->reply.status <= 299)
        return 0;
    return tell_status(registry, err);
}

int slu_registry_ask_subject(struct slu_registry *registry, const char *head, const char *subject,
                             const char *tail, const char *body, int64_t deadline_mono_ns,
                             struct slu_err *err)
{
    struct slu_buf path;
    int result;

    slu_buf_init(&path, PATH_MAX_BYTES);
    slu_buf_add_text(&path, head);
    slu_http_escape(&path, subject);
    slu_buf_add_text(&path, tail);
    result = path.failed ? slu_err_set(err, SLU_EINVAL, "subject %.60s… is too long", subject)
                         : ask(registry, slu_buf_text(&path), body, deadline_mono_ns, err);
    slu_buf_fini(&path);
    return result;
}

/* ---- the cache ------------------------------------------------------------------------------------------- */

/* Keys; see registry_cache.h. */
static char *key_of_id(struct slu_arena *arena, const char *url, int64_t id)
{
    return slu_arena_printf(arena, "%s id %" PRId64, url, id);
}

static char *key_of_version(struct slu_arena *arena, const char *url, const char *subject,
                            int64_t version)
{
    if (version == SLU_REGISTRY_LATEST)
        return slu_arena_printf(arena, "%s latest of %s", url, subject);
    return slu_arena_printf(arena, "%s version %" PRId64 " of %s", url, version, subject);
}

static char *key_of_text(struct slu_arena *arena, const char *url, const char *subject,
                         enum slu_registry_type type, struct slu_slice text)
{
    return slu_arena_printf(arena, "%s %s text of %s %016" PRIx64, url,
                            slu_registry_type_names[type], subject, slu_avro_fingerprint(text));
}

static void keep(const struct slu_registry *registry, const char *key,
                 const struct slu_registry_schema *schema)
{
    /* What cannot be kept is asked for again: a disk that is full is told of by the spool. */
    if (registry->options.cache != NULL && key != NULL)
        slu_registry_cache_write(registry->options.cache, key, schema, NULL);
}

static struct slu_registry_schema *new_schema(struct slu_err *err)
{
    struct slu_registry_schema *schema = calloc(1, sizeof(*schema));

    if (schema == NULL)
        slu_err_set(err, SLU_ENOMEM, "no memory for a schema of the registry");
    else
        slu_arena_init(&schema->arena, ARENA_MAX_BYTES);
    return schema;
}

static void take_said(struct slu_registry_schema *schema, const struct slu_registry_said *said)
{
    schema->id = said->id;
    schema->version = said->version;
    schema->subject = said->subject != NULL ? said->subject : "";
    schema->type = said->type;
    schema->text = said->text;
}

/* References that were kept have their texts. */
static bool references_are_whole(const struct slu_registry_said *said)
{
    for (size_t i = 0; i < said->n_references; i++)
        if (said->references[i].text.len == 0)
            return false;
    return true;
}

struct slu_registry_schema *slu_registry_cached(const struct slu_registry_options *options,
                                                int64_t id, const char *subject, int64_t version)
{
    struct slu_registry_schema *schema = options->cache != NULL ? new_schema(NULL) : NULL;
    struct slu_registry_said said;

    if (schema == NULL)
        return NULL;
    const char *key = id >= 0 ? key_of_id(&schema->arena, options->url, id)
                              : key_of_version(&schema->arena, options->url, subject, version);
    if (key != NULL && slu_registry_cache_read(options->cache, key, &schema->arena, &said) &&
        references_are_whole(&said) && (id < 0 || said.id == id) && (id >= 0 || said.version > 0)) {
        take_said(schema, &said);
        schema->references = said.references;
        schema->n_references = said.n_references;
        return schema;
    }
    slu_registry_schema_free(schema);
    return NULL;
}

size_t slu_registry_cached_versions(const struct slu_registry_options *options, const char *subject,
                                    int64_t newest, int64_t *versions, size_t max)
{
    struct slu_arena arena;
    size_t n = 0;

    if (options->cache == NULL)
        return 0;
    slu_arena_init(&arena, ARENA_MAX_BYTES);
    for (int64_t at = newest + SLU_REGISTRY_WINDOW; at > 0 && n < max; at--) {
        const char *key = key_of_version(&arena, options->url, subject, at);
        if (key == NULL || at < newest - SLU_REGISTRY_WINDOW)
            break;
        if (slu_registry_cache_has(options->cache, key))
            versions[n++] = at;
    }
    slu_arena_fini(&arena);
    for (size_t i = 0; i < n / 2; i++) { /* found from the newest on */
        const int64_t other = versions[i];
        versions[i] = versions[n - 1 - i];
        versions[n - 1 - i] = other;
    }
    return n;
}

/* ---- questions -------------------------------------------------------------------------------------------- */

/* The reply that was just read, whole; `id` < 0: as the reply says. */
static struct slu_registry_schema *take_reply(struct slu_registry *registry, int64_t id,
                                              int64_t deadline_mono_ns, struct slu_err *err)
{
    struct slu_registry_schema *schema = new_schema(err);
    struct slu_registry_said said;

    if (schema == NULL)
        return NULL;
    if (slu_registry_read_schema(slu_buf_slice(&registry->reply.body), &schema->arena, &said,
                                 err) != 0 ||
        slu_registry_gather(registry, schema, &said, deadline_mono_ns, err) != 0) {
        slu_registry_schema_free(schema);
        return NULL;
    }
    take_said(schema, &said);
    schema->id = id >= 0 ? id : said.id;
    return schema;
}

struct slu_registry_schema *slu_registry_by_id(struct slu_registry *registry, int64_t id,
                                               int64_t deadline_mono_ns, struct slu_err *err)
{
    struct slu_registry_schema *schema = slu_registry_cached(&registry->options, id, NULL, 0);
    char path[64];

    if (schema != NULL)
        return schema;
    snprintf(path, sizeof(path), "/schemas/ids/%" PRId64, id);
    if (ask(registry, path, NULL, deadline_mono_ns, err) != 0)
        return NULL;
    schema = take_reply(registry, id, deadline_mono_ns, err);
    if (schema == NULL)
        return NULL;
    schema->subject = ""; /* an id may stand in many */
    schema->version = 0;
    keep(registry, key_of_id(&schema->arena, registry->options.url, id), schema);
    return schema;
}

struct slu_registry_schema *slu_registry_by_version(struct slu_registry *registry,
                                                    const char *subject, int64_t version,
                                                    int64_t deadline_mono_ns, struct slu_err *err)
{
    const bool latest = version == SLU_REGISTRY_LATEST;
    struct slu_registry_schema *schema =
        latest ? NULL : slu_registry_cached(&registry->options, -1, subject, version);
    const char *url = registry->options.url;
    char tail[64] = "/versions/latest";

    if (schema != NULL)
        return schema;
    if (!latest)
        snprintf(tail, sizeof(tail), "/versions/%" PRId64, version);
    if (slu_registry_ask_subject(registry, "/subjects/", subject, tail, NULL, deadline_mono_ns,
                                 err) != 0)
        return NULL;
    schema = take_reply(registry, -1, deadline_mono_ns, err);
    if (schema == NULL)
        return NULL;
    if (schema->id < 0 || schema->version == 0 || (!latest && schema->version != version)) {
        slu_registry_schema_free(schema);
        slu_err_set(err, SLU_ECORRUPT,
                    "registry %s: has no id or another version than was asked for", url);
        return NULL;
    }
    if (latest)
        keep(registry, key_of_version(&schema->arena, url, subject, SLU_REGISTRY_LATEST), schema);
    keep(registry, key_of_version(&schema->arena, url, subject, schema->version), schema);
    return schema;
}

int slu_registry_versions(struct slu_registry *registry, const char *subject,
                          int64_t deadline_mono_ns, int64_t *versions, size_t max, size_t *n,
                          struct slu_err *err)
{
    *n = 0;
    if (slu_registry_ask_subject(registry, "/subjects/", subject, "/versions", NULL,
                                 deadline_mono_ns, err) != 0)
        return -1;
    return slu_registry_read_versions(slu_buf_slice(&registry->reply.body), versions, max, n, err);
}

/* The id kept for exactly this text; -1: none. */
static int64_t kept_id(const struct slu_registry *registry, struct slu_arena *arena,
                       const char *key, enum slu_registry_type type, struct slu_slice text)
{
    struct slu_registry_said said;

    if (registry->options.cache == NULL ||
        !slu_registry_cache_read(registry->options.cache, key, arena, &said) || said.type != type ||
        !slu_slice_equal(said.text, text))
        return -1;
    return said.id;
}

static int ask_id(struct slu_registry *registry, const char *subject, enum slu_registry_type type,
                  struct slu_slice text, int64_t deadline_mono_ns, int64_t *id, struct slu_err *err)
{
    char *body = slu_registry_write_schema(type, text);
    int result;

    if (body == NULL)
        return slu_err_set(err, SLU_ENOMEM,
                           "no memory to ask the registry, or the schema is not UTF-8");
    result = slu_registry_ask_subject(registry, "/subjects/", subject,
                                      registry->options.may_register ? "/versions" : "", body,
                                      deadline_mono_ns, err);
    free(body);
    return result != 0 ? -1 : slu_registry_read_id(slu_buf_slice(&registry->reply.body), id, err);
}

int slu_registry_id_of(struct slu_registry *registry, const char *subject,
                       enum slu_registry_type type, struct slu_slice text, int64_t deadline_mono_ns,
                       int64_t *id, struct slu_err *err)
{
    struct slu_registry_schema schema = {.subject = subject, .type = type, .text = text};
    int result = -1;

    slu_arena_init(&schema.arena, ARENA_MAX_BYTES);
    char *key = key_of_text(&schema.arena, registry->options.url, subject, type, text);
    if (key == NULL) {
        slu_err_set(err, SLU_ENOMEM, "no memory to ask the registry");
    } else if ((*id = kept_id(registry, &schema.arena, key, type, text)) >= 0) {
        result = 0;
    } else if (ask_id(registry, subject, type, text, deadline_mono_ns, id, err) == 0) {
        schema.id = *id;
        keep(registry, key, &schema);
        result = 0;
    }
    slu_arena_fini(&schema.arena);
    return result;
}

int slu_registry_compatible(struct slu_registry *registry, const char *subject,
                            enum slu_registry_type type, struct slu_slice text,
                            int64_t deadline_mono_ns, bool *compatible, char *why, size_t why_size,
                            struct slu_err *err)
{
    char *body = slu_registry_write_schema(type, text);
    struct slu_err said = {.kind = SLU_OK};

    if (body == NULL)
        return slu_err_set(err, SLU_ENOMEM,
                           "no memory to ask the registry, or the schema is not UTF-8");
    *compatible = true;
    why[0] = '\0';
    const int result =
        slu_registry_ask_subject(registry, "/compatibility/subjects/", subject,
                                 "/versions/latest?verbose=true", body, deadline_mono_ns, &said);
    free(body);
    if (result == 0)
        return slu_registry_read_compatible(slu_buf_slice(&registry->reply.body), compatible, why,
                                            why_size, err);
    if (said.kind == SLU_ENOENT) /* nothing is there that it could break */
        return 0;
    if (err != NULL && err->kind == SLU_OK)
        *err = said;
    return -1;
}

int slu_registry_reach(struct slu_registry *registry, int64_t deadline_mono_ns, struct slu_err *err)
{
    if (ask(registry, "/subjects", NULL, deadline_mono_ns, err) != 0)
        return -1;
    if (slu_registry_is_list(slu_buf_slice(&registry->reply.body)))
        return 0;
    return slu_err_set(err, SLU_ECORRUPT,
                       "registry %s: answers, but not as a schema registry: is the path in url "
                       "right?",
                       registry->options.url);
}

bool slu_registry_topic_subject(const char *topic, char *out, size_t size)
{
    const int n = snprintf(out, size, "%s-value", topic);

    return n > 0 && (size_t)n < size;
}
