/* report.h -- what probing a far shore met, point by point, for `sluice check --connect`.
 *
 *   connection   ok    plant on 10.1.2.3, PostgreSQL 15.8, TLSv1.3
 *   table        bad   table public.oven does not fit: value is integer, not float8; site is missing
 *
 * Each point is one sentence without a newline that says what was met and, when it is bad, what to do. No
 * secrets. Beyond SLU_REPORT_MAX points the rest is left out.
 *
 * Threads: no state of its own.
 */
#ifndef SLU_SINKS_REPORT_H
#define SLU_SINKS_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#define SLU_REPORT_MAX 32

struct slu_report_point {
    char what[32]; /* one word: "connection", "table", "permission", "topic" */
    bool is_good;  /* false: the sink would be AWAY or PAUSED over it, or lose something */
    char text[480];
};

/* Zeroed by the caller. */
struct slu_sink_report {
    size_t n;
    struct slu_report_point points[SLU_REPORT_MAX];
};

__attribute__((format(printf, 4, 5))) void slu_report_add(struct slu_sink_report *report,
                                                          const char *what, bool is_good,
                                                          const char *format, ...);

/* Is every point good? */
bool slu_report_is_good(const struct slu_sink_report *report);

#endif
