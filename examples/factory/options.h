/* options.h -- the command line of the factory. */
#ifndef FACTORY_OPTIONS_H
#define FACTORY_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct factory_options {
    const char *host;
    int port;
    unsigned rate;  /* messages a second; 0: as fast as they are acknowledged */
    uint64_t count; /* messages in all; 0: until interrupted */
    uint64_t seed;
    bool quiet; /* no progress line */
};

/* 0: go on. 1: help was asked for and printed. -1: wrong, and said so. */
int factory_options_read(struct factory_options *options, int argc, char **argv);

#endif
