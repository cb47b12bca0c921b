/* file_probe.c -- what opening the path would meet, for `sluice check --connect`. Nothing is made: a path
 * that is missing is judged by the nearest folder above it, a folder by a file without a name.
 */
#include "sinks/file_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Cut `path` back to its nearest part that exists. */
static void nearest_folder(char *path)
{
    struct stat status;

    while (stat(path, &status) != 0 && errno == ENOENT) {
        char *slash = strrchr(path, '/');
        if (slash == NULL || slash == path) {
            snprintf(path, 2, "%s", slash == path ? "/" : ".");
            return;
        }
        *slash = '\0';
    }
}

/* Can a file be made there? File systems without O_TMPFILE are asked by access(). */
static bool can_write(const char *folder)
{
    const int fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

    if (fd >= 0) {
        close(fd);
        return true;
    }
    return (errno == EOPNOTSUPP || errno == EISDIR) && access(folder, W_OK | X_OK) == 0;
}

static void tell_room(const char *folder, struct slu_sink_report *report)
{
    struct statvfs fs;

    if (statvfs(folder, &fs) != 0)
        return;
    const double gib = (double)fs.f_bavail * (double)fs.f_frsize / (double)(1 << 30);
    slu_report_add(report, "room", fs.f_bavail != 0, "%.1f GiB are free", gib);
}

void slu_file_probe(const struct slu_sink_env *env, const struct slu_node *section,
                    int64_t deadline_mono_ns, struct slu_sink_report *report)
{
    const char *path = slu_node_text(slu_node_get(section, "path"), "");
    char folder[PATH_MAX];
    struct stat status;

    (void)env;
    (void)deadline_mono_ns; /* nothing here waits */
    snprintf(folder, sizeof(folder), "%s", path);
    nearest_folder(folder);
    const bool exists = strcmp(folder, path) == 0;
    if (stat(folder, &status) != 0) {
        slu_report_add(report, "path", false, "%s: %s", folder, strerrordesc_np(errno));
    } else if (!S_ISDIR(status.st_mode)) {
        slu_report_add(report, "path", false, "%s is no folder", folder);
    } else if (!can_write(folder)) {
        slu_report_add(report, "path", false, "%s cannot be written by user %u: %s", folder,
                       (unsigned)geteuid(), strerrordesc_np(errno));
    } else {
        slu_report_add(report, "path", true, "%s %s by user %u", path,
                       exists ? "can be written" : "can be made", (unsigned)geteuid());
        tell_room(folder, report);
    }
}
