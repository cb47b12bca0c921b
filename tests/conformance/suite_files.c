/* suite_files.c -- see suite_files.h. */
#include "tests/conformance/suite_files.h"

#include "base/buf.h"
#include "base/err.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct slu_document *suite_read(const char *path)
{
    struct slu_buf text;
    struct slu_err err = {0};
    char chunk[4096];
    size_t n;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    slu_buf_init(&text, 16u << 20);
    while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
        slu_buf_add(&text, chunk, n);
    fclose(file);
    struct slu_document *document = slu_document_parse(slu_buf_slice(&text), 256, &err);
    if (document == NULL)
        fprintf(stderr, "%s: %s\n", path, err.text);
    slu_buf_fini(&text);
    return document;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void walk(const char *path, const char *inside, bool deep,
                 void (*use)(void *context, const char *file, const char *inside), void *context)
{
    struct dirent **entries = NULL;
    const int n = scandir(path, &entries, is_visible, alphasort);
    for (int i = 0; i < n; i++) {
        char file[2048], name[1024];
        struct stat info;
        snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
        snprintf(name, sizeof(name), "%s/%s", inside, entries[i]->d_name);
        const bool folder = stat(file, &info) == 0 && S_ISDIR(info.st_mode);
        if (folder && deep)
            walk(file, name, deep, use, context);
        else if (!folder && strstr(entries[i]->d_name, ".json") != NULL)
            use(context, file, name);
        free(entries[i]);
    }
    free(entries);
}

void suite_walk(const char *path, bool deep,
                void (*use)(void *context, const char *file, const char *inside), void *context)
{
    walk(path, "", deep, use, context);
}
