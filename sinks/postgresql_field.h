/* postgresql_field.h -- one value into one field of a COPY BINARY row, or the reason why not.
 *
 *   column type   takes
 *   text          text, numbers as written, true/false, JSON, times as RFC 3339, ids, bytes that are
 *                 UTF-8; nothing that holds U+0000
 *   boolean       booleans; the numbers 1 and 0; the words true false on off 1 0, any case
 *   smallint …    whole numbers that fit (1e2 and 5.0 are whole); booleans as 1 and 0; text that is
 *   bigint        such a number; times counted in `unit`
 *   real float8   numbers within range, rounded to the nearest; booleans; text that is a number, NaN,
 *                 Infinity or -Infinity; times counted in `unit`
 *   numeric       the same without loss
 *   timestamptz   numbers counted in `unit`, finer than µs rounded down; RFC 3339 text, years 0001 to
 *                 9999; times
 *   jsonb         everything that JSON can say, less U+0000 and numbers beyond numeric
 *   bytea         bytes; text as its UTF-8; ids
 *   uuid          ids; text of 32 hexadecimal digits, with the dashes or without
 *
 * An absent value and JSON's null are NULL everywhere.
 *
 * Threads: no state.
 */
#ifndef SLU_SINKS_POSTGRESQL_FIELD_H
#define SLU_SINKS_POSTGRESQL_FIELD_H

#include "base/buf.h"
#include "base/uuid.h"
#include "sinks/postgresql_plan.h"
#include "validation/payload/payload.h"

#include <locale.h>
#include <stdbool.h>
#include <stdint.h>

enum slu_pg_value_kind {
    SLU_PG_NULL,
    SLU_PG_TRUTH,  /* truth */
    SLU_PG_CELL,   /* cell: a number or a container of the payload's tree */
    SLU_PG_NUMBER, /* number: a small integer of our own */
    SLU_PG_STRING, /* text: UTF-8 */
    SLU_PG_RAW,    /* text: the payload as it came; json when it is JSON */
    SLU_PG_TIME,   /* time_ns */
    SLU_PG_ID,     /* id */
};

struct slu_pg_value {
    enum slu_pg_value_kind kind;
    bool truth;
    bool is_json;  /* RAW: text is a JSON text */
    bool is_jsonb; /* … and was found to be one that jsonb takes */
    int64_t number;
    int64_t time_ns; /* since 1970 */
    struct slu_slice text;
    struct slu_uuid id;
    const struct slu_value *cell;
    const struct slu_payload *payload; /* whose tree the cell is of */
};

/* Append length and bytes. NULL when it went well; else why the value cannot be that type, a clause
 * without any data of the record ("is not a whole number"); `out` is then as it was. Look at
 * out->failed for memory. `c_locale` reads numbers, whatever the process's locale is. */
const char *slu_pg_field_add(struct slu_buf *out, const struct slu_pg_value *value,
                             enum slu_pg_type type, enum slu_pg_unit unit, locale_t c_locale);

/* Big-endian words of the COPY stream. */
bool slu_pg_add16(struct slu_buf *out, uint16_t word);
bool slu_pg_add32(struct slu_buf *out, uint32_t word);
bool slu_pg_add64(struct slu_buf *out, uint64_t word);

#endif
