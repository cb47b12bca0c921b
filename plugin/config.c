/* config.c -- see config.h. The order of things:
 *
 *   read YAML ──▶ well formed? (config_check.c) ──▶ top level ──▶ schemas ──▶ sinks ──▶ policies ──▶ tests
 *
 * Each step tells everything it finds and leaves out what an earlier one found unsound; only a
 * configuration without a single error is handed out.
 */
#include "plugin/config_draft.h"

#include "base/utf8.h"
#include "base/yaml.h"
#include "plugin/config_case.h"
#include "validation/json_schema/library.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARENA_MAX_BYTES     ((size_t)1 << 30)
#define DEFAULT_DATA_DIR    "/var/lib/mosquitto/sluice"
#define MS                  INT64_C(1000000)
#define MIB                 (INT64_C(1) << 20)
#define GIB                 (INT64_C(1) << 30)
#define DEFAULT_MAX_PAYLOAD MIB
#define INSTANCE_MAX_BYTES  255

/* ---- what the parts share ---------------------------------------------------------------------------- */

void slu_draft_pointer(char *out, size_t size, const char *pointer, struct slu_slice name)
{
    int n = snprintf(out, size, "%s/", pointer);
    size_t at = n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;

    for (size_t i = 0; i < name.len && at + 2 < size; i++) {
        if (name.data[i] == '~' || name.data[i] == '/') {
            out[at++] = '~';
            out[at++] = name.data[i] == '~' ? '0' : '1';
        } else {
            out[at++] = name.data[i];
        }
    }
    at = slu_utf8_cut(out, at, at);
    out[at] = '\0';
}

/* `where` gets the full pointer. */
__attribute__((format(printf, 5, 0))) static void fill_err(struct slu_err *err,
                                                           char where[sizeof(err->pointer)],
                                                           const char *pointer, const char *below,
                                                           const char *format, va_list arguments)
{
    char text[sizeof(err->text)];

    vsnprintf(text, sizeof(text), format, arguments);
    slu_err_set(err, SLU_EINVAL, "%s", text);
    snprintf(where, sizeof(err->pointer), "%s%s", pointer, below);
}

void slu_draft_tell(struct slu_draft *draft, bool is_warning, const struct slu_node *section,
                    const char *pointer, const char *below, const char *format, ...)
{
    const struct slu_node *place = slu_node_at(section, below, NULL, NULL);
    struct slu_err err = {0};
    char where[sizeof(err.pointer)];
    va_list arguments;

    va_start(arguments, format);
    fill_err(&err, where, pointer, below, format, arguments);
    va_end(arguments);
    slu_err_place(&err, place->file, place->line, place->column, where);
    slu_problems_add(draft->problems, is_warning, &err);
}

void slu_draft_tell_key(struct slu_draft *draft, const struct slu_node *section,
                        const char *pointer, const char *below, const char *format, ...)
{
    const struct slu_node_pair *pair = NULL;
    const struct slu_node *place = slu_node_at(section, below, NULL, &pair);
    struct slu_err err = {0};
    char where[sizeof(err.pointer)];
    va_list arguments;

    va_start(arguments, format);
    fill_err(&err, where, pointer, below, format, arguments);
    va_end(arguments);
    slu_err_place(&err, place->file, pair != NULL ? pair->key_line : place->line,
                  pair != NULL ? pair->key_column : place->column, where);
    slu_problems_add(draft->problems, false, &err);
}

void slu_draft_no_memory(struct slu_draft *draft)
{
    struct slu_err err = {0};

    slu_err_set(&err, SLU_ENOMEM, "no memory for the configuration");
    slu_err_place(&err, draft->config->file, 0, 0, NULL);
    slu_problems_add(draft->problems, false, &err);
}

const char *slu_draft_path(const struct slu_draft *draft, const char *folder, const char *path)
{
    struct slu_arena *arena = &draft->config->arena;

    if (path[0] == '/')
        return slu_arena_copy(arena, slu_slice_of(path));
    if (strcmp(folder, "/") == 0)
        return slu_arena_printf(arena, "/%s", path);
    if (strcmp(folder, ".") == 0)
        return slu_arena_copy(arena, slu_slice_of(path));
    return slu_arena_printf(arena, "%s/%s", folder, path);
}

/* A whole number in the largest unit that divides it, for messages. */
static void show_units(char *out, size_t size, long long value, bool is_size)
{
    static const struct {
        const char *name;
        long long factor;
        bool is_size;
    } units[] = {{"GiB", GIB, true},       {"MiB", MIB, true},          {"KiB", 1024, true},
                 {"B", 1, true},           {"d", 86400000 * MS, false}, {"h", 3600000 * MS, false},
                 {"m", 60000 * MS, false}, {"s", 1000 * MS, false},     {"ms", MS, false}};

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (units[i].is_size != is_size || value % units[i].factor != 0)
            continue;
        snprintf(out, size, "%lld%s", value / units[i].factor, units[i].name);
        return;
    }
    snprintf(out, size, "%lld", value);
}

static long long bounded(struct slu_draft *draft, const struct slu_node *section,
                         const char *pointer, const char *key, const long long range[2],
                         long long value, bool is_size)
{
    char low[32], high[32], below[64];

    if (value >= range[0] && value <= range[1])
        return value;
    show_units(low, sizeof(low), range[0], is_size);
    show_units(high, sizeof(high), range[1], is_size);
    snprintf(below, sizeof(below), "/%s", key);
    if (range[1] == LLONG_MAX)
        slu_draft_tell(draft, false, section, pointer, below, "must be at least %s", low);
    else
        slu_draft_tell(draft, false, section, pointer, below, "must be between %s and %s", low,
                       high);
    return range[0];
}

long long slu_draft_duration(struct slu_draft *draft, const struct slu_node *section,
                             const char *pointer, const char *key, long long min, long long max,
                             long long fallback)
{
    const long long value = slu_node_duration_ns(slu_node_get(section, key), fallback);
    return bounded(draft, section, pointer, key, (const long long[2]){min, max}, value, false);
}

long long slu_draft_size(struct slu_draft *draft, const struct slu_node *section,
                         const char *pointer, const char *key, long long min, long long max,
                         long long fallback)
{
    const long long value = slu_node_size_bytes(slu_node_get(section, key), fallback);
    return bounded(draft, section, pointer, key, (const long long[2]){min, max}, value, true);
}

/* ---- the top level ------------------------------------------------------------------------------------- */

/* `instance`, else the host's name. */
static void read_instance(struct slu_draft *draft)
{
    struct slu_config *config = draft->config;
    const struct slu_node *node = slu_node_get(config->root, "instance");
    char host[INSTANCE_MAX_BYTES + 1] = "";

    config->instance = slu_node_text(node, NULL);
    if (config->instance != NULL && strlen(config->instance) > INSTANCE_MAX_BYTES)
        slu_draft_tell(draft, false, config->root, "", "/instance", "is longer than %d bytes",
                       INSTANCE_MAX_BYTES);
    if (config->instance != NULL)
        return;
    if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0' ||
        !slu_utf8_valid(host, strlen(host))) {
        slu_draft_tell(draft, false, config->root, "", "",
                       "lacks \"instance\", and the host has no usable name");
        return;
    }
    config->instance = slu_arena_copy(&config->arena, slu_slice_of(host));
    if (config->instance == NULL)
        slu_draft_no_memory(draft);
}

static enum slu_spool_sync read_sync(const struct slu_node *spool)
{
    const char *sync = slu_node_text(slu_node_get(spool, "sync"), "interval");

    if (strcmp(sync, "always") == 0)
        return SLU_SYNC_ALWAYS;
    return strcmp(sync, "os") == 0 ? SLU_SYNC_OS : SLU_SYNC_INTERVAL;
}

static void read_spool(struct slu_draft *draft)
{
    const struct slu_node *spool = slu_node_get(draft->config->root, "spool");
    struct slu_spool_options *options = &draft->config->spool;

    options->data_dir = draft->config->data_dir;
    options->sync = read_sync(spool);
    options->sync_interval_ns =
        slu_draft_duration(draft, spool, "/spool", "sync_interval", MS, 60000 * MS, 100 * MS);
    options->max_size_bytes =
        slu_draft_size(draft, spool, "/spool", "max_size", MIB, LLONG_MAX, 4 * GIB);
    options->min_free_bytes = slu_draft_size(draft, spool, "/spool", "min_free", 0, LLONG_MAX, GIB);
}

static void read_top(struct slu_draft *draft)
{
    struct slu_config *config = draft->config;
    const char *data_dir = slu_node_text(slu_node_get(config->root, "data_dir"), DEFAULT_DATA_DIR);

    read_instance(draft);
    config->data_dir = slu_draft_path(draft, draft->absolute, data_dir);
    if (config->data_dir == NULL)
        slu_draft_no_memory(draft);
    read_spool(draft);
}

/* ---- loading --------------------------------------------------------------------------------------------- */

/* The file's folder, as it was named and absolute. */
static bool find_folder(struct slu_draft *draft)
{
    struct slu_config *config = draft->config;
    const char *slash = strrchr(config->file, '/');
    struct slu_err err = {0};
    char *absolute;

    if (slash == NULL)
        draft->folder = ".";
    else
        draft->folder = slu_arena_copy(
            &config->arena,
            slu_slice(config->file, slash == config->file ? 1 : (size_t)(slash - config->file)));
    if (draft->folder == NULL) {
        slu_draft_no_memory(draft);
        return false;
    }
    absolute = realpath(draft->folder, NULL);
    if (absolute == NULL) {
        slu_err_system(&err, errno, "the folder of the configuration cannot be found");
        slu_err_place(&err, config->file, 0, 0, NULL);
        slu_problems_add(draft->problems, false, &err);
        return false;
    }
    draft->absolute = slu_arena_copy(&config->arena, slu_slice_of(absolute));
    free(absolute);
    if (draft->absolute == NULL)
        slu_draft_no_memory(draft);
    return draft->absolute != NULL;
}

static void load(struct slu_draft *draft, slu_config_bit *bit, void *context)
{
    struct slu_config *config = draft->config;

    config->root = slu_yaml_read(config->file, &config->arena, draft->problems);
    if (config->root == NULL || !find_folder(draft) || !slu_draft_check(draft))
        return;
    if (slu_draft_is_sound(draft, config->root))
        read_top(draft);
    if (slu_draft_read_schemas(draft) && slu_draft_read_sinks(draft, bit, context) &&
        slu_draft_read_policies(draft))
        slu_draft_check_tests(draft);
}

void slu_draft_check_tests(struct slu_draft *draft)
{
    const struct slu_node *tests = slu_node_get(draft->config->root, "tests");
    char pointer[64];

    for (size_t i = 0; tests != NULL && tests->kind == SLU_NODE_LIST && i < tests->n; i++) {
        struct slu_config_case test;
        struct slu_err err = {0};
        if (!slu_draft_is_sound(draft, tests->items[i]))
            continue;
        snprintf(pointer, sizeof(pointer), "/tests/%zu", i);
        if (slu_config_case_read(tests->items[i], pointer, &draft->config->arena, &test, &err) != 0)
            slu_problems_add(draft->problems, false, &err);
        slu_draft_sinks(draft, tests->items[i], pointer, "/expect/sinks");
    }
}

struct slu_config *slu_config_load(const char *file, slu_config_bit *bit, void *context,
                                   struct slu_problems *problems)
{
    const struct slu_node *unsound[SLU_PROBLEMS_MAX + 8];
    struct slu_draft draft = {.problems = problems,
                              .unsound = unsound,
                              .room_unsound = sizeof(unsound) / sizeof(unsound[0])};
    size_t errors = problems->n_errors;

    draft.config = calloc(1, sizeof(*draft.config));
    if (draft.config == NULL) {
        slu_problems_error(problems, file, 0, 0, NULL, "no memory for the configuration");
        return NULL;
    }
    slu_arena_init(&draft.config->arena, ARENA_MAX_BYTES);
    draft.config->file = slu_arena_copy(&draft.config->arena, slu_slice_of(file));
    if (draft.config->file == NULL)
        slu_draft_no_memory(&draft);
    else
        load(&draft, bit, context);
    slu_library_free(draft.library);
    slu_problems_sort_and_merge(problems);
    if (problems->n_errors == errors && draft.config->snapshot != NULL)
        return draft.config;
    slu_config_free(draft.config);
    return NULL;
}

void slu_config_free(struct slu_config *config)
{
    if (config == NULL)
        return;
    slu_snapshot_free(config->snapshot);
    slu_arena_fini(&config->arena);
    free(config);
}
