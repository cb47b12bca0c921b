/* recovery_ring.c -- step 4 of a recovery: what was in the ring and in no segment is appended.
 *
 * Record by record through the writer's own way, under the seed of the segment being written; synced
 * before anything else happens. A crash in between is no matter: what was appended is then in the
 * segments, and its numbers are not looked for in the ring again.
 */
#include "sinks/spool/recovery.h"

#include <stdlib.h>

/* Append these records of the ring, in chunks. */
static int append_found(struct slu_recovery *recovery, uint8_t *ring, struct slu_ring_record *found,
                        size_t n, struct slu_err *err)
{
    struct slu_spool *spool = recovery->spool;

    for (size_t i = 0; i < n; i++) {
        struct slu_record record;
        uint8_t *frame = ring + found[i].at;
        if (!slu_unpack_record(frame, found[i].size, &record))
            continue;
        slu_names_revive(&spool->names, record.policy, record.schema);
        slu_names_reserve(&spool->names, record.policy, record.schema);
        slu_frame_reseed(frame, spool->seed);
        if (slu_writer_put(spool, frame, found[i].size) != 0)
            return slu_err_set(err, SLU_EIO,
                               "spool: %zu records wait in the ring but cannot be written to %s: "
                               "%s; nothing is lost, make room and start again",
                               n - i, spool->data_dir, spool->last_error);
    }
    if (slu_writer_sync(spool) != 0)
        return slu_err_set(err, SLU_EIO, "spool: cannot sync what was in the ring: %s",
                           spool->last_error);
    if (n > 0)
        slu_log(SLU_LOG_NOTICE, "spool: %zu records recovered from the ring", n);
    return 0;
}

/* Scan under the header's id, or under each id we ever had when the header is damaged. */
static int64_t scan_ring(struct slu_recovery *recovery, const uint8_t *ring, const uint8_t id[16],
                         bool has_id, struct slu_ring_record **found)
{
    const struct slu_spool *spool = recovery->spool;
    const uint64_t after = spool->writer.last_seq;
    if (has_id)
        return slu_ring_scan(ring, SLU_RING_FILE_BYTES, slu_pack_seed(id), after, found);

    int64_t n = 0;
    for (uint32_t i = atomic_load(&spool->identity.n_spans); i-- > 0 && n == 0;)
        n = slu_ring_scan(ring, SLU_RING_FILE_BYTES, slu_pack_seed(spool->identity.spans[i].id),
                          after, found);
    return n;
}

int slu_recovery_ring(struct slu_recovery *recovery, struct slu_err *err)
{
    struct slu_spool *spool = recovery->spool;
    struct slu_ring_record *found = NULL;
    uint8_t *ring = NULL;
    uint8_t id[16];
    bool has_id = false;

    if (slu_ring_read(spool->disk, spool->dir_fd, false, &ring, id, &has_id, err) != 0)
        return -1;
    if (ring == NULL)
        return 0;
    const int64_t n = scan_ring(recovery, ring, id, has_id, &found);
    int result = 0;
    if (n < 0)
        result = slu_err_set(err, SLU_ENOMEM, "spool: no memory to read the ring");
    else if (n > 0)
        result = append_found(recovery, ring, found, (size_t)n, err);
    free(found);
    free(ring);
    return result;
}
