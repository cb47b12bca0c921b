/* test_registry_hostile.c -- each wrong answer is told for what it is; none hangs, grows or is believed. */
#include "tests/unit/registry_client_help.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_wrong_answer_is_told_for_what_it_is),
        cmocka_unit_test(nesting_without_end_is_refused),
        cmocka_unit_test(nobody_there_is_an_error_of_the_network),
        cmocka_unit_test(a_stop_ends_a_question_before_its_deadline),
    };

    setenv("no_proxy", "127.0.0.1", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
