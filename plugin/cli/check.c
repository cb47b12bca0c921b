/* check.c -- `sluice check FILE [--connect]`: is this configuration good, and are its sinks within reach?
 *
 * Prints every error and warning, `file:line:col: /ptr: sentence` each; with --connect and a good
 * configuration also what each sink met (connect.h). Exit 0: good (warnings or not); 1: bad; 2: the file
 * cannot be read. */
#include "plugin/cli/args.h"
#include "plugin/cli/cli.h"
#include "plugin/cli/connect.h"
#include "plugin/cli/out.h"

#include "plugin/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static bool readable(const char *file, struct slu_err *err)
{
    char byte;
    const int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const bool ok = fd >= 0 && read(fd, &byte, 1) >= 0; /* a folder opens, but does not read */

    if (!ok)
        slu_err_system(err, errno, "%s: cannot be read", file);
    if (fd >= 0)
        close(fd);
    return ok;
}

/* `config` is NULL when nothing is to be connected. */
static int report(bool json, const char *file, const struct slu_problems *problems,
                  const struct slu_config *config)
{
    bool good = problems->n_errors == 0;
    struct slu_buf out, sinks;

    slu_out_problem_lines(problems);
    slu_buf_init(&out, SLU_OUT_MAX_BYTES);
    slu_buf_init(&sinks, SLU_OUT_MAX_BYTES);
    const bool reachable = config == NULL || slu_connect_report(config, json, &sinks);
    if (json) {
        slu_out_open(&out, NULL, '{');
        slu_out_bool(&out, "ok", good && reachable);
        slu_out_problems(&out, "errors", problems, false);
        slu_out_problems(&out, "warnings", problems, true);
        slu_buf_add_slice(&out, slu_buf_slice(&sinks));
        slu_out_close(&out, '}');
    } else {
        slu_out_safe(&out, slu_slice_of(file));
        if (good)
            slu_buf_add_text(&out, ": good");
        else
            slu_buf_printf(&out, ": %zu error%s", problems->n_errors,
                           problems->n_errors == 1 ? "" : "s");
        if (problems->n_warnings != 0)
            slu_buf_printf(&out, ", %zu warning%s", problems->n_warnings,
                           problems->n_warnings == 1 ? "" : "s");
        slu_buf_add_slice(&out, slu_buf_slice(&sinks));
    }
    slu_buf_fini(&sinks);
    good = good && reachable;
    return slu_out_print(&out, good ? SLU_EXIT_GOOD : SLU_EXIT_BAD);
}

int slu_cli_check(int argc, char **argv)
{
    bool json = false, connect = false;
    const struct slu_option options[] = {{"--json", &json, NULL}, {"--connect", &connect, NULL}};
    struct slu_operands operands;
    struct slu_problems problems;
    struct slu_err err = {0};
    int status;

    if (!slu_args_read(argc, argv, options, 2, &operands))
        return SLU_EXIT_FAILED;
    if (operands.n != 1)
        return slu_cli_usage("check", "needs one FILE");
    if (!readable(operands.items[0], &err))
        return slu_out_failed_err(json, &err);
    slu_problems_init(&problems);
    struct slu_config *config = slu_config_load(operands.items[0], NULL, NULL, &problems);
    status = report(json, operands.items[0], &problems, connect ? config : NULL);
    slu_config_free(config);
    slu_problems_fini(&problems);
    return status;
}
