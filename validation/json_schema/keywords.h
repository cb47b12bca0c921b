/* keywords.h -- the table of keywords (keywords.def) and the shape of its rows.
 *
 * A new keyword is a row in keywords.def and its functions in the file of its noun: number.c,
 * string.c, array.c, object.c, match.c, logic.c, dynamic.c, unevaluated.c, content.c, annotation.c.
 *
 * Threads: constant.
 */
#ifndef SLU_JSON_SCHEMA_KEYWORDS_H
#define SLU_JSON_SCHEMA_KEYWORDS_H

#include "validation/json_schema/program.h"
#include "validation/json_schema/schema.h"

enum slu_keyword_id {
#define KEYWORD(id, name, drafts, vocabulary, shape, kinds, cost, compile, judge, sentence) \
    SLU_KEYWORD_##id,
#include "validation/json_schema/keywords.def"
#undef KEYWORD
    SLU_KEYWORDS,
};

/* Sets of enum slu_schema_draft: the column `drafts`. */
enum slu_drafts {
    SLU_DRAFTS_ONLY_4 = SLU_DRAFT_4,
    SLU_DRAFTS_ONLY_2019 = SLU_DRAFT_2019,
    SLU_DRAFTS_ONLY_2020 = SLU_DRAFT_2020,
    SLU_DRAFTS_FROM_2019 = SLU_DRAFT_2019 | SLU_DRAFT_2020,
    SLU_DRAFTS_FROM_7 = SLU_DRAFT_7 | SLU_DRAFTS_FROM_2019,
    SLU_DRAFTS_FROM_6 = SLU_DRAFT_6 | SLU_DRAFTS_FROM_7,
    SLU_DRAFTS_ALL = SLU_DRAFT_4 | SLU_DRAFTS_FROM_6,
    SLU_DRAFTS_TO_2019 = SLU_DRAFTS_ALL & ~SLU_DRAFT_2020,
    SLU_DRAFTS_TO_7 = SLU_DRAFTS_ALL & ~SLU_DRAFTS_FROM_2019, /* $ref stands alone */
};

enum slu_vocabulary { /* bits */
                      SLU_VOCABULARY_CORE = 1,
                      SLU_VOCABULARY_APPLICATOR = 2,
                      SLU_VOCABULARY_VALIDATION = 4,
                      SLU_VOCABULARY_UNEVALUATED = 8,
                      SLU_VOCABULARY_META_DATA = 16,
                      SLU_VOCABULARY_FORMAT = 32,
                      SLU_VOCABULARY_CONTENT = 64,
                      SLU_VOCABULARIES = 127, /* all of them */
};

enum slu_shape_of {
    SLU_SHAPE_NONE,
    SLU_SHAPE_SCHEMA,
    SLU_SHAPE_SCHEMAS,
    SLU_SHAPE_SCHEMA_MAP,
    SLU_SHAPE_EITHER,
    SLU_SHAPE_SOME_MAP,
};

enum slu_cost {
    SLU_COST_GUARD,
    SLU_COST_SCALAR,
    SLU_COST_MATCH,
    SLU_COST_PATTERN,
    SLU_COST_WALK,
    SLU_COST_REFER,
    SLU_COST_BRANCH,
    SLU_COST_UNIQUE,
    SLU_COST_LAST,
};

enum slu_kinds { /* bits: 1 << kind */
                 SLU_KINDS_NONE = 0,
                 SLU_KINDS_NUMBER = 1 << SLU_VALUE_NUMBER | 1 << SLU_VALUE_BIG,
                 SLU_KINDS_STRING = 1 << SLU_VALUE_STRING,
                 SLU_KINDS_ARRAY = 1 << SLU_VALUE_ARRAY,
                 SLU_KINDS_OBJECT = 1 << SLU_VALUE_OBJECT,
                 SLU_KINDS_ALL = 0xFE,
};

struct slu_build;

/* Look at the keyword's value, `value`; tell what is wrong with it (slu_build_error). */
typedef void slu_keyword_compile(struct slu_build *build, const struct slu_keyword *row,
                                 const struct slu_value *value);

struct slu_keyword {
    const char *name;
    const char *code; /* "schema.minimum" */
    const char *sentence;
    uint8_t name_len;
    uint8_t drafts;     /* enum slu_drafts */
    uint8_t vocabulary; /* enum slu_vocabulary */
    uint8_t shape;      /* enum slu_shape_of */
    uint8_t kinds;      /* enum slu_kinds */
    uint8_t cost;       /* enum slu_cost */
    slu_keyword_compile *compile;
    slu_keyword_judge *judge;
};

extern const struct slu_keyword slu_keywords[SLU_KEYWORDS];

/* Their names, for slu_nearest(). */
extern const char *const slu_keyword_names[SLU_KEYWORDS];

/* The keyword of that name in the dialect, or NULL. */
const struct slu_keyword *slu_keyword_find(struct slu_slice name, struct slu_dialect dialect);

/* The rows' functions; most are named twice or more, which C allows. */
#define KEYWORD(id, name, drafts, vocabulary, shape, kinds, cost, compile, judge, sentence) \
    slu_keyword_compile slu_keyword_##compile##_compile;                                    \
    slu_keyword_judge slu_keyword_##judge##_judge;
#include "validation/json_schema/keywords.def"
#undef KEYWORD

#endif
