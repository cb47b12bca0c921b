/* options.h -- the command line of the factory. */
#ifndef FACTORY_OPTIONS_H
#define FACTORY_OPTIONS_H

#include "examples/factory/machines.h"

#include <stdbool.h>
#include <stdint.h>

struct factory_options {
    const char *host;
    int port;
    const char *id; /* client ids are <id>-1, <id>-2, … */
    const char *username;
    char password[256];
    uint64_t rate;     /* messages a second; 0: as fast as they are acknowledged */
    uint64_t messages; /* in all; 0: no limit */
    uint64_t seconds;  /* 0: no limit */
    unsigned qos;
    unsigned clients;
    struct factory_plan plan;
    bool print; /* do not publish, print */
    bool quiet; /* no progress line */
};

/* 0: go on. 1: help was asked for and printed. -1: wrong, and said so. */
int factory_options_read(struct factory_options *options, int argc, char **argv);

#endif
