/* dialect.c -- what the words of a schema mean: its draft, and from 2019-09 on the vocabularies that its
 * metaschema names. Declared in compile.h and schema.h.
 *
 *   "$schema": "https://json-schema.org/draft/2020-12/schema"    a row of the table
 *   "$schema": "https://plant/meta"                              a document, which has a $schema itself:
 *      {"$schema": "https://json-schema.org/draft/2020-12/schema",       its draft, and …
 *       "$vocabulary": {"https://json-schema.org/draft/2020-12/vocab/core": true, …}}
 */
#include "validation/json_schema/compile.h"

/* Metaschemas of metaschemas. */
#define MAX_CHAIN 8

static const struct {
    enum slu_schema_draft draft;
    const char *name, *uri, *vocabularies; /* their URIs begin like this; NULL: has none */
} drafts[] = {
    {SLU_DRAFT_2020, "2020-12", "https://json-schema.org/draft/2020-12/schema",
     "https://json-schema.org/draft/2020-12/vocab/"},
    {SLU_DRAFT_2019, "2019-09", "https://json-schema.org/draft/2019-09/schema",
     "https://json-schema.org/draft/2019-09/vocab/"},
    {SLU_DRAFT_7, "7", "http://json-schema.org/draft-07/schema", NULL},
    {SLU_DRAFT_6, "6", "http://json-schema.org/draft-06/schema", NULL},
    {SLU_DRAFT_4, "4", "http://json-schema.org/draft-04/schema", NULL},
};

#define N_DRAFTS (sizeof(drafts) / sizeof(drafts[0]))

/* By the end of their URI. In 2019-09 unevaluated* belong to the applicators. */
static const struct {
    const char *name;
    unsigned drafts;
    uint8_t bits;
} vocabularies[] = {
    {"core", SLU_DRAFTS_FROM_2019, SLU_VOCABULARY_CORE},
    {"applicator", SLU_DRAFT_2020, SLU_VOCABULARY_APPLICATOR},
    {"applicator", SLU_DRAFT_2019, SLU_VOCABULARY_APPLICATOR | SLU_VOCABULARY_UNEVALUATED},
    {"unevaluated", SLU_DRAFT_2020, SLU_VOCABULARY_UNEVALUATED},
    {"validation", SLU_DRAFTS_FROM_2019, SLU_VOCABULARY_VALIDATION},
    {"meta-data", SLU_DRAFTS_FROM_2019, SLU_VOCABULARY_META_DATA},
    {"format", SLU_DRAFT_2019, SLU_VOCABULARY_FORMAT},
    {"format-annotation", SLU_DRAFT_2020, SLU_VOCABULARY_FORMAT},
    {"format-assertion", SLU_DRAFT_2020, SLU_VOCABULARY_FORMAT},
    {"content", SLU_DRAFTS_FROM_2019, SLU_VOCABULARY_CONTENT},
};

enum slu_schema_draft slu_schema_draft_named(struct slu_slice name)
{
    for (size_t i = 0; i < N_DRAFTS; i++)
        if (slu_slice_equal(name, slu_slice_of(drafts[i].name)))
            return drafts[i].draft;
    return 0;
}

enum slu_schema_draft slu_schema_draft_of_uri(struct slu_slice uri)
{
    if (uri.len != 0 && uri.data[uri.len - 1] == '#')
        uri.len--;
    for (size_t i = 0; i < N_DRAFTS; i++)
        if (slu_slice_equal(uri, slu_slice_of(drafts[i].uri)))
            return drafts[i].draft;
    return 0;
}

const char *slu_schema_draft_name(enum slu_schema_draft draft)
{
    for (size_t i = 0; i < N_DRAFTS; i++)
        if (drafts[i].draft == draft)
            return drafts[i].name;
    return "";
}

struct slu_dialect slu_dialect_of(const struct slu_compile *compile, enum slu_schema_draft draft)
{
    const struct slu_schema_options *options = compile->options;
    if (draft == 0)
        draft = options->default_draft != 0 ? options->default_draft : SLU_DRAFT_2020;
    const bool by_draft = ((unsigned)draft & SLU_DRAFTS_TO_7) != 0;
    return (struct slu_dialect){
        .draft = (uint8_t)draft,
        .vocabularies = SLU_VOCABULARIES,
        .asserts = options->formats == SLU_FORMATS_BY_DRAFT
                       ? by_draft
                       : options->formats == SLU_FORMATS_ASSERT,
    };
}

/* One entry of $vocabulary. Whoever knows a vocabulary uses it, needed or not. A metaschema that has
 * format-assertion at all asserts (2020-12 validation §7.2.2), one of 2019-09 when it needs `format`. */
static bool read_vocabulary(struct slu_compile *compile, const struct slu_value *key,
                            struct slu_dialect *dialect)
{
    const struct slu_slice uri = slu_value_text(key);
    const bool needed = slu_value_variant(key + 1) == SLU_VALUE_TRUE;
    const bool decides = compile->options->formats == SLU_FORMATS_BY_DRAFT;
    const char *prefix =
        dialect->draft == SLU_DRAFT_2020 ? drafts[0].vocabularies : drafts[1].vocabularies;
    for (size_t i = 0; i < sizeof(vocabularies) / sizeof(vocabularies[0]); i++) {
        const struct slu_slice name = slu_slice_of(vocabularies[i].name);
        const size_t begin = strlen(prefix);
        if ((vocabularies[i].drafts & dialect->draft) == 0 || uri.len != begin + name.len ||
            !slu_slice_starts_with(uri, slu_slice_of(prefix)) ||
            !slu_slice_equal(slu_slice(uri.data + begin, name.len), name))
            continue;
        dialect->vocabularies |= vocabularies[i].bits;
        if (slu_slice_equal(name, SLU_SLICE("format-assertion")) ||
            (slu_slice_equal(name, SLU_SLICE("format")) && needed))
            dialect->asserts |= decides;
        return true;
    }
    return !needed || slu_compile_error(compile, key, "a vocabulary that is needed is not known");
}

static bool read_vocabularies(struct slu_compile *compile, const struct slu_value *meta,
                              struct slu_dialect *dialect)
{
    const struct slu_value *list = slu_value_get(meta, SLU_SLICE("$vocabulary"));
    bool known = true;
    if ((dialect->draft & SLU_DRAFTS_TO_7) != 0 || list == NULL ||
        slu_value_kind(list) != SLU_VALUE_OBJECT)
        return true;
    dialect->vocabularies = SLU_VOCABULARY_CORE;
    const struct slu_value *key = slu_value_first(list);
    for (size_t i = 0; i < slu_value_len(list); i++, key = slu_value_next(key + 1))
        known = read_vocabulary(compile, key, dialect) && known;
    return known;
}

/* The document that $schema names. NULL: told at `named`. */
static const struct slu_value *metaschema(struct slu_compile *compile,
                                          const struct slu_value *named, struct slu_slice uri)
{
    bool told;
    if (uri.len != 0 && uri.data[uri.len - 1] == '#')
        uri.len--;
    const uint32_t resource = slu_resolve_resource(compile, uri, &told);
    if (resource != UINT32_MAX)
        return slu_compile_resource_at(compile, resource)->root;
    if (!told)
        slu_compile_error(compile, named,
                          "$schema is of no draft (4, 6, 7, 2019-09, 2020-12) and of no schema "
                          "that is here: %.*s",
                          (int)(uri.len < 200 ? uri.len : 200), uri.data);
    return NULL;
}

bool slu_dialect_read(struct slu_compile *compile, const struct slu_value *named,
                      struct slu_dialect *dialect)
{
    const struct slu_value *first = NULL; /* its $vocabulary counts */
    struct slu_slice uri = slu_value_text(named);
    for (unsigned i = 0; i < MAX_CHAIN && slu_schema_draft_of_uri(uri) == 0; i++) {
        const struct slu_value *meta = metaschema(compile, named, uri);
        if (meta == NULL)
            return false;
        const struct slu_value *above = slu_value_get(meta, SLU_SLICE("$schema"));
        first = first != NULL ? first : meta;
        uri = above != NULL && slu_value_kind(above) == SLU_VALUE_STRING ? slu_value_text(above)
                                                                         : slu_slice("", 0);
        if (uri.len == 0)
            break;
    }
    const enum slu_schema_draft draft = slu_schema_draft_of_uri(uri);
    if (draft == 0)
        return slu_compile_error(compile, named, "$schema names a schema of no draft itself");
    *dialect = slu_dialect_of(compile, draft);
    return first == NULL || read_vocabularies(compile, first, dialect);
}
