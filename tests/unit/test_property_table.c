/* The table of property names: every name is found, nothing else is, whatever they look like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/random.h"
#include "validation/json_schema/property_table.h"

#include <stdio.h>
#include <stdlib.h>

static struct slu_arena arena;
static struct slu_property_table table;
static struct slu_property_order order;

static void build(const char *const *names, uint32_t n)
{
    slu_arena_init(&arena, 64u << 20);
    struct slu_property *entries = slu_arena_array(&arena, n + 1, sizeof(*entries));
    assert_non_null(entries);
    for (uint32_t i = 0; i < n; i++)
        entries[i] = (struct slu_property){.name = names[i], .len = strlen(names[i])};
    assert_true(slu_property_table_build(&table, &arena, entries, n));
}

static const struct slu_property *find(const char *name)
{
    return slu_property_table_find(&table, name, strlen(name));
}

static void every_name_is_found_and_no_other(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",
        "a",
        "b",
        "ab",
        "ba",
        "abc",
        "abcd",
        "temp_in",
        "temp_out",
        "pressure",
        "pressurf",
        "\xC3\xA9",
        "x y",
        "01234567",
        "0123456789abcdef",
        "0123456789abcdefg",
        "0123456789abcdefgh",
        "sensor_000000000000_temperature",
        "sensor_000000000001_temperature",
        "sensor_000000000002_temperature",
    };
    static const char *const others[] = {
        "c",
        "aa",
        "abd",
        "abce",
        "temp_im",
        "pressurg",
        "0123456",
        "012345678",
        "0123456789abcdee",
        "0123456789abcdeg",
        "sensor_000000000003_temperature",
        "sensor_00000000000_temperature",
        "\xC3\xA8",
    };
    const uint32_t n = sizeof(names) / sizeof(names[0]);
    build(names, n);
    for (uint32_t i = 0; i < n; i++)
        assert_ptr_equal(find(names[i]), &table.entries[i]);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_null(find(others[i]));
    slu_arena_fini(&arena);
}

static void a_table_without_names_finds_nothing(void **state)
{
    (void)state;
    build(NULL, 0);
    assert_null(find(""));
    assert_null(find("a"));
    assert_false(slu_property_is(&table.entries[0], "", 0));
    slu_arena_fini(&arena);
}

static void five_thousand_names_are_found(void **state)
{
    (void)state;
    enum { N = 5000 };
    static char texts[N][32];
    static const char *names[N];
    for (int i = 0; i < N; i++) {
        snprintf(texts[i], sizeof(texts[i]), i % 2 ? "tag_%d" : "plant/line/%05d/value", i);
        names[i] = texts[i];
    }
    build(names, N);
    for (uint32_t i = 0; i < N; i++)
        assert_ptr_equal(find(names[i]), &table.entries[i]);
    for (int i = 0; i < N; i++) {
        char other[40];
        snprintf(other, sizeof(other), "tag_%d_", i);
        assert_null(find(other));
    }
    slu_arena_fini(&arena);
}

static void random_bytes_are_names_like_others(void **state)
{
    (void)state;
    enum { N = 300 };
    static char texts[N][8];
    struct slu_random random;
    slu_random_seed(&random, 7);
    for (int round = 0; round < 50; round++) {
        slu_arena_init(&arena, 64u << 20);
        struct slu_property *entries = slu_arena_array(&arena, N + 1, sizeof(*entries));
        for (uint32_t i = 0; i < N; i++) {
            /* Two bytes of number keep them different. */
            const uint64_t bytes = slu_random_next(&random);
            memcpy(texts[i], &bytes, sizeof(bytes));
            texts[i][0] = (char)i;
            texts[i][1] = (char)(i >> 8);
            entries[i].name = texts[i];
            entries[i].len = 2 + slu_random_below(&random, 7);
        }
        assert_true(slu_property_table_build(&table, &arena, entries, N));
        for (uint32_t i = 0; i < N; i++)
            assert_ptr_equal(slu_property_table_find(&table, entries[i].name, entries[i].len),
                             &table.entries[i]);
        slu_arena_fini(&arena);
    }
}

/* As the reader leaves a key: 8 bytes may be read from where it begins. */
static struct slu_value key_of(char room[64], const char *text, size_t len)
{
    memset(room, '#', 64);
    memcpy(room, text, len);
    return (struct slu_value){.tag = (uint64_t)len << 8 | SLU_VALUE_STRING, .text = room};
}

static const struct slu_property *find_after(const struct slu_property *guess, const char *name)
{
    char room[64];
    const struct slu_value key = key_of(room, name, strlen(name));
    uint32_t *after = slu_property_order_at(&order, guess);
    const struct slu_property *found = slu_property_table_remembered(&table, after, &key);
    return found != NULL ? found
                         : slu_property_table_learn(&table, after, key.text, slu_value_len(&key));
}

static void a_remembered_order_never_finds_the_wrong_name(void **state)
{
    (void)state;
    static const char *const names[] = {"one", "two", "three", "four"};
    build(names, 4);
    memset(&order, 0xFF, sizeof(order)); /* numbers beyond the table */
    for (int round = 0; round < 3; round++) {
        const struct slu_property *guess = table.entries;
        for (int i = 3; i >= 0; i--) {
            const struct slu_property *found = find_after(guess, names[i]);
            assert_ptr_equal(found, &table.entries[i]);
            guess = found + 1;
        }
        assert_null(find_after(guess, "five"));
        memset(&order, round, sizeof(order)); /* any number at all */
    }
    slu_arena_fini(&arena);
}

static void bytes_are_equal_only_when_all_are(void **state)
{
    (void)state;
    char a[40], b[40];
    for (size_t len = 0; len <= 33; len++) {
        memset(a, 'x', sizeof(a));
        memset(b, 'x', sizeof(b));
        assert_true(slu_bytes_equal(a, b, len));
        for (size_t i = 0; i < len; i++) {
            b[i] = 'y';
            assert_false(slu_bytes_equal(a, b, len));
            b[i] = 'x';
        }
    }
}

static void a_key_is_a_name_only_when_all_bytes_are(void **state)
{
    (void)state;
    static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    for (size_t len = 0; len <= 33; len++) {
        char name[40], room[64];
        snprintf(name, sizeof(name), "%.*s", (int)len, text);
        const char *names[] = {name};
        build(names, 1);
        struct slu_value key = key_of(room, text, len);
        assert_true(slu_property_is_key(&table.entries[0], &key));
        assert_false(slu_property_is_key(&table.entries[1], &key)); /* the one behind the last */
        for (size_t i = 0; i < len; i++) {
            room[i] ^= 0x20;
            assert_false(slu_property_is_key(&table.entries[0], &key));
            room[i] ^= 0x20;
        }
        key = key_of(room, text, len + 1);
        assert_false(slu_property_is_key(&table.entries[0], &key));
        slu_arena_fini(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_is_found_and_no_other),
        cmocka_unit_test(a_table_without_names_finds_nothing),
        cmocka_unit_test(five_thousand_names_are_found),
        cmocka_unit_test(random_bytes_are_names_like_others),
        cmocka_unit_test(a_remembered_order_never_finds_the_wrong_name),
        cmocka_unit_test(bytes_are_equal_only_when_all_are),
        cmocka_unit_test(a_key_is_a_name_only_when_all_bytes_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
