/* A pattern in the first line, a text in the rest. Whatever is accepted is matched, the same each time;
 * and where an automaton does it, PCRE2 (asked for by an empty look-ahead) agrees. */
#include "base/err.h"
#include "base/utf8.h"
#include "validation/json_schema/regex.h"
#include "validation/json_schema/run.h"
#include "validation/json_schema/schema.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_BYTES 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct slu_schema_scratch *scratch;

static void check(bool sound)
{
    if (!sound)
        abort();
}

static bool matches(const struct slu_regex *regex, struct slu_slice text, enum slu_run_stop *stop)
{
    struct slu_run run = {.budget = 100000, .scratch = scratch};
    const struct slu_value value = {.tag = text.len << 8 | SLU_VALUE_STRING, .text = text.data};
    const bool result = slu_regex_matches(regex, &run, &value);
    *stop = run.stop;
    check(run.stop == SLU_RUN_GOES || !result);
    return result;
}

static void compare(const struct slu_regex *regex, struct slu_slice pattern, struct slu_slice text)
{
    char wrapped[MAX_BYTES + 16];
    const int n = snprintf(wrapped, sizeof(wrapped), "(?=)(?:%.*s)", SLU_SLICE_ARG(pattern));
    enum slu_run_stop stop, again;
    const bool first = matches(regex, text, &stop);
    check(matches(regex, text, &again) == first && stop == again);
    struct slu_regex *other = slu_regex_compile(slu_slice(wrapped, (size_t)n), NULL);
    if (other != NULL && slu_regex_is_linear(regex)) {
        check(!slu_regex_is_linear(other));
        const bool second = matches(other, text, &again);
        check(again != SLU_RUN_GOES || stop != SLU_RUN_GOES || first == second);
    }
    slu_regex_free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > MAX_BYTES || !slu_utf8_valid((const char *)data, size))
        return 0;
    if (scratch == NULL)
        scratch = slu_schema_scratch_new();
    check(scratch != NULL);
    const char *text = (const char *)data;
    const char *line_end = memchr(text, '\n', size);
    const size_t n = line_end != NULL ? (size_t)(line_end - text) : size;
    const struct slu_slice pattern = slu_slice(text, n);
    if (memchr(text, '\0', n) != NULL)
        return 0; /* "%s" ends there */
    const size_t behind = n < size ? n + 1 : n;
    struct slu_err err = {0};
    struct slu_regex *regex = slu_regex_compile(pattern, &err);
    check((regex == NULL) == (err.kind != SLU_OK));
    if (regex != NULL)
        compare(regex, pattern, slu_slice(text + behind, size - behind));
    slu_regex_free(regex);
    return 0;
}
