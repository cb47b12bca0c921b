/* fuzz_record.c -- the readers of what lies on the disk, on arbitrary bytes.
 *
 * The first byte says how the rest is meant: a segment's frames or a ring. Where something looks like a
 * frame its CRC is put right first, so that the bytes get past the check and the code behind it is
 * what is tried. Whatever comes out must lie within the bytes that went in.
 */
#include "sinks/spool/bytes.h"
#include "sinks/spool/disk.h"
#include "sinks/spool/pack.h"
#include "sinks/spool/ring.h"
#include "sinks/spool/scan.h"
#include "sinks/spool/segment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SEED 0x12345678u

static struct {
    const uint8_t *bytes;
    size_t n;
} file;

static ssize_t read_memory(void *context, int fd, void *bytes, size_t n, off_t at)
{
    (void)context;
    (void)fd;
    if ((size_t)at >= file.n)
        return 0;
    const size_t left = file.n - (size_t)at;
    n = n < left ? n : left;
    memcpy(bytes, file.bytes + at, n);
    return (ssize_t)n;
}

static const struct slu_disk memory_disk = {.pread = read_memory};

/* Put the CRC of everything that claims to be a frame right, from the front. */
static void fix_up(uint8_t *bytes, size_t n, size_t at)
{
    while (at + SLU_PACK_FRAME_BYTES <= n) {
        const uint32_t word = slu_get_u32(bytes + at + 4);
        const size_t frame = slu_frame_bytes(word);
        const unsigned tag = slu_frame_tag(word);
        const bool is_frame =
            tag == SLU_TAG_RECORD || tag == SLU_TAG_DEFINITION || tag == SLU_TAG_FOOTER;
        if (!is_frame || frame < SLU_PACK_FRAME_BYTES || frame > n - at) {
            at++;
            continue;
        }
        slu_frame_reseed(bytes + at, SEED);
        at += frame;
    }
}

static void touch(struct slu_slice slice, const uint8_t *from, size_t n)
{
    if (slice.len > 0 &&
        ((const uint8_t *)slice.data < from || (const uint8_t *)slice.data + slice.len > from + n))
        abort();
}

static void check_record(const struct slu_record *record, const uint8_t *frame, size_t n)
{
    touch(record->topic, frame, n);
    touch(record->client_id, frame, n);
    touch(record->username, frame, n);
    touch(record->properties, frame, n);
    touch(record->payload, frame, n);

    /* What was unpacked packs to a record that unpacks to the same. */
    struct slu_record copy = *record;
    const size_t size = slu_pack_size(&copy);
    if (size == 0)
        return;
    uint8_t *packed = malloc(size);
    if (packed == NULL)
        return;
    struct slu_record again;
    slu_pack_record(packed, &copy, (uint32_t)copy.sinks, size, SEED);
    if (!slu_unpack_record(packed, size, &again) || again.seq != copy.seq ||
        again.event_ns != copy.event_ns || again.kind != copy.kind || again.format != copy.format ||
        again.quality != copy.quality || !slu_slice_equal(again.payload, copy.payload) ||
        !slu_slice_equal(again.topic, copy.topic))
        abort();
    free(packed);
}

static void walk_segment(const uint8_t *bytes, size_t n, size_t capacity)
{
    struct slu_scan scan;
    struct slu_scan_item item;
    uint64_t last_seq = 0, last_at = 0;

    file.bytes = bytes;
    file.n = n;
    slu_scan_init(&scan, &memory_disk, capacity);
    slu_scan_begin(&scan, 0, SEED, 0, n, 0, SLU_SEQ_MAX);
    while (slu_scan_next(&scan, &item, false, NULL) > SLU_SCAN_END) {
        if (item.offset < last_at || item.offset + item.bytes > n || item.bytes == 0)
            abort();
        last_at = item.offset;
        if (item.kind == SLU_SCAN_RECORD) {
            if (item.record.seq <= last_seq)
                abort();
            last_seq = item.record.seq;
            check_record(&item.record, item.frame, item.bytes);
        }
        if (item.kind == SLU_SCAN_DEFINITION) {
            touch(item.definition.name, item.frame, item.bytes);
            touch(item.definition.type, item.frame, item.bytes);
            touch(item.definition.text, item.frame, item.bytes);
            if (item.definition.kind == SLU_DEFINE_RUN)
                last_seq = item.definition.seq - 1;
        }
        if (item.kind == SLU_SCAN_FOOTER) {
            struct slu_footer footer;
            (void)slu_footer_read(item.frame, 1, SEED, &footer);
        }
    }
    slu_scan_fini(&scan);
}

static void scan_ring(const uint8_t *bytes, size_t n)
{
    static uint8_t ring[SLU_RING_HEADER_BYTES + (1 << 20)];
    struct slu_ring_record *found = NULL;
    uint64_t last_seq = 0;

    n = n < sizeof(ring) - SLU_RING_HEADER_BYTES ? n : sizeof(ring) - SLU_RING_HEADER_BYTES;
    memcpy(ring + SLU_RING_HEADER_BYTES, bytes, n);
    const int64_t n_found = slu_ring_scan(ring, SLU_RING_HEADER_BYTES + n, SEED, 0, &found);
    for (int64_t i = 0; i < n_found; i++) {
        struct slu_record record;
        if (found[i].seq <= last_seq ||
            !slu_unpack_record(ring + found[i].at, found[i].size, &record))
            abort();
        last_seq = found[i].seq;
        check_record(&record, ring + found[i].at, found[i].size);
    }
    free(found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const size_t n = size - 1;
    uint8_t *bytes = malloc(n + 1);
    if (bytes == NULL)
        return 0;
    memcpy(bytes, data + 1, n);
    if ((data[0] & 1) == 0)
        fix_up(bytes, n, 0);
    if ((data[0] & 6) == 6)
        scan_ring(bytes, n);
    else
        walk_segment(bytes, n, (data[0] & 2) != 0 ? 64 : 1 << 16);
    free(bytes);
    return 0;
}
