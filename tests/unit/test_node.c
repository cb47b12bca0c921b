/* test_node.c -- pointers into the configuration, typed readers, JSON. */
#include "base/node.h"
#include "base/yaml.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static struct slu_arena arena;
static const struct slu_node *root;

static const char text[] = "a/b: {m~n: [10, 20, {x: y}], '': empty, ' ': blank}\n"
                           "~1: tilde\n"
                           "list: [zero, one]\n"
                           "text: hello\n"
                           "yes: true\n"
                           "no: false\n"
                           "int: 42\n"
                           "negative: -7\n"
                           "huge: 99999999999999999999\n"
                           "tiny: -99999999999999999999\n"
                           "whole: 1e3\n"
                           "part: 1.5\n"
                           "giant: 1e300\n"
                           "wait: 150ms\n"
                           "size: 4KiB\n"
                           "odd: 4 parsecs\n"
                           "nothing: ~\n";

static int setup(void **state)
{
    (void)state;
    struct slu_problems problems;
    slu_arena_init(&arena, 1 << 20);
    slu_problems_init(&problems);
    root = slu_yaml_parse(SLU_SLICE(text), "test.yaml", &arena, &problems);
    slu_problems_fini(&problems);
    return root == NULL;
}

static int teardown(void **state)
{
    (void)state;
    slu_arena_fini(&arena);
    return 0;
}

static const struct {
    const char *pointer;
    bool exact;
    const char *at;  /* text of the node; NULL: a list or map */
    const char *key; /* of the pair; NULL: none */
} pointer_cases[] = {
    {"", true, NULL, NULL},
    {"/text", true, "hello", "text"},
    {"/a~1b/m~0n/0", true, "10", NULL},
    {"/a~1b/m~0n/2/x", true, "y", "x"},
    {"/a~1b/m~0n/2", true, NULL, NULL},
    {"/a~1b/m~0n", true, NULL, "m~n"},
    {"/a~1b/", true, "empty", ""},
    {"/a~1b/ ", true, "blank", " "},
    {"/~01", true, "tilde", "~1"},
    {"/list/1", true, "one", NULL},
    /* The last steps are absent. */
    {"/list/2", false, NULL, NULL},
    {"/list/01", false, NULL, NULL},
    {"/list/-", false, NULL, NULL},
    {"/list/x", false, NULL, NULL},
    {"/list/99999999999999999999", false, NULL, NULL},
    {"/text/deeper/still", false, "hello", NULL},
    {"/text/", false, "hello", NULL},
    {"/absent", false, NULL, NULL},
    {"/~1", false, NULL, NULL},
    {"/a~1b/m~n", false, NULL, NULL},
    {"/a~1b/m~", false, NULL, NULL},
    {"text", false, NULL, NULL},
};

static void a_pointer_leads_to_a_node_or_near_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(pointer_cases) / sizeof(pointer_cases[0]); i++) {
        bool exact = false;
        const struct slu_node_pair *pair = NULL;
        const struct slu_node *node = slu_node_at(root, pointer_cases[i].pointer, &exact, &pair);
        assert_non_null(node);
        if (exact != pointer_cases[i].exact)
            fail_msg("%s: %d", pointer_cases[i].pointer, exact);
        if (pointer_cases[i].at != NULL)
            assert_string_equal(node->text.data, pointer_cases[i].at);
        else
            assert_true(node->kind == SLU_NODE_LIST || node->kind == SLU_NODE_MAP);
        assert_int_equal(pair != NULL, pointer_cases[i].key != NULL);
        if (pair != NULL)
            assert_string_equal(pair->key.data, pointer_cases[i].key);
        assert_ptr_equal(slu_node_at(root, pointer_cases[i].pointer, NULL, NULL), node);
    }
    bool exact = true;
    assert_ptr_equal(slu_node_at(root, "/absent/too", &exact, NULL), root);
    assert_null(slu_node_at(NULL, "/a", &exact, NULL));
    assert_false(exact);
}

static void a_member_is_got_by_name(void **state)
{
    (void)state;
    assert_string_equal(slu_node_text(slu_node_get(root, "text"), ""), "hello");
    assert_null(slu_node_get(root, "absent"));
    assert_null(slu_node_get(root, "tex"));
    assert_null(slu_node_get(NULL, "text"));
    assert_null(slu_node_get(slu_node_get(root, "list"), "0"));
    assert_null(slu_node_get(slu_node_get(root, "text"), "text"));
}

static const struct {
    const char *key;
    long long value; /* with the default -1 */
} int_cases[] = {
    {"int", 42},     {"negative", -7}, {"huge", LLONG_MAX},  {"tiny", LLONG_MIN},
    {"whole", 1000}, {"part", -1},     {"giant", LLONG_MAX}, {"text", -1},
    {"yes", -1},     {"nothing", -1},  {"absent", -1},       {"list", -1},
};

static void readers_give_the_value_or_the_default(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(int_cases) / sizeof(int_cases[0]); i++) {
        if (slu_node_int(slu_node_get(root, int_cases[i].key), -1) != int_cases[i].value)
            fail_msg("%s", int_cases[i].key);
    }
    assert_true(slu_node_bool(slu_node_get(root, "yes"), false));
    assert_false(slu_node_bool(slu_node_get(root, "no"), true));
    assert_true(slu_node_bool(slu_node_get(root, "text"), true));
    assert_true(slu_node_bool(NULL, true));
    assert_string_equal(slu_node_text(slu_node_get(root, "int"), "default"), "default");
    assert_null(slu_node_text(NULL, NULL));
    assert_int_equal(slu_node_duration_ns(slu_node_get(root, "wait"), 1), 150000000);
    assert_int_equal(slu_node_duration_ns(slu_node_get(root, "odd"), 1), 1);
    assert_int_equal(slu_node_duration_ns(slu_node_get(root, "int"), 1), 1);
    assert_int_equal(slu_node_duration_ns(NULL, 1), 1);
    assert_int_equal(slu_node_size_bytes(slu_node_get(root, "size"), 1), 4096);
    assert_int_equal(slu_node_size_bytes(slu_node_get(root, "wait"), 1), 1);
    assert_int_equal(slu_node_size_bytes(NULL, 1), 1);
}

static void a_tree_is_written_as_json(void **state)
{
    (void)state;
    struct slu_buf out;
    slu_buf_init(&out, 1000);
    assert_true(slu_node_json(slu_node_get(root, "a/b"), &out));
    assert_string_equal(slu_buf_text(&out),
                        "{\"m~n\":[10,20,{\"x\":\"y\"}],\"\":\"empty\",\" \":\"blank\"}");
    slu_buf_reset(&out);
    assert_true(slu_node_json(NULL, &out));
    assert_string_equal(slu_buf_text(&out), "null");
    slu_buf_fini(&out);

    slu_buf_init(&out, 10);
    assert_false(slu_node_json(root, &out));
    slu_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pointer_leads_to_a_node_or_near_it),
        cmocka_unit_test(a_member_is_got_by_name),
        cmocka_unit_test(readers_give_the_value_or_the_default),
        cmocka_unit_test(a_tree_is_written_as_json),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
