/* read_file.c -- see read_file.h. */
#include "plugin/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_BYTES 65536u

int slu_read_fd(int fd, const char *name, struct slu_buf *out, struct slu_err *err)
{
    for (;;) {
        /* At the ceiling one more byte is asked for, to tell "just fits" from "too large". */
        const size_t left = out->max - out->len;
        char probe, *room = left != 0 ? slu_buf_room(out, left < CHUNK_BYTES ? left : CHUNK_BYTES) : &probe;
        if (room == NULL)
            return slu_err_set(err, SLU_ENOMEM, "%s: no memory to read it", name);
        const ssize_t n = read(fd, room, left == 0 ? 1 : left < CHUNK_BYTES ? left : CHUNK_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return slu_err_system(err, errno, "%s: cannot be read", name);
        if (n == 0)
            return 0;
        if (left == 0)
            return slu_err_set(err, SLU_EINVAL, "%s: is larger than %zu bytes", name, out->max);
        slu_buf_grew(out, (size_t)n);
    }
}

int slu_read_file(const char *path, bool regular, struct slu_buf *out, struct slu_err *err)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | (regular ? O_NONBLOCK : 0));
    int outcome;

    if (fd < 0)
        return slu_err_system(err, errno, "%s: cannot be opened", path);
    if (fstat(fd, &status) != 0)
        outcome = slu_err_system(err, errno, "%s: cannot be read", path);
    else if (S_ISDIR(status.st_mode))
        outcome = slu_err_set(err, SLU_EINVAL, "%s: is a folder", path);
    else if (regular && !S_ISREG(status.st_mode))
        outcome = slu_err_set(err, SLU_EINVAL, "%s: is no ordinary file", path);
    else
        outcome = slu_read_fd(fd, path, out, err);
    close(fd);
    return outcome;
}
