/* yaml.c -- see yaml.h for what is read and what is refused.
 *
 * libyaml cuts the text into events; this file builds nodes from them without recursion. A container
 * that is still open is a frame on a stack of SLU_YAML_MAX_DEPTH; what it holds so far waits in one
 * common heap of pairs (lists leave the key empty) and moves to the arena when it closes:
 *
 *     sinks: {archive: {type: file, path: |            frames    map    map    map
 *                                         ^                       │      │      └──────────────┐
 *                                     we are here                 │      └──────┐              │
 *                                                      pending  │ sinks → │ archive → │ type →, path → │
 *
 * So the last pair of each frame leads to where we are, which gives the JSON Pointer of a problem.
 *
 * Aliases share the anchor's node. What the tree would weigh if it were copied is counted, since
 * whoever walks the tree pays for that: nodes against SLU_YAML_MAX_NODES and levels against
 * SLU_YAML_MAX_DEPTH.
 *
 * A problem with a value (a secret that is missing, a key twice) does not stop the reading, so that a
 * file's problems are told at once. What stops it: text that is no YAML, and the ceilings.
 *
 * Threads: nothing is shared but the environment (see secret.c).
 */
#include "base/yaml.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/scalar.h"
#include "base/secret.h"
#include "base/utf8.h"

#include <yaml.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* A container that is not closed yet. */
struct frame {
    struct slu_node *node;
    size_t first;        /* its first pair in `pending` */
    size_t nodes_before; /* n_nodes before it was opened */
    size_t height;       /* levels of containers in it so far, itself included */
    size_t anchor;       /* its place in `anchors`, or NO_ANCHOR */
    bool has_key;        /* map: the last pair waits for its value */
};

#define NO_ANCHOR SIZE_MAX

struct anchor {
    const char *name; /* in the arena */
    const struct slu_node *node;
    size_t weight; /* nodes of it, aliases in it resolved */
    size_t height; /* levels of containers in it; 0: a scalar */
    bool is_open;  /* we are inside it */
};

/* A position in the text, in characters (as libyaml counts) and in bytes (as errors do). */
struct position {
    size_t character, byte;
};

struct reader {
    yaml_parser_t parser;
    struct slu_slice text; /* without byte order mark */
    const char *name;      /* of the file, in the arena */
    char *folder;          /* of the file, in the arena */
    struct slu_arena *arena;
    struct slu_problems *problems;
    size_t errors_before; /* problems->n_errors at the start */

    struct frame frames[SLU_YAML_MAX_DEPTH];
    size_t depth;
    struct slu_node_pair *pending; /* owned */
    size_t n_pending, max_pending;
    struct anchor *anchors; /* owned; SLU_YAML_MAX_ANCHORS, made with the first */
    size_t n_anchors;
    size_t n_nodes;
    struct position line_start, mark; /* where column_of() was last */

    struct slu_node *root;
    size_t n_documents;
    bool stop; /* no further event makes sense */
};

/* ---- places ---- */

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Move to `character`, by steps: marks come nearly in order, so all steps together are few. */
static size_t seek(struct slu_slice text, struct position *position, size_t character)
{
    while (position->character < character && position->byte < text.len) {
        do
            position->byte++;
        while (position->byte < text.len && is_continuation(text.data[position->byte]));
        position->character++;
    }
    while (position->character > character && position->byte > 0) {
        do
            position->byte--;
        while (position->byte > 0 && is_continuation(text.data[position->byte]));
        position->character--;
    }
    return position->byte;
}

/* The 1-based column in bytes. */
static unsigned column_of(struct reader *reader, const yaml_mark_t *mark)
{
    const size_t characters = mark->column < mark->index ? mark->column : mark->index;
    const size_t begin = seek(reader->text, &reader->line_start, mark->index - characters);
    const size_t at = seek(reader->text, &reader->mark, mark->index);
    return (unsigned)(at - begin) + 1;
}

static unsigned line_of(const yaml_mark_t *mark)
{
    return (unsigned)mark->line + 1;
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

/* The JSON Pointer of what the frames lead to; `key`, if not NULL, is one more step. */
static void write_pointer(const struct reader *reader, const struct slu_slice *key,
                          struct slu_buf *out)
{
    for (size_t i = 0; i < reader->depth; i++) {
        const struct frame *frame = &reader->frames[i];
        const size_t end = i + 1 < reader->depth ? reader->frames[i + 1].first : reader->n_pending;
        if (end == frame->first)
            break;
        if (frame->node->kind == SLU_NODE_MAP)
            add_token(out, reader->pending[end - 1].key);
        else
            slu_buf_printf(out, "/%zu", end - 1 - frame->first);
    }
    if (key != NULL)
        add_token(out, *key);
}

/* Add `err` with its place; `key` as for write_pointer(). */
static void tell(struct reader *reader, struct slu_err *err, unsigned line, unsigned column,
                 const struct slu_slice *key)
{
    struct slu_buf pointer;
    slu_buf_init(&pointer, sizeof(err->pointer) - 1);
    write_pointer(reader, key, &pointer);
    slu_err_place(err, reader->name, line, column, slu_buf_text(&pointer));
    slu_problems_add(reader->problems, false, err);
    slu_buf_fini(&pointer);
}

static void tell_at(struct reader *reader, const yaml_mark_t *mark, const char *sentence)
{
    struct slu_err err = {0};
    slu_err_set(&err, SLU_EINVAL, "%s", sentence);
    tell(reader, &err, line_of(mark), column_of(reader, mark), NULL);
}

static void stop_at(struct reader *reader, const yaml_mark_t *mark, const char *sentence)
{
    tell_at(reader, mark, sentence);
    reader->stop = true;
}

static void no_memory(struct reader *reader)
{
    if (!reader->stop)
        slu_problems_error(reader->problems, reader->name, 0, 0, NULL,
                           "no memory to read this file");
    reader->stop = true;
}

/* What libyaml's words do not say. */
static const struct {
    const char *problem, *hint;
} hints[] = {
    {"found character that cannot start any token",
     "a tab cannot indent, and a value that begins with @ or ` or % must be quoted"},
    {"mapping values are not allowed in this context",
     "a value that contains \": \" must be quoted; else look at the indentation"},
    {"did not find expected key", "look at the indentation of this line and the one before"},
    {"did not find expected '-' indicator", "look at the indentation of this line"},
    {"did not find expected ',' or ']'", "a value with , or ] in it must be quoted"},
    {"did not find expected ',' or '}'", "a value with , or } in it must be quoted"},
    {"did not find expected alphabetic or numeric character",
     "a value that begins with * or & must be quoted"},
};

static const char *hint_for(const char *problem)
{
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        if (strcmp(problem, hints[i].problem) == 0)
            return hints[i].hint;
    }
    return NULL;
}

/* libyaml gave up: tell in its words where and why. */
static void tell_libyaml(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    reader->stop = true;
    if (parser->error == YAML_MEMORY_ERROR) {
        reader->stop = false;
        no_memory(reader);
        return;
    }
    const char *problem = parser->problem != NULL ? parser->problem : "this is not YAML";
    const char *hint = hint_for(problem);
    struct slu_err err = {0};
    unsigned line = line_of(&parser->problem_mark), column = 0;
    if (parser->error == YAML_READER_ERROR) {
        /* It knows an offset in bytes only. */
        line = 1;
        column = 1;
        for (size_t i = 0; i < parser->problem_offset && i < reader->text.len; i++) {
            column = reader->text.data[i] == '\n' ? 1 : column + 1;
            line += reader->text.data[i] == '\n';
        }
    } else {
        column = column_of(reader, &parser->problem_mark);
    }
    if (parser->context != NULL && parser->context_mark.line != parser->problem_mark.line)
        slu_err_set(&err, SLU_EINVAL, "%s, %s that begins in line %u%s%s", problem, parser->context,
                    line_of(&parser->context_mark), hint != NULL ? ": " : "",
                    hint != NULL ? hint : "");
    else
        slu_err_set(&err, SLU_EINVAL, "%s%s%s", problem, hint != NULL ? ": " : "",
                    hint != NULL ? hint : "");
    slu_err_place(&err, reader->name, line, column, NULL);
    slu_problems_add(reader->problems, false, &err);
}

/* ---- nodes ---- */

static bool count_nodes(struct reader *reader, const yaml_mark_t *mark, size_t n)
{
    if (n <= SLU_YAML_MAX_NODES - reader->n_nodes) {
        reader->n_nodes += n;
        return true;
    }
    char sentence[80];
    snprintf(sentence, sizeof(sentence),
             "the file has more than %u values, aliases counted as copies", SLU_YAML_MAX_NODES);
    stop_at(reader, mark, sentence);
    return false;
}

static struct slu_node *new_node(struct reader *reader, const yaml_mark_t *mark)
{
    if (!count_nodes(reader, mark, 1))
        return NULL;
    struct slu_node *node = slu_arena_alloc(reader->arena, sizeof(*node));
    if (node == NULL) {
        no_memory(reader);
        return NULL;
    }
    node->line = line_of(mark);
    node->column = column_of(reader, mark);
    node->file = reader->name;
    return node;
}

static struct slu_node_pair *push_pending(struct reader *reader)
{
    if (reader->n_pending == reader->max_pending) {
        const size_t max = reader->max_pending == 0 ? 64 : reader->max_pending * 2;
        struct slu_node_pair *more = realloc(reader->pending, max * sizeof(*more));
        if (more == NULL) {
            no_memory(reader);
            return NULL;
        }
        reader->pending = more;
        reader->max_pending = max;
    }
    struct slu_node_pair *pair = &reader->pending[reader->n_pending++];
    *pair = (struct slu_node_pair){0};
    return pair;
}

static struct frame *top(struct reader *reader)
{
    return reader->depth > 0 ? &reader->frames[reader->depth - 1] : NULL;
}

/* Does a map wait for a key? */
static bool wants_key(struct reader *reader)
{
    const struct frame *frame = top(reader);
    return frame != NULL && frame->node->kind == SLU_NODE_MAP && !frame->has_key;
}

/* Put `node` where the next value belongs. */
static bool attach(struct reader *reader, const struct slu_node *node)
{
    struct frame *frame = top(reader);
    if (frame == NULL)
        return true;
    if (frame->node->kind == SLU_NODE_MAP) {
        reader->pending[reader->n_pending - 1].value = node;
        frame->has_key = false;
        return true;
    }
    struct slu_node_pair *pair = push_pending(reader);
    if (pair == NULL)
        return false;
    pair->value = node;
    return true;
}

/* ---- anchors ---- */

/* A new anchor for `node`; NO_ANCHOR without a name or on error. */
static size_t add_anchor(struct reader *reader, const yaml_mark_t *mark, const yaml_char_t *name,
                         const struct slu_node *node, bool is_open)
{
    if (name == NULL)
        return NO_ANCHOR;
    if (reader->n_anchors == SLU_YAML_MAX_ANCHORS) {
        stop_at(reader, mark, "the file has too many anchors (&name)");
        return NO_ANCHOR;
    }
    if (reader->anchors == NULL)
        reader->anchors = calloc(SLU_YAML_MAX_ANCHORS, sizeof(reader->anchors[0]));
    const char *copy = slu_arena_copy(reader->arena, slu_slice_of((const char *)name));
    if (reader->anchors == NULL || copy == NULL) {
        no_memory(reader);
        return NO_ANCHOR;
    }
    reader->anchors[reader->n_anchors] = (struct anchor){copy, node, 1, 0, is_open};
    return reader->n_anchors++;
}

/* The latest of that name: YAML lets a name be used again. */
static const struct anchor *find_anchor(const struct reader *reader, const char *name)
{
    for (size_t i = reader->n_anchors; i-- > 0;) {
        if (strcmp(reader->anchors[i].name, name) == 0)
            return &reader->anchors[i];
    }
    return NULL;
}

static void on_alias(struct reader *reader, const yaml_event_t *event)
{
    const yaml_mark_t *mark = &event->start_mark;
    char sentence[160];
    if (wants_key(reader)) {
        stop_at(reader, mark, "an alias cannot be a key; if it is text, quote it");
        return;
    }
    const char *name = (const char *)event->data.alias.anchor;
    const struct anchor *anchor = find_anchor(reader, name);
    if (anchor == NULL || anchor->is_open) {
        snprintf(sentence, sizeof(sentence), "*%.64s %s", name,
                 anchor == NULL ? "has no anchor before it; if it is text, quote it"
                                : "stands inside of what it refers to");
        stop_at(reader, mark, sentence);
        return;
    }
    if (reader->depth + anchor->height > SLU_YAML_MAX_DEPTH) {
        stop_at(reader, mark, "the alias nests lists and maps too deeply");
        return;
    }
    struct frame *frame = top(reader);
    if (!count_nodes(reader, mark, anchor->weight) || frame == NULL ||
        !attach(reader, anchor->node))
        return;
    if (frame->height < anchor->height + 1)
        frame->height = anchor->height + 1;
}

/* ---- scalars ---- */

/* Explicit types would be a second way to say what the configuration's schema says. */
static bool refuse_tag(struct reader *reader, const yaml_mark_t *mark, const yaml_char_t *tag)
{
    if (tag == NULL)
        return false;
    char sentence[160];
    snprintf(sentence, sizeof(sentence),
             "tags are not used here (%.64s); quote a value to make it text", (const char *)tag);
    tell_at(reader, mark, sentence);
    return true;
}

static void on_key(struct reader *reader, const yaml_event_t *event, struct slu_slice text)
{
    const yaml_mark_t *mark = &event->start_mark;
    const bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (event->data.scalar.anchor != NULL) {
        stop_at(reader, mark, "a key cannot have an anchor; if it is text, quote it");
        return;
    }
    struct slu_node_pair *pair = push_pending(reader);
    if (pair == NULL)
        return;
    pair->key = slu_slice(slu_arena_copy(reader->arena, text), text.len);
    pair->key_line = line_of(mark);
    pair->key_column = column_of(reader, mark);
    top(reader)->has_key = true;
    if (pair->key.data == NULL) {
        pair->key.len = 0;
        no_memory(reader);
        return;
    }
    if (plain && slu_slice_equal(text, SLU_SLICE("<<")))
        tell_at(reader, mark, "merge keys (<<) are not used here: write the members out");
    (void)refuse_tag(reader, mark, event->data.scalar.tag);
}

/* Kind and text of `node`. A problem is told and leaves it null. */
static void read_scalar(struct reader *reader, const yaml_event_t *event, struct slu_slice text,
                        struct slu_node *node)
{
    struct slu_err err = {0};
    struct slu_slice expanded;
    int result = 0;
    if (memchr(text.data, '\0', text.len) != NULL) {
        slu_err_set(&err, SLU_EINVAL, "a NUL character (\\0) is not allowed");
        result = -1;
    } else if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
               memchr(text.data, '$', text.len) == NULL) {
        result = slu_scalar_read(text, reader->arena, node, &err);
    } else {
        result =
            slu_secret_expand(text, reader->folder, reader->arena, &expanded, &node->secret, &err);
        if (result == 0) {
            node->kind = SLU_NODE_STRING;
            node->text = expanded;
        }
    }
    if (result == 0)
        return;
    node->kind = SLU_NODE_NULL;
    node->text = SLU_SLICE("null");
    tell(reader, &err, node->line, node->column, NULL);
}

static void on_scalar(struct reader *reader, const yaml_event_t *event)
{
    const yaml_mark_t *mark = &event->start_mark;
    const struct slu_slice text =
        slu_slice((const char *)event->data.scalar.value, event->data.scalar.length);
    if (wants_key(reader)) {
        if (memchr(text.data, '\0', text.len) != NULL)
            stop_at(reader, mark, "a NUL character (\\0) is not allowed");
        else
            on_key(reader, event, text);
        return;
    }
    struct slu_node *node = new_node(reader, mark);
    if (node == NULL || !attach(reader, node))
        return;
    if (reader->depth == 0)
        reader->root = node;
    (void)refuse_tag(reader, mark, event->data.scalar.tag);
    read_scalar(reader, event, text, node);
    (void)add_anchor(reader, mark, event->data.scalar.anchor, node, false);
}

/* ---- lists and maps ---- */

static void on_open(struct reader *reader, const yaml_event_t *event, enum slu_node_kind kind,
                    const yaml_char_t *anchor, const yaml_char_t *tag)
{
    const yaml_mark_t *mark = &event->start_mark;
    if (wants_key(reader)) {
        stop_at(reader, mark,
                kind == SLU_NODE_MAP
                    ? "a map cannot be a key; if it is text, quote it: \"{…}\": …"
                    : "a list cannot be a key; if it is text, quote it: \"[…]\": …");
        return;
    }
    if (reader->depth == SLU_YAML_MAX_DEPTH) {
        stop_at(reader, mark, "lists and maps are nested too deeply");
        return;
    }
    const size_t nodes_before = reader->n_nodes;
    struct slu_node *node = new_node(reader, mark);
    if (node == NULL || !attach(reader, node))
        return;
    node->kind = kind;
    if (reader->depth == 0)
        reader->root = node;
    (void)refuse_tag(reader, mark, tag);
    struct frame *frame = &reader->frames[reader->depth];
    *frame = (struct frame){.node = node,
                            .first = reader->n_pending,
                            .nodes_before = nodes_before,
                            .height = 1,
                            .anchor = add_anchor(reader, mark, anchor, node, true)};
    reader->depth++;
}

static void tell_twice(struct reader *reader, const struct slu_node_pair *first,
                       const struct slu_node_pair *second)
{
    struct slu_err err = {0};
    slu_err_set(&err, SLU_EINVAL, "\"%.*s\" comes twice; the first is in line %u",
                (int)(second->key.len < 128 ? slu_utf8_cut(second->key.data, second->key.len, 128)
                                            : second->key.len),
                second->key.data, first->key_line);
    tell(reader, &err, second->key_line, second->key_column, &second->key);
}

/* The index of the pair whose key is pairs[i].key: the first one that came with it. `table` has
 * `slots` (a power of two, more than there are pairs) places of 1 + index, 0: free. */
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

static void check_unique(struct reader *reader, const struct slu_node_pair *pairs, size_t n)
{
    size_t slots = 16, few[16] = {0};
    uint64_t seed = 0;
    while (slots < 2 * n)
        slots *= 2;
    size_t *table = slots == 16 ? few : calloc(slots, sizeof(table[0]));
    if (table == NULL) {
        no_memory(reader);
        return;
    }
    if (table != few)
        slu_random_fill(&seed, sizeof(seed));
    for (size_t i = 0; i < n; i++) {
        const size_t first = first_with_key(pairs, i, table, slots, seed);
        if (first != i)
            tell_twice(reader, &pairs[first], &pairs[i]);
    }
    if (table != few)
        free(table);
}

/* Move what was pending into the node. */
static bool fill_container(struct reader *reader, struct slu_node *node,
                           const struct slu_node_pair *pairs, size_t n)
{
    const size_t size = node->kind == SLU_NODE_MAP ? sizeof(pairs[0]) : sizeof(pairs[0].value);
    void *memory = slu_arena_array(reader->arena, n, size);
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

static void on_close(struct reader *reader)
{
    const struct frame frame = *top(reader);
    const size_t n = reader->n_pending - frame.first;
    const struct slu_node_pair *pairs = n > 0 ? &reader->pending[frame.first] : NULL;

    /* What is told from here on belongs to the frames below. */
    reader->depth--;
    reader->n_pending = frame.first;
    if (!fill_container(reader, frame.node, pairs, n)) {
        no_memory(reader);
        return;
    }
    if (frame.node->kind == SLU_NODE_MAP)
        check_unique(reader, frame.node->pairs, n);
    if (frame.anchor != NO_ANCHOR) {
        reader->anchors[frame.anchor].is_open = false;
        reader->anchors[frame.anchor].weight = reader->n_nodes - frame.nodes_before;
        reader->anchors[frame.anchor].height = frame.height;
    }
    struct frame *parent = top(reader);
    if (parent != NULL && parent->height < frame.height + 1)
        parent->height = frame.height + 1;
}

/* ---- the whole ---- */

static void on_document(struct reader *reader, const yaml_event_t *event)
{
    if (++reader->n_documents > 1)
        stop_at(reader, &event->start_mark, "a second document begins here; one file holds one");
}

static void on_event(struct reader *reader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        on_document(reader, event);
        return;
    case YAML_SCALAR_EVENT:
        on_scalar(reader, event);
        return;
    case YAML_SEQUENCE_START_EVENT:
        on_open(reader, event, SLU_NODE_LIST, event->data.sequence_start.anchor,
                event->data.sequence_start.tag);
        return;
    case YAML_MAPPING_START_EVENT:
        on_open(reader, event, SLU_NODE_MAP, event->data.mapping_start.anchor,
                event->data.mapping_start.tag);
        return;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        on_close(reader);
        return;
    case YAML_ALIAS_EVENT:
        on_alias(reader, event);
        return;
    case YAML_STREAM_END_EVENT:
        reader->stop = true;
        return;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return;
    }
}

static void read_events(struct reader *reader)
{
    if (!yaml_parser_initialize(&reader->parser)) {
        no_memory(reader);
        return;
    }
    yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader->parser, (const unsigned char *)reader->text.data,
                                 reader->text.len);
    while (!reader->stop) {
        yaml_event_t event;
        if (!yaml_parser_parse(&reader->parser, &event)) {
            tell_libyaml(reader);
            break;
        }
        on_event(reader, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&reader->parser);
}

static void error_at_byte(struct reader *reader, size_t byte, const char *sentence)
{
    unsigned line = 1, column = 1;
    for (size_t i = 0; i < byte; i++) {
        column = reader->text.data[i] == '\n' ? 1 : column + 1;
        line += reader->text.data[i] == '\n';
    }
    slu_problems_error(reader->problems, reader->name, line, column, NULL, "%s", sentence);
}

/* The first byte that is not part of a well-formed character; the text has one. */
static size_t first_bad_byte(struct slu_slice text)
{
    size_t good = 0, bad = text.len; /* [0, good) is fine, [0, bad) is not */
    while (bad - good > 1) {
        /* Halve, at the beginning of a character. */
        size_t middle = good + (bad - good) / 2;
        while (middle > good && is_continuation(text.data[middle]))
            middle--;
        if (middle == good)
            break;
        if (slu_utf8_valid(text.data + good, middle - good))
            good = middle;
        else
            bad = middle;
    }
    return good;
}

/* Size, characters, byte order mark: what is settled before libyaml sees the text. */
static bool check_text(struct reader *reader)
{
    if (reader->text.len > SLU_YAML_MAX_BYTES) {
        slu_problems_error(reader->problems, reader->name, 0, 0, NULL, "is larger than %u bytes",
                           SLU_YAML_MAX_BYTES);
        return false;
    }
    if (slu_slice_starts_with(reader->text, SLU_SLICE("\xef\xbb\xbf")))
        reader->text = slu_slice(reader->text.data + 3, reader->text.len - 3);
    const char *nul =
        reader->text.len > 0 ? memchr(reader->text.data, '\0', reader->text.len) : NULL;
    if (nul != NULL) {
        error_at_byte(reader, (size_t)(nul - reader->text.data),
                      "a NUL byte; configurations are text in UTF-8");
        return false;
    }
    if (reader->text.len > 0 && !slu_utf8_valid(reader->text.data, reader->text.len)) {
        error_at_byte(reader, first_bad_byte(reader->text), "this is not UTF-8");
        return false;
    }
    return true;
}

/* "/etc/sluice/sluice.yaml" → "/etc/sluice"; without a slash ".". */
static char *folder_of(const char *name, struct slu_arena *arena)
{
    const char *slash = strrchr(name, '/');
    if (slash == NULL)
        return slu_arena_copy(arena, SLU_SLICE("."));
    const size_t len = slash == name ? 1 : (size_t)(slash - name);
    return slu_arena_copy(arena, slu_slice(name, len));
}

const struct slu_node *slu_yaml_parse(struct slu_slice text, const char *name,
                                      struct slu_arena *arena, struct slu_problems *problems)
{
    /* Some kilobytes: too large for the stack of somebody else's thread. */
    struct reader *reader = calloc(1, sizeof(*reader));
    char *own_name = slu_arena_copy(arena, slu_slice_of(name));
    char *folder = folder_of(name, arena);
    if (reader == NULL || own_name == NULL || folder == NULL) {
        slu_problems_error(problems, name, 0, 0, NULL, "no memory to read this file");
        free(reader);
        return NULL;
    }
    reader->text = text;
    reader->name = own_name;
    reader->folder = folder;
    reader->arena = arena;
    reader->problems = problems;
    reader->errors_before = problems->n_errors;

    if (check_text(reader))
        read_events(reader);
    const bool good = problems->n_errors == reader->errors_before;
    const struct slu_node *root = good ? reader->root : NULL;
    if (good && (root == NULL || root->kind == SLU_NODE_NULL)) {
        slu_problems_error(problems, own_name, 0, 0, NULL, "is empty");
        root = NULL;
    }
    free(reader->pending);
    free(reader->anchors);
    free(reader);
    return root;
}

const struct slu_node *slu_yaml_read(const char *path, struct slu_arena *arena,
                                     struct slu_problems *problems)
{
    struct slu_buf text;
    struct slu_err err = {0};
    const struct slu_node *root = NULL;
    slu_buf_init(&text, SLU_YAML_MAX_BYTES);
    if (slu_file_read(path, &text, &err) == 0) {
        root = slu_yaml_parse(slu_buf_slice(&text), path, arena, problems);
    } else {
        slu_err_place(&err, path, 0, 0, NULL);
        slu_problems_add(problems, false, &err);
    }
    slu_buf_fini(&text);
    return root;
}
