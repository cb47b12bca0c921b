/* connect_registry.c -- see connect_registry.h. */
#include "plugin/cli/connect_registry.h"

#include "base/clock.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_NS (15 * SLU_NS_PER_S)

/* May the cache be written? Its folder, or the one that it would be made in. */
static bool is_writable(const char *cache)
{
    char parent[4096];

    if (access(cache, F_OK) == 0)
        return access(cache, W_OK | X_OK) == 0;
    snprintf(parent, sizeof(parent), "%s", cache);
    char *slash = strrchr(parent, '/');
    if (slash == NULL || strlen(cache) >= sizeof(parent))
        return false;
    *slash = '\0';
    return access(parent, W_OK | X_OK) == 0;
}

static void choose_folder(struct slu_registry_wants *wants, struct slu_connect_registry *met)
{
    if (is_writable(wants->options.cache))
        return;
    const char *place = getenv("TMPDIR");
    const int n = snprintf(met->folder, sizeof(met->folder), "%s/sluice-check-XXXXXX",
                           place != NULL && place[0] != '\0' ? place : "/tmp");
    if (n < 0 || (size_t)n >= sizeof(met->folder) || mkdtemp(met->folder) == NULL)
        met->folder[0] = '\0';
    else
        wants->options.cache = met->folder;
}

static void fetch(struct slu_registry *registry, const struct slu_registry_want *want,
                  struct slu_sink_report *report)
{
    struct slu_err err = {0};
    struct slu_registry_schema *schema = slu_registry_by_version(
        registry, want->subject, want->version, slu_clock_mono_ns() + PATIENCE_NS, &err);

    if (schema != NULL)
        slu_report_add(report, "schema", true,
                       "%s version %" PRId64 ": id %" PRId64 ", %s, %zu "
                       "references",
                       want->subject, schema->version, schema->id,
                       slu_registry_type_names[schema->type], schema->n_references);
    else
        slu_report_add(report, "schema", false, "%s: %s", want->subject, err.text);
    slu_registry_schema_free(schema);
}

static void reach(struct slu_registry *registry, const struct slu_registry_options *options,
                  struct slu_sink_report *report)
{
    const char *as = options->token != NULL      ? "with a token"
                     : options->username != NULL ? "with a name and password"
                                                 : "as nobody";
    struct slu_err err = {0};

    if (slu_registry_reach(registry, slu_clock_mono_ns() + PATIENCE_NS, &err) != 0)
        slu_report_add(report, "connection", false, "%s", err.text);
    else
        slu_report_add(report, "connection", true, "%s answers, %s, %s", options->url, as,
                       strncmp(options->url, "https://", 8) == 0 ? "by TLS" : "in clear text");
}

void slu_connect_registry(struct slu_registry_wants *wants, struct slu_connect_registry *met)
{
    struct slu_err err = {0};

    *met = (struct slu_connect_registry){.is_there = wants->options.url != NULL};
    if (!met->is_there)
        return;
    snprintf(met->url, sizeof(met->url), "%s", wants->options.url);
    choose_folder(wants, met);
    struct slu_registry *registry = slu_registry_new(&wants->options, &err);
    if (registry == NULL) {
        slu_report_add(&met->report, "connection", false, "%s", err.text);
        return;
    }
    reach(registry, &wants->options, &met->report);
    for (size_t i = 0; i < wants->n && slu_report_is_good(&met->report); i++)
        fetch(registry, &wants->items[i], &met->report);
    if (met->folder[0] != '\0')
        slu_report_add(&met->report, "cache", true,
                       "the folder of data_dir may not be written from here: nothing is kept, the "
                       "broker will ask at its first start");
    slu_registry_free(registry);
}

void slu_connect_registry_end(struct slu_connect_registry *met)
{
    DIR *list = met->folder[0] != '\0' ? opendir(met->folder) : NULL;

    if (list == NULL)
        return;
    for (const struct dirent *entry; (entry = readdir(list)) != NULL;)
        unlinkat(dirfd(list), entry->d_name, 0);
    closedir(list);
    rmdir(met->folder);
}
