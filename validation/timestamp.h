/* timestamp.h -- the moment that a payload says it speaks of: its event time.
 *
 *   {"ts":1767225600000,"value":21.5}      field /ts, unit ms      ──▶ 2026-01-01T00:00:00Z
 *   {"at":"2026-01-01T01:00:00+01:00"}     field /at, unit rfc3339 ──▶ the same
 *
 * A number is read digit by digit, so that 1767225600.123456789 s loses nothing; what is finer than a
 * nanosecond is rounded down. Codes: timestamp.missing (the field is absent), timestamp.malformed (no
 * number or no RFC 3339 text, or a moment that 64 bits of nanoseconds cannot hold: before 1677-09-21 or
 * after 2262-04-11).
 *
 * Threads: a compiled timestamp never changes.
 */
#ifndef SLU_VALIDATION_TIMESTAMP_H
#define SLU_VALIDATION_TIMESTAMP_H

#include "validation/payload/value.h"

#include <stdbool.h>
#include <stdint.h>

struct slu_payload;
struct slu_verdict;

enum slu_time_unit {
    SLU_TIME_MILLISECONDS,
    SLU_TIME_SECONDS,
    SLU_TIME_MICROSECONDS,
    SLU_TIME_NANOSECONDS,
    SLU_TIME_RFC3339,
    SLU_TIME_UNITS,
};

/* The names of the configuration: "ms", "s", "us", "ns", "rfc3339". */
extern const char *const slu_time_unit_names[SLU_TIME_UNITS];

struct slu_timestamp {
    struct slu_pointer field;
    enum slu_time_unit unit;
};

/* True: `*event_ns` is the event time, since 1970. False: it is as it was, and `verdict`, when it is not
 * NULL, has one violation more. The payload was read well. */
bool slu_timestamp_judge(const struct slu_timestamp *timestamp, const struct slu_payload *payload,
                         int64_t *event_ns, struct slu_verdict *verdict);

#endif
