/* status.c -- `sluice status DIR`: the plugin's last status.json, as it is; on a terminal, unless --json asks
 * for it, in words. */
#include "plugin/cli/args.h"
#include "plugin/cli/cli.h"
#include "plugin/cli/out.h"

#include "base/file.h"

#include <jansson.h>

#include <stdio.h>
#include <unistd.h>

#define STATUS_MAX_BYTES ((size_t)64 << 20)

/* The counters of `messages` and of a sink, in the order they are shown. */
static const char *const message_counters[] = {"received", "passed",  "accepted",    "rerouted",
                                               "dropped",  "refused", "disconnected"};
static const char *const sink_counters[] = {"routed",    "delivered", "dead_lettered",
                                            "discarded", "corrupt",   "spooled"};

static void add_text(struct slu_buf *out, const char *label, const json_t *value)
{
    if (!json_is_string(value) || json_string_length(value) == 0)
        return;
    slu_buf_printf(out, "%s", label);
    slu_out_safe(out, slu_slice(json_string_value(value), json_string_length(value)));
}

static void add_counters(struct slu_buf *out, const json_t *object, const char *const *names,
                         size_t n)
{
    for (size_t i = 0; i < n; i++)
        slu_buf_printf(out, "%s%s %lld", i == 0 ? "" : ", ", names[i],
                       (long long)json_integer_value(json_object_get(object, names[i])));
    slu_buf_add_char(out, '\n');
}

static void add_policies(struct slu_buf *out, json_t *policies)
{
    const char *id, *code;
    json_t *policy, *count;

    json_object_foreach(policies, id, policy)
    {
        slu_buf_add_text(out, "policy ");
        slu_out_safe(out, slu_slice_of(id));
        slu_buf_printf(out, ": held %lld",
                       (long long)json_integer_value(json_object_get(policy, "held")));
        json_object_foreach(json_object_get(policy, "violations"), code, count)
        {
            slu_buf_add_text(out, ", ");
            slu_out_safe(out, slu_slice_of(code));
            slu_buf_printf(out, " %lld", (long long)json_integer_value(count));
        }
        const json_int_t would = json_integer_value(json_object_get(policy, "would_reroute"));
        if (would != 0)
            slu_buf_printf(out, ", would reroute %lld", (long long)would);
        slu_buf_add_char(out, '\n');
    }
}

static void add_sinks(struct slu_buf *out, json_t *sinks)
{
    const char *name;
    json_t *sink;

    json_object_foreach(sinks, name, sink)
    {
        slu_buf_add_text(out, "sink ");
        slu_out_safe(out, slu_slice_of(name));
        add_text(out, " (", json_object_get(sink, "type"));
        add_text(out, "): ", json_object_get(sink, "state"));
        slu_buf_add_text(out, ", ");
        add_counters(out, sink, sink_counters, sizeof(sink_counters) / sizeof(sink_counters[0]));
        const json_t *lag = json_object_get(sink, "lag_seconds");
        if (json_is_number(lag) && json_number_value(lag) > 0)
            slu_buf_printf(out, "  behind by %.1f s\n", json_number_value(lag));
        add_text(out, "  last error: ", json_object_get(sink, "last_error"));
        if (json_string_length(json_object_get(sink, "last_error")) != 0)
            slu_buf_add_char(out, '\n');
    }
}

static void add_spool(struct slu_buf *out, const json_t *spool)
{
    if (!json_is_object(spool))
        return;
    slu_buf_printf(out, "spool: %lld of %lld bytes, head %lld, durable %lld\n",
                   (long long)json_integer_value(json_object_get(spool, "bytes")),
                   (long long)json_integer_value(json_object_get(spool, "max")),
                   (long long)json_integer_value(json_object_get(spool, "head_seq")),
                   (long long)json_integer_value(json_object_get(spool, "durable_seq")));
}

static void report(struct slu_buf *out, json_t *status)
{
    const json_t *error = json_object_get(status, "config_error");

    add_text(out, "instance ", json_object_get(status, "instance"));
    add_text(out, ", version ", json_object_get(status, "version"));
    slu_buf_printf(out, ", process %lld, configuration %lld",
                   (long long)json_integer_value(json_object_get(status, "pid")),
                   (long long)json_integer_value(json_object_get(status, "generation")));
    add_text(out, "\nat ", json_object_get(status, "time"));
    slu_buf_add_char(out, '\n');
    if (json_string_length(error) != 0) {
        add_text(out, "the last reload failed: ", error);
        slu_buf_add_char(out, '\n');
    }
    slu_buf_add_text(out, "messages: ");
    add_counters(out, json_object_get(status, "messages"), message_counters,
                 sizeof(message_counters) / sizeof(message_counters[0]));
    add_policies(out, json_object_get(status, "policies"));
    add_sinks(out, json_object_get(status, "sinks"));
    add_spool(out, json_object_get(status, "spool"));
}

static int print(bool as_json, struct slu_buf *text, const char *path, struct slu_err *err)
{
    json_error_t where;
    struct slu_buf out;
    json_t *status = json_loadb(slu_buf_text(text), text->len, JSON_REJECT_DUPLICATES, &where);

    if (!json_is_object(status)) {
        json_decref(status);
        return slu_err_set(err, SLU_ECORRUPT, "%s: is no status: %s", path,
                           status == NULL ? where.text : "not an object");
    }
    if (as_json) {
        json_decref(status);
        return slu_out_print(text, SLU_EXIT_GOOD);
    }
    slu_buf_init(&out, SLU_OUT_MAX_BYTES);
    report(&out, status);
    json_decref(status);
    return slu_out_print(&out, SLU_EXIT_GOOD);
}

int slu_cli_status(int argc, char **argv)
{
    bool json = false;
    const struct slu_option options[] = {{"--json", &json, NULL}};
    struct slu_operands operands;
    struct slu_err err = {0};
    struct slu_buf text;
    char path[4096];
    int status = -1;

    if (!slu_args_read(argc, argv, options, 1, &operands))
        return SLU_EXIT_FAILED;
    if (operands.n != 1)
        return slu_cli_usage("status", "needs one DIR, the plugin's data_dir");
    snprintf(path, sizeof(path), "%.4000s/status.json", operands.items[0]);
    slu_buf_init(&text, STATUS_MAX_BYTES);
    if (slu_file_read(path, &text, &err) == 0)
        status = print(json || isatty(STDOUT_FILENO) == 0, &text, path, &err);
    if (status < 0)
        status = slu_out_failed_err(json, &err);
    slu_buf_fini(&text);
    return status;
}
