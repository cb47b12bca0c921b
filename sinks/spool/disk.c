/* disk.c -- the real system calls behind disk.h. */
#include "sinks/spool/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

static int real_openat(void *context, int dir, const char *name, int flags, mode_t mode)
{
    (void)context;
    return openat(dir, name, flags, mode);
}

static int real_close(void *context, int fd)
{
    (void)context;
    return close(fd);
}

static ssize_t real_pread(void *context, int fd, void *bytes, size_t n, off_t at)
{
    (void)context;
    return pread(fd, bytes, n, at);
}

static ssize_t real_pwrite(void *context, int fd, const void *bytes, size_t n, off_t at)
{
    (void)context;
    return pwrite(fd, bytes, n, at);
}

static int real_fdatasync(void *context, int fd)
{
    (void)context;
    return fdatasync(fd);
}

static int real_fsync(void *context, int fd)
{
    (void)context;
    return fsync(fd);
}

static int real_fallocate(void *context, int fd, off_t at, off_t n)
{
    (void)context;
    return fallocate(fd, 0, at, n);
}

static int real_ftruncate(void *context, int fd, off_t n)
{
    (void)context;
    return ftruncate(fd, n);
}

static int real_fstat(void *context, int fd, struct stat *status)
{
    (void)context;
    return fstat(fd, status);
}

static int real_fstatvfs(void *context, int fd, struct statvfs *status)
{
    (void)context;
    return fstatvfs(fd, status);
}

static int real_fstatfs(void *context, int fd, struct statfs *status)
{
    (void)context;
    return fstatfs(fd, status);
}

static int real_mkdirat(void *context, int dir, const char *name, mode_t mode)
{
    (void)context;
    return mkdirat(dir, name, mode);
}

static int real_renameat(void *context, int dir, const char *from, const char *to)
{
    (void)context;
    return renameat(dir, from, dir, to);
}

static int real_unlinkat(void *context, int dir, const char *name)
{
    (void)context;
    return unlinkat(dir, name, 0);
}

static int real_flock(void *context, int fd, int operation)
{
    (void)context;
    return flock(fd, operation);
}

static void *real_mmap(void *context, int fd, size_t n)
{
    (void)context;
    void *map = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    return map == MAP_FAILED ? NULL : map;
}

static int real_munmap(void *context, void *map, size_t n)
{
    (void)context;
    return munmap(map, n);
}

static int real_mlock(void *context, const void *map, size_t n)
{
    (void)context;
    return mlock(map, n);
}

const struct slu_disk slu_disk_real = {
    .openat = real_openat,
    .close = real_close,
    .pread = real_pread,
    .pwrite = real_pwrite,
    .fdatasync = real_fdatasync,
    .fsync = real_fsync,
    .fallocate = real_fallocate,
    .ftruncate = real_ftruncate,
    .fstat = real_fstat,
    .fstatvfs = real_fstatvfs,
    .fstatfs = real_fstatfs,
    .mkdirat = real_mkdirat,
    .renameat = real_renameat,
    .unlinkat = real_unlinkat,
    .flock = real_flock,
    .mmap = real_mmap,
    .munmap = real_munmap,
    .mlock = real_mlock,
};
