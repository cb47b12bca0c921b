/* container.c -- see container.h. Writes headers and blocks. */
#include "sinks/container.h"

#include "sinks/deflate.h"
#include "sinks/zstandard.h"
#include "validation/avro/encode.h"

const char *const slu_codec_names[SLU_CODECS] = {
    [SLU_CODEC_NULL] = "null",
    [SLU_CODEC_DEFLATE] = "deflate",
    [SLU_CODEC_ZSTANDARD] = "zstandard",
};

enum slu_codec slu_codec_named(struct slu_slice name)
{
    int codec = 0;
    while (codec < SLU_CODECS && !slu_slice_equal(name, slu_slice_of(slu_codec_names[codec])))
        codec++;
    return (enum slu_codec)codec;
}

static void add_bytes(struct slu_buf *out, struct slu_slice bytes)
{
    slu_avro_add_long(out, (int64_t)bytes.len);
    slu_buf_add_slice(out, bytes);
}

/* Forget what was added since `len`, and that it failed. Always false. */
static bool take_back(struct slu_buf *out, size_t len)
{
    slu_buf_cut(out, len);
    out->failed = false;
    return false;
}

bool slu_container_add_header(struct slu_buf *out, struct slu_slice schema, enum slu_codec codec,
                              const uint8_t sync[SLU_CONTAINER_SYNC_BYTES],
                              const struct slu_container_entry *more, size_t n_more)
{
    const size_t len = out->len;

    slu_buf_add(out, "Obj\1", 4);
    slu_avro_add_long(out, (int64_t)(2 + n_more));
    add_bytes(out, SLU_SLICE("avro.schema"));
    add_bytes(out, schema);
    add_bytes(out, SLU_SLICE("avro.codec"));
    add_bytes(out, slu_slice_of(slu_codec_names[codec]));
    for (size_t i = 0; i < n_more; i++) {
        add_bytes(out, slu_slice_of(more[i].key));
        add_bytes(out, more[i].value);
    }
    slu_avro_add_long(out, 0);
    return slu_buf_add(out, sync, SLU_CONTAINER_SYNC_BYTES) || take_back(out, len);
}

static bool pack(enum slu_codec codec, struct slu_slice raw, struct slu_buf *out)
{
    switch (codec) {
    case SLU_CODEC_DEFLATE:
        return slu_deflate_pack(raw, out);
    case SLU_CODEC_ZSTANDARD:
        return slu_zstandard_pack(raw, out);
    default:
        return slu_buf_add_slice(out, raw);
    }
}

/* How many bytes the packed objects take is known only afterwards, and stands before them: packed
 * behind the room for the longest number, then moved down. */
bool slu_container_add_block(struct slu_buf *out, uint64_t n, struct slu_slice objects,
                             enum slu_codec codec, const uint8_t sync[SLU_CONTAINER_SYNC_BYTES])
{
    const size_t len = out->len;
    static const char room[10];

    slu_avro_add_long(out, (int64_t)n);
    const size_t number_at = out->len;
    slu_buf_add(out, room, sizeof(room));
    const size_t packed_at = out->len;
    if (out->failed || !pack(codec, objects, out))
        return take_back(out, len);
    const size_t packed = out->len - packed_at;
    out->len = number_at;
    slu_avro_add_long(out, (int64_t)packed);
    memmove(out->data + out->len, out->data + packed_at, packed);
    out->len += packed;
    return slu_buf_add(out, sync, SLU_CONTAINER_SYNC_BYTES) || take_back(out, len);
}
