/* config_say.c -- see config_say.h. */
#include "plugin/config_say.h"

#include "base/nearest.h"
#include "base/utf8.h"

#include <string.h>

#define NAMES_MAX 64
#define SHOWN_MAX 60 /* bytes of a value in a message */

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
    if (type != NULL &&
        slu_value_kind(type) == SLU_VALUE_ARRAY) /* its first word is what is usual */
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

void slu_say_nearest(struct slu_buf *out, struct slu_slice word, const char *const *names, size_t n)
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
        slu_say_nearest(out, node->text, names, n);
}

static void say_missing(struct slu_buf *out, const struct slu_manual *manual,
                        const struct slu_value *page, const struct slu_node *node)
{
    const struct slu_value *required = slu_manual_keyword(manual, page, "required");
    size_t n = 0;

    if (required == NULL || slu_value_kind(required) != SLU_VALUE_ARRAY)
        return;
    const struct slu_value *name = slu_value_first(required);
    for (size_t i = 0; i < slu_value_len(required); i++, name = slu_value_next(name))
        if (slu_node_get(node, name->text) == NULL)
            slu_buf_printf(out, "%s\"%s\"", n++ == 0 ? "lacks " : ", ", name->text);
}

void slu_say_violation(struct slu_buf *out, const struct slu_manual *manual,
                       const struct slu_verdict *verdict, const struct slu_violation *violation,
                       const struct slu_value *page, const struct slu_node *node)
{
    const char *names[NAMES_MAX];
    const size_t n = allowed_words(manual, page, names);
    const struct slu_value *title = slu_manual_keyword(manual, page, "title");
    const struct slu_slice message = slu_verdict_text(verdict, violation->message);

    if (strcmp(violation->code, "schema.required") == 0) {
        say_missing(out, manual, page, node);
    } else if (strcmp(violation->code, "schema.uniqueItems") == 0) {
        slu_buf_add_text(out, "names the same thing twice");
    } else if (strcmp(violation->code, "schema.minItems") == 0 ||
               strcmp(violation->code, "schema.minProperties") == 0) {
        slu_buf_add_text(out, "must not be empty");
    } else if (n != 0 && node->kind != SLU_NODE_LIST) {
        say_allowed(out, names, n, node);
        add_hint(out, manual, page, node);
    } else if (title != NULL) {
        slu_buf_add_text(out, "must be ");
        slu_buf_add_slice(out, slu_value_text(title));
        add_actual(out, node);
        add_hint(out, manual, page, node);
    }
    if (out->len == 0 && message.len != 0 && !has_secret(node))
        slu_buf_add_slice(out, message);
    if (out->len == 0)
        slu_buf_add_text(out, "is not what the manual says");
}

void slu_say_unknown(struct slu_buf *out, const struct slu_manual *manual,
                     const struct slu_value *page, struct slu_slice key)
{
    const struct slu_value *properties = slu_manual_keyword(manual, page, "properties");
    const char *names[NAMES_MAX];
    size_t n = 0;

    if (properties != NULL) {
        const struct slu_value *name = slu_value_first(properties);
        for (size_t i = 0; i < slu_value_len(properties) && n < NAMES_MAX; i++) {
            names[n++] = name->text;
            name = slu_value_next(slu_value_next(name));
        }
    }
    slu_buf_printf(out, "unknown key \"%.*s\"", (int)slu_utf8_cut(key.data, key.len, SHOWN_MAX),
                   key.data);
    slu_say_nearest(out, key, names, n);
}
