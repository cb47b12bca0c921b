/* random_avro_schema.c -- see random_avro.h. What it makes is sound by construction: who refuses it is wrong.
 */
#include "tests/conformance/random_avro.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_KNOWN 24
#define MAX_DEPTH 4
#define MAX_TYPES 40

/* A named type. One whose fields are still made may only be held inside something that can end: a union
 * with null, an array, a map; and so what holds one. */
struct known {
    const char *full;
    bool open;
    unsigned rings; /* around it */
    uint32_t holds; /* bit k: has a known[k] in it, with no ring between */
};

struct making {
    struct dice *dice;
    struct known known[MAX_KNOWN];
    size_t n_known;
    unsigned rings;    /* unions, arrays and maps around what is made */
    const char *space; /* its namespace; "": none */
    unsigned types;
};

static struct json *any_type(struct making *making, unsigned depth);

static const char *say(struct making *making, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static const char *say(struct making *making, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    const int len = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    char *copy = slu_arena_alloc(&making->dice->arena, (size_t)len + 1);
    if (copy == NULL)
        abort();
    return memcpy(copy, text, (size_t)len + 1);
}

static void set_text(struct making *making, struct json *object, const char *key, const char *text)
{
    json_set(making->dice, object, say(making, "\"%s\"", key),
             json_scalar(making->dice, say(making, "\"%s\"", text)));
}

static void set_number(struct making *making, struct json *object, const char *key, size_t number)
{
    json_set(making->dice, object, say(making, "\"%s\"", key),
             json_scalar(making->dice, say(making, "%zu", number)));
}

static size_t below(struct making *making, size_t n)
{
    return dice_below(making->dice, n);
}

/* ---- logical types ----------------------------------------------------------------------------------- */

static void set_decimal(struct making *making, struct json *object, size_t most)
{
    const size_t precision = dice_once_in(making->dice, 3) ? most : 1 + below(making, most);
    set_text(making, object, "logicalType", "decimal");
    set_number(making, object, "precision", precision);
    if (!dice_once_in(making->dice, 4))
        set_number(making, object, "scale", below(making, precision + 1));
}

/* Of any type, with or without sense: what has none is ignored. */
static void set_any_logical(struct making *making, struct json *object)
{
    static const char *const names[] = {"decimal",
                                        "uuid",
                                        "date",
                                        "time-millis",
                                        "time-micros",
                                        "timestamp-millis",
                                        "timestamp-micros",
                                        "timestamp-nanos",
                                        "local-timestamp-millis",
                                        "local-timestamp-micros",
                                        "local-timestamp-nanos",
                                        "duration",
                                        "of-somebody"};
    set_text(making, object, "logicalType", names[below(making, sizeof(names) / sizeof(names[0]))]);
    if (dice_once_in(making->dice, 2))
        set_number(making, object, "precision", below(making, 30));
    if (dice_once_in(making->dice, 2))
        set_number(making, object, "scale", below(making, 30));
}

static struct json *primitive(struct making *making, enum meaning_type type)
{
    const char *const name = meaning_names[type];
    if (!dice_once_in(making->dice, 2))
        return json_scalar(making->dice, say(making, "\"%s\"", name));
    struct json *object = json_new(making->dice, JSON_OBJECT);
    set_text(making, object, "type", name);
    if (type == MEANS_BYTES && !dice_once_in(making->dice, 4))
        set_decimal(making, object,
                    dice_once_in(making->dice, 8) ? MEANING_MAX_PRECISION : 1 + below(making, 40));
    else if (type == MEANS_STRING && dice_once_in(making->dice, 2))
        set_text(making, object, "logicalType", "uuid");
    else
        set_any_logical(making, object);
    return object;
}

/* ---- named types ------------------------------------------------------------------------------------- */

/* Name and namespace, of one of three ways to give it. The index among the known; the space is the one inside.
 */
static size_t name_it(struct making *making, struct json *object)
{
    static const char *const spaces[] = {"a", "a.b", "plant.line_1"};
    const char *const space = spaces[below(making, 3)];
    const char *const name = say(making, "N%zu", making->n_known);
    struct known *known = &making->known[making->n_known];

    if (dice_once_in(making->dice, 6)) {
        set_text(making, object, "name", say(making, "%s.%s", space, name));
        making->space = space;
    } else {
        set_text(making, object, "name", name);
        if (dice_once_in(making->dice, 5)) {
            set_text(making, object, "namespace", space);
            making->space = space;
        }
    }
    known->full = making->space[0] != 0 ? say(making, "%s.%s", making->space, name) : name;
    known->rings = making->rings;
    known->open = false;
    known->holds = 1u << making->n_known;
    return making->n_known++;
}

static struct json *fixed(struct making *making)
{
    static const size_t sizes[] = {1, 2, 3, 8, 12, 16, 16, 17, 60};
    const size_t size = dice_once_in(making->dice, 100)
                            ? 0
                            : sizes[below(making, sizeof(sizes) / sizeof(sizes[0]))];
    const char *const space = making->space;
    struct json *object = json_new(making->dice, JSON_OBJECT);

    set_text(making, object, "type", "fixed");
    name_it(making, object);
    making->space = space;
    set_number(making, object, "size", size);
    if (size == 16 && dice_once_in(making->dice, 2))
        set_text(making, object, "logicalType", "uuid");
    else if (size == 12 && !dice_once_in(making->dice, 3))
        set_text(making, object, "logicalType", "duration");
    else if (size > 0 && dice_once_in(making->dice, 2)) /* as many digits as fit: log10(2) a bit */
        set_decimal(making, object, (8 * size - 1) * 30103 / 100000);
    else if (dice_once_in(making->dice, 3))
        set_any_logical(making, object);
    return object;
}

static struct json *enumeration(struct making *making)
{
    const size_t n = dice_once_in(making->dice, 8) ? 100 : 1 + below(making, 5);
    const char *const space = making->space;
    struct json *object = json_new(making->dice, JSON_OBJECT);
    struct json *symbols = json_new(making->dice, JSON_ARRAY);

    set_text(making, object, "type", "enum");
    name_it(making, object);
    making->space = space;
    for (size_t i = 0; i < n; i++)
        json_push(making->dice, symbols, json_scalar(making->dice, say(making, "\"S_%zu\"", i)));
    json_set(making->dice, object, "\"symbols\"", symbols);
    return object;
}

static struct json *record(struct making *making, unsigned depth)
{
    const size_t n = dice_once_in(making->dice, 30) ? 0 : 1 + below(making, 6);
    const char *const space = making->space;
    struct json *object = json_new(making->dice, JSON_OBJECT);
    struct json *fields = json_new(making->dice, JSON_ARRAY);

    set_text(making, object, "type", "record");
    const size_t self = name_it(making, object);
    making->known[self].open = true;
    for (size_t i = 0; i < n; i++) {
        struct json *field = json_new(making->dice, JSON_OBJECT);
        set_text(
            making, field, "name",
            say(making, dice_once_in(making->dice, 4) ? "field_of_a_long_name_%zu" : "f%zu", i));
        json_set(making->dice, field, "\"type\"", any_type(making, depth + 1));
        json_push(making->dice, fields, field);
    }
    making->known[self].open = false;
    making->space = space;
    json_set(making->dice, object, "\"fields\"", fields);
    return object;
}

/* May the type be held here? By a simple name, one without namespace only where there is none around. */
static bool may_refer(const struct making *making, const struct known *known)
{
    for (size_t i = 0; i < making->n_known; i++)
        if ((known->holds >> i & 1) != 0 && making->known[i].open &&
            making->rings == making->known[i].rings)
            return false;
    return strchr(known->full, '.') != NULL || making->space[0] == 0;
}

static struct json *reference(struct making *making, const struct known *known)
{
    const char *const dot = strrchr(known->full, '.');
    const size_t len = dot != NULL ? (size_t)(dot - known->full) : 0;
    const bool here =
        dot != NULL && strlen(making->space) == len && memcmp(making->space, known->full, len) == 0;
    const char *const name = here && dice_once_in(making->dice, 2) ? dot + 1 : known->full;
    for (size_t i = 0; i < making->n_known; i++)
        if (making->known[i].open && making->rings == making->known[i].rings)
            making->known[i].holds |= known->holds;
    if (!dice_once_in(making->dice, 10))
        return json_scalar(making->dice, say(making, "\"%s\"", name));
    struct json *object = json_new(making->dice, JSON_OBJECT);
    set_text(making, object, "type", name);
    return object;
}

/* ---- unions and the rest ----------------------------------------------------------------------------- */

static struct json *members(struct making *making, bool array, unsigned depth)
{
    struct json *object = json_new(making->dice, JSON_OBJECT);
    set_text(making, object, "type", array ? "array" : "map");
    making->rings++;
    json_set(making->dice, object, array ? "\"items\"" : "\"values\"", any_type(making, depth + 1));
    making->rings--;
    return object;
}

static struct json *new_type(struct making *making, enum meaning_type type, unsigned depth)
{
    switch (type) {
    case MEANS_FIXED:
        return fixed(making);
    case MEANS_ENUM:
        return enumeration(making);
    case MEANS_RECORD:
        return record(making, depth);
    case MEANS_ARRAY:
    case MEANS_MAP:
        return members(making, type == MEANS_ARRAY, depth);
    default:
        return primitive(making, type);
    }
}

/* One that may be made here; a union only where it is no branch. */
static enum meaning_type choose(struct making *making, unsigned depth, bool branch)
{
    for (;;) {
        const enum meaning_type type = (enum meaning_type)below(making, MEANS_TYPES);
        const bool named = type == MEANS_FIXED || type == MEANS_ENUM || type == MEANS_RECORD;
        if ((named && making->n_known == MAX_KNOWN) || (branch && type == MEANS_UNION))
            continue;
        if (type < MEANS_ARRAY || (depth < MAX_DEPTH && making->types < MAX_TYPES))
            return type;
    }
}

/* null is there when a type is spoken of, so that each value can end. */
static struct json *any_union(struct making *making, unsigned depth)
{
    const size_t n = 1 + below(making, 5);
    struct json *branches = json_new(making->dice, JSON_ARRAY);
    unsigned seen = 0, referred = 0;

    making->rings++;
    for (size_t i = 0; i < n; i++) {
        if (making->n_known > 0 && dice_once_in(making->dice, 4)) {
            const size_t at = below(making, making->n_known);
            if ((referred >> at & 1) == 0 && may_refer(making, &making->known[at])) {
                json_push(making->dice, branches, reference(making, &making->known[at]));
                referred |= 1u << at;
            }
            continue;
        }
        const enum meaning_type type = choose(making, depth, true);
        const bool named = type == MEANS_FIXED || type == MEANS_ENUM || type == MEANS_RECORD;
        if (named) /* what is made now is no branch by its name as well */
            referred |= 1u << making->n_known;
        else if ((seen >> type & 1) != 0)
            continue;
        seen |= named ? 0 : 1u << type;
        json_push(making->dice, branches, new_type(making, type, depth + 1));
    }
    making->rings--;
    if (((referred != 0 || n == 1) && (seen >> MEANS_NULL & 1) == 0) || branches->n == 0)
        json_push(making->dice, branches, json_scalar(making->dice, "\"null\""));
    return branches;
}

static struct json *any_type(struct making *making, unsigned depth)
{
    making->types++;
    if (making->n_known > 0 && dice_once_in(making->dice, 6)) {
        const struct known *known = &making->known[below(making, making->n_known)];
        if (may_refer(making, known))
            return reference(making, known);
    }
    const enum meaning_type type = choose(making, depth, false);
    return type == MEANS_UNION ? any_union(making, depth) : new_type(making, type, depth);
}

struct json *random_avro_schema(struct dice *dice)
{
    struct making making = {.dice = dice, .space = ""};
    if (dice_once_in(dice, 3))
        return any_type(&making, 0);
    return record(&making, 0);
}
