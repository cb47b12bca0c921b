/* format_time.c -- date-time, date, time (RFC 3339 §5.6) and duration (its appendix A).
 *
 *   1998-12-31T15:59:60.123-08:00
 *   date      T hh:mm:ss.fff offset
 *
 * T and Z may be small letters (§5.6, note). A second of 60 is a leap second, and these are put in at
 * 23:59 UTC only: the offset is taken off before asking. Which days had one is nowhere asked: that is
 * announced half a year ahead.
 */
#include "validation/json_schema/format_inside.h"

#include <string.h>

#define MINUTES_A_DAY 1440

/* `n` digits at `text`, which has them. -1: something else. */
static int number(const char *text, size_t n)
{
    int value = 0;
    for (size_t i = 0; i < n; i++) {
        if (!slu_format_is_digit(text[i]))
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

bool slu_format_date(const char *text, size_t len)
{
    if (len != 10 || text[4] != '-' || text[7] != '-')
        return false;
    const int year = number(text, 4), month = number(text + 5, 2), day = number(text + 8, 2);
    return year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= days_in_month(year, month);
}

/* "hh:mm" as minutes; -1: it is none. */
static int hour_and_minute(const char *text)
{
    const int hour = number(text, 2), minute = number(text + 3, 2);
    if (text[2] != ':' || hour < 0 || hour > 23 || minute < 0 || minute > 59)
        return -1;
    return hour * 60 + minute;
}

/* "Z", "+hh:mm" or "-hh:mm" and nothing else. */
static bool take_offset(const char *text, size_t len, int *minutes)
{
    *minutes = 0;
    if (len == 1)
        return text[0] == 'Z' || text[0] == 'z';
    if (len != 6 || (text[0] != '+' && text[0] != '-'))
        return false;
    const int size = hour_and_minute(text + 1);
    *minutes = text[0] == '-' ? -size : size;
    return size >= 0;
}

bool slu_format_time(const char *text, size_t len)
{
    if (len < 9 || text[5] != ':')
        return false;
    const int local = hour_and_minute(text), second = number(text + 6, 2);
    if (local < 0 || second < 0 || second > 60)
        return false;

    size_t at = 8;
    if (text[at] == '.') {
        const size_t first = ++at;
        while (at < len && slu_format_is_digit(text[at]))
            at++;
        if (at == first)
            return false;
    }
    int offset;
    if (!take_offset(text + at, len - at, &offset))
        return false;
    const int utc = (local - offset + MINUTES_A_DAY) % MINUTES_A_DAY;
    return second < 60 || utc == MINUTES_A_DAY - 1;
}

bool slu_format_date_time(const char *text, size_t len)
{
    return len > 11 && (text[10] == 'T' || text[10] == 't') && slu_format_date(text, 10) &&
           slu_format_time(text + 11, len - 11);
}

/* Numbers with units, "1Y2M": the first may have any of `units`, each further one the next unit. The
 * place behind them; `at` itself when there are none or they are wrong. */
static size_t take_parts(const char *text, size_t len, size_t at, const char *units)
{
    const size_t start = at;
    const char *unit = NULL;
    while (at < len && slu_format_is_digit(text[at])) {
        while (at < len && slu_format_is_digit(text[at]))
            at++;
        const char *found = at < len && text[at] != '\0' ? strchr(units, text[at]) : NULL;
        if (found == NULL || (unit != NULL && found != unit + 1))
            return start;
        unit = found;
        at++;
    }
    return at;
}

bool slu_format_duration(const char *text, size_t len)
{
    if (len < 3 || text[0] != 'P')
        return false;
    size_t at = take_parts(text, len, 1, "W");
    if (at != 1)
        return at == len;
    at = take_parts(text, len, 1, "YMD");
    if (at == len || text[at] != 'T')
        return at == len;
    const size_t time = at + 1;
    at = take_parts(text, len, time, "HMS");
    return at != time && at == len;
}
