/* marks.c -- what a reader has read and not committed yet, record by record, so that a commit can say
 * exactly how many records it passes, where in which segment that is, and how many were damaged.
 *
 *   position ─▶│ m │ m │ m │end│ m │ m │◀─ marked
 *                 segment A     segment B
 *
 * "end" stands where the readable part of a segment was seen to its end: the segment knows how many
 * records of the sink it has up to there, and those that were never seen are lost.
 */
#include "sinks/spool/reader.h"

#include <stdlib.h>

#define MARKS_MAX (1u << 18)

static struct slu_mark *mark_at(const struct slu_spool_reader *reader, size_t i)
{
    return &reader->marks[(reader->first_mark + i) % reader->marks_cap];
}

static bool marks_grow(struct slu_spool_reader *reader)
{
    if (reader->n_marks < reader->marks_cap)
        return true;
    const size_t cap = reader->marks_cap == 0 ? 1024 : reader->marks_cap * 2;
    if (cap > MARKS_MAX)
        return false;
    struct slu_mark *marks = malloc(cap * sizeof(marks[0]));
    if (marks == NULL)
        return false;
    for (size_t i = 0; i < reader->n_marks; i++)
        marks[i] = *mark_at(reader, i);
    free(reader->marks);
    reader->marks = marks;
    reader->first_mark = 0;
    reader->marks_cap = cap;
    return true;
}

/* False: no room; the mark is not there. */
static bool marks_push(struct slu_spool_reader *reader, struct slu_mark mark)
{
    if (!marks_grow(reader))
        return false;
    *mark_at(reader, reader->n_marks) = mark;
    reader->n_marks++;
    return true;
}

/* A record of ours was passed by the walk that leads. */
void slu_marks_record(struct slu_spool_reader *reader, uint64_t segment,
                      const struct slu_scan_item *item)
{
    if (item->record.seq <= reader->marked.seq || reader->marks_behind)
        return;
    const struct slu_mark mark = {.seq = item->record.seq,
                                  .segment = segment,
                                  .time_ns = item->record.time_ns,
                                  .offset = (uint32_t)(item->offset + item->bytes)};
    if (!marks_push(reader, mark)) {
        reader->marks_behind = true;
        return;
    }
    reader->marked.passed = reader->marked.segment == segment ? reader->marked.passed + 1 : 1;
    reader->marked.seq = mark.seq;
    reader->marked.segment = segment;
    reader->marked.offset = mark.offset;
}

/* Lock held. The position enters `segment`: what it left in those before is lost. */
static void enter_segment(struct slu_spool_reader *reader, uint64_t segment)
{
    struct slu_position *position = &reader->sink->cursor.position;
    const struct slu_table *table = &reader->spool->table;

    if (position->segment >= segment)
        return;
    const struct slu_segment *before = slu_table_holding(table, segment - 1);
    if (before != NULL && before->base_seq < segment)
        reader->sink->corrupt += slu_sink_pass_segment(table, reader->sink, before);
    position->segment = segment;
    position->passed = 0;
    position->offset = SLU_SEGMENT_HEADER_BYTES;
}

/* Lock held. Everything the sink had in this segment up to its `passed`-th record has its fate; what
 * was not seen is lost. */
static void pass_end(struct slu_spool_reader *reader, uint64_t base_seq, uint32_t passed)
{
    struct slu_spool_sink *sink = reader->sink;
    const struct slu_table *table = &reader->spool->table;
    const struct slu_segment *segment = slu_table_find(table, base_seq);

    if (segment == NULL || sink->cursor.position.segment > base_seq)
        return;
    enter_segment(reader, base_seq);
    if (segment->sealed && passed == segment->counts[reader->bit]) {
        sink->corrupt += slu_sink_pass_segment(table, sink, segment);
    } else if (sink->cursor.position.passed < passed) {
        sink->corrupt += passed - sink->cursor.position.passed;
        sink->cursor.position.passed = passed;
    }
}

/* Lock held. The walk that leads has seen all that can be read of this segment. Of one that still
 * grows that is worth a mark only if records are missing. */
void slu_marks_end(struct slu_spool_reader *reader, const struct slu_segment *segment)
{
    const uint64_t base_seq = segment->base_seq;
    const uint32_t count = segment->counts[reader->bit];
    const uint32_t seen = reader->marked.segment == base_seq ? reader->marked.passed : 0;

    if (reader->marks_behind || base_seq < reader->marked.segment ||
        (!segment->sealed && seen >= count))
        return;
    reader->marked.segment = base_seq;
    reader->marked.passed = count;
    if (reader->n_marks == 0) {
        pass_end(reader, base_seq, count);
        return;
    }
    const struct slu_mark mark = {
        .seq = reader->marked.seq, .segment = base_seq, .passed = count, .is_end = true};
    if (!marks_push(reader, mark))
        reader->marks_behind = true;
}

/* Lock held. The position moves over one mark. */
static void pass_mark(struct slu_spool_reader *reader, const struct slu_mark *mark)
{
    struct slu_position *position = &reader->sink->cursor.position;

    enter_segment(reader, mark->segment);
    position->passed++;
    position->seq = mark->seq;
    position->offset = mark->offset;
}

/* Lock held. Pass all marks up to `seq`; returns how many records that were. */
uint64_t slu_marks_pass(struct slu_spool_reader *reader, uint64_t seq)
{
    struct slu_position *position = &reader->sink->cursor.position;
    uint64_t n = 0;

    while (reader->n_marks > 0) {
        const struct slu_mark mark = *mark_at(reader, 0);
        if (mark.seq > seq && mark.seq > position->seq)
            break;
        reader->first_mark = (reader->first_mark + 1) % reader->marks_cap;
        reader->n_marks--;
        if (mark.is_end) {
            pass_end(reader, mark.segment, mark.passed);
        } else if (mark.seq > position->seq) { /* else the writer has dropped it already */
            pass_mark(reader, &mark);
            n++;
        }
        atomic_store(&reader->sink->oldest_ns,
                     mark.is_end ? atomic_load(&reader->sink->oldest_ns) : mark.time_ns);
    }
    if (reader->n_marks > 0 && !mark_at(reader, 0)->is_end)
        atomic_store(&reader->sink->oldest_ns, mark_at(reader, 0)->time_ns);
    return n;
}
