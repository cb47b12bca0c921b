/* library.c -- see library.h. */
#include "validation/json_schema/library.h"

#include "base/arena.h"
#include "base/hash.h"
#include "validation/json_schema/compile.h"
#include "validation/json_schema/metaschemas.h"
#include "validation/json_schema/uri.h"
#include "validation/payload/payload.h"

#include <stdint.h>
#include <stdlib.h>

#define ARENA_MAX ((size_t)256 << 20)

struct name {
    struct slu_slice uri;
    uint64_t hash;
    size_t document;
};

struct slu_library {
    struct slu_arena arena; /* URIs */
    struct slu_library_document *documents;
    struct name *names;
    size_t n_documents, room_documents;
    size_t n_names, room_names;
    uint32_t *slots; /* name's number + 1, by hash; 0: free */
    size_t n_slots;  /* a power of two, or 0 */
};

struct slu_library *slu_library_new(void)
{
    struct slu_library *library = calloc(1, sizeof(*library));
    if (library != NULL)
        slu_arena_init(&library->arena, ARENA_MAX);
    return library;
}

void slu_library_free(struct slu_library *library)
{
    if (library == NULL)
        return;
    slu_arena_fini(&library->arena);
    free(library->documents);
    free(library->names);
    free(library->slots);
    free(library);
}

static uint64_t hash_of(struct slu_slice uri)
{
    return slu_hash_bytes(0, uri.data, uri.len);
}

size_t slu_library_size(const struct slu_library *library)
{
    return library != NULL ? library->n_documents : 0;
}

const struct slu_library_document *slu_library_at(const struct slu_library *library, size_t i)
{
    return &library->documents[i];
}

/* The slot of that name, or the free one where it would go. */
static uint32_t *slot_of(const struct slu_library *library, struct slu_slice uri, uint64_t hash)
{
    size_t at = hash & (library->n_slots - 1);
    for (; library->slots[at] != 0; at = (at + 1) & (library->n_slots - 1)) {
        const struct name *name = &library->names[library->slots[at] - 1];
        if (name->hash == hash && slu_slice_equal(name->uri, uri))
            break;
    }
    return &library->slots[at];
}

size_t slu_library_find(const struct slu_library *library, struct slu_slice uri)
{
    if (library == NULL || library->n_slots == 0)
        return SIZE_MAX;
    const uint32_t slot = *slot_of(library, uri, hash_of(uri));
    return slot != 0 ? library->names[slot - 1].document : SIZE_MAX;
}

/* Room for one more item; false: no memory. */
static bool make_room(void **items, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return true;
    const size_t more = *room != 0 ? *room * 2 : 16;
    void *grown = reallocarray(*items, more, size);
    if (grown == NULL)
        return false;
    *items = grown;
    *room = more;
    return true;
}

/* Twice as many slots as names, and more. */
static bool make_slots(struct slu_library *library)
{
    if (2 * (library->n_names + 1) <= library->n_slots)
        return true;
    const size_t n = library->n_slots != 0 ? 2 * library->n_slots : 64;
    uint32_t *slots = library->n_names < UINT32_MAX / 4 ? calloc(n, sizeof(*slots)) : NULL;
    if (slots == NULL)
        return false;
    free(library->slots);
    library->slots = slots;
    library->n_slots = n;
    for (size_t i = 0; i < library->n_names; i++)
        *slot_of(library, library->names[i].uri, library->names[i].hash) = (uint32_t)i + 1;
    return true;
}

static bool add_name(struct slu_library *library, struct slu_slice uri)
{
    const uint64_t hash = hash_of(uri);
    if (uri.len == 0)
        return true;
    if (!make_room((void **)&library->names, library->n_names, &library->room_names,
                   sizeof(*library->names)) ||
        !make_slots(library))
        return false;
    uint32_t *slot = slot_of(library, uri, hash);
    if (*slot != 0)
        return true;
    library->names[library->n_names++] = (struct name){uri, hash, library->n_documents - 1};
    *slot = (uint32_t)library->n_names;
    return true;
}

/* Every $id (and draft 4's id) below `cell`, against the one around it. As deep as the document. */
static bool add_ids(struct slu_library *library, const struct slu_value *cell,
                    struct slu_slice base)
{
    const bool object = slu_value_kind(cell) == SLU_VALUE_OBJECT;
    if (!object && slu_value_kind(cell) != SLU_VALUE_ARRAY)
        return true;
    const struct slu_value *id = object ? slu_value_get(cell, SLU_SLICE("$id")) : NULL;
    if (object && id == NULL)
        id = slu_value_get(cell, SLU_SLICE("id"));
    if (id != NULL && slu_value_kind(id) == SLU_VALUE_STRING) {
        struct slu_slice rest, fragment;
        slu_uri_split(slu_value_text(id), &rest, &fragment);
        if (rest.len != 0) {
            base = slu_uri_resolve(&library->arena, base, rest);
            if (base.data == NULL || !add_name(library, base))
                return false;
        }
    }
    const struct slu_value *member = slu_value_first(cell);
    for (size_t i = 0; i < slu_value_len(cell); i++, member = slu_value_next(member)) {
        member += object;
        if (!add_ids(library, member, base))
            return false;
    }
    return true;
}

int slu_library_add(struct slu_library *library, const struct slu_library_document *added,
                    struct slu_err *err)
{
    struct slu_slice uri, fragment;
    struct slu_document *document = slu_document_parse(added->text, SLU_COMPILE_MAX_DEPTH, err);
    if (document == NULL)
        return -1;
    slu_uri_split(slu_slice_of(added->uri), &uri, &fragment);
    bool known = make_room((void **)&library->documents, library->n_documents,
                           &library->room_documents, sizeof(*library->documents));
    if (known) {
        library->documents[library->n_documents++] = *added;
        known = add_name(library, uri) && add_ids(library, document->root, uri);
    }
    slu_document_free(document);
    return known ? 0 : slu_err_set(err, SLU_ENOMEM, "no memory for a library of schemas");
}

struct slu_slice slu_metaschema_text(struct slu_slice uri)
{
    for (size_t i = 0; i < slu_n_metaschemas; i++)
        if (slu_slice_equal(uri, slu_slice_of(slu_metaschemas[i].uri)))
            return slu_slice(slu_metaschemas[i].text, slu_metaschemas[i].len);
    return slu_slice(NULL, 0);
}
