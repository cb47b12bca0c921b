/* section.c -- see section.h. */
#include "sinks/section.h"

#include "base/yaml.h"

static const struct slu_node *copy(const struct slu_node *node, struct slu_arena *arena, int depth);

/* A terminated copy, also of the empty text. False: no memory. */
static bool copy_text(struct slu_slice *text, struct slu_arena *arena)
{
    text->data = slu_arena_copy(arena, *text);
    return text->data != NULL;
}

static bool copy_items(struct slu_node *made, const struct slu_node *node, struct slu_arena *arena,
                       int depth)
{
    const struct slu_node **items =
        slu_arena_array(arena, node->n, sizeof(const struct slu_node *));
    for (size_t i = 0; items != NULL && i < node->n; i++) {
        items[i] = copy(node->items[i], arena, depth - 1);
        if (items[i] == NULL)
            return false;
    }
    made->items = items;
    return items != NULL;
}

static bool copy_pairs(struct slu_node *made, const struct slu_node *node, struct slu_arena *arena,
                       int depth)
{
    struct slu_node_pair *pairs = slu_arena_array(arena, node->n, sizeof(*pairs));
    for (size_t i = 0; pairs != NULL && i < node->n; i++) {
        pairs[i] = node->pairs[i];
        pairs[i].value = copy(node->pairs[i].value, arena, depth - 1);
        if (pairs[i].value == NULL || !copy_text(&pairs[i].key, arena))
            return false;
    }
    made->pairs = pairs;
    return pairs != NULL;
}

static const struct slu_node *copy(const struct slu_node *node, struct slu_arena *arena, int depth)
{
    struct slu_node *made = depth > 0 ? slu_arena_alloc(arena, sizeof(*made)) : NULL;
    if (made == NULL)
        return NULL;
    *made = *node;
    made->file = slu_arena_copy(arena, slu_slice_of(node->file));
    if (made->file == NULL || !copy_text(&made->text, arena))
        return NULL;
    if (node->kind == SLU_NODE_LIST && node->n > 0 && !copy_items(made, node, arena, depth))
        return NULL;
    if (node->kind == SLU_NODE_MAP && node->n > 0 && !copy_pairs(made, node, arena, depth))
        return NULL;
    return made;
}

const struct slu_node *slu_section_copy(const struct slu_node *node, struct slu_arena *arena)
{
    return node != NULL ? copy(node, arena, SLU_YAML_MAX_DEPTH + 1) : NULL;
}
