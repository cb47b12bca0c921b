/* config_unsupported.c -- see config_unsupported.h. A feature that arrives takes its rows away. */
#include "plugin/config_unsupported.h"

#include <string.h>

static const struct slu_unsupported unsupported[] = {
    {SLU_SECTION_TOP, "default_draft", NULL, false},
    {SLU_SECTION_TOP, "quota", NULL, false},
    {SLU_SECTION_TOP, "dedupe", NULL, false},
    {SLU_SECTION_SCHEMA, "schema_documents", NULL, false},
    {SLU_SECTION_SCHEMA, "framing", NULL, false},
    {SLU_SECTION_POLICY, "payload", "csv", false},
    {SLU_SECTION_POLICY, "alarms", NULL, false},
    {SLU_SECTION_POLICY, "on_alarm", NULL, false},
    {SLU_SECTION_POLICY, "limits_table", NULL, false},
    {SLU_SECTION_POLICY, "alarms_table", NULL, false},
    {SLU_SECTION_POLICY, "require", NULL, false},
    {SLU_SECTION_POLICY, "dedupe", NULL, false},
    {SLU_SECTION_POLICY, "quota", NULL, false},
};

/* Keys of maps further down. */
static const struct {
    enum slu_section section;
    const char *map; /* the end of its pointer */
    const char *key;
} unsupported_below[] = {
    {SLU_SECTION_POLICY, "/timestamp", "max_future"},
    {SLU_SECTION_POLICY, "/timestamp", "max_age"},
    {SLU_SECTION_POLICY, "/timestamp", "order"},
};

static const struct slu_node *find_value(const struct slu_node *node, const char *value)
{
    if (node->kind == SLU_NODE_STRING && slu_slice_equal(node->text, slu_slice_of(value)))
        return node;
    for (size_t i = 0; node->kind == SLU_NODE_LIST && i < node->n; i++)
        if (node->items[i]->kind == SLU_NODE_STRING &&
            slu_slice_equal(node->items[i]->text, slu_slice_of(value)))
            return node->items[i];
    return NULL;
}

/* The row that this member of the section falls under, and the node it is told at (NULL: the key). */
const struct slu_unsupported *slu_unsupported_find(enum slu_section section,
                                                   const struct slu_node_pair *pair,
                                                   const struct slu_node **at)
{
    for (size_t i = 0; i < sizeof(unsupported) / sizeof(unsupported[0]); i++) {
        const struct slu_unsupported *row = &unsupported[i];
        if (row->section != section || !slu_slice_equal(pair->key, slu_slice_of(row->key)))
            continue;
        *at = row->value != NULL ? find_value(pair->value, row->value) : NULL;
        if (row->value == NULL || *at != NULL)
            return row;
    }
    return NULL;
}

bool slu_unsupported_below(enum slu_section section, const char *map_pointer, struct slu_slice key)
{
    const struct slu_slice pointer = slu_slice_of(map_pointer);

    for (size_t i = 0; i < sizeof(unsupported_below) / sizeof(unsupported_below[0]); i++) {
        const struct slu_slice map = slu_slice_of(unsupported_below[i].map);
        if (unsupported_below[i].section == section && pointer.len >= map.len &&
            memcmp(pointer.data + pointer.len - map.len, map.data, map.len) == 0 &&
            slu_slice_equal(key, slu_slice_of(unsupported_below[i].key)))
            return true;
    }
    return false;
}
