/* A string in every format of every draft; the first byte picks the format. Besides not crashing and
 * not reading beyond the string, the laws between formats must hold: a URI is a reference and an IRI,
 * an IRI is an IRI reference, a host name is an internationalized one, an IPv4 address is a host name. */
#include "base/utf8.h"
#include "validation/json_schema/format.h"
#include "validation/json_schema/keywords.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Who holds by the left one holds by the right one. */
static const char *const laws[][2] = {
    {"uri", "uri-reference"},           {"uri", "iri"},
    {"uri-reference", "iri-reference"}, {"iri", "iri-reference"},
    {"hostname", "idn-hostname"},       {"ipv4", "hostname"},
};

static const unsigned drafts[] = {
    SLU_DRAFT_4, SLU_DRAFT_6, SLU_DRAFT_7, SLU_DRAFT_2019, SLU_DRAFT_2020,
};

static const char *const names[] = {
    "date-time", "date",          "time",
    "duration",  "email",         "idn-email",
    "hostname",  "idn-hostname",  "ipv4",
    "ipv6",      "uri",           "uri-reference",
    "iri",       "iri-reference", "uri-template",
    "regex",     "json-pointer",  "relative-json-pointer",
    "uuid",
};

/* Formats that the draft does not have hold. */
static bool holds(const char *name, unsigned draft, const char *text, size_t len)
{
    const int id = slu_string_format_find(name, strlen(name), draft);
    return id < 0 || slu_string_format_holds(id, text, len);
}

static void check_laws(const char *text, size_t len)
{
    for (size_t i = 0; i < sizeof(laws) / sizeof(laws[0]); i++) {
        if (holds(laws[i][0], SLU_DRAFT_2020, text, len) &&
            !holds(laws[i][1], SLU_DRAFT_2020, text, len))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 8192 || !slu_utf8_valid((const char *)data + 1, size - 1))
        return 0;
    char *exact = malloc(size - 1); /* nothing behind it */
    if (exact == NULL)
        return 0;
    memcpy(exact, data + 1, size - 1);
    const char *name = names[data[0] % (sizeof(names) / sizeof(names[0]))];
    for (size_t i = 0; i < sizeof(drafts) / sizeof(drafts[0]); i++)
        holds(name, drafts[i], exact, size - 1);
    check_laws(exact, size - 1);
    free(exact);
    return 0;
}
