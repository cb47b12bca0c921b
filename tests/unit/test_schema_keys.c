/* What a judgement says in passing about the keys of a payload's root (slu_schema_keys_differ): never
 * that they differ when one is there twice; and that they do when they come in the schema's order. */
#include "base/buf.h"
#include "base/random.h"
#include "validation/json_schema/schema.h"
#include "validation/payload/payload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MOST_KEYS 12

static struct slu_payload_reader *reader;
static struct slu_schema_scratch *scratch;
static struct slu_random dice;

static int set_up(void **state)
{
    (void)state;
    reader = slu_payload_reader_new(1 << 16);
    scratch = slu_schema_scratch_new();
    slu_random_seed(&dice, 11);
    return reader != NULL && scratch != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    slu_schema_scratch_free(scratch);
    slu_payload_reader_free(reader);
    return 0;
}

/* Properties p0 … of which the first are required; and a nested one, which is judged another way. */
static struct slu_schema *declare(unsigned n, unsigned n_required)
{
    struct slu_buf text;
    struct slu_problems problems;
    const struct slu_schema_options options = {.name = "keys", .source = "keys"};
    slu_buf_init(&text, 1 << 20);
    slu_problems_init(&problems);
    slu_buf_add_text(&text, "{\"properties\":{");
    for (unsigned i = 0; i < n; i++)
        slu_buf_printf(&text, "%s\"p%u\":true", i != 0 ? "," : "", i);
    slu_buf_add_text(&text, "},\"required\":[");
    for (unsigned i = 0; i < n_required; i++)
        slu_buf_printf(&text, "%s\"p%u\"", i != 0 ? "," : "", i);
    slu_buf_add_text(&text, "]}");
    struct slu_schema *schema = slu_schema_compile(slu_buf_slice(&text), &options, &problems);
    assert_non_null(schema);
    slu_problems_fini(&problems);
    slu_buf_fini(&text);
    return schema;
}

/* Are the keys said to differ? */
static bool asked(const struct slu_schema *schema, const unsigned *keys, size_t n, bool nested)
{
    struct slu_buf text;
    struct slu_payload payload;
    slu_buf_init(&text, 1 << 16);
    slu_buf_add_char(&text, '{');
    for (size_t i = 0; i < n; i++)
        slu_buf_printf(&text, "%s\"p%u\":%s", i != 0 ? "," : "", keys[i], nested ? "[1]" : "1");
    slu_buf_add_char(&text, '}');
    assert_true(slu_payload_read_quickly(reader, SLU_FORMAT_JSON, slu_buf_slice(&text), &payload));
    slu_schema_judge(schema, scratch, &payload, NULL);
    const bool differ = slu_schema_keys_differ(scratch);
    slu_buf_fini(&text);
    return differ;
}

static bool is_twice(const unsigned *keys, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            if (keys[i] == keys[j])
                return true;
    return false;
}

static const struct {
    unsigned n, n_required;
} schemas[] = {{3, 0}, {12, 2}, {64, 0}, {65, 1}, {200, 0}, {200, 70}};

static void a_key_that_is_there_twice_is_never_overlooked(void **state)
{
    (void)state;
    unsigned said = 0;
    for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++) {
        struct slu_schema *schema = declare(schemas[i].n, schemas[i].n_required);
        for (int round = 0; round < 4000; round++) {
            unsigned keys[MOST_KEYS];
            const size_t n = slu_random_below(&dice, MOST_KEYS + 1);
            const unsigned among = round % 2 != 0 ? 14 : schemas[i].n + 2; /* some undeclared */
            for (size_t at = 0; at < n; at++)
                keys[at] = (unsigned)slu_random_below(&dice, among);
            const bool differ = asked(schema, keys, n, round % 3 == 0);
            assert_false(differ && is_twice(keys, n));
            said += differ;
        }
        slu_schema_free(schema);
    }
    assert_true(said > 100);
}

static void keys_in_the_order_of_the_schema_differ(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++) {
        if (schemas[i].n_required > MOST_KEYS)
            continue;
        struct slu_schema *schema = declare(schemas[i].n, schemas[i].n_required);
        unsigned keys[MOST_KEYS];
        size_t n = 0;
        for (unsigned key = 0; n < MOST_KEYS && key < schemas[i].n; key++)
            if (key < schemas[i].n_required || key % 2 == 0)
                keys[n++] = key;
        assert_true(asked(schema, keys, n, false));
        assert_true(asked(schema, keys, n, true));
        slu_schema_free(schema);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_that_is_there_twice_is_never_overlooked),
        cmocka_unit_test(keys_in_the_order_of_the_schema_differ),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
