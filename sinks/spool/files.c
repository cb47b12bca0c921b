/* files.c -- see files.h. */
#include "sinks/spool/files.h"

#include "base/crc32c.h"
#include "sinks/spool/bytes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define INTERRUPTIONS_MAX 64 /* in a row, before EINTR counts as a failure */

static int open_plain(const struct slu_disk *disk, int dir, const char *name, int flags)
{
    int fd = -1;
    for (int i = 0; i < INTERRUPTIONS_MAX; i++) {
        fd = disk->openat(disk->context, dir, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
                          0600);
        if (fd >= 0 || errno != EINTR)
            break;
    }
    return fd;
}

void slu_files_close(const struct slu_disk *disk, int fd)
{
    if (fd >= 0)
        (void)disk->close(disk->context, fd); /* nothing unsynced is ever left to its mercy */
}

static int stat_file(const struct slu_disk *disk, int fd, struct stat *status)
{
    for (int i = 0; i < INTERRUPTIONS_MAX; i++)
        if (disk->fstat(disk->context, fd, status) == 0)
            return 0;
        else if (errno != EINTR)
            break;
    return -1;
}

static int open_failed(int sys, const char *name, struct slu_err *err)
{
    if (sys == ELOOP)
        slu_err_set(err, SLU_EDENIED, "spool: %s is a symbolic link; it must be a file", name);
    else
        slu_err_system(err, sys, "spool: cannot open %s", name);
    errno = sys;
    return -1;
}

static int check_file(const struct slu_disk *disk, int fd, const char *name, bool foreign,
                      struct slu_err *err)
{
    struct stat status;
    if (stat_file(disk, fd, &status) != 0)
        return slu_err_system(err, errno, "spool: cannot look at %s", name);
    if (!S_ISREG(status.st_mode))
        return slu_err_set(err, SLU_EDENIED, "spool: %s is not a regular file", name);
    if (foreign)
        return 0;
    if (status.st_uid != geteuid())
        return slu_err_set(err, SLU_EDENIED, "spool: %s belongs to user %u, not to us (%u)", name,
                           (unsigned)status.st_uid, (unsigned)geteuid());
    if ((status.st_mode & 077) != 0)
        return slu_err_set(err, SLU_EDENIED, "spool: %s has mode %04o; others must not: chmod 600",
                           name, (unsigned)status.st_mode & 07777u);
    return 0;
}

static int open_checked(const struct slu_disk *disk, int dir, const char *name, int flags,
                        bool foreign, struct slu_err *err)
{
    const int fd = open_plain(disk, dir, name, flags);
    if (fd < 0)
        return open_failed(errno, name, err);
    if (check_file(disk, fd, name, foreign, err) != 0) {
        slu_files_close(disk, fd);
        errno = EACCES;
        return -1;
    }
    return fd;
}

int slu_files_open(const struct slu_disk *disk, int dir, const char *name, int flags,
                   struct slu_err *err)
{
    return open_checked(disk, dir, name, flags, false, err);
}

int slu_files_open_foreign(const struct slu_disk *disk, int dir, const char *name,
                           struct slu_err *err)
{
    return open_checked(disk, dir, name, O_RDONLY, true, err);
}

ssize_t slu_files_read(const struct slu_disk *disk, int fd, void *bytes, size_t n, uint64_t at)
{
    size_t done = 0;
    int interruptions = 0;

    while (done < n) {
        const ssize_t got =
            disk->pread(disk->context, fd, (uint8_t *)bytes + done, n - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR && ++interruptions < INTERRUPTIONS_MAX)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

int slu_files_write(const struct slu_disk *disk, int fd, const void *bytes, size_t n, uint64_t at)
{
    size_t done = 0;
    int interruptions = 0;

    while (done < n) {
        const ssize_t got = disk->pwrite(disk->context, fd, (const uint8_t *)bytes + done, n - done,
                                         (off_t)(at + done));
        if (got < 0 && errno == EINTR && ++interruptions < INTERRUPTIONS_MAX)
            continue;
        if (got < 0)
            return -1;
        if (got == 0) {
            errno = EIO;
            return -1;
        }
        done += (size_t)got;
    }
    return 0;
}

int slu_files_sync(const struct slu_disk *disk, int fd)
{
    /* EINTR here may already have lost the error state: no second try. */
    return disk->fdatasync(disk->context, fd);
}

int slu_files_sync_dir(const struct slu_disk *disk, int dir)
{
    return disk->fsync(disk->context, dir);
}

int64_t slu_files_size(const struct slu_disk *disk, int fd)
{
    struct stat status;
    return stat_file(disk, fd, &status) == 0 ? (int64_t)status.st_size : -1;
}

static int fill_new(const struct slu_disk *disk, int fd, const void *bytes, size_t n)
{
    if (slu_files_write(disk, fd, bytes, n, 0) != 0)
        return -1;
    return slu_files_sync(disk, fd);
}

int slu_files_replace(const struct slu_disk *disk, int dir, const char *name, const void *bytes,
                      size_t n, struct slu_err *err)
{
    char aside[128];
    const int length = snprintf(aside, sizeof(aside), "%s.new", name);
    if (length < 0 || (size_t)length >= sizeof(aside))
        return slu_err_set(err, SLU_EINVAL, "spool: the file name %s is too long", name);

    (void)disk->unlinkat(disk->context, dir, aside); /* of an earlier try */
    const int fd = slu_files_open(disk, dir, aside, O_RDWR | O_CREAT | O_EXCL, err);
    if (fd < 0)
        return -1;
    if (fill_new(disk, fd, bytes, n) != 0 || disk->renameat(disk->context, dir, aside, name) != 0 ||
        slu_files_sync_dir(disk, dir) != 0) {
        slu_err_system(err, errno, "spool: cannot write %s", name);
        slu_files_close(disk, fd);
        (void)disk->unlinkat(disk->context, dir, aside);
        return -1;
    }
    return fd;
}

static const char *user_name(char *out, size_t out_size)
{
    struct passwd entry;
    struct passwd *found = NULL;
    char text[1024];

    if (getpwuid_r(geteuid(), &entry, text, sizeof(text), &found) == 0 && found != NULL)
        (void)snprintf(out, out_size, "%s", entry.pw_name);
    else
        (void)snprintf(out, out_size, "%u", (unsigned)geteuid());
    return out;
}

static int check_dir(const struct slu_disk *disk, int fd, const char *path, struct slu_err *err)
{
    struct stat status;
    char name[64];

    if (stat_file(disk, fd, &status) != 0)
        return slu_err_system(err, errno, "spool: cannot look at %s", path);
    user_name(name, sizeof(name));
    if (status.st_uid != geteuid())
        return slu_err_set(err, SLU_EDENIED,
                           "spool: %s belongs to user %u, the broker runs as %s: "
                           "chown %s: %s ; chmod 700 %s",
                           path, (unsigned)status.st_uid, name, name, path, path);
    if ((status.st_mode & 07777) != 0700)
        return slu_err_set(err, SLU_EDENIED,
                           "spool: %s has mode %04o, it must be 0700: chown %s: %s ; chmod 700 %s",
                           path, (unsigned)status.st_mode & 07777u, name, path, path);
    return 0;
}

static int make_failed(int sys, const char *path, struct slu_err *err)
{
    char name[64];

    if (sys != EACCES && sys != ENOENT)
        return slu_err_system(err, sys, "spool: cannot make the folder %s", path);
    user_name(name, sizeof(name));
    return slu_err_set(err, SLU_EDENIED,
                       "spool: cannot make the folder %s (%s), the broker runs as %s: "
                       "install -d -o %s -m 700 %s",
                       path, sys == EACCES ? "no permission" : "its parent is missing", name, name,
                       path);
}

/* The folder does not even let us look at it. */
static int not_ours(const char *path, struct slu_err *err)
{
    char name[64];

    user_name(name, sizeof(name));
    return slu_err_set(err, SLU_EDENIED,
                       "spool: %s does not let us in, the broker runs as %s: "
                       "chown %s: %s ; chmod 700 %s",
                       path, name, name, path, path);
}

int slu_files_open_dir(const struct slu_disk *disk, int dir, const char *path, bool make,
                       struct slu_err *err)
{
    if (make && disk->mkdirat(disk->context, dir, path, 0700) != 0 && errno != EEXIST)
        return make_failed(errno, path, err);

    const int fd = open_plain(disk, dir, path, O_RDONLY | O_DIRECTORY);
    if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
        return slu_err_set(err, SLU_EDENIED, "spool: %s must be a folder, and no symbolic link",
                           path);
    if (fd < 0 && errno == EACCES)
        return not_ours(path, err);
    if (fd < 0)
        return slu_err_system(err, errno, "spool: cannot open the folder %s", path);
    if (check_dir(disk, fd, path, err) != 0) {
        slu_files_close(disk, fd);
        return -1;
    }
    return fd;
}

/* f_type of statfs(2). */
static const struct {
    uint32_t type;
    const char *name;
} network_systems[] = {
    {0x00006969u, "NFS"},  {0x0000517Bu, "SMB"},    {0xFE534D42u, "SMB2"}, {0xFF534D42u, "CIFS"},
    {0x5346414Fu, "AFS"},  {0x6B414653u, "AFS"},    {0x73757245u, "Coda"}, {0x01021997u, "9p"},
    {0x00C36400u, "Ceph"}, {0x0BD00BD0u, "Lustre"}, {0x47504653u, "GPFS"}, {0x0000564Cu, "NCP"},
};

int slu_files_refuse_network(const struct slu_disk *disk, int dir, const char *path,
                             struct slu_err *err)
{
    struct statfs status;
    int result = -1;

    for (int i = 0; i < INTERRUPTIONS_MAX && result != 0; i++) {
        result = disk->fstatfs(disk->context, dir, &status);
        if (result != 0 && errno != EINTR)
            break;
    }
    if (result != 0)
        return slu_err_system(err, errno, "spool: cannot ask for the file system of %s", path);
    for (size_t i = 0; i < sizeof(network_systems) / sizeof(network_systems[0]); i++)
        if ((uint32_t)status.f_type == network_systems[i].type)
            return slu_err_set(err, SLU_EDENIED,
                               "spool: %s is on a network file system (%s), where locks and syncs "
                               "cannot be relied on: choose a local disk",
                               path, network_systems[i].name);
    return 0;
}

int slu_files_list(const struct slu_disk *disk, int dir,
                   bool (*see)(void *context, const char *name), void *context, struct slu_err *err)
{
    const int fd = open_plain(disk, dir, ".", O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return slu_err_system(err, errno, "spool: cannot list the folder");
    DIR *folder = fdopendir(fd);
    if (folder == NULL) {
        slu_err_system(err, errno, "spool: cannot list the folder");
        slu_files_close(disk, fd);
        return -1;
    }

    errno = 0;
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        if (!see(context, entry->d_name))
            break;
        errno = 0;
    }
    const int sys = entry == NULL ? errno : 0;
    closedir(folder);
    return sys == 0 ? 0 : slu_err_system(err, sys, "spool: cannot list the folder");
}

void slu_prologue_write(uint8_t out[SLU_PROLOGUE_BYTES], const char magic[8])
{
    memcpy(out, magic, 8);
    slu_put_u32(out + 8, SLU_FORMAT_VERSION);
    slu_put_u32(out + 12, slu_crc32c(0, out, 12));
}

int slu_prologue_check(const uint8_t bytes[SLU_PROLOGUE_BYTES], const char magic[8],
                       const char *name, struct slu_err *err)
{
    const uint32_t version = slu_get_u32(bytes + 8);

    if (memcmp(bytes, magic, 8) != 0)
        return 1;
    if (version > SLU_FORMAT_VERSION) /* whatever the checksum says: healing could be overwriting */
        return slu_err_set(err, SLU_EVERSION,
                           "spool: %s has format version %" PRIu32
                           ", this Sluice reads up to %u: install the newer one again",
                           name, version, SLU_FORMAT_VERSION);
    return slu_get_u32(bytes + 12) == slu_crc32c(0, bytes, 12) ? 0 : 1;
}
