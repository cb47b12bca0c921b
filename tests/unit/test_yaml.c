/* test_yaml.c -- what a configuration file says as JSON, and which problem it has, in which place. */
#include "base/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct reading {
    struct slu_arena arena;
    struct slu_problems problems;
    const struct slu_node *root;
};

static void read_bytes(struct reading *reading, const char *text, size_t len, const char *name)
{
    slu_arena_init(&reading->arena, 64 << 20);
    slu_problems_init(&reading->problems);
    reading->root = slu_yaml_parse(slu_slice(text, len), name, &reading->arena, &reading->problems);
    /* One or the other, always. */
    assert_int_equal(reading->root == NULL, reading->problems.n_errors > 0);
}

static void read_text(struct reading *reading, const char *text)
{
    read_bytes(reading, text, strlen(text), "test.yaml");
}

static void done(struct reading *reading)
{
    slu_problems_fini(&reading->problems);
    slu_arena_fini(&reading->arena);
}

static const char *first_problem(const struct reading *reading, char *out, size_t size)
{
    if (reading->problems.n == 0)
        return "";
    return slu_err_format(&reading->problems.items[0].err, out, size);
}

/* ---- values ---- */

static const struct {
    const char *yaml, *json;
} value_cases[] = {
    /* YAML 1.2.2 §10.3.2 */
    {"[~, null, Null, NULL, ]", "[null,null,null,null]"},
    {"a:\nb: ", "{\"a\":null,\"b\":null}"},
    {"[nUll, NuLL, none]", "[\"nUll\",\"NuLL\",\"none\"]"},
    {"[true, True, TRUE, false, False, FALSE]", "[true,true,true,false,false,false]"},
    {"[no, yes, on, off, y, n, No, tRue]",
     "[\"no\",\"yes\",\"on\",\"off\",\"y\",\"n\",\"No\",\"tRue\"]"},
    {"[0, 12, +12, -12, 007, -0, 0o17, 0x1F, 0xff]", "[0,12,12,-12,7,-0,15,31,255]"},
    {"[123456789012345678901234567890]", "[123456789012345678901234567890]"},
    {"[0xFFFFFFFFFFFFFFFF]", "[18446744073709551615]"},
    {"[0o8, 0x, 0xg, -0x1, 0b1, 1_000, 0X1F, 12a, '']",
     "[\"0o8\",\"0x\",\"0xg\",\"-0x1\",\"0b1\",\"1_000\",\"0X1F\",\"12a\",\"\"]"},
    {"[1.5, .5, 5., 1e3, 1E+3, -1.5E-3, +0.10, 00.5, -.5, 5.e2]",
     "[1.5,0.5,5,1e3,1e+3,-1.5e-3,0.10,0.5,-0.5,5e2]"},
    {"[0.1000000000000000055511151231257827]", "[0.1000000000000000055511151231257827]"},
    {"[., -, +, e3, 1e, 1e+, 1.2.3, ..5, '+.']",
     "[\".\",\"-\",\"+\",\"e3\",\"1e\",\"1e+\",\"1.2.3\",\"..5\",\"+.\"]"},
    {"[1:30, 2001-01-01, 12:30:45]", "[\"1:30\",\"2001-01-01\",\"12:30:45\"]"},
    {"['1', \"true\", 'null', \"\", '~']", "[\"1\",\"true\",\"null\",\"\",\"~\"]"},
    {"a: |\n  1\n  2\n", "{\"a\":\"1\\n2\\n\"}"},
    {"a: >-\n  1\n  2\n", "{\"a\":\"1 2\"}"},
    {"plain", "\"plain\""},
    {"{\"json\": [1, 2.5, {\"deep\": null}], \"x\": true}",
     "{\"json\":[1,2.5,{\"deep\":null}],\"x\":true}"},
    {"\xef\xbb\xbf"
     "a: 1",
     "{\"a\":1}"},
    {"---\na: 1\n...\n", "{\"a\":1}"},
    {"%YAML 1.2\n---\na: 1\n", "{\"a\":1}"},
    {"a: 1\r\nb: 2\r\n", "{\"a\":1,\"b\":2}"},
    {"1: a\nnull: b\ntrue: c", "{\"1\":\"a\",\"null\":\"b\",\"true\":\"c\"}"},
    {"{}", "{}"},
    {"[]", "[]"},
    {"oven: {oven}", "{\"oven\":{\"oven\":null}}"},
    {"\xc3\xbc: \"\\u00fc\\n\"", "{\"\xc3\xbc\":\"\xc3\xbc\\n\"}"},
    /* anchors */
    {"a: &x {b: [1, 2]}\nc: *x\nd: [*x, *x]",
     "{\"a\":{\"b\":[1,2]},\"c\":{\"b\":[1,2]},\"d\":[{\"b\":[1,2]},{\"b\":[1,2]}]}"},
    {"a: &x 1\nb: &x 2\nc: *x", "{\"a\":1,\"b\":2,\"c\":2}"},
    {"a: &x\nb: *x", "{\"a\":null,\"b\":null}"},
    {"'<<': 1", "{\"<<\":1}"},
    /* templates and escapes */
    {"a: \"x/${policy}/{site}\"", "{\"a\":\"x/${policy}/{site}\"}"},
    {"['$', '$$', '$${env:X}', 'a$b', '$${', '$$$${x}', '${x']",
     "[\"$\",\"$$\",\"${env:X}\",\"a$b\",\"${\",\"$$${x}\",\"${x\"]"},
    {"${env:SLU_TEST_NAME}: 1", "{\"${env:SLU_TEST_NAME}\":1}"},
    {"a: ${env:SLU_TEST_NAME}", "{\"a\":\"plant\"}"},
    {"a: 'x-${env:SLU_TEST_NAME}-${env:SLU_TEST_NAME}'", "{\"a\":\"x-plant-plant\"}"},
    {"a: ${env:SLU_TEST_NUMBER}", "{\"a\":\"42\"}"},
    {"a: ${env:SLU_TEST_NESTED}", "{\"a\":\"${env:SLU_TEST_NAME} $${x}\"}"},
    {"a: ${env:SLU_TEST_EMPTY}", "{\"a\":\"\"}"},
    {"a: \"\\u0024{env:SLU_TEST_NAME}\"", "{\"a\":\"plant\"}"},
};

static void set_environment(void)
{
    setenv("SLU_TEST_NAME", "plant", 1);
    setenv("SLU_TEST_NUMBER", "42", 1);
    setenv("SLU_TEST_NESTED", "${env:SLU_TEST_NAME} $${x}", 1);
    setenv("SLU_TEST_EMPTY", "", 1);
    setenv("SLU_TEST_LATIN1", "caf\xe9", 1);
    unsetenv("SLU_TEST_MISSING");
}

static void a_file_says_what_its_json_says(void **state)
{
    (void)state;
    set_environment();
    for (size_t i = 0; i < sizeof(value_cases) / sizeof(value_cases[0]); i++) {
        struct reading reading;
        struct slu_buf json;
        char problem[1200];
        read_text(&reading, value_cases[i].yaml);
        slu_buf_init(&json, 1 << 20);
        if (reading.root == NULL) {
            fail_msg("%s: %s", value_cases[i].yaml,
                     first_problem(&reading, problem, sizeof(problem)));
        } else {
            assert_true(slu_node_json(reading.root, &json));
            assert_string_equal(slu_buf_text(&json), value_cases[i].json);
        }
        slu_buf_fini(&json);
        done(&reading);
    }
}

static const struct {
    const char *scalar;
    enum slu_node_kind kind;
    const char *text;
    bool secret;
} kind_cases[] = {
    {"~", SLU_NODE_NULL, "null", false},
    {"TRUE", SLU_NODE_BOOL, "true", false},
    {"-7", SLU_NODE_INT, "-7", false},
    {"0x10", SLU_NODE_INT, "16", false},
    {"1.50", SLU_NODE_FLOAT, "1.50", false},
    {"off", SLU_NODE_STRING, "off", false},
    {"'7'", SLU_NODE_STRING, "7", false},
    {"${env:SLU_TEST_NUMBER}", SLU_NODE_STRING, "42", true},
    {"'$${env:X}'", SLU_NODE_STRING, "${env:X}", false},
};

static void scalars_have_a_kind_and_a_terminated_text(void **state)
{
    (void)state;
    set_environment();
    for (size_t i = 0; i < sizeof(kind_cases) / sizeof(kind_cases[0]); i++) {
        struct reading reading;
        char text[100];
        snprintf(text, sizeof(text), "a: %s", kind_cases[i].scalar);
        read_text(&reading, text);
        const struct slu_node *node = slu_node_get(reading.root, "a");
        assert_non_null(node);
        assert_int_equal(node->kind, kind_cases[i].kind);
        assert_string_equal(node->text.data, kind_cases[i].text);
        assert_int_equal(node->text.len, strlen(kind_cases[i].text));
        assert_int_equal(node->secret, kind_cases[i].secret);
        done(&reading);
    }
}

static void nodes_know_their_places(void **state)
{
    (void)state;
    struct reading reading;
    read_text(&reading, "sinks:\n"
                        "  historian: {type: file, path: /srv/lake}\n"
                        "list:\n"
                        "  - one\n"
                        "  - \xc3\xbc\xc3\xbc: [x, \xe2\x82\xac, y]\n");
    static const struct {
        const char *pointer;
        unsigned line, column;
    } places[] = {
        {"", 1, 1},
        {"/sinks", 2, 3},
        {"/sinks/historian", 2, 14},
        {"/sinks/historian/type", 2, 21},
        {"/sinks/historian/path", 2, 33},
        {"/list", 4, 3},
        {"/list/0", 4, 5},
        {"/list/1/\xc3\xbc\xc3\xbc", 5, 11},
        {"/list/1/\xc3\xbc\xc3\xbc/1", 5, 15},
        {"/list/1/\xc3\xbc\xc3\xbc/2", 5, 20}, /* columns are bytes */
    };
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        bool exact = false;
        const struct slu_node *node = slu_node_at(reading.root, places[i].pointer, &exact, NULL);
        assert_true(exact);
        if (node->line != places[i].line || node->column != places[i].column)
            fail_msg("%s is at %u:%u", places[i].pointer, node->line, node->column);
        assert_string_equal(node->file, "test.yaml");
    }
    const struct slu_node_pair *pair = NULL;
    slu_node_at(reading.root, "/sinks/historian/path", NULL, &pair);
    assert_non_null(pair);
    assert_int_equal(pair->key_line, 2);
    assert_int_equal(pair->key_column, 27);
    done(&reading);
}

/* ---- problems ---- */

static const struct {
    const char *yaml;
    const char *place; /* file:line:column: /pointer, or the start of it */
    const char *says;
} problem_cases[] = {
    {"", "test.yaml:1:1: is empty", ""},
    {"\n# nothing\n", "test.yaml:1:1: is empty", ""},
    {"---\n", "test.yaml:1:1: is empty", ""},
    {"null", "test.yaml:1:1: is empty", ""},
    {"a: 1\nb: 2\na: 3\n", "test.yaml:3:1: /a: ", "\"a\" comes twice; the first is in line 1"},
    {"x:\n  - {a/b: 1, 'a/b': 3}", "test.yaml:2:14: /x/0/a~1b: ", "comes twice"},
    {"x: 1\ny: [1, {\"z\": 1, z: 2}]", "test.yaml:2:17: /y/1/z: ", "comes twice"},
    {"{oven}: 1", "test.yaml:1:1: ", "a map cannot be a key"},
    {"a: 1\n{oven}: 1", "test.yaml:2:1: ", "a map cannot be a key"},
    {"[a]: 1", "test.yaml:1:1: ", "a list cannot be a key"},
    {"? {a: 1}\n: 2", "test.yaml:1:3: ", "a map cannot be a key"},
    {"a: &x b\n*x : 1", "test.yaml:2:1: ", "an alias cannot be a key"},
    {"&x a: 1", "test.yaml:1:1: ", "a key cannot have an anchor"},
    {"a: *x", "test.yaml:1:4: /a: ", "*x has no anchor before it"},
    {"a: &x [1, *x]", "test.yaml:1:11: /a/1: ", "stands inside of what it refers to"},
    {"a: {<<: {b: 1}}", "test.yaml:1:5: /a/<<: ", "merge keys"},
    {"b: &x {c: 1}\na:\n  <<: *x", "test.yaml:3:3: /a/<<: ", "merge keys"},
    {"a: !!str 1", "test.yaml:1:4: /a: ", "tags are not used here"},
    {"a: !foo {b: 1}", "test.yaml:1:4: /a: ", "tags are not used here (!foo)"},
    {"a: [!x []]", "test.yaml:1:5: /a/0: ", "tags are not used here"},
    {"!x a: 1", "test.yaml:1:1: /a: ", "tags are not used here"},
    {"a: ! 1", "test.yaml:1:4: /a: ", "tags are not used here"},
    {"a: 1\n---\nb: 2", "test.yaml:2:1: ", "a second document"},
    {"a: .inf", "test.yaml:1:4: /a: ", ".inf is not a number here"},
    {"a: [1, -.INF]", "test.yaml:1:8: /a/1: ", "-.INF is not a number here"},
    {"a: .NaN", "test.yaml:1:4: /a: ", ".NaN is not a number here"},
    {"a: 0x10000000000000000", "test.yaml:1:4: /a: ", "does not fit 64 bits"},
    {"a: ${env:SLU_TEST_MISSING}",
     "test.yaml:1:4: /a: ", "the environment variable SLU_TEST_MISSING is not set"},
    {"a: ${env:}", "test.yaml:1:4: /a: ", "not the name of a variable"},
    {"a: '${env:A-B}'", "test.yaml:1:4: /a: ", "not the name of a variable"},
    {"a: '${env:SLU_TEST_NAME'", "test.yaml:1:4: /a: ", "has no closing }"},
    {"a: ${env:SLU_TEST_LATIN1}", "test.yaml:1:4: /a: ", "SLU_TEST_LATIN1 is not UTF-8"},
    {"s:\n- 1\n- b: ${file:/nonexistent/secret}",
     "test.yaml:3:6: /s/1/b: ", "/nonexistent/secret: No such file"},
    {"a: ${file:}", "test.yaml:1:4: /a: ", "names no file"},
    {"a: ${file:/}", "test.yaml:1:4: /a: ", "/ is not a regular file"},
    {"a: \"x\\0y\"", "test.yaml:1:4: /a: ", "a NUL character"},
    {"\"x\\0y\": 1", "test.yaml:1:1: ", "a NUL character"},
    {"a: b: c", "test.yaml:1:5: ", "mapping values are not allowed"},
    {"a:\n\t- 1", "test.yaml:2:1: ", "a tab cannot indent"},
    {"a: @x", "test.yaml:1:4: ", "must be quoted"},
    {"a: [1, 2", "test.yaml:", "did not find expected ',' or ']'"},
    {"a: \"open", "test.yaml:", "quoted scalar"},
    {"a: 1\n b: 2", "test.yaml:2:", "mapping values"},
    {"x: \xc3\xbc\na: \"\xc3\xbc\" b", "test.yaml:2:9: ", "did not find expected key"},
    {"a: \xff", "test.yaml:1:4: ", "not UTF-8"},
    {"a: \xc3\xbc\nb: \xc3\xbc\xed\xa0\x80", "test.yaml:2:6: ", "not UTF-8"},
    {"a: 1\nb: \x01", "test.yaml:2:4: ", "control characters are not allowed"},
    {"\xff\xfe"
     "a\0",
     "test.yaml:1:1: ", "not UTF-8"},
};

static void a_problem_has_its_place(void **state)
{
    (void)state;
    set_environment();
    for (size_t i = 0; i < sizeof(problem_cases) / sizeof(problem_cases[0]); i++) {
        struct reading reading;
        char problem[1200];
        read_text(&reading, problem_cases[i].yaml);
        assert_null(reading.root);
        first_problem(&reading, problem, sizeof(problem));
        if (strncmp(problem, problem_cases[i].place, strlen(problem_cases[i].place)) != 0 ||
            strstr(problem, problem_cases[i].says) == NULL)
            fail_msg("case %zu: %s\nsays: %s", i, problem_cases[i].yaml, problem);
        done(&reading);
    }
}

static void nul_bytes_are_refused(void **state)
{
    (void)state;
    struct reading reading;
    char problem[1200];
    read_bytes(&reading, "a: 1\nb: \0", 9, "test.yaml");
    assert_null(reading.root);
    first_problem(&reading, problem, sizeof(problem));
    assert_non_null(strstr(problem, "test.yaml:2:4: a NUL byte"));
    done(&reading);
}

static void all_problems_of_values_are_told_at_once(void **state)
{
    (void)state;
    struct reading reading;
    set_environment();
    read_text(&reading, "a: ${env:SLU_TEST_MISSING}\nb: .nan\nc: {d: 1, d: 2}\ne: !x 1\n");
    assert_int_equal(reading.problems.n_errors, 4);
    done(&reading);
}

static void a_problem_never_shows_a_secret(void **state)
{
    (void)state;
    struct reading reading;
    char problem[1200];
    setenv("SLU_TEST_SECRET", "hunter2\xff", 1);
    read_text(&reading, "a: ${env:SLU_TEST_SECRET}");
    first_problem(&reading, problem, sizeof(problem));
    assert_non_null(strstr(problem, "SLU_TEST_SECRET"));
    assert_null(strstr(problem, "hunter2"));
    done(&reading);
}

/* ---- ceilings ---- */

static char *repeat(const char *text, size_t n, const char *end)
{
    const size_t len = strlen(text), end_len = strlen(end);
    char *out = malloc(n * len + end_len + 1);
    assert_non_null(out);
    for (size_t i = 0; i < n; i++)
        memcpy(out + i * len, text, len);
    memcpy(out + n * len, end, end_len + 1);
    return out;
}

static void expect_problem(const char *text, const char *says)
{
    struct reading reading;
    char problem[1200];
    read_text(&reading, text);
    first_problem(&reading, problem, sizeof(problem));
    if (says == NULL ? reading.root == NULL : strstr(problem, says) == NULL)
        fail_msg("%.40s… says: %s", text, problem);
    done(&reading);
}

static void depth_has_a_ceiling(void **state)
{
    (void)state;
    char *deep = repeat("[", SLU_YAML_MAX_DEPTH, "");
    char *good = malloc(2 * SLU_YAML_MAX_DEPTH + 1);
    assert_non_null(good);
    memset(good, '[', SLU_YAML_MAX_DEPTH);
    memset(good + SLU_YAML_MAX_DEPTH, ']', SLU_YAML_MAX_DEPTH);
    good[2 * SLU_YAML_MAX_DEPTH] = '\0';
    expect_problem(good, NULL);
    free(deep);
    deep = repeat("[", SLU_YAML_MAX_DEPTH + 1, "");
    expect_problem(deep, "nested too deeply");
    free(deep);
    deep = repeat("[", 100000, "");
    expect_problem(deep, "nested too deeply");
    free(deep);
    deep = repeat("- ", 100000, "x");
    expect_problem(deep, "nested too deeply");
    free(deep);
    free(good);
}

/* Each level is one deeper than the one it refers to, written flat. */
static void aliases_count_for_depth(void **state)
{
    (void)state;
    struct slu_buf text;
    slu_buf_init(&text, 1 << 16);
    slu_buf_add_text(&text, "a0: &a0 [x]\n");
    for (int i = 1; i < SLU_YAML_MAX_DEPTH - 1; i++)
        slu_buf_printf(&text, "a%d: &a%d [*a%d]\n", i, i, i - 1);
    expect_problem(slu_buf_text(&text), NULL);
    slu_buf_printf(&text, "b: [*a%d]\n", SLU_YAML_MAX_DEPTH - 2);
    expect_problem(slu_buf_text(&text), "too deeply");
    slu_buf_fini(&text);
}

static void a_billion_laughs_are_refused(void **state)
{
    (void)state;
    struct slu_buf text;
    slu_buf_init(&text, 1 << 16);
    slu_buf_add_text(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 10; i++) {
        slu_buf_printf(&text, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++)
            slu_buf_printf(&text, "%s*a%d", j > 0 ? ", " : "", i - 1);
        slu_buf_add_text(&text, "]\n");
    }
    expect_problem(slu_buf_text(&text), "more than 2000000 values");
    slu_buf_fini(&text);
}

static void anchors_have_a_ceiling(void **state)
{
    (void)state;
    struct slu_buf text;
    slu_buf_init(&text, 1 << 20);
    for (unsigned i = 0; i < SLU_YAML_MAX_ANCHORS; i++)
        slu_buf_printf(&text, "- &a%u x\n", i);
    expect_problem(slu_buf_text(&text), NULL);
    slu_buf_add_text(&text, "- &z x\n");
    expect_problem(slu_buf_text(&text), "too many anchors");
    slu_buf_fini(&text);
}

static void many_keys_are_checked_for_twins(void **state)
{
    (void)state;
    struct slu_buf text;
    slu_buf_init(&text, 1 << 22);
    for (unsigned i = 0; i < 50000; i++)
        slu_buf_printf(&text, "key%u: 1\n", i);
    expect_problem(slu_buf_text(&text), NULL);
    slu_buf_add_text(&text, "key777: 1\n");
    expect_problem(slu_buf_text(&text), "test.yaml:50001:1: /key777: \"key777\" comes twice; the "
                                        "first is in line 778");
    slu_buf_fini(&text);
}

static void a_large_file_is_refused(void **state)
{
    (void)state;
    char *text = repeat("#", SLU_YAML_MAX_BYTES + 1, "");
    expect_problem(text, "is larger than");
    free(text);
}

/* Whatever the arena's ceiling stops, it is told and nothing leaks. */
static void no_memory_is_told(void **state)
{
    (void)state;
    static const char text[] = "a: &x {b: [1, 2, three]}\nc: *x\nd: '${env:SLU_TEST_NAME}'\n";
    set_environment();
    size_t failed = 0;
    for (size_t max = 0; max < 4096; max += 16) {
        struct slu_arena arena;
        struct slu_problems problems;
        slu_arena_init(&arena, max);
        slu_problems_init(&problems);
        const struct slu_node *root =
            slu_yaml_parse(SLU_SLICE(text), "test.yaml", &arena, &problems);
        assert_int_equal(root == NULL, problems.n_errors > 0);
        failed += root == NULL;
        slu_problems_fini(&problems);
        slu_arena_fini(&arena);
    }
    assert_in_range(failed, 10, 200);
}

/* ---- files ---- */

static char folder[] = "/tmp/sluice-test-yaml-XXXXXX";

static const char *write_file(const char *name, const char *bytes, size_t len)
{
    static char path[200];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    return path;
}

static const struct {
    const char *bytes;
    size_t len;
    const char *text; /* NULL: refused */
} secret_cases[] = {
    {"s3cret", 6, "s3cret"},
    {"s3cret\n", 7, "s3cret"},
    {"s3cret\n\n", 8, "s3cret\n"},
    {"s3cret\r\n", 8, "s3cret"},
    {"${env:X}$${", 11, "${env:X}$${"},
    {"", 0, ""},
    {"\n", 1, ""},
    {"a\0b", 3, NULL},
    {"\xff", 1, NULL},
    {" x ", 3, " x "},
};

static void a_secret_is_read_from_a_file_beside(void **state)
{
    (void)state;
    char config[200], problem[1200];
    snprintf(config, sizeof(config), "%s/sluice.yaml", folder);
    for (size_t i = 0; i < sizeof(secret_cases) / sizeof(secret_cases[0]); i++) {
        struct reading reading;
        const char *path = write_file("secret", secret_cases[i].bytes, secret_cases[i].len);
        static const char text[] = "password: <${file:secret}>";
        read_bytes(&reading, text, sizeof(text) - 1, config);
        if (secret_cases[i].text == NULL) {
            assert_null(reading.root);
            assert_non_null(strstr(first_problem(&reading, problem, sizeof(problem)), path));
        } else {
            const struct slu_node *node = slu_node_get(reading.root, "password");
            char expected[100];
            snprintf(expected, sizeof(expected), "<%s>", secret_cases[i].text);
            assert_non_null(node);
            assert_true(node->secret);
            assert_string_equal(node->text.data, expected);
        }
        assert_int_equal(unlink(path), 0);
        done(&reading);
    }
}

static void a_secret_has_a_ceiling(void **state)
{
    (void)state;
    struct reading reading;
    char *large = repeat("x", 65537, ""), text[300], problem[1200];
    const char *path = write_file("large", large, 65537);
    snprintf(text, sizeof(text), "a: ${file:%s}", path);
    read_text(&reading, text);
    assert_null(reading.root);
    assert_non_null(
        strstr(first_problem(&reading, problem, sizeof(problem)), "larger than 65536 bytes"));
    done(&reading);
    path = write_file("large", large, 65536);
    read_text(&reading, text);
    assert_non_null(reading.root);
    done(&reading);
    assert_int_equal(unlink(path), 0);
    free(large);
}

static void a_pipe_is_not_waited_for(void **state)
{
    (void)state;
    struct reading reading;
    char path[200], text[300], problem[1200];
    snprintf(path, sizeof(path), "%s/pipe", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    snprintf(text, sizeof(text), "a: ${file:%s}", path);
    read_text(&reading, text);
    assert_non_null(
        strstr(first_problem(&reading, problem, sizeof(problem)), "not a regular file"));
    done(&reading);
    assert_int_equal(unlink(path), 0);
}

static void a_file_is_read_from_disk(void **state)
{
    (void)state;
    struct slu_arena arena;
    struct slu_problems problems;
    char line[1200];
    const char *path = write_file("sluice.yaml", "a: 1\n", 5);
    slu_arena_init(&arena, 1 << 20);
    slu_problems_init(&problems);
    const struct slu_node *root = slu_yaml_read(path, &arena, &problems);
    assert_non_null(root);
    assert_string_equal(root->file, path);
    assert_int_equal(slu_node_int(slu_node_get(root, "a"), 0), 1);
    assert_int_equal(unlink(path), 0);

    assert_null(slu_yaml_read(path, &arena, &problems));
    assert_null(slu_yaml_read(folder, &arena, &problems));
    assert_int_equal(problems.n_errors, 2);
    assert_non_null(strstr(slu_err_format(&problems.items[0].err, line, sizeof(line)), "No such"));
    assert_non_null(
        strstr(slu_err_format(&problems.items[1].err, line, sizeof(line)), "not a regular file"));
    slu_problems_fini(&problems);
    slu_arena_fini(&arena);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_says_what_its_json_says),
        cmocka_unit_test(scalars_have_a_kind_and_a_terminated_text),
        cmocka_unit_test(nodes_know_their_places),
        cmocka_unit_test(a_problem_has_its_place),
        cmocka_unit_test(nul_bytes_are_refused),
        cmocka_unit_test(all_problems_of_values_are_told_at_once),
        cmocka_unit_test(a_problem_never_shows_a_secret),
        cmocka_unit_test(depth_has_a_ceiling),
        cmocka_unit_test(aliases_count_for_depth),
        cmocka_unit_test(a_billion_laughs_are_refused),
        cmocka_unit_test(anchors_have_a_ceiling),
        cmocka_unit_test(many_keys_are_checked_for_twins),
        cmocka_unit_test(a_large_file_is_refused),
        cmocka_unit_test(no_memory_is_told),
        cmocka_unit_test(a_secret_is_read_from_a_file_beside),
        cmocka_unit_test(a_secret_has_a_ceiling),
        cmocka_unit_test(a_pipe_is_not_waited_for),
        cmocka_unit_test(a_file_is_read_from_disk),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
