/* fault_disk.h -- a disk that fails on command, and one that remembers what a power cut would leave.
 *
 *   fault.rule     "the n-th call of this kind (or each from there on) fails with this errno, or does
 *                   only half of what it was asked"
 *   fault_picture  writes the folder as it would be after the power went: for each file its content
 *                   at the last sync, plus a chosen part of the writes since; names as of the last
 *                   fsync of their folder. The ring was never synced: any of its pages may be old.
 *
 * One at a time in a process. Everything that works goes to the real disk.
 */
#ifndef SLU_TESTS_FAULT_FAULT_DISK_H
#define SLU_TESTS_FAULT_FAULT_DISK_H

#include "sinks/spool/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum fault_call {
    FAULT_OPENAT,
    FAULT_CLOSE,
    FAULT_PREAD,
    FAULT_PWRITE,
    FAULT_FDATASYNC,
    FAULT_FSYNC,
    FAULT_FALLOCATE,
    FAULT_FTRUNCATE,
    FAULT_FSTAT,
    FAULT_FSTATVFS,
    FAULT_FSTATFS,
    FAULT_MKDIRAT,
    FAULT_RENAMEAT,
    FAULT_UNLINKAT,
    FAULT_FLOCK,
    FAULT_MMAP,
    FAULT_MUNMAP,
    FAULT_MLOCK,
    FAULT_CALLS,
};

#define FAULT_SHORT -1 /* instead of an errno: half of the bytes */

#define FAULT_FILES_MAX 512
#define FAULT_NAMES_MAX 512

struct fault_write {
    uint64_t at;
    size_t n;
    uint8_t *bytes;
    struct fault_write *next;
};

/* One file that ever was, by the order of its making. */
struct fault_file {
    uint8_t *durable;
    size_t durable_n;
    struct fault_write *pending, *last_pending;
};

struct fault_name {
    uint64_t folder; /* inode */
    char name[96];
    int file;
};

static struct {
    pthread_mutex_t lock;
    /* Rule. */
    enum fault_call call;
    int error; /* 0: no rule */
    int64_t from;
    bool forever;
    int64_t seen[FAULT_CALLS];
    _Atomic int64_t hits;
    /* Memory of what is durable; only when `remember`. */
    bool remember;
    struct fault_file files[FAULT_FILES_MAX];
    int n_files;
    struct {
        ino_t inode;
        int file;
    } inodes[FAULT_FILES_MAX];
    int n_inodes;
    struct fault_name names[FAULT_NAMES_MAX];
    int n_names;
    /* Called before each call that changes the disk, without the lock. */
    void (*before_change)(void);
} fault = {.lock = PTHREAD_MUTEX_INITIALIZER};

static inline void fault_forget(void)
{
    for (int i = 0; i < fault.n_files; i++) {
        struct fault_write *write = fault.files[i].pending;
        while (write != NULL) {
            struct fault_write *next = write->next;
            free(write->bytes);
            free(write);
            write = next;
        }
        free(fault.files[i].durable);
    }
    memset(fault.files, 0, sizeof(fault.files));
    fault.n_files = fault.n_inodes = fault.n_names = 0;
}

static inline void fault_reset(void)
{
    pthread_mutex_lock(&fault.lock);
    fault.error = 0;
    fault.remember = false;
    fault.before_change = NULL;
    memset(fault.seen, 0, sizeof(fault.seen));
    fault.hits = 0;
    fault_forget();
    pthread_mutex_unlock(&fault.lock);
}

static inline void fault_set(enum fault_call call, int error, int64_t from, bool forever)
{
    pthread_mutex_lock(&fault.lock);
    fault.call = call;
    fault.error = error;
    fault.from = from;
    fault.forever = forever;
    memset(fault.seen, 0, sizeof(fault.seen));
    pthread_mutex_unlock(&fault.lock);
}

/* 0: do it; else the errno, or FAULT_SHORT. */
static inline int fault_now(enum fault_call call)
{
    pthread_mutex_lock(&fault.lock);
    const int64_t n = fault.seen[call]++;
    int error = 0;
    if (fault.error != 0 && fault.call == call &&
        (n == fault.from || (fault.forever && n > fault.from))) {
        error = fault.error;
        atomic_fetch_add(&fault.hits, 1);
    }
    void (*before)(void) = fault.before_change;
    pthread_mutex_unlock(&fault.lock);
    if (before != NULL && (call == FAULT_PWRITE || call == FAULT_FDATASYNC || call == FAULT_FSYNC ||
                           call == FAULT_RENAMEAT || call == FAULT_UNLINKAT ||
                           call == FAULT_FTRUNCATE || call == FAULT_FALLOCATE))
        before();
    return error;
}

#define FAULT_RETURN(call, value)                                   \
    do {                                                            \
        const int fault_error = fault_now(call);                    \
        if (fault_error != 0) {                                     \
            errno = fault_error == FAULT_SHORT ? EIO : fault_error; \
            return value;                                           \
        }                                                           \
    } while (0)

/* ---- memory ------------------------------------------------------------------------------------------ */

/* Lock held. The file behind a descriptor; made when it is new. */
static inline int fault_file_of(int fd, bool is_new)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return -1;
    for (int i = 0; i < fault.n_inodes; i++)
        if (fault.inodes[i].inode == status.st_ino) {
            if (is_new)
                fault.inodes[i].file = fault.n_files++;
            return fault.inodes[i].file;
        }
    fault.inodes[fault.n_inodes].inode = status.st_ino;
    fault.inodes[fault.n_inodes].file = fault.n_files++;
    return fault.inodes[fault.n_inodes++].file;
}

static inline void fault_note_write(int fd, const void *bytes, size_t n, off_t at)
{
    pthread_mutex_lock(&fault.lock);
    struct fault_file *file = &fault.files[fault_file_of(fd, false)];
    struct fault_write *write = calloc(1, sizeof(*write));
    write->at = (uint64_t)at;
    write->n = n;
    write->bytes = malloc(n);
    memcpy(write->bytes, bytes, n);
    if (file->last_pending != NULL)
        file->last_pending->next = write;
    else
        file->pending = write;
    file->last_pending = write;
    pthread_mutex_unlock(&fault.lock);
}

static inline void fault_note_sync(int fd)
{
    pthread_mutex_lock(&fault.lock);
    struct fault_file *file = &fault.files[fault_file_of(fd, false)];
    struct stat status;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        free(file->durable);
        file->durable_n = (size_t)status.st_size;
        file->durable = calloc(1, file->durable_n + 1);
        for (size_t done = 0; done < file->durable_n;) {
            const ssize_t got =
                pread(fd, file->durable + done, file->durable_n - done, (off_t)done);
            if (got <= 0)
                break;
            done += (size_t)got;
        }
        while (file->pending != NULL) {
            struct fault_write *next = file->pending->next;
            free(file->pending->bytes);
            free(file->pending);
            file->pending = next;
        }
        file->last_pending = NULL;
    }
    pthread_mutex_unlock(&fault.lock);
}

static inline void fault_note_names(int dir)
{
    struct stat status;
    pthread_mutex_lock(&fault.lock);
    fstat(dir, &status);
    const uint64_t folder = status.st_ino;
    int kept = 0;
    for (int i = 0; i < fault.n_names; i++)
        if (fault.names[i].folder != folder)
            fault.names[kept++] = fault.names[i];
    fault.n_names = kept;
    DIR *list = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY));
    const struct dirent *entry;
    while (list != NULL && (entry = readdir(list)) != NULL) {
        const int fd = openat(dir, entry->d_name, O_RDONLY | O_NONBLOCK);
        if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
            struct fault_name *name = &fault.names[fault.n_names++];
            name->folder = folder;
            snprintf(name->name, sizeof(name->name), "%.95s", entry->d_name);
            name->file = fault_file_of(fd, false);
        }
        if (fd >= 0)
            close(fd);
    }
    if (list != NULL)
        closedir(list);
    pthread_mutex_unlock(&fault.lock);
}

/* Write what would be left of the spool folder `from` to the data_dir `to`. `keep` says for each write
 * that was not synced whether it made it to the disk; `ring_page` for each page of the ring whether it
 * is there as it is now. */
static inline void fault_picture(const char *from, const char *to, bool (*keep)(void),
                                 bool (*ring_page)(void))
{
    char path[700], live[700];
    struct stat folder;

    mkdir(to, 0700);
    snprintf(path, sizeof(path), "%s/spool", to);
    mkdir(path, 0700);
    snprintf(live, sizeof(live), "%s/spool", from);
    if (stat(live, &folder) != 0)
        return;
    pthread_mutex_lock(&fault.lock);
    for (int i = 0; i < fault.n_names; i++) {
        const struct fault_name *name = &fault.names[i];
        if (name->folder != folder.st_ino)
            continue;
        const struct fault_file *file = &fault.files[name->file];
        snprintf(path, sizeof(path), "%s/spool/%s", to, name->name);
        const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
        if (file->durable_n > 0 && pwrite(fd, file->durable, file->durable_n, 0) < 0)
            abort();
        for (const struct fault_write *write = file->pending; write != NULL; write = write->next)
            if (keep() && pwrite(fd, write->bytes, write->n, (off_t)write->at) < 0)
                abort();
        if (strcmp(name->name, "ring") == 0) {
            static uint8_t page[4096];
            snprintf(live, sizeof(live), "%s/spool/ring", from);
            const int ring = open(live, O_RDONLY);
            for (off_t at = 0; ring >= 0 && at < 8 << 20; at += 4096)
                if (ring_page() && pread(ring, page, sizeof(page), at) == sizeof(page) &&
                    pwrite(fd, page, sizeof(page), at) < 0)
                    abort();
            if (ring >= 0)
                close(ring);
        }
        close(fd);
    }
    pthread_mutex_unlock(&fault.lock);
}

/* ---- the table --------------------------------------------------------------------------------------- */

static int fault_openat(void *context, int dir, const char *name, int flags, mode_t mode)
{
    FAULT_RETURN(FAULT_OPENAT, -1);
    const int fd = slu_disk_real.openat(context, dir, name, flags, mode);
    if (fd >= 0 && fault.remember && (flags & O_EXCL) != 0) {
        pthread_mutex_lock(&fault.lock);
        (void)fault_file_of(fd, true);
        pthread_mutex_unlock(&fault.lock);
    }
    return fd;
}

static int fault_close(void *context, int fd)
{
    const int error = fault_now(FAULT_CLOSE);
    const int result = slu_disk_real.close(context, fd); /* it is closed even when it fails */
    if (error == 0)
        return result;
    errno = error == FAULT_SHORT ? EIO : error;
    return -1;
}

static ssize_t fault_pread(void *context, int fd, void *bytes, size_t n, off_t at)
{
    const int error = fault_now(FAULT_PREAD);
    if (error == FAULT_SHORT)
        n = (n + 1) / 2;
    else if (error != 0) {
        errno = error;
        return -1;
    }
    return slu_disk_real.pread(context, fd, bytes, n, at);
}

static ssize_t fault_pwrite(void *context, int fd, const void *bytes, size_t n, off_t at)
{
    const int error = fault_now(FAULT_PWRITE);
    if (error == FAULT_SHORT)
        n = n / 2; /* of the last byte nothing */
    else if (error != 0) {
        errno = error;
        return -1;
    }
    if (n == 0)
        return 0;
    const ssize_t done = slu_disk_real.pwrite(context, fd, bytes, n, at);
    if (done > 0 && fault.remember)
        fault_note_write(fd, bytes, (size_t)done, at);
    return done;
}

static int fault_fdatasync(void *context, int fd)
{
    FAULT_RETURN(FAULT_FDATASYNC, -1);
    if (fault.remember)
        fault_note_sync(fd);
    return slu_disk_real.fdatasync(context, fd);
}

static int fault_fsync(void *context, int fd)
{
    FAULT_RETURN(FAULT_FSYNC, -1);
    if (fault.remember)
        fault_note_names(fd);
    return slu_disk_real.fsync(context, fd);
}

static int fault_fallocate(void *context, int fd, off_t at, off_t n)
{
    FAULT_RETURN(FAULT_FALLOCATE, -1);
    return slu_disk_real.fallocate(context, fd, at, n);
}

static int fault_ftruncate(void *context, int fd, off_t n)
{
    FAULT_RETURN(FAULT_FTRUNCATE, -1);
    return slu_disk_real.ftruncate(context, fd, n);
}

static int fault_fstat(void *context, int fd, struct stat *status)
{
    FAULT_RETURN(FAULT_FSTAT, -1);
    return slu_disk_real.fstat(context, fd, status);
}

static int fault_fstatvfs(void *context, int fd, struct statvfs *status)
{
    FAULT_RETURN(FAULT_FSTATVFS, -1);
    return slu_disk_real.fstatvfs(context, fd, status);
}

static int fault_fstatfs(void *context, int fd, struct statfs *status)
{
    FAULT_RETURN(FAULT_FSTATFS, -1);
    return slu_disk_real.fstatfs(context, fd, status);
}

static int fault_mkdirat(void *context, int dir, const char *name, mode_t mode)
{
    FAULT_RETURN(FAULT_MKDIRAT, -1);
    return slu_disk_real.mkdirat(context, dir, name, mode);
}

static int fault_renameat(void *context, int dir, const char *from, const char *to)
{
    FAULT_RETURN(FAULT_RENAMEAT, -1);
    return slu_disk_real.renameat(context, dir, from, to);
}

static int fault_unlinkat(void *context, int dir, const char *name)
{
    FAULT_RETURN(FAULT_UNLINKAT, -1);
    return slu_disk_real.unlinkat(context, dir, name);
}

static int fault_flock(void *context, int fd, int operation)
{
    FAULT_RETURN(FAULT_FLOCK, -1);
    return slu_disk_real.flock(context, fd, operation);
}

static void *fault_mmap(void *context, int fd, size_t n)
{
    FAULT_RETURN(FAULT_MMAP, NULL);
    return slu_disk_real.mmap(context, fd, n);
}

static int fault_munmap(void *context, void *map, size_t n)
{
    (void)fault_now(FAULT_MUNMAP); /* it never fails for a map that is one */
    return slu_disk_real.munmap(context, map, n);
}

static int fault_mlock(void *context, const void *map, size_t n)
{
    FAULT_RETURN(FAULT_MLOCK, -1);
    return slu_disk_real.mlock(context, map, n);
}

static const struct slu_disk fault_disk = {
    .openat = fault_openat,
    .close = fault_close,
    .pread = fault_pread,
    .pwrite = fault_pwrite,
    .fdatasync = fault_fdatasync,
    .fsync = fault_fsync,
    .fallocate = fault_fallocate,
    .ftruncate = fault_ftruncate,
    .fstat = fault_fstat,
    .fstatvfs = fault_fstatvfs,
    .fstatfs = fault_fstatfs,
    .mkdirat = fault_mkdirat,
    .renameat = fault_renameat,
    .unlinkat = fault_unlinkat,
    .flock = fault_flock,
    .mmap = fault_mmap,
    .munmap = fault_munmap,
    .mlock = fault_mlock,
};

#endif
