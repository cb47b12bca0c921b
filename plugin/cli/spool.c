/* spool.c -- `sluice spool DIR …`: looks into the spool of a data_dir, live or not.
 *
 *   list     segments, and what waits for each sink
 *   dump     every record as its envelope, one a line
 *   verify   reads every byte; exit 1 when something is damaged
 *   forget   gives up the claim of a sink that left the configuration
 *
 * All but forget only read.
 */
#include "plugin/cli/args.h"
#include "plugin/cli/cli.h"
#include "plugin/cli/out.h"

#include "base/file.h"
#include "sinks/decoder.h"
#include "sinks/envelope.h"
#include "sinks/spool/spool.h"

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEGMENTS_MAX     65536u /* 4 TiB of them */
#define LINE_MAX_BYTES   ((size_t)64 << 20)
#define STATUS_MAX_BYTES ((size_t)64 << 20)

struct look {
    bool json;
    const char *dir;
    struct slu_spool_view *view;
};

static void format_id(const uint8_t *id, char out[33])
{
    for (size_t i = 0; i < 16; i++)
        snprintf(out + 2 * i, 3, "%02x", id[i]);
}

/* ---- list ------------------------------------------------------------------------------------------- */

static void list_json(struct slu_buf *out, const char *id,
                      const struct slu_spool_segment_info *segments, size_t n_segments,
                      const struct slu_spool_sink_stats *sinks, size_t n_sinks)
{
    slu_out_open(out, NULL, '{');
    slu_out_text(out, "spool_id", id);
    slu_out_open(out, "segments", '[');
    for (size_t i = 0; i < n_segments; i++) {
        slu_out_open(out, NULL, '{');
        slu_out_text(out, "file", segments[i].file);
        slu_out_int(out, "first_seq", (int64_t)segments[i].first_seq);
        slu_out_int(out, "last_seq", (int64_t)segments[i].last_seq);
        slu_out_int(out, "records", (int64_t)segments[i].records);
        slu_out_int(out, "bytes", (int64_t)segments[i].bytes);
        slu_out_int(out, "damaged_records", (int64_t)segments[i].damaged_records);
        slu_out_bool(out, "sealed", segments[i].sealed);
        slu_out_close(out, '}');
    }
    slu_out_close(out, ']');
    slu_out_open(out, "sinks", '[');
    for (size_t i = 0; i < n_sinks; i++) {
        slu_out_open(out, NULL, '{');
        slu_out_text(out, "name", sinks[i].name);
        slu_out_text(out, "type", sinks[i].type);
        slu_out_bool(out, "orphaned", sinks[i].orphaned);
        slu_out_int(out, "committed_seq", (int64_t)sinks[i].committed_seq);
        slu_out_int(out, "spooled", (int64_t)sinks[i].spooled);
        slu_out_close(out, '}');
    }
    slu_out_close(out, ']');
    slu_out_close(out, '}');
}

static void list_text(struct slu_buf *out, const char *id,
                      const struct slu_spool_segment_info *segments, size_t n_segments,
                      const struct slu_spool_sink_stats *sinks, size_t n_sinks)
{
    slu_buf_printf(out, "spool %s\n\n%-24s %20s %20s %10s %12s  %s\n", id, "segment", "first",
                   "last", "records", "bytes", "state");
    for (size_t i = 0; i < n_segments; i++) {
        slu_buf_printf(
            out, "%-24s %20llu %20llu %10llu %12llu  %s", segments[i].file,
            (unsigned long long)segments[i].first_seq, (unsigned long long)segments[i].last_seq,
            (unsigned long long)segments[i].records, (unsigned long long)segments[i].bytes,
            segments[i].sealed ? "sealed" : "open");
        if (segments[i].damaged_records != 0)
            slu_buf_printf(out, ", %llu damaged", (unsigned long long)segments[i].damaged_records);
        slu_buf_add_char(out, '\n');
    }
    slu_buf_printf(out, "\n%-24s %-12s %20s %10s\n", "sink", "type", "committed", "spooled");
    for (size_t i = 0; i < n_sinks; i++)
        slu_buf_printf(out, "%-24s %-12s %20llu %10llu%s\n", sinks[i].name, sinks[i].type,
                       (unsigned long long)sinks[i].committed_seq,
                       (unsigned long long)sinks[i].spooled, sinks[i].orphaned ? "  orphaned" : "");
}

static int list(const struct look *look)
{
    struct slu_spool_segment_info *segments = calloc(SEGMENTS_MAX, sizeof(*segments));
    struct slu_spool_sink_stats sinks[SLU_SINKS_MAX];
    struct slu_buf out;
    char id[33];

    slu_buf_init(&out, SLU_OUT_MAX_BYTES);
    if (segments == NULL) {
        fputs("sluice spool: no memory for the list\n", stderr);
        return SLU_EXIT_FAILED;
    }
    size_t n_segments = slu_spool_view_segments(look->view, segments, SEGMENTS_MAX);
    size_t n_sinks = slu_spool_view_sinks(look->view, sinks, SLU_SINKS_MAX);
    n_segments = n_segments < SEGMENTS_MAX ? n_segments : SEGMENTS_MAX;
    n_sinks = n_sinks < SLU_SINKS_MAX ? n_sinks : SLU_SINKS_MAX;
    format_id(slu_spool_view_id(look->view), id);
    (look->json ? list_json : list_text)(&out, id, segments, n_segments, sinks, n_sinks);
    free(segments);
    return slu_out_print(&out, SLU_EXIT_GOOD);
}

/* ---- dump ------------------------------------------------------------------------------------------- */

/* The instance is not in the spool; the plugin wrote it beside it. */
static bool read_instance(const char *dir, struct slu_buf *instance)
{
    char path[4096];
    struct slu_buf text;
    json_t *status = NULL;

    snprintf(path, sizeof(path), "%.4000s/status.json", dir);
    slu_buf_init(&text, STATUS_MAX_BYTES);
    if (slu_file_read(path, &text, NULL) == 0)
        status = json_loadb(slu_buf_text(&text), text.len, 0, NULL);
    slu_buf_add_text(instance, json_string_value(json_object_get(status, "instance")));
    json_decref(status);
    slu_buf_fini(&text);
    return instance->len != 0;
}

/* With --json the records are the items of one object's list. */
static int dump(const struct look *look)
{
    struct slu_decoder *decoder = slu_decoder_new();
    struct slu_buf instance, line;
    struct slu_record record;
    const char *policy, *schema;
    bool ok = true, first = true;

    slu_buf_init(&instance, 1024);
    slu_buf_init(&line, LINE_MAX_BYTES);
    read_instance(look->dir, &instance);
    if (look->json)
        fputs("{\"records\":[", stdout);
    while (ok && slu_spool_view_next(look->view, &record, &policy, &schema)) {
        const struct slu_envelope envelope = {
            .instance = slu_buf_text(&instance),
            .spool_id = slu_spool_view_id_of(look->view, record.seq),
            .policy = policy,
            .schema = schema,
            .schema_text = slu_spool_view_schema_text(look->view, record.schema),
            .decoder = decoder,
        };
        slu_buf_reset(&line);
        ok = slu_envelope_write(&line, &envelope, &record);
        if (look->json && !first)
            fputc(',', stdout);
        if (ok)
            fwrite(slu_buf_text(&line), 1, line.len, stdout);
        if (!look->json)
            fputc('\n', stdout);
        ok = ok && ferror(stdout) == 0;
        first = false;
    }
    if (look->json)
        fputs("]}\n", stdout);
    if (fflush(stdout) != 0 || !ok)
        fputs("sluice spool: the records could not all be written\n", stderr);
    ok = ok && ferror(stdout) == 0;
    slu_buf_fini(&instance);
    slu_buf_fini(&line);
    slu_decoder_free(decoder);
    return ok ? SLU_EXIT_GOOD : SLU_EXIT_FAILED;
}

/* ---- verify ------------------------------------------------------------------------------------------ */

static void tell_damage(void *context, const char *line)
{
    const struct look *look = context;

    (void)look;
    fprintf(stderr, "%s\n", line);
}

static int verify(const struct look *look)
{
    const size_t damaged = slu_spool_view_verify(look->view, tell_damage, (void *)look);
    const int status = damaged == 0 ? SLU_EXIT_GOOD : SLU_EXIT_BAD;
    struct slu_buf out;

    slu_buf_init(&out, SLU_OUT_MAX_BYTES);
    if (look->json) {
        slu_out_open(&out, NULL, '{');
        slu_out_bool(&out, "ok", damaged == 0);
        slu_out_int(&out, "damaged", (int64_t)damaged);
        slu_out_close(&out, '}');
    } else if (damaged == 0) {
        slu_buf_add_text(&out, "every byte is as it was written\n");
    } else {
        slu_buf_printf(&out, "%zu damaged stretch%s\n", damaged, damaged == 1 ? "" : "es");
    }
    return slu_out_print(&out, status);
}

/* ---- forget ------------------------------------------------------------------------------------------ */

/* The spool stays its owner's: root works as that user, so that no file becomes root's, which the broker
 * could not open any more. */
static int become_owner(const char *dir, struct slu_err *err)
{
    struct stat status;

    if (stat(dir, &status) != 0 || status.st_uid == geteuid())
        return 0; /* what is wrong with it is told when it is opened */
    if (geteuid() == 0 && setegid(status.st_gid) == 0 && seteuid(status.st_uid) == 0)
        return 0;
    return slu_err_set(err, SLU_EDENIED,
                       "spool: %s belongs to user %u: run this as that user or as root", dir,
                       (unsigned)status.st_uid);
}

static int forget(bool json, const char *dir, const char *sink)
{
    struct slu_err err = {0};
    struct slu_buf out;
    uint64_t records = 0;

    if (become_owner(dir, &err) != 0 || slu_spool_forget(dir, sink, &records, &err) != 0)
        return slu_out_failed_err(json, &err);
    slu_buf_init(&out, SLU_OUT_MAX_BYTES);
    if (json) {
        slu_out_open(&out, NULL, '{');
        slu_out_bool(&out, "ok", true);
        slu_out_text(&out, "sink", sink);
        slu_out_int(&out, "records", (int64_t)records);
        slu_out_close(&out, '}');
    } else {
        slu_out_safe(&out, slu_slice_of(sink));
        slu_buf_printf(&out, ": forgotten, with %llu records that waited for it\n",
                       (unsigned long long)records);
    }
    return slu_out_print(&out, SLU_EXIT_GOOD);
}

static const struct {
    const char *name;
    int (*run)(const struct look *look);
} actions[] = {{"list", list}, {"dump", dump}, {"verify", verify}};

static int look_into(bool json, const char *dir, int (*run)(const struct look *look))
{
    struct slu_err err = {0};
    struct look look = {json, dir, slu_spool_view_open(dir, &err)};

    if (look.view == NULL)
        return slu_out_failed_err(json, &err);
    const int status = run(&look);
    slu_spool_view_close(look.view);
    return status;
}

int slu_cli_spool(int argc, char **argv)
{
    bool json = false;
    const struct slu_option options[] = {{"--json", &json, NULL}};
    struct slu_operands operands;

    if (!slu_args_read(argc, argv, options, 1, &operands))
        return SLU_EXIT_FAILED;
    if (operands.n == 3 && strcmp(operands.items[1], "forget") == 0)
        return forget(json, operands.items[0], operands.items[2]);
    for (size_t i = 0; operands.n == 2 && i < sizeof(actions) / sizeof(actions[0]); i++)
        if (strcmp(operands.items[1], actions[i].name) == 0)
            return look_into(json, operands.items[0], actions[i].run);
    return slu_cli_usage("spool", "needs DIR and one of list, dump, verify and forget SINK");
}
