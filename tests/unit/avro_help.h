/* avro_help.h -- schemas, messages and their JSON for the tests of validation/avro. */
#ifndef SLU_TESTS_AVRO_HELP_H
#define SLU_TESTS_AVRO_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/problems.h"
#include "validation/avro/encode.h"
#include "validation/avro/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline struct slu_avro_schema *avro_compile(const char *text)
{
    const struct slu_avro_schema_options options = {
        .name = "press:3", .source = "press.avsc", .registry_id = 7};
    struct slu_problems problems;

    slu_problems_init(&problems);
    struct slu_avro_schema *schema =
        slu_avro_schema_compile(slu_slice_of(text), &options, &problems);
    if (schema == NULL)
        fail_msg("%s: %s: %s", text, problems.n != 0 ? problems.items[0].err.pointer : "",
                 problems.n != 0 ? problems.items[0].err.text : "no reason");
    slu_problems_fini(&problems);
    return schema;
}

/* "02 66 6f" to bytes; returns how many. */
static inline size_t avro_hex(const char *text, uint8_t *out)
{
    size_t n = 0;

    for (; *text != '\0'; text++) {
        if (*text == ' ')
            continue;
        const char pair[3] = {text[0], text[1], '\0'};
        out[n++] = (uint8_t)strtoul(pair, NULL, 16);
        text++;
    }
    return n;
}

static inline void avro_to_hex(struct slu_slice bytes, struct slu_buf *out)
{
    for (size_t i = 0; i < bytes.len; i++)
        slu_buf_printf(out, i == 0 ? "%02x" : " %02x", (uint8_t)bytes.data[i]);
}

/* A copy of exactly that size: reading beyond it is noticed by sanitizers. */
static inline struct slu_slice avro_exact(struct slu_slice bytes)
{
    char *copy = malloc(bytes.len != 0 ? bytes.len : 1);
    assert_non_null(copy);
    if (bytes.len != 0)
        memcpy(copy, bytes.data, bytes.len);
    return slu_slice(copy, bytes.len);
}

#endif
