/* test_config.c -- what a good configuration becomes. What is refused, and with which words, is in
 * tests/cases/config. */
#include "plugin/config.h"

#include "plugin/config_case.h"
#include "plugin/config_manual.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A folder of its own for each test; files are removed with it. */
struct folder {
    char path[64];
    char file[96];
};

static int make_folder(void **state)
{
    static struct folder folder;

    snprintf(folder.path, sizeof(folder.path), "/tmp/sluice-config-XXXXXX");
    assert_non_null(mkdtemp(folder.path));
    snprintf(folder.file, sizeof(folder.file), "%s/c.yaml", folder.path);
    *state = &folder;
    return 0;
}

static void write_file(const struct folder *folder, const char *name, const char *text)
{
    char path[160];

    snprintf(path, sizeof(path), "%s/%s", folder->path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int remove_folder(void **state)
{
    const struct folder *folder = *state;
    static const char *const names[] = {"c.yaml", "s.json", "secret", "other.yaml"};
    char path[160];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder->path, names[i]);
        unlink(path);
    }
    return rmdir(folder->path);
}

static struct slu_config *load(const struct folder *folder, const char *yaml)
{
    struct slu_problems problems;

    write_file(folder, "c.yaml", yaml);
    slu_problems_init(&problems);
    struct slu_config *config = slu_config_load(folder->file, NULL, NULL, &problems);
    for (size_t i = 0; i < problems.n; i++)
        if (!problems.items[i].is_warning)
            print_error("%u: %s: %s\n", problems.items[i].err.line, problems.items[i].err.pointer,
                        problems.items[i].err.text);
    assert_int_equal(config == NULL, problems.n_errors != 0);
    slu_problems_fini(&problems);
    return config;
}

static void what_is_left_out_has_its_default(void **state)
{
    struct slu_config *config = load(*state, "{}\n");
    char host[256] = "";

    assert_non_null(config);
    assert_int_equal(gethostname(host, sizeof(host) - 1), 0);
    assert_string_equal(config->instance, host);
    assert_string_equal(config->data_dir, "/var/lib/mosquitto/sluice");
    assert_string_equal(config->spool.data_dir, config->data_dir);
    assert_int_equal(config->spool.sync, SLU_SYNC_INTERVAL);
    assert_int_equal(config->spool.sync_interval_ns, 100000000);
    assert_int_equal(config->spool.max_size_bytes, INT64_C(4) << 30);
    assert_int_equal(config->spool.min_free_bytes, INT64_C(1) << 30);
    assert_int_equal(config->n_sinks, 0);
    assert_int_equal(config->snapshot->n_policies, 0);
    assert_int_equal(config->snapshot->max_payload, 1 << 20);
    slu_config_free(config);
}

static void relative_paths_start_at_the_folder_of_the_file(void **state)
{
    const struct folder *folder = *state;
    char expected[160];

    write_file(folder, "s.json", "{\"type\":\"object\"}");
    struct slu_config *config = load(folder, "data_dir: data\n"
                                             "schemas: [{id: s, version: 3, file: s.json}]\n"
                                             "sinks:\n"
                                             "  lake: {type: file, path: sub/lake}\n"
                                             "  away: {type: file, path: /srv/lake}\n");
    assert_non_null(config);
    snprintf(expected, sizeof(expected), "%s/data", folder->path);
    assert_string_equal(config->data_dir, expected);
    snprintf(expected, sizeof(expected), "%s/sub/lake", folder->path);
    assert_string_equal(slu_node_text(slu_node_get(config->sinks[0].section, "path"), ""),
                        expected);
    assert_string_equal(slu_node_text(slu_node_get(config->sinks[1].section, "path"), ""),
                        "/srv/lake");
    assert_int_equal(config->n_schemas, 1);
    assert_string_equal(config->schemas[0].name, "s:3");
    assert_string_equal(config->schemas[0].type, "json-schema");
    assert_true(slu_slice_equal(config->schemas[0].text, SLU_SLICE("{\"type\":\"object\"}")));
    slu_config_free(config);
}

static void sinks_have_the_places_of_the_file_as_bits(void **state)
{
    struct slu_config *config = load(
        *state, "sinks:\n"
                "  one: {type: file, path: a, when_full: refuse, batch: {rows: 7, time: 3ms}}\n"
                "  two: {type: file, path: b}\n"
                "  three: {type: file, path: c, when_full: drop_newest}\n"
                "policies:\n"
                "  - {id: p, topics: [a], to: [three, one], on_violation: {to: [two]}}\n");
    assert_non_null(config);
    assert_int_equal(config->n_sinks, 3);
    assert_string_equal(config->sinks[0].name, "one");
    assert_string_equal(config->sinks[0].ops->type, "file");
    assert_int_equal(config->sinks[0].when_full, SLU_FULL_REFUSE);
    assert_int_equal(config->sinks[0].batch_records, 7);
    assert_int_equal(config->sinks[0].batch_time_ns, 3000000);
    assert_int_equal(config->sinks[1].when_full, SLU_FULL_DROP_OLDEST);
    assert_int_equal(config->sinks[1].batch_records, 0);
    assert_int_equal(config->sinks[2].when_full, SLU_FULL_DROP_NEWEST);
    for (int i = 0; i < 3; i++)
        assert_int_equal(config->sinks[i].bit, i);
    assert_int_equal(config->snapshot->policies[0].sinks, 5);
    assert_int_equal(config->snapshot->policies[0].violation_sinks, 2);
    slu_config_free(config);
}

static int backwards(void *context, const struct slu_config_sink *sink, struct slu_err *err)
{
    int *calls = context;

    if (strcmp(sink->name, "none") == 0)
        return slu_err_set(err, SLU_EFULL, "no bit is left");
    return 9 - (*calls)++;
}

static void whoever_loads_may_give_the_bits(void **state)
{
    const struct folder *folder = *state;
    struct slu_problems problems;
    int calls = 0;

    write_file(folder, "c.yaml",
               "sinks: {one: {type: file, path: a}, two: {type: file, path: b}}\n"
               "policies: [{id: p, topics: [a], to: [two]}]\n");
    slu_problems_init(&problems);
    struct slu_config *config = slu_config_load(folder->file, backwards, &calls, &problems);
    assert_non_null(config);
    assert_int_equal(config->sinks[0].bit, 9);
    assert_int_equal(config->sinks[1].bit, 8);
    assert_int_equal(config->snapshot->policies[0].sinks, 1 << 8);
    slu_config_free(config);

    write_file(folder, "c.yaml", "sinks: {none: {type: file, path: a}}\n");
    assert_null(slu_config_load(folder->file, backwards, &calls, &problems));
    slu_problems_fini(&problems);

    /* A bad configuration must not use up bits. */
    calls = 0;
    write_file(folder, "c.yaml", "sinks: {one: {type: file, path: a}}\nx: 1\n");
    slu_problems_init(&problems);
    assert_null(slu_config_load(folder->file, backwards, &calls, &problems));
    assert_int_equal(calls, 0);
    slu_problems_fini(&problems);
}

static uint64_t fingerprint(const struct folder *folder, const char *section)
{
    char yaml[256];

    snprintf(yaml, sizeof(yaml), "sinks:\n  lake: %s\n", section);
    struct slu_config *config = load(folder, yaml);
    assert_non_null(config);
    const uint64_t print = config->sinks[0].fingerprint;
    slu_config_free(config);
    return print;
}

static void a_fingerprint_changes_with_the_content_of_the_section_alone(void **state)
{
    const uint64_t first = fingerprint(*state, "{type: file, path: a}");

    assert_true(first == fingerprint(*state, "{type: file, path: a}"));
    assert_true(first == fingerprint(*state, "{type:   'file',   path: \"a\"} # the same"));
    assert_true(first != fingerprint(*state, "{type: file, path: b}"));
    assert_true(first != fingerprint(*state, "{type: file, path: a, compress: gzip}"));
}

static void a_secret_changes_the_fingerprint_but_is_never_told(void **state)
{
    const struct folder *folder = *state;
    struct slu_problems problems;

    write_file(folder, "secret", "a\n");
    const uint64_t first = fingerprint(folder, "{type: file, path: '${file:secret}'}");
    write_file(folder, "secret", "b\n");
    assert_true(first != fingerprint(folder, "{type: file, path: '${file:secret}'}"));

    write_file(folder, "secret", "hunter2\n");
    write_file(folder, "c.yaml",
               "instance: [\"${file:secret}\"]\n"
               "max_payload: \"${file:secret}\"\n"
               "spool: {sync: \"${file:secret}\", min_free: {a: \"${file:secret}\"}}\n"
               "policies:\n"
               "  - {id: \"${file:secret} \", topics: [a]}\n"
               "  - {id: p, topics: [a], payload: \"${file:secret}\"}\n");
    slu_problems_init(&problems);
    assert_null(slu_config_load(folder->file, NULL, NULL, &problems));
    assert_true(problems.n_errors >= 6);
    for (size_t i = 0; i < problems.n; i++)
        assert_null(strstr(problems.items[i].err.text, "hunter2"));
    slu_problems_fini(&problems);
}

static void all_errors_are_told_in_the_order_of_lines(void **state)
{
    const struct folder *folder = *state;
    struct slu_problems problems;
    char yaml[8192];
    size_t at = 0;

    at += (size_t)snprintf(yaml, sizeof(yaml), "policies:\n");
    for (int i = 0; i < 40; i++)
        at += (size_t)snprintf(yaml + at, sizeof(yaml) - at,
                               "  - {id: p%d, topics: [a], mode: x}\n", i);
    snprintf(yaml + at, sizeof(yaml) - at, "instance: 1\n");
    write_file(folder, "c.yaml", yaml);
    slu_problems_init(&problems);
    assert_null(slu_config_load(folder->file, NULL, NULL, &problems));
    assert_int_equal(problems.n_errors, 41);
    for (size_t i = 0; i < problems.n; i++)
        assert_int_equal(problems.items[i].err.line, 2 + i);
    slu_problems_fini(&problems);
}

/* Every option of the manual is described: it is the manual. Maps are closed, unless more is told by
 * type; a word that stands for the type itself is told where the type is. */
static void check_described(const struct slu_manual *manual, const struct slu_value *page,
                            const char *name)
{
    const struct slu_value *properties = slu_manual_keyword(manual, page, "properties");

    if (properties == NULL)
        return;
    if (!slu_manual_is_closed(manual, page) && slu_manual_keyword(manual, page, "allOf") == NULL)
        fail_msg("%s takes keys that are not described", name);
    const struct slu_value *key = slu_value_first(properties);
    for (size_t i = 0; i < slu_value_len(properties); i++) {
        const struct slu_value *option = key + 1;
        const struct slu_value *description = slu_manual_keyword(manual, option, "description");
        if ((description == NULL || slu_value_len(description) < 8) &&
            slu_manual_keyword(manual, option, "const") == NULL)
            fail_msg("%s: %.*s has no description", name, SLU_SLICE_ARG(slu_value_text(key)));
        check_described(manual, option, key->text);
        key = slu_value_next(option);
    }
}

static void every_option_has_its_description(void **state)
{
    struct slu_manual manual = {0};
    struct slu_err err = {0};

    (void)state;
    assert_int_equal(slu_manual_init(&manual, &err), 0);
    for (size_t i = 0; i < SLU_SECTIONS; i++)
        check_described(&manual, slu_manual_section(&manual, (enum slu_section)i), "top");
    slu_manual_fini(&manual);
}

static void a_test_case_is_a_message(void **state)
{
    struct slu_config *config =
        load(*state, "tests:\n"
                     "  - {topic: a/b, payload: {v: 1.50, w: [yes, null]}, qos: 2, retain: true,\n"
                     "     client_id: c, username: u, now: \"1970-01-01T00:00:01Z\",\n"
                     "     expect: {verdict: holds, topic: x}}\n"
                     "  - {topic: a, payload_base64: \"AAE=\", expect: {}}\n"
                     "  - {topic: a, expect: {}}\n");
    struct slu_config_case test;
    struct slu_arena arena;

    assert_non_null(config);
    slu_arena_init(&arena, 1 << 20);
    const struct slu_node *tests = slu_node_get(config->root, "tests");
    assert_int_equal(slu_config_case_read(tests->items[0], "", &arena, &test, NULL), 0);
    assert_int_equal(test.line, 2);
    assert_true(slu_slice_equal(test.message.topic, SLU_SLICE("a/b")));
    assert_true(
        slu_slice_equal(test.message.payload, SLU_SLICE("{\"v\":1.50,\"w\":[\"yes\",null]}")));
    assert_int_equal(test.message.qos, 2);
    assert_true(test.message.retain);
    assert_true(slu_slice_equal(test.message.client_id, SLU_SLICE("c")));
    assert_true(slu_slice_equal(test.message.username, SLU_SLICE("u")));
    assert_true(test.has_time);
    assert_int_equal(test.message.received_ns, 1000000000);
    assert_string_equal(test.verdict, "holds");
    assert_string_equal(test.topic, "x");
    assert_null(test.code);
    assert_null(test.sinks);
    assert_int_equal(slu_config_case_read(tests->items[1], "", &arena, &test, NULL), 0);
    assert_int_equal(test.message.payload.len, 2);
    assert_memory_equal(test.message.payload.data, "\0\1", 2);
    assert_int_equal(slu_config_case_read(tests->items[2], "", &arena, &test, NULL), 0);
    assert_int_equal(test.message.payload.len, 0);
    assert_false(test.has_time);
    slu_arena_fini(&arena);
    slu_config_free(config);
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(what_is_left_out_has_its_default),
        in_a_folder(relative_paths_start_at_the_folder_of_the_file),
        in_a_folder(sinks_have_the_places_of_the_file_as_bits),
        in_a_folder(whoever_loads_may_give_the_bits),
        in_a_folder(a_fingerprint_changes_with_the_content_of_the_section_alone),
        in_a_folder(a_secret_changes_the_fingerprint_but_is_never_told),
        in_a_folder(all_errors_are_told_in_the_order_of_lines),
        cmocka_unit_test(every_option_has_its_description),
        in_a_folder(a_test_case_is_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
