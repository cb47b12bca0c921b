/* main.c -- the `sluice` command: finds the verb and runs it. */
#include "plugin/cli/cli.h"

#include "base/nearest.h"

#include <stdio.h>
#include <string.h>

/* One row a verb; a new verb is a file and a row. */
static const struct verb {
    const char *name;
    const char *operands;
    const char *sentence;
    int (*run)(int argc, char **argv);
} verbs[] = {
    {"check", "FILE [--connect] [--json]", "is this configuration good?", slu_cli_check},
    {"explain", "FILE TOPIC [TEXT|@FILE|-] [--json]", "what becomes of a message, and why",
     slu_cli_explain},
    {"test", "FILE [--json]", "run the tests that the configuration holds", slu_cli_test},
    {"validate",
     "SCHEMA FILE… [--json] [--output flag|basic] [--format assert|annotate]\n"
     "                       [--default-draft 2020-12|2019-09|7|6|4]\n"
     "       sluice validate SCHEMA.avsc FILE… [--json] [--type avro]\n"
     "                       [--framing auto|raw|single_object|confluent | --json-payload]\n"
     "       sluice validate --bowtie [--format assert|annotate]",
     "do these documents hold to a JSON Schema, or an Avro schema?", slu_cli_validate},
    {"spool", "DIR list|dump|verify [--json]\n       sluice spool DIR forget SINK [--json]",
     "look into the spool of a data_dir", slu_cli_spool},
    {"ddl", "FILE [SINK]", "the tables that sinks need, as SQL", slu_cli_ddl},
    {"status", "DIR [--json]", "what a running plugin says of itself", slu_cli_status},
};

#define N_VERBS (sizeof(verbs) / sizeof(verbs[0]))

static void print_help(FILE *to)
{
    fputs("usage: sluice VERB …\n\n", to);
    for (size_t i = 0; i < N_VERBS; i++)
        fprintf(to, "  %-9s %s\n", verbs[i].name, verbs[i].sentence);
    fputs("\n`sluice VERB --help` tells how. Exit status: 0 good, 1 what was asked about is bad,\n"
          "2 wrong usage, an unreadable file or a bad configuration.\n",
          to);
}

static void print_usage(FILE *to, const struct verb *verb)
{
    fprintf(to, "usage: sluice %s %s\n", verb->name, verb->operands);
}

static const struct verb *find(const char *name)
{
    for (size_t i = 0; i < N_VERBS; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

int slu_cli_usage(const char *name, const char *reason)
{
    const struct verb *verb = find(name);

    if (reason != NULL)
        fprintf(stderr, "sluice %s: %s\n", name, reason);
    if (verb != NULL)
        print_usage(stderr, verb);
    return SLU_EXIT_FAILED;
}

static int unknown(const char *word)
{
    const char *names[N_VERBS];

    for (size_t i = 0; i < N_VERBS; i++)
        names[i] = verbs[i].name;
    const char *nearest = slu_nearest(slu_slice_of(word), names, N_VERBS);
    if (nearest != NULL)
        fprintf(stderr, "sluice: unknown verb %.60s, did you mean %s?\n", word, nearest);
    else
        fprintf(stderr, "sluice: unknown verb %.60s; `sluice --help` lists them\n", word);
    return SLU_EXIT_FAILED;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return SLU_EXIT_FAILED;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("sluice " SLUICE_VERSION);
        return SLU_EXIT_GOOD;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return SLU_EXIT_GOOD;
    }
    const struct verb *verb = find(argv[1]);
    if (verb == NULL)
        return unknown(argv[1]);
    if (argc == 3 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0)) {
        print_usage(stdout, verb);
        return SLU_EXIT_GOOD;
    }
    return verb->run(argc - 1, argv + 1);
}
