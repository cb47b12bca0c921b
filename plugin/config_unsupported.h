/* config_unsupported.h -- options that are designed, but that this version does not have. They are
 * refused at their line, never silently ignored. */
#ifndef SLU_PLUGIN_CONFIG_UNSUPPORTED_H
#define SLU_PLUGIN_CONFIG_UNSUPPORTED_H

#include "base/node.h"
#include "plugin/config_manual.h"

struct slu_unsupported {
    enum slu_section section;
    const char *key;
    const char *value; /* NULL: the key itself; else this value, also as an item of a list */
    bool whole; /* the rest of the section is not looked at: its options belong to that value */
};

/* The row that this member of a section falls under; NULL: none. `*at` is the node to tell it at,
 * NULL: the key. */
const struct slu_unsupported *slu_unsupported_find(enum slu_section section,
                                                   const struct slu_node_pair *pair,
                                                   const struct slu_node **at);

/* The same for a key further down, in the map at this pointer. */
bool slu_unsupported_below(enum slu_section section, const char *map_pointer, struct slu_slice key);

#endif
