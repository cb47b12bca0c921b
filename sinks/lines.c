/* lines.c -- see lines.h.
 *
 * Walking reads forward in chunks and keeps of each line only its head, its last byte and whether a
 * NUL was seen, so a line of any length costs no memory. Reading the last line goes backward in
 * chunks until it has seen two newlines.
 */
#include "sinks/lines.h"

#include "sinks/envelope.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_BYTES (256u << 10)

/* What is known of the line that is being read. */
struct partial {
    char head[SLU_ENVELOPE_HEAD_BYTES];
    size_t head_len;
    char last;
    bool has_nul;
};

static void partial_add(struct partial *partial, const char *bytes, size_t n)
{
    if (n == 0)
        return;
    const size_t room = sizeof(partial->head) - partial->head_len;
    const size_t taken = n < room ? n : room;
    memcpy(partial->head + partial->head_len, bytes, taken);
    partial->head_len += taken;
    partial->last = bytes[n - 1];
    partial->has_nul = partial->has_nul || memchr(bytes, '\0', n) != NULL;
}

static void partial_judge(const struct partial *partial, const uint8_t spool_id[16],
                          struct slu_line *line)
{
    line->seq = 0;
    line->is_ours = false;
    line->is_sound = !partial->has_nul && partial->last == '}' &&
                     slu_envelope_place(slu_slice(partial->head, partial->head_len), spool_id,
                                        &line->seq, &line->is_ours);
}

/* pread() that goes on after an interruption. */
static ssize_t read_at(int fd, char *bytes, size_t n, off_t at)
{
    ssize_t got;
    do {
        got = pread(fd, bytes, n, at);
    } while (got < 0 && errno == EINTR);
    return got;
}

struct walk {
    const uint8_t *spool_id;
    bool (*visit)(void *context, const struct slu_line *line);
    void *context;
    struct partial partial;
    struct slu_line line; /* `start` is right; the rest when it is whole */
};

/* Take one chunk that stands at `at`. Returns false when the visitor has seen enough. */
static bool walk_chunk(struct walk *walk, const char *chunk, size_t n, off_t at)
{
    for (size_t i = 0; i < n;) {
        const char *newline = memchr(chunk + i, '\n', n - i);
        const size_t end = newline != NULL ? (size_t)(newline - chunk) : n;
        partial_add(&walk->partial, chunk + i, end - i);
        if (newline == NULL)
            return true;
        walk->line.end = at + (off_t)end + 1;
        partial_judge(&walk->partial, walk->spool_id, &walk->line);
        if (!walk->visit(walk->context, &walk->line))
            return false;
        walk->partial = (struct partial){0};
        walk->line.start = walk->line.end;
        i = end + 1;
    }
    return true;
}

int slu_lines_walk(int fd, const uint8_t spool_id[16],
                   bool (*visit)(void *context, const struct slu_line *line), void *context,
                   off_t *whole_end, struct slu_err *err)
{
    struct walk walk = {.spool_id = spool_id, .visit = visit, .context = context};
    char *chunk = malloc(CHUNK_BYTES);
    if (chunk == NULL)
        return slu_err_set(err, SLU_ENOMEM, "no memory to read a file back");

    off_t at = 0;
    ssize_t got;
    while ((got = read_at(fd, chunk, CHUNK_BYTES, at)) > 0) {
        if (!walk_chunk(&walk, chunk, (size_t)got, at))
            break;
        at += got;
    }
    const int sys = errno;
    free(chunk);
    if (whole_end != NULL)
        *whole_end = walk.line.end;
    return got < 0 ? slu_err_system(err, sys, "cannot read a file back") : 0;
}

/* The offset of the last newline before `before`, -1 when there is none, -2 and errno on failure. */
static off_t newline_before(int fd, off_t before)
{
    char chunk[4096];

    while (before > 0) {
        const size_t n = before < (off_t)sizeof(chunk) ? (size_t)before : sizeof(chunk);
        const ssize_t got = read_at(fd, chunk, n, before - (off_t)n);
        if (got != (ssize_t)n) {
            errno = got < 0 ? errno : EIO;
            return -2;
        }
        const char *newline = memrchr(chunk, '\n', n);
        if (newline != NULL)
            return before - (off_t)n + (newline - chunk);
        before -= (off_t)n;
    }
    return -1;
}

int slu_lines_last(int fd, const uint8_t spool_id[16], struct slu_line *line, struct slu_err *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return slu_err_system(err, errno, "cannot ask for a file's size");
    const off_t newline = newline_before(fd, status.st_size);
    if (newline == -1)
        return 0;
    const off_t before = newline > 0 ? newline_before(fd, newline) : -1;
    if (newline == -2 || before == -2)
        return slu_err_system(err, errno, "cannot read a file back");

    struct partial partial = {0};
    char head[SLU_ENVELOPE_HEAD_BYTES], last = 0;
    const off_t start = before + 1;
    const size_t n =
        newline - start < (off_t)sizeof(head) ? (size_t)(newline - start) : sizeof(head);
    if (n > 0 &&
        (read_at(fd, head, n, start) != (ssize_t)n || read_at(fd, &last, 1, newline - 1) != 1))
        return slu_err_system(err, errno, "cannot read a file back");
    partial_add(&partial, head, n);
    partial.last = last;
    *line = (struct slu_line){.start = start, .end = newline + 1};
    partial_judge(&partial, spool_id, line);
    return 1;
}
