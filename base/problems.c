/* problems.c -- see problems.h for who collects and who prints.
 *
 * The items grow by doubling from 8 up to the ceiling, so the capacity follows from `n` alone. When
 * the list is full an error takes the place of the last warning: what stops the start is shown.
 */
#include "base/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ITEMS 8u

void slu_problems_init(struct slu_problems *problems)
{
    *problems = (struct slu_problems){0};
}

void slu_problems_fini(struct slu_problems *problems)
{
    free(problems->items);
    slu_problems_init(problems);
}

/* Room for one more; false when the list is full or there is no memory. */
static bool make_room(struct slu_problems *problems)
{
    const size_t n = problems->n;
    if (n >= SLU_PROBLEMS_MAX)
        return false;

    const bool at_capacity = n == 0 || (n >= FIRST_ITEMS && (n & (n - 1)) == 0);
    if (!at_capacity)
        return true;
    size_t capacity = n == 0 ? FIRST_ITEMS : n * 2;
    if (capacity > SLU_PROBLEMS_MAX)
        capacity = SLU_PROBLEMS_MAX;
    struct slu_problem *items = realloc(problems->items, capacity * sizeof(*items));
    if (items == NULL)
        return false;
    problems->items = items;
    return true;
}

/* Take the last warning out of a list that cannot grow. */
static bool give_up_warning(struct slu_problems *problems)
{
    for (size_t i = problems->n; i-- > 0;) {
        if (!problems->items[i].is_warning)
            continue;
        memmove(&problems->items[i], &problems->items[i + 1],
                (problems->n - i - 1) * sizeof(problems->items[0]));
        problems->n--;
        return true;
    }
    return false;
}

void slu_problems_add(struct slu_problems *problems, bool is_warning, const struct slu_err *err)
{
    if (is_warning)
        problems->n_warnings++;
    else
        problems->n_errors++;

    if (!make_room(problems) && (is_warning || !give_up_warning(problems)))
        return;
    problems->items[problems->n++] = (struct slu_problem){is_warning, *err};
}

/* Longer than an error's text, so that it is slu_err_set() that cuts it, between characters. */
#define FORMAT_BYTES 1024

static void add_text(struct slu_problems *problems, bool is_warning, const char *source,
                     unsigned line, unsigned column, const char *pointer, const char *text)
{
    struct slu_err err = {0};
    slu_err_set(&err, SLU_EINVAL, "%s", text);
    slu_err_place(&err, source, line, column, pointer);
    slu_problems_add(problems, is_warning, &err);
}

void slu_problems_error(struct slu_problems *problems, const char *source, unsigned line,
                        unsigned column, const char *pointer, const char *format, ...)
{
    char text[FORMAT_BYTES];
    va_list args;
    va_start(args, format);
    if (vsnprintf(text, sizeof(text), format, args) < 0)
        snprintf(text, sizeof(text), "%s", format);
    va_end(args);
    add_text(problems, false, source, line, column, pointer, text);
}

void slu_problems_warn(struct slu_problems *problems, const char *source, unsigned line,
                       unsigned column, const char *pointer, const char *format, ...)
{
    char text[FORMAT_BYTES];
    va_list args;
    va_start(args, format);
    if (vsnprintf(text, sizeof(text), format, args) < 0)
        snprintf(text, sizeof(text), "%s", format);
    va_end(args);
    add_text(problems, true, source, line, column, pointer, text);
}

static int compare(const struct slu_err *a, const struct slu_err *b)
{
    const int by_source = strcmp(a->source, b->source);
    if (by_source != 0)
        return by_source;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return (a->column > b->column) - (a->column < b->column);
}

/* By insertion: at most 100 items, and unlike qsort() it is stable everywhere. */
void slu_problems_sort(struct slu_problems *problems)
{
    struct slu_problem *items = problems->items;

    for (size_t i = 1; i < problems->n; i++) {
        size_t place = i;
        while (place > 0 && compare(&items[place - 1].err, &items[i].err) > 0)
            place--;
        if (place == i)
            continue;
        const struct slu_problem moved = items[i];
        memmove(&items[place + 1], &items[place], (i - place) * sizeof(items[0]));
        items[place] = moved;
    }
}

static bool is_twin(const struct slu_problem *a, const struct slu_problem *b)
{
    return a->is_warning == b->is_warning && compare(&a->err, &b->err) == 0 &&
           strcmp(a->err.pointer, b->err.pointer) == 0 && strcmp(a->err.text, b->err.text) == 0;
}

void slu_problems_sort_and_merge(struct slu_problems *problems)
{
    size_t kept = 0;

    slu_problems_sort(problems);
    for (size_t i = 0; i < problems->n; i++) {
        const struct slu_problem *item = &problems->items[i];
        bool known = false;
        for (size_t j = kept; j-- > 0 && compare(&problems->items[j].err, &item->err) == 0;)
            known = known || is_twin(&problems->items[j], item);
        if (!known)
            problems->items[kept++] = *item;
        else if (item->is_warning)
            problems->n_warnings--;
        else
            problems->n_errors--;
    }
    problems->n = kept;
}
