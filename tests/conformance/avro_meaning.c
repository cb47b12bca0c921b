/* avro_meaning.c -- see avro_meaning.h. Types that refer to themselves are why heights are made in rounds.
 */
#include "tests/conformance/avro_meaning.h"

#include <string.h>

const char *const meaning_names[MEANS_TYPES] = {
    [MEANS_NULL] = "null",     [MEANS_BOOLEAN] = "boolean", [MEANS_INT] = "int",
    [MEANS_LONG] = "long",     [MEANS_FLOAT] = "float",     [MEANS_DOUBLE] = "double",
    [MEANS_BYTES] = "bytes",   [MEANS_STRING] = "string",   [MEANS_FIXED] = "fixed",
    [MEANS_ENUM] = "enum",     [MEANS_ARRAY] = "array",     [MEANS_MAP] = "map",
    [MEANS_RECORD] = "record", [MEANS_UNION] = "union",
};

#define TOO_HIGH 1000u

struct reading {
    struct slu_arena *arena;
    struct meaning *made;   /* the latest; NULL: none yet */
    struct meaning *latest; /* of the named types */
    bool wrong;
};

static struct meaning *read_type(struct reading *reading, const struct slu_value *value,
                                 struct slu_slice space);

static const struct slu_value *member(const struct slu_value *object, const char *key)
{
    return slu_value_get(object, slu_slice_of(key));
}

/* Its text; empty when there is none. */
static struct slu_slice text_of(const struct slu_value *value)
{
    return value != NULL && slu_value_kind(value) == SLU_VALUE_STRING ? slu_value_text(value)
                                                                      : slu_slice("", 0);
}

static void *alloc(struct reading *reading, size_t n, size_t size)
{
    void *memory = slu_arena_array(reading->arena, n + 1, size);
    reading->wrong = reading->wrong || memory == NULL;
    return memory;
}

static struct meaning *fresh(struct reading *reading, enum meaning_type type, size_t n)
{
    struct meaning *meaning = alloc(reading, 1, sizeof(*meaning));
    if (meaning == NULL)
        return NULL;
    *meaning = (struct meaning){.type = type, .height = TOO_HIGH, .made = reading->made};
    reading->made = meaning;
    meaning->parts = alloc(reading, n, sizeof(struct meaning *));
    meaning->names = alloc(reading, n, sizeof(struct slu_slice));
    return reading->wrong ? NULL : meaning;
}

static struct meaning *fail(struct reading *reading)
{
    reading->wrong = true;
    return NULL;
}

/* ---- names ------------------------------------------------------------------------------------------- */

static struct slu_slice full_name(struct reading *reading, struct slu_slice name,
                                  struct slu_slice space)
{
    if (space.len == 0 || memchr(name.data, '.', name.len) != NULL)
        return name;
    char *full = alloc(reading, space.len + name.len + 1, 1);
    if (full == NULL)
        return name;
    memcpy(full, space.data, space.len);
    full[space.len] = '.';
    memcpy(full + space.len + 1, name.data, name.len);
    return slu_slice(full, space.len + 1 + name.len);
}

static struct slu_slice space_of(struct slu_slice full)
{
    const char *dot = memrchr(full.data, '.', full.len);
    return dot == NULL ? slu_slice("", 0) : slu_slice(full.data, (size_t)(dot - full.data));
}

static struct meaning *find(const struct reading *reading, struct slu_slice full)
{
    struct meaning *meaning = reading->latest;
    while (meaning != NULL && !slu_slice_equal(meaning->full, full))
        meaning = meaning->before;
    return meaning;
}

static struct slu_slice define(struct reading *reading, struct meaning *meaning,
                               const struct slu_value *object, struct slu_slice space)
{
    const struct slu_value *own = member(object, "namespace");
    meaning->full =
        full_name(reading, text_of(member(object, "name")), own != NULL ? text_of(own) : space);
    meaning->before = reading->latest;
    reading->latest = meaning;
    return space_of(meaning->full);
}

static int primitive_named(struct slu_slice name)
{
    for (int i = 0; i < MEANS_PRIMITIVES; i++)
        if (slu_slice_equal(name, slu_slice_of(meaning_names[i])))
            return i;
    return -1;
}

static struct meaning *read_name(struct reading *reading, struct slu_slice name,
                                 struct slu_slice space)
{
    const int type = primitive_named(name);
    if (type >= 0)
        return fresh(reading, (enum meaning_type)type, 0);
    struct meaning *meaning = find(reading, full_name(reading, name, space));
    if (meaning == NULL)
        meaning = find(reading, name);
    return meaning != NULL ? meaning : fail(reading);
}

/* ---- logical types ----------------------------------------------------------------------------------- */

static uint64_t count_of(const struct slu_value *object, const char *key, uint64_t absent)
{
    const struct slu_value *value = member(object, key);
    if (value == NULL)
        return absent;
    return slu_value_variant(value) == SLU_VALUE_UINT ? value->u64 : UINT64_MAX;
}

static void read_decimal(const struct slu_value *object, struct meaning *meaning)
{
    const uint64_t precision = count_of(object, "precision", 0);
    const uint64_t scale = count_of(object, "scale", 0);
    uint64_t most = MEANING_MAX_PRECISION;
    if (meaning->type == MEANS_FIXED) { /* floor(log10(2^(8 × size - 1) - 1)) */
        const double digits =
            meaning->size == 0 ? 0 : (8 * (double)meaning->size - 1) * 0.30102999566398119521;
        most = digits < (double)most ? (uint64_t)digits : most;
    }
    if (precision < 1 || precision > most || scale > precision)
        return;
    meaning->logical = LOGICAL_DECIMAL;
    meaning->precision = (unsigned)precision;
    meaning->scale = (unsigned)scale;
}

static void read_logical(const struct slu_value *object, struct meaning *meaning)
{
    const struct slu_slice name = text_of(member(object, "logicalType"));
    const bool fixed = meaning->type == MEANS_FIXED;
    if (slu_slice_equal(name, SLU_SLICE("decimal")) && (fixed || meaning->type == MEANS_BYTES))
        read_decimal(object, meaning);
    else if (slu_slice_equal(name, SLU_SLICE("uuid")) &&
             (fixed ? meaning->size == 16 : meaning->type == MEANS_STRING))
        meaning->logical = LOGICAL_UUID;
    else if (slu_slice_equal(name, SLU_SLICE("duration")) && fixed && meaning->size == 12)
        meaning->logical = LOGICAL_DURATION;
}

/* ---- types ------------------------------------------------------------------------------------------- */

static struct meaning *read_record(struct reading *reading, const struct slu_value *object,
                                   struct slu_slice space)
{
    const struct slu_value *fields = member(object, "fields");
    if (fields == NULL || slu_value_kind(fields) != SLU_VALUE_ARRAY)
        return fail(reading);
    struct meaning *meaning = fresh(reading, MEANS_RECORD, slu_value_len(fields));
    if (meaning == NULL)
        return NULL;
    space = define(reading, meaning, object, space);
    const struct slu_value *field = slu_value_first(fields);
    for (size_t i = 0; i < slu_value_len(fields); i++, field = slu_value_next(field)) {
        meaning->names[i] = text_of(member(field, "name"));
        meaning->parts[i] = read_type(reading, member(field, "type"), space);
    }
    meaning->n = slu_value_len(fields);
    return meaning;
}

static struct meaning *read_enum(struct reading *reading, const struct slu_value *object,
                                 struct slu_slice space)
{
    const struct slu_value *symbols = member(object, "symbols");
    if (symbols == NULL || slu_value_kind(symbols) != SLU_VALUE_ARRAY)
        return fail(reading);
    struct meaning *meaning = fresh(reading, MEANS_ENUM, slu_value_len(symbols));
    if (meaning == NULL)
        return NULL;
    define(reading, meaning, object, space);
    const struct slu_value *symbol = slu_value_first(symbols);
    for (; meaning->n < slu_value_len(symbols); symbol = slu_value_next(symbol))
        meaning->names[meaning->n++] = text_of(symbol);
    return meaning;
}

static struct meaning *read_union(struct reading *reading, const struct slu_value *list,
                                  struct slu_slice space)
{
    struct meaning *meaning = fresh(reading, MEANS_UNION, slu_value_len(list));
    if (meaning == NULL)
        return NULL;
    const struct slu_value *branch = slu_value_first(list);
    for (; meaning->n < slu_value_len(list); branch = slu_value_next(branch))
        meaning->parts[meaning->n++] = read_type(reading, branch, space);
    return meaning;
}

static struct meaning *read_object(struct reading *reading, const struct slu_value *object,
                                   struct slu_slice space)
{
    const struct slu_slice word = text_of(member(object, "type"));
    struct meaning *meaning;
    if (slu_slice_equal(word, SLU_SLICE("record")))
        return read_record(reading, object, space);
    if (slu_slice_equal(word, SLU_SLICE("enum")))
        return read_enum(reading, object, space);
    if (slu_slice_equal(word, SLU_SLICE("fixed"))) {
        if ((meaning = fresh(reading, MEANS_FIXED, 0)) == NULL)
            return NULL;
        define(reading, meaning, object, space);
        meaning->size = (size_t)count_of(object, "size", 0);
        read_logical(object, meaning);
        return meaning;
    }
    const bool array = slu_slice_equal(word, SLU_SLICE("array"));
    if (array || slu_slice_equal(word, SLU_SLICE("map"))) {
        if ((meaning = fresh(reading, array ? MEANS_ARRAY : MEANS_MAP, 1)) == NULL)
            return NULL;
        meaning->parts[meaning->n++] =
            read_type(reading, member(object, array ? "items" : "values"), space);
        return meaning;
    }
    meaning = read_name(reading, word, space);
    if (meaning != NULL && meaning->type < MEANS_PRIMITIVES) /* of its own, not one referred to */
        read_logical(object, meaning);
    return meaning;
}

static struct meaning *read_type(struct reading *reading, const struct slu_value *value,
                                 struct slu_slice space)
{
    if (value == NULL || reading->wrong)
        return fail(reading);
    switch (slu_value_kind(value)) {
    case SLU_VALUE_STRING:
        return read_name(reading, slu_value_text(value), space);
    case SLU_VALUE_ARRAY:
        return read_union(reading, value, space);
    case SLU_VALUE_OBJECT:
        return read_object(reading, value, space);
    default:
        return fail(reading);
    }
}

/* ---- heights ----------------------------------------------------------------------------------------- */

/* What the heights of the parts, as far as they are known, make of this one. */
static unsigned height_of(const struct meaning *meaning)
{
    const bool is_union = meaning->type == MEANS_UNION;
    unsigned height = is_union ? TOO_HIGH : 0;
    if (meaning->type != MEANS_RECORD && !is_union)
        return 0;
    for (size_t i = 0; i < meaning->n; i++) {
        const unsigned part = meaning->parts[i]->height;
        if (is_union ? part < height : part > height)
            height = part;
    }
    return height >= TOO_HIGH ? TOO_HIGH : height + 1;
}

static void make_heights(struct reading *reading)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (struct meaning *meaning = reading->made; meaning != NULL; meaning = meaning->made) {
            const unsigned height = height_of(meaning);
            changed = changed || height != meaning->height;
            meaning->height = height;
        }
    }
}

const struct meaning *meaning_of(const struct slu_value *schema, struct slu_arena *arena,
                                 const struct meaning **made)
{
    struct reading reading = {.arena = arena};
    const struct meaning *meaning = read_type(&reading, schema, slu_slice("", 0));
    if (reading.wrong)
        return NULL;
    make_heights(&reading);
    *made = reading.made;
    return meaning;
}
