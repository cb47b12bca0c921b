/* input.c -- see input.h. */
#include "plugin/cli/input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_BYTES 65536u

static int read_all(int fd, struct slu_buf *out, struct slu_err *err)
{
    for (;;) {
        /* At the ceiling one more byte is asked for, to tell "just fits" from "too large". */
        const size_t left = out->max - out->len;
        const size_t wanted = left == 0 ? 1 : left < CHUNK_BYTES ? left : CHUNK_BYTES;
        char probe;
        char *room = left != 0 ? slu_buf_room(out, wanted) : &probe;
        if (room == NULL)
            return slu_err_set(err, SLU_ENOMEM, "no memory to read it");
        const ssize_t n = read(fd, room, wanted);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return slu_err_system(err, errno, "cannot be read");
        if (n == 0)
            return 0;
        if (left == 0)
            return slu_err_set(err, SLU_EINVAL, "is larger than %zu bytes", out->max);
        slu_buf_grew(out, (size_t)n);
    }
}

static int read_operand(const char *operand, struct slu_buf *out, struct slu_err *err)
{
    int fd, outcome;

    if (strcmp(operand, "-") == 0)
        return read_all(STDIN_FILENO, out, err);
    fd = open(operand, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return slu_err_system(err, errno, "cannot be opened");
    outcome = read_all(fd, out, err);
    close(fd);
    return outcome;
}

int slu_input_read(const char *operand, struct slu_buf *out, struct slu_err *err)
{
    const int outcome = read_operand(operand, out, err);

    slu_err_place(err, strcmp(operand, "-") == 0 ? "standard input" : operand, 0, 0, NULL);
    return outcome;
}
