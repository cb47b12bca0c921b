/* fuzz_registry.c -- what a registry may say and what may lie in its cache: read, put together, and what
 * was put together compiled. Nothing that is read may be out of its range. */
#include "base/problems.h"
#include "sinks/registry_reply.h"
#include "sinks/registry_whole.h"
#include "validation/avro/schema.h"

#include <stdlib.h>

#define ARENA_BYTES ((size_t)16 << 20)

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void compile(struct slu_slice text)
{
    const struct slu_avro_schema_options options = {.registry_id = -1, .no_second_opinion = true};
    struct slu_problems problems;

    slu_problems_init(&problems);
    slu_avro_schema_free(slu_avro_schema_compile(text, &options, &problems));
    slu_problems_fini(&problems);
}

static void put_together(const struct slu_registry_said *said, struct slu_arena *arena)
{
    struct slu_registry_schema schema = {
        .text = said->text, .references = said->references, .n_references = said->n_references};
    struct slu_err err = {0};
    const struct slu_slice whole = slu_registry_whole(&schema, arena, &err);

    check((whole.len == 0) == (err.kind != SLU_OK));
    if (whole.len > 0)
        compile(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slu_slice json = slu_slice((const char *)data, size);
    struct slu_registry_said said;
    struct slu_arena arena;
    struct slu_err err = {0};
    int64_t id, versions[4];
    bool compatible;
    char text[64];
    size_t n;

    slu_arena_init(&arena, ARENA_BYTES);
    if (slu_registry_read_schema(json, &arena, &said, &err) == 0) {
        check(said.id >= -1 && said.id <= SLU_REGISTRY_ID_MAX && said.version >= 0);
        check(said.text.len > 0 && said.n_references <= SLU_REGISTRY_REFERENCE_MAX);
        put_together(&said, &arena);
    } else {
        check(err.kind != SLU_OK);
    }
    if (slu_registry_read_id(json, &id, NULL) == 0)
        check(id >= 0 && id <= SLU_REGISTRY_ID_MAX);
    if (slu_registry_read_versions(json, versions, 4, &n, NULL) == 0)
        for (size_t i = 0; i < n; i++)
            check(versions[i] >= 1 && (i == 0 || versions[i] > versions[i - 1]));
    slu_registry_read_compatible(json, &compatible, text, sizeof(text), NULL);
    slu_registry_read_error(json, text, sizeof(text));
    slu_registry_read_key(json, &arena);
    slu_arena_fini(&arena);
    return 0;
}
