/* validate.c -- `sluice validate SCHEMA FILE…`: do these JSON documents hold to this JSON Schema? Or, with
 * an Avro schema: are these messages values of it, or JSON that encodes to one?
 *
 * Exit 0: all hold; 1: one does not; 2: the schema is bad, or a file cannot be read. */
#include "plugin/cli/args.h"
#include "plugin/cli/cli.h"
#include "plugin/cli/input.h"
#include "plugin/cli/instance.h"
#include "plugin/cli/out.h"

#include <stdio.h>
#include <string.h>

#define SCHEMA_MAX_BYTES ((size_t)16 << 20)

/* What the command line asks for. */
struct wish {
    bool json, bowtie, json_payload;
    const char *output, *format, *draft, *type, *framing;
    struct slu_operands operands;
};

struct run {
    const struct wish *wish;
    const struct slu_schema *schema;    /* or */
    const struct slu_avro_schema *avro; /* the other is NULL */
    enum slu_avro_framing framing;
    struct slu_instance_judge judge;
    struct slu_buf out;
    bool all_valid;
};

/* SLU_AVRO_FRAMINGS: there is none of that name. */
static enum slu_avro_framing framing_named(const char *name)
{
    int at = 0;

    while (at < SLU_AVRO_FRAMINGS && strcmp(name, slu_avro_framing_names[at]) != 0)
        at++;
    return (enum slu_avro_framing)at;
}

/* By --type, else by the name of the file. */
static bool is_avro(const struct wish *wish)
{
    const char *file = wish->operands.n != 0 ? wish->operands.items[0] : "";
    const size_t len = strlen(file);

    if (wish->type != NULL)
        return strcmp(wish->type, "avro") == 0;
    return len >= 5 && strcmp(file + len - 5, ".avsc") == 0;
}

static bool is_basic(const struct wish *wish)
{
    return wish->output != NULL && strcmp(wish->output, "basic") == 0;
}

static int take_word(const char *option, const char *given, const char *one, const char *other,
                     struct slu_err *err)
{
    if (given == NULL || strcmp(given, one) == 0 || strcmp(given, other) == 0)
        return 0;
    return slu_err_set(err, SLU_EINVAL, "%s takes %s or %s, not %.60s", option, one, other, given);
}

/* Options of Avro schemas alone. */
static int check_avro(const struct wish *wish, struct slu_err *err)
{
    if (wish->framing != NULL && framing_named(wish->framing) == SLU_AVRO_FRAMINGS)
        return slu_err_set(err, SLU_EINVAL,
                           "--framing takes raw, single_object, confluent or auto, not %.60s",
                           wish->framing);
    if (!is_avro(wish) && (wish->framing != NULL || wish->json_payload))
        return slu_err_set(err, SLU_EINVAL, "%s is for Avro schemas",
                           wish->json_payload ? "--json-payload" : "--framing");
    if (wish->framing != NULL && wish->json_payload)
        return slu_err_set(err, SLU_EINVAL,
                           "--framing says how bytes are framed, and "
                           "--json-payload that there are none");
    return 0;
}

/* Options of JSON Schemas alone. */
static int check_json_schema(const struct wish *wish, struct slu_err *err)
{
    const struct {
        const char *option, *given;
    } options[] = {{"--output basic", is_basic(wish) ? wish->output : NULL},
                   {"--format", wish->format},
                   {"--default-draft", wish->draft}};

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]) && is_avro(wish); i++)
        if (options[i].given != NULL)
            return slu_err_set(err, SLU_EINVAL, "%s is for JSON Schemas", options[i].option);
    if (wish->draft != NULL && slu_schema_draft_named(slu_slice_of(wish->draft)) == 0)
        return slu_err_set(err, SLU_EINVAL,
                           "--default-draft takes 2020-12, 2019-09, 7, 6 or 4, not %.60s",
                           wish->draft);
    return 0;
}

static int check_values(const struct wish *wish, struct slu_err *err)
{
    if (take_word("--type", wish->type, "json-schema", "avro", err) != 0 ||
        take_word("--output", wish->output, "flag", "basic", err) != 0 ||
        take_word("--format", wish->format, "assert", "annotate", err) != 0 ||
        check_avro(wish, err) != 0)
        return -1;
    return check_json_schema(wish, err);
}

static enum slu_schema_formats formats_of(const struct wish *wish)
{
    if (wish->format == NULL)
        return SLU_FORMATS_BY_DRAFT;
    return strcmp(wish->format, "assert") == 0 ? SLU_FORMATS_ASSERT : SLU_FORMATS_ANNOTATE;
}

/* The schema of either kind; exactly one is not NULL, or problems were told. */
struct loaded {
    struct slu_schema *schema;
    struct slu_avro_schema *avro;
};

static struct loaded load_schema(const struct wish *wish, struct slu_problems *problems)
{
    const char *file = wish->operands.items[0];
    struct loaded loaded = {NULL, NULL};
    const struct slu_schema_options options = {
        .name = file,
        .source = file,
        .default_draft = slu_schema_draft_named(slu_slice_of(wish->draft)),
        .formats = formats_of(wish),
        .for_output = is_basic(wish)};
    struct slu_err err = {0};
    struct slu_buf text;

    slu_buf_init(&text, SCHEMA_MAX_BYTES);
    if (slu_input_read(file, &text, &err) != 0)
        slu_problems_add(problems, false, &err);
    else if (is_avro(wish))
        loaded.avro = slu_avro_schema_compile(
            slu_buf_slice(&text),
            &(struct slu_avro_schema_options){.name = file, .source = file, .registry_id = -1},
            problems);
    else
        loaded.schema = slu_schema_compile(slu_buf_slice(&text), &options, problems);
    if (loaded.schema == NULL && loaded.avro == NULL && problems->n_errors == 0)
        slu_problems_error(problems, file, 0, 0, NULL, "no memory for the schema");
    slu_buf_fini(&text);
    return loaded;
}

static void report(struct run *run, const char *file, bool valid)
{
    struct slu_buf safe;

    if (run->wish->output != NULL)
        return;
    if (run->wish->json) {
        slu_out_open(&run->out, NULL, '{');
        slu_out_text(&run->out, "file", file);
        slu_out_bool(&run->out, "valid", valid);
        slu_out_violations(&run->out, &run->judge.verdict);
        slu_out_close(&run->out, '}');
        return;
    }
    slu_buf_init(&safe, 4 * strlen(file) + 16);
    slu_out_safe(&safe, slu_slice_of(file));
    slu_buf_add_text(&safe, ": ");
    if (valid)
        slu_buf_printf(&run->out, "%svalid\n", slu_buf_text(&safe));
    else
        slu_out_violation_lines(&run->out, slu_buf_text(&safe), &run->judge.verdict);
    slu_buf_fini(&safe);
}

static bool holds(struct run *run, struct slu_slice bytes)
{
    if (run->avro == NULL)
        return slu_instance_holds(&run->judge, run->schema, bytes);
    return run->wish->json_payload
               ? slu_instance_encodes(&run->judge, run->avro, bytes)
               : slu_instance_is_avro(&run->judge, run->avro, run->framing, bytes);
}

static int validate_file(struct run *run, const char *file, struct slu_err *err)
{
    struct slu_buf bytes;
    int outcome;

    slu_buf_init(&bytes, SLU_INSTANCE_MAX_BYTES);
    outcome = slu_input_read(file, &bytes, err);
    if (outcome == 0) {
        const bool basic = is_basic(run->wish);
        const struct slu_slice text = slu_buf_slice(&bytes);
        const bool valid = basic ? slu_instance_output(&run->judge, run->schema, text, &run->out)
                                 : holds(run, text);
        run->all_valid &= valid;
        if (basic)
            slu_buf_add_char(&run->out, '\n');
        else
            report(run, file, valid);
    }
    slu_buf_fini(&bytes);
    return outcome;
}

static int finish(struct run *run)
{
    const int status = run->all_valid ? SLU_EXIT_GOOD : SLU_EXIT_BAD;
    struct slu_buf whole;

    if (is_basic(run->wish) || (!run->wish->json && run->wish->output == NULL))
        return slu_out_print(&run->out, status);
    slu_buf_init(&whole, SLU_OUT_MAX_BYTES);
    slu_out_open(&whole, NULL, '{');
    slu_out_bool(&whole, "valid", run->all_valid);
    if (run->wish->output == NULL) {
        slu_out_close(&run->out, ']');
        slu_out_json(&whole, "files", slu_buf_slice(&run->out));
    }
    slu_out_close(&whole, '}');
    return slu_out_print(&whole, status);
}

static int validate(const struct wish *wish, const struct loaded *loaded)
{
    struct run run = {
        .wish = wish,
        .schema = loaded->schema,
        .avro = loaded->avro,
        .framing = wish->framing != NULL ? framing_named(wish->framing) : SLU_AVRO_AUTO,
        .all_valid = true,
    };
    struct slu_err err = {0};
    int outcome = 0;

    slu_buf_init(&run.out, SLU_OUT_MAX_BYTES);
    if (slu_instance_judge_init(&run.judge) != 0)
        outcome = slu_err_set(&err, SLU_ENOMEM, "no memory to judge with");
    if (wish->json && wish->output == NULL)
        slu_out_open(&run.out, NULL, '[');
    for (size_t i = 1; i < wish->operands.n && outcome == 0; i++)
        outcome = validate_file(&run, wish->operands.items[i], &err);
    const int status = outcome == 0 ? finish(&run) : slu_out_failed_err(wish->json, &err);
    slu_instance_judge_fini(&run.judge);
    slu_buf_fini(&run.out);
    return status;
}

static int load_and_validate(const struct wish *wish)
{
    struct slu_problems problems;
    int status;

    slu_problems_init(&problems);
    const struct loaded loaded = load_schema(wish, &problems);
    if (loaded.schema == NULL && loaded.avro == NULL) {
        status = slu_out_failed(wish->json, &problems);
    } else {
        slu_out_problem_lines(&problems); /* warnings */
        status = validate(wish, &loaded);
    }
    slu_schema_free(loaded.schema);
    slu_avro_schema_free(loaded.avro);
    slu_problems_fini(&problems);
    return status;
}

int slu_cli_validate(int argc, char **argv)
{
    struct wish wish = {0};
    const struct slu_option options[] = {
        {"--json", &wish.json, NULL},
        {"--bowtie", &wish.bowtie, NULL},
        {"--json-payload", &wish.json_payload, NULL},
        {"--output", NULL, &wish.output},
        {"--format", NULL, &wish.format},
        {"--default-draft", NULL, &wish.draft},
        {"--type", NULL, &wish.type},
        {"--framing", NULL, &wish.framing},
    };
    struct slu_err err = {0};

    if (!slu_args_read(argc, argv, options, sizeof(options) / sizeof(options[0]), &wish.operands))
        return SLU_EXIT_FAILED;
    if (check_values(&wish, &err) != 0)
        return slu_out_failed_err(wish.json, &err);
    if (wish.bowtie)
        return wish.operands.n == 0
                   ? slu_cli_bowtie(slu_schema_draft_named(slu_slice_of(wish.draft)),
                                    formats_of(&wish))
                   : slu_cli_usage("validate", "--bowtie takes no files");
    if (wish.operands.n < 2)
        return slu_cli_usage("validate", "needs SCHEMA and at least one FILE");
    if (wish.json && is_basic(&wish) && wish.operands.n > 2)
        return slu_cli_usage("validate",
                             "--output basic prints an object for each FILE, --json one "
                             "for all: leave --json out, or name one FILE");
    return load_and_validate(&wish);
}
