/* pattern.h -- an ECMA-262 regular expression (with the u flag, as JSON Schema means it), read into a
 * tree.
 *
 *   ^a[0-9]{2,}|\bx        CHOICE
 *                           ├ SEQUENCE ─ START ─ SET a ─ REPEAT 2… ─ SET 0-9
 *                           └ SEQUENCE ─ BOUNDARY ─ SET x
 *
 * Read generously where everybody does: a lone { } or ], and a backslash before any punctuation.
 * What ECMA-262 does not have (\A, \Z, (?i), (?#…), possessive a++, a class like [[:alpha:]]'s name) is
 * refused with its place instead of meaning something else.
 *
 * Threads: the functions have no state; a tree is constant.
 */
#ifndef SLU_JSON_SCHEMA_PATTERN_H
#define SLU_JSON_SCHEMA_PATTERN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLU_PATTERN_MAX_BYTES  (64u << 10)
#define SLU_PATTERN_MAX_DEPTH  100
#define SLU_PATTERN_MAX_REPEAT 65535 /* PCRE2's */
#define SLU_PATTERN_INFINITE   UINT32_MAX
#define SLU_PATTERN_LAST       0x10FFFFu /* code point */

enum slu_pattern_kind {
    SLU_PATTERN_SET,      /* one code point out of some */
    SLU_PATTERN_SEQUENCE, /* its children, one after the other; none: the empty string */
    SLU_PATTERN_CHOICE,   /* one of its children, the first that fits */
    SLU_PATTERN_REPEAT,   /* its child, min to max times */
    SLU_PATTERN_GROUP,    /* its child, captured */
    SLU_PATTERN_START,    /* ^ */
    SLU_PATTERN_END,      /* $ */
    SLU_PATTERN_BOUNDARY, /* \b; negated: \B */
    SLU_PATTERN_BACKREF,  /* what group `min` captured, or nothing */
    SLU_PATTERN_LOOK,     /* (?=…); negated: (?!…); behind: (?<=…), (?<!…) */
};

struct slu_pattern_range {
    uint32_t first, last; /* code points */
};

/* \p{…} in a set. */
struct slu_pattern_property {
    struct slu_pattern_property *next;
    const char *name; /* as PCRE2 knows it: "L", "sc=Greek" */
    bool negated;
};

struct slu_pattern {
    enum slu_pattern_kind kind;
    struct slu_pattern *child, *next; /* first child; next sibling */
    uint32_t min, max;
    bool lazy;
    bool negated; /* of a set: only when it has properties, else it is worked in */
    bool behind;
    size_t at; /* of a repeat and a look: its byte in the pattern */
    size_t n_ranges;
    struct slu_pattern_range *ranges; /* sorted, apart, without surrogates */
    struct slu_pattern_property *properties;
};

/* NULL: `err` says what is wrong, with the character's number. The tree lies in the arena. */
const struct slu_pattern *slu_pattern_parse(struct slu_slice text, struct slu_arena *arena,
                                            struct slu_err *err);

/* pattern_set.c: the sets of \d \w \s and of the dot; sorting, negating. */
struct slu_pattern_set {
    struct slu_arena *arena;
    struct slu_pattern_range *ranges;
    size_t n, cap;
    bool no_memory;
};
void slu_pattern_set_add(struct slu_pattern_set *set, uint32_t first, uint32_t last);
bool slu_pattern_set_add_escape(struct slu_pattern_set *set, char letter); /* d D w W s S */
void slu_pattern_set_add_dot(struct slu_pattern_set *set);
void slu_pattern_set_normalise(struct slu_pattern_set *set);
void slu_pattern_set_negate(struct slu_pattern_set *set);

/* The name PCRE2 has for ECMA-262's property `text` ("Letter", "Script=Greek"); NULL: there is none.
 * `*inverted`: the name stands for everything else. */
const char *slu_pattern_property_name(struct slu_slice text, struct slu_arena *arena,
                                      bool *inverted);

/* translate.c: the tree in PCRE2's words, appended to `out`. */
bool slu_pattern_translate(const struct slu_pattern *pattern, struct slu_buf *out,
                           struct slu_err *err);

#endif
