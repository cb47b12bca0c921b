/* connect.h -- `sluice check --connect`: what each sink met on its way to the far shore. */
#ifndef SLU_PLUGIN_CLI_CONNECT_H
#define SLU_PLUGIN_CLI_CONNECT_H

#include "base/buf.h"
#include "plugin/config.h"

/* Probe every sink of the configuration, one after the other, 15 s each at most. Appends "sinks":[…] when
 * `json`, else lines. True: all is good. */
bool slu_connect_report(const struct slu_config *config, bool json, struct slu_buf *out);

#endif
