/* file_compress.c -- gzip of a finished file, in slices so that no call holds the sink for long.
 *
 *   x.jsonl ──deflate──▶ .x.jsonl.gz.tmp ──fdatasync, rename──▶ x.jsonl.gz      then x.jsonl goes
 *
 * While a file is compressed the sink takes no records (the spool holds them), so files never queue up
 * here. What a stop or a crash leaves is begun again at the next start. A file that cannot be
 * compressed (no room, no memory) stays as it is.
 */
#include "sinks/file_inside.h"

#include "base/clock.h"
#include "sinks/deflate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_BYTES (64u << 10)

struct slu_file_gzip {
    int folder, in, out;
    off_t at; /* bytes read */
    bool is_at_end;
    bool has_failed; /* the half is still to go */
    bool is_packed;  /* the .gz has its name; the plain file is still to go */
    char plain[SLU_FILE_NAME_SIZE], packed[SLU_FILE_NAME_SIZE + 4], temp[SLU_FILE_NAME_SIZE + 12];
    struct slu_gzip *stream;
    unsigned char from[CHUNK_BYTES];
};

static void gzip_free(struct slu_file_gzip *gzip)
{
    slu_gzip_free(gzip->stream);
    if (gzip->in >= 0)
        close(gzip->in);
    if (gzip->out >= 0)
        close(gzip->out);
    if (gzip->folder >= 0)
        close(gzip->folder);
    free(gzip);
}

static bool gzip_open(struct slu_file_gzip *gzip)
{
    gzip->in = openat(gzip->folder, gzip->plain, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (gzip->in < 0)
        return false;
    gzip->out = openat(gzip->folder, gzip->temp,
                       O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (gzip->out < 0 || fchmod(gzip->out, 0640) != 0)
        return false;
    errno = ENOMEM;
    gzip->stream = slu_gzip_new();
    return gzip->stream != NULL;
}

static void stays_plain(const struct slu_file *file, const char *name, const char *why)
{
    slu_log(SLU_LOG_WARNING, "sink %s: %s in %s stays as it is, not compressed: %s",
            file->env->name, name, file->path, why);
}

void slu_file_gzip_begin(struct slu_file *file, int folder, const char *name)
{
    struct slu_file_gzip *gzip = file->gzip == NULL ? calloc(1, sizeof(*gzip)) : NULL;
    if (gzip == NULL) {
        stays_plain(file, name, file->gzip != NULL ? "another one is under way" : "no memory");
        return;
    }
    gzip->in = gzip->out = -1;
    gzip->folder = fcntl(folder, F_DUPFD_CLOEXEC, 0);
    snprintf(gzip->plain, sizeof(gzip->plain), "%s", name);
    snprintf(gzip->packed, sizeof(gzip->packed), "%s.gz", name);
    snprintf(gzip->temp, sizeof(gzip->temp), ".%s.gz.tmp", name);
    if (gzip->folder >= 0 && gzip_open(gzip)) {
        file->gzip = gzip;
        return;
    }
    stays_plain(file, name, strerror(errno));
    gzip_free(gzip);
}

static bool write_out(void *context, const void *bytes, size_t n)
{
    const struct slu_file_gzip *gzip = context;

    for (size_t at = 0; at < n;) {
        const ssize_t written = write(gzip->out, (const char *)bytes + at, n - at);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        at += (size_t)written;
    }
    return true;
}

/* Read and pack one chunk. False: it cannot go on (errno). */
static bool pack_chunk(struct slu_file_gzip *gzip)
{
    const ssize_t n = pread(gzip->in, gzip->from, CHUNK_BYTES, gzip->at);
    if (n < 0)
        return errno == EINTR;
    gzip->at += n;
    gzip->is_at_end = n == 0;
    return slu_gzip_pack(gzip->stream, gzip->from, (size_t)n, gzip->is_at_end, write_out, gzip);
}

static void stop(struct slu_file *file)
{
    gzip_free(file->gzip);
    file->gzip = NULL;
}

/* Pack until the end or the moment has come. False: it cannot go on; the plain file stays. */
static bool pack(struct slu_file_gzip *gzip, int64_t until_mono_ns)
{
    while (!gzip->is_at_end && slu_clock_mono_ns() < until_mono_ns) {
        if (!pack_chunk(gzip))
            return false;
    }
    if (!gzip->is_at_end)
        return true;
    if (fdatasync(gzip->out) != 0 ||
        renameat(gzip->folder, gzip->temp, gzip->folder, gzip->packed) != 0)
        return false;
    gzip->is_packed = true;
    return true;
}

/* Remove what must not stay beside the other: the plain file, or a half that failed. */
static int remove_one(struct slu_file *file, const char *name, struct slu_err *err)
{
    if (unlinkat(file->gzip->folder, name, 0) != 0 && errno != ENOENT)
        return slu_err_system(err, errno, "cannot remove %s from %s", name, file->path);
    stop(file);
    return 0;
}

int slu_file_gzip_step(struct slu_file *file, int64_t until_mono_ns, struct slu_err *err)
{
    struct slu_file_gzip *gzip = file->gzip;

    if (gzip == NULL)
        return 0;
    if (!gzip->is_packed && !gzip->has_failed && !pack(gzip, until_mono_ns)) {
        stays_plain(file, gzip->plain, strerror(errno));
        gzip->has_failed = true;
    }
    if (gzip->has_failed)
        return remove_one(file, gzip->temp, err);
    if (!gzip->is_packed)
        return 0;
    if (fsync(gzip->folder) != 0)
        return slu_err_system(err, errno, "cannot sync a folder of %s", file->path);
    return remove_one(file, gzip->plain, err);
}

void slu_file_gzip_stop(struct slu_file *file)
{
    if (file->gzip == NULL)
        return;
    unlinkat(file->gzip->folder, file->gzip->temp, 0);
    stop(file);
}
