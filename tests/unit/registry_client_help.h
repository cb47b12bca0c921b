/* registry_client_help.h -- what the tests of the registry's client share. */
#ifndef SLU_TESTS_UNIT_REGISTRY_CLIENT_HELP_H
#define SLU_TESTS_UNIT_REGISTRY_CLIENT_HELP_H

#include "sinks/registry.h"

#include "base/clock.h"
#include "sinks/registry_ids.h"
#include "sinks/registry_whole.h"
#include "validation/avro/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "registry_help.h"

#define SECOND      SLU_NS_PER_S
#define N(array)    (sizeof(array) / sizeof((array)[0]))
#define INT         "\"int\""
#define INT_IN_JSON "\"\\\"int\\\"\""

static inline int64_t within(int64_t ns)
{
    return slu_clock_mono_ns() + ns;
}

/* A private folder for a cache. */
static inline char *new_folder(void)
{
    static char folder[64];

    snprintf(folder, sizeof(folder), "/tmp/sluice-registry-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return folder;
}

/* The only file in `folder`. */
static inline void only_file(const char *folder, char *path, size_t size)
{
    DIR *dir = opendir(folder);
    size_t n = 0;

    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, size, "%s/%s", folder, entry->d_name);
        n++;
    }
    closedir(dir);
    assert_int_equal(n, 1);
}

static inline void remove_folder(const char *folder)
{
    DIR *dir = opendir(folder);

    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    rmdir(folder);
}

static inline struct slu_registry *client(const struct slu_registry_options *options)
{
    struct slu_err err = {0};
    struct slu_registry *registry = slu_registry_new(options, &err);

    if (registry == NULL)
        fail_msg("%s", err.text);
    return registry;
}

#endif
