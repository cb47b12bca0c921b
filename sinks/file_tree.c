/* file_tree.c -- names of the sink's folders and files, made and read back strictly: what does not
 * look exactly like ours is not ours, and is left alone.
 */
#include "sinks/file_inside.h"

#include "base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOUR_NS (3600 * SLU_NS_PER_S)

const char *const slu_file_suffixes[SLU_FILE_FORMATS] = {
    [SLU_FILE_JSONL] = ".jsonl",
    [SLU_FILE_AVRO] = ".avro",
};

/* ---- names ------------------------------------------------------------------------------------------- */

void slu_file_folder_name(int64_t hour, char name[SLU_FILE_FOLDER_SIZE])
{
    char time[SLU_CLOCK_TEXT_SIZE]; /* 2026-11-21T03:… */
    slu_clock_format(hour * HOUR_NS, time);
    snprintf(name, SLU_FILE_FOLDER_SIZE, "dt=%.10s/hour=%.2s", time, time + 11);
}

/* The hour since 1970 of a folder's name; false when it is not exactly one. */
static bool folder_hour(const char *folder_name, int64_t *hour)
{
    char time[SLU_CLOCK_TEXT_SIZE], again[SLU_FILE_FOLDER_SIZE];
    int64_t ns;

    if (strlen(folder_name) != strlen("dt=YYYY-MM-DD/hour=HH"))
        return false;
    snprintf(time, sizeof(time), "%.10sT%.2s:00:00Z", folder_name + 3, folder_name + 19);
    if (slu_clock_parse(time, strlen(time), &ns) != 0)
        return false;
    *hour = ns / HOUR_NS - (ns % HOUR_NS < 0);
    slu_file_folder_name(*hour, again);
    return strcmp(again, folder_name) == 0;
}

static bool take_text(const char **at, const char *text)
{
    const size_t n = strlen(text);
    if (strncmp(*at, text, n) != 0)
        return false;
    *at += n;
    return true;
}

static bool take_seq(const char **at, uint64_t *seq)
{
    if (strspn(*at, "0123456789") != 20)
        return false;
    errno = 0;
    *seq = strtoull(*at, NULL, 10);
    *at += 20;
    return errno == 0;
}

/* "-2" of a name that was taken already. */
static void take_suffix(const char **at)
{
    if (**at == '-' && strspn(*at + 1, "0123456789") > 0)
        *at += 1 + strspn(*at + 1, "0123456789");
}

enum slu_file_kind slu_file_kind(const struct slu_file *file, const char *name, uint64_t *first_seq)
{
    uint64_t last_seq;
    const bool is_hidden = take_text(&name, ".");

    if (!take_text(&name, file->prefix) || !take_text(&name, "-") || !take_seq(&name, first_seq))
        return SLU_FILE_FOREIGN;
    if (is_hidden &&
        (strcmp(name, ".jsonl.inprogress") == 0 || strcmp(name, ".avro.inprogress") == 0))
        return SLU_FILE_OPEN;
    if (!take_text(&name, "-") || !take_seq(&name, &last_seq))
        return SLU_FILE_FOREIGN;
    take_suffix(&name);
    if (is_hidden)
        return strcmp(name, ".jsonl.gz.tmp") == 0 ? SLU_FILE_TEMP : SLU_FILE_FOREIGN;
    if (strcmp(name, ".jsonl") == 0)
        return SLU_FILE_PLAIN;
    return strcmp(name, ".jsonl.gz") == 0 || strcmp(name, ".avro") == 0 ? SLU_FILE_GZIP
                                                                        : SLU_FILE_FOREIGN;
}

enum slu_file_format slu_file_format_of(const char *open_name)
{
    static const char end[] = ".avro.inprogress";
    const size_t n = strlen(open_name);

    return n >= sizeof(end) - 1 && strcmp(open_name + n - (sizeof(end) - 1), end) == 0
               ? SLU_FILE_AVRO
               : SLU_FILE_JSONL;
}

/* ---- walking ----------------------------------------------------------------------------------------- */

int slu_file_folder_open(const struct slu_file *file, const char *folder_name)
{
    char day[SLU_FILE_FOLDER_SIZE];
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    const char *slash = strchr(folder_name, '/');

    if (slash == NULL) {
        errno = ENOENT;
        return -1;
    }
    snprintf(day, sizeof(day), "%.*s", (int)(slash - folder_name), folder_name);
    const int outer = openat(file->root, day, flags);
    if (outer < 0)
        return -1;
    const int folder = openat(outer, slash + 1, flags);
    const int sys = errno;
    close(outer);
    errno = sys;
    return folder;
}

static int is_day(const struct dirent *entry)
{
    return strncmp(entry->d_name, "dt=", 3) == 0 && strlen(entry->d_name) == 13;
}

static int is_hour(const struct dirent *entry)
{
    return strncmp(entry->d_name, "hour=", 5) == 0 && strlen(entry->d_name) == 7;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void free_names(struct dirent **names, int n)
{
    for (int i = 0; i < n; i++)
        free(names[i]);
    free(names);
}

bool slu_file_folder_visit(const struct slu_file *file, const char *folder_name,
                           bool (*visit)(void *context, const struct slu_file_visit *folder),
                           void *context)
{
    struct slu_file_visit folder = {.folder_name = folder_name};
    bool goes_on = true;

    if (!folder_hour(folder_name, &folder.hour))
        return true;
    folder.folder = slu_file_folder_open(file, folder_name);
    if (folder.folder < 0)
        return true;
    folder.n_names = scandirat(folder.folder, ".", &folder.names, NULL, by_name);
    if (folder.n_names >= 0) {
        goes_on = visit(context, &folder);
        free_names(folder.names, folder.n_names);
    }
    close(folder.folder);
    return goes_on;
}

struct walk {
    const struct slu_file *file;
    bool newest_first, goes_on;
    size_t left;
    bool (*visit)(void *context, const struct slu_file_visit *folder);
    void *context;
};

static void walk_day(struct walk *walk, const char *day)
{
    struct dirent **hours;
    const int n = scandirat(walk->file->root, day, &hours, is_hour, by_name);

    for (int i = 0; i < n && walk->goes_on && walk->left > 0; i++) {
        char folder_name[SLU_FILE_FOLDER_SIZE];
        const int at = walk->newest_first ? n - 1 - i : i;
        snprintf(folder_name, sizeof(folder_name), "%.13s/%.7s", day, hours[at]->d_name);
        walk->left--;
        walk->goes_on = slu_file_folder_visit(walk->file, folder_name, walk->visit, walk->context);
    }
    if (n >= 0)
        free_names(hours, n);
}

int slu_file_tree_walk(const struct slu_file *file, bool newest_first, size_t max,
                       bool (*visit)(void *context, const struct slu_file_visit *folder),
                       void *context, struct slu_err *err)
{
    struct walk walk = {.file = file,
                        .newest_first = newest_first,
                        .goes_on = true,
                        .left = max,
                        .visit = visit,
                        .context = context};
    struct dirent **days;
    const int n = scandirat(file->root, ".", &days, is_day, by_name);

    if (n < 0)
        return slu_err_system(err, errno, "cannot read %s", file->path);
    for (int i = 0; i < n && walk.goes_on && walk.left > 0; i++)
        walk_day(&walk, days[newest_first ? n - 1 - i : i]->d_name);
    free_names(days, n);
    return 0;
}
