/* config_check.c -- is the configuration well formed? Each section goes three steps:
 *
 *   nodes ──▶ unknown and unsupported keys, told and taken out ──▶ JSON ──▶ our own validator
 *                                                                             │
 *             file:line:column: /pointer: sentence  ◀── place, page of the manual ┘
 *
 * The validator says what is broken and where; the page of the manual (config_manual.h) says in words
 * what should be there. One problem a place, and nothing that came from a secret is ever shown.
 */
#include "plugin/config_draft.h"
#include "plugin/config_manual.h"

#include "base/nearest.h"
#include "base/units.h"
#include "base/utf8.h"
#include "validation/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTION_MAX_BYTES ((size_t)64 << 20)
#define NAMES_MAX 64
#define SHOWN_MAX 60 /* bytes of a value in a message */

/* Options of the design that this version does not have. Refused at their line, never ignored. */
struct unsupported {
    enum slu_section section;
    const char *key;
    const char *value; /* NULL: the key itself; else this value, also as an item of a list */
    bool whole;        /* the rest of the section is not looked at: its options belong to that value */
};

static const struct unsupported unsupported[] = {
    {SLU_SECTION_TOP, "registry", NULL, false},
    {SLU_SECTION_TOP, "schema_documents", NULL, false},
    {SLU_SECTION_TOP, "default_draft", NULL, false},
    {SLU_SECTION_TOP, "quota", NULL, false},
    {SLU_SECTION_TOP, "dedupe", NULL, false},
    {SLU_SECTION_SCHEMA, "type", "avro", true},
    {SLU_SECTION_SCHEMA, "format", NULL, false},
    {SLU_SECTION_SCHEMA, "default_draft", NULL, false},
    {SLU_SECTION_SCHEMA, "schema_documents", NULL, false},
    {SLU_SECTION_SCHEMA, "registry", NULL, true},
    {SLU_SECTION_SCHEMA, "registry_id", NULL, false},
    {SLU_SECTION_SCHEMA, "framing", NULL, false},
    {SLU_SECTION_SINK, "type", "kafka", true},
    {SLU_SECTION_SINK, "type", "postgresql", true},
    {SLU_SECTION_SINK, "format", "avro", false},
    {SLU_SECTION_SINK, "codec", NULL, false},
    {SLU_SECTION_POLICY, "payload", "avro", false},
    {SLU_SECTION_POLICY, "payload", "csv", false},
    {SLU_SECTION_POLICY, "framing", NULL, false},
    {SLU_SECTION_POLICY, "timestamp", NULL, false},
    {SLU_SECTION_POLICY, "alarms", NULL, false},
    {SLU_SECTION_POLICY, "on_alarm", NULL, false},
    {SLU_SECTION_POLICY, "limits_table", NULL, false},
    {SLU_SECTION_POLICY, "alarms_table", NULL, false},
    {SLU_SECTION_POLICY, "require", NULL, false},
    {SLU_SECTION_POLICY, "dedupe", NULL, false},
    {SLU_SECTION_POLICY, "quota", NULL, false},
};

/* One section while it is checked. */
struct check {
    struct slu_draft *draft;
    struct slu_manual *manual;
    enum slu_section section;
    const struct slu_node *node; /* of the section, as it was written */
    const char *pointer;         /* its own */
    bool unreadable;             /* cannot be shown to the validator */
    size_t n_told;               /* places told of, for one problem a place */
    const struct slu_node *told[SLU_VERDICT_MAX];
};

/* ---- sentences ------------------------------------------------------------------------------------- */

static bool has_secret(const struct slu_node *node)
{
    if (node->secret)
        return true;
    for (size_t i = 0; i < node->n; i++)
        if (has_secret(node->kind == SLU_NODE_MAP ? node->pairs[i].value : node->items[i]))
            return true;
    return false;
}

/* `, not "10 parsecs"`; says nothing of secrets. */
static void add_actual(struct slu_buf *out, const struct slu_node *node)
{
    const size_t shown = slu_utf8_cut(node->text.data, node->text.len, SHOWN_MAX);

    if (has_secret(node))
        return;
    switch (node->kind) {
    case SLU_NODE_NULL:
        slu_buf_add_text(out, ", and there is nothing");
        break;
    case SLU_NODE_LIST:
        slu_buf_add_text(out, ", not a list");
        break;
    case SLU_NODE_MAP:
        slu_buf_add_text(out, ", not a map");
        break;
    case SLU_NODE_STRING:
        slu_buf_printf(out, ", not \"%.*s%s\"", (int)shown, node->text.data,
                       shown < node->text.len ? "…" : "");
        break;
    case SLU_NODE_BOOL:
    case SLU_NODE_INT:
    case SLU_NODE_FLOAT:
        slu_buf_printf(out, ", not %.*s", (int)shown, node->text.data);
        break;
    }
}

/* Does the page take text, and no map? */
static bool wants_text(const struct slu_manual *manual, const struct slu_value *page)
{
    const struct slu_value *type = slu_manual_keyword(manual, page, "type");

    if (type != NULL && slu_value_kind(type) == SLU_VALUE_STRING)
        return slu_slice_equal(slu_value_text(type), SLU_SLICE("string"));
    if (type != NULL && slu_value_kind(type) == SLU_VALUE_ARRAY) /* its first word is what is usual */
        return slu_slice_equal(slu_value_text(slu_value_first(type)), SLU_SLICE("string"));
    const struct slu_value *values = slu_manual_keyword(manual, page, "enum");
    return values != NULL && slu_value_len(values) != 0 &&
           slu_value_kind(slu_value_first(values)) == SLU_VALUE_STRING;
}

/* What YAML made of a text that was not quoted. */
static void add_hint(struct slu_buf *out, const struct slu_manual *manual,
                     const struct slu_value *page, const struct slu_node *node)
{
    if (!wants_text(manual, page))
        return;
    if (node->kind == SLU_NODE_MAP && node->n == 1 && node->pairs[0].value->kind == SLU_NODE_NULL)
        slu_buf_printf(out, "; YAML reads {%.*s} as a map: quote it, \"{%.*s}\"",
                       SLU_SLICE_ARG(node->pairs[0].key), SLU_SLICE_ARG(node->pairs[0].key));
    else if (node->kind == SLU_NODE_MAP)
        slu_buf_add_text(out, "; if it was meant as text with { and }, quote it");
    else if (node->kind == SLU_NODE_BOOL || node->kind == SLU_NODE_INT ||
             node->kind == SLU_NODE_FLOAT)
        slu_buf_add_text(out, ": quote it");
}

/* The words of an `enum`, in the page or in its `then`. */
static size_t allowed_words(const struct slu_manual *manual, const struct slu_value *page,
                            const char *names[NAMES_MAX])
{
    const struct slu_value *values = slu_manual_keyword(manual, page, "enum");
    size_t n = 0;

    if (values == NULL)
        values = slu_manual_keyword(manual, slu_manual_keyword(manual, page, "then"), "enum");
    if (values == NULL || slu_value_kind(values) != SLU_VALUE_ARRAY)
        return 0;
    const struct slu_value *word = slu_value_first(values);
    for (size_t i = 0; i < slu_value_len(values) && n < NAMES_MAX; i++, word = slu_value_next(word))
        if (slu_value_kind(word) == SLU_VALUE_STRING)
            names[n++] = word->text;
    return n;
}

static void add_nearest(struct slu_buf *out, struct slu_slice word, const char *const *names, size_t n)
{
    const char *nearest = slu_nearest(word, names, n);

    if (nearest != NULL)
        slu_buf_printf(out, ", did you mean \"%s\"?", nearest);
}

static void say_allowed(struct slu_buf *out, const char *const *names, size_t n,
                        const struct slu_node *node)
{
    slu_buf_add_text(out, n == 1 ? "must be " : "must be one of ");
    for (size_t i = 0; i < n; i++)
        slu_buf_printf(out, "%s%s", i == 0 ? "" : i + 1 == n ? " or " : ", ", names[i]);
    add_actual(out, node);
    if (node->kind == SLU_NODE_STRING && !node->secret)
        add_nearest(out, node->text, names, n);
}

static void say_missing(struct slu_buf *out, const struct check *check,
                        const struct slu_value *page, const struct slu_node *node)
{
    const struct slu_value *required = slu_manual_keyword(check->manual, page, "required");
    size_t n = 0;

    if (required == NULL || slu_value_kind(required) != SLU_VALUE_ARRAY)
        return;
    const struct slu_value *name = slu_value_first(required);
    for (size_t i = 0; i < slu_value_len(required); i++, name = slu_value_next(name))
        if (slu_node_get(node, name->text) == NULL)
            slu_buf_printf(out, "%s\"%s\"", n++ == 0 ? "lacks " : ", ", name->text);
}

/* What is wrong with `node`, in one sentence. */
static void say(struct slu_buf *out, const struct check *check, const struct slu_verdict *verdict,
                const struct slu_violation *violation, const struct slu_value *page,
                const struct slu_node *node)
{
    const char *names[NAMES_MAX];
    const size_t n = allowed_words(check->manual, page, names);
    const struct slu_value *title = slu_manual_keyword(check->manual, page, "title");
    const struct slu_slice message = slu_verdict_text(verdict, violation->message);

    if (strcmp(violation->code, "schema.required") == 0)
        say_missing(out, check, page, node);
    else if (strcmp(violation->code, "schema.uniqueItems") == 0)
        slu_buf_add_text(out, "names the same thing twice");
    else if (strcmp(violation->code, "schema.minItems") == 0)
        slu_buf_add_text(out, "must not be empty");
    else if (n != 0 && node->kind != SLU_NODE_LIST) {
        say_allowed(out, names, n, node);
        add_hint(out, check->manual, page, node);
    } else if (title != NULL) {
        slu_buf_add_text(out, "must be ");
        slu_buf_add_slice(out, slu_value_text(title));
        add_actual(out, node);
        add_hint(out, check->manual, page, node);
    }
    if (out->len == 0 && message.len != 0 && !has_secret(node))
        slu_buf_add_slice(out, message);
    if (out->len == 0)
        slu_buf_add_text(out, "is not what the manual says");
}

/* ---- unknown and unsupported keys -------------------------------------------------------------------- */

static void tell_key(const struct check *check, const struct slu_node_pair *pair,
                     const char *map_pointer, const char *sentence)
{
    struct slu_err err = {0};

    slu_err_set(&err, SLU_EINVAL, "%s", sentence);
    slu_draft_pointer(err.pointer, sizeof(err.pointer), map_pointer, pair->key);
    slu_err_place(&err, pair->value->file, pair->key_line, pair->key_column, err.pointer);
    slu_problems_add(check->draft->problems, false, &err);
    slu_draft_mark_unsound(check->draft, check->node);
}

static void tell_unknown(const struct check *check, const struct slu_node_pair *pair,
                         const char *map_pointer, const struct slu_value *page)
{
    const struct slu_value *properties = slu_manual_keyword(check->manual, page, "properties");
    const char *names[NAMES_MAX];
    struct slu_buf sentence;
    size_t n = 0;

    if (properties != NULL) {
        const struct slu_value *key = slu_value_first(properties);
        for (size_t i = 0; i < slu_value_len(properties) && n < NAMES_MAX; i++) {
            names[n++] = key->text;
            key = slu_value_next(slu_value_next(key));
        }
    }
    slu_buf_init(&sentence, 512);
    slu_buf_printf(&sentence, "unknown key \"%.*s\"",
                   (int)slu_utf8_cut(pair->key.data, pair->key.len, SHOWN_MAX), pair->key.data);
    add_nearest(&sentence, pair->key, names, n);
    tell_key(check, pair, map_pointer, slu_buf_text(&sentence));
    slu_buf_fini(&sentence);
}

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
static const struct unsupported *find_unsupported(enum slu_section section,
                                                  const struct slu_node_pair *pair,
                                                  const struct slu_node **at)
{
    for (size_t i = 0; i < sizeof(unsupported) / sizeof(unsupported[0]); i++) {
        const struct unsupported *row = &unsupported[i];
        if (row->section != section || !slu_slice_equal(pair->key, slu_slice_of(row->key)))
            continue;
        *at = row->value != NULL ? find_value(pair->value, row->value) : NULL;
        if (row->value == NULL || *at != NULL)
            return row;
    }
    return NULL;
}

static void tell_unsupported(const struct check *check, const struct unsupported *row,
                             const struct slu_node_pair *pair, const struct slu_node *at)
{
    struct slu_node_pair place = *pair;
    char sentence[128];

    if (at == NULL) {
        snprintf(sentence, sizeof(sentence), "\"%s\" is not supported yet", row->key);
    } else {
        snprintf(sentence, sizeof(sentence), "%s \"%s\" is not supported yet", row->key, row->value);
        place.key_line = at->line;
        place.key_column = at->column;
    }
    tell_key(check, &place, check->pointer, sentence);
}

/* Takes the section's unsupported members out. NULL: nothing is left to look at (or no memory). */
static const struct slu_node *without_unsupported(struct check *check, const struct slu_node *node)
{
    struct slu_arena *arena = &check->draft->config->arena;
    struct slu_node_pair *pairs;
    struct slu_node *copy;
    bool whole = false;

    if (node->kind != SLU_NODE_MAP || node->n == 0)
        return node;
    pairs = slu_arena_array(arena, node->n, sizeof(*pairs));
    copy = slu_arena_alloc(arena, sizeof(*copy));
    if (pairs == NULL || copy == NULL) {
        slu_draft_no_memory(check->draft);
        return NULL;
    }
    *copy = *node;
    copy->pairs = pairs;
    copy->n = 0;
    for (size_t i = 0; i < node->n; i++) {
        const struct slu_node *at;
        const struct unsupported *row = find_unsupported(check->section, &node->pairs[i], &at);
        if (row == NULL) {
            pairs[copy->n++] = node->pairs[i];
            continue;
        }
        tell_unsupported(check, row, &node->pairs[i], at);
        whole |= row->whole;
    }
    return whole ? NULL : copy;
}

/* ---- the tree, without what is unknown ----------------------------------------------------------------- */

static const struct slu_node *prune(struct check *check, const struct slu_node *node,
                                    const struct slu_value *page, const char *pointer);

static const struct slu_node *prune_map(struct check *check, const struct slu_node *node,
                                        const struct slu_value *page, const char *pointer)
{
    const bool closed = slu_manual_is_closed(check->manual, page);
    struct slu_arena *arena = &check->draft->config->arena;
    struct slu_node_pair *pairs = slu_arena_array(arena, node->n + 1, sizeof(*pairs));
    struct slu_node *copy = slu_arena_alloc(arena, sizeof(*copy));

    if (pairs == NULL || copy == NULL)
        return NULL;
    *copy = *node;
    copy->pairs = pairs;
    copy->n = 0;
    for (size_t i = 0; i < node->n; i++) {
        const struct slu_node_pair *pair = &node->pairs[i];
        const struct slu_value *member = slu_manual_member(check->manual, page, pair->key);
        char below[256];
        if (closed && member == NULL) {
            tell_unknown(check, pair, pointer, page);
            continue;
        }
        slu_draft_pointer(below, sizeof(below), pointer, pair->key);
        pairs[copy->n] = *pair;
        pairs[copy->n].value = prune(check, pair->value, member, below);
        if (pairs[copy->n++].value == NULL)
            return NULL;
    }
    return copy;
}

static const struct slu_node *prune_list(struct check *check, const struct slu_node *node,
                                         const struct slu_value *page, const char *pointer)
{
    const struct slu_value *item = slu_manual_item(check->manual, page);
    struct slu_arena *arena = &check->draft->config->arena;
    const struct slu_node **items = slu_arena_array(arena, node->n + 1, sizeof(*items));
    struct slu_node *copy = slu_arena_alloc(arena, sizeof(*copy));

    if (items == NULL || copy == NULL)
        return NULL;
    *copy = *node;
    copy->items = items;
    for (size_t i = 0; i < node->n; i++) {
        char below[256];
        snprintf(below, sizeof(below), "%.200s/%zu", pointer, i);
        items[i] = prune(check, node->items[i], item, below);
        if (items[i] == NULL)
            return NULL;
    }
    return copy;
}

/* A copy of `node` without unknown keys, which are told; NULL: no memory. A text that no option can
 * hold (a secret may be any bytes) is told too. Depth is bounded by SLU_YAML_MAX_DEPTH. */
static const struct slu_node *prune(struct check *check, const struct slu_node *node,
                                    const struct slu_value *page, const char *pointer)
{
    if (node->kind == SLU_NODE_MAP)
        return prune_map(check, node, page, pointer);
    if (node->kind == SLU_NODE_LIST)
        return prune_list(check, node, page, pointer);
    if (node->kind != SLU_NODE_STRING)
        return node;
    const char *wrong = NULL;
    if (!slu_utf8_valid(node->text.data, node->text.len))
        wrong = "is not UTF-8";
    else if (check->section != SLU_SECTION_TEST && memchr(node->text.data, '\0', node->text.len) != NULL)
        wrong = "has a NUL byte in it";
    if (wrong != NULL) {
        slu_problems_error(check->draft->problems, node->file, node->line, node->column, pointer, "%s",
                           wrong);
        slu_draft_mark_unsound(check->draft, check->node);
        check->unreadable = true;
    }
    return node;
}

/* ---- the validator -------------------------------------------------------------------------------------- */

static bool was_told(struct check *check, const struct slu_node *node)
{
    for (size_t i = 0; i < check->n_told; i++)
        if (check->told[i] == node)
            return true;
    if (check->n_told < SLU_VERDICT_MAX)
        check->told[check->n_told++] = node;
    return false;
}

static void tell_violation(struct check *check, const struct slu_verdict *verdict,
                           const struct slu_violation *violation)
{
    struct slu_buf pointer, sentence;
    const struct slu_node *node;

    slu_buf_init(&pointer, SLU_VERDICT_TEXT_MAX + 1);
    slu_buf_init(&sentence, 2048);
    slu_buf_add_slice(&pointer, slu_verdict_text(verdict, violation->pointer));
    node = slu_node_at(check->node, slu_buf_text(&pointer), NULL, NULL);
    if (!was_told(check, node)) {
        bool exact;
        slu_node_at(check->node, slu_buf_text(&pointer), &exact, NULL);
        if (!exact && strrchr(slu_buf_text(&pointer), '/') != NULL) /* a member that is missing */
            slu_buf_cut(&pointer, (size_t)(strrchr(pointer.data, '/') - pointer.data));
        const struct slu_value *page =
            slu_manual_find(check->manual, slu_manual_section(check->manual, check->section),
                            slu_buf_text(&pointer));
        say(&sentence, check, verdict, violation, page, node);
        slu_draft_tell(check->draft, false, check->node, check->pointer, slu_buf_text(&pointer), "%s",
                       slu_buf_text(&sentence));
    }
    slu_buf_fini(&sentence);
    slu_buf_fini(&pointer);
}

static void judge(struct check *check, struct slu_slice json)
{
    struct slu_payload payload;
    struct slu_verdict verdict;

    slu_verdict_init(&verdict);
    if (!slu_payload_read(check->manual->reader, SLU_FORMAT_JSON, json, &payload)) {
        slu_draft_tell(check->draft, false, check->node, check->pointer, "", "is %s",
                       payload.fault == SLU_PAYLOAD_DEPTH ? "nested too deep" : "too large");
        slu_draft_mark_unsound(check->draft, check->node);
    } else if (!slu_schema_judge(check->manual->schemas[check->section], check->manual->scratch,
                                 &payload, &verdict)) {
        for (size_t i = 0; i < verdict.n; i++)
            tell_violation(check, &verdict, &verdict.violations[i]);
        if (verdict.total > verdict.n)
            slu_draft_tell(check->draft, false, check->node, check->pointer, "",
                           "and %llu more things are wrong here",
                           (unsigned long long)(verdict.total - verdict.n));
        slu_draft_mark_unsound(check->draft, check->node);
    }
    slu_verdict_fini(&verdict);
}

/* A number so large that no duration or size can hold it still has the right form. */
static void check_units(struct check *check, const struct slu_node *node,
                        const struct slu_value *page, const char *pointer)
{
    int64_t value;
    char below[256];

    for (size_t i = 0; node->kind == SLU_NODE_MAP && i < node->n; i++) {
        slu_draft_pointer(below, sizeof(below), pointer, node->pairs[i].key);
        check_units(check, node->pairs[i].value,
                    slu_manual_member(check->manual, page, node->pairs[i].key), below);
    }
    if (node->kind != SLU_NODE_STRING)
        return;
    if ((slu_manual_refers(page, "duration") && slu_units_duration_ns(node->text, &value) != 0) ||
        (slu_manual_refers(page, "size") && slu_units_size_bytes(node->text, &value) != 0)) {
        slu_problems_error(check->draft->problems, node->file, node->line, node->column, pointer,
                           "is more than can be counted");
        slu_draft_mark_unsound(check->draft, check->node);
    }
}

/* `shown` is what of the section the validator gets to see. */
static void check_section(struct slu_draft *draft, struct slu_manual *manual,
                          enum slu_section section, const struct slu_node *node,
                          const struct slu_node *shown, const char *pointer)
{
    struct check check = {
        .draft = draft, .manual = manual, .section = section, .node = node, .pointer = pointer};
    const struct slu_value *page = slu_manual_section(manual, section);
    const struct slu_node *kept = without_unsupported(&check, shown);
    struct slu_buf json;

    if (kept == NULL)
        return;
    kept = prune(&check, kept, page, pointer);
    if (kept == NULL) {
        slu_draft_no_memory(draft);
        return;
    }
    if (check.unreadable)
        return;
    slu_buf_init(&json, SECTION_MAX_BYTES);
    if (slu_node_json(kept, &json)) {
        judge(&check, slu_buf_slice(&json));
    } else {
        slu_draft_tell(draft, false, node, pointer, "", "is too large");
        slu_draft_mark_unsound(draft, node);
    }
    slu_buf_fini(&json);
    if (slu_draft_is_sound(draft, node))
        check_units(&check, kept, page, pointer);
}

/* ---- all sections ------------------------------------------------------------------------------------------ */

/* The top without what is checked by itself. */
static const struct slu_node *bare_top(struct slu_draft *draft, const struct slu_node *root)
{
    static const struct {
        const char *key;
        enum slu_node_kind kind;
    } sections[] = {{"schemas", SLU_NODE_LIST},
                    {"sinks", SLU_NODE_MAP},
                    {"policies", SLU_NODE_LIST},
                    {"tests", SLU_NODE_LIST}};
    struct slu_arena *arena = &draft->config->arena;
    struct slu_node *copy = slu_arena_alloc(arena, sizeof(*copy));
    struct slu_node_pair *pairs = slu_arena_array(arena, root->n + 1, sizeof(*pairs));

    if (copy == NULL || pairs == NULL)
        return NULL;
    *copy = *root;
    copy->pairs = pairs;
    for (size_t i = 0; i < root->n; i++) {
        pairs[i] = root->pairs[i];
        for (size_t s = 0; s < sizeof(sections) / sizeof(sections[0]); s++) {
            struct slu_node *empty;
            if (!slu_slice_equal(pairs[i].key, slu_slice_of(sections[s].key)) ||
                pairs[i].value->kind != sections[s].kind)
                continue;
            empty = slu_arena_alloc(arena, sizeof(*empty));
            if (empty == NULL)
                return NULL;
            *empty = *pairs[i].value;
            empty->n = 0;
            pairs[i].value = empty;
        }
    }
    return copy;
}

static bool is_name(struct slu_slice text)
{
    if (text.len == 0 || text.len > 64)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.data[i];
        const bool alphanumeric =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!alphanumeric && (i == 0 || (c != '_' && c != '.' && c != '-')))
            return false;
    }
    return true;
}

static void check_list(struct slu_draft *draft, struct slu_manual *manual,
                       enum slu_section section, const char *key)
{
    const struct slu_node *list = slu_node_get(draft->config->root, key);
    char pointer[64];

    if (list == NULL || list->kind != SLU_NODE_LIST)
        return;
    for (size_t i = 0; i < list->n && draft->problems->n_errors < SLU_PROBLEMS_MAX; i++) {
        snprintf(pointer, sizeof(pointer), "/%s/%zu", key, i);
        check_section(draft, manual, section, list->items[i], list->items[i], pointer);
    }
}

static void check_sinks(struct slu_draft *draft, struct slu_manual *manual)
{
    const struct slu_node *sinks = slu_node_get(draft->config->root, "sinks");
    char below[128], pointer[160];

    if (sinks == NULL || sinks->kind != SLU_NODE_MAP)
        return;
    for (size_t i = 0; i < sinks->n && draft->problems->n_errors < SLU_PROBLEMS_MAX; i++) {
        const struct slu_node_pair *pair = &sinks->pairs[i];
        slu_draft_pointer(below, sizeof(below), "", pair->key);
        snprintf(pointer, sizeof(pointer), "/sinks%s", below);
        if (!is_name(pair->key)) {
            slu_draft_tell_key(draft, sinks, "/sinks", below,
                               "is no name: a name is a letter or digit, then at most 63 letters, "
                               "digits, '_', '.' or '-'");
            slu_draft_mark_unsound(draft, pair->value);
        }
        if (i == SLU_SINKS_MAX)
            slu_draft_tell_key(draft, sinks, "/sinks", below, "is one sink too many: at most %d",
                               SLU_SINKS_MAX);
        check_section(draft, manual, SLU_SECTION_SINK, pair->value, pair->value, pointer);
    }
}

static void check_all(struct slu_draft *draft, struct slu_manual *manual)
{
    const struct slu_node *root = draft->config->root;
    const struct slu_node *top = bare_top(draft, root);

    if (top == NULL) {
        slu_draft_no_memory(draft);
        return;
    }
    check_section(draft, manual, SLU_SECTION_TOP, root, top, "");
    check_list(draft, manual, SLU_SECTION_SCHEMA, "schemas");
    check_sinks(draft, manual);
    check_list(draft, manual, SLU_SECTION_POLICY, "policies");
    check_list(draft, manual, SLU_SECTION_TEST, "tests");
}

bool slu_draft_check(struct slu_draft *draft)
{
    const struct slu_node *root = draft->config->root;
    struct slu_manual manual = {0};
    struct slu_err err = {0};

    if (root->kind != SLU_NODE_MAP) {
        slu_problems_error(draft->problems, root->file, root->line, root->column, "",
                           "a configuration is a map of options");
        return false;
    }
    if (slu_manual_init(&manual, &err) == 0)
        check_all(draft, &manual);
    else
        slu_problems_add(draft->problems, false, &err);
    slu_manual_fini(&manual);
    return err.kind == SLU_OK && draft->problems->n_errors < SLU_PROBLEMS_MAX;
}

void slu_draft_mark_unsound(struct slu_draft *draft, const struct slu_node *section)
{
    if (!slu_draft_is_sound(draft, section))
        return;
    if (draft->n_unsound < draft->room_unsound)
        draft->unsound[draft->n_unsound++] = section;
}

/* At most one entry a problem, so the list is short. */
bool slu_draft_is_sound(const struct slu_draft *draft, const struct slu_node *section)
{
    for (size_t i = 0; i < draft->n_unsound; i++)
        if (draft->unsound[i] == section)
            return false;
    return true;
}
