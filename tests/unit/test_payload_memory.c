/* Every allocation of the readers may fail: what is asked for is refused, and the next payload is
 * read as if nothing had been. malloc() and calloc() are wrapped by the linker. */
#include "base/buf.h"
#include "base/err.h"
#include "validation/payload/payload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

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

static void no_memory_for_a_reader_gives_none(void **state)
{
    (void)state;
    for (long n = 0; n < 8; n++) {
        left = n;
        struct slu_payload_reader *reader = slu_payload_reader_new(1 << 20);
        const bool failed = left < 0;
        left = -1;
        assert_int_equal(reader == NULL, failed);
        slu_payload_reader_free(reader);
    }
}

static void add_members(struct slu_buf *text, int n)
{
    slu_buf_add_char(text, '{');
    for (int i = 0; i < n; i++)
        slu_buf_printf(text, "%s\"k%d\":%d.50", i > 0 ? "," : "", i, i);
    slu_buf_add_char(text, '}');
}

static void a_payload_without_memory_is_too_large_and_the_next_is_read(void **state)
{
    (void)state;
    struct slu_buf text;
    slu_buf_init(&text, 1 << 20);
    add_members(&text, 2000);
    int refused = 0;
    for (long n = 0; n < 4; n++) {
        struct slu_payload_reader *reader = slu_payload_reader_new(1 << 20);
        struct slu_payload payload;
        assert_non_null(reader);
        left = n;
        const bool holds =
            slu_payload_read(reader, SLU_FORMAT_JSON, slu_buf_slice(&text), &payload);
        const bool failed = left < 0;
        left = -1;
        assert_int_equal(holds, !failed);
        assert_int_equal(payload.fault, failed ? SLU_PAYLOAD_TOO_LARGE : SLU_PAYLOAD_OK);
        refused += failed;
        assert_true(slu_payload_read(reader, SLU_FORMAT_JSON, SLU_SLICE("{\"a\":1}"), &payload));
        assert_true(slu_payload_read(reader, SLU_FORMAT_JSON, slu_buf_slice(&text), &payload));
        slu_payload_reader_free(reader);
    }
    assert_int_equal(refused, 2); /* the tree, the table of keys */
    slu_buf_fini(&text);
}

static void without_memory_for_the_digits_the_double_speaks(void **state)
{
    (void)state;
    struct slu_payload_reader *reader = slu_payload_reader_new(1 << 20);
    struct slu_payload payload;
    char scratch[32];
    assert_non_null(reader);
    assert_true(slu_payload_read(reader, SLU_FORMAT_JSON, SLU_SLICE("[0.50]"), &payload));
    left = 0;
    struct slu_slice text = slu_payload_number_text(&payload, payload.root + 1, scratch);
    left = -1;
    assert_true(slu_slice_equal(text, SLU_SLICE("0.5")));
    text = slu_payload_number_text(&payload, payload.root + 1, scratch);
    assert_true(slu_slice_equal(text, SLU_SLICE("0.50")));
    slu_payload_reader_free(reader);
}

static void a_document_without_memory_is_an_error(void **state)
{
    (void)state;
    struct slu_buf text;
    slu_buf_init(&text, 1 << 20);
    add_members(&text, 2000);
    int refused = 0;
    for (long n = 0; n < 8; n++) {
        struct slu_err err = {0};
        left = n;
        struct slu_document *document = slu_document_parse(slu_buf_slice(&text), 64, &err);
        const bool failed = left < 0;
        left = -1;
        assert_int_equal(document == NULL, failed);
        assert_int_equal(err.kind, failed ? SLU_ENOMEM : SLU_OK);
        refused += failed;
        slu_document_free(document);
    }
    assert_int_equal(refused, 6); /* tree, shape, its table twice, second tree, the document */
    slu_buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_memory_for_a_reader_gives_none),
        cmocka_unit_test(a_payload_without_memory_is_too_large_and_the_next_is_read),
        cmocka_unit_test(without_memory_for_the_digits_the_double_speaks),
        cmocka_unit_test(a_document_without_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
