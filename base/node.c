/* node.c -- see node.h for what a node is.
 *
 * Maps are searched front to back: sections have a handful of members, and what is looked up in a map
 * of thousands (policies, sinks) is walked in order anyway.
 *
 * Threads: nodes never change; any thread may read them.
 */
#include "base/node.h"

#include "base/json_text.h"
#include "base/units.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

static const struct slu_node_pair *find_pair(const struct slu_node *node, struct slu_slice key)
{
    if (node == NULL || node->kind != SLU_NODE_MAP)
        return NULL;
    for (size_t i = 0; i < node->n; i++) {
        if (slu_slice_equal(node->pairs[i].key, key))
            return &node->pairs[i];
    }
    return NULL;
}

const struct slu_node *slu_node_get(const struct slu_node *node, const char *key)
{
    const struct slu_node_pair *pair = find_pair(node, slu_slice_of(key));
    return pair != NULL ? pair->value : NULL;
}

/* ---- pointer ---- */

/* Is `key` what the reference token `token` stands for (RFC 6901 §4: ~1 is /, ~0 is ~)? */
static bool token_is(struct slu_slice token, struct slu_slice key)
{
    size_t k = 0;
    for (size_t i = 0; i < token.len; i++, k++) {
        char c = token.data[i];
        if (c == '~') {
            if (++i == token.len || (token.data[i] != '0' && token.data[i] != '1'))
                return false;
            c = token.data[i] == '0' ? '~' : '/';
        }
        if (k == key.len || key.data[k] != c)
            return false;
    }
    return k == key.len;
}

/* RFC 6901 §4: digits without leading zeros. */
static bool token_index(struct slu_slice token, size_t n, size_t *index)
{
    if (token.len == 0 || token.len > 9 || (token.len > 1 && token.data[0] == '0'))
        return false;
    *index = 0;
    for (size_t i = 0; i < token.len; i++) {
        if (token.data[i] < '0' || token.data[i] > '9')
            return false;
        *index = *index * 10 + (size_t)(token.data[i] - '0');
    }
    return *index < n;
}

/* The child of `node` that `token` names, or NULL. */
static const struct slu_node *step(const struct slu_node *node, struct slu_slice token,
                                   const struct slu_node_pair **pair)
{
    size_t index = 0;
    *pair = NULL;
    if (node->kind == SLU_NODE_LIST)
        return token_index(token, node->n, &index) ? node->items[index] : NULL;
    if (node->kind != SLU_NODE_MAP)
        return NULL;
    for (size_t i = 0; i < node->n; i++) {
        if (!token_is(token, node->pairs[i].key))
            continue;
        *pair = &node->pairs[i];
        return (*pair)->value;
    }
    return NULL;
}

const struct slu_node *slu_node_at(const struct slu_node *root, const char *pointer, bool *exact,
                                   const struct slu_node_pair **key_place)
{
    const struct slu_node *node = root;
    const struct slu_node_pair *pair = NULL;
    while (node != NULL && *pointer == '/') {
        const size_t len = strcspn(pointer + 1, "/");
        const struct slu_node_pair *next_pair = NULL;
        const struct slu_node *next = step(node, slu_slice(pointer + 1, len), &next_pair);
        if (next == NULL)
            break;
        node = next;
        pair = next_pair;
        pointer += len + 1;
    }
    const bool found = node != NULL && *pointer == '\0';
    if (exact != NULL)
        *exact = found;
    if (key_place != NULL)
        *key_place = found ? pair : NULL;
    return node;
}

/* ---- readers ---- */

const char *slu_node_text(const struct slu_node *node, const char *fallback)
{
    return node != NULL && node->kind == SLU_NODE_STRING ? node->text.data : fallback;
}

bool slu_node_bool(const struct slu_node *node, bool fallback)
{
    if (node == NULL || node->kind != SLU_NODE_BOOL)
        return fallback;
    return slu_slice_equal(node->text, SLU_SLICE("true"));
}

/* JSON Schema calls 5.0 and 1e3 integers (2020-12 §4.2.3), so they are read as such. Beyond 64 bits
 * the nearest end: "as much as possible" is nearer to what was meant than the default. */
long long slu_node_int(const struct slu_node *node, long long fallback)
{
    if (node == NULL)
        return fallback;
    if (node->kind == SLU_NODE_INT)
        return strtoll(node->text.data, NULL, 10);
    if (node->kind != SLU_NODE_FLOAT)
        return fallback;

    const double number = strtod(node->text.data, NULL);
    if (number >= 0x1p63)
        return LLONG_MAX;
    if (number < -0x1p63)
        return LLONG_MIN;
    const long long whole = (long long)number;
    return (double)whole == number ? whole : fallback;
}

long long slu_node_duration_ns(const struct slu_node *node, long long fallback)
{
    int64_t ns = 0;
    if (node == NULL || node->kind != SLU_NODE_STRING ||
        slu_units_duration_ns(node->text, &ns) != 0)
        return fallback;
    return ns;
}

long long slu_node_size_bytes(const struct slu_node *node, long long fallback)
{
    int64_t bytes = 0;
    if (node == NULL || node->kind != SLU_NODE_STRING ||
        slu_units_size_bytes(node->text, &bytes) != 0)
        return fallback;
    return bytes;
}

/* ---- JSON ---- */

static void write_json(const struct slu_node *node, struct slu_buf *out);

static void write_list(const struct slu_node *node, struct slu_buf *out)
{
    slu_buf_add_char(out, '[');
    for (size_t i = 0; i < node->n && !out->failed; i++) {
        if (i > 0)
            slu_buf_add_char(out, ',');
        write_json(node->items[i], out);
    }
    slu_buf_add_char(out, ']');
}

static void write_map(const struct slu_node *node, struct slu_buf *out)
{
    slu_buf_add_char(out, '{');
    for (size_t i = 0; i < node->n && !out->failed; i++) {
        if (i > 0)
            slu_buf_add_char(out, ',');
        slu_json_text_string(out, node->pairs[i].key);
        slu_buf_add_char(out, ':');
        write_json(node->pairs[i].value, out);
    }
    slu_buf_add_char(out, '}');
}

/* Recursion ends: the reader makes no tree deeper than SLU_YAML_MAX_DEPTH. */
static void write_json(const struct slu_node *node, struct slu_buf *out)
{
    switch (node->kind) {
    case SLU_NODE_NULL:
        slu_buf_add_text(out, "null");
        return;
    case SLU_NODE_BOOL:
    case SLU_NODE_INT:
    case SLU_NODE_FLOAT:
        slu_buf_add_slice(out, node->text);
        return;
    case SLU_NODE_STRING:
        slu_json_text_string(out, node->text);
        return;
    case SLU_NODE_LIST:
        write_list(node, out);
        return;
    case SLU_NODE_MAP:
        write_map(node, out);
        return;
    }
}

bool slu_node_json(const struct slu_node *node, struct slu_buf *out)
{
    if (node == NULL)
        slu_buf_add_text(out, "null");
    else
        write_json(node, out);
    return !out->failed;
}
