/* kafka_options.c -- see kafka_options.h.
 *
 * config.schema.json has looked at kinds and words before; a section that came another way does no harm
 * either.
 */
#include "sinks/kafka_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* ---- properties that we set ----------------------------------------------------------------------------- */

const struct slu_kafka_own slu_kafka_defaults[] = {
    {"client.id", "sluice"},
    {"partitioner", "murmur2_random"}, /* as Kafka's own clients: a key's partition is the same */
    {"topic.metadata.propagation.max.ms", "5000"}, /* a missing topic is told after this */
    {"reconnect.backoff.max.ms", "2000"},
    {"socket.keepalive.enable", "true"},
    {"log.connection.close", "false"}, /* an idle connection that is closed is no news */
    {NULL, NULL},
};

const struct slu_kafka_own slu_kafka_fixed[] = {
    {"enable.idempotence", "true"},
    {"acks", "all"},
    {"message.timeout.ms", "0"},
    {"enable.gapless.guarantee", "true"},
    {"statistics.interval.ms", "5000"},
    {"log.queue", "true"},
    {NULL, NULL},
};

/* ---- properties that may not be set -------------------------------------------------------------------- */

#define ORDER    "records of a key would not stay in order"
#define LOSS     "a record could be lost without a word"
#define RETRIES  "the spool keeps a record until Kafka has it: it is sent again for ever"
#define CALLBACK "it is a place in memory and cannot be set by text"
#define OURS     "Sluice sets it itself"

/* `*` stands for anything, at the front or at the end. */
static const struct {
    const char *name;
    const char *value; /* refused only with this one; NULL: with all */
    const char *reason;
} refused[] = {
    {"acks", NULL, LOSS " (it is always all)"},
    {"request.required.acks", NULL, LOSS " (it is always all)"},
    {"enable.idempotence", NULL, LOSS ", doubled or out of order (it is always true)"},
    {"enable.gapless.guarantee", NULL, ORDER " behind one that is refused (it is always true)"},
    {"max.in.flight", NULL, ORDER},
    {"max.in.flight.requests.per.connection", NULL, ORDER},
    {"queuing.strategy", NULL, ORDER},
    {"msg_order_cmp", NULL, CALLBACK},
    {"partitioner", "random", ORDER},
    {"message.timeout.ms", NULL, RETRIES " (it is always 0)"},
    {"delivery.timeout.ms", NULL, RETRIES " (it is always 0)"},
    {"retries", NULL, RETRIES},
    {"message.send.max.retries", NULL, RETRIES},
    {"api.version.request", NULL, "without it there is neither idempotence nor a header"},
    {"transactional.id", NULL, "there are no transactions here: readers would wait for a commit"},
    {"transaction.timeout.ms", NULL, "there are no transactions here"},
    {"bootstrap.servers", NULL, "the brokers are named by the option brokers"},
    {"metadata.broker.list", NULL, "the brokers are named by the option brokers"},
    {"delivery.report.only.error", NULL, "the spool waits for every report"},
    {"statistics.interval.ms", NULL, OURS ": the status shows the numbers"},
    {"enabled_events", NULL, OURS},
    {"log.queue", NULL, OURS ": lines go to the broker's log"},
    {"internal.termination.signal", NULL, "signals are the broker's"},
    {"plugin.library.paths", NULL, "it would load code into the broker"},
    {"interceptors", NULL, CALLBACK},
    {"opaque", NULL, CALLBACK},
    {"default_topic_conf", NULL, CALLBACK},
    {"ssl_engine_callback_data", NULL, CALLBACK},
    {"*_cb", NULL, CALLBACK},
    {"test.mock.*", NULL, "a mock cluster keeps nothing"},
    {"ut_*", NULL, "it is for librdkafka's own tests"},
};

static bool is_like(const char *name, const char *pattern)
{
    const size_t n = strlen(pattern), len = strlen(name);
    if (pattern[0] == '*')
        return len >= n - 1 && strcmp(name + len - (n - 1), pattern + 1) == 0;
    if (pattern[n - 1] == '*')
        return strncmp(name, pattern, n - 1) == 0;
    return strcmp(name, pattern) == 0;
}

const char *slu_kafka_options_refusal(const char *name, const char *value)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (is_like(name, refused[i].name) &&
            (refused[i].value == NULL || strcmp(refused[i].value, value) == 0))
            return refused[i].reason;
    }
    return NULL;
}

/* ---- reading ------------------------------------------------------------------------------------------ */

struct reading {
    const struct slu_node *section;
    struct slu_arena *arena;
    struct slu_kafka_options *options;
    struct slu_problems *problems;
    bool has_failed;
};

static void tell(struct reading *reading, const struct slu_node *node, const char *what,
                 const char *text)
{
    if (node == NULL)
        node = reading->section;
    slu_problems_error(reading->problems, node != NULL ? node->file : NULL,
                       node != NULL ? node->line : 0, node != NULL ? node->column : 0, NULL,
                       "%s%s%s", what, what[0] != '\0' ? ": " : "", text);
    reading->has_failed = true;
}

static void no_memory(struct reading *reading)
{
    tell(reading, NULL, "", "no memory for the options of a kafka sink");
}

static const char *copy_text(struct reading *reading, const char *text)
{
    const char *copy = slu_arena_copy(reading->arena, slu_slice_of(text));
    if (copy == NULL)
        no_memory(reading);
    return copy;
}

/* The index of the option's word; the first when it is absent. */
static unsigned read_word(struct reading *reading, const char *key, const char *const *words,
                          unsigned n, const char *expected)
{
    const struct slu_node *node = slu_node_get(reading->section, key);
    for (unsigned i = 0; i < n && node != NULL; i++) {
        if (strcmp(slu_node_text(node, ""), words[i]) == 0)
            return i;
    }
    if (node != NULL)
        tell(reading, node, key, expected);
    return 0;
}

#define VARIABLES                                                                      \
    (SLU_VARIABLE_BIT(SLU_VARIABLE_TOPIC) | SLU_VARIABLE_BIT(SLU_VARIABLE_CLIENT_ID) | \
     SLU_VARIABLE_BIT(SLU_VARIABLE_USERNAME) | SLU_VARIABLE_BIT(SLU_VARIABLE_POLICY) | \
     SLU_VARIABLE_BIT(SLU_VARIABLE_INSTANCE) | SLU_VARIABLE_BIT(SLU_VARIABLE_PAYLOAD))

static const struct slu_template *read_template(struct reading *reading, const char *key,
                                                const char *fallback)
{
    const struct slu_node *node = slu_node_get(reading->section, key);
    struct slu_err err = {0};
    const char *text = copy_text(reading, slu_node_text(node, fallback));
    if (text == NULL)
        return NULL;
    const struct slu_template *template =
        slu_template_parse(slu_slice_of(text), VARIABLES, reading->arena, &err);
    if (template == NULL)
        tell(reading, node, key, err.text);
    return template;
}

/* One broker of the list: [PROTOCOL://]host[:port], an IPv6 address in brackets. */
static struct slu_slice broker_host(struct slu_slice broker)
{
    const char *scheme = memchr(broker.data, '/', broker.len);
    if (scheme != NULL && scheme > broker.data && scheme[-1] == ':' &&
        (size_t)(scheme - broker.data) + 1 < broker.len && scheme[1] == '/')
        broker = slu_slice(scheme + 2, broker.len - (size_t)(scheme + 2 - broker.data));
    size_t n = broker.len;
    while (n > 0 && broker.data[n - 1] >= '0' && broker.data[n - 1] <= '9')
        n--;
    const bool has_port = n > 0 && n < broker.len && broker.data[n - 1] == ':';
    return slu_slice(broker.data, has_port ? n - 1 : broker.len);
}

static bool is_host(struct slu_slice host)
{
    const bool is_bracketed = host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']';
    for (size_t i = 0; i < host.len; i++) {
        const unsigned char c = (unsigned char)host.data[i];
        if (c <= ' ' || c == '/' || c == 0x7f || (c == ':' && !is_bracketed))
            return false;
    }
    return host.len > 0;
}

static bool is_loopback(struct slu_slice host)
{
    return slu_slice_equal(host, SLU_SLICE("localhost")) ||
           slu_slice_equal(host, SLU_SLICE("[::1]")) ||
           (host.len > 4 && memcmp(host.data, "127.", 4) == 0);
}

/* The next broker of the list, without blanks around it; false: there are no more. */
static bool next_broker(const char **at, struct slu_slice *broker)
{
    if (*at == NULL)
        return false;
    const char *start = *at + strspn(*at, " \t");
    const char *end = start + strcspn(start, ",");
    *at = *end == ',' ? end + 1 : NULL;
    while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *broker = slu_slice(start, (size_t)(end - start));
    return true;
}

static void read_brokers(struct reading *reading)
{
    const struct slu_node *node = slu_node_get(reading->section, "brokers");
    const char *text = copy_text(reading, slu_node_text(node, ""));
    const char *at = text;
    struct slu_slice broker;

    reading->options->brokers = text;
    if (text != NULL && text[0] == '\0') {
        tell(reading, node, "brokers", "is missing");
        return;
    }
    while (next_broker(&at, &broker)) {
        if (!is_host(broker_host(broker)))
            tell(reading, node, "brokers",
                 "is host:port, several joined with commas, such as k1:9092,k2:9092");
    }
}

/* A topic without substitutions is known now: is it one for Kafka? */
static void check_topic(struct reading *reading, const char *topic)
{
    const struct slu_node *node = slu_node_get(reading->section, "topic");
    const char *no_template = strpbrk(topic, "{}");

    if (topic[0] == '\0')
        tell(reading, node, "topic", "is missing");
    else if (no_template == NULL && strlen(topic) > SLU_KAFKA_TOPIC_MAX)
        tell(reading, node, "topic", "Kafka takes no more than 249 characters");
    else if (strcmp(topic, ".") == 0 || strcmp(topic, "..") == 0)
        tell(reading, node, "topic", "Kafka takes no topic that is only dots");
}

/* A file that cannot be read; librdkafka would only say so much later. */
static bool is_unreadable(const struct slu_kafka_property *property)
{
    return (is_like(property->name, "*.location") || is_like(property->name, "*.keytab")) &&
           strcmp(property->value, "probe") != 0 && access(property->value, R_OK) != 0;
}

static void read_property(struct reading *reading, const struct slu_node_pair *pair,
                          struct slu_kafka_property *property)
{
    const struct slu_node *value = pair->value;
    const bool is_scalar = value->kind == SLU_NODE_BOOL || value->kind == SLU_NODE_INT ||
                           value->kind == SLU_NODE_FLOAT || value->kind == SLU_NODE_STRING;
    char what[160];

    property->name = slu_arena_copy(reading->arena, pair->key);
    property->value = slu_arena_copy(reading->arena, is_scalar ? value->text : SLU_SLICE(""));
    property->is_secret = value->secret;
    property->node = value;
    if (property->name == NULL || property->value == NULL) {
        no_memory(reading);
        return;
    }
    snprintf(what, sizeof(what), "properties: %.100s", property->name);
    const char *reason = slu_kafka_options_refusal(property->name, property->value);
    if (!is_scalar)
        tell(reading, value, what, "is a text, a number, true or false");
    else if (reason != NULL) {
        char text[160];
        snprintf(text, sizeof(text), "may not be set: %s", reason);
        tell(reading, value, what, text);
    } else if (is_unreadable(property)) {
        char text[160];
        snprintf(text, sizeof(text), "cannot be read: %s", strerror(errno));
        tell(reading, value, what, text);
    }
}

static void read_properties(struct reading *reading)
{
    const struct slu_node *map = slu_node_get(reading->section, "properties");
    const size_t n = map != NULL && map->kind == SLU_NODE_MAP ? map->n : 0;
    struct slu_kafka_property *properties =
        slu_arena_array(reading->arena, n + 1, sizeof(properties[0]));

    if (properties == NULL) {
        no_memory(reading);
        return;
    }
    if (map != NULL && map->kind != SLU_NODE_MAP)
        tell(reading, map, "properties", "is a map of librdkafka's properties");
    for (size_t i = 0; i < n; i++)
        read_property(reading, &map->pairs[i], &properties[i]);
    reading->options->properties = properties;
    reading->options->n_properties = n;
}

/* ---- warnings ------------------------------------------------------------------------------------------ */

static const struct slu_kafka_property *find(const struct slu_kafka_options *options,
                                             const char *name)
{
    for (size_t i = 0; i < options->n_properties; i++) {
        if (strcmp(options->properties[i].name, name) == 0)
            return &options->properties[i];
    }
    return NULL;
}

static bool is_set_to(const struct slu_kafka_options *options, const char *name, const char *value)
{
    const struct slu_kafka_property *property = find(options, name);
    return property != NULL && strcasecmp(property->value, value) == 0;
}

static void warn(struct slu_problems *problems, const struct slu_kafka_options *options,
                 const char *name, const char *text)
{
    const struct slu_node *node = find(options, name)->node;
    slu_problems_warn(problems, node->file, node->line, node->column, NULL, "properties: %s: %s",
                      name, text);
}

static bool is_far(const struct slu_kafka_options *options)
{
    struct slu_slice broker;
    for (const char *at = options->brokers; next_broker(&at, &broker);) {
        if (!is_loopback(broker_host(broker)))
            return true;
    }
    return false;
}

/* Everything goes over the network as it is. */
static void warn_plaintext(const struct slu_node *section, const struct slu_kafka_options *options,
                           struct slu_problems *problems)
{
    const struct slu_kafka_property *protocol = find(options, "security.protocol");
    const struct slu_node *node =
        protocol != NULL ? protocol->node : slu_node_get(section, "brokers");

    if (node == NULL || !is_far(options) ||
        (protocol != NULL &&
         (strcasecmp(protocol->value, "ssl") == 0 || strcasecmp(protocol->value, "sasl_ssl") == 0)))
        return;
    slu_problems_warn(problems, node->file, node->line, node->column, NULL,
                      "the brokers are not on this machine and the connection is not encrypted: "
                      "anybody on the way can read and change the data; set security.protocol to "
                      "ssl or sasl_ssl among the properties");
}

/* What is allowed and opens a door. */
static void warn_doors(const struct slu_kafka_options *options, struct slu_problems *problems)
{
    const struct slu_kafka_property *protocol = find(options, "security.protocol");
    const bool is_sasl = protocol != NULL && strncasecmp(protocol->value, "sasl", 4) == 0;

    if (is_set_to(options, "enable.ssl.certificate.verification", "false"))
        warn(problems, options, "enable.ssl.certificate.verification",
             "anybody can pose as the broker");
    if (is_set_to(options, "ssl.endpoint.identification.algorithm", "none"))
        warn(problems, options, "ssl.endpoint.identification.algorithm",
             "any host with a certificate of that authority can pose as the broker");
    if (is_set_to(options, "security.protocol", "sasl_plaintext") && find(options, "sasl.password"))
        warn(problems, options, "security.protocol",
             "with sasl_plaintext nothing is encrypted; with the mechanism PLAIN not even the "
             "password is");
    if (!is_sasl && find(options, "sasl.password"))
        warn(problems, options, "sasl.password",
             "has no effect without security.protocol: sasl_ssl");
    if (!is_sasl && (protocol == NULL || strcasecmp(protocol->value, "ssl") != 0) &&
        find(options, "ssl.ca.location"))
        warn(problems, options, "ssl.ca.location",
             "has no effect without security.protocol: ssl or sasl_ssl");
}

/* Options that say nothing without `value: avro`. */
static void refuse_typed(struct reading *reading)
{
    static const char *const keys[] = {"schema", "framing", "unions", "unknown_fields"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const struct slu_node *node = slu_node_get(reading->section, keys[i]);
        if (node != NULL)
            tell(reading, node, keys[i], "only says something with `value: avro`");
    }
}

int slu_kafka_options_read(const struct slu_node *section, struct slu_arena *arena,
                           struct slu_kafka_options *options, struct slu_problems *problems)
{
    static const char *const values[] = {"payload", "envelope", "avro"};
    static const char *const headers[] = {"all", "ids", "none"};
    static const enum slu_kafka_headers of_word[] = {SLU_KAFKA_HEADERS_ALL, SLU_KAFKA_HEADERS_IDS,
                                                     SLU_KAFKA_HEADERS_NONE};
    struct reading reading = {section, arena, options, problems, false};
    const char *topic = slu_node_text(slu_node_get(section, "topic"), "");

    *options = (struct slu_kafka_options){0};
    read_brokers(&reading);
    check_topic(&reading, topic);
    options->topic = read_template(&reading, "topic", "");
    const char *key = slu_node_text(slu_node_get(section, "key"), "${topic}");
    if (key[0] != '\0')
        options->key = read_template(&reading, "key", "${topic}");
    options->value = (enum slu_kafka_value)read_word(&reading, "value", values, 3,
                                                     "is payload, envelope or avro");
    if (options->value != SLU_KAFKA_AVRO)
        refuse_typed(&reading);
    options->headers = of_word[read_word(&reading, "headers", headers, 3, "is none, ids or all")];
    read_properties(&reading);
    if (!reading.has_failed) {
        warn_plaintext(section, options, problems);
        warn_doors(options, problems);
    }
    options->is_sound = !reading.has_failed;
    return options->is_sound ? 0 : -1;
}

const char *slu_kafka_options_property(const struct slu_kafka_options *options, const char *name)
{
    const struct slu_kafka_property *property = find(options, name);
    return property != NULL ? property->value : NULL;
}
