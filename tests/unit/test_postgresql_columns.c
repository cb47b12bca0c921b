/* test_postgresql_columns.c -- a value into a field, a record into rows, an error into its fate. What the
 * server makes of the bytes is proved by tests/postgresql. */
#include "base/yaml.h"
#include "sinks/postgresql_fate.h"
#include "sinks/postgresql_field.h"
#include "sinks/postgresql_json.h"
#include "sinks/postgresql_queue.h"
#include "sinks/postgresql_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint8_t spool_id[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static const char *policy_name(const void *context, uint16_t number)
{
    (void)context;
    return number == 1 ? "ovens" : NULL;
}

static const struct slu_sink_env env = {
    .name = "s",
    .instance = "i",
    .spool_id = spool_id,
    .policy_name = policy_name,
    .schema_name = policy_name,
};

struct fixture {
    struct slu_arena arena;
    struct slu_problems problems;
    struct slu_pg_plan plan;
    struct slu_sink_policies policies;
    struct slu_pg_rows rows;
    struct slu_pg_queue queue;
};

static void begin(struct fixture *fixture, const char *yaml)
{
    struct slu_err err = {0};
    memset(fixture, 0, sizeof(*fixture));
    slu_arena_init(&fixture->arena, 1 << 20);
    slu_problems_init(&fixture->problems);
    const struct slu_node *section =
        slu_yaml_parse(slu_slice_of(yaml), "section", &fixture->arena, &fixture->problems);
    assert_non_null(section);
    assert_int_equal(slu_pg_plan_read(section, &fixture->arena, &fixture->plan, &fixture->problems),
                     0);
    assert_int_equal(slu_sink_policies_read(section, &fixture->arena, &fixture->policies, &err), 0);
    assert_int_equal(
        slu_pg_rows_init(&fixture->rows, &fixture->plan, &fixture->policies, &env, &err), 0);
    slu_pg_queue_init(&fixture->queue);
}

static void end(struct fixture *fixture)
{
    slu_pg_queue_fini(&fixture->queue);
    slu_pg_rows_fini(&fixture->rows);
    slu_problems_fini(&fixture->problems);
    slu_arena_fini(&fixture->arena);
}

static struct slu_record record(uint64_t seq, const char *topic, const char *payload)
{
    return (struct slu_record){.seq = seq,
                               .policy = 1,
                               .kind = SLU_RECORD_MESSAGE,
                               .format = SLU_RECORD_JSON,
                               .quality = 192,
                               .topic = slu_slice_of(topic),
                               .payload = slu_slice_of(payload)};
}

static void a_row_is_its_fields_with_their_lengths(void **state)
{
    (void)state;
    static const unsigned char expected[] = {0, 3, 0, 0, 0, 2, 'h', 'i', 255, 255, 255, 255,
                                             0, 0, 0, 8, 0, 0, 0,   0,   0,   0,   1,   44};
    struct fixture fixture;
    struct slu_sink_reject reject;
    struct slu_buf out;
    uint32_t n = 0;

    begin(&fixture, "{layout: columns, table: t, id_column: false, columns: {a: {from: /a, type: "
                    "text}, b: {from: /b, type: text}, c: {from: /c, type: bigint}}}");
    slu_buf_init(&out, 1 << 20);
    const struct slu_record r = record(1, "t", "{\"a\":\"hi\",\"c\":300}");
    assert_int_equal(slu_pg_rows_add(&fixture.rows, &r, &out, &n, &reject), SLU_PG_MADE);
    assert_int_equal(n, 1);
    assert_int_equal(out.len, sizeof(expected));
    assert_memory_equal(out.data, expected, sizeof(expected));
    slu_buf_fini(&out);
    end(&fixture);
}

static void what_does_not_convert_is_told_without_its_value(void **state)
{
    (void)state;
    static const struct {
        const char *payload, *code, *message;
    } cases[] = {
        {"{\"n\":1}", NULL, NULL},
        {"{\"n\":\"s3cret\"}", "column.type", "column n (smallint): the value is not a number"},
        {"{\"n\":1.5}", "column.type", "column n (smallint): the value is not a whole number"},
        {"{\"n\":32768}", "column.type", "column n (smallint): the value is out of range"},
        {"{\"n\":{}}", "column.type", "column n (smallint): the value is not a number"},
        {"{\"t\":\"a\\u0000b\"}", "column.type", "column t (text): the value holds U+0000"},
        {"{\"d\":\"today\"}", "column.type",
         "column d (timestamptz): the value is not an RFC 3339 time"},
        {"{\"d\":1e300}", "column.type", "column d (timestamptz): the value is out of range"},
        {"{\"d\":\"0000-01-01T00:00:00Z\"}", "column.type",
         "column d (timestamptz): the value is not an RFC 3339 time"},
    };
    struct fixture fixture;
    begin(&fixture,
          "{layout: columns, table: t, columns: {n: {from: /n, type: smallint}, t: {from: "
          "/t, type: text}, d: {from: /d, type: timestamptz}}}");
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slu_sink_reject reject = {0};
        struct slu_buf out;
        uint32_t n;
        slu_buf_init(&out, 1 << 20);
        const struct slu_record r = record(7, "t", cases[i].payload);
        const enum slu_pg_made made = slu_pg_rows_add(&fixture.rows, &r, &out, &n, &reject);
        assert_int_equal(made, cases[i].code == NULL ? SLU_PG_MADE : SLU_PG_REJECTED);
        if (cases[i].code != NULL) {
            assert_string_equal(reject.code, cases[i].code);
            assert_string_equal(reject.message, cases[i].message);
            assert_int_equal(reject.seq, 7);
            assert_int_equal(out.len, 0);
        }
        slu_buf_fini(&out);
    }
    end(&fixture);
}

static void levels_are_those_of_the_first_filter_that_matches(void **state)
{
    (void)state;
    static const struct {
        const char *topic;
        bool has;
        const char *value;
    } cases[] = {{"plant/a/x", true, "a"}, {"line/b", true, "b"},  {"line/b/c", false, NULL},
                 {"other", false, NULL},   {"plant//x", true, ""}, {"rest", true, ""}};
    struct fixture fixture;
    begin(&fixture, "{policies: [{id: ovens, topics: ['plant/{site}/x', 'line/{site}', 'line/#', "
                    "'rest/{site#}']}]}");
    const struct slu_sink_policy *policy = slu_sink_policies_find(&fixture.policies, "ovens");
    assert_null(slu_sink_policies_find(&fixture.policies, "gone"));
    assert_null(slu_sink_policies_find(&fixture.policies, NULL));
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slu_slice value = {0};
        const bool has =
            slu_sink_policy_level(policy, slu_slice_of(cases[i].topic), SLU_SLICE("site"), &value);
        if (has != cases[i].has || (has && !slu_slice_equal(value, slu_slice_of(cases[i].value))))
            fail_msg("%s", cases[i].topic);
    }
    struct slu_slice value;
    assert_false(slu_sink_policy_level(NULL, SLU_SLICE("plant/a/x"), SLU_SLICE("site"), &value));
    end(&fixture);
}

static void jsonb_is_narrower_than_json(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        bool holds;
    } cases[] = {
        {"{}", true},
        {"{\"a\":\"\\u0000\"}", false},
        {"{\"\\u0000\":1}", false},
        {"{\"a\":\"\\\\u0000\"}", true},
        {"{\"a\":\"\\\\\\u0000\"}", false},
        {"[1e131071]", true},
        {"[1e131072]", false},
        {"[1E131072]", false},
        {"[1e-16383]", true},
        {"[1e-16384]", false},
        {"[\"1e999999\"]", true},
        {"{\"e1234567\":0}", true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        if ((slu_pg_json_refused(slu_slice_of(cases[i].json)) == NULL) != cases[i].holds)
            fail_msg("%s", cases[i].json);
    }
}

static void the_queue_keeps_rows_in_order_while_some_leave(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture, "{layout: columns, table: t, id_column: false, columns: {n: {from: /n, type: "
                    "smallint}}}");
    for (uint64_t seq = 1; seq <= 5000; seq++) {
        const struct slu_record r =
            record(seq, "t", seq % 100 == 0 ? "{\"n\":\"x\"}" : "{\"n\":1}");
        if (slu_pg_queue_has_room(&fixture.queue))
            assert_true(slu_pg_queue_add(&fixture.queue, &fixture.rows, &r));
    }
    assert_int_equal(fixture.queue.n_rejects, 50);
    assert_non_null(slu_pg_queue_at(&fixture.queue, 99)->reject);
    assert_int_equal(slu_pg_queue_rows(&fixture.queue, 99).len, 99 * 8);
    slu_pg_queue_drop(&fixture.queue, 100);
    assert_int_equal(slu_pg_queue_at(&fixture.queue, 0)->seq, 101);
    assert_int_equal(slu_pg_queue_rows(&fixture.queue, 99).len, 99 * 8);
    const struct slu_record more = record(5001, "t", "{\"n\":1}");
    for (size_t i = 0; i < 10000; i++)
        assert_true(slu_pg_queue_add(&fixture.queue, &fixture.rows, &more));
    assert_int_equal(fixture.queue.n, 14900);
    slu_pg_queue_drop(&fixture.queue, 14900);
    assert_int_equal(fixture.queue.data.len, 0);
    assert_int_equal(fixture.queue.n_rejects, 0);
    end(&fixture);
}

static void each_sqlstate_has_its_fate(void **state)
{
    (void)state;
    static const struct {
        const char *sqlstate, *constraint;
        enum slu_pg_fate fate;
    } cases[] = {
        {"23514", "c", SLU_PG_POISON}, {"23514", "", SLU_PG_ACT},     {"23505", "u", SLU_PG_POISON},
        {"23503", "f", SLU_PG_POISON}, {"23502", "", SLU_PG_POISON},  {"22003", "", SLU_PG_POISON},
        {"22P02", "", SLU_PG_POISON},  {"22P03", "", SLU_PG_CHANGED}, {"22P04", "", SLU_PG_CHANGED},
        {"P0001", "", SLU_PG_POISON},  {"40001", "", SLU_PG_AGAIN},   {"40P01", "", SLU_PG_AGAIN},
        {"55P03", "", SLU_PG_AGAIN},   {"57014", "", SLU_PG_AGAIN},   {"57P01", "", SLU_PG_AGAIN},
        {"57P03", "", SLU_PG_AGAIN},   {"08006", "", SLU_PG_AGAIN},   {"53100", "", SLU_PG_AGAIN},
        {"53300", "", SLU_PG_AGAIN},   {"25006", "", SLU_PG_ACT},     {"28P01", "", SLU_PG_ACT},
        {"28000", "", SLU_PG_ACT},     {"42P01", "", SLU_PG_ACT},     {"42501", "", SLU_PG_ACT},
        {"3D000", "", SLU_PG_ACT},     {"3F000", "", SLU_PG_ACT},     {"0A000", "", SLU_PG_ACT},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slu_pg_error error = {0};
        memcpy(error.sqlstate, cases[i].sqlstate, 5);
        memcpy(error.constraint, cases[i].constraint, strlen(cases[i].constraint));
        if (slu_pg_fate(&error) != cases[i].fate)
            fail_msg("%s", cases[i].sqlstate);
    }
}

static void lines_are_read_and_data_is_not_told(void **state)
{
    (void)state;
    static const struct {
        const char *sqlstate, *primary, *context;
        uint64_t line;
        bool is_exact;
        const char *told;
    } cases[] = {
        {"22003", "numeric field overflow", "COPY oven, line 618, column value", 618, true,
         "numeric field overflow (22003)"},
        {"54000", "index row size exceeds maximum", "COPY oven, line 618", 618, false,
         "index row size exceeds maximum (54000)"},
        {"23505", "duplicate key value violates unique constraint \"u\"", "COPY oven, line 5", 5,
         true, "duplicate key value violates unique constraint \"u\" (23505)"},
        {"22P02", "invalid input value for enum mood: \"s3cret\"",
         "COPY oven, Zeile 9, Spalte mood", 9, true, "invalid input value for enum mood (22P02)"},
        {"22P02", "invalid input syntax for type json",
         "JSON data, line 1: s3cret\nCOPY oven, line 4, column j", 4, true,
         "invalid input syntax for type json (22P02)"},
        {"P0001", "s3cret", "PL/pgSQL function f() line 3 at RAISE\nCOPY oven, line 7", 7, false,
         "a trigger or function refused the row (P0001)"},
        {"23503", "insert violates foreign key", "SQL statement \"SELECT 1 FROM x, line 3\"", 0,
         false, "insert violates foreign key (23503)"},
        {"23503", "insert violates foreign key", "COPY other, line 3", 0, false,
         "insert violates foreign key (23503)"},
        {"23503", "two\nlines", NULL, 0, false, "two lines (23503)"},
        {"XX000", NULL, "COPY oven, line ", 0, false, "no reason given (XX000)"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slu_pg_error error = {0};
        char told[300];
        memcpy(error.sqlstate, cases[i].sqlstate, 5);
        slu_pg_fate_read(&error, cases[i].primary, cases[i].context, "oven");
        if (error.line != cases[i].line || error.is_line_exact != cases[i].is_exact)
            fail_msg("%s: line %llu", cases[i].context, (unsigned long long)error.line);
        assert_string_equal(slu_pg_fate_tell(&error, told, sizeof(told)), cases[i].told);
        char few[20]; /* cut, not overrun */
        assert_true(strlen(slu_pg_fate_tell(&error, few, sizeof(few))) < sizeof(few));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_its_fields_with_their_lengths),
        cmocka_unit_test(what_does_not_convert_is_told_without_its_value),
        cmocka_unit_test(levels_are_those_of_the_first_filter_that_matches),
        cmocka_unit_test(jsonb_is_narrower_than_json),
        cmocka_unit_test(the_queue_keeps_rows_in_order_while_some_leave),
        cmocka_unit_test(each_sqlstate_has_its_fate),
        cmocka_unit_test(lines_are_read_and_data_is_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
