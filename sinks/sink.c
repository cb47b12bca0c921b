/* sink.c -- what every sink needs of its surroundings; see sink.h. */
#include "sinks/sink.h"

#include "sinks/envelope.h"

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
