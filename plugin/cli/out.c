/* out.c -- see out.h. */
#include "plugin/cli/out.h"

#include "base/json_text.h"
#include "base/utf8.h"
#include "plugin/cli/cli.h"

#include <stdio.h>
#include <string.h>

/* Comma and name of the next member. */
static void begin(struct slu_buf *out, const char *name)
{
    const char last = out->len != 0 ? out->data[out->len - 1] : '{';

    if (strchr("{[ ", last) == NULL) /* a blank is a caller's own, before the whole */
        slu_buf_add_char(out, ',');
    if (name == NULL)
        return;
    slu_json_text_string(out, slu_slice_of(name));
    slu_buf_add_char(out, ':');
}

void slu_out_open(struct slu_buf *out, const char *name, char bracket)
{
    begin(out, name);
    slu_buf_add_char(out, bracket);
}

void slu_out_close(struct slu_buf *out, char bracket)
{
    slu_buf_add_char(out, bracket);
}

void slu_out_string(struct slu_buf *out, const char *name, struct slu_slice text)
{
    begin(out, name);
    slu_json_text_string(out, text);
}

void slu_out_text(struct slu_buf *out, const char *name, const char *text)
{
    if (text != NULL)
        slu_out_string(out, name, slu_slice_of(text));
    else
        slu_out_json(out, name, SLU_SLICE("null"));
}

void slu_out_int(struct slu_buf *out, const char *name, int64_t number)
{
    begin(out, name);
    slu_json_text_int(out, number);
}

void slu_out_bool(struct slu_buf *out, const char *name, bool value)
{
    slu_out_json(out, name, value ? SLU_SLICE("true") : SLU_SLICE("false"));
}

void slu_out_json(struct slu_buf *out, const char *name, struct slu_slice json)
{
    begin(out, name);
    slu_buf_add_slice(out, json);
}

static void add_present(struct slu_buf *out, const char *name, struct slu_slice text, bool is_json)
{
    if (text.len == 0)
        return;
    if (is_json)
        slu_out_json(out, name, text);
    else
        slu_out_string(out, name, text);
}

void slu_out_violations(struct slu_buf *out, const struct slu_verdict *verdict)
{
    slu_out_open(out, "violations", '[');
    for (size_t i = 0; i < verdict->n; i++) {
        const struct slu_violation *violation = &verdict->violations[i];
        slu_out_open(out, NULL, '{');
        slu_out_text(out, "code", violation->code);
        slu_out_string(out, "pointer", slu_verdict_text(verdict, violation->pointer));
        add_present(out, "expected", slu_verdict_text(verdict, violation->expected), true);
        add_present(out, "actual", slu_verdict_text(verdict, violation->actual), true);
        add_present(out, "schema", slu_slice_of(violation->schema), false);
        add_present(out, "message", slu_verdict_text(verdict, violation->message), false);
        slu_out_close(out, '}');
    }
    slu_out_close(out, ']');
    if (verdict->total > verdict->n)
        slu_out_int(out, "violations_total", (int64_t)verdict->total);
}

void slu_out_safe(struct slu_buf *out, struct slu_slice text)
{
    for (size_t i = 0; i < text.len;) {
        const unsigned char c = (unsigned char)text.data[i];
        const size_t step = c >= 0x20 && c != 0x7F ? slu_utf8_step(text.data + i, text.len - i) : 0;
        if (step != 0)
            slu_buf_add(out, text.data + i, step);
        else
            slu_buf_printf(out, "\\x%02X", c);
        i += step != 0 ? step : 1;
    }
}

void slu_out_violation_lines(struct slu_buf *out, const char *prefix,
                             const struct slu_verdict *verdict)
{
    for (size_t i = 0; i < verdict->n; i++) {
        const struct slu_violation *violation = &verdict->violations[i];
        const struct slu_slice pointer = slu_verdict_text(verdict, violation->pointer);
        slu_buf_printf(out, "%s%s: ", prefix, violation->code);
        if (pointer.len != 0) {
            slu_out_safe(out, pointer);
            slu_buf_add_text(out, ": ");
        }
        slu_out_safe(out, slu_verdict_text(verdict, violation->message));
        slu_buf_add_char(out, '\n');
    }
    if (verdict->total > verdict->n)
        slu_buf_printf(out, "%sand %llu more\n", prefix,
                       (unsigned long long)(verdict->total - verdict->n));
}

void slu_out_problems(struct slu_buf *out, const char *name, const struct slu_problems *problems,
                      bool warnings)
{
    slu_out_open(out, name, '[');
    for (size_t i = 0; i < problems->n; i++) {
        const struct slu_problem *problem = &problems->items[i];
        if (problem->is_warning != warnings)
            continue;
        slu_out_open(out, NULL, '{');
        slu_out_text(out, "file", problem->err.source);
        if (problem->err.line != 0) { /* else it is about the file as a whole: it cannot be read */
            slu_out_int(out, "line", problem->err.line);
            slu_out_int(out, "column", problem->err.column);
        }
        slu_out_text(out, "pointer", problem->err.pointer);
        slu_out_text(out, "message", problem->err.text);
        slu_out_close(out, '}');
    }
    slu_out_close(out, ']');
}

void slu_out_problem_lines(const struct slu_problems *problems)
{
    const size_t told = problems->n, all = problems->n_errors + problems->n_warnings;
    char line[2048];
    struct slu_buf safe;

    slu_buf_init(&safe, 4 * sizeof(line));
    for (size_t i = 0; i < problems->n; i++) {
        struct slu_err err = problems->items[i].err;
        if (problems->items[i].is_warning)
            snprintf(err.text, sizeof(err.text), "warning: %.500s", problems->items[i].err.text);
        slu_buf_reset(&safe);
        slu_out_safe(&safe, slu_slice_of(slu_err_format(&err, line, sizeof(line))));
        fprintf(stderr, "%s\n", slu_buf_text(&safe));
    }
    if (all > told)
        fprintf(stderr, "and %zu more\n", all - told);
    slu_buf_fini(&safe);
}

int slu_out_failed(bool json, const struct slu_problems *problems)
{
    struct slu_buf out;

    slu_out_problem_lines(problems);
    if (!json)
        return SLU_EXIT_FAILED;
    slu_buf_init(&out, SLU_OUT_MAX_BYTES);
    slu_out_open(&out, NULL, '{');
    slu_out_bool(&out, "ok", false);
    slu_out_problems(&out, "errors", problems, false);
    slu_out_problems(&out, "warnings", problems, true);
    slu_out_close(&out, '}');
    return slu_out_print(&out, SLU_EXIT_FAILED);
}

int slu_out_failed_err(bool json, const struct slu_err *err)
{
    struct slu_problems problems;
    int status;

    slu_problems_init(&problems);
    slu_problems_add(&problems, false, err);
    status = slu_out_failed(json, &problems);
    slu_problems_fini(&problems);
    return status;
}

int slu_out_print(struct slu_buf *out, int status)
{
    if (out->failed) {
        fprintf(stderr, "sluice: no memory for the output\n");
        status = SLU_EXIT_FAILED;
    } else {
        fwrite(slu_buf_text(out), 1, out->len, stdout);
        if (out->len == 0 || out->data[out->len - 1] != '\n')
            fputc('\n', stdout);
    }
    if (fflush(stdout) != 0) {
        fprintf(stderr, "sluice: the output cannot be written\n");
        status = SLU_EXIT_FAILED;
    }
    slu_buf_fini(out);
    return status;
}
