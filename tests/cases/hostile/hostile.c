/* hostile.c -- judges each payload of a folder by its schema: the program that run.py counts.
 *
 *   hostile FOLDER NAME…    FOLDER/NAME.schema.json, FOLDER/NAME.payload
 *
 * One line a case: `refused NAME: why` (at load), or `judged NAME: holds`, or `judged NAME: CODE`, the
 * first violation's. What a message costs the broker happens inside hostile_judge(), as in judge.c for a
 * message that ends badly: read, judged, its keys proved, told what is wrong.
 */
#include "base/file.h"
#include "validation/json_schema/schema.h"
#include "validation/payload/payload.h"
#include "validation/verdict.h"

#include <stdio.h>

#define MAX_FILE  ((size_t)16 << 20)
#define MAX_BYTES ((size_t)256 << 10)

bool hostile_judge(const struct slu_schema *schema, struct slu_schema_scratch *scratch,
                   struct slu_payload_reader *reader, struct slu_slice bytes,
                   struct slu_payload *payload, struct slu_verdict *verdict);

/* Callgrind is told to count while this runs, so it must be there under its name. */
__attribute__((noinline, noclone, used, externally_visible)) bool
hostile_judge(const struct slu_schema *schema, struct slu_schema_scratch *scratch,
              struct slu_payload_reader *reader, struct slu_slice bytes,
              struct slu_payload *payload, struct slu_verdict *verdict)
{
    if (!slu_payload_read_quickly(reader, SLU_FORMAT_JSON, bytes, payload))
        return false;
    if (slu_schema_judge(schema, scratch, payload, NULL))
        return slu_payload_prove(payload);
    return slu_payload_prove(payload) && slu_schema_tell(schema, scratch, payload, verdict);
}

static bool read_file(const char *folder, const char *name, const char *suffix, struct slu_buf *out)
{
    char path[4096];
    struct slu_err err = {0};
    snprintf(path, sizeof(path), "%s/%s%s", folder, name, suffix);
    slu_buf_reset(out);
    if (slu_file_read(path, out, &err) == 0)
        return true;
    fprintf(stderr, "hostile: %s\n", err.text);
    return false;
}

static bool run(const char *folder, const char *name, struct slu_schema_scratch *scratch,
                struct slu_payload_reader *reader)
{
    const struct slu_schema_options options = {.name = name, .source = name};
    struct slu_problems problems;
    struct slu_verdict verdict;
    struct slu_payload payload;
    struct slu_buf text;
    slu_buf_init(&text, MAX_FILE);
    slu_problems_init(&problems);
    slu_verdict_init(&verdict);
    bool good = read_file(folder, name, ".schema.json", &text);
    struct slu_schema *schema =
        good ? slu_schema_compile(slu_buf_slice(&text), &options, &problems) : NULL;
    good = good && read_file(folder, name, ".payload", &text);
    if (good && schema == NULL) {
        printf("refused %s: %s\n", name, problems.items[0].err.text);
    } else if (good) {
        const bool holds =
            hostile_judge(schema, scratch, reader, slu_buf_slice(&text), &payload, &verdict);
        printf("judged %s: %s\n", name,
               payload.fault != SLU_PAYLOAD_OK ? slu_payload_codes[payload.fault]
               : holds                         ? "holds"
                                               : verdict.violations[0].code);
    }
    fflush(stdout);
    slu_schema_free(schema);
    slu_verdict_fini(&verdict);
    slu_problems_fini(&problems);
    slu_buf_fini(&text);
    return good;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fputs("usage: hostile FOLDER NAME…\n", stderr);
        return 2;
    }
    struct slu_schema_scratch *scratch = slu_schema_scratch_new();
    struct slu_payload_reader *reader = slu_payload_reader_new(MAX_BYTES);
    bool good = scratch != NULL && reader != NULL;
    for (int i = 2; i < argc && good; i++)
        good = run(argv[1], argv[i], scratch, reader);
    slu_payload_reader_free(reader);
    slu_schema_scratch_free(scratch);
    return good ? 0 : 1;
}
