/* cli.h -- the verbs of the `sluice` command. Each lives in a file of its own, uses the same code as
 * the plugin, and gives back an exit status.
 *
 *   stdout   what was asked for: a report, or with --json exactly one JSON object
 *   stderr   everything else: problems, usage
 */
#ifndef SLU_PLUGIN_CLI_CLI_H
#define SLU_PLUGIN_CLI_CLI_H

#include "validation/json_schema/schema.h"

enum slu_exit {
    SLU_EXIT_GOOD = 0,   /* it is good, or was done */
    SLU_EXIT_BAD = 1,    /* the thing that was asked about is bad */
    SLU_EXIT_FAILED = 2, /* wrong usage, a file that cannot be read, a configuration that is bad */
};

/* `argv[0]` is the verb's name. */
int slu_cli_check(int argc, char **argv);
int slu_cli_explain(int argc, char **argv);
int slu_cli_test(int argc, char **argv);
int slu_cli_validate(int argc, char **argv);
int slu_cli_spool(int argc, char **argv);
int slu_cli_status(int argc, char **argv);
int slu_cli_ddl(int argc, char **argv);

/* The usage of `verb` and `reason` (may be NULL) to stderr. Returns SLU_EXIT_FAILED. */
int slu_cli_usage(const char *verb, const char *reason);

/* Bowtie's harness protocol on stdin and stdout, until stop or the end of input. */
int slu_cli_bowtie(enum slu_schema_draft default_draft, enum slu_schema_formats formats);

#endif
