/* main.c -- the `sluice` command: finds the verb and runs it. */
#include "plugin/cli/args.h"
#include "plugin/cli/cli.h"

#include "base/nearest.h"
#include "plugin/cli/out.h"

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
    {"ddl", "FILE [SINK] [--json]", "the tables that sinks need, as SQL", slu_cli_ddl},
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

/* With --json what cannot be done is an object on stdout as well. */
static bool wants_json;

static int refuse(const char *reason, const struct verb *verb)
{
    struct slu_err err = {0};
    int status;

    slu_err_set(&err, SLU_EINVAL, "%s", reason);
    status = slu_out_failed_err(wants_json, &err);
    if (verb != NULL)
        print_usage(stderr, verb);
    return status;
}

int slu_cli_usage(const char *name, const char *reason)
{
    char sentence[400];

    snprintf(sentence, sizeof(sentence), "sluice %s: %s", name, reason);
    return refuse(sentence, find(name));
}

static int unknown(const char *word)
{
    const char *names[N_VERBS];
    char sentence[200];

    for (size_t i = 0; i < N_VERBS; i++)
        names[i] = verbs[i].name;
    const char *nearest = slu_nearest(slu_slice_of(word), names, N_VERBS);
    if (nearest != NULL)
        snprintf(sentence, sizeof(sentence), "sluice: unknown verb %.60s, did you mean %s?", word,
                 nearest);
    else
        snprintf(sentence, sizeof(sentence),
                 "sluice: unknown verb %.60s; `sluice --help` lists them", word);
    return refuse(sentence, NULL);
}

/* Is `option` among the words before `--`? */
static bool has(int argc, char **argv, const char *option)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], option) == 0)
            return true;
    return false;
}

/* Options may stand before the verb: the verb goes first, the rest keeps its order. */
static void put_verb_first(int argc, char **argv)
{
    int at = 1;

    while (at < argc && slu_args_is_option(argv[at]))
        at++;
    if (at == argc)
        return;
    char *const verb = argv[at];
    for (; at > 1; at--)
        argv[at] = argv[at - 1];
    argv[1] = verb;
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
    wants_json = has(argc, argv, "--json");
    put_verb_first(argc, argv);
    const struct verb *verb = find(argv[1]);
    if (verb == NULL)
        return unknown(argv[1]);
    if (has(argc - 1, argv + 1, "--help") || has(argc - 1, argv + 1, "-h")) {
        print_usage(stdout, verb);
        return SLU_EXIT_GOOD;
    }
    return verb->run(argc - 1, argv + 1);
}
