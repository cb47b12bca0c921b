/* container.h -- Avro object container files (specification 1.12, "Object Container Files").
 *
 *   'O' 'b' 'j' 1 │ metadata: map<bytes> │ 16 bytes sync │ block │ block │ …
 *                   avro.schema  the schema's text, as it was given
 *                   avro.codec   null, deflate, zstandard
 *
 *   block := long n objects, long n bytes, the objects (packed by the codec), 16 bytes sync
 *
 * Writing goes to memory. Reading is of a file that may be torn, damaged or hostile: nothing that it says
 * of itself is believed before it was compared with what is there.
 *
 * Threads: none of its own.
 */
#ifndef SLU_SINKS_CONTAINER_H
#define SLU_SINKS_CONTAINER_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SLU_CONTAINER_SYNC_BYTES 16u

/* Of the objects of one block, unpacked: what is written never has more, unless one object alone is larger. */
#define SLU_CONTAINER_BLOCK_BYTES (1u << 20)

/* What a reader takes: the header with its schema, the objects of one block packed and unpacked. */
#define SLU_CONTAINER_HEADER_MAX (20u << 20)
#define SLU_CONTAINER_BLOCK_MAX  (64u << 20)

enum slu_codec {
    SLU_CODEC_NULL,
    SLU_CODEC_DEFLATE,
    SLU_CODEC_ZSTANDARD,
    SLU_CODECS,
};

/* "null", …: the names in files and in the configuration. */
extern const char *const slu_codec_names[SLU_CODECS];

/* SLU_CODECS: there is none of that name. */
enum slu_codec slu_codec_named(struct slu_slice name);

/* ---- writing ----------------------------------------------------------------------------------------- */

struct slu_container_entry {
    const char *key;
    struct slu_slice value;
};

/* Append a header. `more`: metadata besides schema and codec; keys must not begin with "avro.". False:
 * no room or memory; `out` is as it was. */
bool slu_container_add_header(struct slu_buf *out, struct slu_slice schema, enum slu_codec codec,
                              const uint8_t sync[SLU_CONTAINER_SYNC_BYTES],
                              const struct slu_container_entry *more, size_t n_more);

/* Append a block of `n` objects. False: no room or memory; `out` is as it was. */
bool slu_container_add_block(struct slu_buf *out, uint64_t n, struct slu_slice objects,
                             enum slu_codec codec, const uint8_t sync[SLU_CONTAINER_SYNC_BYTES]);

/* ---- reading ----------------------------------------------------------------------------------------- */

struct slu_container {
    int fd;     /* borrowed */
    off_t size; /* bytes that are looked at */
    uint8_t sync[SLU_CONTAINER_SYNC_BYTES];
    enum slu_codec codec;
    off_t at; /* end of what was found whole so far */
};

struct slu_container_block {
    off_t start, end;
    uint64_t n;    /* objects, at least 1 */
    off_t objects; /* where they are, packed */
    size_t bytes;  /* … and how many */
};

enum slu_container_answer {
    SLU_CONTAINER_WHOLE,
    SLU_CONTAINER_END, /* there is nothing more */
    SLU_CONTAINER_BROKEN, /* what stands there is no whole header or block, or none that we would write */
    SLU_CONTAINER_FAILED, /* err: it could not be read, or no memory */
};

/* Read the header of the file's first `size` bytes. `schema`, if not NULL, gets the schema's text (the
 * caller's buffer, emptied first). END: the file is empty. */
enum slu_container_answer slu_container_open(struct slu_container *container, int fd, off_t size,
                                             struct slu_buf *schema, struct slu_err *err);

/* The next block, by its frame alone. */
enum slu_container_answer slu_container_next(struct slu_container *container,
                                             struct slu_container_block *block,
                                             struct slu_err *err);

/* Its objects, unpacked, into `objects` (emptied first; its ceiling is a bound, too). */
enum slu_container_answer slu_container_unpack(const struct slu_container *container,
                                               const struct slu_container_block *block,
                                               struct slu_buf *objects, struct slu_err *err);

#endif
