/* config.h -- the configuration file → checked options and a compiled snapshot.
 *
 *   file ──yaml──▶ nodes ──config.schema.json──▶ struct slu_config ──slu_snapshot_compile──▶ snapshot
 *
 * Used alike by the plugin (start, reload) and every verb of the command line.
 */
#ifndef SLU_PLUGIN_CONFIG_H
#define SLU_PLUGIN_CONFIG_H

#include "base/arena.h"
#include "base/node.h"
#include "base/problems.h"
#include "plugin/registrar.h"
#include "sinks/sink.h"
#include "sinks/spool/spool.h"
#include "validation/policy.h"

#include <stddef.h>
#include <stdint.h>

struct slu_config_sink {
    const char *name;
    const struct slu_sink_ops *ops;
    const struct slu_node *section;
    enum slu_when_full when_full;
    size_t batch_records;  /* 0: the default */
    int64_t batch_time_ns; /* 0: the default */
    int bit;               /* of policies' `sinks`; see slu_config_load */
    uint64_t fingerprint;  /* of the section's content: a changed sink is stopped and opened */
};

struct slu_config_schema {
    const char *name; /* "oven:1" */
    const char *type; /* "json-schema" */
    struct slu_slice text;
};

struct slu_config {
    const char *file;
    const char *instance;
    const char *data_dir; /* absolute */
    struct slu_spool_options spool;
    struct slu_config_sink *sinks;
    size_t n_sinks;
    const struct slu_config_schema *schemas;
    size_t n_schemas;
    struct slu_snapshot *snapshot; /* owned until somebody takes it (sets NULL) */
    const struct slu_node *root;   /* the whole tree; `tests` is read from here */
    struct slu_arena arena;
};

/* Gives a sink its bit when the policies are compiled; NULL: bits are places in the file. */
typedef int slu_config_bit(void *context, const struct slu_config_sink *sink, struct slu_err *err);

/* As slu_config_load(); `wants` (which must be empty) says what the registry is to be asked, also when the
 * result is NULL. When what the cache lacks is all that is wrong, wants->n_missing is the number of errors
 * that came to `problems`. */
struct slu_config *slu_config_load_wanting(const char *file, slu_config_bit *bit, void *context,
                                           struct slu_problems *problems,
                                           struct slu_registry_wants *wants);

/* Load, check, compile. Relative paths start at the file's folder. NULL when there is any error in
 * `problems`. Free with slu_config_free(). Any thread; touches no network:
 * schemas of a registry come from its cache in data_dir. */
struct slu_config *slu_config_load(const char *file, slu_config_bit *bit, void *context,
                                   struct slu_problems *problems);
void slu_config_free(struct slu_config *config);

#endif
