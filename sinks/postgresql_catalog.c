/* postgresql_catalog.c -- see postgresql_catalog.h. */
#include "sinks/postgresql_catalog.h"

#include <stdlib.h>
#include <string.h>

/* Types whose receive function reads what the field writers make (pg_type.dat; these oids are fixed). */
static const struct {
    enum slu_pg_type type;
    uint32_t oid;
} takers[] = {
    {SLU_PG_TEXT, 25},
    {SLU_PG_TEXT, 1043} /* varchar */,
    {SLU_PG_TEXT, 1042} /* char(n) */,
    {SLU_PG_BOOLEAN, 16},
    {SLU_PG_SMALLINT, 21},
    {SLU_PG_INTEGER, 23},
    {SLU_PG_BIGINT, 20},
    {SLU_PG_REAL, 700},
    {SLU_PG_FLOAT8, 701},
    {SLU_PG_NUMERIC, 1700},
    {SLU_PG_TIMESTAMPTZ, 1184},
    {SLU_PG_JSONB, 3802},
    {SLU_PG_BYTEA, 17},
    {SLU_PG_UUID, 2950},
};

static bool takes(const struct slu_pg_attribute *attribute, enum slu_pg_type type)
{
    if (attribute->is_enum)
        return type == SLU_PG_TEXT;
    for (size_t i = 0; i < sizeof(takers) / sizeof(takers[0]); i++) {
        if (takers[i].type == type && takers[i].oid == attribute->type_oid)
            return true;
    }
    return false;
}

static void next_fault(struct slu_pg_comparison *comparison, struct slu_buf *faults)
{
    if (comparison->n_faults++ > 0)
        slu_buf_add_text(faults, "; ");
}

bool slu_pg_catalog_begin(struct slu_pg_comparison *comparison, const struct slu_pg_plan *plan)
{
    comparison->seen = calloc(plan->n_columns + 1, sizeof(comparison->seen[0]));
    return comparison->seen != NULL;
}

void slu_pg_catalog_see(struct slu_pg_comparison *comparison, const struct slu_pg_plan *plan,
                        const struct slu_pg_attribute *attribute, struct slu_buf *faults)
{
    size_t i = 0;
    while (i < plan->n_columns && strcmp(plan->columns[i].name, attribute->name) != 0)
        i++;
    if (i == plan->n_columns) {
        if (!attribute->is_required)
            return;
        next_fault(comparison, faults);
        slu_buf_printf(faults, "%s must be given: it is NOT NULL and has no default",
                       attribute->name);
        return;
    }
    comparison->seen[i] = true;
    if (attribute->is_generated) {
        next_fault(comparison, faults);
        slu_buf_printf(faults, "%s is generated", attribute->name);
    } else if (!takes(attribute, plan->columns[i].type)) {
        next_fault(comparison, faults);
        slu_buf_printf(faults, "%s is %s, not %s", attribute->name, attribute->type,
                       slu_pg_type_names[plan->columns[i].type]);
    }
}

bool slu_pg_catalog_end(struct slu_pg_comparison *comparison, const struct slu_pg_plan *plan,
                        struct slu_buf *faults)
{
    for (size_t i = 0; i < plan->n_columns; i++) {
        if (comparison->seen[i])
            continue;
        next_fault(comparison, faults);
        slu_buf_printf(faults, "%s (%s) is missing", plan->columns[i].name,
                       slu_pg_type_names[plan->columns[i].type]);
    }
    free(comparison->seen);
    comparison->seen = NULL;
    return comparison->n_faults == 0;
}
