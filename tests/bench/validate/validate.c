/* validate.c -- what reading and judging one payload costs: the program that run.py drives.
 *
 *   bench_validate FOLDER              answers lines on stdin: "CASE PASSES" → nanoseconds of the thread's
 *                                      CPU time for PASSES times all payloads of the case
 *   bench_validate FOLDER CASE PASSES  does that once, for callgrind
 *
 * A case is FOLDER/CASE.schema.json and FOLDER/CASE.lines, a payload a line. Payloads are read and judged
 * as judge.c does it for a policy with one schema. Every payload holds: whoever refuses one is told, and
 * the program ends with 1.
 *
 * Two words in place of a case measure what has to be compared with each other in one run: `compile N`
 * compiles the schema of the case reading N times, and `yyjson N` reads its text as often, and no more.
 */
#include "base/file.h"
#include "validation/json_schema/schema.h"
#include "validation/payload/json.h"
#include "validation/payload/payload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_CASES 16
#define MAX_BYTES ((size_t)1 << 20)
#define MAX_FILE  ((size_t)64 << 20)

struct bench_case {
    char name[32];
    char *schema_text, *lines; /* owned */
    size_t schema_len, lines_len;
    struct slu_schema *schema;
    struct slu_slice *payloads;
    size_t n;
};

static struct bench_case cases[MAX_CASES];
static size_t n_cases;
static struct slu_payload_reader *reader;
static struct slu_schema_scratch *scratch;
static struct slu_json_memory memory;
static const char *folder;

static void die(const char *what, const char *about)
{
    fprintf(stderr, "bench_validate: %s: %s\n", about, what);
    exit(1);
}

static char *read_file(const char *name, const char *suffix, size_t *len)
{
    char path[4096];
    struct slu_buf content;
    struct slu_err err = {0};
    snprintf(path, sizeof(path), "%s/%s%s", folder, name, suffix);
    slu_buf_init(&content, MAX_FILE);
    if (slu_file_read(path, &content, &err) != 0)
        die(err.text, path);
    *len = content.len;
    return content.data; /* not given back: it lives as long as the program */
}

static struct slu_schema *compile(struct slu_slice text, const char *name)
{
    const struct slu_schema_options options = {.name = name, .source = name};
    struct slu_problems problems;
    slu_problems_init(&problems);
    struct slu_schema *schema = slu_schema_compile(text, &options, &problems);
    if (schema == NULL)
        die(problems.n != 0 ? problems.items[0].err.text : "does not compile", name);
    slu_problems_fini(&problems);
    return schema;
}

static void split_lines(struct bench_case *this_case)
{
    const char *at = this_case->lines;
    const char *end = at + this_case->lines_len;
    size_t n = 0;
    for (const char *c = at; c < end; c++)
        n += *c == '\n';
    this_case->payloads = calloc(n + 1, sizeof(*this_case->payloads));
    if (this_case->payloads == NULL || n == 0)
        die("no payloads", this_case->name);
    for (; this_case->n < n; at++) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        this_case->payloads[this_case->n++] = slu_slice(at, (size_t)(line_end - at));
        at = line_end;
    }
}

static struct bench_case *find_case(const char *name)
{
    for (size_t i = 0; i < n_cases; i++)
        if (strcmp(cases[i].name, name) == 0)
            return &cases[i];
    if (n_cases == MAX_CASES || strlen(name) >= sizeof(cases[0].name))
        die("too many cases", name);
    struct bench_case *made = &cases[n_cases++];
    snprintf(made->name, sizeof(made->name), "%s", name);
    made->schema_text = read_file(name, ".schema.json", &made->schema_len);
    made->lines = read_file(name, ".lines", &made->lines_len);
    made->schema = compile(slu_slice(made->schema_text, made->schema_len), made->name);
    split_lines(made);
    return made;
}

/* As holds_at_once() of judge.c. */
static bool holds(const struct slu_schema *schema, struct slu_slice bytes)
{
    struct slu_payload payload;
    if (!slu_payload_read_quickly(reader, SLU_FORMAT_JSON, bytes, &payload) ||
        !slu_schema_judge(schema, scratch, &payload, NULL))
        return false;
    if (payload.unproved != NULL && slu_schema_keys_differ(scratch))
        payload.unproved = NULL;
    return slu_payload_prove(&payload);
}

static __attribute__((noinline)) void judge_all(const struct bench_case *this_case,
                                                unsigned long passes)
{
    for (unsigned long pass = 0; pass < passes; pass++)
        for (size_t i = 0; i < this_case->n; i++)
            if (!holds(this_case->schema, this_case->payloads[i]))
                die("a payload does not hold", this_case->name);
}

static __attribute__((noinline)) void compile_often(const struct bench_case *this_case,
                                                    unsigned long times)
{
    for (unsigned long i = 0; i < times; i++)
        slu_schema_free(
            compile(slu_slice(this_case->schema_text, this_case->schema_len), this_case->name));
}

static __attribute__((noinline)) void read_often(const struct bench_case *this_case,
                                                 unsigned long times)
{
    const struct slu_slice text = slu_slice(this_case->schema_text, this_case->schema_len);
    struct slu_json_fault fault;
    for (unsigned long i = 0; i < times; i++)
        if (slu_json_read(&memory, text, SLU_JSON_VALUES, &fault) == NULL)
            die(fault.text, this_case->name);
}

static long long cpu_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static long long measure(const char *name, unsigned long passes)
{
    const bool compiles = strcmp(name, "compile") == 0;
    const bool reads = strcmp(name, "yyjson") == 0;
    const struct bench_case *this_case = find_case(compiles || reads ? "253" : name);
    const long long before = cpu_now();
    if (compiles)
        compile_often(this_case, passes);
    else if (reads)
        read_often(this_case, passes);
    else
        judge_all(this_case, passes);
    return cpu_now() - before;
}

int main(int argc, char **argv)
{
    char name[32];
    unsigned long passes;
    if (argc != 2 && argc != 4) {
        fputs("usage: bench_validate FOLDER [CASE PASSES]\n", stderr);
        return 2;
    }
    folder = argv[1];
    reader = slu_payload_reader_new(MAX_BYTES);
    scratch = slu_schema_scratch_new();
    if (reader == NULL || scratch == NULL || !slu_json_memory_reserve(&memory, MAX_BYTES))
        die("no memory", "start");
    if (argc == 4) {
        measure(argv[2], strtoul(argv[3], NULL, 10));
        return 0;
    }
    while (scanf("%31s %lu", name, &passes) == 2) {
        printf("%lld\n", measure(name, passes));
        fflush(stdout);
    }
    return 0;
}
