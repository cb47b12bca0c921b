/* ring.c -- the mapped file between the broker's thread and the writer.
 *
 *   0      prologue: "SLURING\0", version, CRC          (files.h)
 *   16     spool_id, 16 bytes: the seed of every CRC in here
 *   32     u64 size of the file, u32 CRC-32C of bytes 0 … 39
 *   44     zeros
 *   4096   records, as in a segment, one behind the other:
 *
 *          ┌────────────┬────────────┬─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─┬──────────┐
 *          │ record n   │ record n+1 │ older laps           │ pad      │
 *          └────────────┴────────────┴─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─┴──────────┘
 *                       tail … head
 *
 * A record never wraps: one that does not fit before the end goes to the start, and the rest is a pad.
 * A pad of 40 bytes or more has zero in bytes 4 … 7 (where a record has its size); a shorter one says
 * nothing, no record fits there.
 *
 * Head and tail live in memory only. The file outlives a killed process because its pages do; a
 * recovery looks for every valid record with a higher seq than the segments hold, wherever it lies,
 * so it is the same after a kill (all pages as they were) and after a power cut (any mixture of old
 * and new pages). Records already in a segment are recognised by their seq, so nothing has to be
 * erased, and a recovery can be repeated.
 *
 * The file is written once in full when it is made, and synced, so that every page has its block on
 * the disk and a store can never meet a full disk (SIGBUS). It is never synced again: after a sync the
 * kernel write-protects the pages and the next store pays for it.
 */
#include "sinks/spool/ring.h"

#include "base/crc32c.h"
#include "base/log.h"
#include "sinks/spool/bytes.h"
#include "sinks/spool/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static const char magic[8] = "SLURING";

#define HEADER_CRC_AT 40u

static void header_write(uint8_t *header, const uint8_t id[16])
{
    slu_prologue_write(header, magic);
    memcpy(header + 16, id, 16);
    slu_put_u64(header + 32, SLU_RING_FILE_BYTES);
    slu_put_u32(header + HEADER_CRC_AT, slu_crc32c(0, header, HEADER_CRC_AT));
}

static bool header_is_whole(const uint8_t *header)
{
    return slu_get_u32(header + HEADER_CRC_AT) == slu_crc32c(0, header, HEADER_CRC_AT) &&
           slu_get_u64(header + 32) == SLU_RING_FILE_BYTES;
}

int slu_ring_read(const struct slu_disk *disk, int dir, bool foreign, uint8_t **bytes,
                  uint8_t id[16], bool *has_id, struct slu_err *err)
{
    *bytes = NULL;
    *has_id = false;

    struct slu_err open_err = {0};
    const int fd = foreign ? slu_files_open_foreign(disk, dir, SLU_RING_FILE, &open_err)
                           : slu_files_open(disk, dir, SLU_RING_FILE, O_RDONLY, &open_err);
    if (fd < 0)
        return open_err.kind == SLU_ENOENT ? 0
                                           : slu_err_set(err, open_err.kind, "%s", open_err.text);

    uint8_t *file = calloc(1, SLU_RING_FILE_BYTES);
    if (file == NULL) {
        slu_files_close(disk, fd);
        return slu_err_set(err, SLU_ENOMEM, "spool: no memory to read the ring");
    }
    const ssize_t got = slu_files_read(disk, fd, file, SLU_RING_FILE_BYTES, 0);
    const int sys = errno;
    slu_files_close(disk, fd);
    if (got < 0) {
        free(file);
        return slu_err_system(err, sys, "spool: cannot read the ring");
    }
    if (slu_prologue_check(file, magic, "spool/ring", err) < 0) {
        free(file);
        return -1;
    }
    *has_id = header_is_whole(file);
    if (*has_id)
        memcpy(id, file + 16, 16);
    *bytes = file;
    return 0;
}

static int by_seq(const void *left, const void *right)
{
    const struct slu_ring_record *a = left, *b = right;
    return a->seq < b->seq ? -1 : a->seq > b->seq;
}

static int64_t sort_once_each(struct slu_ring_record *found, size_t n)
{
    if (n == 0)
        return 0;
    qsort(found, n, sizeof(found[0]), by_seq);
    size_t kept = 1;
    for (size_t i = 1; i < n; i++)
        if (found[i].seq != found[kept - 1].seq)
            found[kept++] = found[i];
    return (int64_t)kept;
}

/* A cheap look before the CRC is computed. */
static bool is_plausible(const uint8_t *at, size_t left, uint64_t after)
{
    const uint32_t word = slu_get_u32(at + 4);
    const uint64_t seq = slu_unpack_seq(at);
    return slu_frame_tag(word) == SLU_TAG_RECORD &&
           slu_frame_bytes(word) >= SLU_PACK_RECORD_BYTES && slu_frame_bytes(word) <= left &&
           seq > 0 && seq <= after + SLU_SEQ_GAP;
}

static bool note_found(struct slu_ring_record **found, size_t *n, size_t *cap,
                       struct slu_ring_record record)
{
    if (*n == *cap) {
        const size_t more = *cap == 0 ? 1024 : *cap * 2;
        struct slu_ring_record *grown = realloc(*found, more * sizeof(grown[0]));
        if (grown == NULL) {
            free(*found);
            *found = NULL;
            return false;
        }
        *found = grown;
        *cap = more;
    }
    (*found)[(*n)++] = record;
    return true;
}

/* Zero bytes at `at`: no record begins before the last 7 of them, the tag is in its eighth byte. */
static size_t zeros(const uint8_t *at, size_t n)
{
    size_t i = 0;
    uint64_t word = 0;

    for (; i + 8 <= n; i += 8) {
        memcpy(&word, at + i, 8);
        if (word != 0)
            break;
    }
    return i;
}

int64_t slu_ring_scan(const uint8_t *bytes, size_t n, uint32_t seed, uint64_t after,
                      struct slu_ring_record **found)
{
    /* Bytes whose CRC may be computed in vain: a forged payload must not make this quadratic. */
    size_t budget = 64 * (size_t)SLU_RING_FILE_BYTES;
    size_t n_found = 0, cap = 0;
    *found = NULL;

    for (size_t at = SLU_RING_HEADER_BYTES; at + SLU_PACK_RECORD_BYTES <= n;) {
        struct slu_record record;
        unsigned tag = 0;
        uint64_t seq = 0;
        size_t size = 0;
        const size_t nothing = zeros(bytes + at, n - at);
        if (nothing > 8) {
            at += nothing - 7;
            continue;
        }
        if (is_plausible(bytes + at, n - at, after) && budget > 0) {
            size = slu_frame_check(bytes + at, n - at, seed, &tag, &seq);
            const size_t tried = slu_frame_bytes(slu_get_u32(bytes + at + 4));
            if (size == 0)
                budget -= tried < budget ? tried : budget;
        }
        if (size == 0 || !slu_unpack_record(bytes + at, size, &record)) {
            at++;
            continue;
        }
        if (seq > after && !note_found(found, &n_found, &cap,
                                       (struct slu_ring_record){seq, (uint32_t)at, (uint32_t)size}))
            return -1;
        at += size;
    }
    return sort_once_each(*found, n_found);
}

static int make_file(const struct slu_disk *disk, int dir, const uint8_t id[16],
                     struct slu_err *err)
{
    uint8_t *file = calloc(1, SLU_RING_FILE_BYTES);
    if (file == NULL)
        return slu_err_set(err, SLU_ENOMEM, "spool: no memory to make the ring");
    header_write(file, id);
    const int fd = slu_files_replace(disk, dir, SLU_RING_FILE, file, SLU_RING_FILE_BYTES, err);
    free(file);
    return fd;
}

/* The descriptor of a ring file of the right size with the right id. */
static int open_file(const struct slu_disk *disk, int dir, const uint8_t id[16],
                     struct slu_err *err)
{
    struct slu_err open_err = {0};
    const int fd = slu_files_open(disk, dir, SLU_RING_FILE, O_RDWR, &open_err);
    if (fd < 0 && open_err.kind != SLU_ENOENT)
        return slu_err_set(err, open_err.kind, "%s", open_err.text);
    if (fd < 0)
        return make_file(disk, dir, id, err);

    uint8_t header[SLU_RING_HEADER_BYTES] = {0};
    const int64_t size = slu_files_size(disk, fd);
    const ssize_t got = slu_files_read(disk, fd, header, sizeof(header), 0);
    if (size == SLU_RING_FILE_BYTES && got == (ssize_t)sizeof(header) && header_is_whole(header) &&
        memcmp(header + 16, id, 16) == 0)
        return fd;
    slu_files_close(disk, fd);
    return make_file(disk, dir, id, err);
}

int slu_ring_open(struct slu_ring *ring, const struct slu_disk *disk, int dir, const uint8_t id[16],
                  struct slu_err *err)
{
    const int fd = open_file(disk, dir, id, err);
    if (fd < 0)
        return -1;
    ring->map = disk->mmap(disk->context, fd, SLU_RING_FILE_BYTES);
    const int sys = errno;
    slu_files_close(disk, fd);
    if (ring->map == NULL)
        return slu_err_system(err, sys, "spool: cannot map the ring");
    if (disk->mlock(disk->context, ring->map, SLU_RING_FILE_BYTES) != 0)
        slu_log(SLU_LOG_NOTICE,
                "spool: cannot lock the ring in memory (%s), it may be paged out; raise the limit "
                "on locked memory to 8 MiB",
                strerror(errno));
    ring->data = ring->map + SLU_RING_HEADER_BYTES;
    return 0;
}

void slu_ring_close(struct slu_ring *ring, const struct slu_disk *disk)
{
    if (ring->map != NULL)
        (void)disk->munmap(disk->context, ring->map, SLU_RING_FILE_BYTES);
    ring->map = NULL;
}

size_t slu_ring_used(struct slu_ring *ring)
{
    ring->tail_seen = atomic_load_explicit(&ring->shared_tail, memory_order_acquire);
    return (size_t)(ring->head - ring->tail_seen);
}

uint8_t *slu_ring_reserve(struct slu_ring *ring, size_t size)
{
    const size_t place = (size_t)(ring->head % SLU_RING_BYTES);
    const size_t before_end = SLU_RING_BYTES - place;
    const size_t needed = size <= before_end ? size : before_end + size;

    if (ring->head + needed - ring->tail_seen > SLU_RING_BYTES &&
        slu_ring_used(ring) + needed > SLU_RING_BYTES)
        return NULL;
    if (size <= before_end)
        return ring->data + place;
    if (before_end >= SLU_PACK_RECORD_BYTES)
        slu_put_u32(ring->data + place + 4, 0);
    return ring->data;
}

void slu_ring_commit(struct slu_ring *ring, const uint8_t *at, size_t size)
{
    const size_t place = (size_t)(ring->head % SLU_RING_BYTES);
    const size_t pad = at == ring->data + place ? 0 : SLU_RING_BYTES - place;

    ring->head += pad + size;
    atomic_store_explicit(&ring->shared_head, ring->head, memory_order_release);
}

/* Is the place at `at` a pad? */
static bool is_pad(const uint8_t *at, size_t before_end)
{
    return before_end < SLU_PACK_RECORD_BYTES || slu_get_u32(at + 4) == 0;
}

/* How many of the `n` bytes at `at` are whole frames that fit `max`. */
static size_t whole_frames(const uint8_t *at, size_t n, size_t max)
{
    size_t taken = 0;

    while (n - taken >= SLU_PACK_RECORD_BYTES) {
        const size_t size = slu_frame_bytes(slu_get_u32(at + taken + 4));
        if (size < SLU_PACK_RECORD_BYTES || size > n - taken) /* a pad */
            break;
        if (taken > 0 && taken + size > max)
            break;
        taken += size;
    }
    return taken;
}

const uint8_t *slu_ring_peek(struct slu_ring *ring, size_t max, size_t *n)
{
    const uint64_t head = atomic_load_explicit(&ring->shared_head, memory_order_acquire);
    uint64_t tail = atomic_load_explicit(&ring->shared_tail, memory_order_relaxed);
    if (head == tail)
        return NULL;

    size_t place = (size_t)(tail % SLU_RING_BYTES);
    if (is_pad(ring->data + place, SLU_RING_BYTES - place)) {
        tail += SLU_RING_BYTES - place;
        place = 0;
        atomic_store_explicit(&ring->shared_tail, tail, memory_order_release);
    }
    const uint64_t to_end = SLU_RING_BYTES - place;
    *n = whole_frames(ring->data + place, (size_t)(head - tail < to_end ? head - tail : to_end),
                      max);
    if (*n == 0) { /* somebody wrote into our memory: what cannot be walked cannot be saved */
        atomic_store_explicit(&ring->shared_tail, head, memory_order_release);
        return NULL;
    }
    return ring->data + place;
}

void slu_ring_release(struct slu_ring *ring, size_t n)
{
    const uint64_t tail = atomic_load_explicit(&ring->shared_tail, memory_order_relaxed);
    atomic_store_explicit(&ring->shared_tail, tail + n, memory_order_release);
}
