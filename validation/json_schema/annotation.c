/* annotation.c -- keywords that ask nothing of a value: their own type is checked, no more. Also the
 * words of identity, which scan.c and dialect.c have read by then.
 */
#include "validation/json_schema/compile.h"

void slu_keyword_text_compile(struct slu_build *build, const struct slu_keyword *row,
                              const struct slu_value *value)
{
    slu_build_expect(build, row, value, SLU_VALUE_STRING);
}

void slu_keyword_flag_compile(struct slu_build *build, const struct slu_keyword *row,
                              const struct slu_value *value)
{
    slu_build_expect(build, row, value, SLU_VALUE_BOOL);
}

void slu_keyword_list_compile(struct slu_build *build, const struct slu_keyword *row,
                              const struct slu_value *value)
{
    slu_build_expect(build, row, value, SLU_VALUE_ARRAY);
}

void slu_keyword_id_compile(struct slu_build *build, const struct slu_keyword *row,
                            const struct slu_value *value)
{
    slu_build_expect(build, row, value, SLU_VALUE_STRING);
}

void slu_keyword_anything_compile(struct slu_build *build, const struct slu_keyword *row,
                                  const struct slu_value *value)
{
    (void)build, (void)row, (void)value;
}

/* [A-Za-z_][-A-Za-z0-9._]* (2020-12 core §8.2.2); 2019-09 has no _ in front and the colon besides. */
void slu_keyword_anchor_compile(struct slu_build *build, const struct slu_keyword *row,
                                const struct slu_value *value)
{
    if (!slu_build_expect(build, row, value, SLU_VALUE_STRING))
        return;
    const bool old = build->dialect.draft == SLU_DRAFT_2019;
    const struct slu_slice name = slu_value_text(value);
    bool sound = name.len != 0;
    for (size_t i = 0; i < name.len; i++) {
        const char c = name.data[i];
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool later = (c >= '0' && c <= '9') || c == '-' || c == '.' || (c == ':' && old);
        sound = sound && (letter || (c == '_' && (i > 0 || !old)) || (later && i > 0));
    }
    if (!sound)
        slu_compile_error(build->compile, value,
                          "%s takes a letter%s, then letters, digits, - _ .%s", row->name,
                          old ? "" : " or _", old ? " or :" : "");
}

void slu_keyword_dialect_compile(struct slu_build *build, const struct slu_keyword *row,
                                 const struct slu_value *value)
{
    slu_build_expect(build, row, value, SLU_VALUE_STRING);
}

/* Means something in a metaschema only (dialect.c). */
void slu_keyword_vocabulary_compile(struct slu_build *build, const struct slu_keyword *row,
                                    const struct slu_value *value)
{
    if (!slu_build_expect(build, row, value, SLU_VALUE_OBJECT))
        return;
    const struct slu_value *key = slu_value_first(value);
    for (size_t i = 0; i < slu_value_len(value); i++, key = slu_value_next(key + 1))
        slu_build_expect(build, row, key + 1, SLU_VALUE_BOOL);
}
