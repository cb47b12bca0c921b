/* view.c -- a look at a spool from outside: `sluice spool DIR list | dump | verify`.
 *
 * Reads the files as they are, takes no lock, writes nothing, so it may run beside the broker. What it
 * sees then is a moment that never was as a whole: segments may vanish while it reads, the newest grows.
 * The ring is copied before the segments are listed, and told after they were read:
 *
 *   copied            [··· 97 98 99]        what has left the ring by now is in a segment, and so listed
 *   read     [1 ······ 96][97]              more may have come into it; 97 is told once
 *   told               97 │ 98 99           no record falls between the two
 */
#include "sinks/spool/view.h"
#include "sinks/spool/bytes.h"
#include "sinks/spool/files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void slu_view_end(struct slu_spool_view *view)
{
    slu_files_close(&slu_disk_real, view->fd);
    free(view->ring_records);
    view->fd = -1;
    view->ring_records = NULL;
    view->n_ring_records = view->next_ring_record = view->next_segment = 0;
    view->in_ring = false;
    view->last_seq = 0;
}

void slu_spool_view_close(struct slu_spool_view *view)
{
    if (view == NULL)
        return;
    slu_view_end(view);
    free(view->ring);
    slu_scan_fini(&view->scan);
    slu_look_files_fini(&view->files);
    slu_names_fini(&view->names);
    slu_slots_close(&view->identity.slots);
    if (view->dir >= 0)
        close(view->dir);
    free(view);
}

/* Without an id file: the newest segment that has a whole header. */
static void id_from_segments(struct slu_spool_view *view)
{
    for (size_t i = view->files.n_segments; i-- > 0;) {
        struct slu_segment segment;
        bool damaged = false;
        int fd = -1;
        if (slu_look_segment(&view->look, view->files.segments[i], &fd, &segment, &damaged, NULL) !=
            SLU_LOOK_GOOD)
            continue;
        slu_files_close(&slu_disk_real, fd);
        view->identity.spans[0] = (struct slu_identity_span){.first_seq = 1};
        memcpy(view->identity.spans[0].id, segment.id, 16);
        atomic_store(&view->identity.n_spans, 1);
        return;
    }
}

/* The ring as it is now; view->ring stays NULL when there is none that can be used. */
static void copy_ring(struct slu_spool_view *view)
{
    if (slu_ring_read(&slu_disk_real, view->dir, true, &view->ring, view->ring_id,
                      &view->has_ring_id, NULL) != 0)
        view->ring = NULL;
}

static int open_view(struct slu_spool_view *view, const char *data_dir, struct slu_err *err)
{
    char path[PATH_MAX];
    const int n = snprintf(path, sizeof(path), "%s/spool", data_dir);
    if (n < 0 || (size_t)n >= sizeof(path))
        return slu_err_set(err, SLU_EINVAL, "spool: the path %s is too long", data_dir);
    view->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (view->dir < 0)
        return slu_err_system(err, errno, "spool: cannot open %s", path);
    if (!slu_names_init(&view->names))
        return slu_err_set(err, SLU_ENOMEM, "spool: no memory");

    view->look = (struct slu_look){.disk = &slu_disk_real,
                                   .dir = view->dir,
                                   .foreign = true,
                                   .identity = &view->identity,
                                   .names = &view->names};
    slu_scan_init(&view->scan, &slu_disk_real, 1u << 20);
    view->scan.patch_holes = true;
    const enum slu_slots_found found =
        slu_identity_load(&view->identity, &slu_disk_real, view->dir, true, err);
    if (found == SLU_SLOTS_FAILED)
        return -1;
    copy_ring(view);
    if (slu_look_files(&view->look, &view->files, err) != 0)
        return -1;
    if (found != SLU_SLOTS_GOOD)
        id_from_segments(view);
    return 0;
}

struct slu_spool_view *slu_spool_view_open(const char *data_dir, struct slu_err *err)
{
    struct slu_spool_view *view = calloc(1, sizeof(*view));
    if (view == NULL) {
        slu_err_set(err, SLU_ENOMEM, "spool: no memory");
        return NULL;
    }
    view->dir = view->fd = -1;
    view->identity.slots = (struct slu_slots){.disk = &slu_disk_real, .fd = -1};
    if (open_view(view, data_dir, err) == 0)
        return view;
    slu_spool_view_close(view);
    return NULL;
}

const uint8_t *slu_spool_view_id(const struct slu_spool_view *view)
{
    return slu_identity_current(&view->identity);
}

const uint8_t *slu_spool_view_id_of(const struct slu_spool_view *view, uint64_t seq)
{
    return slu_identity_of(&view->identity, seq);
}

/* ---- counting -------------------------------------------------------------------------------------- */

/* Records of these sinks beyond their cursors are counted into `left`. */
struct claims {
    const struct slu_cursor *cursors; /* by bit */
    const bool *known;
    uint64_t left[SLU_SINKS_MAX];
};

static void claim(struct claims *claims, const struct slu_record *record)
{
    for (uint32_t bits = (uint32_t)record->sinks; bits != 0; bits &= bits - 1) {
        const int bit = __builtin_ctz(bits);
        if (!claims->known[bit] || record->seq > claims->cursors[bit].position.seq)
            claims->left[bit]++;
    }
}

/* Walk one segment: counts into `info` and, unless NULL, `claims`. */
static void walk_segment(struct slu_spool_view *view, int fd, struct slu_segment *segment,
                         uint64_t limit_seq, struct slu_spool_segment_info *info,
                         struct claims *claims)
{
    struct slu_scan_item item;
    enum slu_scan_kind kind;

    slu_scan_begin(&view->scan, fd, slu_pack_seed(segment->id), SLU_SEGMENT_HEADER_BYTES,
                   segment->on_disk, segment->base_seq - 1, limit_seq);
    while ((kind = slu_scan_next(&view->scan, &item, false, NULL)) > SLU_SCAN_END) {
        if (kind == SLU_SCAN_DAMAGE)
            info->damaged_records += item.lost;
        if (kind == SLU_SCAN_DEFINITION)
            slu_look_learn(&view->look, &item.definition);
        if (kind != SLU_SCAN_RECORD)
            continue;
        info->records++;
        info->last_seq = item.record.seq;
        if (claims != NULL)
            claim(claims, &item.record);
    }
}

size_t slu_spool_view_segments(struct slu_spool_view *view, struct slu_spool_segment_info *infos,
                               size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < view->files.n_segments; i++) {
        struct slu_segment segment;
        bool damaged = false;
        int fd = -1;
        if (slu_look_segment(&view->look, view->files.segments[i], &fd, &segment, &damaged, NULL) !=
            SLU_LOOK_GOOD)
            continue;
        struct slu_spool_segment_info info = {.first_seq = segment.base_seq,
                                              .last_seq = segment.last_seq,
                                              .bytes = segment.on_disk,
                                              .sealed = segment.sealed};
        slu_segment_name(segment.base_seq, info.file);
        walk_segment(view, fd, &segment, slu_view_limit(view, i), &info, NULL);
        if (segment.sealed) {
            info.damaged_records =
                segment.records > info.records ? segment.records - info.records : 0;
            info.last_seq = segment.last_seq;
        }
        slu_files_close(&slu_disk_real, fd);
        if (n < max)
            infos[n] = info;
        n++;
    }
    return n;
}

/* ---- the ring -------------------------------------------------------------------------------------- */

/* What the copy holds beyond the records that were read. */
static void begin_ring(struct slu_spool_view *view)
{
    view->in_ring = true;
    if (view->ring == NULL)
        return;
    const uint8_t *id = view->has_ring_id ? view->ring_id : slu_identity_current(&view->identity);
    const int64_t n = slu_ring_scan(view->ring, SLU_RING_FILE_BYTES, slu_pack_seed(id),
                                    view->last_seq, &view->ring_records);
    view->n_ring_records = n > 0 ? (size_t)n : 0;
}

static bool next_of_ring(struct slu_spool_view *view, struct slu_record *record)
{
    while (view->next_ring_record < view->n_ring_records) {
        const struct slu_ring_record *found = &view->ring_records[view->next_ring_record++];
        if (slu_unpack_record(view->ring + found->at, found->size, record))
            return true;
    }
    return false;
}

/* ---- sinks ----------------------------------------------------------------------------------------- */

/* The backlog by bit: from footers where that is enough, from records elsewhere. */
static void count_claims(struct slu_spool_view *view, struct claims *claims)
{
    slu_view_end(view);
    for (size_t i = 0; i < view->files.n_segments; i++) {
        struct slu_segment segment;
        struct slu_spool_segment_info info = {0};
        bool damaged = false;
        int fd = -1;
        if (slu_look_segment(&view->look, view->files.segments[i], &fd, &segment, &damaged, NULL) !=
            SLU_LOOK_GOOD)
            continue;
        info.last_seq = segment.last_seq;
        walk_segment(view, fd, &segment, slu_view_limit(view, i), &info, claims);
        slu_files_close(&slu_disk_real, fd);
        if (view->last_seq < info.last_seq)
            view->last_seq = info.last_seq;
    }
    begin_ring(view);
    struct slu_record record;
    while (next_of_ring(view, &record))
        claim(claims, &record);
    slu_view_end(view);
}

size_t slu_spool_view_sinks(struct slu_spool_view *view, struct slu_spool_sink_stats *stats,
                            size_t max)
{
    struct slu_cursor cursors[SLU_SINKS_MAX];
    bool known[SLU_SINKS_MAX] = {false};
    struct claims claims = {.cursors = cursors, .known = known};
    size_t n = 0;

    for (size_t i = 0; i < view->files.n_cursors; i++) {
        struct slu_cursor cursor;
        slu_cursor_init(&cursor, &slu_disk_real, view->dir, view->files.cursors[i]);
        if (slu_cursor_load(&cursor, true, NULL) == SLU_SLOTS_GOOD && cursor.bit < SLU_SINKS_MAX) {
            cursors[cursor.bit] = cursor;
            known[cursor.bit] = true;
        }
        slu_slots_close(&cursor.slots);
    }
    count_claims(view, &claims);

    for (size_t bit = 0; bit < SLU_SINKS_MAX; bit++) {
        if ((!known[bit] && claims.left[bit] == 0) || (known[bit] && cursors[bit].forgotten))
            continue;
        struct slu_spool_sink_stats sink = {.bit = (int)bit,
                                            .orphaned = !known[bit] || cursors[bit].orphaned,
                                            .spooled = claims.left[bit],
                                            .spooled_at_start = claims.left[bit]};
        if (known[bit])
            sink.committed_seq = cursors[bit].position.seq;
        (void)snprintf(sink.name, sizeof(sink.name), "%s",
                       known[bit] ? cursors[bit].name : view->look.sink_names[bit]);
        (void)snprintf(sink.type, sizeof(sink.type), "%s",
                       known[bit] ? cursors[bit].type : view->look.sink_types[bit]);
        if (n < max)
            stats[n] = sink;
        n++;
    }
    return n;
}

/* ---- records --------------------------------------------------------------------------------------- */

static bool open_next(struct slu_spool_view *view)
{
    while (view->next_segment < view->files.n_segments) {
        const size_t index = view->next_segment++;
        struct slu_segment segment;
        bool damaged = false;
        if (slu_look_segment(&view->look, view->files.segments[index], &view->fd, &segment,
                             &damaged, NULL) != SLU_LOOK_GOOD)
            continue;
        slu_scan_begin(&view->scan, view->fd, slu_pack_seed(segment.id), SLU_SEGMENT_HEADER_BYTES,
                       segment.on_disk, segment.base_seq - 1, slu_view_limit(view, index));
        return true;
    }
    return false;
}

static bool next_of_segments(struct slu_spool_view *view, struct slu_record *record)
{
    while (view->fd >= 0 || open_next(view)) {
        struct slu_scan_item item;
        const enum slu_scan_kind kind = slu_scan_next(&view->scan, &item, false, NULL);
        if (kind == SLU_SCAN_DEFINITION)
            slu_look_learn(&view->look, &item.definition);
        if (kind == SLU_SCAN_RECORD && item.record.seq > view->last_seq) {
            view->last_seq = item.record.seq;
            *record = item.record;
            return true;
        }
        if (kind <= SLU_SCAN_END) {
            slu_files_close(&slu_disk_real, view->fd);
            view->fd = -1;
        }
    }
    return false;
}

bool slu_spool_view_next(struct slu_spool_view *view, struct slu_record *record,
                         const char **policy, const char **schema)
{
    bool found = !view->in_ring && next_of_segments(view, record);
    if (!found) {
        if (!view->in_ring)
            begin_ring(view);
        found = next_of_ring(view, record);
    }
    if (!found)
        return false;
    *policy = slu_names_policy(&view->names, record->policy);
    *schema = slu_names_schema(&view->names, record->schema);
    return true;
}

struct slu_slice slu_spool_view_schema_text(const struct slu_spool_view *view, uint16_t number)
{
    return slu_names_schema_text(&view->names, number);
}
