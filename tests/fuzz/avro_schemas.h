/* avro_schemas.h -- schemas that the Avro fuzz targets choose from by the first byte of their input. */
#ifndef SLU_FUZZ_AVRO_SCHEMAS_H
#define SLU_FUZZ_AVRO_SCHEMAS_H

#include "validation/avro/schema.h"

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

#endif
