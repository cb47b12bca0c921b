/* record.c -- packs and unpacks records. The bytes are specified at the top of segment.c. */
#include "base/crc32c.h"
#include "base/properties.h"
#include "sinks/spool/bytes.h"
#include "sinks/spool/pack.h"

#include <string.h>

/* Bits of the word, above the 22 of the size. */
#define WORD_QOS(qos)         ((uint32_t)(qos) << 22)
#define WORD_RETAIN           (UINT32_C(1) << 24)
#define WORD_EVENT            (UINT32_C(1) << 25)
#define WORD_QUALITY(quality) ((uint32_t)(quality) << 26)
#define WORD_TAG(tag)         ((uint32_t)(tag) << 29)

/* Qualities by their two bits. */
static const uint8_t qualities[4] = {192, 64, 0, 0};

uint32_t slu_pack_seed(const uint8_t spool_id[16])
{
    return slu_crc32c(0, spool_id, 16);
}

/* The longest run of whole properties that fits the 16-bit length. */
static size_t cut_properties(struct slu_slice packed)
{
    struct slu_property property;
    size_t at = 0, whole = 0;

    while (slu_properties_next(packed, &at, &property) && at <= UINT16_MAX)
        whole = at;
    return whole;
}

size_t slu_pack_size(struct slu_record *record)
{
    if (__builtin_expect(record->properties.len > UINT16_MAX, 0))
        record->properties.len = cut_properties(record->properties);
    if ((record->topic.len | record->client_id.len | record->username.len) > UINT16_MAX ||
        record->payload.len > SLU_RECORD_MAX_BYTES)
        return 0;

    const size_t size = SLU_PACK_RECORD_BYTES + (record->event_ns != record->time_ns ? 8u : 0u) +
                        record->topic.len + record->client_id.len + record->username.len +
                        record->properties.len + record->payload.len;
    return size <= SLU_RECORD_MAX_BYTES ? size : 0;
}

static inline uint8_t *put_slice(uint8_t *at, struct slu_slice slice)
{
    if (slice.len == 0)
        return at;
    memcpy(at, slice.data, slice.len);
    return at + slice.len;
}

static inline uint32_t quality_bits(uint8_t quality)
{
    return quality >= 192 ? 0 : quality >= 64 ? 1 : 2;
}

void slu_pack_record(uint8_t *at, const struct slu_record *record, uint32_t sinks, size_t size,
                     uint32_t seed)
{
    const bool has_event = record->event_ns != record->time_ns;
    const uint64_t bits = (uint64_t)(record->kind & 3u) << 55 |
                          (uint64_t)(record->format & 15u) << 57 |
                          (uint64_t)(record->framing & 7u) << 61;

    slu_put_u32(at + 4, (uint32_t)size | WORD_QOS(record->qos & 3u) |
                            (record->retain ? WORD_RETAIN : 0) | (has_event ? WORD_EVENT : 0) |
                            WORD_QUALITY(quality_bits(record->quality)) | WORD_TAG(SLU_TAG_RECORD));
    slu_put_u64(at + 8, record->seq | bits);
    slu_put_u64(at + 16, (uint64_t)record->time_ns);
    slu_put_u32(at + 24, sinks);
    slu_put_u16(at + 28, record->policy);
    slu_put_u16(at + 30, record->schema);
    slu_put_u16(at + 32, (uint16_t)record->topic.len);
    slu_put_u16(at + 34, (uint16_t)record->client_id.len);
    slu_put_u16(at + 36, (uint16_t)record->username.len);
    slu_put_u16(at + 38, (uint16_t)record->properties.len);

    uint8_t *text = at + SLU_PACK_RECORD_BYTES;
    if (has_event) {
        slu_put_u64(text, (uint64_t)record->event_ns);
        text += 8;
    }
    text = put_slice(text, record->topic);
    text = put_slice(text, record->client_id);
    text = put_slice(text, record->username);
    text = put_slice(text, record->properties);
    put_slice(text, record->payload);
    slu_put_u32(at, slu_crc32c(seed, at + 4, size - 4));
}

void slu_frame_finish(uint8_t *at, size_t size, enum slu_tag tag, uint64_t seq, unsigned extra,
                      uint32_t seed)
{
    slu_put_u32(at + 4, (uint32_t)size | WORD_TAG(tag));
    slu_put_u64(at + 8, (seq & SLU_SEQ_MAX) | (uint64_t)(extra & 0x1FFu) << 55);
    slu_put_u32(at, slu_crc32c(seed, at + 4, size - 4));
}

void slu_frame_reseed(uint8_t *at, uint32_t seed)
{
    slu_put_u32(at, slu_crc32c(seed, at + 4, slu_frame_bytes(slu_get_u32(at + 4)) - 4));
}

size_t slu_frame_check(const uint8_t *at, size_t n, uint32_t seed, unsigned *tag, uint64_t *seq)
{
    if (n < SLU_PACK_FRAME_BYTES)
        return 0;
    const uint32_t word = slu_get_u32(at + 4);
    const size_t size = slu_frame_bytes(word);
    if (size < SLU_PACK_FRAME_BYTES || size > n)
        return 0;
    if (slu_get_u32(at) != slu_crc32c(seed, at + 4, size - 4))
        return 0;
    *tag = slu_frame_tag(word);
    *seq = slu_get_u64(at + 8) & SLU_SEQ_MAX;
    return size;
}

static inline struct slu_slice take_slice(const uint8_t **at, size_t len)
{
    const struct slu_slice slice = slu_slice((const char *)*at, len);
    *at += len;
    return slice;
}

bool slu_unpack_record(const uint8_t *at, size_t size, struct slu_record *record)
{
    if (size < SLU_PACK_RECORD_BYTES)
        return false;
    const uint32_t word = slu_get_u32(at + 4);
    const uint64_t bits = slu_get_u64(at + 8);
    const bool has_event = (word & WORD_EVENT) != 0;
    const size_t topic = slu_get_u16(at + 32), client_id = slu_get_u16(at + 34);
    const size_t username = slu_get_u16(at + 36), properties = slu_get_u16(at + 38);
    const size_t before =
        SLU_PACK_RECORD_BYTES + (has_event ? 8u : 0u) + topic + client_id + username + properties;
    if (slu_frame_tag(word) != SLU_TAG_RECORD || size != slu_frame_bytes(word) || before > size)
        return false;

    record->seq = bits & SLU_SEQ_MAX;
    record->kind = (uint8_t)(bits >> 55 & 3u);
    record->format = (uint8_t)(bits >> 57 & 15u);
    record->framing = (uint8_t)(bits >> 61);
    record->qos = (uint8_t)(word >> 22 & 3u);
    record->retain = (word & WORD_RETAIN) != 0;
    record->quality = qualities[word >> 26 & 3u];
    record->time_ns = (int64_t)slu_get_u64(at + 16);
    record->event_ns = record->time_ns;
    record->sinks = slu_get_u32(at + 24);
    record->policy = slu_get_u16(at + 28);
    record->schema = slu_get_u16(at + 30);

    const uint8_t *text = at + SLU_PACK_RECORD_BYTES;
    if (has_event) {
        record->event_ns = (int64_t)slu_get_u64(text);
        text += 8;
    }
    record->topic = take_slice(&text, topic);
    record->client_id = take_slice(&text, client_id);
    record->username = take_slice(&text, username);
    record->properties = take_slice(&text, properties);
    record->payload = take_slice(&text, size - before);
    return record->seq != 0;
}

uint32_t slu_unpack_sinks(const uint8_t *at)
{
    return slu_get_u32(at + 24);
}

int64_t slu_unpack_time(const uint8_t *at)
{
    return (int64_t)slu_get_u64(at + 16);
}

uint64_t slu_unpack_seq(const uint8_t *at)
{
    return slu_get_u64(at + 8) & SLU_SEQ_MAX;
}
