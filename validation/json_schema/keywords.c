/* keywords.c -- see keywords.h. The table itself, and finding a row by its name. */
#include "validation/json_schema/keywords.h"

const struct slu_keyword slu_keywords[SLU_KEYWORDS] = {
#define KEYWORD(id, name, drafts, vocabulary, shape, kinds, cost, compile, judge, sentence) \
    {name,                                                                                  \
     "schema." name,                                                                        \
     sentence,                                                                              \
     sizeof(name) - 1,                                                                      \
     SLU_DRAFTS_##drafts,                                                                   \
     SLU_VOCABULARY_##vocabulary,                                                           \
     SLU_SHAPE_##shape,                                                                     \
     SLU_KINDS_##kinds,                                                                     \
     SLU_COST_##cost,                                                                       \
     slu_keyword_##compile##_compile,                                                       \
     slu_keyword_##judge##_judge},
#include "validation/json_schema/keywords.def"
#undef KEYWORD
};

const char *const slu_keyword_names[SLU_KEYWORDS] = {
#define KEYWORD(id, name, drafts, vocabulary, shape, kinds, cost, compile, judge, sentence) name,
#include "validation/json_schema/keywords.def"
#undef KEYWORD
};

/* Row of keywords whose op nobody runs. */
bool slu_keyword_none_judge(struct slu_run *run, const struct slu_op *op,
                            const struct slu_value *value, struct slu_seen *seen)
{
    (void)run, (void)op, (void)value, (void)seen;
    return true;
}

const struct slu_keyword *slu_keyword_find(struct slu_slice name, struct slu_dialect dialect)
{
    for (size_t i = 0; i < SLU_KEYWORDS; i++) {
        const struct slu_keyword *row = &slu_keywords[i];
        if (row->name_len == name.len && (row->drafts & dialect.draft) != 0 &&
            (row->vocabulary & dialect.vocabularies) != 0 &&
            memcmp(row->name, name.data, name.len) == 0)
            return row;
    }
    return NULL;
}
