/* config_manual.c -- see config_manual.h. */
#include "plugin/config_manual.h"

#include "base/buf.h"
#include "plugin/embedded.h"

#include <stdio.h>
#include <string.h>

#define SCHEMA_MAX_BYTES (1u << 20)
#define SCHEMA_MAX_DEPTH 64
/* A section as JSON text; aliases may make it larger than the file. */
#define SECTION_MAX_BYTES ((size_t)64 << 20)
#define DEFS_PREFIX       "#/$defs/"

/* The definition that judges a section; NULL: the whole schema. */
static const char *const definitions[SLU_SECTIONS] = {
    [SLU_SECTION_TOP] = NULL,
    [SLU_SECTION_SCHEMA] = "schema",
    [SLU_SECTION_SINK] = "sink",
    [SLU_SECTION_SINK_FILE] = "sink_file",
    [SLU_SECTION_SINK_POSTGRESQL] = "sink_postgresql",
    [SLU_SECTION_SINK_KAFKA] = "sink_kafka",
    [SLU_SECTION_POLICY] = "policy",
    [SLU_SECTION_TEST] = "test",
};

static const struct {
    const char *type;
    enum slu_section section;
} sink_sections[] = {
    {"file", SLU_SECTION_SINK_FILE},
    {"postgresql", SLU_SECTION_SINK_POSTGRESQL},
    {"kafka", SLU_SECTION_SINK_KAFKA},
};

enum slu_section slu_manual_sink(struct slu_slice type)
{
    for (size_t i = 0; i < sizeof(sink_sections) / sizeof(sink_sections[0]); i++)
        if (slu_slice_equal(type, slu_slice_of(sink_sections[i].type)))
            return sink_sections[i].section;
    return SLU_SECTION_SINK;
}

static struct slu_schema *compile_section(const struct slu_manual *manual, enum slu_section section,
                                          struct slu_problems *problems)
{
    const struct slu_schema_options options = {.name = "config", .source = "config.schema.json"};
    const struct slu_value *defs = slu_value_get(manual->document->root, SLU_SLICE("$defs"));
    struct slu_schema *schema = NULL;
    struct slu_buf text;

    if (definitions[section] == NULL)
        return slu_schema_compile(manual->document->text, &options, problems);
    slu_buf_init(&text, SCHEMA_MAX_BYTES);
    slu_buf_printf(&text, "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",");
    slu_buf_printf(&text, "\"$ref\":\"" DEFS_PREFIX "%s\",\"$defs\":", definitions[section]);
    if (defs != NULL && slu_value_json(defs, &text) && slu_buf_add_char(&text, '}'))
        schema = slu_schema_compile(slu_buf_slice(&text), &options, problems);
    slu_buf_fini(&text);
    return schema;
}

int slu_manual_init(struct slu_manual *manual, struct slu_err *err)
{
    struct slu_problems problems;

    manual->document = slu_document_parse(slu_slice(slu_embedded_config, slu_embedded_config_len),
                                          SCHEMA_MAX_DEPTH, err);
    if (manual->document == NULL)
        return -1;
    manual->scratch = slu_schema_scratch_new();
    manual->reader = slu_payload_reader_new(SECTION_MAX_BYTES);
    if (manual->scratch == NULL || manual->reader == NULL)
        return slu_err_set(err, SLU_ENOMEM, "no memory to check the configuration");
    slu_problems_init(&problems);
    for (size_t i = 0; i < SLU_SECTIONS; i++) {
        manual->schemas[i] = compile_section(manual, (enum slu_section)i, &problems);
        if (manual->schemas[i] == NULL)
            slu_err_set(err, SLU_EINVAL, "config.schema.json: %s",
                        problems.n != 0 ? problems.items[0].err.text : "no memory");
    }
    slu_problems_fini(&problems);
    for (size_t i = 0; i < SLU_SECTIONS; i++)
        if (manual->schemas[i] == NULL)
            return -1;
    return 0;
}

void slu_manual_fini(struct slu_manual *manual)
{
    for (size_t i = 0; i < SLU_SECTIONS; i++)
        slu_schema_free(manual->schemas[i]);
    slu_schema_scratch_free(manual->scratch);
    slu_payload_reader_free(manual->reader);
    slu_document_free(manual->document);
    *manual = (struct slu_manual){0};
}

/* What `$ref` on the page names; NULL when it has none. The schema has no chains of references. */
static const struct slu_value *referred(const struct slu_manual *manual,
                                        const struct slu_value *page)
{
    const struct slu_value *ref = slu_value_get(page, SLU_SLICE("$ref"));
    const size_t prefix = sizeof(DEFS_PREFIX) - 1;

    if (ref == NULL || slu_value_kind(ref) != SLU_VALUE_STRING || slu_value_len(ref) <= prefix)
        return NULL;
    const struct slu_slice name = slu_slice(ref->text + prefix, slu_value_len(ref) - prefix);
    const struct slu_value *defs = slu_value_get(manual->document->root, SLU_SLICE("$defs"));
    return defs != NULL ? slu_value_get(defs, name) : NULL;
}

const struct slu_value *slu_manual_section(const struct slu_manual *manual,
                                           enum slu_section section)
{
    const struct slu_value *root = manual->document->root;

    if (definitions[section] == NULL)
        return root;
    const struct slu_value *defs = slu_value_get(root, SLU_SLICE("$defs"));
    return defs != NULL ? slu_value_get(defs, slu_slice_of(definitions[section])) : NULL;
}

const struct slu_value *slu_manual_keyword(const struct slu_manual *manual,
                                           const struct slu_value *page, const char *keyword)
{
    const struct slu_value *value;

    if (page == NULL || slu_value_kind(page) != SLU_VALUE_OBJECT)
        return NULL;
    value = slu_value_get(page, slu_slice_of(keyword));
    if (value != NULL)
        return value;
    const struct slu_value *target = referred(manual, page);
    return target != NULL ? slu_value_get(target, slu_slice_of(keyword)) : NULL;
}

const struct slu_value *slu_manual_member(const struct slu_manual *manual,
                                          const struct slu_value *page, struct slu_slice key)
{
    const struct slu_value *properties = slu_manual_keyword(manual, page, "properties");
    const struct slu_value *member = properties != NULL ? slu_value_get(properties, key) : NULL;

    if (member != NULL)
        return member;
    member = slu_manual_keyword(manual, page, "additionalProperties");
    return member != NULL && slu_value_kind(member) == SLU_VALUE_OBJECT ? member : NULL;
}

const struct slu_value *slu_manual_item(const struct slu_manual *manual,
                                        const struct slu_value *page)
{
    return slu_manual_keyword(manual, page, "items");
}

/* One step of a pointer, unescaped (RFC 6901 §4), into `out`; a longer one is no option's name. */
static const char *next_step(const char *at, char out[65], size_t *len)
{
    size_t n = 0;

    for (; *at != '\0' && *at != '/'; at++) {
        char c = *at;
        if (c == '~' && (at[1] == '0' || at[1] == '1'))
            c = *++at == '0' ? '~' : '/';
        if (n < 64)
            out[n++] = c;
    }
    out[n] = '\0';
    *len = n;
    return at;
}

const struct slu_value *slu_manual_find(const struct slu_manual *manual,
                                        const struct slu_value *page, const char *pointer)
{
    while (*pointer == '/' && page != NULL) {
        char step[65];
        size_t len;
        pointer = next_step(pointer + 1, step, &len);
        const struct slu_value *member = slu_manual_member(manual, page, slu_slice(step, len));
        page = member != NULL ? member : slu_manual_item(manual, page);
    }
    return page;
}

bool slu_manual_is_closed(const struct slu_manual *manual, const struct slu_value *page)
{
    const struct slu_value *more = slu_manual_keyword(manual, page, "additionalProperties");
    return more != NULL && slu_value_variant(more) == SLU_VALUE_FALSE;
}

bool slu_manual_refers(const struct slu_value *page, const char *name)
{
    const struct slu_value *ref = page != NULL ? slu_value_get(page, SLU_SLICE("$ref")) : NULL;
    const size_t prefix = sizeof(DEFS_PREFIX) - 1;

    if (ref == NULL || slu_value_kind(ref) != SLU_VALUE_STRING || slu_value_len(ref) < prefix)
        return false;
    return slu_slice_equal(slu_slice(ref->text + prefix, slu_value_len(ref) - prefix),
                           slu_slice_of(name));
}
