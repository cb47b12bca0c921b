/* hang.c -- preloaded into a broker: while the file $HANG_WHILE exists, every write, sync and open of
 * the file sink's open file never comes back, as on a network disk that went away. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int is_hanging(void)
{
    struct stat status;
    const char *flag = getenv("HANG_WHILE");

    return flag != NULL && stat(flag, &status) == 0;
}

static void hang_if_named(const char *name)
{
    while (strstr(name, ".inprogress") != NULL && is_hanging())
        usleep(20000);
}

static void hang_if_open_file(int fd)
{
    char link[64], name[4096];

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, name, sizeof(name) - 1);
    if (n <= 0)
        return;
    name[n] = 0;
    hang_if_named(name);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t n)
{
    hang_if_open_file(fd);
    return REAL(write)(fd, bytes, n);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    hang_if_open_file(fd);
    return REAL(pwrite)(fd, bytes, n, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
    hang_if_open_file(fd);
    return REAL(pwrite64)(fd, bytes, n, at);
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
    hang_if_open_file(fd);
    return REAL(writev)(fd, parts, n);
}

int fdatasync(int fd)
{
    hang_if_open_file(fd);
    return REAL(fdatasync)(fd);
}

int fsync(int fd)
{
    hang_if_open_file(fd);
    return REAL(fsync)(fd);
}
