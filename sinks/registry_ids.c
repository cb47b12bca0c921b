/* registry_ids.c -- see registry_ids.h. */
#include "sinks/registry_ids.h"

#include "base/hash.h"
#include "base/random.h"

#include <stdlib.h>
#include <string.h>

#define TEXTS_MAX_BYTES  ((size_t)8 << 20)
#define SUBJECT_MAX_SIZE 512

/* A topic's place is its hash's; who comes later takes it. */
struct place {
    char *topic; /* owned; NULL: free */
    int64_t id;
};

struct slu_registry_ids {
    struct slu_registry_options options; /* texts in the arena */
    struct slu_registry *client;
    enum slu_registry_type type;
    struct slu_slice text;
    uint64_t seed;
    struct slu_arena arena;
    struct place places[SLU_REGISTRY_IDS_KEPT];
};

void slu_registry_options_of(const struct slu_node *registry, struct slu_registry_options *options)
{
    *options = (struct slu_registry_options){
        .url = slu_node_text(slu_node_get(registry, "url"), ""),
        .username = slu_node_text(slu_node_get(registry, "username"), NULL),
        .password = slu_node_text(slu_node_get(registry, "password"), NULL),
        .token = slu_node_text(slu_node_get(registry, "token"), NULL),
        .ca_file = slu_node_text(slu_node_get(registry, "ca_file"), NULL),
        .cache = slu_node_text(slu_node_get(registry, "cache"), NULL),
        .may_register = slu_node_bool(slu_node_get(registry, "register"), false),
    };
}

/* NULL stays NULL; false: no memory. */
static bool keep(struct slu_arena *arena, const char **text)
{
    if (*text != NULL)
        *text = slu_arena_copy(arena, slu_slice_of(*text));
    return *text != NULL;
}

static bool keep_all(struct slu_registry_ids *ids, struct slu_slice text)
{
    const char **const texts[] = {&ids->options.url,      &ids->options.username,
                                  &ids->options.password, &ids->options.token,
                                  &ids->options.ca_file,  &ids->options.cache};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (*texts[i] != NULL && !keep(&ids->arena, texts[i]))
            return false;
    ids->text = slu_slice(slu_arena_copy(&ids->arena, text), text.len);
    return ids->text.data != NULL;
}

struct slu_registry_ids *slu_registry_ids_new(const struct slu_registry_options *options,
                                              enum slu_registry_type type, struct slu_slice text,
                                              struct slu_err *err)
{
    struct slu_registry_ids *ids = calloc(1, sizeof(*ids));

    if (ids == NULL) {
        slu_err_set(err, SLU_ENOMEM, "no memory for the registry's ids");
        return NULL;
    }
    slu_arena_init(&ids->arena, TEXTS_MAX_BYTES);
    slu_random_fill(&ids->seed, sizeof(ids->seed));
    ids->options = *options;
    ids->type = type;
    if (!keep_all(ids, text))
        slu_err_set(err, SLU_ENOMEM, "no memory for the registry's ids");
    else
        ids->client = slu_registry_new(&ids->options, err);
    if (ids->client != NULL)
        return ids;
    slu_registry_ids_free(ids);
    return NULL;
}

void slu_registry_ids_free(struct slu_registry_ids *ids)
{
    if (ids == NULL)
        return;
    for (size_t i = 0; i < SLU_REGISTRY_IDS_KEPT; i++)
        free(ids->places[i].topic);
    slu_registry_free(ids->client);
    slu_arena_fini(&ids->arena);
    free(ids);
}

static int ask(struct slu_registry_ids *ids, const char *topic, struct place *place,
               int64_t deadline_mono_ns, struct slu_err *err)
{
    char subject[SUBJECT_MAX_SIZE];
    int64_t id = 0;

    if (!slu_registry_topic_subject(topic, subject, sizeof(subject)))
        return slu_err_set(err, SLU_EINVAL, "topic %.60s… is too long for a subject", topic);
    if (slu_registry_id_of(ids->client, subject, ids->type, ids->text, deadline_mono_ns, &id,
                           err) != 0)
        return -1;
    char *kept = strdup(topic);
    if (kept == NULL)
        return slu_err_set(err, SLU_ENOMEM, "no memory for the registry's ids");
    free(place->topic);
    *place = (struct place){kept, id};
    return 0;
}

static size_t place_of(const struct slu_registry_ids *ids, const char *topic)
{
    return slu_hash_bytes(ids->seed, topic, strlen(topic)) % SLU_REGISTRY_IDS_KEPT;
}

int64_t slu_registry_ids_known(const struct slu_registry_ids *ids, const char *topic)
{
    const struct place *place = &ids->places[place_of(ids, topic)];

    return place->topic != NULL && strcmp(place->topic, topic) == 0 ? place->id : -1;
}

int slu_registry_ids_find(struct slu_registry_ids *ids, const char *topic, int64_t deadline_mono_ns,
                          int64_t *id, struct slu_err *err)
{
    struct place *place = &ids->places[place_of(ids, topic)];

    if (slu_registry_ids_known(ids, topic) < 0 &&
        ask(ids, topic, place, deadline_mono_ns, err) != 0)
        return -1;
    *id = place->id;
    return 0;
}

int slu_registry_ids_compatible(struct slu_registry_ids *ids, const char *topic,
                                int64_t deadline_mono_ns, bool *compatible, char *why,
                                size_t why_size, struct slu_err *err)
{
    char subject[SUBJECT_MAX_SIZE];

    if (!slu_registry_topic_subject(topic, subject, sizeof(subject)))
        return slu_err_set(err, SLU_EINVAL, "topic %.60s… is too long for a subject", topic);
    return slu_registry_compatible(ids->client, subject, ids->type, ids->text, deadline_mono_ns,
                                   compatible, why, why_size, err);
}

void slu_registry_ids_only_look(struct slu_registry_ids *ids)
{
    slu_registry_only_look(ids->client);
}

bool slu_registry_wants_action(enum slu_err_kind kind)
{
    return kind == SLU_ENOENT || kind == SLU_EINVAL || kind == SLU_EDENIED;
}
