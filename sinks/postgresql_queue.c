/* postgresql_queue.c -- see postgresql_queue.h. */
#include "sinks/postgresql_queue.h"

#include <stdlib.h>
#include <string.h>

/* A record may make a single field larger than all its rows may be, before that is noticed. */
#define DATA_MAX (SLU_PG_QUEUE_BYTES + 2u * SLU_PG_ROWS_MAX_BYTES + 8u * SLU_RECORD_MAX_BYTES)

#define FIRST_ENTRIES 1024u
#define MAX_ENTRIES   200000u

void slu_pg_queue_init(struct slu_pg_queue *queue)
{
    *queue = (struct slu_pg_queue){0};
    slu_buf_init(&queue->data, DATA_MAX);
}

void slu_pg_queue_clear(struct slu_pg_queue *queue)
{
    for (size_t i = 0; i < queue->n; i++)
        free(slu_pg_queue_at(queue, i)->reject);
    queue->first = queue->n = queue->n_rejects = queue->gone = 0;
    slu_buf_reset(&queue->data);
}

void slu_pg_queue_fini(struct slu_pg_queue *queue)
{
    slu_pg_queue_clear(queue);
    free(queue->entries);
    slu_buf_fini(&queue->data);
    *queue = (struct slu_pg_queue){0};
}

bool slu_pg_queue_has_room(const struct slu_pg_queue *queue)
{
    return queue->n < MAX_ENTRIES && queue->data.len < SLU_PG_QUEUE_BYTES &&
           queue->n_rejects < SLU_SINK_REJECTS_MAX;
}

static struct slu_pg_entry *new_entry(struct slu_pg_queue *queue)
{
    if (queue->first > 0 && queue->first + queue->n == queue->cap) {
        memmove(queue->entries, queue->entries + queue->first,
                queue->n * sizeof(queue->entries[0]));
        queue->first = 0;
    }
    if (queue->n == queue->cap) {
        const size_t cap = queue->cap == 0 ? FIRST_ENTRIES : queue->cap * 2;
        struct slu_pg_entry *entries = realloc(queue->entries, cap * sizeof(entries[0]));
        if (entries == NULL)
            return NULL;
        queue->entries = entries;
        queue->cap = cap;
    }
    struct slu_pg_entry *entry = slu_pg_queue_at(queue, queue->n);
    *entry = (struct slu_pg_entry){.end = queue->gone + queue->data.len};
    return entry;
}

bool slu_pg_queue_add(struct slu_pg_queue *queue, struct slu_pg_rows *rows,
                      const struct slu_record *record)
{
    struct slu_pg_entry *entry = new_entry(queue);
    struct slu_sink_reject reject;

    if (entry == NULL)
        return false;
    entry->seq = record->seq;
    switch (slu_pg_rows_add(rows, record, &queue->data, &entry->n_rows, &reject)) {
    case SLU_PG_MADE:
        entry->end = queue->gone + queue->data.len;
        queue->n++;
        return true;
    case SLU_PG_REJECTED:
        entry->n_rows = 0;
        queue->n++;
        if (slu_pg_queue_reject(queue, queue->n - 1, &reject))
            return true;
        queue->n--;
        return false;
    default:
        return false;
    }
}

bool slu_pg_queue_add_done(struct slu_pg_queue *queue, uint64_t seq)
{
    struct slu_pg_entry *entry = new_entry(queue);
    if (entry == NULL)
        return false;
    entry->seq = seq;
    queue->n++;
    return true;
}

struct slu_slice slu_pg_queue_rows(const struct slu_pg_queue *queue, size_t n)
{
    const size_t end = n > 0 ? slu_pg_queue_at(queue, n - 1)->end - queue->gone : 0;
    return slu_slice(queue->data.data, end);
}

bool slu_pg_queue_reject(struct slu_pg_queue *queue, size_t i, const struct slu_sink_reject *reject)
{
    struct slu_pg_entry *entry = slu_pg_queue_at(queue, i);
    struct slu_sink_reject *copy = malloc(sizeof(*copy));
    if (copy == NULL)
        return false;
    *copy = *reject;
    copy->seq = entry->seq;
    free(entry->reject);
    queue->n_rejects += entry->reject == NULL;
    entry->reject = copy;
    return true;
}

/* The rest moves to the front: it is at most what was pushed while one flight was under way. */
void slu_pg_queue_drop(struct slu_pg_queue *queue, size_t n)
{
    if (n == 0)
        return;
    const size_t end = slu_pg_queue_at(queue, n - 1)->end;
    for (size_t i = 0; i < n; i++) {
        struct slu_pg_entry *entry = slu_pg_queue_at(queue, i);
        queue->n_rejects -= entry->reject != NULL;
        free(entry->reject);
        entry->reject = NULL;
    }
    queue->first += n;
    queue->n -= n;
    if (queue->n == 0) {
        slu_pg_queue_clear(queue);
        return;
    }
    const size_t bytes = end - queue->gone;
    memmove(queue->data.data, queue->data.data + bytes, queue->data.len - bytes);
    slu_buf_cut(&queue->data, queue->data.len - bytes);
    queue->gone = end;
}
