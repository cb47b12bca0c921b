/* kafka_queue.c -- see kafka_queue.h. */
#include "sinks/kafka_queue.h"

#include <stdlib.h>
#include <string.h>

static struct slu_kafka_entry *slot(const struct slu_kafka_queue *queue, uint64_t count)
{
    return &queue->entries[count % SLU_KAFKA_QUEUE_ENTRIES];
}

bool slu_kafka_queue_init(struct slu_kafka_queue *queue)
{
    *queue = (struct slu_kafka_queue){0};
    queue->entries = calloc(SLU_KAFKA_QUEUE_ENTRIES, sizeof(queue->entries[0]));
    return queue->entries != NULL;
}

void slu_kafka_queue_forget(struct slu_kafka_queue *queue)
{
    for (size_t i = queue->known_at; i < queue->n_known; i++)
        free(queue->known[i].reject);
    free(queue->known);
    queue->known = NULL;
    queue->n_known = queue->known_at = 0;
}

static void empty(struct slu_kafka_queue *queue)
{
    for (size_t i = 0; i < queue->n; i++)
        free(slot(queue, queue->head + i)->reject);
    queue->n = queue->n_pending = queue->n_rejects = queue->bytes = 0;
}

void slu_kafka_queue_fini(struct slu_kafka_queue *queue)
{
    if (queue->entries != NULL)
        empty(queue);
    slu_kafka_queue_forget(queue);
    free(queue->entries);
    queue->entries = NULL;
}

bool slu_kafka_queue_has_room(const struct slu_kafka_queue *queue)
{
    return queue->n < SLU_KAFKA_QUEUE_ENTRIES && queue->bytes < SLU_KAFKA_QUEUE_BYTES &&
           queue->n_rejects < SLU_KAFKA_QUEUE_REJECTS;
}

bool slu_kafka_queue_add_known(struct slu_kafka_queue *queue, uint64_t seq)
{
    while (queue->known_at < queue->n_known && queue->known[queue->known_at].seq < seq)
        free(queue->known[queue->known_at++].reject); /* the spool has discarded it meanwhile */
    if (queue->known_at == queue->n_known) {
        slu_kafka_queue_forget(queue);
        return false;
    }
    struct slu_kafka_entry *known = &queue->known[queue->known_at];
    if (known->seq != seq)
        return false;
    queue->known_at++;
    *slot(queue, queue->head + queue->n++) = *known;
    queue->n_rejects += known->state == SLU_KAFKA_REJECTED;
    return true;
}

size_t slu_kafka_queue_add(struct slu_kafka_queue *queue, uint64_t seq, size_t bytes, size_t wire)
{
    const uint64_t count = queue->head + queue->n++;
    *slot(queue, count) = (struct slu_kafka_entry){
        .seq = seq,
        .bytes = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX,
        .wire = wire < UINT32_MAX ? (uint32_t)wire : UINT32_MAX,
        .state = SLU_KAFKA_PENDING,
    };
    queue->n_pending++;
    queue->bytes += slot(queue, count)->bytes;
    return (size_t)(count % SLU_KAFKA_QUEUE_ENTRIES);
}

void slu_kafka_queue_undo(struct slu_kafka_queue *queue)
{
    queue->bytes -= slot(queue, queue->head + --queue->n)->bytes;
    queue->n_pending--;
}

const struct slu_kafka_entry *slu_kafka_queue_at(const struct slu_kafka_queue *queue, size_t token)
{
    return &queue->entries[token];
}

static void end_pending(struct slu_kafka_queue *queue, struct slu_kafka_entry *entry,
                        enum slu_kafka_state state)
{
    entry->state = state;
    queue->n_pending--;
    queue->bytes -= entry->bytes;
    entry->bytes = 0;
}

void slu_kafka_queue_safe(struct slu_kafka_queue *queue, size_t token)
{
    if (queue->entries[token].state == SLU_KAFKA_PENDING)
        end_pending(queue, &queue->entries[token], SLU_KAFKA_SAFE);
}

bool slu_kafka_queue_reject(struct slu_kafka_queue *queue, size_t token,
                            const struct slu_sink_reject *reject)
{
    struct slu_kafka_entry *entry = &queue->entries[token];
    struct slu_sink_reject *copy = malloc(sizeof(*copy));
    if (copy == NULL || entry->state != SLU_KAFKA_PENDING) {
        free(copy);
        return false;
    }
    *copy = *reject;
    copy->seq = entry->seq;
    entry->reject = copy;
    queue->n_rejects++;
    end_pending(queue, entry, SLU_KAFKA_REJECTED);
    return true;
}

bool slu_kafka_queue_settle(struct slu_kafka_queue *queue, struct slu_settlement *settlement)
{
    const uint64_t before = queue->head;

    while (queue->n > 0 && settlement->n_rejects < SLU_SINK_REJECTS_MAX) {
        struct slu_kafka_entry *entry = slot(queue, queue->head);
        if (entry->state == SLU_KAFKA_PENDING)
            break;
        if (entry->state == SLU_KAFKA_REJECTED) {
            settlement->rejects[settlement->n_rejects++] = *entry->reject;
            free(entry->reject);
            entry->reject = NULL;
            queue->n_rejects--;
        }
        settlement->safe_seq = entry->seq;
        queue->head++;
        queue->n--;
    }
    return queue->head != before;
}

bool slu_kafka_queue_lose(struct slu_kafka_queue *queue)
{
    const size_t n_old = queue->n_known - queue->known_at;
    const size_t most = queue->n - queue->n_pending + n_old;
    struct slu_kafka_entry *known = most > 0 ? malloc(most * sizeof(*known)) : NULL;
    size_t n = 0;

    if (known == NULL) {
        empty(queue);
        slu_kafka_queue_forget(queue);
        return most == 0;
    }
    for (size_t i = 0; i < queue->n; i++) {
        struct slu_kafka_entry *entry = slot(queue, queue->head + i);
        if (entry->state == SLU_KAFKA_PENDING)
            continue;
        known[n++] = *entry;
        entry->reject = NULL;
    }
    if (n_old > 0)
        memcpy(known + n, queue->known + queue->known_at, n_old * sizeof(*known));
    free(queue->known);
    queue->known = known;
    queue->n_known = n + n_old;
    queue->known_at = 0;
    empty(queue);
    return true;
}

bool slu_kafka_queue_know(struct slu_kafka_queue *queue, uint64_t seq)
{
    const size_t n_old = queue->n_known - queue->known_at;
    struct slu_kafka_entry *known = malloc((n_old + 1) * sizeof(*known));
    const struct slu_kafka_entry *old = queue->known + queue->known_at;
    size_t before = 0;

    if (known == NULL)
        return false;
    while (before < n_old && old[before].seq < seq)
        before++;
    if (before > 0)
        memcpy(known, old, before * sizeof(*known));
    known[before] = (struct slu_kafka_entry){.seq = seq, .state = SLU_KAFKA_SAFE};
    if (before < n_old)
        memcpy(known + before + 1, old + before, (n_old - before) * sizeof(*known));
    free(queue->known);
    queue->known = known;
    queue->n_known = n_old + 1;
    queue->known_at = 0;
    return true;
}

void slu_kafka_queue_pardon(struct slu_kafka_queue *queue)
{
    size_t n = 0;
    for (size_t i = queue->known_at; i < queue->n_known; i++) {
        if (queue->known[i].state == SLU_KAFKA_REJECTED)
            free(queue->known[i].reject);
        else
            queue->known[n++] = queue->known[i];
    }
    queue->known_at = 0;
    queue->n_known = n;
}
