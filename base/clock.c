/* clock.c -- see clock.h for which clock is for what.
 *
 * Dates are the proleptic Gregorian calendar (RFC 3339 §1). They are computed here, not by the C
 * library, whose gmtime_r() takes a lock and whose strptime() follows the locale. The calendar
 * repeats every 400 years; counting years from March puts the leap day at a year's end, so the days
 * before a month follow from its number alone.
 *
 * Threads: the clocks are replaced before any thread is started and only read afterwards.
 */
#include "base/clock.h"

#include <stdbool.h>
#include <time.h>

#define DAYS_PER_400_YEARS   146097
#define DAYS_0000_03_TO_1970 719468 /* 0000-03-01 to 1970-01-01 */
#define S_PER_DAY            86400

static int64_t read_clock(clockid_t clock)
{
    struct timespec now = {0};
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * SLU_NS_PER_S + (int64_t)now.tv_nsec;
}

static int64_t real_wall_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

static int64_t real_mono_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

static int64_t (*wall_clock)(void) = real_wall_ns;
static int64_t (*mono_clock)(void) = real_mono_ns;

int64_t slu_clock_wall_ns(void)
{
    return wall_clock();
}

int64_t slu_clock_mono_ns(void)
{
    return mono_clock();
}

void slu_clock_replace(int64_t (*wall_ns)(void), int64_t (*mono_ns)(void))
{
    wall_clock = wall_ns != NULL ? wall_ns : real_wall_ns;
    mono_clock = mono_ns != NULL ? mono_ns : real_mono_ns;
}

struct date {
    int64_t year;
    int month, day; /* 1-based */
};

/* Days from a March 1st to the first of the `n`-th month after March: 31 30 31 30 31 five months a
 * turn, 153 days. */
static int64_t days_before_month(int64_t n)
{
    return (153 * n + 2) / 5;
}

static int64_t days_before_year(int64_t year)
{
    return year * 365 + year / 4 - year / 100 + year / 400;
}

/* Days since 1970-01-01; year ≥ 0. */
static int64_t days_of_date(struct date date)
{
    const int64_t year = date.month > 2 ? date.year : date.year - 1;
    const int64_t month = date.month > 2 ? date.month - 3 : date.month + 9;

    /* Year -1 (January and February of 0000) is moved into the cycle before. */
    return days_before_year(year + 400) - DAYS_PER_400_YEARS + days_before_month(month) + date.day -
           1 - DAYS_0000_03_TO_1970;
}

/* The date of a day on or after 0000-03-01, which every int64_t of nanoseconds is. */
static struct date date_of_days(int64_t days)
{
    days += DAYS_0000_03_TO_1970;

    /* The guess by the mean length of a year is at most one too high. */
    int64_t year = days * 400 / DAYS_PER_400_YEARS;
    while (days_before_year(year) > days)
        year--;
    while (days_before_year(year + 1) <= days)
        year++;
    days -= days_before_year(year);

    const int64_t month = (5 * days + 2) / 153;
    const int64_t day = days - days_before_month(month) + 1;
    return (struct date){
        .year = month < 10 ? year : year + 1,
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .day = (int)day,
    };
}

/* `digits` decimal digits of `number`, zero-padded. Returns where the next character goes. */
static char *put_digits(char *out, int64_t number, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        out[i] = (char)('0' + number % 10);
        number /= 10;
    }
    return out + digits;
}

size_t slu_clock_format(int64_t wall_ns, char out[SLU_CLOCK_TEXT_SIZE])
{
    int64_t seconds = wall_ns / SLU_NS_PER_S;
    int64_t ns = wall_ns % SLU_NS_PER_S;
    if (ns < 0) {
        ns += SLU_NS_PER_S;
        seconds--;
    }
    int64_t days = seconds / S_PER_DAY;
    int64_t second = seconds % S_PER_DAY;
    if (second < 0) {
        second += S_PER_DAY;
        days--;
    }

    /* 64 bits of nanoseconds end in the years 1677 and 2262: always four digits. */
    const struct date date = date_of_days(days);
    char *at = put_digits(out, date.year, 4);
    *at++ = '-';
    at = put_digits(at, date.month, 2);
    *at++ = '-';
    at = put_digits(at, date.day, 2);
    *at++ = 'T';
    at = put_digits(at, second / 3600, 2);
    *at++ = ':';
    at = put_digits(at, second / 60 % 60, 2);
    *at++ = ':';
    at = put_digits(at, second % 60, 2);
    *at++ = '.';
    at = put_digits(at, ns / 1000, 6);
    *at++ = 'Z';
    *at = '\0';
    return (size_t)(at - out);
}

/* A cursor over the text; each take_…() returns false at the first thing out of place. */
struct reader {
    const char *at, *end;
};

static bool take_char(struct reader *reader, char wanted)
{
    if (reader->at == reader->end || *reader->at != wanted)
        return false;
    reader->at++;
    return true;
}

static bool take_digits(struct reader *reader, int digits, int lowest, int highest, int *number)
{
    *number = 0;
    for (int i = 0; i < digits; i++) {
        if (reader->at == reader->end || *reader->at < '0' || *reader->at > '9')
            return false;
        *number = *number * 10 + (*reader->at++ - '0');
    }
    return *number >= lowest && *number <= highest;
}

static int days_in_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month == 2 && leap ? 29 : days[month - 1];
}

static bool take_date(struct reader *reader, struct date *date)
{
    int year = 0;
    if (!take_digits(reader, 4, 0, 9999, &year) || !take_char(reader, '-') ||
        !take_digits(reader, 2, 1, 12, &date->month) || !take_char(reader, '-'))
        return false;
    date->year = year;
    return take_digits(reader, 2, 1, days_in_month(year, date->month), &date->day);
}

/* ".digits" or nothing; what lies below a nanosecond is cut off. */
static bool take_fraction(struct reader *reader, int64_t *ns)
{
    *ns = 0;
    if (!take_char(reader, '.'))
        return true;

    int64_t unit = SLU_NS_PER_S;
    const char *first = reader->at;
    for (; reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9'; reader->at++) {
        unit /= 10;
        *ns += (*reader->at - '0') * unit;
    }
    return reader->at > first;
}

/* "Z" or "±HH:MM", in seconds east of UTC. */
static bool take_offset(struct reader *reader, int64_t *offset_s)
{
    *offset_s = 0;
    if (take_char(reader, 'Z') || take_char(reader, 'z'))
        return true;

    const bool west = take_char(reader, '-');
    int hours = 0;
    int minutes = 0;
    if ((!west && !take_char(reader, '+')) || !take_digits(reader, 2, 0, 23, &hours) ||
        !take_char(reader, ':') || !take_digits(reader, 2, 0, 59, &minutes))
        return false;
    *offset_s = hours * 3600 + minutes * 60;
    if (west)
        *offset_s = -*offset_s;
    return true;
}

/* Is the second that starts at `seconds` the last one of a UTC month? Only there a leap second may
 * follow (RFC 3339 §5.7 and appendix D). */
static bool ends_month(int64_t seconds)
{
    const int64_t next = seconds + 1;

    /* There were none before 1972. */
    if (next % S_PER_DAY != 0 || next <= 0)
        return false;
    return date_of_days(next / S_PER_DAY).day == 1;
}

static int join_ns(int64_t seconds, int64_t ns, int64_t *wall_ns)
{
    /* Towards zero first, so that the earliest moments do not overflow on the way. */
    if (seconds < 0) {
        seconds++;
        ns -= SLU_NS_PER_S;
    }
    int64_t whole_ns = 0;
    int64_t sum_ns = 0;
    if (__builtin_mul_overflow(seconds, SLU_NS_PER_S, &whole_ns) ||
        __builtin_add_overflow(whole_ns, ns, &sum_ns))
        return -1;
    *wall_ns = sum_ns;
    return 0;
}

int slu_clock_parse(const char *text, size_t len, int64_t *wall_ns)
{
    if (len == 0)
        return -1;

    struct reader reader = {text, text + len};
    struct date date = {0};
    int hour = 0;
    int minute = 0;
    int second = 0;
    int64_t ns = 0;
    int64_t offset_s = 0;
    if (!take_date(&reader, &date) || !(take_char(&reader, 'T') || take_char(&reader, 't')) ||
        !take_digits(&reader, 2, 0, 23, &hour) || !take_char(&reader, ':') ||
        !take_digits(&reader, 2, 0, 59, &minute) || !take_char(&reader, ':') ||
        !take_digits(&reader, 2, 0, 60, &second) || !take_fraction(&reader, &ns) ||
        !take_offset(&reader, &offset_s) || reader.at != reader.end)
        return -1;

    const bool leap = second == 60;
    if (leap) {
        second = 59;
        ns = SLU_NS_PER_S - 1;
    }
    const int64_t seconds =
        days_of_date(date) * S_PER_DAY + hour * 3600 + minute * 60 + second - offset_s;
    if (leap && !ends_month(seconds))
        return -1;
    return join_ns(seconds, ns, wall_ns);
}
