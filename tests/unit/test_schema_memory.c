/* Every allocation of the compiler may fail: the schema is refused with a problem, nothing leaks, and
 * the next one is compiled as if nothing had been. The allocators are wrapped by the linker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "validation/json_schema/library.h"
#include "validation/json_schema/schema.h"
#include "validation/payload/payload.h"

#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);

static long left = -1; /* allocations until one fails; -1: none does */

static bool fails(void)
{
    return left >= 0 && left-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
    return fails() ? NULL : __real_reallocarray(old, count, size);
}

static const char text[] =
    "{\"$id\":\"http://h/a\",\"type\":\"object\",\"required\":[\"a\"],\"properties\":{"
    "\"a\":{\"type\":\"integer\",\"minimum\":0},\"b\":{\"enum\":[1,2,3,4,5,6,7,8,9]},"
    "\"c\":{\"pattern\":\"^[a-z]+(x|y)$\"},\"d\":{\"pattern\":\"(?=a)b\"}},"
    "\"patternProperties\":{\"^x\":true},\"dependentRequired\":{\"a\":[\"b\"]},"
    "\"items\":{\"$ref\":\"b\"},\"contains\":{\"$ref\":\"http://json-schema.org/draft-07/"
    "schema#\"},"
    "\"$dynamicRef\":\"#n\",\"$defs\":{\"n\":{\"$dynamicAnchor\":\"n\"},\"m\":{\"$id\":\"m\","
    "\"items\":{\"$ref\":\"a#/$defs/n\"},\"anyOf\":[true,{\"multipleOf\":0.1}]}},"
    "\"unevaluatedProperties\":false}";

static const struct slu_library_document other = {
    .uri = "http://h/b",
    .source = "b.json",
    .text = {"{\"$defs\":{\"c\":{\"$id\":\"d\",\"$dynamicAnchor\":\"n\"}}}", 48}};

static struct slu_library *library_of_one(void)
{
    struct slu_library *library = slu_library_new();
    struct slu_err err = {0};
    if (library != NULL && slu_library_add(library, &other, &err) == 0)
        return library;
    slu_library_free(library);
    return NULL;
}

static void no_memory_gives_no_library(void **state)
{
    (void)state;
    struct slu_library *library = NULL;
    unsigned refused = 0;
    for (long n = 0; library == NULL; n++, refused++) {
        left = n;
        library = library_of_one();
        left = -1;
    }
    assert_true(refused > 3);
    slu_library_free(library);
}

/* What could not be written is known. */
static void no_memory_gives_no_output(void **state)
{
    (void)state;
    const struct slu_schema_options options = {.name = "m", .source = "m.json", .for_output = true};
    struct slu_problems problems;
    struct slu_payload payload;
    slu_problems_init(&problems);
    struct slu_payload_reader *reader = slu_payload_reader_new(4096);
    struct slu_schema_scratch *scratch = slu_schema_scratch_new();
    struct slu_schema *schema = slu_schema_compile(
        SLU_SLICE("{\"properties\":{\"a\":{\"type\":\"string\",\"anyOf\":[false]}}}"), &options,
        &problems);
    assert_true(slu_payload_read(reader, SLU_FORMAT_JSON, SLU_SLICE("{\"a\":1}"), &payload));
    bool failed = true;
    for (long n = 0; failed; n++) {
        struct slu_buf out;
        slu_buf_init(&out, 65536);
        left = n;
        slu_schema_output(schema, scratch, &payload, &out);
        failed = left < 0;
        left = -1;
        if (!failed)
            assert_false(out.failed);
        slu_buf_fini(&out);
    }
    slu_schema_free(schema);
    slu_schema_scratch_free(scratch);
    slu_payload_reader_free(reader);
    slu_problems_fini(&problems);
}

static void no_memory_refuses_the_schema_and_harms_nothing(void **state)
{
    (void)state;
    struct slu_library *library = library_of_one();
    const struct slu_schema_options options = {
        .name = "m", .source = "m.json", .library = library, .for_output = true};
    unsigned refused = 0;
    bool failed = true;
    for (long n = 0; failed; n++) {
        struct slu_problems problems;
        slu_problems_init(&problems);
        left = n;
        struct slu_schema *schema = slu_schema_compile(SLU_SLICE(text), &options, &problems);
        failed = left < 0;
        left = -1;
        assert_true(schema != NULL || problems.n_errors != 0);
        assert_true(schema == NULL || problems.n_errors == 0);
        refused += schema == NULL;
        slu_schema_free(schema);
        slu_problems_fini(&problems);
    }
    assert_true(refused > 10);
    slu_library_free(library);
}

static void no_memory_gives_no_scratch(void **state)
{
    (void)state;
    for (long n = 0; n < 3; n++) {
        left = n;
        struct slu_schema_scratch *scratch = slu_schema_scratch_new();
        left = -1;
        assert_null(scratch);
    }
    struct slu_schema_scratch *scratch = slu_schema_scratch_new();
    assert_non_null(scratch);
    slu_schema_scratch_free(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_memory_refuses_the_schema_and_harms_nothing),
        cmocka_unit_test(no_memory_gives_no_scratch),
        cmocka_unit_test(no_memory_gives_no_library),
        cmocka_unit_test(no_memory_gives_no_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
