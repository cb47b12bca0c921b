/* test_registry_cache.c -- what is kept of a registry, and what is asked again. */
#include "tests/unit/registry_client_help.h"

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
