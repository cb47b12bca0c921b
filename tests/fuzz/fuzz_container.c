/* fuzz_container.c -- container files as they may be found after a crash, or be planted: the input is the
 * file. Blocks that are found lie within it, behind each other, and hold what was promised; their
 * objects, packed again, are found again. */
#include "sinks/container.h"
#include "sinks/envelope_avro.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define OBJECTS_MAX (4u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static int file_of(const void *bytes, size_t n)
{
    const int fd = memfd_create("container", MFD_CLOEXEC);
    must(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
    return fd;
}

/* The same objects as a file of ours. */
static void check_again(const struct slu_container *container, uint64_t n, struct slu_slice objects)
{
    struct slu_container again;
    struct slu_container_block block;
    struct slu_buf bytes, schema, back;
    struct slu_err err = {0};

    slu_buf_init(&bytes, 2 * OBJECTS_MAX + 4096);
    slu_buf_init(&schema, SLU_CONTAINER_HEADER_MAX);
    slu_buf_init(&back, OBJECTS_MAX + 1);
    must(slu_container_add_header(&bytes, SLU_SLICE("\"long\""), container->codec, container->sync,
                                  NULL, 0) &&
         slu_container_add_block(&bytes, n, objects, container->codec, container->sync));
    const int fd = file_of(bytes.data, bytes.len);
    must(slu_container_open(&again, fd, (off_t)bytes.len, &schema, &err) == SLU_CONTAINER_WHOLE &&
         slu_slice_equal(slu_buf_slice(&schema), SLU_SLICE("\"long\"")) &&
         slu_container_next(&again, &block, &err) == SLU_CONTAINER_WHOLE && block.n == n &&
         slu_container_unpack(&again, &block, &back, &err) == SLU_CONTAINER_WHOLE &&
         slu_slice_equal(slu_buf_slice(&back), objects) &&
         slu_container_next(&again, &block, &err) == SLU_CONTAINER_END);
    close(fd);
    slu_buf_fini(&bytes);
    slu_buf_fini(&schema);
    slu_buf_fini(&back);
}

static void check_block(const struct slu_container *container, off_t before,
                        const struct slu_container_block *block, struct slu_buf *objects)
{
    static const uint8_t spool_id[16] = {1, 2, 3};
    struct slu_err err = {0};
    uint64_t seq;
    bool ours;

    must(block->n > 0 && block->start == before && block->objects > block->start &&
         block->end == block->objects + (off_t)block->bytes + (off_t)SLU_CONTAINER_SYNC_BYTES &&
         block->end <= container->size && container->at == block->end);
    const enum slu_container_answer answer = slu_container_unpack(container, block, objects, &err);
    must(answer == SLU_CONTAINER_WHOLE || answer == SLU_CONTAINER_BROKEN);
    if (answer != SLU_CONTAINER_WHOLE)
        return;
    must(objects->len <= OBJECTS_MAX);
    slu_envelope_avro_place(slu_buf_slice(objects), spool_id, &seq, &ours);
    if (objects->len > 0)
        check_again(container, block->n, slu_buf_slice(objects));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slu_container container;
    struct slu_container_block block;
    struct slu_buf schema, objects;
    struct slu_err err = {0};
    const int fd = file_of(data, size);

    slu_buf_init(&schema, SLU_CONTAINER_HEADER_MAX);
    slu_buf_init(&objects, OBJECTS_MAX + 1);
    enum slu_container_answer answer =
        slu_container_open(&container, fd, (off_t)size, &schema, &err);
    must((size == 0) == (answer == SLU_CONTAINER_END) && answer != SLU_CONTAINER_FAILED);
    must(answer != SLU_CONTAINER_WHOLE || (schema.len > 0 && schema.len < size));
    while (answer == SLU_CONTAINER_WHOLE) {
        const off_t before = container.at;
        answer = slu_container_next(&container, &block, &err);
        must(answer != SLU_CONTAINER_FAILED);
        must((answer == SLU_CONTAINER_END) == (before == (off_t)size));
        if (answer == SLU_CONTAINER_WHOLE)
            check_block(&container, before, &block, &objects);
    }
    close(fd);
    slu_buf_fini(&schema);
    slu_buf_fini(&objects);
    return 0;
}
