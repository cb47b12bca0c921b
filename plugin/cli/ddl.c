/* ddl.c -- `sluice ddl FILE [SINK]`: the SQL that makes the tables its sinks need, each sink's below a
 * comment with its name. Everything is IF NOT EXISTS, so it may be run again. Exit 2: the configuration is
 * bad, there is no such sink, or none has tables. */
#include "plugin/cli/args.h"
#include "plugin/cli/cli.h"
#include "plugin/cli/out.h"

#include "plugin/config.h"

#include <string.h>

/* How many sinks had something to say; -1 and err. */
static int write_all(const struct slu_config *config, const char *only, struct slu_buf *out,
                     struct slu_err *err)
{
    int n = 0;
    bool is_known = only == NULL;

    for (size_t i = 0; i < config->n_sinks; i++) {
        const struct slu_config_sink *sink = &config->sinks[i];
        if (only != NULL && strcmp(only, sink->name) != 0)
            continue;
        is_known = true;
        if (sink->ops->ddl == NULL)
            continue;
        slu_buf_printf(out, "%s-- sink %s\n", n++ > 0 ? "\n" : "", sink->name);
        if (sink->ops->ddl(sink->section, out, err) != 0)
            return -1;
    }
    if (!is_known)
        return slu_err_set(err, SLU_EINVAL, "there is no sink \"%.64s\"", only);
    if (n == 0)
        return slu_err_set(err, SLU_EINVAL, "%s",
                           only != NULL ? "this sink has no tables" : "no sink has tables");
    return n;
}

int slu_cli_ddl(int argc, char **argv)
{
    struct slu_operands operands;
    struct slu_problems problems;
    struct slu_err err = {0};
    struct slu_buf out;

    if (!slu_args_read(argc, argv, NULL, 0, &operands))
        return SLU_EXIT_FAILED;
    if (operands.n != 1 && operands.n != 2)
        return slu_cli_usage("ddl", "needs a FILE and at most one SINK");
    slu_problems_init(&problems);
    struct slu_config *config = slu_config_load(operands.items[0], NULL, NULL, &problems);
    if (config == NULL) {
        const int status = slu_out_failed(false, &problems);
        slu_problems_fini(&problems);
        return status;
    }
    slu_problems_fini(&problems);
    slu_buf_init(&out, SLU_OUT_MAX_BYTES);
    const int n = write_all(config, operands.n == 2 ? operands.items[1] : NULL, &out, &err);
    slu_config_free(config);
    if (n < 0) {
        slu_buf_fini(&out);
        return slu_out_failed_err(false, &err);
    }
    if (out.len != 0 && out.data[out.len - 1] == '\n')
        slu_buf_cut(&out, out.len - 1);
    return slu_out_print(&out, SLU_EXIT_GOOD);
}
