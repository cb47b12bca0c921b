/* encode.h -- JSON values to Avro's binary encoding: what a sink sends whose topic is typed.
 *
 *   value tree ──slu_avro_encode()──▶ bytes, or code and pointer of what does not fit
 *
 *   Avro                     JSON that is taken
 *   null, boolean            the same
 *   int, long                a number without fraction (1.0 and 1e3 are whole), in range
 *   float, double            a number, rounded to the nearest; "NaN", "Infinity", "-Infinity"
 *   string, enum             a string; one of the symbols
 *   bytes, fixed             a string of code points 0–255; a fixed of its exact size
 *   array, map, record       array, object, object
 *   decimal                  a number, or a string that is one: exact, digits beyond scale or precision are
 *                            refused
 *   uuid                     its text
 *   date                     days, or "2026-11-28"
 *   time-…                   a number in its unit, or "12:30:00.5"
 *   timestamp-…              a number in its unit, or RFC 3339 text; digits finer than the unit are cut off
 *   local-timestamp-…        the same, the text without a zone
 *   duration                 [months, days, milliseconds]
 *
 * Unions. Natural: the bare value goes to the branch that holds it best, exact ones first, and in the
 * order of the schema among equals. Avro-JSON, the specification's own: null, or {"type": value} with
 * the branch's (full) name. Bytes and fixed are code points there, whatever they
 * mean, as in a schema's defaults.
 *
 * A field that is missing gets its default; without one that is a fault, as is a member that the record
 * does not have.
 *
 * Cost is bounded: trying branches of branches ends after a number of steps that the value's size
 * allows. Threads: pure.
 */
#ifndef SLU_AVRO_ENCODE_H
#define SLU_AVRO_ENCODE_H

#include "base/buf.h"
#include "validation/avro/schema.h"
#include "validation/payload/payload.h"

enum slu_avro_dialect {
    SLU_AVRO_NATURAL,
    SLU_AVRO_JSON,
};

/* A tree, and how to get at a number's digits in it. */
struct slu_avro_source {
    const struct slu_value *root;
    struct slu_slice (*number_text)(const void *context, const struct slu_value *value,
                                    char scratch[32]);
    const void *context;
};

/* A payload that was read, as JSON or as Avro. */
struct slu_avro_source slu_avro_source_of(const struct slu_payload *payload);

struct slu_avro_options {
    enum slu_avro_dialect dialect;
    bool drop_unknown; /* members that the record does not have are left out */
};

/* Why not. */
struct slu_avro_complaint {
    enum slu_payload_fault fault; /* an avro. one, or TOO_LARGE: no room or memory; its code is
                                      slu_payload_codes[fault] */
    const struct slu_value *at;   /* the value, or the record that lacks a field */
    char text[160];               /* one clause for people */
};

/* Append the encoding of source->root to `out`, without a frame. False: `complaint`, and `out` is as
 * long as before. */
bool slu_avro_encode(const struct slu_avro_schema *schema, const struct slu_avro_source *source,
                     const struct slu_avro_options *options, struct slu_buf *out,
                     struct slu_avro_complaint *complaint);

/* Append a long as Avro writes it: a zigzag varint. */
bool slu_avro_add_long(struct slu_buf *out, int64_t number);

#endif
