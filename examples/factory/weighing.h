/* weighing.h -- what a checkweigher says of a pack: Avro after schemas/weighing.v1.avsc, written by hand, as the
 * firmware of a small controller does it.
 *
 *   C3 01, fingerprint (8 bytes)  or  00, id (4 bytes)
 *   at         long, zigzag          milliseconds since 1970
 *   lot        length, UTF-8
 *   grams      length, two's complement, big endian: hundredths
 *   verdict    int                   the symbol's place
 *   belt_mm_s  int
 *   metal      0, or 1 and a float   little endian
 *
 * `sluice validate schemas/weighing.v1.avsc FILE` tells whether that is still so (tests/factory).
 *
 * Threads: none.
 */
#ifndef FACTORY_WEIGHING_H
#define FACTORY_WEIGHING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Enough for any weighing with a lot number of 63 bytes. */
#define FACTORY_WEIGHING_MAX 128

/* In the order of the schema's symbols. The last is none of them. */
enum factory_verdict { FACTORY_GOOD, FACTORY_LIGHT, FACTORY_HEAVY, FACTORY_NO_VERDICT };

struct factory_weighing {
    int64_t at_ms;
    char lot[64];
    int32_t centigrams;
    enum factory_verdict verdict;
    int32_t belt_mm_s;
    bool has_metal;
    float metal;
};

/* Which schema a message says it was written with. */
struct factory_head {
    int64_t schema_id; /* the one a registry gave; -1: none, the schema's fingerprint says it */
    bool unknown;      /* another schema than ours, which nobody knows */
};

/* How many bytes of `to` were written. */
size_t factory_weighing_write(const struct factory_weighing *weighing,
                              const struct factory_head *head, uint8_t to[FACTORY_WEIGHING_MAX]);

#endif
