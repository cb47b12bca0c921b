/* gap_inside.h -- what gap.c (the walk) and gap_holds.c (one node, one kind of value) share. Inside this
 * room only. */
#ifndef SLU_AVRO_GAP_INSIDE_H
#define SLU_AVRO_GAP_INSIDE_H

#include "validation/avro/encode_inside.h"
#include "validation/avro/gap.h"

/* What JSON can be. A whole number is one of its own: Avro tells them apart. */
enum slu_avro_gap_kind {
    GAP_NONE = 0,
    GAP_NULL = 1,
    GAP_BOOL = 2,
    GAP_WHOLE = 4,
    GAP_NUMBER = 8,
    GAP_STRING = 16,
    GAP_ARRAY = 32,
    GAP_OBJECT = 64,
    GAP_ANY = 127
};

enum slu_avro_gap_answer { HOLDS, UNSURE, GAP };

/* What a keyword says at the place; NULL: nothing. */
const struct slu_value *slu_avro_gap_get(const struct slu_value *place, const char *key);

/* Does the place say anything by one of these keywords? */
bool slu_avro_gap_has_any(const struct slu_value *place, const char *const *keywords, size_t n);
#define HAS_ANY(place, ...)                                         \
    slu_avro_gap_has_any(place, (const char *const[]){__VA_ARGS__}, \
                         sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* Can the node, no union, hold all values of that kind that the place allows? Of containers only
 * whether it is one; what is in them is looked at by gap.c. */
enum slu_avro_gap_answer slu_avro_gap_holds(const struct slu_value *place,
                                            const struct slu_avro_node *node, unsigned kind);

#endif
