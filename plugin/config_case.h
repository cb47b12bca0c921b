/* config_case.h -- one case of the configuration's `tests`: a message, and what must become of it. */
#ifndef SLU_PLUGIN_CONFIG_CASE_H
#define SLU_PLUGIN_CONFIG_CASE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/node.h"
#include "validation/message.h"

struct slu_config_case {
    unsigned line;
    struct slu_message message; /* texts live in the nodes or the arena */
    bool has_time;              /* received_ns was given; else it is 0 and means now */
    const struct slu_node *expect;
    const char *verdict;          /* "holds", "violation", "skipped"; NULL: not compared */
    const char *code;             /* NULL: not compared */
    const char *topic;            /* NULL: not compared */
    const struct slu_node *sinks; /* list of names; NULL: not compared */
};

/* Read one that is well formed by config.schema.json. `pointer` is its own ("/tests/0"), for err. */
int slu_config_case_read(const struct slu_node *node, const char *pointer, struct slu_arena *arena,
                         struct slu_config_case *test, struct slu_err *err);

#endif
