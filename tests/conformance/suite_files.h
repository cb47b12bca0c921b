/* suite_files.h -- the official JSON Schema test suite on disk: Debian's
 * libtest-json-schema-acceptance-perl, or any copy with tests/ and remotes/ in it. */
#ifndef SLU_CONFORMANCE_SUITE_FILES_H
#define SLU_CONFORMANCE_SUITE_FILES_H

#include "validation/payload/payload.h"

#ifndef SLU_SUITE_DIR
#define SLU_SUITE_DIR "/usr/share/perl5/auto/share/dist/Test-JSON-Schema-Acceptance"
#endif

/* Where the suite's remotes say that they are. */
#define SUITE_REMOTES_URI "http://localhost:1234"

/* Read whole and parsed; NULL: told on stderr. Free with slu_document_free(). */
struct slu_document *suite_read(const char *path);

/* Call `use` for every JSON file below `path`, in order; `inside` is where it lies in there: "/a/b.json".
 * `deep`: in folders of folders too. */
void suite_walk(const char *path, bool deep,
                void (*use)(void *context, const char *file, const char *inside), void *context);

static inline const struct slu_value *suite_member(const struct slu_value *object, const char *name)
{
    return slu_value_get(object, slu_slice_of(name));
}

#endif
