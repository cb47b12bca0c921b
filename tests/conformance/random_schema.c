/* random_schema.c -- schemas and values out of a small vocabulary, so that they meet often.
 *
 * Keywords are rows: in which drafts, how often, and who makes up the value. A definition may have a URI
 * of its own, and then be of another draft than the schema around it. References keep to a law
 * that rules out endless recursion: for the same value only to a definition further on, for a member
 * or an item to anything. (The engine refuses the others at load.)
 */
#include "tests/conformance/naive.h"
#include "tests/conformance/random_json.h"

#define COUNT(array)      (sizeof(array) / sizeof((array)[0]))
#define PICK(dice, array) ((array)[dice_below(dice, COUNT(array))])
#define MAX_DEPTH         4
#define MAX_KEYWORDS      4
#define DEFINITIONS       3

/* What a definition can be called by, besides a pointer. */
enum name { NAMELESS, ANCHORED, EMBEDDED };

/* Where a subschema is being made up. */
struct place {
    struct dice *dice;
    int draft;
    int root_draft;
    unsigned depth;
    size_t next_definition; /* for the same value, references must go to this one or beyond */
    bool descended; /* the value is not the definition's own any more: any reference will do */
    const enum name *names; /* of the definitions */
};

static const char *const names[] = {"\"a\"", "\"b\"", "\"c\"", "\"ab\"", "\"\u00e9\"", "\"\""};

static const char *const strings[] = {
    "\"\"",
    "\"a\"",
    "\"b\"",
    "\"ab\"",
    "\"abc\"",
    "\"\u00e9\"",
    "\"1\"",
    "\"aa\"",
    "\"\\u0000\"",
    "\"a\\u0000\"",
    "\"\U0001F600\"",
    "\"e\\u0301\"",
    "\"\\ud83d\\ude00a\"",
};

/* Where doubles tie and 64 bits end; one value in several spellings. */
static const char *const numbers[] = {
    "0",
    "-0",
    "0.0",
    "1",
    "1.0",
    "1e0",
    "10e-1",
    "-1",
    "2",
    "3",
    "4",
    "0.5",
    "1.5",
    "0.1",
    "0.3",
    "0.2",
    "10",
    "1e1",
    "100",
    "7",
    "-2.5",
    "9007199254740992",
    "9007199254740993",
    "9007199254740993.0",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "18446744073709551617",
    "0.1000000000000000055511151231257827",
    "0.10000000000000000001",
    "1e400",
    "1.0e400",
    "-1e400",
    "1e-400",
    "123456789012345678901234567890",
    "1e22",
    "1e23",
    "4.35",
    "0.0001",
    "12.34",
    "2.0000000000000000000001",
};

static const char *const steps[] = {
    "1",     "2",      "3", "0.5", "0.1", "0.01", "1e-8", "1.5", "10", "0.3", "9007199254740993",
    "1e400", "1e-400",
};

static const char *const counts[] = {"0", "1", "2", "3", "1.0", "2e0"};

static const char *const patterns[] = {
    "\"^a\"",       "\"b$\"",         "\"^[a-b]+$\"", "\"\u00e9\"",
    "\"^.$\"",      "\"a|b\"",        "\"\\\\d\"",    "\"^\\\\w+$\"",
    "\"[^a]\"",     "\"^(a)\\\\1$\"", "\"^(?!a)\"",   "\"\"",
    "\"^a{1,2}$\"", "\"\\\\u00e9\"",  "\"^$\"",       "\"^[^\\\\u0000-\\\\u007f]*$\"",
};

static const char *const types[] = {
    "\"null\"", "\"boolean\"", "\"integer\"", "\"number\"", "\"string\"", "\"array\"", "\"object\"",
};

struct json *random_value(struct dice *dice, unsigned depth)
{
    static const char *const words[] = {"null", "true", "false"};
    const size_t kind = dice_below(dice, depth == 0 ? 3 : 9);
    if (kind == 0)
        return json_scalar(dice, PICK(dice, words));
    if (kind == 1)
        return json_scalar(dice, PICK(dice, numbers));
    if (kind == 2)
        return json_scalar(dice, PICK(dice, strings));
    struct json *json = json_new(dice, kind < 5 ? JSON_ARRAY : JSON_OBJECT);
    for (size_t n = dice_below(dice, 5); n > 0; n--) {
        if (json->kind == JSON_ARRAY)
            json_push(dice, json, random_value(dice, depth - 1));
        else
            json_set(dice, json, PICK(dice, names), random_value(dice, depth - 1));
    }
    return json;
}

static struct json *schema_at(struct place place);

/* A subschema for the same value; one for a member or an item of it. */
static struct json *beside(struct place place)
{
    place.depth++;
    return schema_at(place);
}

static struct json *below(struct place place)
{
    place.depth++;
    place.descended = true;
    return schema_at(place);
}

typedef struct json *maker(struct place place);

static struct json *make_type(struct place place)
{
    if (!dice_once_in(place.dice, 3))
        return json_scalar(place.dice, PICK(place.dice, types));
    struct json *list = json_new(place.dice, JSON_OBJECT); /* as keys: no name twice */
    struct json *out = json_new(place.dice, JSON_ARRAY);
    for (size_t n = 1 + dice_below(place.dice, 3); n > 0; n--)
        json_set(place.dice, list, PICK(place.dice, types), NULL);
    for (size_t i = 0; i < list->n; i++)
        json_push(place.dice, out, json_scalar(place.dice, list->keys[i]));
    return out;
}

static struct json *make_value(struct place place)
{
    return random_value(place.dice, 2);
}

static struct json *make_enum(struct place place)
{
    struct json *list = json_new(place.dice, JSON_ARRAY);
    for (size_t n = 1 + dice_below(place.dice, 4); n > 0; n--)
        json_push(place.dice, list, random_value(place.dice, dice_below(place.dice, 3) == 0));
    return list;
}

static struct json *make_number(struct place place)
{
    return json_scalar(place.dice, PICK(place.dice, numbers));
}

static struct json *make_step(struct place place)
{
    return json_scalar(place.dice, PICK(place.dice, steps));
}

static struct json *make_count(struct place place)
{
    /* 1.0 is no integer to draft 4 */
    return json_scalar(place.dice, counts[dice_below(place.dice, place.draft == NAIVE_4 ? 4 : 6)]);
}

static struct json *make_flag(struct place place)
{
    return json_scalar(place.dice, dice_once_in(place.dice, 4) ? "false" : "true");
}

static struct json *make_pattern(struct place place)
{
    return json_scalar(place.dice, PICK(place.dice, patterns));
}

static struct json *make_names(struct place place)
{
    struct json *set = json_new(place.dice, JSON_OBJECT), *out = json_new(place.dice, JSON_ARRAY);
    for (size_t n = 1 + dice_below(place.dice, 2); n > 0; n--)
        json_set(place.dice, set, PICK(place.dice, names), NULL);
    for (size_t i = 0; i < set->n; i++)
        json_push(place.dice, out, json_scalar(place.dice, set->keys[i]));
    return out;
}

static struct json *make_names_by_name(struct place place)
{
    struct json *map = json_new(place.dice, JSON_OBJECT);
    for (size_t n = 1 + dice_below(place.dice, 2); n > 0; n--)
        json_set(place.dice, map, PICK(place.dice, names), make_names(place));
    return map;
}

static struct json *make_properties(struct place place)
{
    struct json *map = json_new(place.dice, JSON_OBJECT);
    for (size_t n = 1 + dice_below(place.dice, 3); n > 0; n--)
        json_set(place.dice, map, PICK(place.dice, names), below(place));
    return map;
}

static struct json *make_patterns(struct place place)
{
    struct json *map = json_new(place.dice, JSON_OBJECT);
    for (size_t n = 1 + dice_below(place.dice, 2); n > 0; n--)
        json_set(place.dice, map, PICK(place.dice, patterns), below(place));
    return map;
}

static struct json *make_dependents(struct place place)
{
    struct json *map = json_new(place.dice, JSON_OBJECT);
    for (size_t n = 1 + dice_below(place.dice, 2); n > 0; n--)
        json_set(place.dice, map, PICK(place.dice, names), beside(place));
    return map;
}

static struct json *make_dependencies(struct place place)
{
    return dice_once_in(place.dice, 2) ? make_names_by_name(place) : make_dependents(place);
}

static struct json *make_list_below(struct place place)
{
    struct json *list = json_new(place.dice, JSON_ARRAY);
    for (size_t n = 1 + dice_below(place.dice, 3); n > 0; n--)
        json_push(place.dice, list, below(place));
    return list;
}

static struct json *make_list_beside(struct place place)
{
    struct json *list = json_new(place.dice, JSON_ARRAY);
    for (size_t n = 1 + dice_below(place.dice, 3); n > 0; n--)
        json_push(place.dice, list, beside(place));
    return list;
}

static struct json *make_items(struct place place)
{
    return place.draft <= NAIVE_2019 && dice_once_in(place.dice, 2) ? make_list_below(place)
                                                                    : below(place);
}

/* By pointer, by anchor, by the URI of an embedded resource; or the root. */
static struct json *make_ref(struct place place)
{
    static const char *const pointers[] = {"\"root#/$defs/0\"", "\"root#/$defs/1\"",
                                           "\"root#/$defs/2\""};
    static const char *const old_pointers[] = {"\"root#/definitions/0\"", "\"root#/definitions/1\"",
                                               "\"root#/definitions/2\""};
    static const char *const by_name[][DEFINITIONS] = {
        [ANCHORED] = {"\"root#anchor0\"", "\"root#anchor1\"", "\"root#anchor2\""},
        [EMBEDDED] = {"\"embedded0\"", "\"embedded1\"", "\"embedded2\""},
    };
    const size_t first = place.descended ? 0 : place.next_definition;
    if (place.descended && dice_once_in(place.dice, 4))
        return json_scalar(place.dice, "\"root\"");
    const size_t number = first + dice_below(place.dice, DEFINITIONS - first);
    if (place.names[number] != NAMELESS && !dice_once_in(place.dice, 2))
        return json_scalar(place.dice, by_name[place.names[number]][number]);
    return json_scalar(place.dice, (place.root_draft <= NAIVE_7 ? old_pointers : pointers)[number]);
}

static struct json *make_dynamic_ref(struct place place)
{
    const bool by_root = place.root_draft == NAIVE_2020 && dice_once_in(place.dice, 5);
    return json_scalar(place.dice, by_root ? "\"root#node\"" : "\"#node\"");
}

static struct json *make_recursive_ref(struct place place)
{
    return json_scalar(place.dice, "\"#\"");
}

enum reach { ANYWHERE, DESCENDED, HAS_DEFINITIONS }; /* where a keyword may be used */

static const struct {
    const char *key;
    int first, last; /* draft */
    unsigned weight;
    enum reach reach;
    maker *make;
} keywords[] = {
    {"\"type\"", NAIVE_4, NAIVE_2020, 12, ANYWHERE, make_type},
    {"\"enum\"", NAIVE_4, NAIVE_2020, 6, ANYWHERE, make_enum},
    {"\"const\"", NAIVE_6, NAIVE_2020, 6, ANYWHERE, make_value},
    {"\"multipleOf\"", NAIVE_4, NAIVE_2020, 6, ANYWHERE, make_step},
    {"\"minimum\"", NAIVE_4, NAIVE_2020, 5, ANYWHERE, make_number},
    {"\"maximum\"", NAIVE_4, NAIVE_2020, 5, ANYWHERE, make_number},
    {"\"exclusiveMinimum\"", NAIVE_6, NAIVE_2020, 4, ANYWHERE, make_number},
    {"\"exclusiveMaximum\"", NAIVE_6, NAIVE_2020, 4, ANYWHERE, make_number},
    {"\"exclusiveMinimum\"", NAIVE_4, NAIVE_4, 4, ANYWHERE, make_flag},
    {"\"exclusiveMaximum\"", NAIVE_4, NAIVE_4, 4, ANYWHERE, make_flag},
    {"\"minLength\"", NAIVE_4, NAIVE_2020, 3, ANYWHERE, make_count},
    {"\"maxLength\"", NAIVE_4, NAIVE_2020, 4, ANYWHERE, make_count},
    {"\"pattern\"", NAIVE_4, NAIVE_2020, 6, ANYWHERE, make_pattern},
    {"\"minItems\"", NAIVE_4, NAIVE_2020, 3, ANYWHERE, make_count},
    {"\"maxItems\"", NAIVE_4, NAIVE_2020, 3, ANYWHERE, make_count},
    {"\"uniqueItems\"", NAIVE_4, NAIVE_2020, 5, ANYWHERE, make_flag},
    {"\"minProperties\"", NAIVE_4, NAIVE_2020, 3, ANYWHERE, make_count},
    {"\"maxProperties\"", NAIVE_4, NAIVE_2020, 3, ANYWHERE, make_count},
    {"\"required\"", NAIVE_4, NAIVE_2020, 5, ANYWHERE, make_names},
    {"\"dependentRequired\"", NAIVE_2019, NAIVE_2020, 4, ANYWHERE, make_names_by_name},
    {"\"dependentSchemas\"", NAIVE_2019, NAIVE_2020, 8, ANYWHERE, make_dependents},
    {"\"dependencies\"", NAIVE_4, NAIVE_2020, 6, ANYWHERE, make_dependencies},
    {"\"properties\"", NAIVE_4, NAIVE_2020, 12, ANYWHERE, make_properties},
    {"\"patternProperties\"", NAIVE_4, NAIVE_2020, 5, ANYWHERE, make_patterns},
    {"\"additionalProperties\"", NAIVE_4, NAIVE_2020, 5, ANYWHERE, below},
    {"\"propertyNames\"", NAIVE_6, NAIVE_2020, 3, ANYWHERE, below},
    {"\"prefixItems\"", NAIVE_2020, NAIVE_2020, 8, ANYWHERE, make_list_below},
    {"\"items\"", NAIVE_4, NAIVE_2020, 8, ANYWHERE, make_items},
    {"\"additionalItems\"", NAIVE_4, NAIVE_2019, 5, ANYWHERE, below},
    {"\"contains\"", NAIVE_6, NAIVE_2020, 8, ANYWHERE, below},
    {"\"minContains\"", NAIVE_2019, NAIVE_2020, 5, ANYWHERE, make_count},
    {"\"maxContains\"", NAIVE_2019, NAIVE_2020, 4, ANYWHERE, make_count},
    {"\"unevaluatedItems\"", NAIVE_2019, NAIVE_2020, 12, ANYWHERE, below},
    {"\"unevaluatedProperties\"", NAIVE_2019, NAIVE_2020, 12, ANYWHERE, below},
    {"\"allOf\"", NAIVE_4, NAIVE_2020, 8, ANYWHERE, make_list_beside},
    {"\"anyOf\"", NAIVE_4, NAIVE_2020, 8, ANYWHERE, make_list_beside},
    {"\"oneOf\"", NAIVE_4, NAIVE_2020, 7, ANYWHERE, make_list_beside},
    {"\"not\"", NAIVE_4, NAIVE_2020, 5, ANYWHERE, beside},
    {"\"if\"", NAIVE_7, NAIVE_2020, 8, ANYWHERE, beside},
    {"\"then\"", NAIVE_7, NAIVE_2020, 6, ANYWHERE, beside},
    {"\"else\"", NAIVE_7, NAIVE_2020, 6, ANYWHERE, beside},
    {"\"$ref\"", NAIVE_4, NAIVE_2020, 10, HAS_DEFINITIONS, make_ref},
    {"\"$dynamicRef\"", NAIVE_2020, NAIVE_2020, 12, DESCENDED, make_dynamic_ref},
    {"\"$recursiveRef\"", NAIVE_2019, NAIVE_2019, 12, DESCENDED, make_recursive_ref},
};

static bool fits(struct place place, size_t row)
{
    if (place.draft < keywords[row].first || place.draft > keywords[row].last)
        return false;
    return keywords[row].reach == ANYWHERE || place.descended ||
           (keywords[row].reach == HAS_DEFINITIONS && place.next_definition < DEFINITIONS);
}

static size_t pick_keyword(struct place place)
{
    unsigned total = 0;
    for (size_t i = 0; i < COUNT(keywords); i++)
        total += fits(place, i) ? keywords[i].weight : 0;
    size_t at = dice_below(place.dice, total);
    for (size_t i = 0;; i++) {
        if (!fits(place, i))
            continue;
        if (at < keywords[i].weight)
            return i;
        at -= keywords[i].weight;
    }
}

/* Draft 4's metaschema wants the bound beside the flag that sharpens it. */
static void complete_draft_4(struct place place, struct json *schema)
{
    if (place.draft != NAIVE_4)
        return;
    if (json_has(schema, "\"exclusiveMinimum\""))
        json_set(place.dice, schema, "\"minimum\"", make_number(place));
    if (json_has(schema, "\"exclusiveMaximum\""))
        json_set(place.dice, schema, "\"maximum\"", make_number(place));
}

static struct json *schema_at(struct place place)
{
    const size_t dice = dice_below(place.dice, place.depth >= MAX_DEPTH ? 3 : 12);
    if (dice == 0 || (dice == 1 && place.depth >= MAX_DEPTH)) {
        if (place.draft == NAIVE_4)
            return json_new(place.dice, JSON_OBJECT);
        return json_scalar(place.dice, dice_once_in(place.dice, 2) ? "true" : "false");
    }
    struct json *schema = json_new(place.dice, JSON_OBJECT);
    const size_t most = place.depth >= MAX_DEPTH ? 1 : MAX_KEYWORDS;
    for (size_t n = 1 + dice_below(place.dice, most); n > 0; n--) {
        const size_t row = pick_keyword(place);
        json_set(place.dice, schema, keywords[row].key, keywords[row].make(place));
    }
    if (json_has(schema, "\"if\"") && place.depth < MAX_DEPTH && dice_once_in(place.dice, 2))
        json_set(place.dice, schema, "\"then\"", beside(place));
    complete_draft_4(place, schema);
    return schema;
}

static const char *const dialects[NAIVE_DRAFTS] = {
    "\"http://json-schema.org/draft-04/schema#\"",
    "\"http://json-schema.org/draft-06/schema#\"",
    "\"http://json-schema.org/draft-07/schema#\"",
    "\"https://json-schema.org/draft/2019-09/schema\"",
    "\"https://json-schema.org/draft/2020-12/schema\"",
};

static const char *id_key(int draft)
{
    return draft == NAIVE_4 ? "\"id\"" : "\"$id\"";
}

/* A name for definition `number`: an anchor, or a URI of its own. One with a URI has the anchor "node"
 * from 2019-09 on, dynamic or not. */
static void name_definition(struct place place, struct json *schema, size_t number)
{
    static const char *const anchors[] = {"\"anchor0\"", "\"anchor1\"", "\"anchor2\""};
    static const char *const old_anchors[] = {"\"#anchor0\"", "\"#anchor1\"", "\"#anchor2\""};
    static const char *const ids[] = {"\"embedded0\"", "\"embedded1\"", "\"embedded2\""};
    const bool open = !dice_once_in(place.dice, 3);
    if (place.names[number] == ANCHORED && place.draft <= NAIVE_7) {
        json_set(place.dice, schema, id_key(place.draft),
                 json_scalar(place.dice, old_anchors[number]));
    } else if (place.names[number] == ANCHORED) {
        json_set(place.dice, schema, "\"$anchor\"", json_scalar(place.dice, anchors[number]));
    } else if (place.names[number] == EMBEDDED) {
        json_set(place.dice, schema, id_key(place.draft), json_scalar(place.dice, ids[number]));
        if (place.draft != place.root_draft)
            json_set(place.dice, schema, "\"$schema\"",
                     json_scalar(place.dice, dialects[place.draft]));
        if (place.draft == NAIVE_2020)
            json_set(place.dice, schema, open ? "\"$dynamicAnchor\"" : "\"$anchor\"",
                     json_scalar(place.dice, "\"node\""));
        if (place.draft == NAIVE_2019 && open)
            json_set(place.dice, schema, "\"$recursiveAnchor\"", json_scalar(place.dice, "true"));
    }
}

/* Definition `number`, an object. Up to draft 7 nothing is a name beside a $ref. */
static struct json *definition(struct place place, size_t number)
{
    place.next_definition = number + 1;
    place.depth = 1;
    if (place.names[number] == EMBEDDED && dice_once_in(place.dice, 3))
        place.draft = (int)dice_below(place.dice, NAIVE_DRAFTS);
    const bool named = place.names[number] != NAMELESS && place.draft <= NAIVE_7;
    struct json *schema = schema_at(place);
    while (schema->kind != JSON_OBJECT || (named && json_has(schema, "\"$ref\"")))
        schema = schema_at(place);
    name_definition(place, schema, number);
    return schema;
}

struct json *random_schema(struct dice *dice, int draft)
{
    static const char *const numbers_as_keys[] = {"\"0\"", "\"1\"", "\"2\""};
    enum name names_of[DEFINITIONS];
    const struct place place = {dice, draft, draft, 0, 0, false, names_of};
    struct json *root = json_new(dice, JSON_OBJECT), *definitions = json_new(dice, JSON_OBJECT);

    json_set(dice, root, "\"$schema\"", json_scalar(dice, dialects[draft]));
    json_set(dice, root, id_key(draft), json_scalar(dice, "\"http://test.example/root\""));
    for (size_t i = 0; i < DEFINITIONS; i++)
        names_of[i] = (enum name)dice_below(dice, 3);
    for (size_t i = 0; i < DEFINITIONS; i++)
        json_set(dice, definitions, numbers_as_keys[i], definition(place, i));
    json_set(dice, root, draft <= NAIVE_7 ? "\"definitions\"" : "\"$defs\"", definitions);
    if (draft == NAIVE_2020)
        json_set(dice, root, "\"$dynamicAnchor\"", json_scalar(dice, "\"node\""));
    if (draft == NAIVE_2019 && !dice_once_in(dice, 3))
        json_set(dice, root, "\"$recursiveAnchor\"", json_scalar(dice, "true"));

    const struct json *body = schema_at(place);
    for (size_t i = 0; i < body->n; i++) /* beside $ref old drafts see nothing: not in the root */
        if (draft >= NAIVE_2019 || body->keys[i][1] != '$')
            json_set(dice, root, body->keys[i], body->items[i]);
    return root;
}
