/* Any bytes, read in every format. What holds must be a sound tree: cells that fit their containers,
 * keys that differ, bounded depth, pointers that lead there and back, digits that round to their
 * doubles, and a text that reads back as the same tree. */
#include "base/arena.h"
#include "base/utf8.h"
#include "validation/payload/payload.h"

#include <stdlib.h>

#define MAX_BYTES     65536
#define NAIVE_KEYS    64  /* objects of more keys are not compared pair by pair */
#define POINTER_CELLS 200 /* larger trees are not walked pointer by pointer */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool sound)
{
    if (!sound)
        abort();
}

static bool same_text(const struct slu_value *a, const struct slu_value *b)
{
    return slu_slice_equal(slu_value_text(a), slu_value_text(b));
}

static void check_keys_differ(const struct slu_value *object)
{
    const size_t n = slu_value_len(object);
    const struct slu_value *key = slu_value_first(object);
    for (size_t i = 0; i < n; i++, key = slu_value_next(key + 1)) {
        check(slu_value_kind(key) == SLU_VALUE_STRING);
        const struct slu_value *other = slu_value_first(object);
        for (size_t j = 0; j < i && n <= NAIVE_KEYS; j++, other = slu_value_next(other + 1))
            check(!same_text(key, other));
    }
}

/* A container ends exactly where its last member does. */
static void check_container(const struct slu_value *container, int depth);

static void check_value(const struct slu_value *value, int depth)
{
    if (slu_value_is_container(value))
        check_container(value, depth + 1);
    else if (slu_value_kind(value) == SLU_VALUE_STRING)
        check(slu_utf8_valid(value->text, slu_value_len(value)));
    else
        check(slu_value_kind(value) >= SLU_VALUE_BIG && slu_value_kind(value) <= SLU_VALUE_NUMBER);
}

static void check_container(const struct slu_value *container, int depth)
{
    check(depth <= SLU_PAYLOAD_MAX_DEPTH);
    const bool object = slu_value_kind(container) == SLU_VALUE_OBJECT;
    const struct slu_value *at = slu_value_first(container);
    for (size_t n = slu_value_len(container); n != 0; n--) {
        check(at < slu_value_next(container));
        check_value(at + object, depth);
        at = slu_value_next(at + object);
    }
    check(at == slu_value_next(container));
    if (object)
        check_keys_differ(container);
}

static double double_of(struct slu_slice text)
{
    char copy[1024];
    check(text.len < sizeof(copy));
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return strtod(copy, NULL);
}

static double double_of_cell(const struct slu_value *value)
{
    switch (slu_value_variant(value)) {
    case SLU_VALUE_UINT:
        return (double)value->u64;
    case SLU_VALUE_SINT:
        return (double)value->i64;
    case SLU_VALUE_REAL:
        return value->f64;
    default:
        return double_of(slu_value_text(value));
    }
}

static void check_digits(const struct slu_payload *payload, const struct slu_value *value)
{
    char scratch[32];
    const struct slu_slice text = slu_payload_number_text(payload, value, scratch);
    const struct slu_decimal digits = slu_payload_digits(payload, value, scratch);
    const struct slu_decimal again = slu_decimal_of(text);
    check(text.len > 0 && slu_decimal_compare(&digits, &again) == 0);
    if (slu_value_kind(value) == SLU_VALUE_NUMBER && text.len < 1000)
        check(double_of(text) == double_of_cell(value));
}

static void check_pointer(const struct slu_payload *payload, const struct slu_value *cell)
{
    struct slu_arena arena;
    struct slu_buf text;
    struct slu_pointer pointer;
    slu_arena_init(&arena, 1 << 22);
    slu_buf_init(&text, 1 << 20);
    slu_value_pointer(payload->root, cell, &text);
    check(slu_pointer_compile(slu_buf_slice(&text), &arena, &pointer, NULL) == 0);
    const struct slu_value *found = slu_pointer_find(&pointer, payload->root);
    check(found == cell || (found == cell + 1 && slu_value_kind(cell) == SLU_VALUE_STRING));
    slu_buf_fini(&text);
    slu_arena_fini(&arena);
}

static void check_same(const struct slu_value *a, const struct slu_value *b)
{
    if (slu_value_is_number(a)) {
        check(slu_value_is_number(b));
        if (slu_value_kind(a) == SLU_VALUE_BIG)
            check(slu_value_kind(b) == SLU_VALUE_BIG && same_text(a, b));
        else
            check(double_of_cell(a) == double_of_cell(b));
        return;
    }
    check(slu_value_kind(a) == slu_value_kind(b));
    if (slu_value_kind(a) == SLU_VALUE_STRING)
        check(same_text(a, b));
    else if (slu_value_is_container(a))
        check(slu_value_len(a) == slu_value_len(b) && a->size == b->size);
    else
        check(slu_value_variant(a) == slu_value_variant(b));
}

static void check_text(const struct slu_payload *payload, struct slu_payload_reader *second)
{
    struct slu_buf text;
    struct slu_payload again;
    slu_buf_init(&text, 1 << 24);
    check(slu_value_json(payload->root, &text));
    check(slu_payload_read(second, SLU_FORMAT_JSON, slu_buf_slice(&text), &again));
    const size_t n = (size_t)(slu_value_next(payload->root) - payload->root);
    check((size_t)(slu_value_next(again.root) - again.root) == n);
    for (size_t i = 0; i < n; i++)
        check_same(&payload->root[i], &again.root[i]);
    slu_buf_fini(&text);
}

static void check_payload(const struct slu_payload *payload, struct slu_payload_reader *second)
{
    check(payload->fault == SLU_PAYLOAD_OK && payload->fault_text == NULL);
    if (payload->root == NULL)
        return;
    check_value(payload->root, 0);
    check_text(payload, second);
    const size_t n = (size_t)(slu_value_next(payload->root) - payload->root);
    for (size_t i = 0; i < n; i++) {
        if (slu_value_is_number(&payload->root[i]))
            check_digits(payload, &payload->root[i]);
        if (n <= POINTER_CELLS)
            check_pointer(payload, &payload->root[i]);
    }
}

static void check_document(struct slu_slice text, bool holds)
{
    struct slu_document *document = slu_document_parse(text, SLU_PAYLOAD_MAX_DEPTH, NULL);
    check((document != NULL) == holds);
    if (document == NULL)
        return;
    const size_t n = (size_t)(slu_value_next(document->root) - document->root);
    unsigned last_line = 1, last_column = 0;
    for (size_t i = 0; i < n && i < POINTER_CELLS; i++) {
        unsigned line, column;
        slu_document_place(document, &document->root[i], &line, &column);
        check(line > last_line || (line == last_line && column > last_column));
        last_line = line;
        last_column = column;
    }
    slu_document_free(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct slu_payload_reader *reader, *second;
    if (reader == NULL) {
        reader = slu_payload_reader_new(MAX_BYTES);
        second = slu_payload_reader_new((size_t)MAX_BYTES * 8);
    }
    const struct slu_slice bytes = {(const char *)data, size};
    for (int format = 0; format < SLU_FORMATS; format++) {
        struct slu_payload payload;
        if (slu_payload_read(reader, (enum slu_format)format, bytes, &payload)) {
            check_payload(&payload, second);
        } else {
            check(payload.root == NULL && payload.fault != SLU_PAYLOAD_OK);
            check(payload.fault_text != NULL && payload.fault_at <= size);
        }
        if (format == SLU_FORMAT_JSON && size <= MAX_BYTES)
            check_document(bytes, payload.fault == SLU_PAYLOAD_OK);
    }
    return 0;
}
