/* report.c -- see report.h. */
#include "examples/factory/report.h"
#include "examples/factory/latency.h"

#include <inttypes.h>
#include <stdio.h>

uint64_t factory_report_under_way(const struct factory_report *report)
{
    const struct factory_tally *all = &report->all;

    return all->sent - all->acknowledged - all->denied - report->lost;
}

static void print_tally(const char *name, const struct factory_tally *tally)
{
    printf("  %-30s %8" PRIu64 " %14" PRIu64 " %8" PRIu64 "\n", name, tally->sent,
           tally->acknowledged, tally->denied);
}

static void print_kinds(const struct factory_report *report)
{
    printf("  %-30s %8s %14s %8s\n", "what the factory said", "sent", "acknowledged", "denied");
    for (int kind = 0; kind < FACTORY_KINDS; kind++) {
        const struct factory_tally *tally = &report->kinds[kind];
        if (tally->sent == 0)
            continue;
        if (report->qos != 0)
            print_tally(factory_kind_names[kind], tally);
        else
            printf("  %-30s %8" PRIu64 " %14s %8s\n", factory_kind_names[kind], tally->sent, "-",
                   "-");
    }
    print_tally("all", &report->all);
}

void factory_report_print(const struct factory_report *report, double seconds)
{
    static const struct {
        const char *name;
        double share;
    } marks[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1.0}};

    print_kinds(report);
    if (report->lost != 0 || report->reconnects != 0)
        printf("  %" PRIu64 " reconnects, %" PRIu64 " messages of QoS 0 lost with a connection\n",
               report->reconnects, report->lost);
    printf("factory sent=%" PRIu64 " acknowledged=%" PRIu64 " denied=%" PRIu64 " lost=%" PRIu64
           " unsettled=%" PRIu64 " reconnects=%" PRIu64 " seconds=%.3f rate=%.1f",
           report->all.sent, report->all.acknowledged, report->all.denied, report->lost,
           factory_report_under_way(report), report->reconnects, seconds,
           seconds > 0 ? (double)report->all.sent / seconds : 0);
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]) && report->qos != 0; i++)
        printf(" %s_us=%" PRIu64, marks[i].name,
               factory_latency_at(report->latency, marks[i].share));
    printf("\n");
}
