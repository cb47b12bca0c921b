/* sinks.c -- the table of sinks of this build. A new sink is a file and a row here. */
#include "sinks/envelope.h"
#include "sinks/file.h"
#include "sinks/sink.h"

#include <string.h>

static const struct slu_sink_ops *const sinks[] = {
    &slu_sink_file,
};
static const char types[] = "file";

const struct slu_sink_ops *slu_sink_find(const char *type)
{
    for (size_t i = 0; i < sizeof(sinks) / sizeof(sinks[0]); i++) {
        if (strcmp(sinks[i]->type, type) == 0)
            return sinks[i];
    }
    return NULL;
}

const char *slu_sink_types(void)
{
    return types;
}

struct slu_envelope slu_sink_envelope(const struct slu_sink_env *env,
                                      const struct slu_record *record)
{
    return (struct slu_envelope){
        .instance = env->instance,
        .spool_id = env->spool_id,
        .policy = env->policy_name(env->names, record->policy),
        .schema = record->schema != 0 ? env->schema_name(env->names, record->schema) : NULL,
        .schema_text = record->schema != 0 && env->schema_text != NULL
                           ? env->schema_text(env->names, record->schema)
                           : slu_slice(NULL, 0),
        .decoder = env->decoder,
    };
}
