/* kafka.c -- the only file that knows librdkafka; see kafka_client.h for what others see of it.
 *
 *   slu_kafka_client_send ──▶ librdkafka's queues ──▶ its broker threads ──▶ Kafka
 *   slu_kafka_client_poll ◀── its reply queue: reports, errors, log lines, statistics
 *
 * Everything librdkafka has to say is served by poll (log.queue), so no callback runs in another
 * thread, and none after the end.
 *
 * Threads: slu_kafka_client_free() makes one that waits for librdkafka's threads (ending.h), because
 * rd_kafka_destroy() has no deadline.
 */
#include "sinks/kafka_client.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/nearest.h"
#include "sinks/ending.h"

#include <librdkafka/rdkafka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#define LOG_NS        (10 * SLU_NS_PER_S) /* between two lines of librdkafka */
#define FLUSH_MS      500
#define DESTROY_NS    SLU_NS_PER_S
#define TOPICS        256u /* handles kept */
#define TEXT_SIZE     512u
#define SOUND_VERSION 0x020503ff

struct slu_kafka_client {
    rd_kafka_t *rk;
    struct slu_kafka_events events;
    /* Handles of topics that were used lately: a place each by the hash of its name. */
    rd_kafka_topic_t *topics[TOPICS];
    struct slu_log_rate log_rate;
};

/* ---- what librdkafka tells ------------------------------------------------------------------------------ */

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    const struct slu_kafka_client *client = opaque;
    const bool has_failed = message->err != RD_KAFKA_RESP_ERR_NO_ERROR;
    const struct slu_kafka_report report = {
        .token = (size_t)(uintptr_t)message->_private,
        .error = has_failed ? rd_kafka_err2name(message->err) : NULL,
        .text = has_failed ? rd_kafka_err2str(message->err) : NULL,
        .topic = message->rkt != NULL ? rd_kafka_topic_name(message->rkt) : "",
        .handle = message,
    };
    (void)rk;
    client->events.report(client->events.context, &report);
}

static void on_error(rd_kafka_t *rk, int error, const char *reason, void *opaque)
{
    const struct slu_kafka_client *client = opaque;
    const rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(rk, NULL, 0);

    if (fatal != RD_KAFKA_RESP_ERR_NO_ERROR)
        client->events.trouble(client->events.context, rd_kafka_err2name(fatal),
                               rd_kafka_err2str(fatal), true);
    else
        client->events.trouble(client->events.context,
                               rd_kafka_err2name((rd_kafka_resp_err_t)error), reason, false);
}

static int on_statistics(rd_kafka_t *rk, char *json, size_t len, void *opaque)
{
    const struct slu_kafka_client *client = opaque;
    (void)rk;
    client->events.statistics(client->events.context, slu_slice(json, len));
    return 0; /* librdkafka frees it */
}

/* librdkafka repeats itself; what decides anything reaches the sink as an error and is told there. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    struct slu_kafka_client *client = rd_kafka_opaque(rk);
    enum slu_log_level ours = SLU_LOG_DEBUG;

    if (client == NULL)
        return;
    if (strcmp(facility, "CONFWARN") == 0 && strstr(text, "enable.gapless.guarantee") != NULL)
        return; /* "experimental": tests/kafka tries it on a real Kafka */
    if (level <= LOG_WARNING && strcmp(facility, "FATAL") != 0)
        ours = SLU_LOG_NOTICE;
    else if (level <= LOG_NOTICE) /* what is final the sink tells in its own words */
        ours = SLU_LOG_INFO;
    slu_log_sometimes(&client->log_rate, LOG_NS, ours, "sink %s: librdkafka: %s: %s",
                      client->events.sink, facility, text);
}

/* ---- options ------------------------------------------------------------------------------------------- */

/* Names that librdkafka does not list because they stand for others. */
static const char *const aliases[] = {"linger.ms", "compression.type", "sasl.mechanism"};
#define N_ALIASES (sizeof(aliases) / sizeof(aliases[0]))

/* The property's name that comes closest, from librdkafka's own list; copied to `out`. */
static void suggest(const char *name, char *out, size_t out_size)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_topic_conf_t *topic_conf = rd_kafka_topic_conf_new();
    size_t n = 0, n_topic = 0;
    const char **dump = rd_kafka_conf_dump(conf, &n);
    const char **topic_dump = rd_kafka_topic_conf_dump(topic_conf, &n_topic);
    const char **names = calloc(n / 2 + n_topic / 2 + N_ALIASES, sizeof(*names));
    size_t n_names = 0;

    out[0] = '\0';
    for (size_t i = 0; names != NULL && i + 1 < n; i += 2)
        names[n_names++] = dump[i];
    for (size_t i = 0; names != NULL && i + 1 < n_topic; i += 2)
        names[n_names++] = topic_dump[i];
    for (size_t i = 0; names != NULL && i < N_ALIASES; i++)
        names[n_names++] = aliases[i];
    const char *nearest = names != NULL ? slu_nearest(slu_slice_of(name), names, n_names) : NULL;
    if (nearest != NULL && slu_kafka_options_refusal(nearest, "") == NULL)
        snprintf(out, out_size, ", did you mean %s?", nearest);
    free(names);
    rd_kafka_conf_dump_free(dump, n);
    rd_kafka_conf_dump_free(topic_dump, n_topic);
    rd_kafka_conf_destroy(conf);
    rd_kafka_topic_conf_destroy(topic_conf);
}

/* Returns 0, or -1 and `text`, which never shows a secret. */
static int set_property(rd_kafka_conf_t *conf, const struct slu_kafka_property *property,
                        char text[TEXT_SIZE])
{
    char near[100];
    const rd_kafka_conf_res_t result =
        rd_kafka_conf_set(conf, property->name, property->value, text, TEXT_SIZE);

    if (result == RD_KAFKA_CONF_OK)
        return 0;
    if (result == RD_KAFKA_CONF_UNKNOWN) {
        suggest(property->name, near, sizeof(near));
        snprintf(text, TEXT_SIZE, "librdkafka has no such property%s", near);
    } else if (property->is_secret) {
        snprintf(text, TEXT_SIZE, "librdkafka does not take its value");
    }
    return -1;
}

static int set_own(rd_kafka_conf_t *conf, const char *name, const char *value, struct slu_err *err)
{
    char text[TEXT_SIZE];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof(text)) == RD_KAFKA_CONF_OK)
        return 0;
    return slu_err_set(err, SLU_EINVAL, "%s", text);
}

static int set_table(rd_kafka_conf_t *conf, const struct slu_kafka_own *table, struct slu_err *err)
{
    for (; table->name != NULL; table++)
        if (set_own(conf, table->name, table->value, err) != 0)
            return -1;
    return 0;
}

/* A property is not to be larger than `limit`. */
static int set_limit(rd_kafka_conf_t *conf, const char *name, size_t limit, struct slu_err *err)
{
    char value[32];
    size_t size = sizeof(value);
    if (limit == 0 || (rd_kafka_conf_get(conf, name, value, &size) == RD_KAFKA_CONF_OK &&
                       strtoull(value, NULL, 10) <= limit))
        return 0;
    snprintf(value, sizeof(value), "%zu", limit);
    return set_own(conf, name, value, err);
}

static int set_all(rd_kafka_conf_t *conf, const struct slu_kafka_options *options,
                   struct slu_kafka_limits limits, struct slu_err *err)
{
    char text[TEXT_SIZE];

    if (set_table(conf, slu_kafka_defaults, err) != 0)
        return -1;
    for (size_t i = 0; i < options->n_properties; i++) {
        const struct slu_kafka_property *property = &options->properties[i];
        if (set_property(conf, property, text) != 0)
            return slu_err_set(err, SLU_EINVAL, "properties: %s: %s", property->name, text);
    }
    if (set_table(conf, slu_kafka_fixed, err) != 0 ||
        set_limit(conf, "batch.size", limits.batch_bytes, err) != 0 ||
        set_limit(conf, "batch.num.messages", limits.batch_records, err) != 0)
        return -1;
    return set_own(conf, "bootstrap.servers", options->brokers, err);
}

/* The place of the property that the text is about; else of the first. */
static const struct slu_node *place_of(const struct slu_kafka_options *options, const char *text)
{
    for (size_t i = 0; i < options->n_properties; i++) {
        if (strstr(text, options->properties[i].name) != NULL)
            return options->properties[i].node;
    }
    return options->n_properties > 0 ? options->properties[0].node : NULL;
}

/* A producer that is made and ended at once, without brokers: librdkafka reads certificates and holds
 * properties against each other. No network is touched. */
static void check_together(const struct slu_kafka_options *options, struct slu_problems *problems)
{
    struct slu_kafka_options alone = *options;
    struct slu_err err = {0};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[TEXT_SIZE];

    alone.brokers = "";
    if (set_all(conf, &alone, (struct slu_kafka_limits){0}, &err) == 0) {
        rd_kafka_conf_set_log_cb(conf, NULL);
        rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
        if (rk != NULL) {
            rd_kafka_destroy(rk);
            return;
        }
        slu_err_set(&err, SLU_EINVAL, "librdkafka makes no producer: %s", text);
    }
    rd_kafka_conf_destroy(conf);
    const struct slu_node *node = place_of(options, err.text);
    slu_problems_error(problems, node != NULL ? node->file : NULL, node != NULL ? node->line : 0,
                       node != NULL ? node->column : 0, NULL, "properties: %s", err.text);
}

void slu_kafka_client_check(const struct slu_kafka_options *options, struct slu_problems *problems)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    const size_t before = problems->n_errors;
    char text[TEXT_SIZE];

    for (size_t i = 0; i < options->n_properties; i++) {
        const struct slu_kafka_property *property = &options->properties[i];
        if (slu_kafka_options_refusal(property->name, property->value) == NULL &&
            set_property(conf, property, text) != 0)
            slu_problems_error(problems, property->node->file, property->node->line,
                               property->node->column, NULL, "properties: %s: %s", property->name,
                               text);
    }
    rd_kafka_conf_destroy(conf);
    if (problems->n_errors == before && options->is_sound)
        check_together(options, problems);
}

/* ---- life ------------------------------------------------------------------------------------------------ */

struct slu_kafka_client *slu_kafka_client_new(const struct slu_kafka_options *options,
                                              struct slu_kafka_limits limits,
                                              const struct slu_kafka_events *events,
                                              struct slu_err *err)
{
    struct slu_kafka_client *client = calloc(1, sizeof(*client));
    char text[TEXT_SIZE];
    if (client == NULL) {
        slu_err_set(err, SLU_ENOMEM, "no memory for a Kafka producer");
        return NULL;
    }
    client->events = *events;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (set_all(conf, options, limits, err) != 0)
        goto fail;
    rd_kafka_conf_set_opaque(conf, client);
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_stats_cb(conf, on_statistics);
    rd_kafka_conf_set_log_cb(conf, on_log);
    client->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    if (client->rk == NULL) {
        slu_err_set(err, SLU_EINVAL, "librdkafka makes no producer: %s", text);
        goto fail;
    }
    rd_kafka_set_log_queue(client->rk, NULL);
    return client;
fail:
    rd_kafka_conf_destroy(conf);
    free(client);
    return NULL;
}

static void destroy(void *context)
{
    struct slu_kafka_client *client = context;
    for (size_t i = 0; i < TOPICS; i++) {
        if (client->topics[i] != NULL)
            rd_kafka_topic_destroy(client->topics[i]);
    }
    rd_kafka_destroy(client->rk);
    free(client);
}

bool slu_kafka_client_free(struct slu_kafka_client *client)
{
    if (client == NULL)
        return true;
    const struct slu_kafka_events events = client->events;
    rd_kafka_purge(client->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(client->rk, FLUSH_MS);
    const bool is_complete = rd_kafka_outq_len(client->rk) == 0;
    if (!slu_end_within(destroy, client, DESTROY_NS))
        slu_log(SLU_LOG_WARNING, "sink %s: a Kafka producer does not end; it is left behind",
                events.sink);
    return is_complete;
}

/* ---- messages -------------------------------------------------------------------------------------------- */

/* The handle of a topic; NULL: librdkafka has to find it by name. librdkafka keeps what it knows of a
 * topic as long as the producer lives, with or without our handle. */
static rd_kafka_topic_t *topic_handle(struct slu_kafka_client *client, const char *name)
{
    rd_kafka_topic_t **place =
        &client->topics[slu_hash_bytes(SLU_HASH_A, name, strlen(name)) % TOPICS];
    if (*place != NULL && strcmp(rd_kafka_topic_name(*place), name) == 0)
        return *place;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client->rk, name, NULL);
    if (topic == NULL)
        return NULL;
    if (*place != NULL)
        rd_kafka_topic_destroy(*place);
    *place = topic;
    return topic;
}

/* NULL: no memory. librdkafka frees them with the message. */
static rd_kafka_headers_t *make_headers(const struct slu_kafka_message *message)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(message->n_headers);
    for (size_t i = 0; headers != NULL && i < message->n_headers; i++) {
        const struct slu_kafka_header *header = &message->headers[i];
        rd_kafka_header_add(headers, header->name.data, (ssize_t)header->name.len,
                            header->value.data != NULL ? header->value.data : "",
                            (ssize_t)header->value.len);
    }
    return headers;
}

const char *slu_kafka_client_send(struct slu_kafka_client *client,
                                  const struct slu_kafka_message *message, size_t token,
                                  const char **text)
{
    rd_kafka_vu_t parts[7];
    size_t n = 0;
    rd_kafka_topic_t *topic = topic_handle(client, message->topic);
    rd_kafka_headers_t *headers = message->n_headers > 0 ? make_headers(message) : NULL;

    parts[n].vtype = topic != NULL ? RD_KAFKA_VTYPE_RKT : RD_KAFKA_VTYPE_TOPIC;
    if (topic != NULL)
        parts[n++].u.rkt = topic;
    else
        parts[n++].u.cstr = message->topic;
    parts[n].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    parts[n++].u.i = RD_KAFKA_MSG_F_COPY;
    parts[n].vtype = RD_KAFKA_VTYPE_VALUE; /* NULL would be a tombstone */
    parts[n].u.mem.ptr = (void *)(message->value.data != NULL ? message->value.data : "");
    parts[n++].u.mem.size = message->value.len;
    parts[n].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
    parts[n++].u.i64 = message->timestamp_ms;
    parts[n].vtype = RD_KAFKA_VTYPE_OPAQUE;
    parts[n++].u.ptr = (void *)(uintptr_t)token;
    if (message->key.data != NULL) {
        parts[n].vtype = RD_KAFKA_VTYPE_KEY;
        parts[n].u.mem.ptr = (void *)message->key.data;
        parts[n++].u.mem.size = message->key.len;
    }
    if (headers != NULL) {
        parts[n].vtype = RD_KAFKA_VTYPE_HEADERS;
        parts[n++].u.headers = headers;
    }
    rd_kafka_error_t *error = rd_kafka_produceva(client->rk, parts, n);
    if (error == NULL)
        return NULL;
    const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    if (headers != NULL)
        rd_kafka_headers_destroy(headers);
    *text = rd_kafka_err2str(code);
    return rd_kafka_err2name(code);
}

struct slu_kafka_message *slu_kafka_report_copy(const struct slu_kafka_report *report)
{
    const rd_kafka_message_t *message = report->handle;
    struct slu_kafka_message view = {
        .topic = report->topic,
        .key = slu_slice(message->key, message->key_len),
        .value = slu_slice(message->payload, message->len),
    };
    rd_kafka_headers_t *list = NULL;
    rd_kafka_timestamp_type_t type;
    struct slu_kafka_header *headers = NULL;
    size_t n = 0;

    view.timestamp_ms = rd_kafka_message_timestamp(message, &type);
    if (rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR)
        n = rd_kafka_header_cnt(list);
    if (n > 0 && (headers = calloc(n, sizeof(*headers))) == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        const char *name = "";
        const void *value = NULL;
        size_t size = 0;
        if (rd_kafka_header_get_all(list, i, &name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR)
            break;
        headers[view.n_headers++] =
            (struct slu_kafka_header){slu_slice_of(name), slu_slice(value, size)};
    }
    view.headers = headers;
    struct slu_kafka_message *copy = slu_kafka_message_copy(&view);
    free(headers);
    return copy;
}

/* ---- the rest --------------------------------------------------------------------------------------------- */

void slu_kafka_client_poll(struct slu_kafka_client *client, int timeout_ms)
{
    rd_kafka_poll(client->rk, timeout_ms);
}

void slu_kafka_client_flush(struct slu_kafka_client *client, int timeout_ms)
{
    rd_kafka_flush(client->rk, timeout_ms);
}

size_t slu_kafka_client_waiting(const struct slu_kafka_client *client)
{
    const int n = rd_kafka_outq_len(client->rk);
    return n > 0 ? (size_t)n : 0;
}

void slu_kafka_client_purge(struct slu_kafka_client *client, bool under_way)
{
    rd_kafka_purge(client->rk, under_way ? RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT
                                         : RD_KAFKA_PURGE_F_QUEUE);
}

static void see_topic(const struct rd_kafka_metadata_topic *topic, struct slu_kafka_sight *sight)
{
    sight->has_topic = topic->err == RD_KAFKA_RESP_ERR_NO_ERROR;
    sight->n_partitions = topic->partition_cnt;
    for (int i = 0; i < topic->partition_cnt; i++)
        sight->n_leaderless += topic->partitions[i].leader < 0;
}

/* All topics are asked for: asking for one by name may make it. */
int slu_kafka_client_look(struct slu_kafka_client *client, const char *topic, int timeout_ms,
                          struct slu_kafka_sight *sight, struct slu_err *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    const rd_kafka_resp_err_t error = rd_kafka_metadata(client->rk, topic != NULL, NULL, &metadata,
                                                        timeout_ms > 0 ? timeout_ms : 1);

    *sight = (struct slu_kafka_sight){.n_brokers = 0};
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
        return slu_err_set(err, SLU_EIO, "no broker answers: %s", rd_kafka_err2str(error));
    snprintf(sight->broker, sizeof(sight->broker), "%s", metadata->orig_broker_name);
    sight->n_brokers = metadata->broker_cnt;
    for (int i = 0; topic != NULL && i < metadata->topic_cnt; i++) {
        if (strcmp(metadata->topics[i].topic, topic) == 0)
            see_topic(&metadata->topics[i], sight);
    }
    rd_kafka_metadata_destroy(metadata);
    return 0;
}

const char *slu_kafka_client_caution(void)
{
    static _Thread_local char text[200];
    if (rd_kafka_version() >= SOUND_VERSION)
        return NULL;
    snprintf(text, sizeof(text),
             "librdkafka %s is older than 2.5.3 and has known faults when brokers fail or topics "
             "vanish and return (its issues 4134, 4438, 4750): use a newer one where you can",
             rd_kafka_version_str());
    return text;
}
