/* container_read.c -- see container.h. Reads headers and blocks back, believing nothing.
 *
 * A header's length is known when it was read, so it is tried with the first 64 KiB, then with twice
 * as much, up to its bound. Of a block only its two numbers and its sync marker are read: what lies
 * between is read by who wants the objects.
 */
#include "sinks/container.h"

#include "sinks/deflate.h"
#include "sinks/zstandard.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define HEADER_FIRST_BYTES (64u << 10)
#define ENTRIES_MAX        64u /* of a header's metadata */
#define VARINT_MAX         10u

/* ---- bytes ------------------------------------------------------------------------------------------- */

/* Up to `n` bytes at `at`; fewer only at the end of the file. -1 and errno. */
static ssize_t read_at(int fd, void *bytes, size_t n, off_t at)
{
    size_t done = 0;

    while (done < n) {
        const ssize_t got = pread(fd, (char *)bytes + done, n - done, at + (off_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

/* What is left to parse. */
struct cursor {
    const uint8_t *at, *end;
};

/* A zigzag varint that is not negative. False: there is none. */
static bool take_count(struct cursor *cursor, uint64_t *number)
{
    uint64_t bits = 0;

    for (unsigned i = 0; i < VARINT_MAX && cursor->at + i < cursor->end; i++) {
        const uint8_t byte = cursor->at[i];
        if (i == VARINT_MAX - 1 && byte > 1)
            return false;
        bits |= (uint64_t)(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) != 0)
            continue;
        cursor->at += i + 1;
        *number = bits >> 1;
        return (bits & 1) == 0;
    }
    return false;
}

static bool take_bytes(struct cursor *cursor, struct slu_slice *bytes)
{
    uint64_t n;

    if (!take_count(cursor, &n) || n > (uint64_t)(cursor->end - cursor->at))
        return false;
    *bytes = slu_slice((const char *)cursor->at, (size_t)n);
    cursor->at += n;
    return true;
}

/* ---- header ------------------------------------------------------------------------------------------ */

struct header {
    struct slu_slice schema, codec;
};

static void keep_entry(struct header *header, struct slu_slice key, struct slu_slice value)
{
    if (slu_slice_equal(key, SLU_SLICE("avro.schema")))
        header->schema = value;
    if (slu_slice_equal(key, SLU_SLICE("avro.codec")))
        header->codec = value;
}

/* False: no header, or not all of it. */
static bool parse_header(struct cursor *cursor, struct header *header)
{
    struct slu_slice key, value;
    uint64_t n;

    if (cursor->end - cursor->at < 4 || memcmp(cursor->at, "Obj\1", 4) != 0)
        return false;
    cursor->at += 4;
    *header = (struct header){.codec = SLU_SLICE("null")};
    for (unsigned left = ENTRIES_MAX; take_count(cursor, &n) && n <= left; left -= (unsigned)n) {
        if (n == 0)
            return cursor->end - cursor->at >= (ptrdiff_t)SLU_CONTAINER_SYNC_BYTES;
        for (uint64_t i = 0; i < n; i++) {
            if (!take_bytes(cursor, &key) || !take_bytes(cursor, &value))
                return false;
            keep_entry(header, key, value);
        }
    }
    return false;
}

/* Of the first `n` bytes. */
static enum slu_container_answer try_header(struct slu_container *container, const uint8_t *bytes,
                                            size_t n, struct slu_buf *schema, struct slu_err *err)
{
    struct cursor cursor = {bytes, bytes + n};
    struct header header;

    if (!parse_header(&cursor, &header))
        return SLU_CONTAINER_BROKEN;
    container->codec = slu_codec_named(header.codec);
    if (container->codec == SLU_CODECS || header.schema.len == 0)
        return SLU_CONTAINER_BROKEN;
    memcpy(container->sync, cursor.at, SLU_CONTAINER_SYNC_BYTES);
    container->at = (off_t)(cursor.at - bytes) + (off_t)SLU_CONTAINER_SYNC_BYTES;
    if (schema == NULL || slu_buf_add_slice(schema, header.schema))
        return SLU_CONTAINER_WHOLE;
    slu_err_set(err, SLU_ENOMEM, "no memory for a file's schema");
    return SLU_CONTAINER_FAILED;
}

enum slu_container_answer slu_container_open(struct slu_container *container, int fd, off_t size,
                                             struct slu_buf *schema, struct slu_err *err)
{
    enum slu_container_answer answer = SLU_CONTAINER_BROKEN;
    size_t wanted = HEADER_FIRST_BYTES;
    uint8_t *bytes = NULL;

    *container = (struct slu_container){.fd = fd, .size = size};
    if (schema != NULL)
        slu_buf_reset(schema);
    if (size <= 0)
        return SLU_CONTAINER_END;
    for (;; wanted *= 2) {
        const size_t n = (uint64_t)size < wanted ? (size_t)size : wanted;
        uint8_t *more = realloc(bytes, n);
        const ssize_t got = more != NULL ? read_at(fd, more, n, 0) : -1;
        if (got < 0) {
            const int sys = more != NULL ? errno : ENOMEM;
            free(more != NULL ? more : bytes);
            slu_err_system(err, sys, "cannot read a file back");
            return SLU_CONTAINER_FAILED;
        }
        bytes = more;
        answer = try_header(container, bytes, (size_t)got, schema, err);
        if (answer != SLU_CONTAINER_BROKEN || (size_t)got < wanted ||
            memcmp(bytes, "Obj\1", 4) != 0 || wanted >= SLU_CONTAINER_HEADER_MAX)
            break;
    }
    free(bytes);
    return answer;
}

/* ---- blocks ------------------------------------------------------------------------------------------ */

enum slu_container_answer slu_container_next(struct slu_container *container,
                                             struct slu_container_block *block, struct slu_err *err)
{
    uint8_t head[2 * VARINT_MAX], sync[SLU_CONTAINER_SYNC_BYTES];
    const uint64_t left = (uint64_t)(container->size - container->at);
    ssize_t got;

    if (left == 0)
        return SLU_CONTAINER_END;
    got = read_at(container->fd, head, left < sizeof(head) ? (size_t)left : sizeof(head),
                  container->at);
    struct cursor cursor = {head, head + (got > 0 ? got : 0)};
    uint64_t n = 0, bytes = 0;
    if (got >= 0 && (!take_count(&cursor, &n) || !take_count(&cursor, &bytes) || n == 0 ||
                     bytes == 0 || bytes > SLU_CONTAINER_BLOCK_MAX))
        return SLU_CONTAINER_BROKEN;
    const uint64_t before = (uint64_t)(cursor.at - head);
    if (got >= 0 && left - before < bytes + SLU_CONTAINER_SYNC_BYTES)
        return SLU_CONTAINER_BROKEN;
    *block = (struct slu_container_block){
        .start = container->at,
        .n = n,
        .objects = container->at + (off_t)before,
        .bytes = (size_t)bytes,
        .end = container->at + (off_t)(before + bytes + SLU_CONTAINER_SYNC_BYTES),
    };
    if (got >= 0)
        got = read_at(container->fd, sync, sizeof(sync), block->objects + (off_t)bytes);
    if (got < 0) {
        slu_err_system(err, errno, "cannot read a file back");
        return SLU_CONTAINER_FAILED;
    }
    if (got != (ssize_t)sizeof(sync) || memcmp(sync, container->sync, sizeof(sync)) != 0)
        return SLU_CONTAINER_BROKEN;
    container->at = block->end;
    return SLU_CONTAINER_WHOLE;
}

/* As the codecs: 1, 0 damaged, -1 no memory. */
static int unpack(enum slu_codec codec, struct slu_slice packed, size_t max, struct slu_buf *out)
{
    switch (codec) {
    case SLU_CODEC_DEFLATE:
        return slu_deflate_unpack(packed, max, out);
    case SLU_CODEC_ZSTANDARD:
        return slu_zstandard_unpack(packed, max, out);
    default:
        if (packed.len > max)
            return 0;
        return slu_buf_add_slice(out, packed) ? 1 : -1;
    }
}

enum slu_container_answer slu_container_unpack(const struct slu_container *container,
                                               const struct slu_container_block *block,
                                               struct slu_buf *objects, struct slu_err *err)
{
    char *packed = malloc(block->bytes);
    const ssize_t got =
        packed != NULL ? read_at(container->fd, packed, block->bytes, block->objects) : -1;
    const int sys = packed != NULL ? errno : ENOMEM;
    int result = 0;

    slu_buf_reset(objects);
    if (got >= 0 && (size_t)got == block->bytes)
        result =
            unpack(container->codec, slu_slice(packed, block->bytes), objects->max - 1, objects);
    free(packed);
    if (got >= 0 && result >= 0)
        return result > 0 ? SLU_CONTAINER_WHOLE : SLU_CONTAINER_BROKEN;
    slu_err_system(err, result < 0 ? ENOMEM : sys, "cannot read a file back");
    return SLU_CONTAINER_FAILED;
}
