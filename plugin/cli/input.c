/* input.c -- see input.h. */
#include "plugin/cli/input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_BYTES 65536u

static int read_all(int fd, const char *name, struct slu_buf *out, struct slu_err *err)
{
    for (;;) {
        /* At the ceiling one more byte is asked for, to tell "just fits" from "too large". */
        const size_t left = out->max - out->len;
        const size_t wanted = left == 0 ? 1 : left < CHUNK_BYTES ? left : CHUNK_BYTES;
        char probe;
        char *room = left != 0 ? slu_buf_room(out, wanted) : &probe;
        if (room == NULL)
            return slu_err_set(err, SLU_ENOMEM, "%s: no memory to read it", name);
        const ssize_t n = read(fd, room, wanted);
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

int slu_input_read(const char *operand, struct slu_buf *out, struct slu_err *err)
{
    int fd, outcome;

    if (strcmp(operand, "-") == 0)
        return read_all(STDIN_FILENO, "standard input", out, err);
    fd = open(operand, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return slu_err_system(err, errno, "%s: cannot be opened", operand);
    outcome = read_all(fd, operand, out, err);
    close(fd);
    return outcome;
}
