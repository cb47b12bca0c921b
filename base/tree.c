/* tree.c -- see tree.h for who tells what.
 *
 * No recursion: a container that is still open is a frame on a stack. What it holds so far waits in
 * one common heap of pairs (lists leave the key empty) and moves to the arena when it closes:
 *
 *     sinks: {archive: {type: file, path: |
 *                                         ^ we are here
 *     frames    map        map          map
 *               │          │            │
 *     pending   │ sinks →  │ archive →  │ type → file  │ path →  │
 *
 * So the last pair of each frame leads to where we are, which gives the JSON Pointer of a problem.
 *
 * Aliases share the anchor's node. What the tree would weigh if it were copied is counted, since
 * whoever walks the tree pays for that: nodes against SLU_TREE_MAX_NODES, levels against
 * SLU_TREE_MAX_DEPTH.
 */
#include "base/tree.h"

#include "base/hash.h"
#include "base/random.h"
#include "base/utf8.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define NO_ANCHOR SIZE_MAX

struct slu_tree_anchor {
    const char *name; /* in the arena */
    const struct slu_node *node;
    size_t weight; /* nodes of it, aliases in it resolved */
    size_t height; /* levels of containers in it; 0: a scalar */
    bool is_open;  /* we are inside it */
};

void slu_tree_init(struct slu_tree *tree, const char *name, struct slu_arena *arena,
                   struct slu_problems *problems)
{
    *tree = (struct slu_tree){.name = name, .arena = arena, .problems = problems};
}

void slu_tree_fini(struct slu_tree *tree)
{
    free(tree->pending);
    free(tree->anchors);
    tree->pending = NULL;
    tree->anchors = NULL;
}

/* ---- problems ---- */

/* One reference token (RFC 6901 §3), or as much of it as fits. */
static void add_token(struct slu_buf *out, struct slu_slice key)
{
    slu_buf_add_char(out, '/');
    for (size_t i = 0; i < key.len && !out->failed; i++) {
        if (key.data[i] == '~')
            slu_buf_add_text(out, "~0");
        else if (key.data[i] == '/')
            slu_buf_add_text(out, "~1");
        else
            slu_buf_add_char(out, key.data[i]);
    }
}

/* The JSON Pointer of the value that comes next, or of the map when that waits for a key; `key`, if
 * not NULL, is one more step. */
static void write_pointer(const struct slu_tree *tree, const struct slu_slice *key,
                          struct slu_buf *out)
{
    for (size_t i = 0; i < tree->depth; i++) {
        const struct slu_tree_frame *frame = &tree->frames[i];
        const bool is_top = i + 1 == tree->depth;
        const size_t end = is_top ? tree->n_pending : tree->frames[i + 1].first;
        if (frame->node->kind == SLU_NODE_LIST)
            slu_buf_printf(out, "/%zu", end - frame->first - (is_top ? 0 : 1));
        else if (!is_top || frame->has_key)
            add_token(out, tree->pending[end - 1].key);
    }
    if (key != NULL)
        add_token(out, *key);
}

/* `key` as for write_pointer(). */
static void tell(struct slu_tree *tree, struct slu_place place, struct slu_err *err,
                 const struct slu_slice *key)
{
    struct slu_buf pointer;
    slu_buf_init(&pointer, sizeof(err->pointer) - 1);
    write_pointer(tree, key, &pointer);
    slu_err_place(err, tree->name, place.line, place.column, slu_buf_text(&pointer));
    slu_problems_add(tree->problems, false, err);
    slu_buf_fini(&pointer);
}

void slu_tree_tell(struct slu_tree *tree, struct slu_place place, struct slu_err *err)
{
    tell(tree, place, err, NULL);
}

void slu_tree_say(struct slu_tree *tree, struct slu_place place, const char *sentence)
{
    struct slu_err err = {0};
    slu_err_set(&err, SLU_EINVAL, "%s", sentence);
    tell(tree, place, &err, NULL);
}

void slu_tree_stop(struct slu_tree *tree, struct slu_place place, const char *sentence)
{
    slu_tree_say(tree, place, sentence);
    tree->stop = true;
}

void slu_tree_no_memory(struct slu_tree *tree)
{
    if (!tree->stop)
        slu_problems_error(tree->problems, tree->name, 0, 0, NULL, "no memory to read this file");
    tree->stop = true;
}

/* ---- nodes ---- */

static bool count_nodes(struct slu_tree *tree, struct slu_place place, size_t n)
{
    if (n <= SLU_TREE_MAX_NODES - tree->n_nodes) {
        tree->n_nodes += n;
        return true;
    }
    char sentence[80];
    snprintf(sentence, sizeof(sentence),
             "the file has more than %u values, aliases counted as copies", SLU_TREE_MAX_NODES);
    slu_tree_stop(tree, place, sentence);
    return false;
}

struct slu_node *slu_tree_node(struct slu_tree *tree, struct slu_place place)
{
    if (!count_nodes(tree, place, 1))
        return NULL;
    struct slu_node *node = slu_arena_alloc(tree->arena, sizeof(*node));
    if (node == NULL) {
        slu_tree_no_memory(tree);
        return NULL;
    }
    node->line = place.line;
    node->column = place.column;
    node->file = tree->name;
    return node;
}

static struct slu_node_pair *push_pending(struct slu_tree *tree)
{
    if (tree->n_pending == tree->max_pending) {
        const size_t max = tree->max_pending == 0 ? 64 : tree->max_pending * 2;
        struct slu_node_pair *more = realloc(tree->pending, max * sizeof(*more));
        if (more == NULL) {
            slu_tree_no_memory(tree);
            return NULL;
        }
        tree->pending = more;
        tree->max_pending = max;
    }
    struct slu_node_pair *pair = &tree->pending[tree->n_pending++];
    *pair = (struct slu_node_pair){0};
    return pair;
}

static struct slu_tree_frame *top(struct slu_tree *tree)
{
    return tree->depth > 0 ? &tree->frames[tree->depth - 1] : NULL;
}

bool slu_tree_wants_key(const struct slu_tree *tree)
{
    if (tree->depth == 0)
        return false;
    const struct slu_tree_frame *frame = &tree->frames[tree->depth - 1];
    return frame->node->kind == SLU_NODE_MAP && !frame->has_key;
}

void slu_tree_key(struct slu_tree *tree, struct slu_place place, struct slu_slice text)
{
    const char *copy = slu_arena_copy(tree->arena, text);
    struct slu_node_pair *pair = copy != NULL ? push_pending(tree) : NULL;
    if (pair == NULL) {
        slu_tree_no_memory(tree);
        return;
    }
    pair->key = slu_slice(copy, text.len);
    pair->key_line = place.line;
    pair->key_column = place.column;
    top(tree)->has_key = true;
}

/* Put `node` where the next value belongs; what it holds is `height` levels high. */
static bool attach(struct slu_tree *tree, const struct slu_node *node, size_t height)
{
    struct slu_tree_frame *frame = top(tree);
    if (frame == NULL)
        return true;
    if (frame->height < height + 1)
        frame->height = height + 1;
    if (frame->node->kind == SLU_NODE_MAP) {
        tree->pending[tree->n_pending - 1].value = node;
        frame->has_key = false;
        return true;
    }
    struct slu_node_pair *pair = push_pending(tree);
    if (pair == NULL)
        return false;
    pair->value = node;
    return true;
}

/* ---- anchors ---- */

/* A new anchor for `node`; NO_ANCHOR without a name or on error. */
static size_t add_anchor(struct slu_tree *tree, const struct slu_node *node, const char *name,
                         bool is_open)
{
    if (name == NULL)
        return NO_ANCHOR;
    if (tree->n_anchors == SLU_TREE_MAX_ANCHORS) {
        slu_tree_stop(tree, (struct slu_place){node->line, node->column},
                      "the file has too many anchors (&name)");
        return NO_ANCHOR;
    }
    if (tree->anchors == NULL)
        tree->anchors = calloc(SLU_TREE_MAX_ANCHORS, sizeof(tree->anchors[0]));
    const char *copy = slu_arena_copy(tree->arena, slu_slice_of(name));
    if (tree->anchors == NULL || copy == NULL) {
        slu_tree_no_memory(tree);
        return NO_ANCHOR;
    }
    tree->anchors[tree->n_anchors] = (struct slu_tree_anchor){copy, node, 1, 0, is_open};
    return tree->n_anchors++;
}

/* The latest of that name: YAML lets a name be used again. */
static const struct slu_tree_anchor *find_anchor(const struct slu_tree *tree, const char *name)
{
    for (size_t i = tree->n_anchors; i-- > 0;) {
        if (strcmp(tree->anchors[i].name, name) == 0)
            return &tree->anchors[i];
    }
    return NULL;
}

void slu_tree_alias(struct slu_tree *tree, struct slu_place place, const char *name)
{
    const struct slu_tree_anchor *anchor = find_anchor(tree, name);
    char sentence[160];
    if (anchor == NULL || anchor->is_open) {
        snprintf(sentence, sizeof(sentence), "*%.64s %s", name,
                 anchor == NULL ? "has no anchor before it; if it is text, quote it"
                                : "stands inside of what it refers to");
        slu_tree_stop(tree, place, sentence);
    } else if (tree->depth + anchor->height > SLU_TREE_MAX_DEPTH) {
        slu_tree_stop(tree, place, "the alias nests lists and maps too deeply");
    } else if (count_nodes(tree, place, anchor->weight)) {
        (void)attach(tree, anchor->node, anchor->height);
    }
}

/* ---- values ---- */

void slu_tree_scalar(struct slu_tree *tree, struct slu_node *node, const char *anchor)
{
    (void)add_anchor(tree, node, anchor, false);
    if (tree->depth == 0)
        tree->root = node;
    (void)attach(tree, node, 0);
}

void slu_tree_open(struct slu_tree *tree, struct slu_node *node, const char *anchor)
{
    if (tree->depth == SLU_TREE_MAX_DEPTH) {
        slu_tree_stop(tree, (struct slu_place){node->line, node->column},
                      "lists and maps are nested too deeply");
        return;
    }
    if (tree->depth == 0)
        tree->root = node;
    const size_t place = add_anchor(tree, node, anchor, true);
    if (!attach(tree, node, 1))
        return;
    tree->frames[tree->depth++] = (struct slu_tree_frame){.node = node,
                                                          .first = tree->n_pending,
                                                          .nodes_before = tree->n_nodes - 1,
                                                          .height = 1,
                                                          .anchor = place};
}

static void tell_twice(struct slu_tree *tree, const struct slu_node_pair *first,
                       const struct slu_node_pair *second)
{
    struct slu_err err = {0};
    const struct slu_slice key = second->key;
    slu_err_set(&err, SLU_EINVAL, "\"%.*s\" comes twice; the first is in line %u",
                (int)slu_utf8_cut(key.data, key.len, 128), key.data, first->key_line);
    tell(tree, (struct slu_place){second->key_line, second->key_column}, &err, &key);
}

/* The index of the first pair with the key of pairs[i]. `table` has `slots` (a power of two, more
 * than there are pairs) places of 1 + index, 0: free. */
static size_t first_with_key(const struct slu_node_pair *pairs, size_t i, size_t *table,
                             size_t slots, uint64_t seed)
{
    size_t slot = (size_t)slu_hash_bytes(seed, pairs[i].key.data, pairs[i].key.len) & (slots - 1);
    while (table[slot] != 0) {
        if (slu_slice_equal(pairs[table[slot] - 1].key, pairs[i].key))
            return table[slot] - 1;
        slot = (slot + 1) & (slots - 1);
    }
    table[slot] = i + 1;
    return i;
}

static void check_unique(struct slu_tree *tree, const struct slu_node_pair *pairs, size_t n)
{
    size_t slots = 16, few[16] = {0};
    uint64_t seed = 0;
    while (slots < 2 * n)
        slots *= 2;
    size_t *table = slots == 16 ? few : calloc(slots, sizeof(table[0]));
    if (table == NULL) {
        slu_tree_no_memory(tree);
        return;
    }
    if (table != few)
        slu_random_fill(&seed, sizeof(seed));
    for (size_t i = 0; i < n; i++) {
        const size_t first = first_with_key(pairs, i, table, slots, seed);
        if (first != i)
            tell_twice(tree, &pairs[first], &pairs[i]);
    }
    if (table != few)
        free(table);
}

/* Move what was pending into the node. */
static bool fill_container(struct slu_tree *tree, struct slu_node *node,
                           const struct slu_node_pair *pairs, size_t n)
{
    const size_t size = node->kind == SLU_NODE_MAP ? sizeof(pairs[0]) : sizeof(pairs[0].value);
    void *memory = slu_arena_array(tree->arena, n, size);
    if (memory == NULL)
        return false;
    node->n = n;
    if (node->kind == SLU_NODE_MAP) {
        if (n > 0)
            memcpy(memory, pairs, n * sizeof(pairs[0]));
        node->pairs = memory;
        return true;
    }
    const struct slu_node **items = memory;
    for (size_t i = 0; i < n; i++)
        items[i] = pairs[i].value;
    node->items = items;
    return true;
}

void slu_tree_close(struct slu_tree *tree)
{
    const struct slu_tree_frame frame = *top(tree);
    const size_t n = tree->n_pending - frame.first;
    if (!fill_container(tree, frame.node, n > 0 ? &tree->pending[frame.first] : NULL, n)) {
        slu_tree_no_memory(tree);
        return;
    }
    if (frame.node->kind == SLU_NODE_MAP)
        check_unique(tree, frame.node->pairs, n);
    tree->depth--;
    tree->n_pending = frame.first;
    if (frame.anchor != NO_ANCHOR) {
        tree->anchors[frame.anchor].is_open = false;
        tree->anchors[frame.anchor].weight = tree->n_nodes - frame.nodes_before;
        tree->anchors[frame.anchor].height = frame.height;
    }
    struct slu_tree_frame *parent = top(tree);
    if (parent != NULL && parent->height < frame.height + 1)
        parent->height = frame.height + 1;
}
