/* file.c -- see file.h.
 *
 * The size that fstat() tells is a hint only: files in /proc have none, and a file may grow while it
 * is read. It is read until it ends or until `out` is full.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP_BYTES 65536u

static int check_kind(int fd, const char *path, struct slu_err *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return slu_err_system(err, errno, "cannot read %s", path);
    if (!S_ISREG(status.st_mode))
        return slu_err_set(err, SLU_EINVAL, "%s is not a regular file", path);
    return 0;
}

/* One byte beyond the ceiling is asked for, to know that the file ends there. */
static int read_all(int fd, const char *path, struct slu_buf *out, struct slu_err *err)
{
    for (;;) {
        const size_t left = out->max - out->len;
        const size_t room = left < STEP_BYTES ? left : STEP_BYTES;
        char probe = 0;
        char *to = room > 0 ? slu_buf_room(out, room) : &probe;
        if (to == NULL)
            return slu_err_set(err, SLU_ENOMEM, "no memory to read %s", path);

        const ssize_t got = read(fd, to, room > 0 ? room : 1);
        if (got == 0)
            return 0;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return slu_err_system(err, errno, "cannot read %s", path);
        if (room == 0)
            return slu_err_set(err, SLU_EINVAL, "%s is larger than %zu bytes", path, out->max);
        slu_buf_grew(out, (size_t)got);
    }
}

int slu_file_read(const char *path, struct slu_buf *out, struct slu_err *err)
{
    /* Without O_NONBLOCK, opening a pipe waits for its writer. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return slu_err_system(err, errno, "cannot open %s", path);
    const int result = check_kind(fd, path, err) != 0 ? -1 : read_all(fd, path, out, err);
    close(fd);
    return result;
}
