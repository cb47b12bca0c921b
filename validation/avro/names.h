/* names.h -- which names are taken, each within its owner: types in the schema, fields in their record,
 * symbols in their enum. Inside this room only; gone when the schema is compiled. */
#ifndef SLU_AVRO_NAMES_H
#define SLU_AVRO_NAMES_H

#include "base/arena.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The owner of type names; a record or enum owns by its node, counted from 0. */
#define SLU_AVRO_TYPES_OWN UINT32_MAX

struct slu_avro_taken;

struct slu_avro_names {
    struct slu_avro_taken *slots;
    size_t n_slots; /* a power of two */
    size_t n;
};

/* Room for `max` names. False: no memory. */
bool slu_avro_names_init(struct slu_avro_names *names, size_t max, struct slu_arena *arena);

/* Take a name (borrowed). False: the owner has it already. At most `max` times. */
bool slu_avro_names_take(struct slu_avro_names *names, uint32_t owner, struct slu_slice name,
                         uint32_t index);

/* The index it was taken with; -1: it is free. */
int64_t slu_avro_names_find(const struct slu_avro_names *names, uint32_t owner,
                            struct slu_slice name);

/* [A-Za-z_][A-Za-z0-9_]* */
bool slu_avro_name_is_valid(struct slu_slice name);

/* Such names joined by dots; may be empty when `or_empty`. */
bool slu_avro_name_is_dotted(struct slu_slice name, bool or_empty);

/* "null" … "string"? Then its enum slu_avro_type, else -1. */
int slu_avro_name_primitive(struct slu_slice name);

#endif
