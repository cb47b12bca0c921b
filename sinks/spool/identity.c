/* identity.c -- spool/id: who this spool is, and which sequence numbers are taken.
 *
 * A file of two slots (slots.h, magic "SLUSPID\0"); the content of a slot, 424 bytes:
 *
 *   0   u64 next seq
 *   8   u32 flags: bit 0 clean; u32 number of spans (1 … 16)
 *   16  place, 8 bytes: FNV-1a of the machine-id and the real path of data_dir
 *   24  spans, 16 × { u64 first seq, spool_id 16 bytes }
 *   408 zeros
 *
 * Reservation. Before a number is given to a record, a block that holds it has been synced here as
 * taken: `next seq` is then the first free number behind the block. A start after a crash goes on there,
 * so no number is ever given twice, whatever was lost with the crash. A clean stop writes the exact
 * next number and the flag, so that nothing is skipped.
 *
 * Spans. The numbers of a spool go on for ever; the id changes when the spool's past is not what the
 * far side knows (a cloned image, a copy that was put back). Then records from some number on belong
 * to a new id, and older ones stay what they were: a table from first seq to id says which. What lies
 * in the segments need not be touched, and the backlog is delivered under the id it was born with.
 */
#include "sinks/spool/identity.h"

#include "base/random.h"
#include "sinks/spool/bytes.h"
#include "sinks/spool/files.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char magic[8] = "SLUSPID";

#define CONTENT_BYTES 424u
#define SPANS_AT      24u
#define SPAN_BYTES    24u
#define FLAG_CLEAN    1u

static uint64_t fnv1a(uint64_t hash, const void *bytes, size_t n)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return hash;
}

void slu_identity_place(const char *data_dir, uint8_t place[8])
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    char machine[64];
    const int fd = open("/etc/machine-id", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0) {
        const ssize_t got = read(fd, machine, sizeof(machine));
        hash = fnv1a(hash, machine, got > 0 ? (size_t)got : 0);
        close(fd);
    }
    char *real = realpath(data_dir, NULL);
    const char *path = real != NULL ? real : data_dir;
    hash = fnv1a(hash, path, strlen(path) + 1);
    free(real);
    slu_put_u64(place, hash);
}

static bool unpack(struct slu_identity *identity, const uint8_t *content)
{
    const uint32_t n = slu_get_u32(content + 12);
    if (n < 1 || n > SLU_IDENTITIES_MAX)
        return false;
    identity->next_seq = slu_get_u64(content);
    identity->clean = (slu_get_u32(content + 8) & FLAG_CLEAN) != 0;
    memcpy(identity->place, content + 16, sizeof(identity->place));
    for (size_t i = 0; i < n; i++) {
        const uint8_t *span = content + SPANS_AT + i * SPAN_BYTES;
        identity->spans[i].first_seq = slu_get_u64(span);
        memcpy(identity->spans[i].id, span + 8, 16);
    }
    atomic_store(&identity->n_spans, n);
    return true;
}

enum slu_slots_found slu_identity_load(struct slu_identity *identity, const struct slu_disk *disk,
                                       int dir, bool foreign, struct slu_err *err)
{
    uint8_t content[CONTENT_BYTES];
    slu_slots_init(&identity->slots, disk, dir, "id", magic, CONTENT_BYTES);
    const enum slu_slots_found found = slu_slots_load(&identity->slots, content, foreign, err);
    if (found == SLU_SLOTS_GOOD && !unpack(identity, content))
        return SLU_SLOTS_DAMAGED;
    return found;
}

static void drop_oldest_span(struct slu_identity *identity)
{
    const uint32_t n = atomic_load(&identity->n_spans);
    memmove(&identity->spans[0], &identity->spans[1], (n - 1) * sizeof(identity->spans[0]));
    atomic_store(&identity->n_spans, n - 1);
}

void slu_identity_renew(struct slu_identity *identity, uint64_t first_seq)
{
    uint32_t n = atomic_load(&identity->n_spans);
    if (n == SLU_IDENTITIES_MAX) {
        drop_oldest_span(identity);
        n--;
    }
    while (n > 0 && identity->spans[n - 1].first_seq >= first_seq)
        n--;
    identity->spans[n].first_seq = first_seq;
    slu_random_fill(identity->spans[n].id, 16);
    atomic_store(&identity->n_spans, n + 1);
}

void slu_identity_prune(struct slu_identity *identity, uint64_t oldest_seq)
{
    while (atomic_load(&identity->n_spans) > 1 && identity->spans[1].first_seq <= oldest_seq)
        drop_oldest_span(identity);
}

int slu_identity_store(struct slu_identity *identity, uint64_t next_seq, bool clean,
                       struct slu_err *err)
{
    uint8_t content[CONTENT_BYTES] = {0};
    const uint32_t n = atomic_load(&identity->n_spans);

    slu_put_u64(content, next_seq);
    slu_put_u32(content + 8, clean ? FLAG_CLEAN : 0);
    slu_put_u32(content + 12, n);
    memcpy(content + 16, identity->place, sizeof(identity->place));
    for (size_t i = 0; i < n; i++) {
        uint8_t *span = content + SPANS_AT + i * SPAN_BYTES;
        slu_put_u64(span, identity->spans[i].first_seq);
        memcpy(span + 8, identity->spans[i].id, 16);
    }
    if (slu_slots_store(&identity->slots, content, true, err) != 0)
        return -1;
    identity->next_seq = next_seq;
    identity->clean = clean;
    return 0;
}

const uint8_t *slu_identity_of(const struct slu_identity *identity, uint64_t seq)
{
    const uint32_t n = atomic_load_explicit(&identity->n_spans, memory_order_acquire);
    uint32_t i = n > 0 ? n - 1 : 0;
    if (seq != 0)
        while (i > 0 && identity->spans[i].first_seq > seq)
            i--;
    return identity->spans[i].id;
}

const uint8_t *slu_identity_current(const struct slu_identity *identity)
{
    return slu_identity_of(identity, 0);
}
