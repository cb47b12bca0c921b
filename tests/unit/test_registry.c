/* test_registry.c -- the registry's client against a server that says anything, and its cache against
 * anything that may lie on a disk. The real thing is asked in tests/registry. */
#include "sinks/registry.h"

#include "base/clock.h"
#include "sinks/registry_ids.h"
#include "sinks/registry_whole.h"
#include "validation/avro/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "registry_help.h"

#define SECOND      SLU_NS_PER_S
#define N(array)    (sizeof(array) / sizeof((array)[0]))
#define INT         "\"int\""
#define INT_IN_JSON "\"\\\"int\\\"\""

static int64_t within(int64_t ns)
{
    return slu_clock_mono_ns() + ns;
}

/* A private folder for a cache. */
static char *new_folder(void)
{
    static char folder[64];

    snprintf(folder, sizeof(folder), "/tmp/sluice-registry-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return folder;
}

/* The only file in `folder`. */
static void only_file(const char *folder, char *path, size_t size)
{
    DIR *dir = opendir(folder);
    size_t n = 0;

    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, size, "%s/%s", folder, entry->d_name);
        n++;
    }
    closedir(dir);
    assert_int_equal(n, 1);
}

static void remove_folder(const char *folder)
{
    DIR *dir = opendir(folder);

    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    rmdir(folder);
}

static struct slu_registry *client(const struct slu_registry_options *options)
{
    struct slu_err err = {0};
    struct slu_registry *registry = slu_registry_new(options, &err);

    if (registry == NULL)
        fail_msg("%s", err.text);
    return registry;
}

/* ---- hostile answers -------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    struct answer answer;
    enum slu_err_kind kind;
} wrong[] = {
    {"500", {JSON("500 Oops", "{\"error_code\":50001,\"message\":\"store\"}"), WHOLE}, SLU_EIO},
    {"503 with a page", {JSON("503 Busy", "<html>later</html>"), WHOLE}, SLU_EIO},
    {"429", {JSON("429 Slow down", ""), WHOLE}, SLU_EIO},
    {"401", {JSON("401 No", "{\"error_code\":40101,\"message\":\"who?\"}"), WHOLE}, SLU_EDENIED},
    {"403", {JSON("403 No", ""), WHOLE}, SLU_EDENIED},
    {"404 of a registry",
     {JSON("404 Not Found", "{\"error_code\":40403,\"message\":\"no schema\"}"), WHOLE},
     SLU_ENOENT},
    {"404 of something else", {JSON("404 Not Found", "<h1>nginx</h1>"), WHOLE}, SLU_ECORRUPT},
    {"409", {JSON("409 Conflict", "{\"error_code\":40901,\"message\":\"x\"}"), WHOLE}, SLU_EINVAL},
    {"422", {JSON("422 No", "{\"error_code\":42201,\"message\":\"x\"}"), WHOLE}, SLU_EINVAL},
    {"a redirect",
     {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nConnection: close\r\n\r\n", WHOLE},
     SLU_EIO},
    {"a reply that is cut",
     {"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"schema\":", WHOLE},
     SLU_EIO},
    {"a chunk that is cut",
     {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{\"schema\":", WHOLE},
     SLU_EIO},
    {"no reply at all", {"H", WHOLE}, SLU_EIO},
    {"not HTTP", {"SSH-2.0-OpenSSH_9.2\r\n", WHOLE}, SLU_EIO},
    {"silence", {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", HANG}, SLU_EIO},
    {"a line of head without end", {"HTTP/1.1 200 OK\r\nX: a", FLOOD}, SLU_EIO},
    {"a head of many lines", {"HTTP/1.1 200 OK\r\nA: b\r\n", FLOOD_LINES}, SLU_ECORRUPT},
    {"a body without end", {JSON("200 OK", "{\"schema\":\"a"), FLOOD}, SLU_ECORRUPT},
    {"an error without end", {JSON("500 Oops", "a"), FLOOD}, SLU_ECORRUPT},
    {"no body", {JSON("200 OK", ""), WHOLE}, SLU_ECORRUPT},
    {"no JSON", {JSON("200 OK", "schema"), WHOLE}, SLU_ECORRUPT},
    {"half of JSON", {JSON("200 OK", "{\"schema\":" INT_IN_JSON), WHOLE}, SLU_ECORRUPT},
    {"a list", {JSON("200 OK", "[1]"), WHOLE}, SLU_ECORRUPT},
    {"no schema", {JSON("200 OK", "{\"id\":7}"), WHOLE}, SLU_ECORRUPT},
    {"an empty schema", {JSON("200 OK", "{\"schema\":\"\"}"), WHOLE}, SLU_ECORRUPT},
    {"a schema that is no text",
     {JSON("200 OK", "{\"schema\":{\"type\":\"int\"}}"), WHOLE},
     SLU_ECORRUPT},
    {"a schema with NUL", {JSON("200 OK", "{\"schema\":\"a\\u0000b\"}"), WHOLE}, SLU_ECORRUPT},
    {"a schema that is not UTF-8", {JSON("200 OK", "{\"schema\":\"\xff\"}"), WHOLE}, SLU_ECORRUPT},
    {"two schemas", {JSON("200 OK", "{\"schema\":\"1\",\"schema\":\"2\"}"), WHOLE}, SLU_ECORRUPT},
    {"an id below 0",
     {JSON("200 OK", "{\"schema\":" INT_IN_JSON ",\"id\":-1}"), WHOLE},
     SLU_ECORRUPT},
    {"an id beyond four bytes",
     {JSON("200 OK", "{\"schema\":" INT_IN_JSON ",\"id\":4294967296}"), WHOLE},
     SLU_ECORRUPT},
    {"an id beyond all",
     {JSON("200 OK", "{\"schema\":" INT_IN_JSON ",\"id\":1e400}"), WHOLE},
     SLU_ECORRUPT},
    {"a version of 0",
     {JSON("200 OK", "{\"schema\":" INT_IN_JSON ",\"version\":0}"), WHOLE},
     SLU_ECORRUPT},
    {"Protobuf",
     {JSON("200 OK", "{\"schema\":\"x\",\"schemaType\":\"PROTOBUF\"}"), WHOLE},
     SLU_EINVAL},
    {"a type that is no text",
     {JSON("200 OK", "{\"schema\":\"x\",\"schemaType\":3}"), WHOLE},
     SLU_ECORRUPT},
    {"references that are no list",
     {JSON("200 OK", "{\"schema\":\"x\",\"references\":{}}"), WHOLE},
     SLU_ECORRUPT},
    {"a reference without a subject",
     {JSON("200 OK", "{\"schema\":\"x\",\"references\":[{\"name\":\"a\",\"version\":1}]}"), WHOLE},
     SLU_ECORRUPT},
};

static void each_wrong_answer_is_told_for_what_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(wrong); i++) {
        struct server *server = start_server(&wrong[i].answer, 1);
        const struct slu_registry_options options = {
            .url = server->url, .username = "me", .password = "sesame-7"};
        struct slu_registry *registry = client(&options);
        struct slu_err err = {0};
        const int64_t patience = wrong[i].answer.how == HANG ? SECOND / 5 : 30 * SECOND;

        assert_null(slu_registry_by_id(registry, 7, within(patience), &err));
        if (err.kind != wrong[i].kind)
            fail_msg("%s: error %d, %s", wrong[i].name, (int)err.kind, err.text);
        assert_null(strstr(err.text, "sesame"));
        assert_int_equal(server->n_asked, 1); /* no second try, no redirect that is followed */
        slu_registry_free(registry);
        stop_server(server);
    }
}

static void nesting_without_end_is_refused(void **state)
{
    (void)state;
    char *bytes = malloc(400001);
    const size_t head = (size_t)snprintf(bytes, 400001, "%s", JSON("200 OK", ""));
    memset(bytes + head, '[', 400000 - head);
    bytes[400000] = '\0';
    const struct answer answers[] = {{bytes, WHOLE}};
    struct server *server = start_server(answers, 1);
    const struct slu_registry_options options = {.url = server->url};
    struct slu_registry *registry = client(&options);
    struct slu_err err = {0};

    assert_null(slu_registry_by_id(registry, 7, within(30 * SECOND), &err));
    assert_int_equal(err.kind, SLU_ECORRUPT);
    slu_registry_free(registry);
    stop_server(server);
    free(bytes);
}

static void nobody_there_is_an_error_of_the_network(void **state)
{
    (void)state;
    static const struct answer answers[] = {{"x", WHOLE}};
    struct server *server = start_server(answers, 1);
    char url[64];

    snprintf(url, sizeof(url), "%s", server->url);
    stop_server(server);
    const struct slu_registry_options options = {.url = url};
    struct slu_registry *registry = client(&options);
    struct slu_err err = {0};
    assert_int_equal(slu_registry_reach(registry, within(10 * SECOND), &err), -1);
    assert_int_equal(err.kind, SLU_EIO);
    slu_registry_free(registry);
}

struct stopper {
    _Atomic bool stop;
    struct server *server;
};

static void *stop_when_asked(void *argument)
{
    struct stopper *stopper = argument;

    while (atomic_load(&stopper->server->n_asked) == 0)
        usleep(1000);
    atomic_store(&stopper->stop, true);
    return NULL;
}

static void a_stop_ends_a_question_before_its_deadline(void **state)
{
    (void)state;
    static const struct answer answers[] = {{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", HANG}};
    struct stopper stopper = {.server = start_server(answers, 1)};
    const struct slu_registry_options options = {.url = stopper.server->url, .stop = &stopper.stop};
    struct slu_registry *registry = client(&options);
    struct slu_err err = {0};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, stop_when_asked, &stopper), 0);
    assert_int_equal(slu_registry_reach(registry, within(3600 * SECOND), &err), -1);
    assert_int_equal(err.kind, SLU_EBUSY);
    pthread_join(thread, NULL);
    slu_registry_free(registry);
    stop_server(stopper.server);
}

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

/* ---- the cache ------------------------------------------------------------------------------------------------ */

static const struct answer seven[] = {
    {JSON("200 OK", "{\"schema\":" INT_IN_JSON "}"), WHOLE},
    {JSON("500 Oops", ""), WHOLE},
};

static void what_was_asked_once_is_not_asked_again(void **state)
{
    (void)state;
    static const struct answer answers[] = {
        {JSON("200 OK", "{\"schema\":" INT_IN_JSON "}"), WHOLE},
        {JSON("200 OK", "{\"subject\":\"s\",\"id\":9,\"version\":2,\"schema\":" INT_IN_JSON "}"),
         WHOLE},
        {JSON("200 OK", "{\"id\":11}"), WHOLE},
        {JSON("500 Oops", ""), WHOLE},
    };
    char *folder = new_folder();
    char inner[128];
    snprintf(inner, sizeof(inner), "%s/registry", folder);
    struct server *server = start_server(answers, N(answers));
    const struct slu_registry_options options = {.url = server->url, .cache = inner};

    for (int again = 0; again < 2; again++) {
        struct slu_registry *registry = client(&options);
        struct slu_err err = {0};
        struct slu_registry_schema *schema;
        int64_t id = 0;
        schema = slu_registry_by_id(registry, 7, within(30 * SECOND), &err);
        assert_non_null(schema);
        assert_int_equal(schema->id, 7);
        slu_registry_schema_free(schema);
        schema = again == 0 ? slu_registry_by_version(registry, "s", SLU_REGISTRY_LATEST,
                                                      within(30 * SECOND), &err)
                            : slu_registry_cached(&options, -1, "s", SLU_REGISTRY_LATEST);
        assert_non_null(schema);
        assert_int_equal(schema->version, 2);
        slu_registry_schema_free(schema);
        schema = slu_registry_by_version(registry, "s", 2, within(30 * SECOND), &err);
        assert_non_null(schema);
        assert_int_equal(schema->id, 9);
        slu_registry_schema_free(schema);
        assert_int_equal(slu_registry_id_of(registry, "s", SLU_REGISTRY_AVRO, SLU_SLICE(INT),
                                            within(30 * SECOND), &id, &err),
                         0);
        assert_int_equal(id, 11);
        slu_registry_free(registry);
    }
    assert_int_equal(server->n_asked, 3);
    struct stat status;
    assert_int_equal(stat(inner, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);

    /* Another registry's ids are other ids. */
    const struct slu_registry_options other = {.url = "http://127.0.0.1:1", .cache = inner};
    assert_null(slu_registry_cached(&other, 7, NULL, 0));
    assert_null(slu_registry_cached(&other, -1, "s", 2));
    stop_server(server);
    remove_folder(inner);
    remove_folder(folder);
}

/* Fill a cache with id 7, and read its file. */
static size_t fill(const char *folder, const char *url, char *path, size_t path_size, char *bytes,
                   size_t size)
{
    const struct slu_registry_options options = {.url = url, .cache = folder};
    struct slu_registry *registry = client(&options);
    struct slu_err err = {0};
    struct slu_registry_schema *schema = slu_registry_by_id(registry, 7, within(30 * SECOND), &err);

    assert_non_null(schema);
    slu_registry_schema_free(schema);
    slu_registry_free(registry);
    only_file(folder, path, path_size);
    const int fd = open(path, O_RDONLY);
    const ssize_t n = read(fd, bytes, size);
    close(fd);
    assert_true(n > 40);
    return (size_t)n;
}

static void put(const char *path, const char *bytes, size_t n)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), (ssize_t)n);
    close(fd);
}

static void a_damaged_file_of_the_cache_is_as_if_it_were_not_there(void **state)
{
    (void)state;
    char *folder = new_folder();
    struct server *server = start_server(seven, 2);
    const struct slu_registry_options options = {.url = server->url, .cache = folder};
    char path[256], whole[1024], bytes[1024];
    const size_t n = fill(folder, server->url, path, sizeof(path), whole, sizeof(whole));
    struct slu_registry_schema *schema = slu_registry_cached(&options, 7, NULL, 0);

    assert_non_null(schema);
    slu_registry_schema_free(schema);
    for (size_t len = 0; len < n; len++) { /* cut at every byte */
        put(path, whole, len);
        assert_null(slu_registry_cached(&options, 7, NULL, 0));
    }
    for (size_t bit = 0; bit < 8 * n; bit++) { /* every bit turned */
        memcpy(bytes, whole, n);
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
        put(path, bytes, n);
        schema = slu_registry_cached(&options, 7, NULL, 0);
        if (schema != NULL)
            fail_msg("bit %zu turned, and the file is believed", bit);
    }
    put(path, whole, n); /* something behind it */
    const int fd = open(path, O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
    assert_null(slu_registry_cached(&options, 7, NULL, 0));
    stop_server(server);
    remove_folder(folder);
}

static void a_file_that_is_another_ones_or_no_file_is_not_believed(void **state)
{
    (void)state;
    char *folder = new_folder();
    struct server *server = start_server(seven, 2);
    const struct slu_registry_options options = {.url = server->url, .cache = folder};
    char path[256], aside[300], whole[1024];
    const size_t n = fill(folder, server->url, path, sizeof(path), whole, sizeof(whole));

    snprintf(aside, sizeof(aside), "%s.aside", path);
    assert_int_equal(rename(path, aside), 0);
    assert_int_equal(symlink(aside, path), 0);
    assert_null(slu_registry_cached(&options, 7, NULL, 0));
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_null(slu_registry_cached(&options, 7, NULL, 0)); /* and does not wait for a writer */
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_null(slu_registry_cached(&options, 7, NULL, 0));
    rmdir(path);

    /* Id 8 under the name of 7, whole in itself: the answer to another question. */
    whole[n] = '\0';
    put(path, whole, n);
    const struct slu_registry_options elsewhere = {.url = "http://127.0.0.1:2", .cache = folder};
    assert_null(slu_registry_cached(&elsewhere, 7, NULL, 0));
    assert_null(slu_registry_cached(&options, 8, NULL, 0));
    struct slu_registry_schema *schema = slu_registry_cached(&options, 7, NULL, 0);
    assert_non_null(schema);
    slu_registry_schema_free(schema);
    stop_server(server);
    remove_folder(folder);
}

static void a_cache_that_cannot_be_written_does_not_stand_in_the_way(void **state)
{
    (void)state;
    struct server *server = start_server(seven, 1);
    const struct slu_registry_options options = {.url = server->url,
                                                 .cache = "/proc/nowhere/registry"};
    struct slu_registry *registry = client(&options);
    struct slu_err err = {0};
    struct slu_registry_schema *schema = slu_registry_by_id(registry, 7, within(30 * SECOND), &err);

    assert_non_null(schema);
    slu_registry_schema_free(schema);
    slu_registry_free(registry);
    stop_server(server);
}

static void an_id_is_asked_for_once_a_topic(void **state)
{
    (void)state;
    static const struct answer answers[] = {
        {JSON("200 OK", "{\"id\":16909060}"), WHOLE},
        {JSON("404 Not Found", "{\"error_code\":40403,\"message\":\"no\"}"), WHOLE},
        {JSON("503 Busy", ""), WHOLE},
        {JSON("200 OK", "{\"id\":4294967295}"), WHOLE},
    };
    struct server *server = start_server(answers, N(answers));
    struct slu_registry_options options = {.url = server->url};
    struct slu_err err = {0};
    struct slu_registry_ids *ids =
        slu_registry_ids_new(&options, SLU_REGISTRY_AVRO, SLU_SLICE(INT), &err);
    char long_topic[600];
    int64_t id = 0;

    assert_non_null(ids);
    options.url = "gone"; /* it was copied */
    for (int again = 0; again < 3; again++) {
        id = 0;
        assert_int_equal(slu_registry_ids_find(ids, "plant.a", within(30 * SECOND), &id, &err), 0);
        assert_int_equal(id, 0x01020304);
    }
    assert_int_equal(server->n_asked, 1);
    assert_non_null(strstr(server->asked[0], "POST /subjects/plant.a-value HTTP/1.1"));
    assert_int_equal(slu_registry_ids_find(ids, "plant.b", within(30 * SECOND), &id, &err), -1);
    assert_true(slu_registry_wants_action(err.kind));
    err = (struct slu_err){0};
    assert_int_equal(slu_registry_ids_find(ids, "plant.b", within(30 * SECOND), &id, &err), -1);
    assert_false(slu_registry_wants_action(err.kind));
    assert_int_equal(slu_registry_ids_find(ids, "plant.b", within(30 * SECOND), &id, NULL), 0);
    assert_int_equal(id, SLU_REGISTRY_ID_MAX);
    memset(long_topic, 'a', sizeof(long_topic));
    long_topic[599] = '\0';
    assert_int_equal(slu_registry_ids_find(ids, long_topic, within(30 * SECOND), &id, NULL), -1);
    assert_int_equal(server->n_asked, 4);
    slu_registry_ids_free(ids);
    stop_server(server);
}

static void the_subject_of_a_topic_is_its_name_and_value(void **state)
{
    (void)state;
    char out[16];

    assert_true(slu_registry_topic_subject("plant.a", out, sizeof(out)));
    assert_string_equal(out, "plant.a-value");
    assert_false(slu_registry_topic_subject("plant.abcdefghi", out, sizeof(out)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_wrong_answer_is_told_for_what_it_is),
        cmocka_unit_test(nesting_without_end_is_refused),
        cmocka_unit_test(nobody_there_is_an_error_of_the_network),
        cmocka_unit_test(a_stop_ends_a_question_before_its_deadline),
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
        cmocka_unit_test(what_was_asked_once_is_not_asked_again),
        cmocka_unit_test(a_damaged_file_of_the_cache_is_as_if_it_were_not_there),
        cmocka_unit_test(a_file_that_is_another_ones_or_no_file_is_not_believed),
        cmocka_unit_test(a_cache_that_cannot_be_written_does_not_stand_in_the_way),
        cmocka_unit_test(an_id_is_asked_for_once_a_topic),
        cmocka_unit_test(the_subject_of_a_topic_is_its_name_and_value),
    };

    setenv("no_proxy", "127.0.0.1", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
