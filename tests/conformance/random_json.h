/* random_json.h -- JSON that can be made up, printed, and cut down. Lives in an arena. */
#ifndef SLU_CONFORMANCE_RANDOM_JSON_H
#define SLU_CONFORMANCE_RANDOM_JSON_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_kind { JSON_SCALAR, JSON_ARRAY, JSON_OBJECT };

struct json {
    enum json_kind kind;
    const char *text;  /* of a scalar, as it is printed */
    const char **keys; /* of an object, as they are printed: with their quotes */
    struct json **items;
    size_t n, cap;
};

/* A stream of numbers that a seed determines (SplitMix64), and where what is made up lies. */
struct dice {
    uint64_t state;
    struct slu_arena arena;
};

uint64_t dice_roll(struct dice *dice);

/* 0 … n - 1. */
size_t dice_below(struct dice *dice, size_t n);

/* Once in `n` times. */
bool dice_once_in(struct dice *dice, size_t n);

struct json *json_scalar(struct dice *dice, const char *text);
struct json *json_new(struct dice *dice, enum json_kind kind);
void json_push(struct dice *dice, struct json *array, struct json *item);

/* Nothing happens when the key is there. */
void json_set(struct dice *dice, struct json *object, const char *key, struct json *item);
bool json_has(const struct json *object, const char *key);

void json_print(const struct json *json, struct slu_buf *out);

/* Take out of `*json` whatever can go while `holds(context)` stays true: members, items, and the rings
 * around what matters. Members named $schema stay. */
void json_cut_down(struct json **json, bool (*holds)(void *context), void *context);

/* random_schema.c: a schema of one of the drafts (naive.h), and a value for it, out of the same few
 * names and numbers. */
struct json *random_schema(struct dice *dice, int draft);
struct json *random_value(struct dice *dice, unsigned depth);

#endif
