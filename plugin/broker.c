/* broker.c -- the Mosquitto door: the only file that knows mosquitto.
 *
 *   MOSQ_EVT_MESSAGE   borrow the publish → slu_gate_admit → carry the answer out
 *   MOSQ_EVT_TICK      slu_house_tick
 *   MOSQ_EVT_RELOAD    slu_house_reload
 *
 * One .so serves brokers 2.0.11 to 2.1.x, which differ in four ways that are decided here at run time
 * (struct host): who frees a topic that a plugin replaced, what RELOAD must return, whether ticks must
 * be asked for, and where the readers of v5 properties are. Functions that only 2.1 has are weak.
 *
 * Threads: everything here runs in the broker's thread. Memory given to the broker comes from
 * mosquitto_malloc(); nothing of the event is kept.
 */
#include <mosquitto_broker.h>
/* 2.0.11 wants them in this order. */
#include <mosquitto.h>
#include <mosquitto_plugin.h>
#include <mqtt_protocol.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/properties.h"
#include "plugin/house.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLUGIN_INTERFACE 5
#define TICK_MS          100

/* Only 2.1 has it: its presence tells the two apart. */
extern int mosquitto_plugin_set_info(mosquitto_plugin_id_t *id, const char *name,
                                     const char *version) __attribute__((weak));

/* Readers of v5 properties: exported by some brokers, else found in libmosquitto, else absent. */
struct property_readers {
    const mosquitto_property *(*next)(const mosquitto_property *);
    int (*identifier)(const mosquitto_property *);
    const mosquitto_property *(*read_byte)(const mosquitto_property *, int, uint8_t *, bool);
    const mosquitto_property *(*read_binary)(const mosquitto_property *, int, void **, uint16_t *,
                                             bool);
    const mosquitto_property *(*read_string)(const mosquitto_property *, int, char **, bool);
    const mosquitto_property *(*read_pair)(const mosquitto_property *, int, char **, char **, bool);
};

/* What this broker is like. */
struct host {
    bool is_21;
    bool frees_old_topic; /* 2.0.15 and later; when unknown: a leak is better than a double free */
    bool has_readers;
    void *library; /* libmosquitto, when the readers or the version came from there */
    struct property_readers read;
};

struct door {
    mosquitto_plugin_id_t *id;
    struct host host;
    struct slu_house *house;
    struct slu_buf properties; /* of the message at hand, packed */
};

/* ---- log --------------------------------------------------------------------------------------------- */

static void to_broker_log(enum slu_log_level level, const char *line)
{
    static const int mosquitto_level[] = {
        [SLU_LOG_DEBUG] = MOSQ_LOG_DEBUG,   [SLU_LOG_INFO] = MOSQ_LOG_INFO,
        [SLU_LOG_NOTICE] = MOSQ_LOG_NOTICE, [SLU_LOG_WARNING] = MOSQ_LOG_WARNING,
        [SLU_LOG_ERROR] = MOSQ_LOG_ERR,
    };
    mosquitto_log_printf(mosquitto_level[level], "sluice: %s", line);
}

/* ---- the host ------------------------------------------------------------------------------------------ */

static void *find_symbol(struct host *host, const char *name)
{
    void *symbol = dlsym(RTLD_DEFAULT, name);

    if (symbol != NULL)
        return symbol;
    if (host->library == NULL)
        host->library = dlopen("libmosquitto.so.1", RTLD_NOW | RTLD_LOCAL);
    return host->library != NULL ? dlsym(host->library, name) : NULL;
}

/* dlsym's void * into a function pointer, in the way POSIX shows. */
static bool find_function(struct host *host, const char *name, void *function)
{
    void *symbol = find_symbol(host, name);

    memcpy(function, &symbol, sizeof(symbol));
    return symbol != NULL;
}

static void find_readers(struct host *host)
{
    struct property_readers *read = &host->read;

    host->has_readers =
        find_function(host, "mosquitto_property_next", &read->next) &&
        find_function(host, "mosquitto_property_identifier", &read->identifier) &&
        find_function(host, "mosquitto_property_read_byte", &read->read_byte) &&
        find_function(host, "mosquitto_property_read_binary", &read->read_binary) &&
        find_function(host, "mosquitto_property_read_string", &read->read_string) &&
        find_function(host, "mosquitto_property_read_string_pair", &read->read_pair);
}

static void learn_host(struct host *host)
{
    int major = 0, minor = 0, revision = 0;
    int (*lib_version)(int *, int *, int *);

    host->is_21 = mosquitto_plugin_set_info != NULL;
    if (find_function(host, "mosquitto_lib_version", &lib_version))
        lib_version(&major, &minor, &revision);
    bool before_2_0_15 = major == 2 && minor == 0 && revision < 15;
    host->frees_old_topic = host->is_21 || !before_2_0_15;
    find_readers(host);
    if (!host->has_readers)
        slu_log(SLU_LOG_WARNING,
                "this broker does not let plugins read MQTT v5 properties and "
                "libmosquitto.so.1 is not installed: user properties are not kept");
    slu_log(SLU_LOG_INFO, "version " SLUICE_VERSION " in a broker %s (libmosquitto %d.%d.%d)",
            host->is_21 ? "2.1 or later" : "2.0", major, minor, revision);
}

/* ---- the message comes in -------------------------------------------------------------------------------- */

/* Strings that a reader returned: 2.0 allocates with libc, 2.1 with its own counting allocator. */
static void free_read(const struct host *host, void *text)
{
    if (text == NULL)
        return;
    if (host->is_21)
        mosquitto_free(text);
    else
        free(text);
}

static void pack_user_property(const struct host *host, const mosquitto_property *property,
                               struct slu_buf *out)
{
    char *name = NULL, *value = NULL;

    if (host->read.read_pair(property, MQTT_PROP_USER_PROPERTY, &name, &value, false) != NULL)
        slu_properties_add(out, SLU_PROPERTY_USER, slu_slice_of(name), slu_slice_of(value));
    free_read(host, name);
    free_read(host, value);
}

static void pack_string(const struct host *host, const mosquitto_property *property, int identifier,
                        enum slu_property_kind kind, struct slu_buf *out)
{
    char *value = NULL;

    if (host->read.read_string(property, identifier, &value, false) != NULL)
        slu_properties_add(out, kind, slu_slice_of(""), slu_slice_of(value));
    free_read(host, value);
}

static void pack_correlation(const struct host *host, const mosquitto_property *property,
                             struct slu_buf *out)
{
    void *value = NULL;
    uint16_t len = 0;

    if (host->read.read_binary(property, MQTT_PROP_CORRELATION_DATA, &value, &len, false) != NULL)
        slu_properties_add(out, SLU_PROPERTY_CORRELATION_DATA, slu_slice_of(""),
                           slu_slice(value, len));
    free_read(host, value);
}

static void pack_payload_format(const struct host *host, const mosquitto_property *property,
                                struct slu_buf *out)
{
    uint8_t value = 0;

    if (host->read.read_byte(property, MQTT_PROP_PAYLOAD_FORMAT_INDICATOR, &value, false) != NULL)
        slu_properties_add(out, SLU_PROPERTY_PAYLOAD_FORMAT, slu_slice_of(""),
                           value != 0 ? SLU_SLICE("1") : SLU_SLICE("0"));
}

/* v5 properties → packed bytes. A publish without any, the usual case, costs one comparison. */
static struct slu_slice pack_properties(struct door *door, const mosquitto_property *property)
{
    const struct host *host = &door->host;
    struct slu_buf *out = &door->properties;

    if (property == NULL || !host->has_readers)
        return slu_slice(NULL, 0);
    slu_buf_reset(out);
    for (; property != NULL; property = host->read.next(property)) {
        switch (host->read.identifier(property)) {
        case MQTT_PROP_USER_PROPERTY:
            pack_user_property(host, property, out);
            break;
        case MQTT_PROP_CONTENT_TYPE:
            pack_string(host, property, MQTT_PROP_CONTENT_TYPE, SLU_PROPERTY_CONTENT_TYPE, out);
            break;
        case MQTT_PROP_RESPONSE_TOPIC:
            pack_string(host, property, MQTT_PROP_RESPONSE_TOPIC, SLU_PROPERTY_RESPONSE_TOPIC, out);
            break;
        case MQTT_PROP_CORRELATION_DATA:
            pack_correlation(host, property, out);
            break;
        case MQTT_PROP_PAYLOAD_FORMAT_INDICATOR:
            pack_payload_format(host, property, out);
            break;
        default:
            break;
        }
    }
    return slu_buf_slice(out);
}

static void borrow_message(struct door *door, const struct mosquitto_evt_message *event,
                           struct slu_message *message)
{
    *message = (struct slu_message){
        .topic = slu_slice_of(event->topic),
        .payload = slu_slice(event->payload, event->payloadlen),
        .client_id = slu_slice_of(mosquitto_client_id(event->client)),
        .username = slu_slice_of(mosquitto_client_username(event->client)),
        .address = mosquitto_client_address(event->client),
        .properties = pack_properties(door, event->properties),
        .received_ns = slu_clock_wall_ns(),
        .qos = event->qos,
        .retain = event->retain,
    };
    message->from_bridge = message->address == NULL;
}

/* ---- the answer goes out ----------------------------------------------------------------------------------- */

/* What the broker is told. A refusal must be seen by the publisher, so that it sends again: an error
 * closes the connection without an acknowledgement. */
static const int mosquitto_answer[SLU_ADMISSIONS] = {
    [SLU_PASS] = MOSQ_ERR_SUCCESS,    [SLU_ACCEPT] = MOSQ_ERR_SUCCESS,
    [SLU_REROUTE] = MOSQ_ERR_SUCCESS, [SLU_DROP] = MOSQ_ERR_ACL_DENIED,
    [SLU_REFUSE] = MOSQ_ERR_UNKNOWN,  [SLU_DISCONNECT] = MOSQ_ERR_MALFORMED_PACKET,
};

/* A copy the broker may free; NULL: no memory (memory_limit). Never zero bytes. */
static void *broker_copy(struct slu_slice bytes)
{
    char *copy = mosquitto_malloc(bytes.len + 1);

    if (copy != NULL) {
        if (bytes.len != 0)
            memcpy(copy, bytes.data, bytes.len);
        copy[bytes.len] = '\0';
    }
    return copy;
}

/* `topic` is NULL when the new one fits where the old one is. */
static void replace_topic(const struct host *host, struct mosquitto_evt_message *event, char *topic,
                          struct slu_slice text)
{
    if (topic == NULL) {
        memcpy(event->topic, text.data, text.len);
        event->topic[text.len] = '\0';
        return;
    }
    if (!host->frees_old_topic)
        mosquitto_free(event->topic);
    event->topic = topic;
}

static void append_properties(struct mosquitto_evt_message *event, struct slu_slice packed)
{
    char name[64], value[1024];
    struct slu_property property;
    size_t at = 0;

    while (slu_properties_next(packed, &at, &property)) {
        snprintf(name, sizeof(name), "%.*s", SLU_SLICE_ARG(property.name));
        snprintf(value, sizeof(value), "%.*s", SLU_SLICE_ARG(property.value));
        mosquitto_property_add_string_pair(&event->properties, MQTT_PROP_USER_PROPERTY, name,
                                           value);
    }
}

/* All memory first: a message that was changed and then refused would leak in some brokers. */
static int reroute(const struct host *host, struct mosquitto_evt_message *event,
                   const struct slu_answer *answer)
{
    char *topic = NULL;
    void *payload = NULL;

    if (answer->topic.len > strlen(event->topic)) {
        topic = broker_copy(answer->topic);
        if (topic == NULL)
            return MOSQ_ERR_UNKNOWN;
    }
    if (!answer->keep_payload) {
        payload = broker_copy(answer->payload);
        if (payload == NULL) {
            mosquitto_free(topic);
            return MOSQ_ERR_UNKNOWN;
        }
        event->payload = payload;
        event->payloadlen = (uint32_t)answer->payload.len;
    }
    replace_topic(host, event, topic, answer->topic);
    append_properties(event, answer->properties);
    event->retain = false;
    return MOSQ_ERR_SUCCESS;
}

static void publish(void *context, struct slu_slice topic, struct slu_slice payload)
{
    void *copy = broker_copy(payload);

    (void)context;
    if (copy == NULL)
        return;
    if (mosquitto_broker_publish(NULL, topic.data, (int)payload.len, copy, 1, false, NULL) !=
        MOSQ_ERR_SUCCESS)
        mosquitto_free(copy);
}

/* ---- events ------------------------------------------------------------------------------------------------ */

static int on_message(int event_type, void *event_data, void *user_data)
{
    struct mosquitto_evt_message *event = event_data;
    struct door *door = user_data;
    struct slu_message message;
    struct slu_answer answer;

    (void)event_type;
    /* Where the broker never ticks (2.0.11 with per_listener_settings) the work is done here. */
    if (slu_house_wants_tick(door->house))
        slu_house_tick(door->house);
    borrow_message(door, event, &message);
    enum slu_admission admission = slu_gate_admit(&door->house->gate, &message, &answer);
    if (admission == SLU_REROUTE)
        return reroute(&door->host, event, &answer);
    return mosquitto_answer[admission];
}

static int on_tick(int event_type, void *event_data, void *user_data)
{
    struct mosquitto_evt_tick *event = event_data;
    struct door *door = user_data;

    (void)event_type;
    if (slu_house_wants_tick(door->house)) /* 2.0 ticks once a message */
        slu_house_tick(door->house);
    if (door->host.is_21)
        event->next_ns = TICK_MS; /* named next_ms there */
    return MOSQ_ERR_SUCCESS;
}

/* The return value is not an answer here: 2.0 stops asking other plugins on success and crashes at its
 * end on an error, 2.1 leaves its main loop on anything but success. */
static int on_reload(int event_type, void *event_data, void *user_data)
{
    struct door *door = user_data;

    (void)event_type, (void)event_data;
    slu_house_reload(door->house);
    return door->host.is_21 ? MOSQ_ERR_SUCCESS : MOSQ_ERR_PLUGIN_DEFER;
}

static const struct {
    int event;
    int (*callback)(int, void *, void *);
} events[] = {
    {MOSQ_EVT_MESSAGE, on_message},
    {MOSQ_EVT_TICK, on_tick},
    {MOSQ_EVT_RELOAD, on_reload},
};
#define N_EVENTS (sizeof(events) / sizeof(events[0]))

static void unregister_events(struct door *door)
{
    for (size_t i = 0; i < N_EVENTS; i++)
        mosquitto_callback_unregister(door->id, events[i].event, events[i].callback, NULL);
}

static int register_events(struct door *door)
{
    for (size_t i = 0; i < N_EVENTS; i++) {
        int result =
            mosquitto_callback_register(door->id, events[i].event, events[i].callback, NULL, door);
        if (result != MOSQ_ERR_SUCCESS) {
            slu_log(SLU_LOG_ERROR,
                    "the broker refuses a callback (%d): is the plugin listed twice?", result);
            unregister_events(door);
            return result;
        }
    }
    return MOSQ_ERR_SUCCESS;
}

/* ---- the three entry points -------------------------------------------------------------------------------- */

/* Everything else in the library is hidden. */
#define EXPORTED __attribute__((visibility("default")))

EXPORTED int mosquitto_plugin_version(int supported_version_count, const int *supported_versions)
{
    for (int i = 0; i < supported_version_count; i++)
        if (supported_versions[i] == PLUGIN_INTERFACE)
            return PLUGIN_INTERFACE;
    return -1;
}

/* The one option, `plugin_opt_config PATH`, copied. NULL when it is missing or another one is there. */
static char *config_option(const struct mosquitto_opt *options, int n_options)
{
    struct slu_slice path = slu_slice_of(NULL);

    for (int i = 0; i < n_options; i++) {
        if (strcmp(options[i].key, "config") != 0) {
            slu_log(SLU_LOG_ERROR,
                    "unknown option plugin_opt_%s: the only one is plugin_opt_config PATH",
                    options[i].key);
            return NULL;
        }
        path = slu_slice_trim(slu_slice_of(options[i].value));
    }
    if (path.len != 0)
        return strndup(path.data, path.len);
    slu_log(SLU_LOG_ERROR,
            "plugin_opt_config is missing: add `plugin_opt_config /path/to/sluice.yaml` "
            "below the plugin line of mosquitto.conf");
    return NULL;
}

static void close_door(struct door *door)
{
    slu_house_close(door->house);
    slu_buf_fini(&door->properties);
    if (door->host.library != NULL)
        dlclose(door->host.library);
    free(door);
    slu_log_close();
}

static int open_door(struct door *door, const struct mosquitto_opt *options, int n_options)
{
    struct slu_err err = {.kind = SLU_OK};
    char line[1200];
    char *config_file = config_option(options, n_options);

    if (config_file == NULL)
        return MOSQ_ERR_INVAL;
    struct slu_house_options house_options = {.config_file = config_file, .publish = publish};
    door->house = slu_house_open(&house_options, &err);
    free(config_file);
    if (door->house == NULL) {
        slu_log(SLU_LOG_ERROR, "cannot start: %s", slu_err_format(&err, line, sizeof(line)));
        return MOSQ_ERR_INVAL;
    }
    int result = register_events(door);
    if (result == MOSQ_ERR_SUCCESS)
        slu_log(SLU_LOG_INFO, "configuration %s is in force (%zu policies)",
                door->house->config_file, door->house->snapshot->n_policies);
    return result;
}

EXPORTED int mosquitto_plugin_init(mosquitto_plugin_id_t *id, void **user_data,
                                   struct mosquitto_opt *options, int n_options)
{
    struct door *door = calloc(1, sizeof(*door));

    if (door == NULL)
        return MOSQ_ERR_NOMEM;
    slu_log_open(to_broker_log);
    door->id = id;
    slu_buf_init(&door->properties, SLU_PROPERTIES_MAX_BYTES);
    learn_host(&door->host);
    if (mosquitto_plugin_set_info != NULL)
        mosquitto_plugin_set_info(id, "sluice", SLUICE_VERSION);

    int result = open_door(door, options, n_options);
    if (result != MOSQ_ERR_SUCCESS) {
        close_door(door);
        return result;
    }
    *user_data = door;
    return MOSQ_ERR_SUCCESS;
}

EXPORTED int mosquitto_plugin_cleanup(void *user_data, struct mosquitto_opt *options, int n_options)
{
    (void)options, (void)n_options;
    if (user_data == NULL)
        return MOSQ_ERR_SUCCESS; /* 2.1 calls this after a failed init as well */
    unregister_events(user_data);
    close_door(user_data);
    return MOSQ_ERR_SUCCESS;
}
