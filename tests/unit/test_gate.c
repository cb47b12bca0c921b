/* The whole plugin without a broker: a house with a real spool and a file sink, messages in at the gate,
 * answers, alerts, counters and files out. */
#include "plugin/house.h"

#include "base/clock.h"
#include "base/properties.h"
#include "base/utf8.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
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

#define PUBLISHED_MAX 1024

struct fixture {
    char dir[64];
    char config[128];
    struct slu_house *house;
    size_t n_published;
    char topics[PUBLISHED_MAX][128];
    char last_payload[70000];
};

static const char base_config[] =
    "instance: test\n"
    "data_dir: data\n"
    "schemas: [{id: closed, version: 1, file: closed.json}]\n"
    "sinks:\n"
    "  archive: {type: file, path: lake}\n"
    "policies:\n"
    "  - id: ovens\n"
    "    topics: [\"plant/{site}/oven/{oven}\"]\n"
    "    payload: json\n"
    "    limits: [{field: /value, max: 400, required: true}]\n"
    "    on_violation: {reroute: \"alerts/{site}/{oven}\", to: [archive]}\n"
    "    to: [archive]\n"
    "  - {id: original, topics: [original/#], payload: number, on_violation: {reroute: alerts/o, "
    "payload: original}}\n"
    "  - {id: keys, topics: [keys/#], payload: json, schema: closed:1,\n"
    "     on_violation: {reroute: alerts/k, payload: original}}\n"
    "  - {id: default, topics: [default/#], payload: number, on_violation: {publish: besides/x}}\n"
    "  - {id: drop, topics: [drop/#], payload: number, on_violation: {drop: true, publish: "
    "besides/drop}}\n"
    "  - {id: cut, topics: [cut/#], payload: number, on_violation: {disconnect: true}}\n"
    "  - {id: pass, topics: [pass/#], payload: number, on_violation: {pass: true, publish: "
    "besides/pass}}\n"
    "  - {id: watch, topics: [watch/#], payload: number, mode: monitor, on_violation: {reroute: "
    "alerts/w}, to: [archive]}\n"
    "  - {id: silent, topics: [off/#], payload: number, mode: off}\n";

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void publish(void *context, struct slu_slice topic, struct slu_slice payload)
{
    struct fixture *fixture = context;

    snprintf(fixture->topics[fixture->n_published % PUBLISHED_MAX], 128, "%.*s",
             SLU_SLICE_ARG(topic));
    snprintf(fixture->last_payload, sizeof(fixture->last_payload), "%.*s", SLU_SLICE_ARG(payload));
    fixture->n_published++;
}

static void open_house(struct fixture *fixture)
{
    struct slu_err err = {.kind = SLU_OK};
    struct slu_house_options options = {
        .config_file = fixture->config, .publish = publish, .context = fixture};
    char line[1024];

    fixture->house = slu_house_open(&options, &err);
    if (fixture->house == NULL)
        print_message("%s\n", slu_err_format(&err, line, sizeof(line)));
    assert_non_null(fixture->house);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    snprintf(fixture->dir, sizeof(fixture->dir), "/tmp/sluice-gate-XXXXXX");
    assert_non_null(mkdtemp(fixture->dir));
    snprintf(fixture->config, sizeof(fixture->config), "%s/sluice.yaml", fixture->dir);
    write_file(fixture->config, base_config);
    char schema[128];
    snprintf(schema, sizeof(schema), "%s/closed.json", fixture->dir);
    write_file(schema, "{\"additionalProperties\": false}");
    open_house(fixture);
    *state = fixture;
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)status;
    (void)kind;
    (void)at;
    return remove(path);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    slu_house_close(fixture->house);
    nftw(fixture->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(fixture);
    return 0;
}

static struct slu_message message(const char *topic, const char *payload)
{
    return (struct slu_message){
        .topic = slu_slice_of(topic),
        .payload = slu_slice_of(payload),
        .client_id = SLU_SLICE("gw"),
        .address = "127.0.0.1",
        .received_ns = slu_clock_wall_ns(),
        .qos = 1,
    };
}

static enum slu_admission admit(struct fixture *fixture, const char *topic, const char *payload,
                                struct slu_answer *answer)
{
    struct slu_message asked = message(topic, payload);

    return slu_gate_admit(&fixture->house->gate, &asked, answer);
}

static void every_action_gives_its_admission(void **state)
{
    static const struct {
        const char *topic, *payload;
        enum slu_admission admission;
        const char *topic_out, *published;
    } cases[] = {
        {"nobody/owns/this", "rubbish", SLU_PASS, NULL, NULL},
        {"plant/a/oven/7", "{\"value\":20}", SLU_ACCEPT, NULL, NULL},
        {"plant/a/oven/7", "{\"value\":500}", SLU_REROUTE, "alerts/a/7", NULL},
        {"plant/a/oven/7", "{}", SLU_REROUTE, "alerts/a/7", NULL},
        {"plant/+x/oven/7", "{}", SLU_REROUTE, "alerts/%2Bx/7", NULL},
        {"original/1", "x", SLU_REROUTE, "alerts/o", NULL},
        {"default/1", "x", SLU_REROUTE, "sluice/violations/default/default/1", "besides/x"},
        {"drop/1", "x", SLU_DROP, NULL, "besides/drop"},
        {"cut/1", "x", SLU_DISCONNECT, NULL, NULL},
        {"pass/1", "x", SLU_PASS, NULL, "besides/pass"},
        {"watch/1", "x", SLU_ACCEPT, NULL, "alerts/w"},
        {"off/1", "x", SLU_PASS, NULL, NULL},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slu_answer answer;
        size_t before = fixture->n_published;
        enum slu_admission admission = admit(fixture, cases[i].topic, cases[i].payload, &answer);
        print_message("%s %s\n", cases[i].topic, cases[i].payload);
        assert_int_equal(admission, cases[i].admission);
        if (cases[i].topic_out != NULL) {
            assert_int_equal(answer.topic.len, strlen(cases[i].topic_out));
            assert_memory_equal(answer.topic.data, cases[i].topic_out, answer.topic.len);
        }
        assert_int_equal(fixture->n_published - before, cases[i].published != NULL);
        if (cases[i].published != NULL)
            assert_string_equal(fixture->topics[before], cases[i].published);
    }
}

static void a_rerouted_message_becomes_its_alert(void **state)
{
    struct fixture *fixture = *state;
    struct slu_answer answer;
    char alert[4096];

    assert_int_equal(admit(fixture, "plant/a/oven/7", "{\"value\":500.10}", &answer), SLU_REROUTE);
    assert_false(answer.keep_payload);
    snprintf(alert, sizeof(alert), "%.*s", SLU_SLICE_ARG(answer.payload));
    assert_non_null(strstr(alert, "\"kind\":\"violation\""));
    assert_non_null(strstr(
        alert,
        "\"code\":\"limits.max\",\"pointer\":\"/value\",\"expected\":400,\"actual\":500.10,"));
    assert_non_null(strstr(alert, "\"enforced\":true,\"action\":\"reroute\""));
    assert_non_null(strstr(
        alert, "\"source\":{\"topic\":\"plant/a/oven/"
               "7\",\"client_id\":\"gw\",\"address\":\"127.0.0.1\",\"qos\":1,\"retain\":false}"));
    assert_non_null(strstr(alert, "\"original\":{\"encoding\":\"utf-8\",\"payload\":\"{"
                                  "\\\"value\\\":500.10}\",\"bytes\":16,\"truncated\":false}"));
}

static void payload_original_keeps_the_bytes_and_tells_why_in_properties(void **state)
{
    static const char *const names[] = {"sluice-code", "sluice-pointer", "sluice-policy",
                                        "sluice-message"};
    struct fixture *fixture = *state;
    struct slu_answer answer;
    struct slu_property property;
    size_t at = 0;

    assert_int_equal(admit(fixture, "original/1", "x", &answer), SLU_REROUTE);
    assert_true(answer.keep_payload);
    for (size_t i = 0; i < 4; i++) {
        assert_true(slu_properties_next(answer.properties, &at, &property));
        assert_true(slu_slice_equal(property.name, slu_slice_of(names[i])));
        if (i == 0)
            assert_true(slu_slice_equal(property.value, SLU_SLICE("payload.malformed")));
    }
}

/* MQTT 5.0 §1.5.4: a receiver may close the connection over a control character. */
static void no_payload_puts_forbidden_characters_into_properties(void **state)
{
    struct fixture *fixture = *state;
    struct slu_answer answer;
    struct slu_property property;
    size_t at = 0;

    assert_int_equal(admit(fixture, "keys/1", "{\"a\\u0085\\uFFFE\\u0001\":1}", &answer),
                     SLU_REROUTE);
    while (slu_properties_next(answer.properties, &at, &property)) {
        for (size_t i = 0, step; i < property.value.len; i += step) {
            step = slu_utf8_step(property.value.data + i, property.value.len - i);
            assert_int_not_equal(step, 0);
            assert_true(slu_utf8_allowed_in_mqtt(property.value.data + i, step));
        }
    }
    assert_int_equal(at, answer.properties.len);
}

static void a_monitored_message_that_cannot_be_read_is_kept_as_bytes(void **state)
{
    struct fixture *fixture = *state;
    struct slu_answer answer;
    struct slu_record record;
    const char *policy, *schema;
    char dir[128];

    snprintf(dir, sizeof(dir), "%s/data", fixture->dir);
    assert_int_equal(admit(fixture, "watch/1", "1,\"topic\":\"x\"", &answer), SLU_ACCEPT);
    struct slu_spool_view *view = slu_spool_view_open(dir, NULL);
    assert_non_null(view);
    assert_true(slu_spool_view_next(view, &record, &policy, &schema));
    assert_int_equal(record.format, SLU_RECORD_BYTES);
    assert_int_equal(record.quality, SLU_QUALITY_UNCERTAIN);
    slu_spool_view_close(view);
}

static void a_retained_clear_passes_unjudged(void **state)
{
    struct fixture *fixture = *state;
    struct slu_answer answer;
    struct slu_message clear = message("plant/a/oven/7", "");

    clear.retain = true;
    assert_int_equal(slu_gate_admit(&fixture->house->gate, &clear, &answer), SLU_PASS);
    clear.retain = false;
    assert_int_equal(slu_gate_admit(&fixture->house->gate, &clear, &answer), SLU_REROUTE);
}

static void a_bridge_is_never_disconnected(void **state)
{
    struct fixture *fixture = *state;
    struct slu_answer answer;
    struct slu_message bridged = message("cut/1", "x");

    bridged.from_bridge = true;
    assert_int_equal(slu_gate_admit(&fixture->house->gate, &bridged, &answer), SLU_DROP);
}

static void published_alerts_are_rate_limited_but_reroutes_are_not(void **state)
{
    struct fixture *fixture = *state;
    struct slu_answer answer;

    for (int i = 0; i < 1000; i++)
        assert_int_equal(admit(fixture, "default/1", "x", &answer), SLU_REROUTE);
    assert_true(fixture->n_published >= SLU_RATE_BURST);
    assert_true(fixture->n_published < 1000);

    struct slu_policy_counts *counts = slu_counts_policy(&fixture->house->counts, "default");
    uint64_t suppressed = counts->rate.suppressed;
    size_t before = fixture->n_published;
    slu_gate_summaries(&fixture->house->gate, slu_clock_wall_ns(), INT64_MAX);
    assert_int_equal(fixture->n_published, before + 1);
    assert_int_equal(before + suppressed, 1000);
    char expected[64];
    snprintf(expected, sizeof(expected), "\"suppressed\":%llu", (unsigned long long)suppressed);
    assert_non_null(strstr(fixture->last_payload, "\"kind\":\"summary\""));
    assert_non_null(strstr(fixture->last_payload, expected));
}

static void a_giant_original_is_cut_in_the_published_alert(void **state)
{
    struct fixture *fixture = *state;
    struct slu_answer answer;
    size_t len = 2u << 20;
    char *giant = malloc(len + 1);

    assert_non_null(giant);
    memset(giant, 'x', len);
    giant[len] = '\0';
    assert_int_equal(admit(fixture, "plant/a/oven/7", giant, &answer), SLU_REROUTE);
    assert_true(answer.payload.len < 70000);
    char *alert = strndup(answer.payload.data, answer.payload.len);
    assert_non_null(alert);
    assert_non_null(strstr(alert, "\"code\":\"payload.too_large\""));
    assert_non_null(strstr(alert, "\"bytes\":2097152,\"truncated\":true"));
    free(alert);
    free(giant);
}

static void wait_for_generation(struct fixture *fixture, uint64_t generation)
{
    while (fixture->house->snapshot->generation < generation) {
        slu_house_tick(fixture->house);
        usleep(1000);
    }
}

static void a_good_reload_takes_effect_and_counters_go_on(void **state)
{
    struct fixture *fixture = *state;
    struct slu_answer answer;
    char text[4096];

    assert_int_equal(admit(fixture, "plant/a/oven/7", "{\"value\":300}", &answer), SLU_ACCEPT);
    snprintf(text, sizeof(text), "%s", base_config);
    memcpy(strstr(text, "400"), "200", 3);
    write_file(fixture->config, text);
    slu_house_reload(fixture->house);
    wait_for_generation(fixture, 2);
    assert_int_equal(admit(fixture, "plant/a/oven/7", "{\"value\":300}", &answer), SLU_REROUTE);
    assert_int_equal(atomic_load(&slu_counts_policy(&fixture->house->counts, "ovens")->held), 1);
}

static void a_reload_with_a_changed_sink_opens_the_new_one(void **state)
{
    struct fixture *fixture = *state;
    struct slu_answer answer;
    char text[4096], path[128];

    for (int i = 0; i < 100; i++)
        assert_int_equal(admit(fixture, "plant/a/oven/7", "{\"value\":300}", &answer), SLU_ACCEPT);
    snprintf(text, sizeof(text), "%s", base_config);
    memcpy(strstr(text, "path: lake"), "path: pond", 10);
    write_file(fixture->config, text);
    slu_house_reload(fixture->house);
    wait_for_generation(fixture, 2);
    for (int i = 0; i < 100; i++)
        assert_int_equal(admit(fixture, "plant/a/oven/7", "{\"value\":300}", &answer), SLU_ACCEPT);
    slu_house_close(fixture->house);
    fixture->house = NULL;
    snprintf(path, sizeof(path), "%s/pond", fixture->dir);
    assert_int_equal(access(path, F_OK), 0);
    open_house(fixture);
    struct slu_spool_sink_stats books[4];
    assert_int_equal(slu_spool_sink_stats(fixture->house->spool, books, 4), 1);
    assert_int_equal(books[0].spooled_at_start, 0);
}

static void a_bad_reload_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct slu_answer answer;

    write_file(fixture->config, "policies: [{id: x, topcs: [a]}]\n");
    slu_house_reload(fixture->house);
    char status_file[128], text[8192] = "";
    snprintf(status_file, sizeof(status_file), "%s/data/status.json", fixture->dir);
    while (strstr(text, "\"config_error\": \"") == NULL) {
        FILE *file = fopen(status_file, "r");
        if (file != NULL) {
            text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
            fclose(file);
        }
        slu_house_tick(fixture->house);
        usleep(1000);
    }
    assert_non_null(strstr(text, "sluice.yaml:1:"));
    assert_int_equal(fixture->house->snapshot->generation, 1);
    assert_int_equal(admit(fixture, "plant/a/oven/7", "{\"value\":500}", &answer), SLU_REROUTE);
}

static void a_second_house_on_the_same_data_dir_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct slu_err err = {.kind = SLU_OK};
    struct slu_house_options options = {
        .config_file = fixture->config, .publish = publish, .context = fixture};

    assert_null(slu_house_open(&options, &err));
    assert_int_equal(err.kind, SLU_EBUSY);
}

static void what_was_accepted_is_delivered_before_the_house_is_closed(void **state)
{
    struct fixture *fixture = *state;
    struct slu_answer answer;
    struct slu_spool_sink_stats books[4];

    for (int i = 0; i < 5000; i++)
        assert_int_equal(admit(fixture, "plant/a/oven/7", "{\"value\":1}", &answer), SLU_ACCEPT);
    slu_house_close(fixture->house);
    open_house(fixture);
    assert_int_equal(slu_spool_sink_stats(fixture->house->spool, books, 4), 1);
    assert_int_equal(books[0].spooled_at_start, 0);
}

int main(void)
{
#define GATE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        GATE_TEST(every_action_gives_its_admission),
        GATE_TEST(a_rerouted_message_becomes_its_alert),
        GATE_TEST(payload_original_keeps_the_bytes_and_tells_why_in_properties),
        GATE_TEST(no_payload_puts_forbidden_characters_into_properties),
        GATE_TEST(a_monitored_message_that_cannot_be_read_is_kept_as_bytes),
        GATE_TEST(a_retained_clear_passes_unjudged),
        GATE_TEST(a_bridge_is_never_disconnected),
        GATE_TEST(published_alerts_are_rate_limited_but_reroutes_are_not),
        GATE_TEST(a_giant_original_is_cut_in_the_published_alert),
        GATE_TEST(a_good_reload_takes_effect_and_counters_go_on),
        GATE_TEST(a_reload_with_a_changed_sink_opens_the_new_one),
        GATE_TEST(a_bad_reload_changes_nothing),
        GATE_TEST(a_second_house_on_the_same_data_dir_is_refused),
        GATE_TEST(what_was_accepted_is_delivered_before_the_house_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
