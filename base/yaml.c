/* yaml.c -- see yaml.h for what is read and what is refused.
 *
 * libyaml cuts the text into events; each event becomes a call of tree.h, which builds the nodes:
 *
 *     "a: [1, *x]"    MAPPING-START  SCALAR  SEQUENCE-START  SCALAR  ALIAS  SEQUENCE-END  MAPPING-END
 *                     open map       key     open list       scalar  alias  close         close
 *
 * What a scalar means is in scalar.c and secret.c. This file has the rest: places, what YAML can say
 * and a configuration may not, and libyaml's own complaints in words that help.
 *
 * Threads: nothing is shared but the environment (see secret.c).
 */
#include "base/yaml.h"

#include "base/file.h"
#include "base/scalar.h"
#include "base/secret.h"
#include "base/tree.h"
#include "base/utf8.h"

#include <yaml.h>

#include <stdio.h>
#include <stdlib.h>

/* A position in the text, in characters (as libyaml counts) and in bytes (as errors do). */
struct position {
    size_t character, byte;
};

struct reader {
    yaml_parser_t parser;
    struct slu_slice text; /* without byte order mark */
    const char *folder;    /* of the file, in the arena */
    struct slu_tree tree;
    struct position line_start, mark; /* where place_of() was last */
    size_t n_documents;
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

/* Line and column of a mark; columns in bytes. */
static struct slu_place place_of(struct reader *reader, const yaml_mark_t *mark)
{
    const size_t characters = mark->column < mark->index ? mark->column : mark->index;
    const size_t begin = seek(reader->text, &reader->line_start, mark->index - characters);
    const size_t at = seek(reader->text, &reader->mark, mark->index);
    return (struct slu_place){(unsigned)mark->line + 1, (unsigned)(at - begin) + 1};
}

/* The same for an offset. */
static struct slu_place place_of_byte(struct slu_slice text, size_t byte)
{
    struct slu_place place = {1, 1};
    for (size_t i = 0; i < byte && i < text.len; i++) {
        place.column = text.data[i] == '\n' ? 1 : place.column + 1;
        place.line += text.data[i] == '\n';
    }
    return place;
}

/* ---- libyaml's complaints ---- */

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
    {"did not find expected ',' or ']'", "a value with , ] or {name} in it must be quoted"},
    {"did not find expected ',' or '}'", "a value with , } or {name} in it must be quoted"},
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
    if (parser->error == YAML_MEMORY_ERROR) {
        slu_tree_no_memory(&reader->tree);
        return;
    }
    const char *problem = parser->problem != NULL ? parser->problem : "this is not YAML";
    const char *hint = hint_for(problem);
    const char *context = parser->context;
    /* Its reader knows an offset in bytes only. */
    const struct slu_place place = parser->error == YAML_READER_ERROR
                                       ? place_of_byte(reader->text, parser->problem_offset)
                                       : place_of(reader, &parser->problem_mark);
    struct slu_err err = {0};
    char begins[40] = "";
    if (context != NULL && parser->context_mark.line != parser->problem_mark.line)
        snprintf(begins, sizeof(begins), " that begins in line %zu", parser->context_mark.line + 1);
    slu_err_set(&err, SLU_EINVAL, "%s%s%s%s%s%s", problem, context != NULL ? " " : "",
                context != NULL ? context : "", begins, hint != NULL ? ": " : "",
                hint != NULL ? hint : "");
    slu_err_place(&err, reader->tree.name, place.line, place.column, NULL);
    slu_problems_add(reader->tree.problems, false, &err);
    reader->tree.stop = true;
}

/* ---- events ---- */

static bool has_nul(struct slu_slice text)
{
    return text.len > 0 && memchr(text.data, '\0', text.len) != NULL;
}

/* Explicit types would be a second way to say what the configuration's schema says. */
static void refuse_tag(struct slu_tree *tree, struct slu_place place, const yaml_char_t *tag)
{
    char sentence[160];
    if (tag == NULL)
        return;
    snprintf(sentence, sizeof(sentence),
             "tags are not used here (%.64s); quote a value to make it text", (const char *)tag);
    slu_tree_say(tree, place, sentence);
}

static void on_key(struct slu_tree *tree, struct slu_place place, const yaml_event_t *event,
                   struct slu_slice text)
{
    if (has_nul(text)) {
        slu_tree_stop(tree, place, "a NUL character (\\0) is not allowed");
        return;
    }
    if (event->data.scalar.anchor != NULL) {
        slu_tree_stop(tree, place, "a key cannot have an anchor; if it is text, quote it");
        return;
    }
    slu_tree_key(tree, place, text);
    if (tree->stop)
        return;
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
        slu_slice_equal(text, SLU_SLICE("<<")))
        slu_tree_say(tree, place, "merge keys (<<) are not used here: write the members out");
    refuse_tag(tree, place, event->data.scalar.tag);
}

/* Kind and text of `node`. */
static int read_scalar(struct reader *reader, const yaml_event_t *event, struct slu_slice text,
                       struct slu_node *node, struct slu_err *err)
{
    if (has_nul(text))
        return slu_err_set(err, SLU_EINVAL, "a NUL character (\\0) is not allowed");
    const bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (plain && (text.len == 0 || memchr(text.data, '$', text.len) == NULL))
        return slu_scalar_read(text, reader->tree.arena, node, err);
    node->kind = SLU_NODE_STRING;
    return slu_secret_expand(text, reader->folder, reader->tree.arena, &node->text, &node->secret,
                             err);
}

static void on_scalar(struct reader *reader, const yaml_event_t *event)
{
    struct slu_tree *tree = &reader->tree;
    const struct slu_place place = place_of(reader, &event->start_mark);
    const struct slu_slice text =
        slu_slice((const char *)event->data.scalar.value, event->data.scalar.length);
    if (slu_tree_wants_key(tree)) {
        on_key(tree, place, event, text);
        return;
    }
    struct slu_node *node = slu_tree_node(tree, place);
    struct slu_err err = {0};
    if (node == NULL)
        return;
    refuse_tag(tree, place, event->data.scalar.tag);
    if (read_scalar(reader, event, text, node, &err) != 0) {
        node->kind = SLU_NODE_NULL;
        node->text = SLU_SLICE("null");
        slu_tree_tell(tree, place, &err);
    }
    slu_tree_scalar(tree, node, (const char *)event->data.scalar.anchor);
}

static void on_open(struct reader *reader, const yaml_event_t *event, enum slu_node_kind kind,
                    const yaml_char_t *anchor, const yaml_char_t *tag)
{
    struct slu_tree *tree = &reader->tree;
    const struct slu_place place = place_of(reader, &event->start_mark);
    if (slu_tree_wants_key(tree)) {
        slu_tree_stop(tree, place,
                      kind == SLU_NODE_MAP
                          ? "a map cannot be a key; if it is text, quote it: \"{…}\": …"
                          : "a list cannot be a key; if it is text, quote it: \"[…]\": …");
        return;
    }
    struct slu_node *node = slu_tree_node(tree, place);
    if (node == NULL)
        return;
    node->kind = kind;
    refuse_tag(tree, place, tag);
    slu_tree_open(tree, node, (const char *)anchor);
}

static void on_alias(struct reader *reader, const yaml_event_t *event)
{
    const struct slu_place place = place_of(reader, &event->start_mark);
    if (slu_tree_wants_key(&reader->tree))
        slu_tree_stop(&reader->tree, place, "an alias cannot be a key; if it is text, quote it");
    else
        slu_tree_alias(&reader->tree, place, (const char *)event->data.alias.anchor);
}

static void on_event(struct reader *reader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++reader->n_documents > 1)
            slu_tree_stop(&reader->tree, place_of(reader, &event->start_mark),
                          "a second document begins here; one file holds one");
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
        slu_tree_close(&reader->tree);
        return;
    case YAML_ALIAS_EVENT:
        on_alias(reader, event);
        return;
    case YAML_STREAM_END_EVENT:
        reader->tree.stop = true;
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
        slu_tree_no_memory(&reader->tree);
        return;
    }
    yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader->parser, (const unsigned char *)reader->text.data,
                                 reader->text.len);
    while (!reader->tree.stop) {
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

/* ---- the whole ---- */

static bool refuse_byte(struct reader *reader, size_t byte, const char *sentence)
{
    const struct slu_place place = place_of_byte(reader->text, byte);
    slu_problems_error(reader->tree.problems, reader->tree.name, place.line, place.column, NULL,
                       "%s", sentence);
    return false;
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
        slu_problems_error(reader->tree.problems, reader->tree.name, 0, 0, NULL,
                           "is larger than %u bytes", SLU_YAML_MAX_BYTES);
        return false;
    }
    if (slu_slice_starts_with(reader->text, SLU_SLICE("\xef\xbb\xbf")))
        reader->text = slu_slice(reader->text.data + 3, reader->text.len - 3);
    if (has_nul(reader->text)) {
        const char *nul = memchr(reader->text.data, '\0', reader->text.len);
        return refuse_byte(reader, (size_t)(nul - reader->text.data),
                           "a NUL byte; configurations are text in UTF-8");
    }
    if (reader->text.len > 0 && !slu_utf8_valid(reader->text.data, reader->text.len))
        return refuse_byte(reader, first_bad_byte(reader->text), "this is not UTF-8");
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
    const char *own_name = slu_arena_copy(arena, slu_slice_of(name));
    const char *folder = folder_of(name, arena);
    const size_t errors_before = problems->n_errors;
    if (reader == NULL || own_name == NULL || folder == NULL) {
        slu_problems_error(problems, name, 0, 0, NULL, "no memory to read this file");
        free(reader);
        return NULL;
    }
    reader->text = text;
    reader->folder = folder;
    slu_tree_init(&reader->tree, own_name, arena, problems);
    if (check_text(reader))
        read_events(reader);

    const bool good = problems->n_errors == errors_before;
    const struct slu_node *root = good ? reader->tree.root : NULL;
    if (good && (root == NULL || root->kind == SLU_NODE_NULL)) {
        slu_problems_error(problems, own_name, 1, 1, NULL, "is empty");
        root = NULL;
    }
    slu_tree_fini(&reader->tree);
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
