/* test_arena.c -- arenas: zeroed, aligned, disjoint, bounded. */
#include "base/arena.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

static bool no_memory;
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
    return no_memory ? NULL : __real_calloc(n, size);
}

static void what_it_gives_is_zeroed_aligned_and_disjoint(void **state)
{
    (void)state;
    enum { PIECES = 3000 };
    static struct {
        unsigned char *at;
        size_t bytes;
    } pieces[PIECES];
    struct slu_random random;
    struct slu_arena arena;
    slu_random_seed(&random, 1);
    slu_arena_init(&arena, 64u << 20);

    for (size_t i = 0; i < PIECES; i++) {
        const size_t bytes = slu_random_below(&random, i % 50 == 0 ? 20000 : 200);
        unsigned char *at = slu_arena_alloc(&arena, bytes);
        assert_non_null(at);
        assert_int_equal((uintptr_t)at % 16, 0);
        for (size_t k = 0; k < bytes; k++)
            assert_int_equal(at[k], 0);
        memset(at, (int)(i % 255 + 1), bytes);
        pieces[i].at = at;
        pieces[i].bytes = bytes;
    }
    for (size_t i = 0; i < PIECES; i++) {
        for (size_t k = 0; k < pieces[i].bytes; k++)
            assert_int_equal(pieces[i].at[k], i % 255 + 1);
    }
    slu_arena_fini(&arena);
    assert_int_equal(arena.used, 0);
}

static void it_ends_at_its_ceiling(void **state)
{
    (void)state;
    struct slu_arena arena;
    slu_arena_init(&arena, 100);
    assert_null(slu_arena_alloc(&arena, 101));
    assert_non_null(slu_arena_alloc(&arena, 40)); /* 48 with alignment */
    assert_int_equal(arena.used, 48);
    assert_null(slu_arena_alloc(&arena, 64));
    assert_non_null(slu_arena_alloc(&arena, 48));
    assert_null(slu_arena_alloc(&arena, 1));
    slu_arena_fini(&arena);
    assert_non_null(slu_arena_alloc(&arena, 64)); /* empty again, same ceiling */
    assert_null(slu_arena_alloc(&arena, 64));
    slu_arena_fini(&arena);
}

static void absurd_sizes_give_null(void **state)
{
    (void)state;
    struct slu_arena arena;
    slu_arena_init(&arena, SIZE_MAX);
    assert_null(slu_arena_alloc(&arena, SIZE_MAX));
    assert_null(slu_arena_alloc(&arena, SIZE_MAX - 15));
    assert_null(slu_arena_alloc(&arena, SIZE_MAX - 40));
    assert_null(slu_arena_array(&arena, SIZE_MAX / 2, 3));
    assert_null(slu_arena_copy(&arena, slu_slice("", SIZE_MAX)));
    assert_non_null(slu_arena_array(&arena, 3, 5));
    slu_arena_fini(&arena);
}

static void nothing_at_all_has_an_address_of_its_own(void **state)
{
    (void)state;
    struct slu_arena arena;
    slu_arena_init(&arena, 1000);
    void *a = slu_arena_alloc(&arena, 0);
    void *b = slu_arena_array(&arena, 0, 8);
    assert_non_null(a);
    assert_non_null(b);
    assert_ptr_not_equal(a, b);
    slu_arena_fini(&arena);
}

static void copies_are_terminated(void **state)
{
    (void)state;
    struct slu_arena arena;
    slu_arena_init(&arena, 100000);
    assert_string_equal(slu_arena_copy(&arena, slu_slice("abcdef", 3)), "abc");
    assert_string_equal(slu_arena_copy(&arena, slu_slice(NULL, 0)), "");
    assert_string_equal(slu_arena_printf(&arena, "%s/%d", "x", 7), "x/7");
    assert_int_equal(strlen(slu_arena_printf(&arena, "%9000d", 7)), 9000);
    slu_arena_fini(&arena);

    slu_arena_init(&arena, 16);
    assert_null(slu_arena_printf(&arena, "%20d", 7));
    slu_arena_fini(&arena);
}

static void without_memory_it_gives_null_and_goes_on_later(void **state)
{
    (void)state;
    struct slu_arena arena;
    slu_arena_init(&arena, 1u << 20);
    no_memory = true;
    assert_null(slu_arena_alloc(&arena, 10));
    assert_null(slu_arena_copy(&arena, SLU_SLICE("x")));
    no_memory = false;
    assert_int_equal(arena.used, 0);
    assert_non_null(slu_arena_alloc(&arena, 10));
    slu_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_gives_is_zeroed_aligned_and_disjoint),
        cmocka_unit_test(it_ends_at_its_ceiling),
        cmocka_unit_test(absurd_sizes_give_null),
        cmocka_unit_test(nothing_at_all_has_an_address_of_its_own),
        cmocka_unit_test(copies_are_terminated),
        cmocka_unit_test(without_memory_it_gives_null_and_goes_on_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
