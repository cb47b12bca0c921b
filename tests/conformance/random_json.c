/* random_json.c -- see random_json.h. */
#include "tests/conformance/random_json.h"

#include <stdlib.h>
#include <string.h>

uint64_t dice_roll(struct dice *dice)
{
    uint64_t z = dice->state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

size_t dice_below(struct dice *dice, size_t n)
{
    return (size_t)(dice_roll(dice) % n);
}

bool dice_once_in(struct dice *dice, size_t n)
{
    return dice_below(dice, n) == 0;
}

static void *alloc(struct dice *dice, size_t bytes)
{
    void *memory = slu_arena_alloc(&dice->arena, bytes);
    if (memory == NULL)
        abort();
    return memory;
}

struct json *json_new(struct dice *dice, enum json_kind kind)
{
    struct json *json = alloc(dice, sizeof(*json));
    json->kind = kind;
    return json;
}

struct json *json_scalar(struct dice *dice, const char *text)
{
    struct json *json = json_new(dice, JSON_SCALAR);
    json->text = text;
    return json;
}

static void add(struct dice *dice, struct json *json, const char *key, struct json *item)
{
    if (json->n == json->cap) {
        const size_t cap = json->cap == 0 ? 4 : 2 * json->cap;
        struct json **items = alloc(dice, cap * sizeof(*items));
        const char **keys = alloc(dice, cap * sizeof(*keys));
        for (size_t i = 0; i < json->n; i++) {
            items[i] = json->items[i];
            keys[i] = json->keys[i];
        }
        json->items = items;
        json->keys = keys;
        json->cap = cap;
    }
    json->keys[json->n] = key;
    json->items[json->n++] = item;
}

void json_push(struct dice *dice, struct json *array, struct json *item)
{
    add(dice, array, NULL, item);
}

bool json_has(const struct json *object, const char *key)
{
    for (size_t i = 0; i < object->n; i++) {
        if (strcmp(object->keys[i], key) == 0)
            return true;
    }
    return false;
}

void json_set(struct dice *dice, struct json *object, const char *key, struct json *item)
{
    if (!json_has(object, key))
        add(dice, object, key, item);
}

void json_print(const struct json *json, struct slu_buf *out)
{
    if (json->kind == JSON_SCALAR) {
        slu_buf_add_text(out, json->text);
        return;
    }
    slu_buf_add_char(out, json->kind == JSON_ARRAY ? '[' : '{');
    for (size_t i = 0; i < json->n; i++) {
        if (i != 0)
            slu_buf_add_char(out, ',');
        if (json->kind == JSON_OBJECT) {
            slu_buf_add_text(out, json->keys[i]);
            slu_buf_add_char(out, ':');
        }
        json_print(json->items[i], out);
    }
    slu_buf_add_char(out, json->kind == JSON_ARRAY ? ']' : '}');
}

/* Without member `i`, if it can go. */
static bool drop(struct json *json, size_t i, bool (*holds)(void *), void *context)
{
    const char *key = json->keys[i];
    struct json *item = json->items[i];
    if (key != NULL && strcmp(key, "\"$schema\"") == 0)
        return false;
    json->n--;
    memmove(json->keys + i, json->keys + i + 1, (json->n - i) * sizeof(*json->keys));
    memmove(json->items + i, json->items + i + 1, (json->n - i) * sizeof(*json->items));
    if (holds(context))
        return true;
    memmove(json->keys + i + 1, json->keys + i, (json->n - i) * sizeof(*json->keys));
    memmove(json->items + i + 1, json->items + i, (json->n - i) * sizeof(*json->items));
    json->keys[i] = key;
    json->items[i] = item;
    json->n++;
    return false;
}

/* One of its members in the place of `*json`, if that will do. */
static bool peel(struct json **json, bool (*holds)(void *), void *context)
{
    struct json *ring = *json;
    for (size_t i = 0; i < ring->n; i++) {
        *json = ring->items[i];
        if (holds(context))
            return true;
    }
    *json = ring;
    return false;
}

static bool cut_once(struct json **json, bool (*holds)(void *), void *context, bool is_root)
{
    bool cut = false;
    if (!(is_root && (*json)->kind == JSON_OBJECT && json_has(*json, "\"$schema\"")) &&
        peel(json, holds, context))
        cut = true;
    for (size_t i = (*json)->n; i-- > 0;)
        cut = drop(*json, i, holds, context) || cut;
    for (size_t i = 0; i < (*json)->n; i++)
        cut = cut_once(&(*json)->items[i], holds, context, false) || cut;
    return cut;
}

void json_cut_down(struct json **json, bool (*holds)(void *context), void *context)
{
    while (cut_once(json, holds, context, true))
        ;
}
