/* naive_suite.c -- the naive evaluator proves itself: the official suite, required cases, five drafts.
 *
 *   naive_suite [SUITE]      exit 0: every required case as the suite says; 77: there is no suite
 *
 * The suite is Debian's libtest-json-schema-acceptance-perl unless another directory is named (with
 * tests/ and remotes/ in it). Optional cases are run and counted as well, for information: the formats,
 * content and the finer points of regular expressions are none of this evaluator's business.
 */
#include "tests/conformance/naive.h"
#include "tests/conformance/suite_files.h"
#include "validation/payload/payload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef SLU_METASCHEMA_DIR
#define SLU_METASCHEMA_DIR "schemas/json-schema"
#endif

#define MAX_DOCUMENTS 2000

struct score {
    unsigned passed, failed, gave_up;
};

static const char *const folders[NAIVE_DRAFTS] = {
    "draft4", "draft6", "draft7", "draft2019-09", "draft2020-12",
};

static struct slu_document *documents[MAX_DOCUMENTS];
static size_t n_documents;

static const struct slu_document *keep(const char *file)
{
    struct slu_document *document = suite_read(file);
    if (document == NULL || n_documents == MAX_DOCUMENTS)
        exit(2);
    return documents[n_documents++] = document;
}

static void add_metaschema(void *context, const char *file, const char *inside)
{
    (void)inside;
    naive_add(context, "", keep(file)->raw_root);
}

static void add_remote(void *context, const char *file, const char *inside)
{
    char uri[2048];
    snprintf(uri, sizeof(uri), SUITE_REMOTES_URI "%s", inside);
    naive_add(context, uri, keep(file)->raw_root);
}

static void run_group(struct naive *naive, const char *file, const struct slu_value *group,
                      struct score *score, bool tell)
{
    const struct slu_value *tests = suite_member(group, "tests");
    const bool open = naive_open(naive, suite_member(group, "schema"));
    const struct slu_value *test = slu_value_first(tests);
    for (size_t i = 0; i < slu_value_len(tests); i++, test = slu_value_next(test)) {
        const enum naive_answer expected =
            slu_value_variant(suite_member(test, "valid")) == SLU_VALUE_TRUE ? NAIVE_HOLDS
                                                                             : NAIVE_FAILS;
        const enum naive_answer answer =
            open ? naive_judge(naive, suite_member(test, "data")) : NAIVE_GIVES_UP;
        unsigned *count = answer == expected         ? &score->passed
                          : answer == NAIVE_GIVES_UP ? &score->gave_up
                                                     : &score->failed;
        ++*count;
        if (answer != expected && tell)
            printf("%s %s: %.*s: %.*s\n", answer == NAIVE_GIVES_UP ? "GIVES UP" : "WRONG", file,
                   SLU_SLICE_ARG(slu_value_text(suite_member(group, "description"))),
                   SLU_SLICE_ARG(slu_value_text(suite_member(test, "description"))));
    }
}

struct folder {
    struct naive *naive;
    struct score score;
    bool tell;
};

static void run_file(void *context, const char *file, const char *inside)
{
    struct folder *folder = context;
    struct slu_document *document = suite_read(file);
    if (strstr(inside, folder->tell ? "/optional/" : "/format/") != NULL || document == NULL) {
        slu_document_free(document);
        return;
    }
    const struct slu_value *group = slu_value_first(document->raw_root);
    for (size_t i = 0; i < slu_value_len(document->raw_root); i++, group = slu_value_next(group))
        run_group(folder->naive, file, group, &folder->score, folder->tell);
    slu_document_free(document);
}

static struct score run(struct naive *naive, const char *suite, const char *inside, bool required)
{
    char path[2048];
    struct folder folder = {naive, {0, 0, 0}, required};
    snprintf(path, sizeof(path), "%s/tests/%s", suite, inside);
    suite_walk(path, true, run_file, &folder);
    return folder.score;
}

int main(int argc, char **argv)
{
    const char *suite = argc > 1 ? argv[1] : SLU_SUITE_DIR;
    char remotes[2048], optional[64];
    bool sound = true;

    snprintf(remotes, sizeof(remotes), "%s/remotes", suite);
    if (access(remotes, R_OK) != 0) {
        printf("SKIP: no test suite in %s\n", suite);
        return 77;
    }
    printf("%-14s %9s %7s %8s   optional\n", "draft", "required", "failed", "gave up");
    for (int draft = 0; draft < NAIVE_DRAFTS; draft++) {
        struct naive *naive = naive_new((enum naive_draft)draft);
        suite_walk(SLU_METASCHEMA_DIR, true, add_metaschema, naive);
        suite_walk(remotes, true, add_remote, naive);
        const struct score score = run(naive, suite, folders[draft], true);
        snprintf(optional, sizeof(optional), "%s/optional", folders[draft]);
        const struct score other = run(naive, suite, optional, false);
        printf("%-14s %9u %7u %8u   %u of %u\n", folders[draft], score.passed, score.failed,
               score.gave_up, other.passed, other.passed + other.failed + other.gave_up);
        sound = sound && score.passed != 0 && score.failed == 0 && score.gave_up == 0;
        naive_free(naive);
        while (n_documents != 0)
            slu_document_free(documents[--n_documents]);
    }
    return sound ? 0 : 1;
}
