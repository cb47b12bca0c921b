/* deflate.c -- see deflate.h. The only file that knows zlib. */
#include "sinks/deflate.h"

#include <stdint.h>
#include <stdlib.h>

#define ZLIB_CONST /* input is const */
#include <zlib.h>

#define CHUNK_BYTES   (64u << 10)
#define GZIP_WINDOW   (15 + 16) /* zlib's way to say: gzip's header and trailer */
#define RAW_WINDOW    (-15)     /* … and: none at all */
#define MEMORY_LEVEL  8
#define DEFLATE_LEVEL 6

struct slu_gzip {
    z_stream stream;
    unsigned char to[CHUNK_BYTES];
};

struct slu_gzip *slu_gzip_new(void)
{
    struct slu_gzip *gzip = calloc(1, sizeof(*gzip));
    if (gzip == NULL)
        return NULL;
    if (deflateInit2(&gzip->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) == Z_OK)
        return gzip;
    free(gzip);
    return NULL;
}

void slu_gzip_free(struct slu_gzip *gzip)
{
    if (gzip == NULL)
        return;
    deflateEnd(&gzip->stream);
    free(gzip);
}

bool slu_gzip_pack(struct slu_gzip *gzip, const void *bytes, size_t n, bool is_last,
                   bool (*write)(void *context, const void *bytes, size_t n), void *context)
{
    gzip->stream.next_in = bytes;
    gzip->stream.avail_in = (uInt)n;
    do {
        gzip->stream.next_out = gzip->to;
        gzip->stream.avail_out = CHUNK_BYTES;
        deflate(&gzip->stream, is_last ? Z_FINISH : Z_NO_FLUSH);
        if (!write(context, gzip->to, CHUNK_BYTES - gzip->stream.avail_out))
            return false;
    } while (gzip->stream.avail_out == 0);
    return true;
}

static bool fits_uint(size_t n)
{
    return n <= UINT32_MAX / 2;
}

bool slu_deflate_pack(struct slu_slice raw, struct slu_buf *out)
{
    z_stream stream = {0};

    if (!fits_uint(raw.len) || deflateInit2(&stream, DEFLATE_LEVEL, Z_DEFLATED, RAW_WINDOW,
                                            MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    const uLong bound = deflateBound(&stream, (uLong)raw.len);
    char *to = slu_buf_room(out, bound);
    bool done = false;
    if (to != NULL) {
        stream.next_in = (const unsigned char *)raw.data;
        stream.avail_in = (uInt)raw.len;
        stream.next_out = (unsigned char *)to;
        stream.avail_out = (uInt)bound;
        done = deflate(&stream, Z_FINISH) == Z_STREAM_END;
        if (done)
            slu_buf_grew(out, stream.total_out);
    }
    deflateEnd(&stream);
    return done;
}

int slu_deflate_unpack(struct slu_slice packed, size_t max, struct slu_buf *out)
{
    z_stream stream = {0};

    if (!fits_uint(packed.len) || !fits_uint(max))
        return 0;
    if (inflateInit2(&stream, RAW_WINDOW) != Z_OK)
        return -1;
    char *to = slu_buf_room(out, max + 1); /* one more, so that too long is seen */
    int result = -1;
    if (to != NULL) {
        stream.next_in = (const unsigned char *)packed.data;
        stream.avail_in = (uInt)packed.len;
        stream.next_out = (unsigned char *)to;
        stream.avail_out = (uInt)max + 1;
        const int said = inflate(&stream, Z_FINISH);
        if (said == Z_STREAM_END && stream.avail_in == 0 && stream.total_out <= max)
            result = 1;
        else if (said != Z_MEM_ERROR)
            result = 0;
        if (result == 1)
            slu_buf_grew(out, stream.total_out);
    }
    inflateEnd(&stream);
    return result;
}
