/* disk.h -- the system calls the spool makes, as a table, so that tests can fail any one of them. */
#ifndef SLU_SINKS_SPOOL_DISK_H
#define SLU_SINKS_SPOOL_DISK_H

#include <stddef.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/types.h>

/* Each as its namesake: -1 and errno on failure (mmap: NULL). `context` is the table's own. */
struct slu_disk {
    void *context;
    int (*openat)(void *context, int dir, const char *name, int flags, mode_t mode);
    int (*close)(void *context, int fd);
    ssize_t (*pread)(void *context, int fd, void *bytes, size_t n, off_t at);
    ssize_t (*pwrite)(void *context, int fd, const void *bytes, size_t n, off_t at);
    int (*fdatasync)(void *context, int fd);
    int (*fsync)(void *context, int fd); /* directories */
    int (*fallocate)(void *context, int fd, off_t at, off_t n);
    int (*ftruncate)(void *context, int fd, off_t n);
    int (*fstat)(void *context, int fd, struct stat *status);
    int (*fstatvfs)(void *context, int fd, struct statvfs *status);
    int (*fstatfs)(void *context, int fd, struct statfs *status);
    int (*mkdirat)(void *context, int dir, const char *name, mode_t mode);
    int (*renameat)(void *context, int dir, const char *from, const char *to);
    int (*unlinkat)(void *context, int dir, const char *name);
    int (*flock)(void *context, int fd, int operation);
    void *(*mmap)(void *context, int fd, size_t n);
    int (*munmap)(void *context, void *map, size_t n);
    int (*mlock)(void *context, const void *map, size_t n);
};

extern const struct slu_disk slu_disk_real;

#endif
