/* look.c -- see look.h. */
#include "sinks/spool/look.h"

#include "sinks/spool/bytes.h"
#include "sinks/spool/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the folder ------------------------------------------------------------------------------------ */

struct listing {
    struct slu_look_files *files;
    size_t segments_cap, cursors_cap, leftovers_cap;
    bool failed;
};

static void *room(void *items, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return items;
    const size_t grown = *cap == 0 ? 16 : *cap * 2;
    void *more = realloc(items, grown * size);
    if (more != NULL)
        *cap = grown;
    return more;
}

static bool note_segment(struct listing *listing, uint64_t base_seq)
{
    struct slu_look_files *files = listing->files;
    uint64_t *segments =
        room(files->segments, files->n_segments, &listing->segments_cap, sizeof(segments[0]));
    if (segments == NULL)
        return false;
    files->segments = segments;
    segments[files->n_segments++] = base_seq;
    return true;
}

static bool note_cursor(struct listing *listing, const char *name)
{
    struct slu_look_files *files = listing->files;
    void *cursors =
        room(files->cursors, files->n_cursors, &listing->cursors_cap, sizeof(files->cursors[0]));
    if (cursors == NULL)
        return false;
    files->cursors = cursors;
    (void)snprintf(files->cursors[files->n_cursors++], sizeof(files->cursors[0]), "%s", name);
    return true;
}

static bool note_leftover(struct listing *listing, const char *name)
{
    struct slu_look_files *files = listing->files;
    void *leftovers = room(files->leftovers, files->n_leftovers, &listing->leftovers_cap,
                           sizeof(files->leftovers[0]));
    if (leftovers == NULL)
        return false;
    files->leftovers = leftovers;
    (void)snprintf(files->leftovers[files->n_leftovers++], sizeof(files->leftovers[0]), "%s", name);
    return true;
}

static bool see_file(void *context, const char *name)
{
    struct listing *listing = context;
    const size_t n = strlen(name);
    char sink[SLU_SINK_NAME_MAX + 1];
    uint64_t base_seq = 0;
    bool ok = true;

    if (slu_segment_name_parse(name, &base_seq))
        ok = note_segment(listing, base_seq);
    else if (slu_cursor_name_parse(name, sink))
        ok = note_cursor(listing, sink);
    else if (n > 4 && n < 80 && strcmp(name + n - 4, ".new") == 0)
        ok = note_leftover(listing, name);
    listing->failed = !ok;
    return ok;
}

static int by_number(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

int slu_look_files(struct slu_look *look, struct slu_look_files *files, struct slu_err *err)
{
    *files = (struct slu_look_files){0};
    struct listing listing = {.files = files};

    if (slu_files_list(look->disk, look->dir, see_file, &listing, err) != 0 || listing.failed) {
        slu_look_files_fini(files);
        return slu_err_set(err, SLU_ENOMEM, "spool: no memory to list the folder");
    }
    if (files->n_segments > 0)
        qsort(files->segments, files->n_segments, sizeof(files->segments[0]), by_number);
    return 0;
}

void slu_look_files_fini(struct slu_look_files *files)
{
    free(files->segments);
    free(files->cursors);
    free(files->leftovers);
    *files = (struct slu_look_files){0};
}

/* ---- one segment ----------------------------------------------------------------------------------- */

/* Which id makes something valid of this file? */
static bool guess_id(struct slu_look *look, int fd, uint64_t size, struct slu_segment *segment)
{
    struct slu_scan scan;
    bool found = false;

    slu_scan_init(&scan, look->disk, 1u << 20);
    for (uint32_t i = atomic_load(&look->identity->n_spans); i-- > 0 && !found;) {
        const uint8_t *id = look->identity->spans[i].id;
        struct slu_scan_item item;
        slu_scan_begin(&scan, fd, slu_pack_seed(id), SLU_SEGMENT_HEADER_BYTES, size,
                       segment->base_seq - 1, SLU_SEQ_MAX);
        scan.patch_holes = true;
        found = slu_scan_next(&scan, &item, false, NULL) > SLU_SCAN_END;
        if (found)
            memcpy(segment->id, id, 16);
    }
    slu_scan_fini(&scan);
    return found;
}

static void take_footer(struct slu_look *look, int fd, struct slu_segment *segment)
{
    uint8_t bytes[SLU_SEGMENT_FOOTER_BYTES];
    struct slu_footer footer;
    if (segment->on_disk < SLU_SEGMENT_HEADER_BYTES + sizeof(bytes))
        return;
    const uint64_t at = segment->on_disk - sizeof(bytes);
    if (slu_files_read(look->disk, fd, bytes, sizeof(bytes), at) != (ssize_t)sizeof(bytes) ||
        !slu_footer_read(bytes, segment->base_seq, slu_pack_seed(segment->id), &footer))
        return;
    segment->sealed = true;
    segment->end = at;
    segment->last_seq = footer.last_seq;
    segment->records = footer.records;
    segment->first_time_ns = footer.first_time_ns;
    segment->last_time_ns = footer.last_time_ns;
    segment->late_definition = footer.late_definition;
    memcpy(segment->counts, footer.counts, sizeof(segment->counts));
}

enum slu_look_found slu_look_segment(struct slu_look *look, uint64_t base_seq, int *fd,
                                     struct slu_segment *segment, bool *header_damaged,
                                     struct slu_err *err)
{
    char name[SLU_SEGMENT_NAME_SIZE];
    struct slu_err open_err = {0};
    slu_segment_name(base_seq, name);
    *segment = (struct slu_segment){
        .base_seq = base_seq, .last_seq = base_seq - 1, .end = SLU_SEGMENT_HEADER_BYTES};
    *fd = look->foreign ? slu_files_open_foreign(look->disk, look->dir, name, &open_err)
                        : slu_files_open(look->disk, look->dir, name, O_RDWR, &open_err);
    if (*fd < 0 && open_err.kind == SLU_ENOENT)
        return SLU_LOOK_GONE;
    if (*fd < 0) {
        slu_err_set(err, open_err.kind, "%s", open_err.text);
        return SLU_LOOK_FAILED;
    }

    uint8_t header[SLU_SEGMENT_HEADER_BYTES] = {0};
    const int64_t size = slu_files_size(look->disk, *fd);
    const ssize_t got = slu_files_read(look->disk, *fd, header, sizeof(header), 0);
    int whole = -1;
    if (size < 0 || (got < 0 && errno != EIO))
        slu_err_system(err, errno, "spool: cannot read %s", name);
    else
        whole = slu_segment_header_read(header, name, base_seq, segment->id, err);
    segment->on_disk = size > 0 ? (uint64_t)size : 0;
    *header_damaged = whole == 1;
    if (whole == 0 || (whole == 1 && guess_id(look, *fd, segment->on_disk, segment))) {
        take_footer(look, *fd, segment);
        return SLU_LOOK_GOOD;
    }
    slu_files_close(look->disk, *fd);
    *fd = -1;
    return whole == 1 ? SLU_LOOK_NOTHING : SLU_LOOK_FAILED;
}

/* ---- definitions ----------------------------------------------------------------------------------- */

static void copy_text(char *out, size_t out_size, struct slu_slice text)
{
    const size_t n = text.len < out_size - 1 ? text.len : out_size - 1;
    memcpy(out, text.data, n);
    out[n] = '\0';
}

void slu_look_learn(struct slu_look *look, const struct slu_definition *definition)
{
    slu_names_learn(look->names, definition);
    if (definition->kind != SLU_DEFINE_SINK || definition->number >= SLU_SINKS_MAX)
        return;
    copy_text(look->sink_names[definition->number], sizeof(look->sink_names[0]), definition->name);
    copy_text(look->sink_types[definition->number], sizeof(look->sink_types[0]), definition->type);
}

void slu_look_definitions(struct slu_look *look, int fd, const struct slu_segment *segment,
                          struct slu_scan *scan)
{
    const uint32_t seed = slu_pack_seed(segment->id);
    struct slu_scan_item item;

    slu_scan_begin(scan, fd, seed, SLU_SEGMENT_HEADER_BYTES, segment->end, segment->base_seq - 1,
                   SLU_SEQ_MAX);
    while (slu_scan_next(scan, &item, false, NULL) == SLU_SCAN_DEFINITION)
        slu_look_learn(look, &item.definition);

    uint64_t before = segment->on_disk;
    for (uint64_t at = segment->late_definition; at > SLU_SEGMENT_HEADER_BYTES && at < before;) {
        slu_scan_begin(scan, fd, seed, at, segment->end + SLU_SEGMENT_FOOTER_BYTES,
                       segment->base_seq - 1, SLU_SEQ_MAX);
        if (slu_scan_next(scan, &item, false, NULL) != SLU_SCAN_DEFINITION || item.offset != at)
            break;
        slu_look_learn(look, &item.definition);
        before = at;
        at = item.definition.previous;
    }
}
