/* table.c -- the segments there are, and what each sink still has to pass in them.
 *
 *   segment    A        B        C (being written)
 *   counts[s]  100      80       12
 *              passed ──▶│ 30
 *   left       0        50       12        = 62 spooled for sink s and readable
 *
 * A sink's position names the segment where its last passed record lies and how many it passed there:
 * segments before it are passed, segments behind it are not. Everything here happens under the
 * spool's lock.
 */
#include "sinks/spool/inside.h"

#include <stdlib.h>
#include <string.h>

struct slu_segment *slu_table_add(struct slu_table *table, const struct slu_segment *segment)
{
    size_t at = 0;
    while (at < table->n && table->items[at].base_seq < segment->base_seq)
        at++;
    if (at < table->n && table->items[at].base_seq == segment->base_seq) {
        table->items[at] = *segment;
        return &table->items[at];
    }
    if (table->n == table->cap) {
        const size_t cap = table->cap == 0 ? 16 : table->cap * 2;
        struct slu_segment *grown = realloc(table->items, cap * sizeof(grown[0]));
        if (grown == NULL)
            return NULL;
        table->items = grown;
        table->cap = cap;
    }
    memmove(&table->items[at + 1], &table->items[at], (table->n - at) * sizeof(table->items[0]));
    table->items[at] = *segment;
    table->n++;
    return &table->items[at];
}

void slu_table_remove(struct slu_table *table, size_t index)
{
    memmove(&table->items[index], &table->items[index + 1],
            (table->n - index - 1) * sizeof(table->items[0]));
    table->n--;
}

/* The first index with base_seq > `base_seq`. */
static size_t behind(const struct slu_table *table, uint64_t base_seq)
{
    size_t low = 0, high = table->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (table->items[middle].base_seq <= base_seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct slu_segment *slu_table_find(const struct slu_table *table, uint64_t base_seq)
{
    const size_t at = behind(table, base_seq);
    return at > 0 && table->items[at - 1].base_seq == base_seq ? &table->items[at - 1] : NULL;
}

struct slu_segment *slu_table_next(const struct slu_table *table, uint64_t base_seq)
{
    const size_t at = behind(table, base_seq);
    return at < table->n ? &table->items[at] : NULL;
}

struct slu_segment *slu_table_holding(const struct slu_table *table, uint64_t seq)
{
    const size_t at = behind(table, seq);
    if (table->n == 0)
        return NULL;
    return &table->items[at > 0 ? at - 1 : 0];
}

struct slu_segment *slu_table_newest(const struct slu_table *table)
{
    return table->n > 0 ? &table->items[table->n - 1] : NULL;
}

uint64_t slu_sink_left_in(const struct slu_spool_sink *sink, const struct slu_segment *segment)
{
    const struct slu_position *position = &sink->cursor.position;
    const uint32_t count = segment->counts[sink->cursor.bit];

    if (sink->cursor.forgotten || segment->base_seq < position->segment)
        return 0;
    if (segment->base_seq > position->segment)
        return count;
    return count > position->passed ? count - position->passed : 0;
}

uint64_t slu_sink_left(const struct slu_table *table, const struct slu_spool_sink *sink)
{
    uint64_t left = 0;
    for (size_t i = 0; i < table->n; i++)
        left += slu_sink_left_in(sink, &table->items[i]);
    return left;
}

uint64_t slu_sink_pass_segment(const struct slu_table *table, struct slu_spool_sink *sink,
                               const struct slu_segment *segment)
{
    struct slu_position *position = &sink->cursor.position;
    uint64_t gone = 0;

    if (segment->base_seq < position->segment)
        return 0;
    for (size_t i = 0; i < table->n && table->items[i].base_seq <= segment->base_seq; i++)
        gone += slu_sink_left_in(sink, &table->items[i]);
    position->segment = segment->base_seq;
    position->passed = segment->counts[sink->cursor.bit];
    position->offset = (uint32_t)segment->end;
    if (position->seq < segment->last_seq)
        position->seq = segment->last_seq;
    return gone;
}
