/* topic.c -- see topic.h for what a filter is.
 *
 * A topic is never split into an array: `struct cursor` walks its levels one by one.
 *
 *     plant/a//7         levels "plant", "a", "", "7"
 *           ^at
 *
 * All decisions about two filters go level by level, both compiled. The alphabet of a level is
 * infinite and every filter matches some topic, so one level decides for itself: no search is needed.
 *
 * Threads: nothing is shared; a parsed filter never changes.
 */
#include "base/topic.h"

#include "base/utf8.h"

struct cursor {
    struct slu_slice topic;
    size_t at;  /* where the next level begins */
    bool ended; /* no further level */
};

static struct cursor cursor_of(struct slu_slice topic)
{
    return (struct cursor){topic, 0, topic.len == 0};
}

/* The next level; false past the last. "a/" has two levels, the second of them empty. */
static bool cursor_next(struct cursor *cursor, struct slu_slice *level)
{
    if (cursor->ended)
        return false;
    const char *begin = cursor->topic.data + cursor->at;
    const size_t left = cursor->topic.len - cursor->at;
    const char *slash = left > 0 ? memchr(begin, '/', left) : NULL;
    if (slash == NULL) {
        *level = slu_slice(begin, left);
        cursor->ended = true;
        return true;
    }
    *level = slu_slice(begin, (size_t)(slash - begin));
    cursor->at += level->len + 1;
    return true;
}

/* What is left of the topic from the next level on; empty past the last. */
static struct slu_slice cursor_rest(const struct cursor *cursor)
{
    if (cursor->ended)
        return slu_slice(cursor->topic.data + cursor->topic.len, 0);
    return slu_slice(cursor->topic.data + cursor->at, cursor->topic.len - cursor->at);
}

static bool begins_with_dollar(struct slu_slice text)
{
    return text.len > 0 && text.data[0] == '$';
}

static bool contains_any(struct slu_slice text, const char *bytes)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '\0' && strchr(bytes, text.data[i]) != NULL)
            return true;
    }
    return false;
}

/* ---- parse ---- */

static bool is_name(struct slu_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.data[i];
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return text.len > 0;
}

/* "{site}" or "{rest#}". */
static int parse_named(struct slu_slice text, size_t number, struct slu_level *level,
                       struct slu_err *err)
{
    struct slu_slice name = slu_slice(text.data + 1, text.len - 2);
    level->kind = SLU_LEVEL_PLUS;
    if (name.len > 0 && name.data[name.len - 1] == '#') {
        level->kind = SLU_LEVEL_HASH;
        name.len--;
    }
    if (!is_name(name))
        return slu_err_set(err, SLU_EINVAL,
                           "level %zu: \"%.*s\" is not a name; names are letters, digits and _ and "
                           "do not begin with a digit, as in {site} or {rest#}",
                           number, SLU_SLICE_ARG(text));
    level->text = name;
    return 0;
}

static int parse_level(struct slu_slice text, size_t number, struct slu_level *level,
                       struct slu_err *err)
{
    if (slu_slice_equal(text, SLU_SLICE("+")) || slu_slice_equal(text, SLU_SLICE("#"))) {
        level->kind = text.data[0] == '+' ? SLU_LEVEL_PLUS : SLU_LEVEL_HASH;
        level->text = slu_slice(NULL, 0);
        return 0;
    }
    if (text.len >= 2 && text.data[0] == '{' && text.data[text.len - 1] == '}')
        return parse_named(text, number, level, err);
    if (contains_any(text, "+#{}"))
        return slu_err_set(
            err, SLU_EINVAL,
            "level %zu: \"%.*s\" mixes text with a wildcard; a level is a wildcard as "
            "a whole (+, #, {name}, {name#}) or has none of + # { }",
            number, SLU_SLICE_ARG(text));
    level->kind = SLU_LEVEL_LITERAL;
    level->text = text;
    return 0;
}

static int check_text(struct slu_slice text, struct slu_err *err)
{
    if (text.len == 0)
        return slu_err_set(err, SLU_EINVAL, "the topic filter is empty");
    if (text.len > SLU_TOPIC_MAX_BYTES)
        return slu_err_set(err, SLU_EINVAL, "the topic filter has %zu bytes, more than %u",
                           text.len, SLU_TOPIC_MAX_BYTES);
    if (!slu_utf8_valid(text.data, text.len))
        return slu_err_set(err, SLU_EINVAL, "the topic filter is not UTF-8");
    if (memchr(text.data, '\0', text.len) != NULL)
        return slu_err_set(err, SLU_EINVAL, "the topic filter contains a NUL character");
    return 0;
}

static size_t count_levels(struct slu_slice text)
{
    size_t n = 1;
    for (size_t i = 0; i < text.len; i++)
        n += text.data[i] == '/';
    return n;
}

/* Level `i` beside those before it: nothing follows a `#`, and no name comes twice. */
static int check_place(const struct slu_level *levels, size_t i, struct slu_err *err)
{
    if (i > 0 && levels[i - 1].kind == SLU_LEVEL_HASH)
        return slu_err_set(err, SLU_EINVAL,
                           "level %zu: # matches all that is left and must be last", i);
    if (levels[i].kind == SLU_LEVEL_LITERAL || levels[i].text.len == 0)
        return 0;
    for (size_t j = 0; j < i; j++) {
        if (levels[j].kind != SLU_LEVEL_LITERAL && slu_slice_equal(levels[j].text, levels[i].text))
            return slu_err_set(err, SLU_EINVAL,
                               "level %zu: the name \"%.*s\" is taken by level %zu", i + 1,
                               SLU_SLICE_ARG(levels[i].text), j + 1);
    }
    return 0;
}

int slu_topic_filter_parse(struct slu_slice text, struct slu_arena *arena,
                           struct slu_topic_filter *filter, struct slu_err *err)
{
    if (check_text(text, err) != 0)
        return -1;
    const size_t n = count_levels(text);
    if (n > SLU_TOPIC_MAX_LEVELS)
        return slu_err_set(err, SLU_EINVAL, "the topic filter has %zu levels, more than %u", n,
                           SLU_TOPIC_MAX_LEVELS);

    const char *copy = slu_arena_copy(arena, text);
    struct slu_level *levels = slu_arena_array(arena, n, sizeof(*levels));
    if (copy == NULL || levels == NULL)
        return slu_err_set(err, SLU_ENOMEM, "no memory for a topic filter");

    struct cursor cursor = cursor_of(slu_slice(copy, text.len));
    struct slu_slice level;
    for (size_t i = 0; i < n && cursor_next(&cursor, &level); i++) {
        if (parse_level(level, i + 1, &levels[i], err) != 0 || check_place(levels, i, err) != 0)
            return -1;
    }
    *filter = (struct slu_topic_filter){slu_slice(copy, text.len), levels, n};
    return 0;
}

/* ---- match ---- */

bool slu_topic_filter_matches(const struct slu_topic_filter *filter, struct slu_slice topic)
{
    if (topic.len == 0) /* MQTT 5.0 §4.7.3: a topic has at least one character */
        return false;
    if (filter->levels[0].kind != SLU_LEVEL_LITERAL && begins_with_dollar(topic))
        return false; /* MQTT 5.0 §4.7.2 */

    struct cursor cursor = cursor_of(topic);
    struct slu_slice level;
    for (size_t i = 0; i < filter->n_levels; i++) {
        if (filter->levels[i].kind == SLU_LEVEL_HASH)
            return true;
        if (!cursor_next(&cursor, &level))
            return false;
        if (filter->levels[i].kind == SLU_LEVEL_LITERAL &&
            !slu_slice_equal(filter->levels[i].text, level))
            return false;
    }
    return cursor.ended;
}

/* Is level `wild`, a wildcard in place `i`, kept from `other` by the rule about `$`? */
static bool dollar_forbids(size_t i, const struct slu_level *other)
{
    return i == 0 && other->kind == SLU_LEVEL_LITERAL && begins_with_dollar(other->text);
}

/* Is there a text that both levels in place `i` match? Neither is a `#`. */
static bool levels_overlap(size_t i, const struct slu_level *a, const struct slu_level *b)
{
    if (a->kind == SLU_LEVEL_LITERAL && b->kind == SLU_LEVEL_LITERAL)
        return slu_slice_equal(a->text, b->text);
    if (a->kind == SLU_LEVEL_PLUS)
        return !dollar_forbids(i, b);
    return !dollar_forbids(i, a);
}

/* Is the first level of `filter` the empty one, as in "/a"? No topic is that level alone. */
static bool begins_empty(const struct slu_topic_filter *filter)
{
    return filter->levels[0].kind == SLU_LEVEL_LITERAL && filter->levels[0].text.len == 0;
}

/* `hash` has its `#` in place `i` and `other` matched up to there. A `#` takes whatever the other
 * still wants, nothing included, unless that nothing would leave the empty topic. */
static bool hash_overlaps(const struct slu_topic_filter *hash, const struct slu_topic_filter *other,
                          size_t i)
{
    if (i < other->n_levels)
        return !dollar_forbids(i, &other->levels[i]);
    return i != 1 || !(begins_empty(hash) || begins_empty(other));
}

bool slu_topic_filter_overlaps(const struct slu_topic_filter *a, const struct slu_topic_filter *b)
{
    for (size_t i = 0;; i++) {
        const struct slu_level *in_a = i < a->n_levels ? &a->levels[i] : NULL;
        const struct slu_level *in_b = i < b->n_levels ? &b->levels[i] : NULL;
        if (in_a == NULL && in_b == NULL)
            return true;
        if (in_a != NULL && in_a->kind == SLU_LEVEL_HASH)
            return hash_overlaps(a, b, i);
        if (in_b != NULL && in_b->kind == SLU_LEVEL_HASH)
            return hash_overlaps(b, a, i);
        if (in_a == NULL || in_b == NULL || !levels_overlap(i, in_a, in_b))
            return false;
    }
}

/* Does level `a` match every text that `b` matches? Neither is a `#`. */
static bool level_covers(size_t i, const struct slu_level *a, const struct slu_level *b)
{
    if (a->kind == SLU_LEVEL_PLUS)
        return !dollar_forbids(i, b);
    return b->kind == SLU_LEVEL_LITERAL && slu_slice_equal(a->text, b->text);
}

/* `b` has its `#` in place `i`, where `a` has a level. A `#` also stands for no level, which a level of
 * `a` would not match; but it stands for one at least where no level would leave the empty topic: "#"
 * is "+/#", and "/#" is "/+/#". */
static bool covers_hash(const struct slu_topic_filter *a, const struct slu_topic_filter *b,
                        size_t i)
{
    const bool one_at_least = i == 0 || (i == 1 && begins_empty(b));
    return one_at_least && a->n_levels == i + 2 && a->levels[i].kind == SLU_LEVEL_PLUS &&
           a->levels[i + 1].kind == SLU_LEVEL_HASH;
}

bool slu_topic_filter_covers(const struct slu_topic_filter *a, const struct slu_topic_filter *b)
{
    for (size_t i = 0;; i++) {
        const struct slu_level *in_a = i < a->n_levels ? &a->levels[i] : NULL;
        const struct slu_level *in_b = i < b->n_levels ? &b->levels[i] : NULL;
        if (in_a != NULL && in_a->kind == SLU_LEVEL_HASH)
            return in_b == NULL || !dollar_forbids(i, in_b);
        if (in_a == NULL || in_b == NULL)
            return in_a == NULL && in_b == NULL;
        if (in_b->kind == SLU_LEVEL_HASH)
            return covers_hash(a, b, i);
        if (!level_covers(i, in_a, in_b))
            return false;
    }
}

bool slu_topic_filter_level(const struct slu_topic_filter *filter, struct slu_slice topic,
                            struct slu_slice name, struct slu_slice *value)
{
    if (name.len == 0 || topic.len == 0)
        return false;
    struct cursor cursor = cursor_of(topic);
    for (size_t i = 0; i < filter->n_levels; i++) {
        const struct slu_level *level = &filter->levels[i];
        const bool wanted = level->kind != SLU_LEVEL_LITERAL && slu_slice_equal(level->text, name);
        if (wanted && level->kind == SLU_LEVEL_HASH) {
            *value = cursor_rest(&cursor);
            return true;
        }
        struct slu_slice text;
        if (!cursor_next(&cursor, &text))
            return false;
        if (wanted) {
            *value = text;
            return true;
        }
    }
    return false;
}

/* ---- publish ---- */

/* `text` is UTF-8. */
static bool has_forbidden_character(struct slu_slice text)
{
    size_t step;

    for (size_t i = 0; i < text.len; i += step) {
        step = slu_utf8_step(text.data + i, text.len - i);
        if (step == 0 || !slu_utf8_allowed_in_mqtt(text.data + i, step))
            return true;
    }
    return false;
}

bool slu_topic_is_valid(struct slu_slice topic, struct slu_err *err)
{
    if (topic.len == 0)
        return slu_err_set(err, SLU_EINVAL, "the topic is empty") == 0;
    if (topic.len > SLU_TOPIC_MAX_BYTES)
        return slu_err_set(err, SLU_EINVAL, "the topic has %zu bytes, more than %u", topic.len,
                           SLU_TOPIC_MAX_BYTES) == 0;
    if (!slu_utf8_valid(topic.data, topic.len))
        return slu_err_set(err, SLU_EINVAL, "the topic is not UTF-8") == 0;
    if (has_forbidden_character(topic))
        return slu_err_set(err, SLU_EINVAL, "the topic contains a control character") == 0;
    if (contains_any(topic, "+#"))
        return slu_err_set(err, SLU_EINVAL, "the topic contains a wildcard (+ or #)") == 0;
    if (count_levels(topic) > SLU_TOPIC_MAX_LEVELS)
        return slu_err_set(err, SLU_EINVAL, "the topic has %zu levels, more than %u",
                           count_levels(topic), SLU_TOPIC_MAX_LEVELS) == 0;
    return true;
}

bool slu_topic_is_publishable(struct slu_slice topic, struct slu_err *err)
{
    static const char *const reserved[] = {"$SYS", "$CONTROL", "$share"};
    struct cursor cursor = cursor_of(topic);
    struct slu_slice first = topic;

    if (!slu_topic_is_valid(topic, err))
        return false;
    (void)cursor_next(&cursor, &first);
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        if (slu_slice_equal(first, slu_slice_of(reserved[i])))
            return slu_err_set(err, SLU_EINVAL, "topics below %s belong to the broker",
                               reserved[i]) == 0;
    }
    return true;
}
