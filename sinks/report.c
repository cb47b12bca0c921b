/* report.c -- see report.h. */
#include "sinks/report.h"

#include <stdarg.h>
#include <stdio.h>

void slu_report_add(struct slu_sink_report *report, const char *what, bool is_good,
                    const char *format, ...)
{
    va_list args;

    if (report->n == SLU_REPORT_MAX)
        return;
    struct slu_report_point *point = &report->points[report->n++];
    snprintf(point->what, sizeof(point->what), "%s", what);
    point->is_good = is_good;
    va_start(args, format);
    vsnprintf(point->text, sizeof(point->text), format, args);
    va_end(args);
}

bool slu_report_is_good(const struct slu_sink_report *report)
{
    for (size_t i = 0; i < report->n; i++)
        if (!report->points[i].is_good)
            return false;
    return true;
}
