/* registry_cache.c -- see registry_cache.h for every byte of a file. */
#include "sinks/registry_cache.h"

#include "base/crc32c.h"
#include "validation/avro/schema.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HEAD_FORMAT "sluice-registry 1 %08" PRIx32 " %07zu\n"
#define HEAD_BYTES  35u
#define FILE_MAX    ((size_t)9000000)
#define NAME_SIZE   32
#define TEMPORARY   ".new"

/* One writer at a time in this process; another process has another temporary file. */
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;

static void name_of(const char *key, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "%016" PRIx64 ".json", slu_avro_fingerprint(slu_slice_of(key)));
}

static int open_folder(const char *folder)
{
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

/* ---- reading --------------------------------------------------------------------------------------------- */

static bool read_whole(int fd, struct slu_buf *out)
{
    for (;;) {
        char *room = slu_buf_room(out, 65536);
        if (room == NULL)
            return false;
        const ssize_t n = read(fd, room, 65536);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0;
        slu_buf_grew(out, (size_t)n);
    }
}

static bool read_file(const char *folder, const char *name, struct slu_buf *out)
{
    const int dir = open_folder(folder);
    const int fd =
        dir < 0 ? -1 : openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    struct stat status;
    const bool read = fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
                      (size_t)status.st_size <= FILE_MAX && read_whole(fd, out);

    if (fd >= 0)
        close(fd);
    if (dir >= 0)
        close(dir);
    return read;
}

/* The JSON behind a head that fits it; empty: it does not. */
static struct slu_slice body_of(const struct slu_buf *file)
{
    char head[HEAD_BYTES + 1];

    if (file->len <= HEAD_BYTES)
        return slu_slice(NULL, 0);
    const struct slu_slice body = slu_slice(file->data + HEAD_BYTES, file->len - HEAD_BYTES);
    snprintf(head, sizeof(head), HEAD_FORMAT, slu_crc32c(0, body.data, body.len), body.len);
    return memcmp(head, file->data, HEAD_BYTES) == 0 ? body : slu_slice(NULL, 0);
}

bool slu_registry_cache_read(const char *folder, const char *key, struct slu_arena *arena,
                             struct slu_registry_said *said)
{
    char name[NAME_SIZE];
    struct slu_buf file;
    bool found = false;

    name_of(key, name);
    slu_buf_init(&file, FILE_MAX + 65536);
    if (read_file(folder, name, &file)) {
        const struct slu_slice body = body_of(&file);
        const char *kept = body.len > 0 ? slu_registry_read_key(body, arena) : NULL;
        found = kept != NULL && strcmp(kept, key) == 0 &&
                slu_registry_read_schema(body, arena, said, NULL) == 0 && said->id >= 0;
    }
    slu_buf_fini(&file);
    return found;
}

bool slu_registry_cache_has(const char *folder, const char *key)
{
    char name[NAME_SIZE], path[4096];

    name_of(key, name);
    const int n = snprintf(path, sizeof(path), "%s/%s", folder, name);
    return n > 0 && (size_t)n < sizeof(path) && access(path, F_OK) == 0;
}

/* ---- writing --------------------------------------------------------------------------------------------- */

/* How many files it has; those that a crash left half written go. */
static size_t count_files(int dir)
{
    const int again = dup(dir);
    DIR *list = again < 0 ? NULL : fdopendir(again);
    size_t n = 0;

    if (list == NULL) {
        if (again >= 0)
            close(again);
        return 0;
    }
    rewinddir(list);
    for (const struct dirent *entry; (entry = readdir(list)) != NULL; n++) {
        struct stat status;
        if (strncmp(entry->d_name, TEMPORARY, sizeof(TEMPORARY) - 1) == 0 &&
            fstatat(dir, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            time(NULL) - status.st_mtime > 3600)
            unlinkat(dir, entry->d_name, 0);
    }
    closedir(list);
    return n;
}

static bool write_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        const ssize_t written = write(fd, bytes, n);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            errno = written < 0 ? errno : ENOSPC;
            return false;
        }
        bytes += written;
        n -= (size_t)written;
    }
    return true;
}

/* `sluice check --connect` may run as root: what it keeps must be the broker's. Where the system does not
 * let us, the broker cannot read it, and asks the registry itself. */
static void give_to_owner_of(int dir, const char *name, int fd)
{
    struct stat owner;

    if (fstatat(dir, name, &owner, 0) == 0 && owner.st_uid != geteuid() &&
        fchown(fd, owner.st_uid, owner.st_gid) != 0)
        return;
}

static int put_file(int dir, const char *name, const struct slu_buf *file, struct slu_err *err)
{
    char temporary[NAME_SIZE];

    snprintf(temporary, sizeof(temporary), TEMPORARY "-%d", (int)getpid());
    unlinkat(dir, temporary, 0);
    const int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return slu_err_system(err, errno, "the registry's cache: cannot create a file");
    give_to_owner_of(dir, ".", fd);
    bool good = write_all(fd, file->data, file->len) && fsync(fd) == 0;
    int sys = errno;
    if (close(fd) != 0 && good) {
        good = false;
        sys = errno;
    }
    if (good && (renameat(dir, temporary, dir, name) != 0 || fsync(dir) != 0)) {
        good = false;
        sys = errno;
    }
    if (good)
        return 0;
    unlinkat(dir, temporary, 0);
    return slu_err_system(err, sys, "the registry's cache: cannot write a file");
}

static int make_folder(const char *folder, struct slu_err *err)
{
    const bool made = mkdir(folder, 0700) == 0;
    if (!made && errno != EEXIST)
        return slu_err_system(err, errno, "the registry's cache: cannot create %s", folder);
    const int dir = open_folder(folder);
    if (dir < 0)
        return slu_err_system(err, errno, "the registry's cache: cannot open %s", folder);
    if (made)
        give_to_owner_of(dir, "..", dir);
    return dir;
}

static int write_locked(const char *folder, const char *name, const struct slu_buf *file,
                        struct slu_err *err)
{
    const int dir = make_folder(folder, err);
    int result;

    if (dir < 0)
        return -1;
    if (faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0 &&
        count_files(dir) >= SLU_REGISTRY_CACHE_FILES)
        result = slu_err_set(err, SLU_EFULL, "the registry's cache %s has %d files already", folder,
                             SLU_REGISTRY_CACHE_FILES);
    else
        result = put_file(dir, name, file, err);
    close(dir);
    return result;
}

int slu_registry_cache_write(const char *folder, const char *key,
                             const struct slu_registry_schema *schema, struct slu_err *err)
{
    char *body = slu_registry_write_entry(key, schema);
    const struct slu_slice text = slu_slice_of(body);
    struct slu_buf file;
    char name[NAME_SIZE];
    int result;

    name_of(key, name);
    slu_buf_init(&file, FILE_MAX);
    if (body != NULL) {
        slu_buf_printf(&file, HEAD_FORMAT, slu_crc32c(0, text.data, text.len), text.len);
        slu_buf_add_slice(&file, text);
    }
    if (body == NULL || file.failed) {
        result = slu_err_set(err, SLU_ENOMEM, "the registry's cache: no memory, or too large");
    } else {
        pthread_mutex_lock(&writing);
        result = write_locked(folder, name, &file, err);
        pthread_mutex_unlock(&writing);
    }
    slu_buf_fini(&file);
    free(body);
    return result;
}
