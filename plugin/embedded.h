/* embedded.h -- the documents of schemas/ that travel inside the program (made by cmake/embed.cmake).
 * Terminated texts; `_len` without the NUL. */
#ifndef SLU_PLUGIN_EMBEDDED_H
#define SLU_PLUGIN_EMBEDDED_H

#include <stddef.h>

extern const char slu_embedded_config[];
extern const size_t slu_embedded_config_len;
extern const char slu_embedded_alert[];
extern const size_t slu_embedded_alert_len;
extern const char slu_embedded_record[];
extern const size_t slu_embedded_record_len;

#endif
