/* section.h -- a sink's own copy of its section of the configuration.
 *
 * A delivery may have to open its sink again long after the configuration that named it is gone.
 *
 * Threads: the copy never changes.
 */
#ifndef SLU_SINKS_SECTION_H
#define SLU_SINKS_SECTION_H

#include "base/arena.h"
#include "base/node.h"

/* Copy `node` and all below it into `arena`. NULL for NULL, and when there is no memory (or the
 * section is nested deeper than the reader would have allowed). */
const struct slu_node *slu_section_copy(const struct slu_node *node, struct slu_arena *arena);

#endif
