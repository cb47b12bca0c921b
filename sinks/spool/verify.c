/* verify.c -- `sluice spool DIR verify`: every byte of a spool is looked at, and each stretch that is not
 * what was written is told. Changes nothing. */
#include "sinks/spool/files.h"
#include "sinks/spool/view.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct report {
    size_t n;
    void (*tell)(void *context, const char *line);
    void *context;
};

static void tell(struct report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void tell(struct report *report, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    report->n++;
    if (report->tell != NULL)
        report->tell(report->context, line);
}

/* What a footer claims against what is there. */
static void verify_footer(const struct slu_segment *segment, const char *name, uint64_t records,
                          const uint32_t counts[SLU_SINKS_MAX], struct report *report)
{
    if (!segment->sealed)
        return;
    if (records < segment->records)
        tell(report, "%s: %" PRIu64 " of %" PRIu64 " records are missing", name,
             segment->records - records, segment->records);
    for (size_t bit = 0; bit < SLU_SINKS_MAX; bit++)
        if (counts[bit] > segment->counts[bit] || records > segment->records) {
            tell(report, "%s: there are more records than the footer says", name);
            return;
        }
}

static void verify_walk(struct slu_spool_view *view, int fd, const struct slu_segment *segment,
                        const char *name, bool newest, uint64_t limit_seq, struct report *report)
{
    uint32_t counts[SLU_SINKS_MAX] = {0};
    uint64_t records = 0;
    struct slu_scan_item item;
    enum slu_scan_kind kind;

    slu_scan_begin(&view->scan, fd, slu_pack_seed(segment->id), SLU_SEGMENT_HEADER_BYTES,
                   segment->on_disk, segment->base_seq - 1, limit_seq);
    while ((kind = slu_scan_next(&view->scan, &item, false, NULL)) > SLU_SCAN_END) {
        if (kind == SLU_SCAN_DAMAGE)
            tell(report,
                 "%s: %" PRIu64 " damaged bytes at %" PRIu64 ", at most %" PRIu64 " records lost",
                 name, item.bytes, item.offset, item.lost);
        if (kind != SLU_SCAN_RECORD)
            continue;
        records++;
        for (uint32_t bits = (uint32_t)item.record.sinks; bits != 0; bits &= bits - 1)
            counts[__builtin_ctz(bits)]++;
    }
    if (kind == SLU_SCAN_ERROR)
        tell(report, "%s: cannot be read", name);
    else if (item.dirty_end > item.offset && (segment->sealed || newest))
        tell(report, "%s: %" PRIu64 " bytes at %" PRIu64 " make no sense%s", name,
             item.dirty_end - item.offset, item.offset,
             segment->sealed ? "" : " (a torn tail, or being written just now)");
    if (!segment->sealed && !newest)
        tell(report, "%s: the footer is missing or damaged", name);
    verify_footer(segment, name, records, counts, report);
}

static void verify_segment(struct slu_spool_view *view, size_t index, struct report *report)
{
    char name[SLU_SEGMENT_NAME_SIZE];
    struct slu_segment segment;
    struct slu_err err = {0};
    bool header_damaged = false;
    int fd = -1;
    const bool newest = index + 1 == view->files.n_segments;

    slu_segment_name(view->files.segments[index], name);
    switch (slu_look_segment(&view->look, view->files.segments[index], &fd, &segment,
                             &header_damaged, &err)) {
    case SLU_LOOK_GONE: /* delivered and deleted meanwhile */
        return;
    case SLU_LOOK_FAILED:
        tell(report, "%s", err.text);
        return;
    case SLU_LOOK_NOTHING:
        tell(report, "%s: nothing in it is valid", name);
        return;
    case SLU_LOOK_GOOD:
        break;
    }
    if (header_damaged)
        tell(report, "%s: the header is damaged", name);
    verify_walk(view, fd, &segment, name, newest, slu_view_limit(view, index), report);
    slu_files_close(&slu_disk_real, fd);
}

static void verify_small_files(struct slu_spool_view *view, struct report *report)
{
    struct slu_identity *identity = calloc(1, sizeof(*identity));
    if (identity != NULL) {
        struct slu_err err = {0};
        const enum slu_slots_found found =
            slu_identity_load(identity, &slu_disk_real, view->dir, true, &err);
        if (found != SLU_SLOTS_GOOD || identity->slots.distrusted)
            tell(report, "id: %s",
                 found == SLU_SLOTS_FAILED    ? err.text
                 : found == SLU_SLOTS_MISSING ? "is missing"
                                              : "is damaged");
        slu_slots_close(&identity->slots);
        free(identity);
    }
    for (size_t i = 0; i < view->files.n_cursors; i++) {
        struct slu_cursor cursor;
        slu_cursor_init(&cursor, &slu_disk_real, view->dir, view->files.cursors[i]);
        const enum slu_slots_found found = slu_cursor_load(&cursor, true, NULL);
        if ((found != SLU_SLOTS_GOOD && found != SLU_SLOTS_MISSING) || cursor.slots.distrusted)
            tell(report, "%s.cursor: is damaged", view->files.cursors[i]);
        slu_slots_close(&cursor.slots);
    }
}

static void verify_ring(struct slu_spool_view *view, struct report *report)
{
    struct slu_err err = {0};
    uint8_t *ring = NULL;
    uint8_t id[16];
    bool has_id = false;

    if (slu_ring_read(&slu_disk_real, view->dir, true, &ring, id, &has_id, &err) != 0)
        tell(report, "%s", err.text);
    else if (ring != NULL && !has_id)
        tell(report, "ring: the header is damaged");
    free(ring);
}

size_t slu_spool_view_verify(struct slu_spool_view *view,
                             void (*report)(void *context, const char *line), void *context)
{
    struct report told = {.tell = report, .context = context};

    slu_view_end(view);
    verify_small_files(view, &told);
    for (size_t i = 0; i < view->files.n_segments; i++)
        verify_segment(view, i, &told);
    verify_ring(view, &told);
    return told.n;
}
