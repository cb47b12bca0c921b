/* config_say.h -- what is wrong with an option, in one sentence: what should be there (from the page of
 * the manual), what is there (never a secret), and what was probably meant. */
#ifndef SLU_PLUGIN_CONFIG_SAY_H
#define SLU_PLUGIN_CONFIG_SAY_H

#include "base/node.h"
#include "plugin/config_manual.h"
#include "validation/verdict.h"

#define SLU_SAY_MAX_BYTES 2048 /* a buffer for sentences needs no more */

/* The violation of `node`, whose page is `page`. */
void slu_say_violation(struct slu_buf *out, const struct slu_manual *manual,
                       const struct slu_verdict *verdict, const struct slu_violation *violation,
                       const struct slu_value *page, const struct slu_node *node);

/* A key that the map's page does not know. */
void slu_say_unknown(struct slu_buf *out, const struct slu_manual *manual,
                     const struct slu_value *page, struct slu_slice key);

/* `, did you mean "…"?`, when one of the names is near. */
void slu_say_nearest(struct slu_buf *out, struct slu_slice word, const char *const *names,
                     size_t n);

#endif
