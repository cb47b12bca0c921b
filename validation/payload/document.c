/* document.c -- a whole JSON document, read once and kept: schemas, test cases, tables. Declared in
 * payload.h.
 *
 *   ┌──────────────┬───────────────┬────────────────┬──────────────┬─────────────┐
 *   │ slu_document │ cells, values │ cells, numbers │ strings of   │ copy of the │
 *   │              │               │ as text        │ both, NUL-ed │ text        │
 *   └──────────────┴───────────────┴────────────────┴──────────────┴─────────────┘
 *
 * Both readings are made in passing memory of 13 bytes a text byte and then moved into one block of
 * the size they really have.
 *
 * Threads: a document never changes.
 */
#include "validation/payload/payload.h"

#include "base/err.h"
#include "base/utf8.h"
#include "validation/payload/json.h"
#include "validation/payload/place.h"
#include "validation/payload/shape.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of a key that an error message shows. */
#define SHOWN_KEY 64

/* Longest document, so that no size computed from it overflows. */
#define TEXT_MAX (SIZE_MAX / 64)

static size_t cells_of(const struct slu_value *root)
{
    return (size_t)(slu_value_next(root) - root);
}

static bool has_text(const struct slu_value *value)
{
    return slu_value_kind(value) == SLU_VALUE_STRING || slu_value_kind(value) == SLU_VALUE_BIG;
}

static size_t text_bytes(const struct slu_value *root)
{
    size_t bytes = 0;
    const size_t n = cells_of(root);
    for (size_t i = 0; i < n; i++)
        bytes += has_text(&root[i]) ? slu_value_len(&root[i]) + 1 : 0;
    return bytes;
}

/* Copy the cells at `root` to `cells` and their texts to `*texts`, which moves on. */
static void move_tree(const struct slu_value *root, struct slu_value *cells, char **texts)
{
    const size_t n = cells_of(root);
    memcpy(cells, root, n * sizeof(*cells));
    for (size_t i = 0; i < n; i++) {
        if (!has_text(&cells[i]))
            continue;
        const size_t len = slu_value_len(&cells[i]);
        memcpy(*texts, root[i].text, len);
        (*texts)[len] = '\0';
        cells[i].text = *texts;
        *texts += len + 1;
    }
}

static struct slu_document *build(struct slu_slice text, const struct slu_value *root,
                                  const struct slu_value *raw_root)
{
    const size_t cells = cells_of(root) * sizeof(*root);
    const size_t texts = text_bytes(root) + text_bytes(raw_root);
    struct slu_document *document = malloc(sizeof(*document) + 2 * cells + texts + text.len + 1);
    if (document == NULL)
        return NULL;
    struct slu_value *values = (struct slu_value *)(void *)(document + 1);
    struct slu_value *raws = values + cells_of(root);
    char *at = (char *)(raws + cells_of(root));
    move_tree(root, values, &at);
    move_tree(raw_root, raws, &at);
    memcpy(at, text.data, text.len);
    at[text.len] = '\0';
    *document = (struct slu_document){values, raws, slu_slice(at, text.len)};
    return document;
}

static void place(struct slu_err *err, struct slu_slice text, size_t at, const char *pointer)
{
    unsigned line, column;
    slu_place_of_byte(text, at, &line, &column);
    slu_err_place(err, "", line, column, pointer);
}

/* The key is shown as it stands in the text, escapes and all: it cannot break the line. */
static void tell_duplicate(struct slu_err *err, struct slu_slice token)
{
    const size_t shown = slu_utf8_cut(token.data, token.len, SHOWN_KEY);
    slu_err_set(err, SLU_EINVAL, "%.*s%s: a key that its object already has", (int)shown,
                token.data, shown < token.len ? "…" : "");
}

static void tell_shape(struct slu_err *err, struct slu_slice text, enum slu_payload_fault fault,
                       size_t max_depth, const struct slu_value *root,
                       const struct slu_value *culprit)
{
    const size_t at = slu_place_of_cell(text, (size_t)(culprit - root));
    if (fault == SLU_PAYLOAD_DUPLICATE_KEY)
        tell_duplicate(err, slu_place_token(text, at));
    else if (fault == SLU_PAYLOAD_DEPTH)
        slu_err_set(err, SLU_EINVAL, "nested deeper than %zu", max_depth);
    else
        slu_err_set(err, SLU_ENOMEM, "no memory to compare the keys of an object");

    struct slu_buf pointer;
    slu_buf_init(&pointer, 4096);
    slu_value_pointer(root, culprit, &pointer);
    place(err, text, at, slu_buf_text(&pointer));
    slu_buf_fini(&pointer);
}

static bool check_shape(struct slu_slice text, const struct slu_value *root, size_t max_depth,
                        struct slu_err *err)
{
    if (max_depth > SLU_SHAPE_MAX_DEPTH)
        max_depth = SLU_SHAPE_MAX_DEPTH;
    struct slu_shape *shape = malloc(sizeof(*shape));
    if (shape == NULL || !slu_shape_init(shape)) {
        free(shape);
        slu_err_set(err, SLU_ENOMEM, "no memory to check a JSON document");
        return false;
    }
    const struct slu_value *culprit = root;
    enum slu_payload_fault fault = slu_shape_check(shape, root, max_depth, &culprit);
    slu_shape_fini(shape);
    free(shape);
    if (fault != SLU_PAYLOAD_OK)
        tell_shape(err, text, fault, max_depth, root, culprit);
    return fault == SLU_PAYLOAD_OK;
}

struct slu_document *slu_document_parse(struct slu_slice text, size_t max_depth,
                                        struct slu_err *err)
{
    struct slu_json_memory values = {NULL, 0, 0};
    struct slu_json_memory texts = {NULL, 0, 0};
    struct slu_document *document = NULL;
    struct slu_json_fault fault = {SLU_PAYLOAD_TOO_LARGE, 0, "no memory for the JSON text"};
    const struct slu_value *root = NULL;
    const struct slu_value *raw_root = NULL;

    if (text.len <= TEXT_MAX)
        root = slu_json_read(&values, text, SLU_JSON_VALUES, &fault);
    if (root != NULL && !check_shape(text, root, max_depth, err))
        goto end;
    if (root != NULL)
        raw_root = slu_json_read(&texts, text, SLU_JSON_TEXTS, &fault);
    if (raw_root == NULL) {
        slu_err_set(err, fault.fault == SLU_PAYLOAD_TOO_LARGE ? SLU_ENOMEM : SLU_EINVAL, "%s",
                    fault.text);
        place(err, text, fault.at, "");
        goto end;
    }
    document = build(text, root, raw_root);
    if (document == NULL)
        slu_err_set(err, SLU_ENOMEM, "no memory for a JSON document");
end:
    slu_json_memory_fini(&values);
    slu_json_memory_fini(&texts);
    return document;
}

void slu_document_free(struct slu_document *document)
{
    free(document);
}

/* Index of a cell of either tree. */
static size_t index_of(const struct slu_document *document, const struct slu_value *value)
{
    const uintptr_t at = (uintptr_t)value;
    const uintptr_t raws = (uintptr_t)document->raw_root;
    return (at - (at >= raws ? raws : (uintptr_t)document->root)) / sizeof(*value);
}

struct slu_decimal slu_document_digits(const struct slu_document *document,
                                       const struct slu_value *value)
{
    return slu_decimal_of(slu_value_text(document->raw_root + index_of(document, value)));
}

void slu_document_place(const struct slu_document *document, const struct slu_value *value,
                        unsigned *line, unsigned *column)
{
    const size_t at = slu_place_of_cell(document->text, index_of(document, value));
    slu_place_of_byte(document->text, at, line, column);
}

double slu_document_nearest(struct slu_slice json_number)
{
    const bool negative = json_number.len != 0 && json_number.data[0] == '-';
    double nearest = negative ? -HUGE_VAL : HUGE_VAL;
    struct slu_buf real;

    /* An integer of many digits is kept as its text; with an exponent it is a double like others. One
     * that has an exponent already becomes no number at all, and is beyond their range. */
    slu_buf_init(&real, json_number.len + 2);
    slu_buf_add_slice(&real, json_number);
    struct slu_document *document =
        slu_buf_add_text(&real, "e0") ? slu_document_parse(slu_buf_slice(&real), 1, NULL) : NULL;
    if (document != NULL && slu_value_variant(document->root) == SLU_VALUE_REAL)
        nearest = document->root->f64;
    slu_document_free(document);
    slu_buf_fini(&real);
    return nearest;
}
