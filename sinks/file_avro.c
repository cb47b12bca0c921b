/* file_avro.c -- the part of the file sink that knows container files (container.h): records become
 * objects, objects become blocks, and a file that was left open tells where its last whole block ends.
 *
 *   objects: the block that is being filled          pending: whole blocks, packed
 *   ┌──────────────────────────────┐  seal           ┌───────┬───────┐  flush
 *   │ record │ record │ record │ … │ ──────────────▶ │ block │ block │ ───────▶ file
 *   └──────────────────────────────┘ 1 MiB, or flush └───────┴───────┘
 *
 * So a block ends at 1 MiB, or with the batch of the delivery (200 ms unless `batch` says otherwise).
 * The sync marker is drawn when the first record of a file comes. When that file has to be given up before
 * its blocks were safe, the next one has the same marker: its blocks are made already.
 *
 * Recovery. A page that a power cut kept from the disk cannot be told from one that holds zeros, so after
 * each sync the state says how much of the file is safe; what lies behind was promised to nobody and is
 * cut off. Only when the state is lost are whole blocks believed as they stand.
 */
#include "sinks/file_inside.h"

#include "base/random.h"
#include "sinks/container.h"
#include "sinks/envelope_avro.h"

#include <stdlib.h>
#include <string.h>

struct slu_file_avro {
    enum slu_codec codec;
    uint8_t sync[SLU_CONTAINER_SYNC_BYTES];
    struct slu_buf schema;  /* of the records */
    char *payload_name;     /* of the schema whose payloads are typed: "press:3"; "" none */
    char *payload_text;     /* … and its document */
    struct slu_buf head;    /* the header of the open file */
    struct slu_buf objects; /* the block that is being filled */
    uint64_t n_objects;
    struct slu_envelope_avro envelope;
};

/* ---- options ----------------------------------------------------------------------------------------- */

static const char *option(const struct slu_node *section, const char *key)
{
    return slu_node_text(slu_node_get(section, key), "");
}

/* The text of the schema that `schema` names; "" without one. */
static const char *schema_text(const struct slu_node *section)
{
    return slu_node_text(slu_node_get(slu_node_get(section, "schema_document"), "text"), "");
}

/* YAML reads the word null as no value at all. */
static enum slu_codec codec_of(const struct slu_node *node)
{
    if (node != NULL && node->kind == SLU_NODE_NULL)
        return SLU_CODEC_NULL;
    return slu_codec_named(slu_slice_of(slu_node_text(node, "deflate")));
}

static void tell(const struct slu_node *section, const char *key, struct slu_problems *problems,
                 const char *text)
{
    const struct slu_node *node = slu_node_get(section, key);
    if (node != NULL)
        slu_problems_error(problems, node->file, node->line, node->column, NULL, "%s", text);
}

void slu_file_avro_check(const struct slu_node *section, struct slu_problems *problems)
{
    struct slu_problems found;
    struct slu_buf schema;

    if (strcmp(option(section, "format"), "avro") != 0) {
        tell(section, "codec", problems, "only says something of format: avro");
        tell(section, "schema", problems, "only says something of format: avro");
        return;
    }
    if (strcmp(option(section, "compress"), "gzip") == 0)
        tell(section, "compress", problems,
             "a container file is compressed inside: say `codec` instead");
    slu_buf_init(&schema, SLU_CONTAINER_HEADER_MAX);
    slu_problems_init(&found);
    if (!slu_envelope_avro_schema(&schema, slu_slice_of(schema_text(section)), &found))
        tell(section, "schema", problems,
             found.n > 0 ? found.items[0].err.text : "its document is too large for a header");
    slu_problems_fini(&found);
    slu_buf_fini(&schema);
}

int slu_file_avro_open(struct slu_file *file, const struct slu_node *section, struct slu_err *err)
{
    struct slu_file_avro *avro = calloc(1, sizeof(*avro));
    struct slu_problems problems;

    if (avro == NULL)
        return slu_err_set(err, SLU_ENOMEM, "no memory for container files");
    file->avro = avro;
    slu_buf_init(&avro->schema, SLU_CONTAINER_HEADER_MAX);
    slu_buf_init(&avro->head, SLU_CONTAINER_HEADER_MAX);
    slu_buf_init(&avro->objects, SLU_CONTAINER_BLOCK_MAX / 2 + SLU_CONTAINER_BLOCK_BYTES);
    slu_buf_init(&avro->envelope.scratch, SLU_ENVELOPE_MAX_BYTES);
    avro->codec = codec_of(slu_node_get(section, "codec"));
    avro->payload_name = strdup(option(section, "schema"));
    avro->payload_text = strdup(schema_text(section));
    if (avro->payload_name == NULL || avro->payload_text == NULL)
        return slu_err_set(err, SLU_ENOMEM, "no memory for container files");
    if (avro->codec == SLU_CODECS)
        return slu_err_set(err, SLU_EINVAL, "codec: null, deflate or zstandard");
    avro->envelope.payload = slu_slice_of(avro->payload_text);
    slu_problems_init(&problems);
    const bool sound = slu_envelope_avro_schema(&avro->schema, avro->envelope.payload, &problems);
    if (!sound)
        slu_err_set(err, SLU_EINVAL, "schema: %s",
                    problems.n > 0 ? problems.items[0].err.text : "no memory");
    slu_problems_fini(&problems);
    return sound ? 0 : -1;
}

void slu_file_avro_close(struct slu_file *file)
{
    struct slu_file_avro *avro = file->avro;

    if (avro == NULL)
        return;
    slu_buf_fini(&avro->schema);
    slu_buf_fini(&avro->head);
    slu_buf_fini(&avro->objects);
    slu_buf_fini(&avro->envelope.scratch);
    free(avro->payload_name);
    free(avro->payload_text);
    free(avro);
    file->avro = NULL;
}

/* ---- writing ----------------------------------------------------------------------------------------- */

size_t slu_file_avro_unsealed(const struct slu_file *file)
{
    return file->avro->objects.len;
}

void slu_file_avro_forget(struct slu_file *file)
{
    slu_buf_reset(&file->avro->objects);
    file->avro->n_objects = 0;
}

struct slu_slice slu_file_avro_head(const struct slu_file *file)
{
    return slu_buf_slice(&file->avro->head);
}

/* A header with a fresh marker, for a file whose first record comes. Besides the records' schema and the
 * codec it says who wrote it: version, instance, sink, and the name of the schema that is typed. */
static bool make_head(struct slu_file *file)
{
    struct slu_file_avro *avro = file->avro;
    const struct slu_container_entry entries[] = {
        {"sluice.version", slu_slice_of(SLUICE_VERSION)},
        {"sluice.instance", slu_slice_of(file->env->instance)},
        {"sluice.sink", slu_slice_of(file->env->name)},
        {"sluice.schema", slu_slice_of(avro->payload_name)},
    };
    const size_t n = sizeof(entries) / sizeof(entries[0]) - (avro->payload_name[0] == '\0');

    slu_random_fill(avro->sync, sizeof(avro->sync));
    slu_buf_reset(&avro->head);
    return slu_container_add_header(&avro->head, slu_buf_slice(&avro->schema), avro->codec,
                                    avro->sync, entries, n);
}

/* Make a block of the first `len` bytes, which are `n` objects, and keep the rest. */
static bool seal(struct slu_file *file, size_t len, uint64_t n)
{
    struct slu_file_avro *avro = file->avro;

    if (n == 0)
        return true;
    if (!slu_container_add_block(&file->pending, n, slu_slice(avro->objects.data, len), avro->codec,
                                 avro->sync))
        return false;
    memmove(avro->objects.data, avro->objects.data + len, avro->objects.len - len);
    slu_buf_cut(&avro->objects, avro->objects.len - len);
    avro->n_objects -= n;
    return true;
}

bool slu_file_avro_seal(struct slu_file *file)
{
    return seal(file, file->avro->objects.len, file->avro->n_objects);
}

bool slu_file_avro_add(struct slu_file *file, const struct slu_record *record)
{
    struct slu_file_avro *avro = file->avro;
    const struct slu_envelope envelope = slu_sink_envelope(file->env, record);
    const size_t before = avro->objects.len;

    if (file->fd < 0 && file->n_pending == 0 && !make_head(file))
        return false;
    if (slu_envelope_avro_write(&avro->objects, &avro->envelope, &envelope, record) &&
        (avro->objects.len <= SLU_CONTAINER_BLOCK_BYTES || seal(file, before, avro->n_objects))) {
        avro->n_objects++;
        return true;
    }
    avro->objects.failed = false; /* no memory now: it is offered again */
    slu_buf_cut(&avro->objects, before);
    return false;
}

/* ---- reading back ------------------------------------------------------------------------------------- */

/* The place of a block's last record. */
static enum slu_container_answer look_inside(const struct slu_file *file,
                                             const struct slu_container *container,
                                             const struct slu_container_block *block,
                                             struct slu_buf *objects,
                                             struct slu_file_reading *reading, struct slu_err *err)
{
    uint64_t seq;
    bool is_ours;
    const enum slu_container_answer answer = slu_container_unpack(container, block, objects, err);

    if (answer != SLU_CONTAINER_WHOLE)
        return answer;
    if (!slu_envelope_avro_place(slu_buf_slice(objects), file->env->spool_id, &seq, &is_ours))
        return SLU_CONTAINER_BROKEN;
    reading->sound_end = block->end;
    reading->last_seq = seq;
    if (is_ours)
        reading->last_ours = seq;
    return SLU_CONTAINER_WHOLE;
}

int slu_file_avro_read(const struct slu_file *file, int fd, off_t size,
                       struct slu_file_reading *reading, struct slu_err *err)
{
    struct slu_container container;
    struct slu_container_block block;
    struct slu_buf objects;
    enum slu_container_answer answer = slu_container_open(&container, fd, size, NULL, err);

    slu_buf_init(&objects, SLU_CONTAINER_BLOCK_MAX);
    while (answer == SLU_CONTAINER_WHOLE) {
        answer = slu_container_next(&container, &block, err);
        if (answer == SLU_CONTAINER_WHOLE)
            answer = look_inside(file, &container, &block, &objects, reading, err);
    }
    slu_buf_fini(&objects);
    reading->is_damaged = answer == SLU_CONTAINER_BROKEN;
    return answer == SLU_CONTAINER_FAILED ? -1 : 0;
}
