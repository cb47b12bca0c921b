/* container_help.h -- reads a container file as any reader would: with the schema in its header, by our
 * Avro reader, object by object. */
#ifndef SLU_TESTS_CONTAINER_HELP_H
#define SLU_TESTS_CONTAINER_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sinks/container.h"
#include "validation/avro/encode.h"
#include "validation/avro/read.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a file was, when `each` has seen its objects. */
struct container_look {
    size_t n_blocks, n_objects;
    off_t last_start;                 /* of the last whole block */
    enum slu_container_answer answer; /* the last: END when all of it is whole */
};

typedef void (*container_each)(void *context, const struct slu_value *object);

/* n objects are what stands between the count and the end of an Avro array. */
static inline void container_objects(const struct slu_avro_schema *array, uint64_t n,
                                     struct slu_slice objects, container_each each, void *context)
{
    struct slu_avro_reader *reader = slu_avro_reader_new((size_t)1 << 30);
    const struct slu_avro_choice choice = {.schemas = &array, .n = 1, .framing = SLU_AVRO_RAW};
    struct slu_payload payload;
    struct slu_buf bytes;

    slu_buf_init(&bytes, (size_t)1 << 30);
    slu_avro_add_long(&bytes, (int64_t)n);
    slu_buf_add_slice(&bytes, objects);
    slu_avro_add_long(&bytes, 0);
    assert_false(bytes.failed);
    if (!slu_avro_read(reader, &choice, slu_buf_slice(&bytes), &payload, NULL))
        fail_msg("a block is not what its schema says: %s", slu_payload_codes[payload.fault]);
    assert_int_equal(slu_value_len(payload.root), n);
    const struct slu_value *object = slu_value_first(payload.root);
    for (uint64_t i = 0; i < n; i++, object = slu_value_next(object))
        each(context, object);
    slu_buf_fini(&bytes);
    slu_avro_reader_free(reader);
}

/* The compiled schema of an array of what the text describes. */
static inline struct slu_avro_schema *container_array(struct slu_slice schema)
{
    const struct slu_avro_schema_options options = {.registry_id = -1};
    struct slu_problems problems;
    struct slu_buf text;

    slu_problems_init(&problems);
    slu_buf_init(&text, (size_t)1 << 25);
    slu_buf_add_text(&text, "{\"type\": \"array\", \"items\": ");
    slu_buf_add_slice(&text, schema);
    slu_buf_add_char(&text, '}');
    struct slu_avro_schema *array =
        slu_avro_schema_compile(slu_buf_slice(&text), &options, &problems);
    if (array == NULL)
        fail_msg("%s", problems.n > 0 ? problems.items[0].err.text : "no reason");
    slu_buf_fini(&text);
    slu_problems_fini(&problems);
    return array;
}

static inline struct container_look container_look(const char *path, container_each each,
                                                   void *context)
{
    struct container_look look = {0};
    struct slu_container container;
    struct slu_container_block block;
    struct slu_buf schema, objects;
    struct slu_err err = {0};
    struct stat status;
    const int fd = open(path, O_RDONLY);

    assert_true(fd >= 0 && fstat(fd, &status) == 0);
    slu_buf_init(&schema, SLU_CONTAINER_HEADER_MAX);
    slu_buf_init(&objects, SLU_CONTAINER_BLOCK_MAX);
    look.answer = slu_container_open(&container, fd, status.st_size, &schema, &err);
    struct slu_avro_schema *array = NULL;
    if (look.answer == SLU_CONTAINER_WHOLE)
        array = container_array(slu_buf_slice(&schema));
    while (look.answer == SLU_CONTAINER_WHOLE) {
        look.answer = slu_container_next(&container, &block, &err);
        if (look.answer != SLU_CONTAINER_WHOLE)
            break;
        look.answer = slu_container_unpack(&container, &block, &objects, &err);
        assert_int_equal(look.answer, SLU_CONTAINER_WHOLE);
        container_objects(array, block.n, slu_buf_slice(&objects), each, context);
        look.n_blocks++;
        look.n_objects += block.n;
        look.last_start = block.start;
    }
    slu_avro_schema_free(array);
    slu_buf_fini(&schema);
    slu_buf_fini(&objects);
    close(fd);
    return look;
}

#endif
