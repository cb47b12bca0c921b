/* scan.c -- see scan.h.
 *
 * At a place where no valid frame begins the search goes on byte by byte: a cheap look at tag, size
 * and seq first, the CRC only of what passes. A payload that was forged to look like many frames can
 * make that dear but not endless: CRCs computed in vain are bounded for each stretch.
 *
 *   valid │ ? ? ? ? ? ? ? │ valid with a higher seq     damage: SLU_SCAN_DAMAGE, then the record
 *   valid │ ? ? ? 0 0 0 0 │ end                         nothing more: SLU_SCAN_END (a torn tail)
 */
#include "sinks/spool/scan.h"

#include "sinks/spool/bytes.h"
#include "sinks/spool/files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_BYTES   4096u
#define VAIN_BYTES   (UINT64_C(256) << 20) /* CRC'd in vain, a stretch */
#define RECORD_LEAST SLU_PACK_RECORD_BYTES

void slu_scan_init(struct slu_scan *scan, const struct slu_disk *disk, size_t capacity)
{
    *scan = (struct slu_scan){.disk = disk, .fd = -1, .capacity = capacity};
}

void slu_scan_fini(struct slu_scan *scan)
{
    free(scan->buffer);
    scan->buffer = NULL;
}

void slu_scan_begin(struct slu_scan *scan, int fd, uint32_t seed, uint64_t at, uint64_t end,
                    uint64_t last_seq, uint64_t limit_seq)
{
    scan->fd = fd;
    scan->seed = seed;
    scan->at = at;
    scan->end = end;
    scan->last_seq = last_seq;
    scan->limit_seq = limit_seq;
    scan->buffered = 0;
}

/* Page by page, zeros for those that cannot be read. -1 when not one of them can. */
static ssize_t read_patched(struct slu_scan *scan, uint64_t at, size_t n)
{
    bool any = false;
    int sys = EIO;

    for (size_t done = 0; done < n;) {
        const uint64_t place = at + done;
        size_t piece = PAGE_BYTES - (size_t)(place % PAGE_BYTES);
        piece = piece < n - done ? piece : n - done;
        const ssize_t got = slu_files_read(scan->disk, scan->fd, scan->buffer + done, piece, place);
        if (got < 0)
            sys = errno;
        any = any || got >= 0;
        memset(scan->buffer + done + (got > 0 ? got : 0), 0, piece - (size_t)(got > 0 ? got : 0));
        done += piece;
    }
    errno = sys;
    return any ? (ssize_t)n : -1;
}

static bool grow(struct slu_scan *scan, size_t n)
{
    if (scan->buffer != NULL && n <= scan->capacity)
        return true;
    const size_t capacity = n > scan->capacity ? n : scan->capacity;
    uint8_t *buffer = malloc(capacity);
    if (buffer == NULL)
        return false;
    free(scan->buffer);
    scan->buffer = buffer;
    scan->capacity = capacity;
    scan->buffered = 0;
    return true;
}

/* Make sure that `n` bytes from `at` (or all up to `end`) are in the buffer. Returns how many there
 * are; -1: error; -2: not there and not allowed to read. */
static int64_t need(struct slu_scan *scan, uint64_t at, size_t n, bool in_buffer,
                    struct slu_err *err)
{
    const uint64_t left = at < scan->end ? scan->end - at : 0;
    if (n > left)
        n = (size_t)left;
    if (n == 0)
        return 0;
    if (at >= scan->buffer_at && at + n <= scan->buffer_at + scan->buffered)
        return (int64_t)(scan->buffer_at + scan->buffered - at);
    if (in_buffer)
        return -2;
    if (!grow(scan, n))
        return slu_err_set(err, SLU_ENOMEM, "spool: no memory for a read buffer of %zu bytes", n);

    const size_t wanted = left < scan->capacity ? (size_t)left : scan->capacity;
    scan->buffered = 0;
    ssize_t got = slu_files_read(scan->disk, scan->fd, scan->buffer, wanted, at);
    if (got < 0 && scan->patch_holes)
        got = read_patched(scan, at, wanted);
    if (got < 0)
        return slu_err_system(err, errno, "spool: cannot read a segment at byte %" PRIu64, at);
    /* A file that is shorter than it should be is damaged: what is missing counts as zeros. */
    memset(scan->buffer + got, 0, wanted - (size_t)got);
    scan->buffer_at = at;
    scan->buffered = wanted;
    return (int64_t)wanted;
}

static const uint8_t *buffered(const struct slu_scan *scan, uint64_t at)
{
    return scan->buffer + (at - scan->buffer_at);
}

static bool seq_fits(const struct slu_scan *scan, unsigned tag, uint64_t seq)
{
    if (seq > scan->last_seq + SLU_SEQ_GAP)
        return false;
    if (tag == SLU_TAG_RECORD)
        return seq > scan->last_seq && seq < scan->limit_seq;
    if (tag == SLU_TAG_DEFINITION)
        return seq > scan->last_seq && seq <= scan->limit_seq;
    return tag == SLU_TAG_FOOTER && seq >= scan->last_seq && seq < scan->limit_seq;
}

static bool size_fits(unsigned tag, size_t size)
{
    if (tag == SLU_TAG_RECORD)
        return size >= RECORD_LEAST && size <= SLU_RECORD_MAX_BYTES;
    if (tag == SLU_TAG_DEFINITION)
        return size > SLU_PACK_FRAME_BYTES && size <= SLU_RECORD_MAX_BYTES;
    return tag == SLU_TAG_FOOTER && size == SLU_SEGMENT_FOOTER_BYTES;
}

/* The size a frame at `at` claims if it looks like one, else 0. 16 bytes are there. */
static size_t looks_like(const struct slu_scan *scan, const uint8_t *at)
{
    const uint32_t word = slu_get_u32(at + 4);
    const unsigned tag = slu_frame_tag(word);
    const size_t size = slu_frame_bytes(word);
    return size_fits(tag, size) && seq_fits(scan, tag, slu_unpack_seq(at)) ? size : 0;
}

/* Fill in `item` from the frame at `at` if it is valid: its size, else 0; negative as need(). */
static int64_t take_frame(struct slu_scan *scan, uint64_t at, struct slu_scan_item *item,
                          bool in_buffer, struct slu_err *err)
{
    int64_t there = need(scan, at, SLU_PACK_FRAME_BYTES, in_buffer, err);
    if (there < (int64_t)SLU_PACK_FRAME_BYTES)
        return there < 0 ? there : 0;
    const size_t size = looks_like(scan, buffered(scan, at));
    if (size == 0 || size > scan->end - at)
        return 0;
    there = need(scan, at, size, in_buffer, err);
    if (there < (int64_t)size)
        return there < 0 ? there : 0;

    unsigned tag = 0;
    uint64_t seq = 0;
    const uint8_t *frame = buffered(scan, at);
    if (slu_frame_check(frame, size, scan->seed, &tag, &seq) != size)
        return 0;
    if (tag == SLU_TAG_RECORD && !slu_unpack_record(frame, size, &item->record))
        return 0;
    if (tag == SLU_TAG_DEFINITION && !slu_definition_unpack(frame, size, &item->definition))
        return 0;
    item->kind = tag == SLU_TAG_RECORD       ? SLU_SCAN_RECORD
                 : tag == SLU_TAG_DEFINITION ? SLU_SCAN_DEFINITION
                                             : SLU_SCAN_FOOTER;
    item->offset = at;
    item->bytes = size;
    item->frame = frame;
    return (int64_t)size;
}

static void pass(struct slu_scan *scan, const struct slu_scan_item *item)
{
    scan->at = item->offset + item->bytes;
    if (item->kind == SLU_SCAN_RECORD)
        scan->last_seq = item->record.seq;
    else if (item->kind == SLU_SCAN_DEFINITION && item->definition.kind == SLU_DEFINE_RUN)
        scan->last_seq = item->definition.seq - 1;
}

/* How many records at most lay between the last one and this item. */
static uint64_t lost_before(const struct slu_scan *scan, const struct slu_scan_item *item,
                            uint64_t bytes)
{
    const uint64_t fit = (bytes + RECORD_LEAST - 1) / RECORD_LEAST;
    const uint64_t next = item->kind == SLU_SCAN_RECORD       ? item->record.seq
                          : item->kind == SLU_SCAN_DEFINITION ? item->definition.seq
                                                              : slu_unpack_seq(item->frame) + 1;
    const uint64_t gap = next - scan->last_seq - 1;
    return gap < fit ? gap : fit;
}

/* Bytes from `at` that are zero for sure and need no closer look. */
static size_t zeros(const uint8_t *at, size_t n)
{
    size_t i = 0;
    uint64_t word = 0;

    for (; i + 8 <= n; i += 8) {
        memcpy(&word, at + i, 8);
        if (word != 0)
            break;
    }
    return i;
}

/* Look for the next valid frame behind scan->at. */
static enum slu_scan_kind search(struct slu_scan *scan, struct slu_scan_item *item,
                                 struct slu_err *err)
{
    uint64_t vain = 0;
    uint64_t dirty_end = scan->at;

    for (uint64_t at = scan->at; at < scan->end;) {
        const int64_t there = need(scan, at, SLU_PACK_FRAME_BYTES, false, err);
        if (there < 0)
            return SLU_SCAN_ERROR;
        if (there == 0)
            break;
        /* A frame has no 8 zero bytes at its begin, its word and seq lie there: zeros are passed in
         * leaps, all but the last 8, where a CRC that happens to be 0 might begin. */
        const size_t leap = zeros(buffered(scan, at), (size_t)there);
        if (leap > 8) {
            at += leap - 8 + (at + leap == scan->end ? 8 : 0);
            continue;
        }
        if (*buffered(scan, at) != 0)
            dirty_end = at + 1;
        if (vain < VAIN_BYTES && there >= (int64_t)SLU_PACK_FRAME_BYTES && at > scan->at) {
            const size_t claimed = looks_like(scan, buffered(scan, at));
            const int64_t size = claimed == 0 ? 0 : take_frame(scan, at, item, false, err);
            if (size < 0)
                return SLU_SCAN_ERROR;
            if (size > 0) {
                const uint64_t bytes = at - scan->at;
                const uint64_t lost = lost_before(scan, item, bytes);
                *item = (struct slu_scan_item){
                    .kind = SLU_SCAN_DAMAGE, .offset = scan->at, .bytes = bytes, .lost = lost};
                scan->at = at;
                return item->kind;
            }
            vain += claimed;
        }
        at++;
    }
    *item = (struct slu_scan_item){.kind = SLU_SCAN_END,
                                   .offset = scan->at,
                                   .bytes = scan->end > scan->at ? scan->end - scan->at : 0,
                                   .dirty_end = dirty_end};
    return item->kind;
}

enum slu_scan_kind slu_scan_next(struct slu_scan *scan, struct slu_scan_item *item, bool in_buffer,
                                 struct slu_err *err)
{
    const int64_t size = take_frame(scan, scan->at, item, in_buffer, err);
    if (size == -1)
        return item->kind = SLU_SCAN_ERROR;
    if (size == -2)
        return item->kind = SLU_SCAN_LATER;
    if (size > 0) {
        pass(scan, item);
        return item->kind;
    }
    if (in_buffer && scan->at < scan->end)
        return item->kind = SLU_SCAN_LATER;
    return item->kind = search(scan, item, err);
}
