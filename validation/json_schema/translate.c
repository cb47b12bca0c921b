/* translate.c -- a pattern's tree in PCRE2's words. Declared in pattern.h.
 *
 * Nothing of the original's text is copied: characters become \x{…}, classes are written out, so no
 * byte of it can mean to PCRE2 what it does not mean in ECMA-262. To be compiled with UTF and without
 * UCP: \b then knows ASCII words, as it must.
 *
 * Callouts. PCRE2's match limit is counted anew from every place in the text where a match may begin,
 * and its fast loops do not count at all, so by itself it does not bound a match. (?C1) stands where
 * every way of spending time must come by: at the start, in each round of a loop, behind each run of
 * single characters (there it comes by once for each backtrack), in each branch of a choice. regex.c
 * counts them.
 */
#include "validation/json_schema/pattern.h"

static void add_point(struct slu_buf *out, uint32_t point)
{
    const bool letter = (point >= '0' && point <= '9') || (point >= 'A' && point <= 'Z') ||
                        (point >= 'a' && point <= 'z');
    if (letter)
        slu_buf_add_char(out, (char)point);
    else
        slu_buf_printf(out, "\\x{%x}", point);
}

static void add_set(const struct slu_pattern *set, struct slu_buf *out)
{
    const bool any = set->n_ranges != 0 || set->properties != NULL;
    if (!any) {
        slu_buf_add_text(out, set->negated ? "[\\x{0}-\\x{10ffff}]" : "(?!)");
        return;
    }
    if (set->n_ranges == 1 && set->properties == NULL && !set->negated &&
        set->ranges[0].first == set->ranges[0].last) {
        add_point(out, set->ranges[0].first);
        return;
    }
    slu_buf_add_text(out, set->negated ? "[^" : "[");
    for (size_t i = 0; i < set->n_ranges; i++) {
        add_point(out, set->ranges[i].first);
        if (set->ranges[i].last == set->ranges[i].first)
            continue;
        slu_buf_add_char(out, '-');
        add_point(out, set->ranges[i].last);
    }
    for (const struct slu_pattern_property *property = set->properties; property != NULL;
         property = property->next)
        slu_buf_printf(out, "\\%c{%s}", property->negated ? 'P' : 'p', property->name);
    slu_buf_add_char(out, ']');
}

static bool add_repeat(const struct slu_pattern *repeat, struct slu_buf *out, struct slu_err *err)
{
    const bool infinite = repeat->max == SLU_PATTERN_INFINITE;
    if (repeat->min > SLU_PATTERN_MAX_REPEAT ||
        (!infinite && repeat->max > SLU_PATTERN_MAX_REPEAT)) {
        slu_err_set(err, SLU_EINVAL, "repeats something more than %d times",
                    SLU_PATTERN_MAX_REPEAT);
        return false;
    }
    const bool run = repeat->child->kind == SLU_PATTERN_SET && !repeat->lazy;
    slu_buf_add_text(out, run ? "(?:" : "(?:(?C1)");
    if (!slu_pattern_translate(repeat->child, out, err))
        return false;
    if (infinite)
        slu_buf_printf(out, "){%u,}", repeat->min);
    else
        slu_buf_printf(out, "){%u,%u}", repeat->min, repeat->max);
    return slu_buf_add_text(out, run ? "(?C1)" : repeat->lazy ? "?" : "");
}

static bool add_children(const struct slu_pattern *parent, const char *open, const char *between,
                         const char *close, struct slu_buf *out, struct slu_err *err)
{
    slu_buf_add_text(out, open);
    for (const struct slu_pattern *child = parent->child; child != NULL; child = child->next) {
        if (child != parent->child)
            slu_buf_add_text(out, between);
        if (!slu_pattern_translate(child, out, err))
            return false;
    }
    return slu_buf_add_text(out, close);
}

/* Recursive as deep as the pattern's parentheses. */
bool slu_pattern_translate(const struct slu_pattern *pattern, struct slu_buf *out,
                           struct slu_err *err)
{
    switch (pattern->kind) {
    case SLU_PATTERN_SET:
        add_set(pattern, out);
        break;
    case SLU_PATTERN_SEQUENCE:
        return add_children(pattern, "", "", "", out, err);
    case SLU_PATTERN_CHOICE:
        return add_children(pattern, "(?:(?C1)", "|(?C1)", ")", out, err);
    case SLU_PATTERN_REPEAT:
        return add_repeat(pattern, out, err);
    case SLU_PATTERN_GROUP:
        return add_children(pattern, "(", "", ")", out, err);
    case SLU_PATTERN_START:
        return slu_buf_add_text(out, "\\A");
    case SLU_PATTERN_END:
        return slu_buf_add_text(out, "\\z");
    case SLU_PATTERN_BOUNDARY:
        return slu_buf_add_text(out, pattern->negated ? "\\B" : "\\b");
    case SLU_PATTERN_BACKREF:
        return slu_buf_printf(out, "\\g{%u}", pattern->min);
    case SLU_PATTERN_LOOK:
        if (pattern->behind)
            return add_children(pattern, pattern->negated ? "(?<!" : "(?<=", "", ")", out, err);
        return add_children(pattern, pattern->negated ? "(?!" : "(?=", "", ")", out, err);
    }
    return !out->failed;
}
