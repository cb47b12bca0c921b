/* args.c -- see args.h. */
#include "plugin/cli/args.h"

#include "base/nearest.h"
#include "plugin/cli/cli.h"

#include <stdio.h>
#include <string.h>

#define OPTIONS_MAX 16

static const struct slu_option *find(const struct slu_option *options, size_t n, const char *word,
                                     size_t len)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(options[i].name) == len && memcmp(options[i].name, word, len) == 0)
            return &options[i];
    return NULL;
}

static bool refuse(const char *verb, const struct slu_option *options, size_t n, const char *word,
                   size_t len)
{
    const char *names[OPTIONS_MAX];
    char reason[256];
    size_t n_names = 0;

    for (; n_names < n && n_names < OPTIONS_MAX; n_names++)
        names[n_names] = options[n_names].name;
    const char *nearest = slu_nearest(slu_slice(word, len), names, n_names);
    snprintf(reason, sizeof(reason), "unknown option %.*s%s%s%s", (int)(len < 100 ? len : 100),
             word, nearest != NULL ? ", did you mean " : "", nearest != NULL ? nearest : "",
             nearest != NULL ? "?" : "");
    slu_cli_usage(verb, reason);
    return false;
}

static bool complain(const char *verb, const char *option, const char *what)
{
    char reason[256];

    snprintf(reason, sizeof(reason), "%s %s", option, what);
    slu_cli_usage(verb, reason);
    return false;
}

/* One option at argv[*i]; moves *i over a value of its own. */
static bool take(int argc, char **argv, int *i, const struct slu_option *options, size_t n)
{
    const char *word = argv[*i], *equals = strchr(word, '=');
    const size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
    const struct slu_option *option = find(options, n, word, len);

    if (option == NULL)
        return refuse(argv[0], options, n, word, len);
    if (option->flag != NULL) {
        if (equals != NULL)
            return complain(argv[0], option->name, "takes no value");
        *option->flag = true;
        return true;
    }
    if (equals == NULL && *i + 1 >= argc)
        return complain(argv[0], option->name, "needs a value");
    *option->value = equals != NULL ? equals + 1 : argv[++*i];
    return true;
}

bool slu_args_is_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0' && (word[1] < '0' || word[1] > '9');
}

bool slu_args_read(int argc, char **argv, const struct slu_option *options, size_t n_options,
                   struct slu_operands *operands)
{
    bool ended = false;

    operands->items = argv + 1;
    operands->n = 0;
    for (int i = 1; i < argc; i++) {
        if (!ended && strcmp(argv[i], "--") == 0)
            ended = true;
        else if (ended || !slu_args_is_option(argv[i]))
            operands->items[operands->n++] = argv[i];
        else if (!take(argc, argv, &i, options, n_options))
            return false;
    }
    return true;
}
