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
#include "plugin/config_say.h"
#include "plugin/config_unsupported.h"

#include "base/units.h"
#include "base/utf8.h"
#include "validation/verdict.h"

#include <stdio.h>
#include <string.h>

#define SECTION_MAX_BYTES ((size_t)64 << 20)

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

/* ---- unknown and unsupported keys -------------------------------------------------------------------- */

static void tell_key(const struct check *check, const struct slu_node_pair *pair,
                     const char *map_pointer, const char *sentence)
{
    struct slu_err err = {0};
    char pointer[sizeof(err.pointer)];

    slu_err_set(&err, SLU_EINVAL, "%s", sentence);
    slu_draft_pointer(pointer, sizeof(pointer), map_pointer, pair->key);
    slu_err_place(&err, pair->value->file, pair->key_line, pair->key_column, pointer);
    slu_problems_add(check->draft->problems, false, &err);
    slu_draft_mark_unsound(check->draft, check->node);
}

static void tell_unknown(const struct check *check, const struct slu_node_pair *pair,
                         const char *map_pointer, const struct slu_value *page)
{
    struct slu_buf sentence;

    slu_buf_init(&sentence, SLU_SAY_MAX_BYTES);
    if (slu_unsupported_below(check->section, map_pointer, pair->key))
        slu_buf_printf(&sentence, "\"%.*s\" is not supported yet", SLU_SLICE_ARG(pair->key));
    else
        slu_say_unknown(&sentence, check->manual, page, pair->key);
    tell_key(check, pair, map_pointer, slu_buf_text(&sentence));
    slu_buf_fini(&sentence);
}

static void tell_unsupported(const struct check *check, const struct slu_unsupported *row,
                             const struct slu_node_pair *pair, const struct slu_node *at)
{
    struct slu_node_pair place = *pair;
    char sentence[128];

    if (at == NULL) {
        snprintf(sentence, sizeof(sentence), "\"%s\" is not supported yet", row->key);
    } else {
        snprintf(sentence, sizeof(sentence), "%s \"%s\" is not supported yet", row->key,
                 row->value);
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
        const struct slu_unsupported *row =
            slu_unsupported_find(check->section, &node->pairs[i], &at);
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
    else if (check->section != SLU_SECTION_TEST &&
             memchr(node->text.data, '\0', node->text.len) != NULL)
        wrong = "has a NUL byte in it";
    if (wrong != NULL) {
        slu_problems_error(check->draft->problems, node->file, node->line, node->column, pointer,
                           "%s", wrong);
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
    slu_buf_init(&sentence, SLU_SAY_MAX_BYTES);
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
        slu_say_violation(&sentence, check->manual, verdict, violation, page, node);
        slu_draft_tell(check->draft, false, check->node, check->pointer, slu_buf_text(&pointer),
                       "%s", slu_buf_text(&sentence));
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

static void check_list(struct slu_draft *draft, struct slu_manual *manual, enum slu_section section,
                       const char *key)
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
        const struct slu_node *type = slu_node_get(pair->value, "type");
        check_section(draft, manual, slu_manual_sink(slu_slice_of(slu_node_text(type, ""))),
                      pair->value, pair->value, pointer);
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
