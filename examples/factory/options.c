/* options.c -- see options.h; the text below is the manual. */
#include "examples/factory/options.h"
#include "examples/factory/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_SCHEMA_ID UINT64_MAX

static const char usage[] =
    "usage: factory [OPTION…]\n"
    "Publishes what the machines of a small biscuit factory say, some of it wrong.\n"
    "\n"
    "  --host HOST           of the broker (127.0.0.1)\n"
    "  --port PORT           of the broker (1883)\n"
    "  --username NAME       for the broker (none)\n"
    "  --password-file FILE  its first line is the password (none)\n"
    "  --id NAME             client ids are NAME-1, NAME-2 … (biscuit-factory)\n"
    "  --clients N           gateways that share the machines among them, 1 to 64 (1)\n"
    "  --qos 0|1|2           (1)\n"
    "  --rate N              messages a second up to 1000000, 0: as fast as they are taken (200)\n"
    "  --messages N          in all, 0: no limit (0)\n"
    "  --seconds N           0: until interrupted (0)\n"
    "  --seed N              the same seed gives the same messages (1)\n"
    "  --only MACHINE        of mixers, ovens, coolers, packers, checkweighers or shifts alone: "
    "\"oven\"\n"
    "  --schema-id N         checkweighers begin their Avro with 00 and this id, as a registry "
    "gave it\n"
    "                        (with C3 01 and the schema's fingerprint)\n"
    "  --no-trouble          no mishaps and no play: all that is said is right\n"
    "  --print               publish nothing: print KIND, GATEWAY, TOPIC and PAYLOAD (Avro: in "
    "hex), tabs\n"
    "                        between\n"
    "  --quiet               no progress line\n"
    "  --help                this page\n"
    "\n"
    "At the end it prints by kind what was sent, acknowledged and denied, and one line\n"
    "  factory sent=N acknowledged=N denied=N lost=N unsettled=N reconnects=N seconds=S rate=R\n"
    "          p50_us=N p90_us=N p99_us=N p999_us=N max_us=N       publish -> PUBACK, not for QoS "
    "0\n"
    "where sent = acknowledged + denied + lost + unsettled; lost: QoS 0, with a broken "
    "connection.\n"
    "Exit 0: all was settled and nothing lost; 1: not so; 2: wrong usage, or no broker.\n";

static int read_number(const char *name, const char *text, uint64_t min, uint64_t max,
                       uint64_t *number)
{
    char *end = NULL;

    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || value < min || value > max) {
        fprintf(stderr, "factory: %s wants a number from %" PRIu64 " to %" PRIu64 ", not \"%s\"\n",
                name, min, max, text);
        return -1;
    }
    *number = value;
    return 0;
}

static int read_password(struct factory_options *options, const char *path)
{
    FILE *file = fopen(path, "r");

    if (file == NULL || fgets(options->password, sizeof(options->password), file) == NULL) {
        fprintf(stderr, "factory: cannot read a password from %s\n", path);
        if (file != NULL)
            fclose(file);
        return -1;
    }
    fclose(file);
    options->password[strcspn(options->password, "\r\n")] = '\0';
    return 0;
}

/* What the numbers are read into, as they need 64 bits each while being read. */
struct numbers {
    uint64_t port, qos, clients, schema_id;
};

static int read_pair(struct factory_options *options, struct numbers *read, const char *name,
                     const char *value)
{
    const struct {
        const char *name;
        uint64_t *number;
        uint64_t min, max;
    } numbers[] = {
        {"--port", &read->port, 1, 65535},
        {"--qos", &read->qos, 0, 2},
        {"--clients", &read->clients, 1, FACTORY_GATEWAYS_MAX},
        {"--rate", &options->rate, 0, 1000000},
        {"--messages", &options->messages, 0, UINT64_MAX},
        {"--seconds", &options->seconds, 0, 1000000000},
        {"--seed", &options->plan.seed, 0, UINT64_MAX},
        {"--schema-id", &read->schema_id, 0, INT32_MAX},
    };
    const struct {
        const char *name;
        const char **text;
    } texts[] = {{"--host", &options->host},
                 {"--id", &options->id},
                 {"--username", &options->username},
                 {"--only", &options->plan.only}};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (strcmp(name, numbers[i].name) == 0)
            return read_number(name, value, numbers[i].min, numbers[i].max, numbers[i].number);
    }
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(name, texts[i].name) == 0) {
            *texts[i].text = value;
            return 0;
        }
    }
    if (strcmp(name, "--password-file") == 0)
        return read_password(options, value);
    fprintf(stderr, "factory: \"%s\" is no option; --help lists them\n", name);
    return -1;
}

/* Options without a value. True: it was one. */
static bool read_flag(struct factory_options *options, const char *name)
{
    if (strcmp(name, "--quiet") == 0)
        options->quiet = true;
    else if (strcmp(name, "--print") == 0)
        options->print = true;
    else if (strcmp(name, "--no-trouble") == 0)
        options->plan.trouble = false;
    else
        return false;
    return true;
}

int factory_options_read(struct factory_options *options, int argc, char **argv)
{
    struct numbers read = {.port = 1883, .qos = 1, .clients = 1, .schema_id = NO_SCHEMA_ID};

    *options = (struct factory_options){.host = "127.0.0.1",
                                        .id = "biscuit-factory",
                                        .rate = 200,
                                        .plan = {.seed = 1, .trouble = true}};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            return 1;
        }
        if (read_flag(options, argv[i]))
            continue;
        if (i + 1 == argc) {
            fprintf(stderr,
                    "factory: \"%s\" is no option, or its value is missing; --help lists them\n",
                    argv[i]);
            return -1;
        }
        if (read_pair(options, &read, argv[i], argv[i + 1]) != 0)
            return -1;
        i++;
    }
    if (options->plan.only != NULL && !factory_has_machine(options->plan.only)) {
        fprintf(stderr, "factory: --only: there is no machine \"%s\"\n", options->plan.only);
        return -1;
    }
    options->plan.schema_id = read.schema_id == NO_SCHEMA_ID ? -1 : (int64_t)read.schema_id;
    options->port = (int)read.port;
    options->qos = (unsigned)read.qos;
    options->clients = (unsigned)read.clients;
    return 0;
}
