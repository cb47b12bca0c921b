/* topic.h -- MQTT topics and topic filters, with named levels.
 *
 * A filter is MQTT's (5.0 §4.7), where `{site}` is a `+` with a name and `{rest#}` a `#` with a name:
 *
 *     plant/{site}/oven/{oven}/temperature      matches plant/a/oven/7/temperature
 *           +           +                       site = a, oven = 7
 *     plant/{site}/{rest#}                      `#` also matches nothing at all: plant/a, rest = ""
 *
 * As in MQTT, a filter whose first level is a wildcard does not match topics that begin with `$`.
 * A literal level may not contain `+`, `#`, `{`, `}`; a level is all wildcard or none.
 */
#ifndef SLU_BASE_TOPIC_H
#define SLU_BASE_TOPIC_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLU_TOPIC_MAX_BYTES  65535u
#define SLU_TOPIC_MAX_LEVELS 200u

enum slu_level_kind { SLU_LEVEL_LITERAL, SLU_LEVEL_PLUS, SLU_LEVEL_HASH };

struct slu_level {
    enum slu_level_kind kind;
    struct slu_slice text; /* literal: the level; wildcard: its name, empty when it has none */
};

struct slu_topic_filter {
    struct slu_slice text; /* as written */
    const struct slu_level *levels;
    size_t n_levels; /* ≤ SLU_TOPIC_MAX_LEVELS */
};

/* Compile `text`. Levels and copies live in `arena`. Errors name the level that is wrong. Names are
 * [A-Za-z_][A-Za-z0-9_]*, unique within the filter. */
int slu_topic_filter_parse(struct slu_slice text, struct slu_arena *arena,
                           struct slu_topic_filter *filter, struct slu_err *err);

/* The definition of matching, one filter at a time. The trie (validation/matcher.h) must agree. */
bool slu_topic_filter_matches(const struct slu_topic_filter *filter, struct slu_slice topic);

/* Is there a topic that both match? Exact (but for the length of that topic: two filters of 60,000
 * bytes may meet only in one that is too long for MQTT). */
bool slu_topic_filter_overlaps(const struct slu_topic_filter *a, const struct slu_topic_filter *b);

/* Does `a` match every topic that `b` matches? */
bool slu_topic_filter_covers(const struct slu_topic_filter *a, const struct slu_topic_filter *b);

/* The part of `topic` that the level called `name` stands for, borrowed from `topic`. False when the
 * filter has no such level. `topic` must match. */
bool slu_topic_filter_level(const struct slu_topic_filter *filter, struct slu_slice topic,
                            struct slu_slice name, struct slu_slice *value);

/* May a message have it? 1 to 65,535 bytes of UTF-8, ≤ 200 levels, without NUL, wildcards and what
 * MQTT 5.0 §1.5.4 lets a receiver close the connection for (control characters U+0001–U+001F and
 * U+007F–U+009F, noncharacters). Sets `err` otherwise. */
bool slu_topic_is_valid(struct slu_slice topic, struct slu_err *err);

/* May we publish to it? Valid, and none of `$SYS`, `$CONTROL`, `$share` as first level. Sets `err`
 * otherwise. */
bool slu_topic_is_publishable(struct slu_slice topic, struct slu_err *err);

#endif
