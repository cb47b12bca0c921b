/* test_registry.c -- good answers of a registry, and the references of a schema. */
#include "tests/unit/registry_client_help.h"

/* ---- good answers ------------------------------------------------------------------------------------------- */

static void who_we_are_is_said_and_subjects_are_escaped(void **state)
{
    (void)state;
    static const struct answer answers[] = {
        {JSON("200 OK", "{\"subject\":\"a\",\"id\":7,\"version\":3,\"schema\":" INT_IN_JSON "}"),
         WHOLE}};
    static const struct {
        struct slu_registry_options options;
        const char *says;
    } ways[] = {
        {{.username = "Aladdin", .password = "open sesame"},
         "\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"},
        {{.username = "Aladdin"}, "\r\nAuthorization: Basic QWxhZGRpbjo=\r\n"},
        {{.token = "abc.def"}, "\r\nAuthorization: Bearer abc.def\r\n"},
    };
    for (size_t i = 0; i < N(ways); i++) {
        struct server *server = start_server(answers, 1);
        struct slu_registry_options options = ways[i].options;
        struct slu_err err = {0};
        char url[128];
        snprintf(url, sizeof(url), "%s/apis/ccompat/v7/", server->url);
        options.url = url;
        struct slu_registry *registry = client(&options);
        struct slu_registry_schema *schema =
            slu_registry_by_version(registry, ":.ctx:a/../b c%", 3, within(30 * SECOND), &err);
        assert_non_null(schema);
        assert_int_equal(schema->id, 7);
        assert_int_equal(schema->version, 3);
        assert_int_equal(schema->type, SLU_REGISTRY_AVRO);
        assert_string_equal(schema->text.data, INT);
        slu_registry_schema_free(schema);
        assert_non_null(strstr(server->asked[0], ways[i].says));
        assert_non_null(strstr(server->asked[0],
                               "GET /apis/ccompat/v7/subjects/"
                               "%3A.ctx%3Aa%2F..%2Fb%20c%25/versions/3 HTTP/1.1\r\n"));
        slu_registry_free(registry);
        stop_server(server);
    }
}

static void what_cannot_be_sent_is_refused_at_once(void **state)
{
    (void)state;
    static const struct {
        struct slu_registry_options options;
        const char *names;
    } cases[] = {
        {{.url = "ftp://a"}, "url"},
        {{.url = "http://me:pw@a"}, "url"},
        {{.url = "http://a?x=1"}, "url"},
        {{.url = "http://a\r\nX: y"}, "url"},
        {{.url = "http://a", .token = "a\r\nX: y"}, "token"},
        {{.url = "http://a", .username = "a\nb"}, "username"},
        {{.url = "http://a", .username = "a:b"}, "username"},
        {{.url = "http://a", .username = "a", .password = "x\n"}, "password"},
        {{.url = "http://a", .username = "a", .token = "b"}, "token"},
    };
    for (size_t i = 0; i < N(cases); i++) {
        struct slu_err err = {0};
        assert_null(slu_registry_new(&cases[i].options, &err));
        assert_int_equal(err.kind, SLU_EINVAL);
        assert_int_equal(strncmp(err.text, cases[i].names, strlen(cases[i].names)), 0);
    }
}

static void a_schema_is_registered_or_looked_up(void **state)
{
    (void)state;
    static const struct answer answers[] = {{JSON("200 OK", "{\"id\":70000}"), WHOLE}};
    for (int may = 0; may < 2; may++) {
        struct server *server = start_server(answers, 1);
        const struct slu_registry_options options = {.url = server->url, .may_register = may == 1};
        struct slu_registry *registry = client(&options);
        struct slu_err err = {0};
        int64_t id = 0;
        assert_int_equal(slu_registry_id_of(registry, "t-value", SLU_REGISTRY_JSON,
                                            SLU_SLICE("{\"maximum\":1.10}"), within(30 * SECOND),
                                            &id, &err),
                         0);
        assert_int_equal(id, 70000);
        assert_non_null(strstr(server->asked[0], may == 1
                                                     ? "POST /subjects/t-value/versions HTTP/1.1"
                                                     : "POST /subjects/t-value HTTP/1.1"));
        assert_non_null(strstr(server->asked[0], "\r\n\r\n{\"schema\":\"{\\\"maximum\\\":1.10}\","
                                                 "\"schemaType\":\"JSON\"}"));
        slu_registry_free(registry);
        stop_server(server);
    }
}

static void compatibility_is_asked_and_a_new_subject_takes_everything(void **state)
{
    (void)state;
    static const struct answer answers[] = {
        {JSON("200 OK", "{\"is_compatible\":true}"), WHOLE},
        {JSON("200 OK", "{\"is_compatible\":false,\"messages\":[\"a\",\"b\"]}"), WHOLE},
        {JSON("404 Not Found", "{\"error_code\":40401,\"message\":\"no subject\"}"), WHOLE},
        {JSON("200 OK", "{\"is_compatible\":1}"), WHOLE},
        {JSON("500 Oops", ""), WHOLE},
    };
    static const struct {
        int result;
        bool compatible;
        const char *why;
    } expected[] = {
        {0, true, ""}, {0, false, "a; b"}, {0, true, ""}, {-1, false, ""}, {-1, true, ""}};
    struct server *server = start_server(answers, N(answers));
    const struct slu_registry_options options = {.url = server->url};
    struct slu_registry *registry = client(&options);

    for (size_t i = 0; i < N(expected); i++) {
        struct slu_err err = {0};
        bool compatible;
        char why[64];
        assert_int_equal(slu_registry_compatible(registry, "t-value", SLU_REGISTRY_AVRO,
                                                 SLU_SLICE(INT), within(30 * SECOND), &compatible,
                                                 why, sizeof(why), &err),
                         expected[i].result);
        assert_int_equal(err.kind != SLU_OK, expected[i].result != 0);
        if (expected[i].result == 0)
            assert_int_equal(compatible, expected[i].compatible);
        assert_string_equal(why, expected[i].why);
    }
    slu_registry_free(registry);
    stop_server(server);
}

static void a_registry_is_reached_when_it_answers_as_one(void **state)
{
    (void)state;
    static const struct answer answers[] = {{JSON("200 OK", "[\"a\"]"), WHOLE},
                                            {JSON("200 OK", "<html>"), WHOLE}};
    struct server *server = start_server(answers, 2);
    const struct slu_registry_options options = {.url = server->url};
    struct slu_registry *registry = client(&options);
    struct slu_err err = {0};

    assert_int_equal(slu_registry_reach(registry, within(30 * SECOND), &err), 0);
    assert_int_equal(slu_registry_reach(registry, within(30 * SECOND), &err), -1);
    assert_int_equal(err.kind, SLU_ECORRUPT);
    slu_registry_free(registry);
    stop_server(server);
}

static void versions_are_the_newest_in_order(void **state)
{
    (void)state;
    static const struct answer answers[] = {
        {JSON("200 OK", "[1]"), WHOLE},       {JSON("200 OK", "[5,1,3,3,2,9]"), WHOLE},
        {JSON("200 OK", "[]"), WHOLE},        {JSON("200 OK", "[4,3,2,1]"), WHOLE},
        {JSON("200 OK", "[1,0]"), WHOLE},     {JSON("200 OK", "[1.5]"), WHOLE},
        {JSON("200 OK", "{\"1\":2}"), WHOLE},
    };
    static const struct {
        size_t n;
        int64_t versions[3];
    } expected[] = {{1, {1}}, {3, {3, 5, 9}}, {0, {0}}, {3, {2, 3, 4}}};
    struct server *server = start_server(answers, N(answers));
    const struct slu_registry_options options = {.url = server->url};
    struct slu_registry *registry = client(&options);

    for (size_t i = 0; i < N(answers); i++) {
        struct slu_err err = {0};
        int64_t versions[3];
        size_t n;
        const int result =
            slu_registry_versions(registry, "s", within(30 * SECOND), versions, 3, &n, &err);
        assert_int_equal(result, i < N(expected) ? 0 : -1);
        if (result != 0) {
            assert_int_equal(err.kind, SLU_ECORRUPT);
            continue;
        }
        assert_int_equal(n, expected[i].n);
        assert_memory_equal(versions, expected[i].versions, n * sizeof(versions[0]));
    }
    slu_registry_free(registry);
    stop_server(server);
}

/* ---- references ---------------------------------------------------------------------------------------------- */

#define REFERENCE(name) "{\"name\":\"" name "\",\"subject\":\"" name "\",\"version\":1}"
#define VERSION_OF(name, references)                                                         \
    JSON("200 OK", "{\"subject\":\"" name "\",\"id\":1,\"version\":1,\"schema\":\"\\\"" name \
                   "\\\"\",\"references\":[" references "]}")

static void references_come_behind_what_they_refer_to(void **state)
{
    (void)state;
    /* top → b → c, top → c: c, b */
    static const struct answer answers[] = {
        {VERSION_OF("top", REFERENCE("b") "," REFERENCE("c")), WHOLE},
        {VERSION_OF("b", REFERENCE("c")), WHOLE},
        {VERSION_OF("c", ""), WHOLE},
    };
    char *folder = new_folder();
    struct server *server = start_server(answers, 3);
    const struct slu_registry_options options = {.url = server->url, .cache = folder};
    struct slu_registry *registry = client(&options);

    for (int again = 0; again < 2; again++) { /* the second time from the cache */
        struct slu_err err = {0};
        struct slu_registry_schema *schema =
            slu_registry_by_version(registry, "top", 1, within(30 * SECOND), &err);
        assert_non_null(schema);
        assert_int_equal(schema->n_references, 2);
        assert_string_equal(schema->references[0].name, "c");
        assert_string_equal(schema->references[1].name, "b");
        assert_string_equal(schema->references[1].text.data, "\"b\"");
        slu_registry_schema_free(schema);
    }
    assert_int_equal(server->n_asked, 3);
    slu_registry_free(registry);
    stop_server(server);
    remove_folder(folder);
}

static void references_in_a_circle_or_without_end_are_refused(void **state)
{
    (void)state;
    static const struct answer circle[] = {{VERSION_OF("a", REFERENCE("a")), WHOLE}};
    struct server *server = start_server(circle, 1);
    const struct slu_registry_options options = {.url = server->url};
    struct slu_registry *registry = client(&options);
    struct slu_err err = {0};

    assert_null(slu_registry_by_version(registry, "a", 1, within(30 * SECOND), &err));
    assert_int_equal(err.kind, SLU_EINVAL);
    assert_true(server->n_asked < 16);
    slu_registry_free(registry);
    stop_server(server);
}

static void a_schema_is_put_together_with_those_it_refers_to(void **state)
{
    (void)state;
    const struct slu_registry_reference references[] = {
        {"plant.Unit", "u", 1,
         SLU_SLICE("{\"type\":\"enum\",\"name\":\"Unit\",\"namespace\":\"plant\",\"symbols\":["
                   "\"BAR\"]}")},
        {"Bare", "b", 1, SLU_SLICE("{\"type\":\"fixed\",\"name\":\"Bare\",\"size\":2}")},
        {"plant.Value", "v", 1,
         SLU_SLICE("{\"type\":\"record\",\"name\":\"plant.Value\",\"fields\":["
                   "{\"name\":\"unit\",\"type\":[\"null\",\"Unit\"]}]}")},
    };
    static const struct {
        const char *text, *whole; /* NULL: refused */
    } cases[] = {
        {"\"plant.Unit\"",
         "{\"type\":\"enum\",\"name\":\"Unit\",\"namespace\":\"plant\",\"symbols\":[\"BAR\"]}"},
        {"{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"plant\",\"fields\":["
         "{\"name\":\"a\",\"type\":\"Value\",\"doc\":\"Unit\"},"
         "{\"name\":\"b\",\"type\":{\"type\":\"array\",\"items\":\"Unit\"}},"
         "{\"name\":\"c\",\"type\":{\"type\":\"map\",\"values\":\"int\"},\"default\":{}}]}",
         "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"plant\",\"fields\":["
         "{\"name\":\"a\",\"type\":{\"type\":\"record\",\"name\":\"plant.Value\",\"fields\":["
         "{\"name\":\"unit\",\"type\":[\"null\",{\"type\":\"enum\",\"name\":\"Unit\",\"namespace\":"
         "\"plant\",\"symbols\":[\"BAR\"]}]}]},\"doc\":\"Unit\"},"
         "{\"name\":\"b\",\"type\":{\"type\":\"array\",\"items\":\"Unit\"}},"
         "{\"name\":\"c\",\"type\":{\"type\":\"map\",\"values\":\"int\"},\"default\":{}}]}"},
        {"[\"null\",{\"type\":\"Bare\"}]", "[\"null\",{\"type\":{\"type\":\"fixed\",\"name\":"
                                           "\"Bare\",\"size\":2,\"namespace\":\"\"}}]"},
        {"{", NULL},
    };
    for (size_t i = 0; i < N(cases); i++) {
        struct slu_registry_schema schema = {.text = slu_slice_of(cases[i].text),
                                             .references = references,
                                             .n_references = N(references)};
        struct slu_err err = {0};
        struct slu_problems problems;
        slu_arena_init(&schema.arena, 1 << 20);
        const struct slu_slice whole = slu_registry_whole(&schema, &schema.arena, &err);
        if (cases[i].whole == NULL) {
            assert_int_equal(whole.len, 0);
            assert_int_equal(err.kind, SLU_EINVAL);
        } else {
            assert_string_equal(whole.data, cases[i].whole);
            const struct slu_avro_schema_options options = {.registry_id = -1};
            slu_problems_init(&problems);
            struct slu_avro_schema *compiled = slu_avro_schema_compile(whole, &options, &problems);
            if (compiled == NULL)
                fail_msg("case %zu: %s", i, problems.items[0].err.text);
            slu_avro_schema_free(compiled);
            slu_problems_fini(&problems);
        }
        slu_arena_fini(&schema.arena);
    }
}

static void references_nested_without_end_are_refused(void **state)
{
    (void)state;
    const struct slu_registry_reference reference = {"X", "x", 1, SLU_SLICE("{}")};
    char text[1001];
    memset(text, '[', 1000);
    memset(text + 500, ']', 500);
    struct slu_registry_schema schema = {
        .text = slu_slice(text, 1000), .references = &reference, .n_references = 1};
    struct slu_err err = {0};

    slu_arena_init(&schema.arena, 1 << 20);
    assert_int_equal(slu_registry_whole(&schema, &schema.arena, &err).len, 0);
    assert_int_equal(err.kind, SLU_EINVAL);
    slu_arena_fini(&schema.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_we_are_is_said_and_subjects_are_escaped),
        cmocka_unit_test(what_cannot_be_sent_is_refused_at_once),
        cmocka_unit_test(a_schema_is_registered_or_looked_up),
        cmocka_unit_test(compatibility_is_asked_and_a_new_subject_takes_everything),
        cmocka_unit_test(a_registry_is_reached_when_it_answers_as_one),
        cmocka_unit_test(versions_are_the_newest_in_order),
        cmocka_unit_test(references_come_behind_what_they_refer_to),
        cmocka_unit_test(references_in_a_circle_or_without_end_are_refused),
        cmocka_unit_test(a_schema_is_put_together_with_those_it_refers_to),
        cmocka_unit_test(references_nested_without_end_are_refused),
    };

    setenv("no_proxy", "127.0.0.1", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
