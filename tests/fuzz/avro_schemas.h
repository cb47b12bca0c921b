/* avro_schemas.h -- schemas that the Avro fuzz targets choose from by the first byte of their input. */
#ifndef SLU_FUZZ_AVRO_SCHEMAS_H
#define SLU_FUZZ_AVRO_SCHEMAS_H

#include "validation/avro/schema.h"
#include "validation/payload/payload.h"

#include <stdlib.h>

static const char *const avro_texts[] = {
    /* every type, and itself */
    "{\"type\":\"record\",\"name\":\"All\",\"fields\":["
    "{\"name\":\"b\",\"type\":\"boolean\"},{\"name\":\"i\",\"type\":\"int\",\"default\":5},"
    "{\"name\":\"l\",\"type\":\"long\"},{\"name\":\"f\",\"type\":\"float\"},"
    "{\"name\":\"d\",\"type\":\"double\"},{\"name\":\"s\",\"type\":\"string\",\"default\":\"x\"},"
    "{\"name\":\"y\",\"type\":\"bytes\"},"
    "{\"name\":\"x\",\"type\":{\"type\":\"fixed\",\"name\":\"X\",\"size\":3}},"
    "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}},"
    "{\"name\":\"a\",\"type\":{\"type\":\"array\",\"items\":[\"null\",\"int\",\"string\"]}},"
    "{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":\"All\"}},"
    "{\"name\":\"u\",\"type\":[\"null\",\"All\"],\"default\":null}]}",
    /* what means something else than its bytes */
    "{\"type\":\"array\",\"items\":[\"null\","
    "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":1000,\"scale\":999},"
    "{\"type\":\"fixed\",\"name\":\"D\",\"size\":9,\"logicalType\":\"decimal\",\"precision\":20,"
    "\"scale\":4},"
    "{\"type\":\"fixed\",\"name\":\"P\",\"size\":12,\"logicalType\":\"duration\"},"
    "{\"type\":\"string\",\"logicalType\":\"uuid\"},"
    "{\"type\":\"int\",\"logicalType\":\"date\"},"
    "{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}]}",
    /* items of no bytes */
    "{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":\"null\"}}",
    "{\"type\":\"map\",\"values\":{\"type\":\"record\",\"name\":\"N\",\"fields\":["
    "{\"name\":\"a\",\"type\":\"null\"},{\"name\":\"b\",\"type\":\"null\"}]}}",
    /* branches that are hard to tell apart, all the way down */
    "[\"null\",{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"x\",\"type\":["
    "\"null\",\"A\",{\"type\":\"record\",\"name\":\"B\",\"fields\":[{\"name\":\"x\",\"type\":["
    "\"null\",\"A\",\"B\",\"string\"]}]}]}]},\"B\",{\"type\":\"map\",\"values\":\"B\"}]",
    "[\"float\",\"double\",\"int\",\"long\",\"string\",\"bytes\",{\"type\":\"map\",\"values\":"
    "\"double\"},{\"type\":\"array\",\"items\":\"float\"}]",
};

#define AVRO_TEXTS (sizeof(avro_texts) / sizeof(avro_texts[0]))

/* The schema of that number, compiled once. */
static inline const struct slu_avro_schema *avro_schema_at(size_t number)
{
    static struct slu_avro_schema *schemas[AVRO_TEXTS];
    struct slu_avro_schema **schema = &schemas[number % AVRO_TEXTS];
    const struct slu_avro_schema_options options = {.registry_id = 7};

    if (*schema == NULL) {
        struct slu_problems problems;
        slu_problems_init(&problems);
        *schema = slu_avro_schema_compile(slu_slice_of(avro_texts[number % AVRO_TEXTS]), &options,
                                          &problems);
        slu_problems_fini(&problems);
        if (*schema == NULL)
            abort();
    }
    return *schema;
}

/* The same tree, numbers by their value: 2.0 that went through a double may come back as the long 2. */
static inline bool avro_same(const struct slu_payload *a, const struct slu_payload *b)
{
    const size_t n = (size_t)(slu_value_next(a->root) - a->root);
    char scratch[2][32];

    if ((size_t)(slu_value_next(b->root) - b->root) != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct slu_value *x = &a->root[i], *y = &b->root[i];
        if (slu_value_is_number(x) && slu_value_is_number(y)) {
            const struct slu_decimal p = slu_payload_digits(a, x, scratch[0]);
            const struct slu_decimal q = slu_payload_digits(b, y, scratch[1]);
            if (slu_decimal_compare(&p, &q) != 0)
                return false;
        } else if (slu_value_kind(x) == SLU_VALUE_STRING) {
            if (slu_value_kind(y) != SLU_VALUE_STRING ||
                !slu_slice_equal(slu_value_text(x), slu_value_text(y)))
                return false;
        } else if (x->tag != y->tag || (slu_value_is_container(x) && x->size != y->size)) {
            return false;
        }
    }
    return true;
}

#endif
