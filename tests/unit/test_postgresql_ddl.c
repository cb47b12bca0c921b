/* test_postgresql_ddl.c -- the SQL of a section, and what is wrong with sections and tables. */
#include "base/yaml.h"
#include "sinks/postgresql.h"
#include "sinks/postgresql_catalog.h"
#include "sinks/postgresql_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct fixture {
    struct slu_arena arena;
    struct slu_problems problems;
    const struct slu_node *section;
};

static void begin(struct fixture *fixture, const char *yaml)
{
    slu_arena_init(&fixture->arena, 1 << 20);
    slu_problems_init(&fixture->problems);
    fixture->section =
        slu_yaml_parse(slu_slice_of(yaml), "section", &fixture->arena, &fixture->problems);
    assert_non_null(fixture->section);
}

static void end(struct fixture *fixture)
{
    slu_problems_fini(&fixture->problems);
    slu_arena_fini(&fixture->arena);
}

#define PROGRESS                                         \
    "CREATE SCHEMA IF NOT EXISTS sluice;\n"              \
    "CREATE TABLE IF NOT EXISTS sluice.progress (\n"     \
    "  spool_id uuid,\n"                                 \
    "  sink text,\n"                                     \
    "  seq bigint NOT NULL,\n"                           \
    "  owner uuid NOT NULL,\n"                           \
    "  updated_at timestamptz NOT NULL DEFAULT now(),\n" \
    "  PRIMARY KEY (spool_id, sink)\n"                   \
    ");\n"

static const struct {
    const char *yaml, *sql;
} sections[] = {
    {"{layout: narrow}", PROGRESS "CREATE TABLE IF NOT EXISTS \"sluice\".\"samples\" (\n"
                                  "  \"ts\" timestamptz NOT NULL,\n"
                                  "  \"tag\" text NOT NULL,\n"
                                  "  \"value\" double precision,\n"
                                  "  \"text\" text,\n"
                                  "  \"quality\" smallint NOT NULL,\n"
                                  "  \"id\" uuid NOT NULL\n"
                                  ");\n"
                                  "CREATE INDEX IF NOT EXISTS \"samples_ts_brin\" ON "
                                  "\"sluice\".\"samples\" USING brin (\"ts\");\n"},
    {"{layout: columns, table: '\"a.b\".\"say \"\"x\"\"\"', id_column: false, columns: {'; DROP "
     "TABLE x; --': {from: /a, type: float8}}}",
     PROGRESS "CREATE TABLE IF NOT EXISTS \"a.b\".\"say \"\"x\"\"\" (\n"
              "  \"; DROP TABLE x; --\" double precision\n"
              ");\n"},
    {"{layout: columns, table: oven, columns: {ts: {from: /ts, type: timestamptz}, 'q\"': {from: "
     "'{oven}', type: numeric}}}",
     PROGRESS "CREATE TABLE IF NOT EXISTS \"oven\" (\n"
              "  \"sluice_id\" uuid NOT NULL,\n"
              "  \"ts\" timestamptz,\n"
              "  \"q\"\"\" numeric\n"
              ");\n"
              "CREATE INDEX IF NOT EXISTS \"oven_ts_brin\" ON \"oven\" USING brin (\"ts\");\n"},
};

static void each_layout_has_its_sql(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(sections); i++) {
        struct fixture fixture;
        struct slu_err err = {0};
        struct slu_buf out;
        begin(&fixture, sections[i].yaml);
        slu_buf_init(&out, 1 << 20);
        if (slu_sink_postgresql.ddl(fixture.section, &out, &err) != 0)
            fail_msg("%s: %s", sections[i].yaml, err.text);
        assert_string_equal(slu_buf_text(&out), sections[i].sql);
        slu_buf_fini(&out);
        end(&fixture);
    }
}

static void messages_has_the_columns_of_the_contract(void **state)
{
    (void)state;
    struct fixture fixture;
    struct slu_pg_plan plan;
    struct slu_buf names;

    begin(&fixture, "{type: postgresql}");
    assert_int_equal(slu_pg_plan_read(fixture.section, &fixture.arena, &plan, &fixture.problems),
                     0);
    slu_buf_init(&names, 1024);
    slu_pg_plan_column_list(&plan, &names);
    assert_string_equal(slu_buf_text(&names),
                        "\"id\", \"received_at\", \"event_at\", \"instance\", \"kind\", \"topic\", "
                        "\"client_id\", \"username\", \"qos\", \"retain\", \"policy\", \"schema\", "
                        "\"quality\", \"user_properties\", \"payload\", \"payload_raw\"");
    assert_string_equal(plan.quoted, "\"sluice\".\"messages\"");
    assert_int_equal(plan.timeout_ns, INT64_C(10000000000));
    slu_buf_fini(&names);
    end(&fixture);
}

static void index_names_are_cut_to_what_the_server_takes(void **state)
{
    (void)state;
    struct fixture fixture;
    struct slu_err err = {0};
    struct slu_buf out;
    begin(&fixture,
          "{layout: columns, table: "
          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, columns: {ts: "
          "{from: /ts, type: timestamptz}}}");
    slu_buf_init(&out, 1 << 20);
    assert_int_equal(slu_sink_postgresql.ddl(fixture.section, &out, &err), 0);
    assert_non_null(strstr(slu_buf_text(&out),
                           "EXISTS \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                           "aaaaaaaaaaaaaa_brin\" ON"));
    slu_buf_fini(&out);
    end(&fixture);
}

static const struct {
    const char *yaml, *problem;
} wrong[] = {
    {"{layout: columns, columns: {a: {from: /a, type: text}}}", "layout columns needs a table"},
    {"{layout: columns, table: t}", "layout columns needs columns"},
    {"{layout: columns, table: t, columns: {a: {from: a, type: text}}}", "from must be"},
    {"{layout: columns, table: t, columns: {a: {from: '{a b}', type: text}}}", "from must be"},
    {"{layout: columns, table: t, columns: {a: {from: '${code}', type: text}}}", "from must be"},
    {"{layout: columns, table: t, columns: {a: {from: /a~2, type: text}}}", "from: "},
    {"{layout: columns, table: t, columns: {a: {from: /a, type: money}}}", "type must be one of"},
    {"{layout: columns, table: t, columns: {a: {from: /a, type: text, unit: h}}}", "unit must be"},
    {"{layout: columns, table: '\"t', columns: {a: {from: /a, type: text}}}", "table: write"},
    {"{layout: columns, table: 't\\0', columns: {a: {from: /a, type: text}}}", NULL},
    {"{table: ''}", "table: write"},
    {"{table: a..b}", "table: write"},
    {"{columns: {a: {from: /a, type: text}}}", "columns belongs to layout columns"},
    {"{layout: narrow, values: [a]}", "values: "},
    {"{timeout: 1h}", "timeout must be"},
};

static void wrong_sections_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct fixture fixture;
        struct slu_pg_plan plan;
        begin(&fixture, wrong[i].yaml);
        const int result =
            slu_pg_plan_read(fixture.section, &fixture.arena, &plan, &fixture.problems);
        if (wrong[i].problem == NULL) {
            assert_int_equal(result, 0); /* single quotes: a backslash and a zero, a fine name */
        } else if (result != -1 || fixture.problems.n == 0 ||
                   strstr(fixture.problems.items[0].err.text, wrong[i].problem) == NULL) {
            fail_msg("%s: %s", wrong[i].yaml,
                     fixture.problems.n > 0 ? fixture.problems.items[0].err.text : "nothing");
        }
        end(&fixture);
    }
}

static void tables_that_do_not_fit_are_told_column_by_column(void **state)
{
    (void)state;
    static const struct slu_pg_attribute attributes[] = {
        {.name = "sluice_id", .type = "uuid", .type_oid = 2950},
        {.name = "a", .type = "character varying(5)", .type_oid = 1043},
        {.name = "b", .type = "real", .type_oid = 700},
        {.name = "mood", .type = "mood", .type_oid = 99999, .is_enum = true},
        {.name = "g", .type = "integer", .type_oid = 23, .is_generated = true},
        {.name = "line", .type = "integer", .type_oid = 23, .is_required = true},
        {.name = "free", .type = "integer", .type_oid = 23},
    };
    struct slu_pg_comparison comparison = {0};
    struct fixture fixture;
    struct slu_pg_plan plan;
    struct slu_buf faults;

    begin(&fixture,
          "{layout: columns, table: t, columns: {a: {from: /a, type: text}, b: {from: /b, "
          "type: float8}, mood: {from: /m, type: text}, g: {from: /g, type: integer}, "
          "gone: {from: /x, type: jsonb}}}");
    assert_int_equal(slu_pg_plan_read(fixture.section, &fixture.arena, &plan, &fixture.problems),
                     0);
    slu_buf_init(&faults, 4096);
    assert_true(slu_pg_catalog_begin(&comparison, &plan));
    for (size_t i = 0; i < COUNT(attributes); i++)
        slu_pg_catalog_see(&comparison, &plan, &attributes[i], &faults);
    assert_false(slu_pg_catalog_end(&comparison, &plan, &faults));
    assert_string_equal(slu_buf_text(&faults),
                        "b is real, not float8; g is generated; line must be given: it is NOT NULL "
                        "and has no default; gone (jsonb) is missing");
    slu_buf_fini(&faults);
    end(&fixture);
}

static void literals_mean_the_same_under_every_setting(void **state)
{
    (void)state;
    struct slu_buf out;
    slu_buf_init(&out, 1024);
    slu_pg_quote_literal(&out, "it's");
    slu_pg_quote_literal(&out, "a\\'b");
    assert_string_equal(slu_buf_text(&out), "'it''s' E'a\\\\''b'");
    slu_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_layout_has_its_sql),
        cmocka_unit_test(messages_has_the_columns_of_the_contract),
        cmocka_unit_test(index_names_are_cut_to_what_the_server_takes),
        cmocka_unit_test(wrong_sections_are_told),
        cmocka_unit_test(tables_that_do_not_fit_are_told_column_by_column),
        cmocka_unit_test(literals_mean_the_same_under_every_setting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
