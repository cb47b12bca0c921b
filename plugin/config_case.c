/* config_case.c -- see config_case.h. */
#include "plugin/config_case.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/topic.h"

#include <stdio.h>

#define PAYLOAD_MAX_BYTES ((size_t)16 << 20)

static const char *const payload_keys[] = {"payload", "payload_text", "payload_base64"};

static int wrong(const struct slu_node *node, const char *pointer, const char *key,
                 struct slu_err *err, const char *sentence)
{
    char below[64], full[256];

    snprintf(below, sizeof(below), "/%s", key);
    snprintf(full, sizeof(full), "%s%s", pointer, below);
    const struct slu_node *place = slu_node_at(node, below, NULL, NULL);
    slu_err_set(err, SLU_EINVAL, "%s", sentence);
    slu_err_place(err, place->file, place->line, place->column, full);
    return -1;
}

static struct slu_slice text_of(const struct slu_node *node, const char *key)
{
    const struct slu_node *member = slu_node_get(node, key);
    return member != NULL ? member->text : slu_slice("", 0);
}

/* The bytes that `payload` (as JSON) or `payload_base64` stand for. */
static int make_payload(const struct slu_node *node, const char *key, struct slu_arena *arena,
                        struct slu_slice *payload, struct slu_err *err, const char *pointer)
{
    const struct slu_node *member = slu_node_get(node, key);
    struct slu_buf bytes;
    int outcome = 0;

    slu_buf_init(&bytes, PAYLOAD_MAX_BYTES);
    if (key == payload_keys[0]) {
        if (!slu_node_json(member, &bytes))
            outcome = wrong(node, pointer, key, err, "is too large");
    } else if (slu_base64_decode(&bytes, member->text) != 0) {
        outcome = wrong(node, pointer, key, err, "is no base64 (RFC 4648, with padding)");
    }
    if (outcome == 0) {
        const char *copy = slu_arena_copy(arena, slu_buf_slice(&bytes));
        *payload = slu_slice(copy, bytes.len);
        if (copy == NULL)
            outcome = slu_err_set(err, SLU_ENOMEM, "no memory for a test's payload");
    }
    slu_buf_fini(&bytes);
    return outcome;
}

static int read_payload(const struct slu_node *node, const char *pointer, struct slu_arena *arena,
                        struct slu_slice *payload, struct slu_err *err)
{
    const char *given = NULL;

    for (size_t i = 0; i < sizeof(payload_keys) / sizeof(payload_keys[0]); i++) {
        if (slu_node_get(node, payload_keys[i]) == NULL)
            continue;
        if (given != NULL)
            return wrong(
                node, pointer, payload_keys[i], err,
                "is a second payload: give one of payload, payload_text and payload_base64");
        given = payload_keys[i];
    }
    *payload = slu_slice("", 0);
    if (given == NULL)
        return 0;
    if (given == payload_keys[1]) {
        *payload = text_of(node, given);
        return 0;
    }
    return make_payload(node, given, arena, payload, err, pointer);
}

int slu_config_case_read(const struct slu_node *node, const char *pointer, struct slu_arena *arena,
                         struct slu_config_case *test, struct slu_err *err)
{
    const struct slu_node *expect = slu_node_get(node, "expect");
    const struct slu_slice now = text_of(node, "now");
    struct slu_err topic_err = {0};

    *test = (struct slu_config_case){
        .line = node->line,
        .message = {.topic = text_of(node, "topic"),
                    .client_id = text_of(node, "client_id"),
                    .username = text_of(node, "username"),
                    .address = "127.0.0.1",
                    .qos = (uint8_t)slu_node_int(slu_node_get(node, "qos"), 0),
                    .retain = slu_node_bool(slu_node_get(node, "retain"), false)},
        .has_time = now.len != 0,
        .expect = expect,
        .verdict = slu_node_text(slu_node_get(expect, "verdict"), NULL),
        .code = slu_node_text(slu_node_get(expect, "code"), NULL),
        .topic = slu_node_text(slu_node_get(expect, "topic"), NULL),
        .sinks = slu_node_get(expect, "sinks"),
    };
    if (test->has_time && slu_clock_parse(now.data, now.len, &test->message.received_ns) != 0)
        return wrong(node, pointer, "now", err, "is no time as in RFC 3339");
    if (!slu_topic_is_valid(test->message.topic, &topic_err))
        return wrong(node, pointer, "topic", err, topic_err.text);
    return read_payload(node, pointer, arena, &test->message.payload, err);
}
