/* resolve.c -- which subschema a reference means. Declared in compile.h.
 *
 * A reference is resolved against its resource's URI; what remains behind '#' is a JSON Pointer from
 * that resource's root, or an anchor. A pointer may lead to a place that is no subschema by the table
 * (under an unknown keyword): then it is scanned when it is first referred to.
 *
 * Where the URI is none that has been met, a document is read: one of the library, else one of the
 * metaschemas that come with the program.
 */
#include "validation/json_schema/compile.h"

#include "validation/json_schema/library.h"
#include "validation/json_schema/uri.h"

#include <stdint.h>

/* Documents that are read while another one is: only $schema does that. */
#define MAX_LOADING 16

static bool tell(struct slu_compile *compile, const char *source, const struct slu_err *err)
{
    compile->n_errors++;
    slu_problems_error(compile->problems, source, err->line, err->column, err->pointer, "%s",
                       err->text);
    return false;
}

/* Read a document in. False: told. */
static bool load(struct slu_compile *compile, struct slu_slice text, const char *source,
                 struct slu_slice uri, enum slu_schema_draft draft)
{
    struct slu_err err = {0};
    if (compile->loading == MAX_LOADING) {
        slu_err_set(&err, SLU_EINVAL, "more than %d metaschemas, one of the other", MAX_LOADING);
        return tell(compile, source, &err);
    }
    struct slu_document *document = slu_document_parse(text, SLU_COMPILE_MAX_DEPTH, &err);
    if (document == NULL)
        return tell(compile, source, &err);
    compile->loading++;
    const bool loaded = slu_documents_add(compile, document, source, uri, draft);
    compile->loading--;
    return loaded;
}

uint32_t slu_resolve_resource(struct slu_compile *compile, struct slu_slice uri, bool *told)
{
    const struct slu_library *library = compile->options->library;
    const uint32_t known = slu_scan_find(compile, uri);
    *told = false;
    if (known != UINT32_MAX)
        return known;

    const size_t number = slu_library_find(library, uri);
    if (number != SIZE_MAX && !compile->loaded[number]) {
        const struct slu_library_document *document = slu_library_at(library, number);
        struct slu_slice own, fragment;
        slu_uri_split(slu_slice_of(document->uri), &own, &fragment);
        compile->loaded[number] = true;
        *told = !load(compile, document->text, document->source, own, document->default_draft);
    } else if (number == SIZE_MAX) {
        const struct slu_slice text = slu_metaschema_text(uri);
        if (text.len != 0)
            *told = !load(compile, text, "metaschema", slu_slice("", 0), 0);
    }
    return slu_scan_find(compile, uri);
}

static const struct slu_value *follow_pointer(struct slu_compile *compile,
                                              const struct slu_value *ref, uint32_t resource,
                                              struct slu_slice text)
{
    struct slu_pointer pointer;
    struct slu_err err = {0};
    if (slu_pointer_compile(text, &compile->passing, &pointer, &err) != 0) {
        slu_compile_error(compile, ref, "the reference's JSON Pointer: %s", err.text);
        return NULL;
    }
    const struct slu_value *found =
        slu_pointer_find(&pointer, slu_compile_resource_at(compile, resource)->root);
    if (found == NULL) {
        slu_compile_error(compile, ref, "the reference leads nowhere: there is no %.*s",
                          (int)(text.len < 200 ? text.len : 200), text.data);
        return NULL;
    }
    slu_scan(compile, found, resource);
    return found;
}

const struct slu_value *slu_resolve(struct slu_compile *compile, const struct slu_value *ref,
                                    uint32_t resource, const struct slu_anchor **anchor)
{
    struct slu_slice rest, fragment;
    slu_uri_split(slu_value_text(ref), &rest, &fragment);
    *anchor = NULL;

    if (rest.len != 0) {
        const struct slu_slice base = slu_compile_resource_at(compile, resource)->uri;
        const struct slu_slice uri = slu_uri_resolve(&compile->passing, base, rest);
        bool told = false;
        resource = uri.data != NULL ? slu_resolve_resource(compile, uri, &told) : UINT32_MAX;
        if (resource == UINT32_MAX && !told)
            slu_compile_error(compile, ref,
                              "the reference leads to a schema that is not here: %.*s",
                              (int)(uri.len < 200 ? uri.len : 200), uri.data);
        if (resource == UINT32_MAX)
            return NULL;
    }
    const struct slu_slice decoded = slu_uri_decode(&compile->passing, fragment);
    if (decoded.data == NULL) {
        slu_compile_error(compile, ref, "the reference has a malformed %% in its fragment");
        return NULL;
    }
    *anchor = decoded.len == 0 || decoded.data[0] != '/'
                  ? slu_scan_anchor(compile, resource, decoded)
                  : NULL;
    if (decoded.len == 0)
        return slu_compile_resource_at(compile, resource)->root;
    if (decoded.data[0] == '/')
        return follow_pointer(compile, ref, resource, decoded);
    if (*anchor != NULL)
        return (*anchor)->target;
    slu_compile_error(compile, ref, "the reference leads nowhere: there is no anchor \"%.*s\"",
                      (int)(decoded.len < 200 ? decoded.len : 200), decoded.data);
    return NULL;
}
