/* annotation.c -- keywords that ask nothing of a value: their own type is checked, no more. Also the
 * words of identity (resolve.c has read them by then) and those that this draft does not have.
 */
#include "validation/json_schema/compile.h"

static const char dialect_2020[] = "https://json-schema.org/draft/2020-12/schema";

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

/* [A-Za-z_][-A-Za-z0-9._]* (2020-12 core §8.2.2). */
void slu_keyword_anchor_compile(struct slu_build *build, const struct slu_keyword *row,
                                const struct slu_value *value)
{
    if (!slu_build_expect(build, row, value, SLU_VALUE_STRING))
        return;
    const struct slu_slice name = slu_value_text(value);
    bool sound = name.len != 0;
    for (size_t i = 0; i < name.len; i++) {
        const char c = name.data[i];
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        sound = sound && (letter || (i > 0 && ((c >= '0' && c <= '9') || c == '-' || c == '.')));
    }
    if (!sound)
        slu_compile_error(build->compile, value,
                          "%s takes a letter or _, then letters, digits, - _ or .", row->name);
}

void slu_keyword_dialect_compile(struct slu_build *build, const struct slu_keyword *row,
                                 const struct slu_value *value)
{
    if (!slu_build_expect(build, row, value, SLU_VALUE_STRING))
        return;
    struct slu_slice uri = slu_value_text(value);
    if (uri.len != 0 && uri.data[uri.len - 1] == '#')
        uri.len--;
    if (!slu_slice_equal(uri, SLU_SLICE(dialect_2020)))
        slu_compile_error(build->compile, value, "not supported yet: $schema other than %s",
                          dialect_2020);
}

void slu_keyword_unsupported_compile(struct slu_build *build, const struct slu_keyword *row,
                                     const struct slu_value *value)
{
    slu_compile_error(build->compile, value, "not supported yet: %s", row->name);
}

void slu_keyword_outdated_compile(struct slu_build *build, const struct slu_keyword *row,
                                  const struct slu_value *value)
{
    slu_compile_warn(build->compile, value,
                     "%s asks for nothing: draft 2020-12 does not have it any more", row->name);
}
