/* ring.h -- the mapped file between the broker's thread and the writer. Layout in ring.c.
 *
 * Threads: one producer (the owner: reserve, commit), one consumer (the writer: peek, release).
 */
#ifndef SLU_SINKS_SPOOL_RING_H
#define SLU_SINKS_SPOOL_RING_H

#include "base/err.h"
#include "sinks/spool/disk.h"
#include "sinks/spool/pack.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLU_RING_FILE         "ring"
#define SLU_RING_FILE_BYTES   (8u << 20)
#define SLU_RING_HEADER_BYTES 4096u
#define SLU_RING_BYTES        (SLU_RING_FILE_BYTES - SLU_RING_HEADER_BYTES)

struct slu_ring {
    uint8_t *map; /* the whole file */
    uint8_t *data;
    /* Positions count all bytes ever passed, pads included; the place is position % SLU_RING_BYTES. */
    _Alignas(64) uint64_t head; /* producer's own */
    uint64_t tail_seen;         /* producer's last look at the tail */
    _Alignas(64) _Atomic uint64_t shared_head;
    _Alignas(64) _Atomic uint64_t shared_tail;
};

/* One record found in a ring file. */
struct slu_ring_record {
    uint64_t seq;
    uint32_t at; /* in the bytes that were scanned */
    uint32_t size;
};

/* Read the ring file whole: *bytes is SLU_RING_FILE_BYTES from malloc, or NULL when there is no usable
 * file. `id` gets the spool_id in its header; *has_id is false when the header is damaged. 0, or -1
 * and err (cannot be read; newer version). */
int slu_ring_read(const struct slu_disk *disk, int dir, bool foreign, uint8_t **bytes,
                  uint8_t id[16], bool *has_id, struct slu_err *err);

/* All valid records with seq > `after` in those bytes (`n` of them, the header included), ascending,
 * each seq once. Returns how many; *found is from malloc (NULL for 0); -1: no memory. */
int64_t slu_ring_scan(const uint8_t *bytes, size_t n, uint32_t seed, uint64_t after,
                      struct slu_ring_record **found);

/* Map the file for spool `id`; made if missing, damaged or of the wrong size, its header renewed if it
 * names another id. What it holds must have been saved before. 0, or -1 and err. */
int slu_ring_open(struct slu_ring *ring, const struct slu_disk *disk, int dir, const uint8_t id[16],
                  struct slu_err *err);
void slu_ring_close(struct slu_ring *ring, const struct slu_disk *disk);

/* Bytes in use, as the producer sees it. */
size_t slu_ring_used(struct slu_ring *ring);

/* Room for `size` contiguous bytes, or NULL. Write there, then commit the same size. */
uint8_t *slu_ring_reserve(struct slu_ring *ring, size_t size);
void slu_ring_commit(struct slu_ring *ring, const uint8_t *at, size_t size);

/* Whole frames that wait, one behind the other: at least one, and no more than `max` bytes unless the
 * first alone is larger. NULL when there are none. Then release as many bytes. */
const uint8_t *slu_ring_peek(struct slu_ring *ring, size_t max, size_t *n);
void slu_ring_release(struct slu_ring *ring, size_t n);

#endif
