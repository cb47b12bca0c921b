/* encode_inside.h -- what the files of the encoder share: encode.c (containers and the way down),
 * encode_record.c, encode_union.c (which branch), encode_scalar.c (numbers, texts, times), encode_quick.h
 * (many plain values in a row). Inside this room only. */
#ifndef SLU_AVRO_ENCODE_INSIDE_H
#define SLU_AVRO_ENCODE_INSIDE_H

#include "validation/avro/encode.h"
#include "validation/avro/plan.h"

/* A schema's own default: the value of a union is one of a branch, bare, the first that takes it. */
#define SLU_AVRO_OF_DEFAULT ((enum slu_avro_dialect)2)

struct slu_avro_encoder {
    const struct slu_avro_schema *schema;
    const struct slu_avro_source *source;
    const struct slu_avro_options *options;
    struct slu_buf *out;
    struct slu_avro_complaint *complaint;
    uint64_t steps; /* left */
};

/* Set the complaint. Always returns false. */
bool slu_avro_complain(struct slu_avro_encoder *encoder, enum slu_payload_fault fault,
                       const struct slu_value *at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* "expected …, found: …" */
bool slu_avro_wrong_kind(struct slu_avro_encoder *encoder, const struct slu_value *value,
                         const char *wanted);

/* Take `n` steps; false with a complaint when there are none left. */
bool slu_avro_take_steps(struct slu_avro_encoder *encoder, const struct slu_value *at, uint64_t n);

/* Each false with a complaint. */
bool slu_avro_encode_value(struct slu_avro_encoder *encoder, uint32_t index,
                           const struct slu_value *value);
bool slu_avro_encode_record(struct slu_avro_encoder *encoder, const struct slu_avro_node *node,
                            const struct slu_value *object);
bool slu_avro_encode_union(struct slu_avro_encoder *encoder, const struct slu_avro_node *node,
                           const struct slu_value *value);
bool slu_avro_encode_scalar(struct slu_avro_encoder *encoder, const struct slu_avro_node *node,
                            const struct slu_value *value);

/* Could some value of the kind be one of the node, a union's branch? */
bool slu_avro_branch_takes(const struct slu_avro_node *node, enum slu_value_kind kind);

/* Of a string: the symbol it is, -1: none. */
int64_t slu_avro_symbol(const struct slu_avro_schema *schema, const struct slu_avro_node *node,
                        struct slu_slice text);

/* The double nearest to a number; infinite beyond their range. */
double slu_avro_nearest(const struct slu_value *number);

/* Is it a float's value to the last digit that a double has? */
bool slu_avro_is_float(const struct slu_value *number);

#endif
