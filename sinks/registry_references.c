/* registry_references.c -- the schemas that a schema refers to, asked for one by one.
 *
 * Bounded in depth, in number and in bytes: what a registry says is not trusted.
 */
#include "sinks/registry_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define REFERENCE_DEPTH 8
#define REFERENCE_BYTES ((size_t)4 << 20)

/* References while they are gathered, each behind what it refers to. */
struct gathering {
    struct slu_registry *registry;
    struct slu_registry_schema *schema;
    struct slu_registry_reference *found; /* SLU_REGISTRY_REFERENCE_MAX of them */
    size_t n;
    size_t asked, bytes;
    int64_t deadline_mono_ns;
};

static bool is_found(const struct gathering *gathering, const struct slu_registry_reference *wanted)
{
    for (size_t i = 0; i < gathering->n; i++)
        if (strcmp(gathering->found[i].name, wanted->name) == 0)
            return true;
    return false;
}

static int ask_reference(struct gathering *gathering, const struct slu_registry_reference *wanted,
                         struct slu_registry_said *said, struct slu_err *err)
{
    char tail[64];

    if (++gathering->asked > SLU_REGISTRY_REFERENCE_MAX)
        return slu_err_set(err, SLU_EINVAL, "the schema has more than %d references, with theirs",
                           SLU_REGISTRY_REFERENCE_MAX);
    snprintf(tail, sizeof(tail), "/versions/%" PRId64, wanted->version);
    if (slu_registry_ask_subject(gathering->registry, "/subjects/", wanted->subject, tail, NULL,
                                 gathering->deadline_mono_ns, err) != 0 ||
        slu_registry_read_schema(slu_buf_slice(&gathering->registry->reply.body),
                                 &gathering->schema->arena, said, err) != 0)
        return -1;
    gathering->bytes += said->text.len;
    if (gathering->bytes > REFERENCE_BYTES)
        return slu_err_set(err, SLU_EINVAL, "the schema's references are larger than %zu bytes",
                           REFERENCE_BYTES);
    return 0;
}

/* Depth first; bounded by REFERENCE_DEPTH and by how many are asked for, so a circle ends too. */
static int gather(struct gathering *gathering, const struct slu_registry_said *of, unsigned depth,
                  struct slu_err *err)
{
    if (depth > REFERENCE_DEPTH)
        return slu_err_set(err, SLU_EINVAL, "the schema's references go deeper than %d",
                           REFERENCE_DEPTH);
    for (size_t i = 0; i < of->n_references; i++) {
        struct slu_registry_reference *wanted = &of->references[i];
        struct slu_registry_said said;
        if (is_found(gathering, wanted))
            continue;
        if (ask_reference(gathering, wanted, &said, err) != 0 ||
            gather(gathering, &said, depth + 1, err) != 0)
            return -1;
        if (is_found(gathering, wanted))
            continue;
        gathering->found[gathering->n] = *wanted;
        gathering->found[gathering->n++].text = said.text;
    }
    return 0;
}

int slu_registry_gather(struct slu_registry *registry, struct slu_registry_schema *schema,
                        const struct slu_registry_said *said, int64_t deadline_mono_ns,
                        struct slu_err *err)
{
    struct gathering gathering = {
        .registry = registry, .schema = schema, .deadline_mono_ns = deadline_mono_ns};

    if (said->n_references == 0)
        return 0;
    gathering.found =
        slu_arena_array(&schema->arena, SLU_REGISTRY_REFERENCE_MAX, sizeof(gathering.found[0]));
    if (gathering.found == NULL)
        return slu_err_set(err, SLU_ENOMEM, "no memory for a schema's references");
    if (gather(&gathering, said, 1, err) != 0)
        return -1;
    schema->references = gathering.found;
    schema->n_references = gathering.n;
    return 0;
}
