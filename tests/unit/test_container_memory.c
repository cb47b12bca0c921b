/* test_container_memory.c -- every allocation of the file sink with `format: avro` may fail: it is refused
 * at the start, or the records are offered again; each is in one place in the end. The allocators are
 * wrapped by the linker.
 */
#include "tests/unit/container_help.h"

#include "base/clock.h"
#include "base/yaml.h"
#include "sinks/decoder.h"
#include "sinks/file.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static long left = -1; /* allocations until one fails; -1: none does */

static bool fails(void)
{
    return left >= 0 && left-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

enum { RECORDS = 12, TYPED = 6 };

static const uint8_t spool_id[16] = {5};
static char root[64];
static struct slu_arena arena;
static struct slu_sink_env env;
static const struct slu_sink_ops *const ops = &slu_sink_file;

static const char *name_of(const void *names, uint16_t number)
{
    (void)names;
    (void)number;
    return "press:3";
}

static struct slu_slice text_of(const void *names, uint16_t number)
{
    (void)names;
    return number == 1 ? SLU_SLICE("\"long\"") : slu_slice(NULL, 0);
}

/* The first are Avro of the sink's schema, the others JSON. */
static struct slu_record record_of(uint64_t seq)
{
    const bool typed = seq <= TYPED;
    return (struct slu_record){.seq = seq,
                               .schema = typed,
                               .format = typed ? SLU_RECORD_AVRO : SLU_RECORD_JSON,
                               .topic = SLU_SLICE("t"),
                               .payload = typed ? SLU_SLICE("\6") : SLU_SLICE("{\"a\":\n1}")};
}

/* Up to `upto`, four at a time. False: the sink does not open. */
static bool deliver(const struct slu_node *section, uint64_t upto)
{
    void *sink = calloc(1, ops->self_bytes);
    struct slu_err err = {0};
    uint64_t safe = 0, pushed = 0;
    bool opened = sink != NULL && ops->open(sink, &env, section, &err) == 0;

    for (int i = 0; opened && i < 100 && safe < upto; i++) {
        struct slu_settlement settlement = {0};
        struct slu_record records[4];
        size_t n = 0;
        while (n < 4 && pushed + n < upto) {
            records[n] = record_of(pushed + n + 1);
            n++;
        }
        pushed += n > 0 ? ops->push(sink, records, n, 0) : 0;
        const enum slu_sink_answer answer = ops->settle(sink, 0, &settlement, &err);
        if (settlement.safe_seq > safe)
            safe = settlement.safe_seq;
        if (answer == SLU_SINK_RESET)
            pushed = safe;
    }
    if (opened && upto == RECORDS)
        ops->finish(sink, slu_clock_mono_ns() + SLU_NS_PER_S);
    if (sink != NULL)
        ops->close(sink);
    free(sink);
    return opened;
}

static struct {
    size_t times[RECORDS + 1], n_typed, n_json;
} found;

static void look_at_object(void *context, const struct slu_value *object)
{
    const uint64_t seq = slu_value_get(object, SLU_SLICE("seq"))->u64;
    (void)context;
    assert_true(seq >= 1 && seq <= RECORDS);
    found.times[seq]++;
    found.n_typed += slu_value_is_number(slu_value_get(object, SLU_SLICE("payload")));
    found.n_json +=
        slu_value_kind(slu_value_get(object, SLU_SLICE("payload_json"))) == SLU_VALUE_STRING;
}

static int look_at_file(const char *path, const struct stat *status, int kind, struct FTW *ftw)
{
    (void)status;
    (void)ftw;
    if (kind == FTW_F && strstr(path, ".avro") != NULL && strstr(path, ".damaged") == NULL)
        assert_int_equal(container_look(path, look_at_object, NULL).answer, SLU_CONTAINER_END);
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *ftw)
{
    (void)status;
    (void)kind;
    (void)ftw;
    return remove(path);
}

/* Half of the records, a life that ends without a word, and the rest. */
static void no_memory_loses_and_doubles_nothing(void **state)
{
    (void)state;
    static const char *const codecs[] = {"null", "deflate", "zstandard"};
    for (size_t c = 0; c < sizeof(codecs) / sizeof(codecs[0]); c++) {
        long n = 0;
        for (bool reached = true; reached; n++) {
            char text[256];
            struct slu_problems problems;
            snprintf(root, sizeof(root), "/tmp/slu-memory-XXXXXX");
            assert_non_null(mkdtemp(root));
            slu_arena_init(&arena, 1 << 20);
            slu_problems_init(&problems);
            snprintf(text, sizeof(text),
                     "{type: file, path: '%s/lake', format: avro, codec: %s, schema: 'press:3', "
                     "schema_document: {text: '\"long\"'}}",
                     root, codecs[c]);
            const struct slu_node *section =
                slu_yaml_parse(slu_slice_of(text), "t.yaml", &arena, &problems);
            assert_non_null(section);
            env.decoder = slu_decoder_new();

            left = n;
            if (!deliver(section, RECORDS / 2))
                assert_true(deliver(section, RECORDS / 2));
            if (!deliver(section, RECORDS))
                assert_true(deliver(section, RECORDS));
            reached = left < 0;
            left = -1;
            memset(&found, 0, sizeof(found));
            nftw(root, look_at_file, 16, FTW_PHYS);
            for (size_t seq = 1; seq <= RECORDS; seq++)
                if (found.times[seq] != 1)
                    fail_msg("%s, allocation %ld: record %zu %zu times", codecs[c], n, seq,
                             found.times[seq]);
            /* A payload that could not be proved for lack of memory is no typed one. */
            assert_true(found.n_typed >= TYPED - 1 && found.n_json >= RECORDS - TYPED);
            assert_true(reached || found.n_typed == TYPED);

            slu_decoder_free(env.decoder);
            slu_problems_fini(&problems);
            slu_arena_fini(&arena);
            assert_int_equal(nftw(root, remove_one, 16, FTW_PHYS | FTW_DEPTH), 0);
        }
        print_message("%s: %ld allocations\n", codecs[c], n - 1);
        assert_true(n > 20);
    }
}

int main(void)
{
    env = (struct slu_sink_env){.name = "lake",
                                .instance = "plant1",
                                .spool_id = spool_id,
                                .policy_name = name_of,
                                .schema_name = name_of,
                                .schema_text = text_of};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_memory_loses_and_doubles_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
