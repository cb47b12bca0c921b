/* zstandard.c -- see zstandard.h. The only file that knows libzstd. */
#include "sinks/zstandard.h"

#include <zstd.h>
#include <zstd_errors.h>

#define LEVEL 3

bool slu_zstandard_pack(struct slu_slice raw, struct slu_buf *out)
{
    const size_t bound = ZSTD_compressBound(raw.len);
    ZSTD_CCtx *context = ZSTD_createCCtx();
    char *to = context != NULL ? slu_buf_room(out, bound) : NULL;
    bool done = false;

    if (to != NULL) {
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, LEVEL);
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
        const size_t n = ZSTD_compress2(context, to, bound, raw.data, raw.len);
        done = !ZSTD_isError(n);
        if (done)
            slu_buf_grew(out, n);
    }
    ZSTD_freeCCtx(context);
    return done;
}

/* Decompressing into memory that is there at once needs no window of its own: the frame may ask for
 * any, it gets none. */
int slu_zstandard_unpack(struct slu_slice packed, size_t max, struct slu_buf *out)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    char *to = context != NULL ? slu_buf_room(out, max + 1) : NULL;
    int result = -1;

    if (to != NULL) {
        const size_t n = ZSTD_decompressDCtx(context, to, max, packed.data, packed.len);
        if (!ZSTD_isError(n))
            slu_buf_grew(out, n);
        result = !ZSTD_isError(n);
        if (ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation)
            result = -1;
    }
    ZSTD_freeDCtx(context);
    return result;
}
