/* sinks.c -- the table of sinks of this build. A new sink is a file and a row here. */
#include "sinks/file.h"
#include "sinks/kafka.h"
#include "sinks/postgresql.h"
#include "sinks/sink.h"

#include <string.h>

static const struct slu_sink_ops *const sinks[] = {
    &slu_sink_file,
    &slu_sink_postgresql,
    &slu_sink_kafka,
};
static const char types[] = "file"
                            ", postgresql"
                            ", kafka";

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
