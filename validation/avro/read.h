/* read.h -- a message in Avro's binary encoding, proved and read into the value tree of payload.h, so
 * that limits, templates, JSON Schemas and alerts work on it as on JSON.
 *
 *   bytes ── framing ──▶ body, its schema ── walk ──▶ value tree, or the reason why not: avro.*
 *
 *   raw             body
 *   single_object   C3 01, the schema's CRC-64-AVRO in little endian, body
 *   confluent       00, the id a registry gave the schema in big endian (4 bytes), body
 *   auto            C3 01 and a known fingerprint: single_object; 00 and a known id: confluent; else
 *                   raw. Where that does not read either and the bytes began with 00 or C3 01, the
 *                   schema they may have named is unknown
 *
 * Avro as JSON: a union is the bare value; bytes and fixed a string of code points 0–255; an enum its
 * symbol; a decimal a number with its digits; date, time and timestamp their integer; a duration
 * [months, days, milliseconds]; a uuid a string; NaN and infinities the strings NaN, Infinity and
 * -Infinity; a float the double that has its value.
 *
 * Bounds. Nesting 64 deep; at most 4,096 cells and 4 more for each byte; a message that reads has cost no
 * more memory than that and its own texts. A map may not have a key twice. Nothing is trusted: each
 * length, count and index is checked against what is there before it is used.
 *
 * Threads: a reader belongs to one thread.
 */
#ifndef SLU_AVRO_READ_H
#define SLU_AVRO_READ_H

#include "validation/avro/schema.h"
#include "validation/payload/payload.h"

#include <stdbool.h>
#include <stddef.h>

/* The first three are on disk (record.h) and never change. */
enum slu_avro_framing {
    SLU_AVRO_RAW,
    SLU_AVRO_SINGLE_OBJECT,
    SLU_AVRO_CONFLUENT,
    SLU_AVRO_AUTO,
    SLU_AVRO_FRAMINGS,
};

/* "raw", …; the names of the configuration. */
extern const char *const slu_avro_framing_names[SLU_AVRO_FRAMINGS];

/* What a message may be: written with one of these schemas. Without a name in the message they are
 * tried in order. Borrowed. */
struct slu_avro_choice {
    const struct slu_avro_schema *const *schemas;
    size_t n; /* at least 1 */
    size_t
        n_named; /* so many more behind them, which only a message that names them is read with */
    enum slu_avro_framing framing;
    bool
        any_id; /* confluent: whatever the id, it is the first schema's (for who has no registry) */
};

/* What it was. */
struct slu_avro_origin {
    const struct slu_avro_schema *schema; /* that read it, or was to; NULL: none was named */
    enum slu_avro_framing framing;        /* never auto */
};

struct slu_avro_reader;

/* `max_bytes`: beyond it a message is too large. NULL: no memory. */
struct slu_avro_reader *slu_avro_reader_new(size_t max_bytes);
void slu_avro_reader_free(struct slu_avro_reader *reader);

/* Read `bytes`. True when they hold; else payload->root is NULL and the fault_… members say why. The
 * tree is borrowed from reader, bytes and schema until the reader's next message. `origin` may be
 * NULL. No bytes at all are payload.empty in any framing, unless they are raw and a value of the schema
 * takes none. */
bool slu_avro_read(struct slu_avro_reader *reader, const struct slu_avro_choice *choice,
                   struct slu_slice bytes, struct slu_payload *payload,
                   struct slu_avro_origin *origin);

#endif
