/* test_section.c -- a section's copy says the same, long after the original is gone. */
#include "sinks/section.h"

#include "base/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static const char text[] = "{type: file, path: /srv, empty: '', none: null, list: [1, [], {}, x],\n"
                           " rotate: {size: 1MiB, deep: {a: {b: [true, 2.50]}}}, password: 'p\"w'}";

static const struct slu_node *parse(struct slu_arena *arena)
{
    struct slu_problems problems;
    slu_problems_init(&problems);
    const struct slu_node *node = slu_yaml_parse(slu_slice_of(text), "a.yaml", arena, &problems);
    assert_non_null(node);
    slu_problems_fini(&problems);
    return node;
}

static char *json_of(const struct slu_node *node)
{
    struct slu_buf out;
    slu_buf_init(&out, 4096);
    assert_true(slu_node_json(node, &out));
    return out.data; /* the caller's now */
}

static void a_copy_outlives_what_it_was_made_from(void **state)
{
    (void)state;
    struct slu_arena original, kept;
    slu_arena_init(&original, 1 << 20);
    slu_arena_init(&kept, 1 << 20);
    const struct slu_node *node = parse(&original);
    const struct slu_node *copy = slu_section_copy(node, &kept);
    assert_non_null(copy);
    char *before = json_of(node);
    slu_arena_fini(&original);

    char *after = json_of(copy);
    assert_string_equal(after, before);
    const struct slu_node *size = slu_node_get(slu_node_get(copy, "rotate"), "size");
    assert_int_equal(slu_node_size_bytes(size, 0), 1 << 20);
    assert_int_equal(size->line, 2);
    assert_string_equal(size->file, "a.yaml");
    assert_string_equal(slu_node_text(slu_node_get(copy, "empty"), "?"), "");
    free(before);
    free(after);
    slu_arena_fini(&kept);
}

static void without_room_there_is_no_copy(void **state)
{
    (void)state;
    struct slu_arena original, kept;
    slu_arena_init(&original, 1 << 20);
    const struct slu_node *node = parse(&original);
    assert_null(slu_section_copy(NULL, &original));
    bool done = false;
    for (size_t room = 0; !done; room += 16) { /* each allocation fails once */
        slu_arena_init(&kept, room);
        done = slu_section_copy(node, &kept) != NULL;
        slu_arena_fini(&kept);
        assert_true(room < 1 << 16);
    }
    slu_arena_fini(&original);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_outlives_what_it_was_made_from),
        cmocka_unit_test(without_room_there_is_no_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
