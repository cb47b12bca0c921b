/* test_registrar.c -- the thread that asks the registry: what it fetches, when it tells, how it stops. */
#include "plugin/registrar.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>

#include "registry_help.h"

#define SECOND SLU_NS_PER_S
#define VERSION(number)                                                                       \
    JSON("200 OK", "{\"subject\":\"s\",\"id\":1" number ",\"version\":" number ",\"schema\":" \
                   "\"\\\"int\\\"\"}")

static int64_t within(int64_t ns)
{
    return slu_clock_mono_ns() + ns;
}

struct scene {
    char folder[64];
    struct server *server;
    struct slu_registry_wants wants;
    _Atomic unsigned news;
};

static void count_news(void *context)
{
    atomic_fetch_add(&((struct scene *)context)->news, 1);
}

/* Wants `version` of subject s; the cache is made below a private folder, or at `cache`. */
static void set(struct scene *scene, const struct answer *answers, size_t n, int64_t version,
                bool all, const char *cache)
{
    struct slu_registry_wants *wants = &scene->wants;

    snprintf(scene->folder, sizeof(scene->folder), "/tmp/sluice-registrar-XXXXXX");
    assert_non_null(mkdtemp(scene->folder));
    scene->server = start_server(answers, n);
    atomic_store(&scene->news, 0);
    slu_registry_wants_init(wants);
    wants->options.url = slu_arena_printf(&wants->arena, "%s", scene->server->url);
    wants->options.cache =
        slu_arena_printf(&wants->arena, "%s", cache != NULL ? cache : scene->folder);
    wants->items = slu_arena_array(&wants->arena, 1, sizeof(wants->items[0]));
    wants->items[0] = (struct slu_registry_want){"s", version, all};
    wants->n = 1;
}

static void clear(struct scene *scene)
{
    DIR *dir = opendir(scene->folder);

    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    rmdir(scene->folder);
    stop_server(scene->server);
    slu_registry_wants_fini(&scene->wants);
}

static struct slu_registrar *start(struct scene *scene, bool waited_for)
{
    struct slu_err err = {0};
    struct slu_registrar *registrar =
        slu_registrar_start(&scene->wants, count_news, scene, waited_for, &err);

    if (registrar == NULL)
        fail_msg("%s", err.text);
    return registrar;
}

/* Wait until `rounds` were booked; the deadline is for the broken case. */
static struct slu_registrar_stats after_rounds(struct slu_registrar *registrar, uint64_t rounds)
{
    const int64_t deadline = within(60 * SECOND);
    struct slu_registrar_stats stats;

    for (;;) {
        slu_registrar_stats(registrar, &stats);
        if (stats.rounds >= rounds)
            return stats;
        assert_true(slu_clock_mono_ns() < deadline);
        usleep(1000);
    }
}

static void what_was_waited_for_is_no_news_and_its_other_versions_are(void **state)
{
    (void)state;
    static const struct answer answers[] = {
        {VERSION("1"), WHOLE}, {JSON("200 OK", "[1,2]"), WHOLE}, {VERSION("2"), WHOLE}};
    struct scene scene;
    struct slu_err err = {0};

    set(&scene, answers, 3, 1, true, NULL);
    struct slu_registrar *registrar = start(&scene, true);
    assert_int_equal(slu_registrar_wait(registrar, within(60 * SECOND), &err), 0);
    const struct slu_registrar_stats stats = after_rounds(registrar, 1);
    assert_true(stats.answers);
    assert_int_equal(stats.fetched, 2);
    assert_int_equal(scene.news, 1);
    assert_true(stats.last_answer_wall_ns > 0);
    assert_string_equal(stats.last_error, "");
    assert_true(slu_registrar_stop(registrar, within(60 * SECOND)));
    clear(&scene);
}

static void what_nobody_waits_for_is_news_also_after_a_failure(void **state)
{
    (void)state;
    static const struct answer answers[] = {
        {JSON("500 Oops", ""), WHOLE}, {VERSION("1"), WHOLE}, {JSON("200 OK", "[]"), WHOLE}};
    struct scene scene;

    set(&scene, answers, 3, 1, false, NULL);
    struct slu_registrar *registrar = start(&scene, false);
    struct slu_registrar_stats stats = after_rounds(registrar, 1);
    assert_false(stats.answers);
    assert_non_null(strstr(stats.last_error, "500"));
    stats = after_rounds(registrar, 2); /* within a second or so, not a minute */
    assert_true(stats.answers);
    assert_int_equal(stats.failed, 1);
    assert_int_equal(scene.news, 1);
    assert_true(slu_registrar_stop(registrar, within(60 * SECOND)));
    clear(&scene);
}

static void a_registry_that_need_not_be_asked_is_asked_whether_it_answers(void **state)
{
    (void)state;
    static const struct answer answers[] = {
        {VERSION("1"), WHOLE}, {JSON("200 OK", "[]"), WHOLE}, {JSON("401 No", ""), WHOLE}};
    struct scene scene;

    set(&scene, answers, 3, 1, false, NULL);
    struct slu_registrar *registrar = start(&scene, false);
    assert_true(after_rounds(registrar, 1).answers);
    slu_registrar_look(registrar); /* a round more, when five seconds have passed */
    const struct slu_registrar_stats stats = after_rounds(registrar, 2);
    assert_false(stats.answers);
    assert_non_null(strstr(stats.last_error, "does not let us in"));
    assert_int_equal(scene.news, 1);
    assert_true(slu_registrar_stop(registrar, within(60 * SECOND)));
    clear(&scene);
}

static void who_waits_is_told_what_is_wrong(void **state)
{
    (void)state;
    static const struct answer missing[] = {
        {JSON("404 Not Found", "{\"error_code\":40401,\"message\":\"no subject\"}"), WHOLE}};
    static const struct answer good[] = {{VERSION("1"), WHOLE}};
    struct scene scene;
    struct slu_err err = {0}, again = {0};

    set(&scene, missing, 1, 1, false, NULL);
    struct slu_registrar *registrar = start(&scene, true);
    assert_int_equal(slu_registrar_wait(registrar, within(60 * SECOND), &err), -1);
    assert_int_equal(err.kind, SLU_ENOENT);
    assert_true(slu_registrar_stop(registrar, within(60 * SECOND)));
    clear(&scene);

    set(&scene, good, 1, 1, false, "/proc/nowhere/registry"); /* never news without end */
    registrar = start(&scene, true);
    assert_int_equal(slu_registrar_wait(registrar, within(60 * SECOND), &again), -1);
    assert_non_null(strstr(again.text, "/proc/nowhere/registry cannot be written"));
    assert_true(slu_registrar_stop(registrar, within(60 * SECOND)));
    assert_int_equal(scene.news, 0);
    clear(&scene);
}

static void a_registry_that_hangs_holds_up_nobody(void **state)
{
    (void)state;
    static const struct answer answers[] = {{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", HANG}};
    struct scene scene;
    struct slu_err err = {0};

    set(&scene, answers, 1, 1, false, NULL);
    struct slu_registrar *registrar = start(&scene, true);
    assert_int_equal(slu_registrar_wait(registrar, within(SECOND / 20), &err), -1);
    assert_int_equal(err.kind, SLU_EIO);
    slu_registrar_hurry(registrar);
    assert_true(slu_registrar_stop(registrar, within(60 * SECOND)));
    clear(&scene);
}

static void latest_is_news_when_it_moved(void **state)
{
    (void)state;
    static const struct answer answers[] = {
        {VERSION("1"), WHOLE}, {VERSION("1"), WHOLE}, {VERSION("2"), WHOLE}};
    static const unsigned expected[] = {1, 0, 1};
    struct scene scene;

    set(&scene, answers, 3, SLU_REGISTRY_LATEST, false, NULL);
    for (size_t i = 0; i < 3; i++) { /* a registrar each, one cache */
        struct slu_registry_wants wants;
        slu_registry_wants_init(&wants);
        wants.options.url = slu_arena_printf(&wants.arena, "%s", scene.server->url);
        wants.options.cache = slu_arena_printf(&wants.arena, "%s", scene.folder);
        wants.items = slu_arena_array(&wants.arena, 1, sizeof(wants.items[0]));
        wants.items[0] = (struct slu_registry_want){"s", SLU_REGISTRY_LATEST, false};
        wants.n = 1;
        assert_true(slu_registry_wants_equal(&wants, &scene.wants));
        atomic_store(&scene.news, 0);
        struct slu_err err = {0};
        struct slu_registrar *registrar =
            slu_registrar_start(&wants, count_news, &scene, false, &err);
        assert_non_null(registrar);
        after_rounds(registrar, 1);
        assert_int_equal(scene.news, expected[i]);
        assert_true(slu_registrar_stop(registrar, within(60 * SECOND)));
        slu_registry_wants_fini(&wants);
    }
    clear(&scene);
}

static void what_is_asked_of_whom_is_compared_whole(void **state)
{
    (void)state;
    struct slu_registry_want items[] = {{"s", 1, true}}, others[] = {{"s", 2, true}};
    struct slu_registry_wants a = {.options = {.url = "u", .cache = "c"}, .items = items, .n = 1};
    struct slu_registry_wants b = a;

    assert_true(slu_registry_wants_equal(&a, &b));
    b.items = others;
    assert_false(slu_registry_wants_equal(&a, &b));
    b = a;
    b.options.token = "t";
    assert_false(slu_registry_wants_equal(&a, &b));
    b = a;
    b.n = 0;
    assert_false(slu_registry_wants_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_waited_for_is_no_news_and_its_other_versions_are),
        cmocka_unit_test(what_nobody_waits_for_is_news_also_after_a_failure),
        cmocka_unit_test(a_registry_that_need_not_be_asked_is_asked_whether_it_answers),
        cmocka_unit_test(who_waits_is_told_what_is_wrong),
        cmocka_unit_test(a_registry_that_hangs_holds_up_nobody),
        cmocka_unit_test(latest_is_news_when_it_moved),
        cmocka_unit_test(what_is_asked_of_whom_is_compared_whole),
    };

    setenv("no_proxy", "127.0.0.1", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
