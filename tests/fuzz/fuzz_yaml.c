/* fuzz_yaml.c -- any bytes as a configuration file: nodes or problems, never both, never a crash; and
 * what was read can be written as JSON, which reads back to the same JSON. */
#include "base/yaml.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good)
{
    if (!good)
        abort();
}

/* Places are there, texts are terminated and hold no NUL. */
static void check_node(const struct slu_node *node, unsigned depth)
{
    require(depth <= SLU_YAML_MAX_DEPTH && node->line > 0 && node->column > 0 &&
            node->file != NULL);
    for (size_t i = 0; node->kind == SLU_NODE_MAP && i < node->n; i++) {
        require(node->pairs[i].key.data[node->pairs[i].key.len] == '\0');
        check_node(node->pairs[i].value, depth + 1);
    }
    for (size_t i = 0; node->kind == SLU_NODE_LIST && i < node->n; i++)
        check_node(node->items[i], depth + 1);
    if (node->kind < SLU_NODE_LIST)
        require(strlen(node->text.data) == node->text.len);
}

/* Beyond plain ASCII, JSON is not quite YAML: libyaml folds U+0085 in quotes and refuses U+FFFF. And
 * `$` would be expanded a second time. */
static bool is_plain(struct slu_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < 0x20 || text.data[i] > 0x7e || text.data[i] == '$')
            return false;
    }
    return true;
}

static void check_json(const struct slu_node *root)
{
    struct slu_buf json, again;
    struct slu_arena arena;
    struct slu_problems problems;
    slu_buf_init(&json, 1 << 20);
    slu_buf_init(&again, 1 << 20);
    slu_arena_init(&arena, 64 << 20);
    slu_problems_init(&problems);
    if (slu_node_json(root, &json) && is_plain(slu_buf_slice(&json))) {
        const struct slu_node *copy =
            slu_yaml_parse(slu_buf_slice(&json), "json", &arena, &problems);
        /* libyaml takes no key of more than 1,024 characters in this form. */
        require(copy != NULL || json.len > 1000);
        if (copy != NULL) {
            require(slu_node_json(copy, &again));
            require(slu_slice_equal(slu_buf_slice(&json), slu_buf_slice(&again)));
        }
    }
    slu_problems_fini(&problems);
    slu_arena_fini(&arena);
    slu_buf_fini(&json);
    slu_buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slu_arena arena;
    struct slu_problems problems;
    slu_arena_init(&arena, 64 << 20);
    slu_problems_init(&problems);
    const struct slu_node *root =
        slu_yaml_parse(slu_slice((const char *)data, size), "fuzz.yaml", &arena, &problems);
    require((root == NULL) == (problems.n_errors > 0));
    if (root != NULL) {
        check_node(root, 0);
        check_json(root);
    }
    slu_problems_fini(&problems);
    slu_arena_fini(&arena);
    return 0;
}
