/* segment.c -- the bytes of the spool.
 *
 * This is the specification of every byte the spool leaves on disk, with ring.c (the ring), slots.h,
 * cursor.c and identity.c (the two small files). Integers are little endian, nothing is aligned.
 *
 *   <data_dir>/lock             empty but for the pid of the holder; held by flock(2)
 *   <data_dir>/spool/id         identity and reservation of sequence numbers       identity.c
 *   <data_dir>/spool/ring       what was appended last                             ring.c
 *   <data_dir>/spool/<seq20>.seg      segment that begins at that seq              here
 *   <data_dir>/spool/<sink>.cursor    how far a sink is                            cursor.c
 *   <data_dir>/spool/<seq20>-<offset>.damaged   bytes set aside by a recovery, for a person
 *   <data_dir>/spool/….new     a file being made; deleted at the next start
 *
 *
 * A segment
 *
 *   ┌────────┬─────────────┬────────┬────────┬────────────┬────────┬─ ─┬────────┐
 *   │ header │ definitions │ record │ record │ late defin.│ record │   │ footer │  sealed: ends here
 *   └────────┴─────────────┴────────┴────────┴────────────┴────────┴─ ─┴────────┘
 *   ┌────────┬─────────────┬────────┬────────┬─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─┐
 *   │ header │ definitions │ record │ record │ zeros, fallocated ahead            │  the newest one
 *   └────────┴─────────────┴────────┴────────┴─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─┘
 *
 *   Its records have seq ≥ its own base (its name) and < the base of the next one. After a failed
 *   sync a segment is left as it is and what was not durable is written again to a new one; so an
 *   unsealed segment that is not the newest may hold copies of what follows, which that rule tells.
 *   A segment is never written again once a newer one exists, and never recycled.
 *
 * Header, 64 bytes
 *
 *   0   prologue: "SLUSEG\0\0", u32 version, CRC (files.h)
 *   16  u64 base seq
 *   24  spool_id, 16 bytes: the seed of every CRC in this file
 *   40  i64 time of its making, ns since 1970
 *   48  zeros
 *   60  u32 CRC-32C of bytes 0 … 59
 *
 * Frame: what records, definitions and the footer have in common
 *
 *   0   u32 crc   CRC-32C of bytes 4 … size, started from the CRC-32C of the spool_id
 *   4   u32 word  bits 0–21   size of the frame, all its bytes
 *                 bits 22–28  records: see below; else 0
 *                 bits 29–31  tag: 5 record, 6 definition, 3 footer
 *   8   u64       bits 0–54   seq
 *                 bits 55–63  records: see below; definitions: kind; else 0
 *
 * Record: 40 bytes, 48 with an event time, then the texts; no padding
 *
 *   4   word: bits 22–23 qos, 24 retain, 25 has an event time, 26–27 quality (0: 192, 1: 64, 2: 0),
 *       28 zero
 *   8   bits 55–56 kind, 57–60 format, 61–63 framing; numbers of record.h
 *   16  i64 arrival, ns since 1970
 *   24  u32 sinks, a bit each
 *   28  u16 policy   32  u16 topic bytes       36  u16 username bytes
 *   30  u16 schema   34  u16 client id bytes   38  u16 properties bytes
 *   40  i64 event time, if the word says so; else it is the arrival
 *   ..  topic, client id, username, properties, payload (to the end of the frame)
 *
 *   seq rises by 1 from record to record within a run of the broker; a start after a crash goes on at
 *   the next unreserved number (identity.c) and leaves a definition RUN where it begins.
 *
 * Definition: what numbers in records mean. Its seq is that of the next record.
 *
 *   8   bits 55–63 kind: 1 sink, 2 policy, 3 schema, 4 run
 *   16  u32 previous: where the late definition before this one begins in this file; 0: none, or not
 *       a late one. "Late" are those behind the first record; the footer knows the last of them.
 *   20  u16 number   22  u16 name bytes   24  u16 type bytes   26  u16 zero
 *   28  name, type, text (to the end)
 *
 *   Sinks have their bit as number, and a type. Schemas have a type ("json-schema") and their text. A
 *   segment begins with the definitions of all sinks and of every policy and schema its records may
 *   use, so each segment can be read without the others and without the configuration.
 *
 * Footer: 192 bytes, the last of the file. Its seq is that of the last record, base - 1 without any.
 *
 *   16  u64 base seq   24  u64 records   32  i64 first arrival   40  i64 last arrival
 *   48  u32 where the last late definition begins; 0: none
 *   52  32 × u32 records of each sink, by bit
 *   180 zeros
 *
 *   Counts are of records that were whole when the segment was sealed. What a reader finds less is
 *   damaged: that is how damage is counted for the sinks it was meant for.
 */
#include "sinks/spool/segment.h"

#include "base/crc32c.h"
#include "sinks/spool/bytes.h"
#include "sinks/spool/files.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char magic[8] = "SLUSEG";

#define HEADER_CRC_AT    60u
#define DEFINITION_BYTES 28u /* before its texts */

void slu_segment_name(uint64_t base_seq, char out[SLU_SEGMENT_NAME_SIZE])
{
    (void)snprintf(out, SLU_SEGMENT_NAME_SIZE, "%020" PRIu64 ".seg", base_seq);
}

bool slu_segment_name_parse(const char *name, uint64_t *base_seq)
{
    uint64_t seq = 0;

    if (strlen(name) != 24 || strcmp(name + 20, ".seg") != 0)
        return false;
    for (size_t i = 0; i < 20; i++) {
        if (name[i] < '0' || name[i] > '9')
            return false;
        const uint64_t digit = (uint64_t)(name[i] - '0');
        if (seq > (SLU_SEQ_MAX - digit) / 10)
            return false;
        seq = seq * 10 + digit;
    }
    *base_seq = seq;
    return seq > 0;
}

void slu_segment_header_write(uint8_t out[SLU_SEGMENT_HEADER_BYTES], uint64_t base_seq,
                              const uint8_t spool_id[16], int64_t now_ns)
{
    memset(out, 0, SLU_SEGMENT_HEADER_BYTES);
    slu_prologue_write(out, magic);
    slu_put_u64(out + 16, base_seq);
    memcpy(out + 24, spool_id, 16);
    slu_put_u64(out + 40, (uint64_t)now_ns);
    slu_put_u32(out + HEADER_CRC_AT, slu_crc32c(0, out, HEADER_CRC_AT));
}

int slu_segment_header_read(const uint8_t bytes[SLU_SEGMENT_HEADER_BYTES], const char *name,
                            uint64_t base_seq, uint8_t spool_id[16], struct slu_err *err)
{
    const int prologue = slu_prologue_check(bytes, magic, name, err);
    if (prologue != 0)
        return prologue;
    if (slu_get_u32(bytes + HEADER_CRC_AT) != slu_crc32c(0, bytes, HEADER_CRC_AT) ||
        slu_get_u64(bytes + 16) != base_seq)
        return 1;
    memcpy(spool_id, bytes + 24, 16);
    return 0;
}

bool slu_definition_pack(struct slu_buf *out, const struct slu_definition *definition,
                         uint32_t seed)
{
    const size_t size =
        DEFINITION_BYTES + definition->name.len + definition->type.len + definition->text.len;
    if (definition->name.len > UINT16_MAX || definition->type.len > UINT16_MAX ||
        size > SLU_RECORD_MAX_BYTES)
        return false;
    uint8_t *at = (uint8_t *)slu_buf_room(out, size);
    if (at == NULL)
        return false;

    memset(at, 0, DEFINITION_BYTES);
    slu_put_u32(at + 16, definition->previous);
    slu_put_u16(at + 20, definition->number);
    slu_put_u16(at + 22, (uint16_t)definition->name.len);
    slu_put_u16(at + 24, (uint16_t)definition->type.len);
    uint8_t *text = at + DEFINITION_BYTES;
    const struct slu_slice texts[] = {definition->name, definition->type, definition->text};
    for (size_t i = 0; i < 3; i++) {
        if (texts[i].len > 0)
            memcpy(text, texts[i].data, texts[i].len);
        text += texts[i].len;
    }
    slu_frame_finish(at, size, SLU_TAG_DEFINITION, definition->seq, (unsigned)definition->kind,
                     seed);
    slu_buf_grew(out, size);
    return true;
}

bool slu_definition_unpack(const uint8_t *at, size_t size, struct slu_definition *definition)
{
    if (size < DEFINITION_BYTES)
        return false;
    const size_t name = slu_get_u16(at + 22), type = slu_get_u16(at + 24);
    const uint64_t kind = slu_get_u64(at + 8) >> 55;
    if (DEFINITION_BYTES + name + type > size || kind < SLU_DEFINE_SINK || kind > SLU_DEFINE_RUN)
        return false;

    const char *text = (const char *)at + DEFINITION_BYTES;
    definition->kind = (enum slu_definition_kind)kind;
    definition->seq = slu_unpack_seq(at);
    definition->previous = slu_get_u32(at + 16);
    definition->number = slu_get_u16(at + 20);
    definition->name = slu_slice(text, name);
    definition->type = slu_slice(text + name, type);
    definition->text = slu_slice(text + name + type, size - DEFINITION_BYTES - name - type);
    return true;
}

void slu_footer_write(uint8_t out[SLU_SEGMENT_FOOTER_BYTES], const struct slu_footer *footer,
                      uint32_t seed)
{
    memset(out, 0, SLU_SEGMENT_FOOTER_BYTES);
    slu_put_u64(out + 16, footer->base_seq);
    slu_put_u64(out + 24, footer->records);
    slu_put_u64(out + 32, (uint64_t)footer->first_time_ns);
    slu_put_u64(out + 40, (uint64_t)footer->last_time_ns);
    slu_put_u32(out + 48, footer->late_definition);
    for (size_t i = 0; i < SLU_SINKS_MAX; i++)
        slu_put_u32(out + 52 + 4 * i, footer->counts[i]);
    slu_frame_finish(out, SLU_SEGMENT_FOOTER_BYTES, SLU_TAG_FOOTER, footer->last_seq, 0, seed);
}

bool slu_footer_read(const uint8_t bytes[SLU_SEGMENT_FOOTER_BYTES], uint64_t base_seq,
                     uint32_t seed, struct slu_footer *footer)
{
    unsigned tag = 0;
    uint64_t last_seq = 0;
    const size_t size = slu_frame_check(bytes, SLU_SEGMENT_FOOTER_BYTES, seed, &tag, &last_seq);
    if (size != SLU_SEGMENT_FOOTER_BYTES || tag != SLU_TAG_FOOTER ||
        slu_get_u64(bytes + 16) != base_seq)
        return false;

    footer->base_seq = base_seq;
    footer->last_seq = last_seq;
    footer->records = slu_get_u64(bytes + 24);
    footer->first_time_ns = (int64_t)slu_get_u64(bytes + 32);
    footer->last_time_ns = (int64_t)slu_get_u64(bytes + 40);
    footer->late_definition = slu_get_u32(bytes + 48);
    for (size_t i = 0; i < SLU_SINKS_MAX; i++)
        footer->counts[i] = slu_get_u32(bytes + 52 + 4 * i);
    return true;
}
