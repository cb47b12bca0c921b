/* args.h -- options and operands of a verb. Options may stand anywhere; `--` ends them; `-` alone and a
 * negative number are operands. `--name VALUE` and `--name=VALUE` are the same. */
#ifndef SLU_PLUGIN_CLI_ARGS_H
#define SLU_PLUGIN_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>

struct slu_option {
    const char *name;   /* "--json" */
    bool *flag;         /* set to true when it is given; or */
    const char **value; /* gets its value */
};

struct slu_operands {
    char **items; /* into argv */
    size_t n;
};

/* Is it an option by its looks? */
bool slu_args_is_option(const char *word);

/* Sort argv[1…] into `options` and operands (argv is reordered). On error prints it with the verb's
 * usage and returns false. */
bool slu_args_read(int argc, char **argv, const struct slu_option *options, size_t n_options,
                   struct slu_operands *operands);

#endif
