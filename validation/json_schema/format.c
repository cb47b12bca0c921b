/* format.c -- the table of formats, and the two that are nobody's neighbours: uuid and regex.
 *
 *   "hostname", draft 7 ──▶ row 8 ──▶ slu_format_hostname("xn--…") ──▶ yes or no
 *
 * A new format is a row here and a function in the file of its noun (format_inside.h).
 */
#include "validation/json_schema/format.h"

#include "validation/json_schema/format_inside.h"
#include "validation/json_schema/keywords.h"
#include "validation/json_schema/pattern.h"

#include <string.h>

/* Since which draft. */
#define FROM_2020 SLU_DRAFT_2020
#define FROM_2019 (SLU_DRAFT_2019 | FROM_2020)
#define FROM_7    (SLU_DRAFT_7 | FROM_2019)
#define FROM_6    (SLU_DRAFT_6 | FROM_7)
#define FROM_4    (SLU_DRAFT_4 | FROM_6)

/* What judging costs, in units of the evaluation budget: measured, and rounded up. */
enum cost {
    COST_PLAIN, /* one pass */
    COST_NAME,  /* one pass, but libidn2 behind it when there is more than plain ASCII */
    COST_REGEX, /* a tree */
};

/* What a regular expression's tree may take while it is looked at, bytes. */
#define REGEX_MEMORY (16u << 20)

/* `regex` is in no list of drafts 4 and 6, but their own metaschemas use it. */
static const struct {
    const char *name;
    unsigned drafts; /* bits of enum slu_schema_draft */
    slu_format_judge *judge;
    enum cost cost;
} formats[] = {
    {"date-time", FROM_4, slu_format_date_time, COST_PLAIN},
    {"date", FROM_7, slu_format_date, COST_PLAIN},
    {"time", FROM_7, slu_format_time, COST_PLAIN},
    {"duration", FROM_2019, slu_format_duration, COST_PLAIN},
    {"email", FROM_4, slu_format_email, COST_PLAIN},
    {"idn-email", FROM_7, slu_format_idn_email, COST_NAME},
    {"hostname", SLU_DRAFT_4 | SLU_DRAFT_6, slu_format_ldh_name, COST_PLAIN},
    {"hostname", FROM_7, slu_format_hostname, COST_NAME},
    {"idn-hostname", FROM_7, slu_format_idn_hostname, COST_NAME},
    {"ipv4", FROM_4, slu_format_ipv4, COST_PLAIN},
    {"ipv6", FROM_4, slu_format_ipv6, COST_PLAIN},
    {"uri", FROM_4, slu_format_uri, COST_PLAIN},
    {"uri-reference", FROM_6, slu_format_uri_reference, COST_PLAIN},
    {"iri", FROM_7, slu_format_iri, COST_PLAIN},
    {"iri-reference", FROM_7, slu_format_iri_reference, COST_PLAIN},
    {"uri-template", FROM_6, slu_format_uri_template, COST_PLAIN},
    {"json-pointer", FROM_6, slu_format_json_pointer, COST_PLAIN},
    {"relative-json-pointer", SLU_DRAFT_7 | SLU_DRAFT_2019, slu_format_relative_pointer,
     COST_PLAIN},
    {"relative-json-pointer", FROM_2020, slu_format_relative_pointer_2020, COST_PLAIN},
    {"regex", FROM_4, slu_format_regex, COST_REGEX},
    {"uuid", FROM_2019, slu_format_uuid, COST_PLAIN},
};

#define N_FORMATS (sizeof(formats) / sizeof(formats[0]))

int slu_string_format_find(const char *name, size_t len, unsigned draft)
{
    for (size_t i = 0; i < N_FORMATS; i++) {
        if ((formats[i].drafts & draft) != 0 && strlen(formats[i].name) == len &&
            memcmp(formats[i].name, name, len) == 0)
            return (int)i;
    }
    return -1;
}

const char *slu_string_format_name(int id)
{
    return formats[id].name;
}

/* May libidn2 be asked about it? */
static bool is_international(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((text[i] & 0x80) != 0 || (text[i] == '-' && i > 0 && text[i - 1] == '-'))
            return true;
    }
    return false;
}

uint64_t slu_string_format_cost(int id, const char *text, size_t len)
{
    if (formats[id].cost == COST_REGEX)
        return 600 + 90 * (uint64_t)len;
    if (formats[id].cost == COST_PLAIN || !is_international(text, len))
        return 10 + 5 * (uint64_t)len;
    const uint64_t name = len < 256 ? len : 256; /* what is left of it, once mapped */
    return 3000 + 450 * name + 60 * (uint64_t)len;
}

bool slu_string_format_holds(int id, const char *text, size_t len)
{
    return formats[id].judge(text, len);
}

/* RFC 4122 §3: 8-4-4-4-12 hexadecimal digits. */
bool slu_format_uuid(const char *text, size_t len)
{
    if (len != 36)
        return false;
    for (size_t i = 0; i < len; i++) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !slu_format_is_hex(text[i]))
            return false;
    }
    return true;
}

/* ECMA-262, by the reader that `pattern` uses; what it only lacks an engine for is an expression all
 * the same. */
bool slu_format_regex(const char *text, size_t len)
{
    struct slu_arena arena;
    slu_arena_init(&arena, REGEX_MEMORY);
    const bool holds = slu_pattern_parse((struct slu_slice){text, len}, &arena, NULL) != NULL;
    slu_arena_fini(&arena);
    return holds;
}
