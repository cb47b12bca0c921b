/* postgresql_text.c -- see postgresql_text.h. */
#include "sinks/postgresql_text.h"

#include "base/clock.h"
#include "sinks/postgresql_numeric.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define CYCLE_YEARS 400 /* after which the calendar repeats */
#define CYCLE_US    (INT64_C(146097) * 86400 * 1000000)

bool slu_pg_text_number(struct slu_slice text, struct slu_slice *number)
{
    *number = slu_slice_trim(text);
    if (number->len > 1 && number->data[0] == '+' && number->data[1] != '-')
        *number = slu_slice(number->data + 1, number->len - 1);
    return slu_pg_is_number(*number);
}

bool slu_pg_text_truth(struct slu_slice text, bool *truth)
{
    static const struct {
        const char *word;
        bool truth;
    } words[] = {{"true", true}, {"false", false}, {"on", true},
                 {"off", false}, {"1", true},      {"0", false}};

    text = slu_slice_trim(text);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (text.len != strlen(words[i].word) ||
            strncasecmp(text.data, words[i].word, text.len) != 0)
            continue;
        *truth = words[i].truth;
        return true;
    }
    return false;
}

/* RFC 3339 beyond what 64 bits of nanoseconds hold: the same moment some 400-year cycles away, where
 * the calendar is the same, and then back. */
bool slu_pg_text_time(struct slu_slice text, int64_t *us)
{
    char moved[64];
    int64_t ns;
    int year = 0;

    text = slu_slice_trim(text);
    if (text.len < 20 || text.len >= sizeof(moved))
        return false;
    for (size_t i = 0; i < 4; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        year = year * 10 + (text.data[i] - '0');
    }
    if (year == 0)
        return false;
    const int near = 1800 + (year + CYCLE_YEARS - 1800 % CYCLE_YEARS) % CYCLE_YEARS;
    snprintf(moved, sizeof(moved), "%04d%.*s", near, (int)text.len - 4, text.data + 4);
    if (slu_clock_parse(moved, text.len, &ns) != 0)
        return false;
    *us = slu_pg_floor_div(ns, 1000) + (year - near) / CYCLE_YEARS * CYCLE_US;
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    const char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool slu_pg_text_uuid(struct slu_slice text, struct slu_uuid *id)
{
    text = slu_slice_trim(text);
    const bool has_dashes = text.len == SLU_UUID_TEXT_SIZE - 1;
    size_t at = 0;

    if (!has_dashes && text.len != 32)
        return false;
    for (size_t i = 0; i < sizeof(id->bytes); i++) {
        if (has_dashes && (i == 4 || i == 6 || i == 8 || i == 10) && text.data[at++] != '-')
            return false;
        const int high = hex_digit(text.data[at]), low = hex_digit(text.data[at + 1]);
        if (high < 0 || low < 0)
            return false;
        id->bytes[i] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    return true;
}
