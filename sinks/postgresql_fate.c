/* postgresql_fate.c -- see postgresql_fate.h. */
#include "sinks/postgresql_fate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first row whose prefix fits decides. PostgreSQL Appendix A. */
static const struct {
    const char *prefix;
    enum slu_pg_fate fate;
} fates[] = {
    {"22P03", SLU_PG_CHANGED}, /* invalid_binary_representation: a column's type changed */
    {"22P04", SLU_PG_CHANGED}, /* bad_copy_file_format */
    {"22", SLU_PG_POISON},     /* data exception */
    {"23", SLU_PG_POISON},     /* constraint; "no partition" is taken out before */
    {"44", SLU_PG_POISON},     /* WITH CHECK OPTION */
    {"P0", SLU_PG_POISON},     /* a trigger raised it */
    {"38", SLU_PG_POISON},     /* external routine */
    {"39", SLU_PG_POISON},     {"27", SLU_PG_POISON}, /* triggered data change */
    {"21", SLU_PG_POISON},                            /* cardinality, in a trigger */
    {"54", SLU_PG_POISON},                            /* row or index entry too large */
    {"25006", SLU_PG_ACT},                            /* read-only: a standby */
    {"08", SLU_PG_AGAIN},                             /* connection */
    {"40", SLU_PG_AGAIN},                             /* serialization, deadlock */
    {"53", SLU_PG_AGAIN},                             /* disk full, memory, too many connections */
    {"55P03", SLU_PG_AGAIN},                          /* lock not available */
    {"55006", SLU_PG_AGAIN},                          /* object in use */
    {"57", SLU_PG_AGAIN},                             /* cancelled, shutting down, starting up */
    {"58", SLU_PG_AGAIN},                             /* system error */
    {"25P03", SLU_PG_AGAIN},                          /* idle in transaction timeout */
    {"XX", SLU_PG_AGAIN},                             /* internal */
    {"HV", SLU_PG_AGAIN},                             /* foreign table's server */
};

enum slu_pg_fate slu_pg_fate(const struct slu_pg_error *error)
{
    /* A check constraint has a name; a row that no partition takes breaks none. */
    if (strcmp(error->sqlstate, "23514") == 0 && error->constraint[0] == '\0')
        return SLU_PG_ACT;
    for (size_t i = 0; i < sizeof(fates) / sizeof(fates[0]); i++) {
        if (strncmp(error->sqlstate, fates[i].prefix, strlen(fates[i].prefix)) == 0)
            return fates[i].fate;
    }
    return SLU_PG_ACT;
}

/* Primary messages put a value behind a colon: `invalid input value for enum mood: "…"`. */
static void shorten(char *message)
{
    char *colon = strstr(message, ": \"");
    if (colon != NULL)
        *colon = '\0';
    for (char *at = message; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7F)
            *at = ' ';
    }
}

/* "COPY oven_reading, line 618, column value" on a line of its own; the words between the commas are
 * in the server's language. What is not understood is not there. */
static void read_line(struct slu_pg_error *error, const char *context, const char *table)
{
    const size_t n = strlen(table);

    for (const char *line = context; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, "COPY ", 5) != 0 || strncmp(line + 5, table, n) != 0 ||
            line[5 + n] != ',')
            continue;
        const char *at = line + 5 + n + strcspn(line + 5 + n, "0123456789\n");
        char *end;
        error->line = strtoull(at, &end, 10);
        error->is_line_exact = error->line > 0 && *end == ',';
        return;
    }
}

void slu_pg_fate_read(struct slu_pg_error *error, const char *primary, const char *context,
                      const char *table)
{
    /* Judged row by row, although rows are gathered: the line is that of the row (PostgreSQL 12 on). */
    static const char *const by_row[] = {"23502", "23514", "23505", "23P01"};
    /* A trigger's own words may hold anything of the row. */
    const bool is_raised =
        strncmp(error->sqlstate, "P0", 2) == 0 || strncmp(error->sqlstate, "38", 2) == 0;

    snprintf(error->message, sizeof(error->message), "%s",
             is_raised         ? "a trigger or function refused the row"
             : primary != NULL ? primary
                               : "no reason given");
    shorten(error->message);
    error->line = 0;
    error->is_line_exact = false;
    if (context != NULL && table != NULL)
        read_line(error, context, table);
    for (size_t i = 0; error->line > 0 && i < sizeof(by_row) / sizeof(by_row[0]); i++) {
        if (strcmp(error->sqlstate, by_row[i]) == 0)
            error->is_line_exact = true;
    }
}

const char *slu_pg_fate_tell(const struct slu_pg_error *error, char *out, size_t out_size)
{
    const struct {
        const char *what, *name;
    } parts[] = {{", table ", error->table},
                 {", column ", error->column},
                 {", constraint ", error->constraint}};
    const int start = snprintf(out, out_size, "%s (%s", error->message, error->sqlstate);
    size_t n = start < 0 ? 0 : (size_t)start;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && n < out_size; i++) {
        if (parts[i].name[0] == '\0')
            continue;
        const int more = snprintf(out + n, out_size - n, "%s%s", parts[i].what, parts[i].name);
        n += more < 0 ? 0 : (size_t)more;
    }
    if (n < out_size)
        snprintf(out + n, out_size - n, ")");
    return out;
}
