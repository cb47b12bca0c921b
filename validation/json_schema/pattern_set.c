/* pattern_set.c -- sets of code points, and the names of Unicode's properties. Declared in pattern.h.
 *
 * ECMA-262's \d and \w are ASCII, its \s is white space and line ends of all Unicode, its dot is all
 * but four line ends: written out here, for no engine agrees.
 */
#include "validation/json_schema/pattern.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct slu_pattern_range digits[] = {{'0', '9'}};
static const struct slu_pattern_range word[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
static const struct slu_pattern_range space[] = {
    {0x09, 0x0D},     {0x20, 0x20},     {0xA0, 0xA0},     {0x1680, 0x1680}, {0x2000, 0x200A},
    {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF},
};
static const struct slu_pattern_range line_ends[] = {{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};

void slu_pattern_set_add(struct slu_pattern_set *set, uint32_t first, uint32_t last)
{
    if (set->n == set->cap) {
        const size_t cap = set->cap != 0 ? set->cap * 2 : 4;
        struct slu_pattern_range *ranges = slu_arena_array(set->arena, cap, sizeof(*set->ranges));
        if (ranges == NULL) {
            set->no_memory = true;
            return;
        }
        if (set->n != 0)
            memcpy(ranges, set->ranges, set->n * sizeof(*ranges));
        set->ranges = ranges;
        set->cap = cap;
    }
    set->ranges[set->n++] = (struct slu_pattern_range){first, last};
}

static void add_all(struct slu_pattern_set *set, const struct slu_pattern_range *ranges, size_t n,
                    bool negated)
{
    uint32_t next = 0;
    for (size_t i = 0; i < n; i++) {
        if (!negated)
            slu_pattern_set_add(set, ranges[i].first, ranges[i].last);
        else if (ranges[i].first > next)
            slu_pattern_set_add(set, next, ranges[i].first - 1);
        next = ranges[i].last + 1;
    }
    if (negated)
        slu_pattern_set_add(set, next, SLU_PATTERN_LAST);
}

bool slu_pattern_set_add_escape(struct slu_pattern_set *set, char letter)
{
    const bool negated = letter < 'a';
    switch (letter | 0x20) {
    case 'd':
        add_all(set, digits, COUNT(digits), negated);
        break;
    case 'w':
        add_all(set, word, COUNT(word), negated);
        break;
    default:
        add_all(set, space, COUNT(space), negated);
        break;
    }
    return !set->no_memory;
}

void slu_pattern_set_add_dot(struct slu_pattern_set *set)
{
    add_all(set, line_ends, COUNT(line_ends), true);
}

static int by_first(const void *a, const void *b)
{
    const struct slu_pattern_range *left = a;
    const struct slu_pattern_range *right = b;
    return (left->first > right->first) - (left->first < right->first);
}

/* Sorted and merged; then the surrogates, which UTF-8 cannot hold, are cut out. */
void slu_pattern_set_normalise(struct slu_pattern_set *set)
{
    if (set->n == 0)
        return;
    qsort(set->ranges, set->n, sizeof(*set->ranges), by_first);
    size_t n = 1;
    for (size_t i = 1; i < set->n; i++) {
        struct slu_pattern_range *last = &set->ranges[n - 1];
        if (set->ranges[i].first > last->last + 1)
            set->ranges[n++] = set->ranges[i];
        else if (set->ranges[i].last > last->last)
            last->last = set->ranges[i].last;
    }
    const struct slu_pattern_range *merged = set->ranges;
    set->ranges = NULL;
    set->n = set->cap = 0;
    for (size_t i = 0; i < n; i++) {
        const struct slu_pattern_range range = merged[i];
        if (range.first < 0xD800)
            slu_pattern_set_add(set, range.first, range.last < 0xD800 ? range.last : 0xD7FF);
        if (range.last > 0xDFFF)
            slu_pattern_set_add(set, range.first > 0xDFFF ? range.first : 0xE000, range.last);
    }
}

void slu_pattern_set_negate(struct slu_pattern_set *set)
{
    const struct slu_pattern_range *ranges = set->ranges;
    const size_t n = set->n;
    set->ranges = NULL;
    set->n = set->cap = 0;
    uint32_t next = 0;
    for (size_t i = 0; i < n; i++) {
        if (ranges[i].first > next)
            slu_pattern_set_add(set, next, ranges[i].first - 1);
        next = ranges[i].last + 1;
    }
    if (next <= SLU_PATTERN_LAST)
        slu_pattern_set_add(set, next, SLU_PATTERN_LAST);
    slu_pattern_set_normalise(set);
}

/* General_Category's values (ECMA-262 §22.2.1.1, PropertyValueAliases.txt): PCRE2 knows the first. */
static const char *const categories[][3] = {
    {"L&", "LC", "Cased_Letter"},
    {"Pe", "Close_Punctuation", NULL},
    {"Pc", "Connector_Punctuation", NULL},
    {"Cc", "Control", "cntrl"},
    {"Sc", "Currency_Symbol", NULL},
    {"Pd", "Dash_Punctuation", NULL},
    {"Nd", "Decimal_Number", "digit"},
    {"Me", "Enclosing_Mark", NULL},
    {"Pf", "Final_Punctuation", NULL},
    {"Cf", "Format", NULL},
    {"Pi", "Initial_Punctuation", NULL},
    {"L", "Letter", NULL},
    {"Nl", "Letter_Number", NULL},
    {"Zl", "Line_Separator", NULL},
    {"Ll", "Lowercase_Letter", NULL},
    {"M", "Mark", "Combining_Mark"},
    {"Sm", "Math_Symbol", NULL},
    {"Lm", "Modifier_Letter", NULL},
    {"Sk", "Modifier_Symbol", NULL},
    {"Mn", "Nonspacing_Mark", NULL},
    {"N", "Number", NULL},
    {"Ps", "Open_Punctuation", NULL},
    {"C", "Other", NULL},
    {"Lo", "Other_Letter", NULL},
    {"No", "Other_Number", NULL},
    {"Po", "Other_Punctuation", NULL},
    {"So", "Other_Symbol", NULL},
    {"Zp", "Paragraph_Separator", NULL},
    {"Co", "Private_Use", NULL},
    {"P", "Punctuation", "punct"},
    {"Z", "Separator", NULL},
    {"Zs", "Space_Separator", NULL},
    {"Mc", "Spacing_Mark", NULL},
    {"Cs", "Surrogate", NULL},
    {"S", "Symbol", NULL},
    {"Lt", "Titlecase_Letter", NULL},
    {"Cn", "Unassigned", NULL},
    {"Lu", "Uppercase_Letter", NULL},
};

/* Binary properties (ECMA-262 table "Binary Unicode property aliases"): PCRE2 knows them as well. */
static const char *const binaries[] = {
    "ASCII",
    "ASCII_Hex_Digit",
    "AHex",
    "Alphabetic",
    "Alpha",
    "Any",
    "Bidi_Control",
    "Bidi_C",
    "Bidi_Mirrored",
    "Bidi_M",
    "Case_Ignorable",
    "CI",
    "Cased",
    "Changes_When_Casefolded",
    "CWCF",
    "Changes_When_Casemapped",
    "CWCM",
    "Changes_When_Lowercased",
    "CWL",
    "Changes_When_Titlecased",
    "CWT",
    "Changes_When_Uppercased",
    "CWU",
    "Dash",
    "Default_Ignorable_Code_Point",
    "DI",
    "Deprecated",
    "Dep",
    "Diacritic",
    "Dia",
    "Emoji",
    "Emoji_Component",
    "EComp",
    "Emoji_Modifier",
    "EMod",
    "Emoji_Modifier_Base",
    "EBase",
    "Emoji_Presentation",
    "EPres",
    "Extended_Pictographic",
    "ExtPict",
    "Extender",
    "Ext",
    "Grapheme_Base",
    "Gr_Base",
    "Grapheme_Extend",
    "Gr_Ext",
    "Hex_Digit",
    "Hex",
    "IDS_Binary_Operator",
    "IDSB",
    "IDS_Trinary_Operator",
    "IDST",
    "ID_Continue",
    "IDC",
    "ID_Start",
    "IDS",
    "Ideographic",
    "Ideo",
    "Join_Control",
    "Join_C",
    "Logical_Order_Exception",
    "LOE",
    "Lowercase",
    "Lower",
    "Math",
    "Noncharacter_Code_Point",
    "NChar",
    "Pattern_Syntax",
    "Pat_Syn",
    "Pattern_White_Space",
    "Pat_WS",
    "Quotation_Mark",
    "QMark",
    "Radical",
    "Regional_Indicator",
    "RI",
    "Sentence_Terminal",
    "STerm",
    "Soft_Dotted",
    "SD",
    "Terminal_Punctuation",
    "Term",
    "Unified_Ideograph",
    "UIdeo",
    "Uppercase",
    "Upper",
    "Variation_Selector",
    "VS",
    "White_Space",
    "space",
    "XID_Continue",
    "XIDC",
    "XID_Start",
    "XIDS",
};

static const char *category_of(struct slu_slice text)
{
    for (size_t i = 0; i < COUNT(categories); i++) {
        const bool known = strcmp(categories[i][0], "L&") != 0 &&
                           slu_slice_equal(text, slu_slice_of(categories[i][0]));
        if (known || slu_slice_equal(text, slu_slice_of(categories[i][1])) ||
            (categories[i][2] != NULL && slu_slice_equal(text, slu_slice_of(categories[i][2]))))
            return categories[i][0];
    }
    return NULL;
}

static bool is_script_name(struct slu_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.data[i];
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && c != '_')
            return false;
    }
    return text.len != 0 && text.len < 40 && text.data[0] < 'a';
}

const char *slu_pattern_property_name(struct slu_slice text, struct slu_arena *arena,
                                      bool *inverted)
{
    static const struct {
        const char *prefix, *pcre2; /* NULL: a category */
    } prefixes[] = {
        {"General_Category=", NULL},   {"gc=", NULL},   {"Script=", "sc"}, {"sc=", "sc"},
        {"Script_Extensions=", "scx"}, {"scx=", "scx"},
    };
    *inverted = false;
    for (size_t i = 0; i < COUNT(prefixes); i++) {
        const struct slu_slice prefix = slu_slice_of(prefixes[i].prefix);
        if (!slu_slice_starts_with(text, prefix))
            continue;
        const struct slu_slice value = slu_slice(text.data + prefix.len, text.len - prefix.len);
        if (prefixes[i].pcre2 == NULL)
            return category_of(value);
        if (!is_script_name(value))
            return NULL;
        return slu_arena_printf(arena, "%s:%.*s", prefixes[i].pcre2, SLU_SLICE_ARG(value));
    }
    *inverted = slu_slice_equal(text, SLU_SLICE("Assigned"));
    if (*inverted)
        return "Cn";
    for (size_t i = 0; i < COUNT(binaries); i++)
        if (slu_slice_equal(text, slu_slice_of(binaries[i])))
            return binaries[i];
    return category_of(text);
}
