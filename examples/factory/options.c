/* options.c -- see options.h; the table below is the manual. */
#include "examples/factory/options.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: factory [OPTION VALUE]…\n"
    "Publishes what the machines of a small biscuit factory say, some of it wrong.\n"
    "  --host HOST    of the broker (127.0.0.1)\n"
    "  --port PORT    of the broker (1883)\n"
    "  --rate N       messages a second, 0: as fast as they are acknowledged (200)\n"
    "  --count N      messages in all, 0: until interrupted (0)\n"
    "  --seed N       the same seed gives the same messages (1)\n"
    "  --quiet        no progress line\n";

static int read_number(const char *name, const char *text, uint64_t max, uint64_t *number)
{
    char *end = NULL;

    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || value > max) {
        fprintf(stderr, "factory: %s wants a number up to %" PRIu64 ", not \"%s\"\n", name, max,
                text);
        return -1;
    }
    *number = value;
    return 0;
}

int factory_options_read(struct factory_options *options, int argc, char **argv)
{
    uint64_t port = 1883, rate = 200;
    struct {
        const char *name;
        uint64_t *number;
        uint64_t max;
    } numbers[] = {
        {"--port", &port, 65535},
        {"--rate", &rate, 1000000},
        {"--count", &options->count, UINT64_MAX},
        {"--seed", &options->seed, UINT64_MAX},
    };

    *options = (struct factory_options){.host = "127.0.0.1", .seed = 1};
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];
        if (strcmp(name, "--help") == 0) {
            fputs(usage, stdout);
            return 1;
        }
        if (strcmp(name, "--quiet") == 0) {
            options->quiet = true;
            continue;
        }
        const char *value = i + 1 < argc ? argv[++i] : NULL;
        if (value != NULL && strcmp(name, "--host") == 0) {
            options->host = value;
            continue;
        }
        size_t n = 0;
        while (n < sizeof(numbers) / sizeof(numbers[0]) && strcmp(name, numbers[n].name) != 0)
            n++;
        if (value == NULL || n == sizeof(numbers) / sizeof(numbers[0])) {
            fprintf(stderr, "factory: \"%s\" is no option, or its value is missing\n%s", name,
                    usage);
            return -1;
        }
        if (read_number(name, value, numbers[n].max, numbers[n].number) != 0)
            return -1;
    }
    options->port = (int)port;
    options->rate = (unsigned)rate;
    return 0;
}
