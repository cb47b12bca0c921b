/* connect_registry.h -- `check --connect`: what the schema registry says to what a configuration wants of it.
 *
 * What it says is kept where the broker will look (data_dir/registry) when that may be written, so that the
 * broker's first start needs no registry; else in a folder that is gone when the check is done.
 */
#ifndef SLU_CLI_CONNECT_REGISTRY_H
#define SLU_CLI_CONNECT_REGISTRY_H

#include "plugin/registrar.h"
#include "sinks/report.h"

struct slu_connect_registry {
    bool is_there;                 /* the configuration has a registry */
    char url[256];                 /* its address */
    struct slu_sink_report report; /* what was met */
    char folder[512];              /* of the cache, when it is a private one; else "" */
};

/* Ask for all that `wants` names, and keep it. Afterwards the configuration can be loaded; with a
 * private folder, wants->cache of that load must be it. Waits for the network. */
void slu_connect_registry(struct slu_registry_wants *wants, struct slu_connect_registry *met);

/* Take away the private folder. */
void slu_connect_registry_end(struct slu_connect_registry *met);

#endif
