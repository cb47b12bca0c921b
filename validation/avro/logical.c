/* logical.c -- what a type means beyond its bytes (specification, "Logical Types"). One whose
 * parameters make no sense is ignored, as the specification asks, but not in silence. */
#include "validation/avro/compile.h"

#include <string.h>

const char *const slu_avro_logical_names[SLU_AVRO_LOGICALS] = {
    [SLU_AVRO_PLAIN] = NULL,
    [SLU_AVRO_DECIMAL] = "decimal",
    [SLU_AVRO_UUID] = "uuid",
    [SLU_AVRO_DATE] = "date",
    [SLU_AVRO_TIME_MILLIS] = "time-millis",
    [SLU_AVRO_TIME_MICROS] = "time-micros",
    [SLU_AVRO_TIMESTAMP_MILLIS] = "timestamp-millis",
    [SLU_AVRO_TIMESTAMP_MICROS] = "timestamp-micros",
    [SLU_AVRO_TIMESTAMP_NANOS] = "timestamp-nanos",
    [SLU_AVRO_LOCAL_MILLIS] = "local-timestamp-millis",
    [SLU_AVRO_LOCAL_MICROS] = "local-timestamp-micros",
    [SLU_AVRO_LOCAL_NANOS] = "local-timestamp-nanos",
    [SLU_AVRO_DURATION] = "duration",
};

/* Bit t: may annotate type t. */
#define BIT(type) (1u << (type))
static const uint32_t carriers[SLU_AVRO_LOGICALS] = {
    [SLU_AVRO_DECIMAL] = BIT(SLU_AVRO_BYTES) | BIT(SLU_AVRO_FIXED),
    [SLU_AVRO_UUID] = BIT(SLU_AVRO_STRING) | BIT(SLU_AVRO_FIXED),
    [SLU_AVRO_DATE] = BIT(SLU_AVRO_INT),
    [SLU_AVRO_TIME_MILLIS] = BIT(SLU_AVRO_INT),
    [SLU_AVRO_TIME_MICROS] = BIT(SLU_AVRO_LONG),
    [SLU_AVRO_TIMESTAMP_MILLIS] = BIT(SLU_AVRO_LONG),
    [SLU_AVRO_TIMESTAMP_MICROS] = BIT(SLU_AVRO_LONG),
    [SLU_AVRO_TIMESTAMP_NANOS] = BIT(SLU_AVRO_LONG),
    [SLU_AVRO_LOCAL_MILLIS] = BIT(SLU_AVRO_LONG),
    [SLU_AVRO_LOCAL_MICROS] = BIT(SLU_AVRO_LONG),
    [SLU_AVRO_LOCAL_NANOS] = BIT(SLU_AVRO_LONG),
    [SLU_AVRO_DURATION] = BIT(SLU_AVRO_FIXED),
};

static enum slu_avro_logical logical_named(struct slu_slice name)
{
    for (int i = SLU_AVRO_PLAIN + 1; i < SLU_AVRO_LOGICALS; i++)
        if (slu_slice_equal(name, slu_slice_of(slu_avro_logical_names[i])))
            return (enum slu_avro_logical)i;
    return SLU_AVRO_PLAIN;
}

/* The most digits that any number of a fixed's bytes can have: floor(log10(2^(8n-1) - 1)). */
static uint64_t digits_of_fixed(uint32_t bytes)
{
    return bytes == 0 ? 0 : (uint64_t)((8.0 * bytes - 1) * 0.30102999566398119521);
}

/* A whole number between `least` and `most`; absent is `fallback`. */
static bool read_count(const struct slu_value *object, const char *key, uint64_t least,
                       uint64_t most, uint64_t fallback, uint16_t *count)
{
    const struct slu_value *value = slu_value_get(object, slu_slice_of(key));
    const uint64_t number = value == NULL ? fallback : value->u64;

    if ((value != NULL && slu_value_variant(value) != SLU_VALUE_UINT) || number < least ||
        number > most)
        return false;
    *count = (uint16_t)number;
    return true;
}

static void read_decimal(struct slu_avro_compile *compile, const struct slu_value *object,
                         const struct slu_value *at, struct slu_avro_node *node)
{
    uint64_t most = SLU_AVRO_MAX_PRECISION;

    if (node->type == SLU_AVRO_FIXED && digits_of_fixed(node->n) < most)
        most = digits_of_fixed(node->n);
    if (!read_count(object, "precision", 1, most, 0, &node->precision))
        slu_avro_warn(compile, at,
                      "decimal is ignored: its precision must be a number from 1 to %u",
                      (unsigned)most);
    else if (!read_count(object, "scale", 0, node->precision, 0, &node->scale))
        slu_avro_warn(compile, at, "decimal is ignored: its scale must be from 0 to its precision");
    else
        node->logical = SLU_AVRO_DECIMAL;
}

void slu_avro_compile_logical(struct slu_avro_compile *compile, const struct slu_value *object,
                              struct slu_avro_node *node)
{
    const struct slu_value *value = slu_value_get(object, SLU_SLICE("logicalType"));

    if (value == NULL || slu_value_kind(value) != SLU_VALUE_STRING)
        return;
    const enum slu_avro_logical logical = logical_named(slu_value_text(value));
    if (logical == SLU_AVRO_PLAIN)
        return;
    const bool wrong_size =
        node->type == SLU_AVRO_FIXED && ((logical == SLU_AVRO_UUID && node->n != 16) ||
                                         (logical == SLU_AVRO_DURATION && node->n != 12));
    if ((carriers[logical] & BIT(node->type)) == 0)
        slu_avro_warn(compile, value, "%s is ignored: it cannot be said of %s",
                      slu_avro_logical_names[logical], slu_avro_type_names[node->type]);
    else if (wrong_size)
        slu_avro_warn(compile, value, "%s is ignored: it needs a fixed of %d bytes",
                      slu_avro_logical_names[logical], logical == SLU_AVRO_UUID ? 16 : 12);
    else if (logical == SLU_AVRO_DECIMAL)
        read_decimal(compile, object, value, node);
    else
        node->logical = (uint8_t)logical;
}
