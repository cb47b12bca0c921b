/* file_state.c -- `.<sink>-<instance>.state` in the sink's path: two slots of 512 bytes, text.
 *
 *   sluice-file 2 <counter> <spool id, 32 hex> <safe seq> <bytes> <open file or ->␠…␠<crc, 8 hex>⏎
 *   └───────────────── 503 bytes, filled up with blanks; numbers of 20 digits ─────┘
 *
 * `bytes` of the open file are safe when it is a container file; 0 for lines, which tell themselves.
 * Format 1, which is read too, had no such number.
 *
 * The slot with the higher counter counts; a write goes to the other one, so a torn write leaves the
 * older. The CRC-32C covers the first 503 bytes. The file is locked (flock) while a sink uses the
 * path: two brokers with one instance name must not write the same files. It is made with its full
 * size, so that a full disk cannot stop a later write.
 */
#include "sinks/file_inside.h"

#include "base/crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOT_BYTES 512u
#define TEXT_BYTES 503u /* what the CRC covers */
#define COUNTER_AT 14u  /* places in the text */
#define NUMBERS_AT 89u  /* behind the safe seq: format 2's bytes, format 1's open file */
#define BYTES_SIZE 21u

static const char magic[] = "sluice-file ";

static bool pwrite_all(int fd, const char *bytes, size_t n, off_t at)
{
    while (n > 0) {
        const ssize_t written = pwrite(fd, bytes, n, at);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            errno = written < 0 ? errno : ENOSPC;
            return false;
        }
        bytes += written;
        n -= (size_t)written;
        at += written;
    }
    return true;
}

static bool read_spool_id(const char *hex, uint8_t spool_id[16])
{
    for (size_t i = 0; i < 16; i++) {
        unsigned byte;
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
            return false;
        spool_id[i] = (uint8_t)byte;
    }
    return true;
}

/* The open file's place: the rest of the text without the filling ("-": none). */
static void read_place(const char text[SLOT_BYTES], size_t at, char place[SLU_FILE_PLACE_SIZE])
{
    size_t end = TEXT_BYTES;
    while (end > at && text[end - 1] == ' ')
        end--;
    const size_t n = end - at;
    place[0] = '\0';
    if (n < SLU_FILE_PLACE_SIZE && !(n == 1 && text[at] == '-'))
        snprintf(place, SLU_FILE_PLACE_SIZE, "%.*s", (int)n, text + at);
}

/* Take `slot` if it is whole and newer than what is known. */
static int read_slot(struct slu_file_state *state, const char slot[SLOT_BYTES], struct slu_err *err)
{
    struct slu_file_state found = *state;
    unsigned version, crc;
    char hex[33], text[SLOT_BYTES];

    memcpy(text, slot, SLOT_BYTES);
    text[SLOT_BYTES - 1] = '\0';
    if (sscanf(text + TEXT_BYTES, "%8x", &crc) != 1 || slu_crc32c(0, text, TEXT_BYTES) != crc ||
        strncmp(text, magic, sizeof(magic) - 1) != 0 ||
        sscanf(text + sizeof(magic) - 1, "%u", &version) != 1)
        return 0;
    if (version < 1 || version > 2)
        return slu_err_set(err, SLU_EVERSION,
                           "the state file was written by a newer Sluice (format %u)", version);
    if (sscanf(text + COUNTER_AT, "%20" SCNu64 " %32s %20" SCNu64, &found.counter, hex,
               &found.safe_seq) != 3 ||
        !read_spool_id(hex, found.spool_id) || (state->is_known && found.counter < state->counter))
        return 0;
    found.open_bytes = 0;
    if (version == 2 && sscanf(text + NUMBERS_AT, "%20" SCNu64, &found.open_bytes) != 1)
        return 0;
    found.is_known = true;
    read_place(text, version == 2 ? NUMBERS_AT + BYTES_SIZE : NUMBERS_AT, found.open);
    *state = found;
    return 0;
}

static int read_slots(struct slu_file_state *state, struct slu_err *err)
{
    char slots[2 * SLOT_BYTES];
    const ssize_t n = pread(state->fd, slots, sizeof(slots), 0);

    if (n < 0)
        return slu_err_system(err, errno, "cannot read the state file");
    for (size_t i = 0; (i + 1) * SLOT_BYTES <= (size_t)n; i++) {
        if (read_slot(state, slots + i * SLOT_BYTES, err) != 0)
            return -1;
    }
    return 0;
}

static int make_slots(int fd, int root, struct slu_err *err)
{
    struct stat status;
    char blank[2 * SLOT_BYTES];

    if (fstat(fd, &status) == 0 && status.st_size >= (off_t)sizeof(blank))
        return 0;
    memset(blank, ' ', sizeof(blank));
    blank[SLOT_BYTES - 1] = blank[2 * SLOT_BYTES - 1] = '\n';
    if (!pwrite_all(fd, blank, sizeof(blank), 0) || fsync(fd) != 0 || fsync(root) != 0)
        return slu_err_system(err, errno, "cannot write the state file");
    return 0;
}

int slu_file_state_open(struct slu_file_state *state, int root, const char *prefix,
                        struct slu_err *err)
{
    char name[SLU_FILE_NAME_SIZE];
    snprintf(name, sizeof(name), ".%s.state", prefix);
    *state = (struct slu_file_state){.fd = -1};

    const int fd = openat(root, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (fd < 0)
        return slu_err_system(err, errno, "cannot open %s", name);
    state->fd = fd;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        slu_err_set(
            err, SLU_EBUSY,
            "another broker writes here under the same instance and sink name (%s is locked)",
            name);
    else if (make_slots(fd, root, err) == 0 && read_slots(state, err) == 0)
        return 0;
    slu_file_state_close(state);
    return -1;
}

int slu_file_state_write(struct slu_file_state *state, const uint8_t spool_id[16],
                         uint64_t safe_seq, const char *open, uint64_t open_bytes,
                         struct slu_err *err)
{
    char slot[SLOT_BYTES], hex[33];
    const uint64_t counter = state->counter + 1;

    for (size_t i = 0; i < 16; i++)
        snprintf(hex + 2 * i, 3, "%02x", spool_id[i]);
    const int n =
        snprintf(slot, sizeof(slot), "%s2 %020" PRIu64 " %s %020" PRIu64 " %020" PRIu64 " %s",
                 magic, counter, hex, safe_seq, open_bytes, open[0] != '\0' ? open : "-");
    if (n < 0 || (size_t)n >= TEXT_BYTES)
        return slu_err_set(err, SLU_EINVAL, "the name of the open file is too long");
    memset(slot + n, ' ', TEXT_BYTES - (size_t)n);
    snprintf(slot + TEXT_BYTES, SLOT_BYTES - TEXT_BYTES, "%08x", slu_crc32c(0, slot, TEXT_BYTES));
    slot[SLOT_BYTES - 1] = '\n';

    if (!pwrite_all(state->fd, slot, SLOT_BYTES, (off_t)(counter % 2 * SLOT_BYTES)) ||
        fdatasync(state->fd) != 0)
        return slu_err_system(err, errno, "cannot write the state file");
    state->is_known = true;
    state->counter = counter;
    memcpy(state->spool_id, spool_id, sizeof(state->spool_id));
    state->safe_seq = safe_seq;
    state->open_bytes = open_bytes;
    if (open != state->open)
        snprintf(state->open, sizeof(state->open), "%s", open);
    return 0;
}

void slu_file_state_close(struct slu_file_state *state)
{
    if (state->fd >= 0)
        close(state->fd);
    *state = (struct slu_file_state){.fd = -1};
}
