/* clock.h -- the two clocks. Wall time is data (it may jump); every wait and age uses the monotonic
 * one. Tests replace both. */
#ifndef SLU_BASE_CLOCK_H
#define SLU_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define SLU_NS_PER_S  INT64_C(1000000000)
#define SLU_NS_PER_MS INT64_C(1000000)

/* Nanoseconds since 1970-01-01T00:00:00Z. */
int64_t slu_clock_wall_ns(void);

/* Nanoseconds since some fixed moment; never goes back. */
int64_t slu_clock_mono_ns(void);

/* For tests: NULL gives the real clock back. Call before any thread is started. */
void slu_clock_replace(int64_t (*wall_ns)(void), int64_t (*mono_ns)(void));

#define SLU_CLOCK_TEXT_SIZE 40

/* RFC 3339 in UTC with six decimals: 2026-11-21T01:02:03.123456Z (years 0001 to 9999; outside them
 * the nearest end). Writes at most SLU_CLOCK_TEXT_SIZE bytes, terminated. Returns the length. */
size_t slu_clock_format(int64_t wall_ns, char out[SLU_CLOCK_TEXT_SIZE]);

/* Read RFC 3339 (any offset, up to nanoseconds kept, further digits cut off). A leap second, :60 at
 * the end of a UTC month, is the last nanosecond of :59. Returns 0, or -1 for anything else, which
 * includes moments that 64 bits of nanoseconds cannot hold (before 1677-09-21, after
 * 2262-04-11). */
int slu_clock_parse(const char *text, size_t len, int64_t *wall_ns);

#endif
