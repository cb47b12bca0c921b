/* binding.c -- see binding.h. */
#include "plugin/binding.h"

#include "validation/json_schema/schema.h"

#include <stdlib.h>
#include <string.h>

static const struct slu_config_schema *schema_named(const struct slu_config *config,
                                                    const char *name)
{
    for (size_t i = 0; i < config->n_schemas; i++)
        if (strcmp(config->schemas[i].name, name) == 0)
            return &config->schemas[i];
    return NULL;
}

/* The spool's number of the configuration's schema of that name. */
static int number_schema(const struct slu_config *config, const char *name, struct slu_spool *spool,
                         uint16_t *number, struct slu_err *err)
{
    const struct slu_config_schema *schema = schema_named(config, name);

    if (schema == NULL)
        return slu_err_set(err, SLU_EINVAL, "schema %s has no document", name);
    *number = slu_spool_define_schema(spool, name, schema->type, schema->text);
    if (*number == 0)
        return slu_err_set(err, SLU_EFULL, "the spool has no number left for schema %s", name);
    return 0;
}

static int number_schemas(struct slu_binding *binding, const struct slu_config *config,
                          const struct slu_snapshot *snapshot, struct slu_spool *spool,
                          struct slu_err *err)
{
    for (size_t i = 0; i < snapshot->n_schemas; i++)
        if (number_schema(config, slu_schema_name(snapshot->schemas[i]), spool,
                          &binding->schemas[i], err) != 0)
            return -1;
    for (size_t i = 0; i < snapshot->n_avro_schemas; i++)
        if (number_schema(config, slu_avro_schema_name(snapshot->avro_schemas[i]), spool,
                          &binding->avro_schemas[i], err) != 0)
            return -1;
    return 0;
}

/* Places in the file → bits of the spool. */
static uint64_t spool_bits(const struct slu_config *config, uint64_t places)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < config->n_sinks && i < SLU_SINKS_MAX; i++)
        if ((places >> i & 1) != 0)
            bits |= UINT64_C(1) << config->sinks[i].bit;
    return bits;
}

static int bind_policy(struct slu_binding *binding, const struct slu_config *config,
                       const struct slu_snapshot *snapshot, const struct slu_policy *policy,
                       struct slu_spool *spool, struct slu_counts *counts, struct slu_err *err)
{
    struct slu_policy_binding *bound = &binding->policies[policy->index];

    bound->number = slu_spool_define_policy(spool, policy->id);
    if (bound->number == 0)
        return slu_err_set(err, SLU_EFULL, "the spool has no number left for policy %s",
                           policy->id);
    bound->counts = slu_counts_policy(counts, policy->id);
    if (bound->counts == NULL)
        return slu_err_set(err, SLU_ENOMEM, "no memory for the counters of policy %s", policy->id);
    bound->sinks = spool_bits(config, policy->sinks);
    bound->violation_sinks = spool_bits(config, policy->violation_sinks);
    if (policy->schema.n == 1)
        bound->schema = slu_binding_schema(binding, snapshot, policy->schema.schemas[0]);
    return 0;
}

struct slu_binding *slu_binding_new(const struct slu_config *config,
                                    const struct slu_snapshot *snapshot, struct slu_spool *spool,
                                    struct slu_counts *counts, struct slu_err *err)
{
    struct slu_binding *binding = calloc(1, sizeof(*binding));

    if (binding == NULL)
        goto no_memory;
    binding->policies = calloc(snapshot->n_policies + 1, sizeof(*binding->policies));
    binding->schemas = calloc(snapshot->n_schemas + 1, sizeof(*binding->schemas));
    binding->avro_schemas = calloc(snapshot->n_avro_schemas + 1, sizeof(*binding->avro_schemas));
    if (binding->policies == NULL || binding->schemas == NULL || binding->avro_schemas == NULL)
        goto no_memory;
    if (number_schemas(binding, config, snapshot, spool, err) != 0)
        goto fail;
    for (size_t i = 0; i < snapshot->n_policies; i++)
        if (bind_policy(binding, config, snapshot, &snapshot->policies[i], spool, counts, err) != 0)
            goto fail;
    slu_spool_await_definitions(spool);
    return binding;

no_memory:
    slu_err_set(err, SLU_ENOMEM, "no memory for %zu policies", snapshot->n_policies);
fail:
    slu_binding_free(binding);
    return NULL;
}

void slu_binding_free(struct slu_binding *binding)
{
    if (binding == NULL)
        return;
    free(binding->policies);
    free(binding->schemas);
    free(binding->avro_schemas);
    free(binding);
}

uint16_t slu_binding_schema(const struct slu_binding *binding, const struct slu_snapshot *snapshot,
                            const struct slu_schema *schema)
{
    for (size_t i = 0; schema != NULL && i < snapshot->n_schemas; i++)
        if (snapshot->schemas[i] == schema)
            return binding->schemas[i];
    return 0;
}

uint16_t slu_binding_avro(const struct slu_binding *binding, const struct slu_snapshot *snapshot,
                          const struct slu_avro_schema *schema)
{
    for (size_t i = 0; schema != NULL && i < snapshot->n_avro_schemas; i++)
        if (snapshot->avro_schemas[i] == schema)
            return binding->avro_schemas[i];
    return 0;
}
