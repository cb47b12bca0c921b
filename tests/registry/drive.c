/* drive.c -- the registry's client as a program, for tests/registry/run.py.
 *
 *   registry_drive URL CACHE|- REGISTER(0|1) [-u NAME:PASSWORD | -t TOKEN] [-c CA] QUESTION…
 *
 *   reach                             ok
 *   id ID                             schema ID - 0 TYPE TEXT, then a line a reference
 *   version SUBJECT N|latest          schema ID SUBJECT VERSION TYPE TEXT, likewise
 *   idof SUBJECT TYPE TEXT            id ID
 *   compatible SUBJECT TYPE TEXT      compatible | incompatible WHY
 *
 * What went wrong is the line `error KIND TEXT`, exit 1. */
#include "base/clock.h"
#include "sinks/registry.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE (20 * SLU_NS_PER_S)

static int fail(const struct slu_err *err)
{
    printf("error %d %s\n", (int)err->kind, err->text);
    return 1;
}

static int show(struct slu_registry_schema *schema, const struct slu_err *err)
{
    if (schema == NULL)
        return fail(err);
    printf("schema %" PRId64 " %s %" PRId64 " %s %s\n", schema->id,
           schema->subject[0] != '\0' ? schema->subject : "-", schema->version,
           slu_registry_type_names[schema->type], schema->text.data);
    for (size_t i = 0; i < schema->n_references; i++)
        printf("reference %s %s %" PRId64 " %s\n", schema->references[i].name,
               schema->references[i].subject, schema->references[i].version,
               schema->references[i].text.data);
    slu_registry_schema_free(schema);
    return 0;
}

static enum slu_registry_type type_named(const char *name)
{
    return strcmp(name, "JSON") == 0 ? SLU_REGISTRY_JSON : SLU_REGISTRY_AVRO;
}

static int ask(struct slu_registry *registry, char **words, int n)
{
    const int64_t deadline = slu_clock_mono_ns() + PATIENCE;
    struct slu_err err = {0};

    if (n == 1 && strcmp(words[0], "reach") == 0)
        return slu_registry_reach(registry, deadline, &err) == 0 ? !puts("ok") : fail(&err);
    if (n == 2 && strcmp(words[0], "id") == 0)
        return show(slu_registry_by_id(registry, atoll(words[1]), deadline, &err), &err);
    if (n == 3 && strcmp(words[0], "version") == 0) {
        const int64_t version =
            strcmp(words[2], "latest") == 0 ? SLU_REGISTRY_LATEST : atoll(words[2]);
        return show(slu_registry_by_version(registry, words[1], version, deadline, &err), &err);
    }
    if (n == 4 && strcmp(words[0], "idof") == 0) {
        int64_t id;
        if (slu_registry_id_of(registry, words[1], type_named(words[2]), slu_slice_of(words[3]),
                               deadline, &id, &err) != 0)
            return fail(&err);
        printf("id %" PRId64 "\n", id);
        return 0;
    }
    if (n == 4 && strcmp(words[0], "compatible") == 0) {
        bool compatible;
        char why[2000];
        if (slu_registry_compatible(registry, words[1], type_named(words[2]),
                                    slu_slice_of(words[3]), deadline, &compatible, why, sizeof(why),
                                    &err) != 0)
            return fail(&err);
        printf(compatible ? "compatible\n" : "incompatible %s\n", why);
        return 0;
    }
    fprintf(stderr, "what?\n");
    return 2;
}

int main(int argc, char **argv)
{
    struct slu_registry_options options = {0};
    struct slu_err err = {0};
    int at = 4;

    if (argc < 5)
        return 2;
    options.url = argv[1];
    options.cache = strcmp(argv[2], "-") != 0 ? argv[2] : NULL;
    options.may_register = argv[3][0] == '1';
    for (; at + 1 < argc && argv[at][0] == '-'; at += 2) {
        char *value = argv[at + 1];
        if (argv[at][1] == 'u') {
            options.username = strtok(value, ":");
            options.password = strtok(NULL, ":");
        } else if (argv[at][1] == 't') {
            options.token = value;
        } else {
            options.ca_file = value;
        }
    }
    struct slu_registry *registry = slu_registry_new(&options, &err);
    if (registry == NULL)
        return fail(&err);
    const int result = ask(registry, argv + at, argc - at);
    slu_registry_free(registry);
    return result;
}
