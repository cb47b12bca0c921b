/* policy_topics.c -- see policy_topics.h.
 *
 * "Overlaps less its excludes" is decided on the intersection of two filters, which is a filter again:
 *
 *     plant/+/oven/#    and    plant/{site}/alerts/…         no topic matches both
 *     plant/#           and    plant/alerts/{site}     ──▶   plant/alerts/+
 *
 * and one exclude that covers the intersection takes it away. Several excludes that cover it only
 * together do not count: the answer errs on the side of refusing.
 */
#include "validation/policy_topics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pairs of filters looked at for a mere warning; a configuration beyond it is told so. */
#define PAIRS_MAX 20000000u

/* A topic that some policy produces. */
struct target {
    struct slu_topic_filter filter;
    const struct slu_policy_topics *from;
    struct slu_slice text; /* as the configuration says it */
    const char *what;      /* "reroutes" or "publishes" */
};

struct targets {
    struct target *items;
    size_t n;
};

/* The topics that both match, as a filter; they must overlap. */
static bool intersect(const struct slu_topic_filter *a, const struct slu_topic_filter *b,
                      struct slu_level levels[SLU_TOPIC_MAX_LEVELS], struct slu_topic_filter *both)
{
    size_t n = 0;

    for (;; n++) {
        bool a_ends = n >= a->n_levels, b_ends = n >= b->n_levels;
        if ((a_ends && b_ends) || n == SLU_TOPIC_MAX_LEVELS)
            break;
        if (a_ends || b_ends) /* the other's `#` stands for nothing here */
            break;
        const struct slu_level *x = &a->levels[n], *y = &b->levels[n];
        if (x->kind == SLU_LEVEL_HASH || y->kind == SLU_LEVEL_HASH) {
            const struct slu_topic_filter *rest = x->kind == SLU_LEVEL_HASH ? b : a;
            for (; n < rest->n_levels && n < SLU_TOPIC_MAX_LEVELS; n++)
                levels[n] = rest->levels[n];
            break;
        }
        levels[n] = x->kind == SLU_LEVEL_LITERAL ? *x : *y;
    }
    *both = (struct slu_topic_filter){.levels = levels, .n_levels = n};
    return n > 0;
}

/* Is there a topic that `filter` of `owner` and `other` both match, and no exclude takes away? */
static bool owns(const struct slu_policy_topics *owner, const struct slu_topic_filter *filter,
                 const struct slu_topic_filter *other)
{
    struct slu_level levels[SLU_TOPIC_MAX_LEVELS];
    struct slu_topic_filter both;

    if (!slu_topic_filter_overlaps(filter, other))
        return false;
    if (owner->n_excludes == 0 || !intersect(filter, other, levels, &both))
        return true;
    for (size_t i = 0; i < owner->n_excludes; i++)
        if (slu_topic_filter_covers(&owner->excludes[i], &both))
            return false;
    return true;
}

static void tell(struct slu_problems *problems, bool is_warning,
                 const struct slu_policy_topics *topics, size_t filter, const char *sentence)
{
    struct slu_err err = {0};
    char below[64], full[sizeof(err.pointer)];
    const struct slu_node *place = topics->options->place;

    snprintf(below, sizeof(below), "/topics/%zu", filter);
    if (place != NULL)
        place = slu_node_at(place, below, NULL, NULL);
    slu_err_set(&err, SLU_EINVAL, "%s", sentence);
    snprintf(full, sizeof(full), "%s%s", topics->pointer, below);
    if (place != NULL)
        slu_err_place(&err, place->file, place->line, place->column, full);
    else
        slu_err_place(&err, NULL, 0, 0, full);
    slu_problems_add(problems, is_warning, &err);
}

/* ---- no loop ------------------------------------------------------------------------------------- */

static int compare_targets(const void *a, const void *b)
{
    const struct target *x = a, *y = b;
    size_t shorter =
        x->filter.text.len < y->filter.text.len ? x->filter.text.len : y->filter.text.len;
    int order = memcmp(x->filter.text.data, y->filter.text.data, shorter);

    if (order != 0)
        return order;
    return (x->filter.text.len > y->filter.text.len) - (x->filter.text.len < y->filter.text.len);
}

static bool add_target(struct targets *targets, const struct slu_policy_topics *from,
                       const struct slu_template *pattern, const char *what,
                       struct slu_arena *arena)
{
    struct target *target = &targets->items[targets->n];
    struct slu_buf text;
    bool ok = false;

    if (pattern == NULL)
        return true;
    slu_buf_init(&text, SLU_TOPIC_MAX_BYTES);
    if (slu_template_filter(pattern, &text) &&
        slu_topic_filter_parse(slu_buf_slice(&text), arena, &target->filter, NULL) == 0) {
        target->from = from;
        target->text = slu_template_text(pattern);
        target->what = what;
        targets->n++;
        ok = true;
    }
    slu_buf_fini(&text);
    return ok;
}

/* Thousands of policies usually share a handful of target filters. */
static void drop_equal_targets(struct targets *targets)
{
    size_t kept = 0;

    if (targets->n > 1)
        qsort(targets->items, targets->n, sizeof(targets->items[0]), compare_targets);
    for (size_t i = 0; i < targets->n; i++)
        if (kept == 0 || compare_targets(&targets->items[kept - 1], &targets->items[i]) != 0)
            targets->items[kept++] = targets->items[i];
    targets->n = kept;
}

static void check_filter_for_loops(const struct slu_policy_topics *topics, size_t f,
                                   const struct targets *targets, struct slu_problems *problems)
{
    char sentence[512];

    for (size_t t = 0; t < targets->n; t++) {
        const struct target *target = &targets->items[t];
        if (!owns(topics, &topics->filters[f], &target->filter))
            continue;
        snprintf(
            sentence, sizeof(sentence),
            "\"%.*s\" owns topics that policy \"%s\" %s to (\"%.*s\"): two bridged brokers would "
            "send them round for ever; exclude them, or set allow_alert_topics: true",
            (int)(topics->filters[f].text.len < 120 ? topics->filters[f].text.len : 120),
            topics->filters[f].text.data, target->from->policy->id, target->what,
            (int)(target->text.len < 120 ? target->text.len : 120), target->text.data);
        tell(problems, false, topics, f, sentence);
        return;
    }
}

/* Where a topic goes that outgrew MQTT's 65,535 bytes or 200 levels. */
static void check_fallback(const struct slu_policy_topics *topics, size_t n, bool can_grow,
                           struct slu_arena *arena, struct slu_problems *problems)
{
    struct slu_topic_filter fallback;

    if (!can_grow ||
        slu_topic_filter_parse(SLU_SLICE("sluice/violations/+"), arena, &fallback, NULL) != 0)
        return;
    for (size_t i = 0; i < n; i++)
        for (size_t f = 0; f < topics[i].n_filters; f++)
            if (!topics[i].options->allow_alert_topics &&
                owns(&topics[i], &topics[i].filters[f], &fallback))
                tell(problems, true, &topics[i], f,
                     "an alert whose topic would be too long for MQTT goes to "
                     "sluice/violations/<policy>, which this filter owns too: exclude sluice/#");
}

static bool has_substitution(const struct slu_template *pattern)
{
    if (pattern == NULL)
        return false;
    const struct slu_slice text = slu_template_text(pattern);
    return text.len != 0 && memchr(text.data, '{', text.len) != NULL;
}

static void check_loops(const struct slu_policy_topics *topics, size_t n, struct slu_arena *arena,
                        struct slu_problems *problems)
{
    struct targets targets = {slu_arena_array(arena, 2 * n + 1, sizeof(struct target)), 0};
    bool ok = targets.items != NULL, can_grow = false;
    size_t errors = problems->n_errors;

    for (size_t i = 0; i < n && ok; i++) {
        const struct slu_policy *policy = topics[i].policy;
        ok = add_target(&targets, &topics[i], policy->reroute, "reroutes", arena) &&
             add_target(&targets, &topics[i], policy->publish, "publishes", arena);
        can_grow |= has_substitution(policy->reroute) || has_substitution(policy->publish);
    }
    if (!ok) {
        slu_problems_error(problems, NULL, 0, 0, "/policies", "no memory to compare their topics");
        return;
    }
    drop_equal_targets(&targets);
    for (size_t i = 0; i < n; i++)
        for (size_t f = 0; f < topics[i].n_filters && !topics[i].options->allow_alert_topics; f++)
            check_filter_for_loops(&topics[i], f, &targets, problems);
    if (problems->n_errors == errors)
        check_fallback(topics, n, can_grow, arena, problems);
}

/* ---- one reading --------------------------------------------------------------------------------- */

static bool read_alike(const struct slu_policy *a, const struct slu_policy *b)
{
    return a->n_formats == b->n_formats &&
           memcmp(a->formats, b->formats, a->n_formats * sizeof(a->formats[0])) == 0;
}

static void list_formats(const struct slu_policy *policy, char *out, size_t size)
{
    size_t at = 0;

    out[0] = '\0';
    for (size_t i = 0; i < policy->n_formats && at < size; i++) {
        int n = snprintf(out + at, size - at, "%s%s", i != 0 ? " or " : "",
                         slu_format_names[policy->formats[i]]);
        at += n > 0 ? (size_t)n : 0;
    }
}

/* Does a filter of `later` own a topic of `earlier`? One warning a pair of policies. */
static bool check_pair(const struct slu_policy_topics *earlier,
                       const struct slu_policy_topics *later, struct slu_problems *problems)
{
    char ours[80], theirs[80], sentence[512];

    for (size_t f = 0; f < later->n_filters; f++) {
        for (size_t e = 0; e < earlier->n_filters; e++) {
            if (!owns(later, &later->filters[f], &earlier->filters[e]) ||
                !owns(earlier, &earlier->filters[e], &later->filters[f]))
                continue;
            list_formats(later->policy, ours, sizeof(ours));
            list_formats(earlier->policy, theirs, sizeof(theirs));
            snprintf(sentence, sizeof(sentence),
                     "overlaps \"%.*s\" of policy \"%s\", which reads the payload as %s; this one "
                     "reads it as %s",
                     (int)(earlier->filters[e].text.len < 160 ? earlier->filters[e].text.len : 160),
                     earlier->filters[e].text.data, earlier->policy->id, theirs, ours);
            tell(problems, true, later, f, sentence);
            return true;
        }
    }
    return false;
}

static void check_readings(const struct slu_policy_topics *topics, size_t n,
                           struct slu_problems *problems)
{
    size_t pairs = 0;

    for (size_t later = 1; later < n; later++) {
        for (size_t earlier = 0; earlier < later; earlier++) {
            if (read_alike(topics[earlier].policy, topics[later].policy))
                continue;
            pairs += topics[earlier].n_filters * topics[later].n_filters;
            if (pairs > PAIRS_MAX) {
                tell(problems, true, &topics[later], 0,
                     "there are too many filters to compare them all: from here on nobody looks "
                     "whether overlapping policies read the payload alike");
                return;
            }
            check_pair(&topics[earlier], &topics[later], problems);
        }
    }
}

void slu_policy_topics_check(const struct slu_policy_topics *topics, size_t n,
                             struct slu_arena *arena, struct slu_problems *problems)
{
    check_loops(topics, n, arena, problems);
    check_readings(topics, n, problems);
}
