/* connect.c -- see connect.h. */
#include "plugin/cli/connect.h"

#include "base/clock.h"
#include "plugin/cli/out.h"

#define PATIENCE_NS (15 * SLU_NS_PER_S)

static void add_json(struct slu_buf *out, const struct slu_config_sink *sink,
                     const struct slu_sink_report *report)
{
    slu_out_open(out, NULL, '{');
    slu_out_text(out, "name", sink->name);
    slu_out_text(out, "type", sink->ops->type);
    slu_out_bool(out, "ok", slu_report_is_good(report));
    slu_out_open(out, "points", '[');
    for (size_t i = 0; i < report->n; i++) {
        slu_out_open(out, NULL, '{');
        slu_out_text(out, "what", report->points[i].what);
        slu_out_bool(out, "ok", report->points[i].is_good);
        slu_out_text(out, "text", report->points[i].text);
        slu_out_close(out, '}');
    }
    slu_out_close(out, ']');
    slu_out_close(out, '}');
}

static void add_lines(struct slu_buf *out, const struct slu_config_sink *sink,
                      const struct slu_sink_report *report)
{
    slu_buf_printf(out, "\n%s (%s): %s", sink->name, sink->ops->type,
                   slu_report_is_good(report) ? "good" : "bad");
    for (size_t i = 0; i < report->n; i++) {
        const struct slu_report_point *point = &report->points[i];
        slu_buf_printf(out, "\n  %-4s %-11s ", point->is_good ? "ok" : "BAD", point->what);
        slu_out_safe(out, slu_slice_of(point->text));
    }
}

bool slu_connect_report(const struct slu_config *config, bool json, struct slu_buf *out)
{
    bool is_good = true;

    if (json)
        slu_buf_add_text(out, ",\"sinks\":[");
    for (size_t i = 0; i < config->n_sinks; i++) {
        const struct slu_config_sink *sink = &config->sinks[i];
        const struct slu_sink_env env = {.name = sink->name, .instance = config->instance};
        struct slu_sink_report report = {.n = 0};
        if (sink->ops->probe != NULL)
            sink->ops->probe(&env, sink->section, slu_clock_mono_ns() + PATIENCE_NS, &report);
        (json ? add_json : add_lines)(out, sink, &report);
        is_good = slu_report_is_good(&report) && is_good;
    }
    if (json)
        slu_out_close(out, ']');
    return is_good;
}
