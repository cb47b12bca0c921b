/* format.h -- the formats of JSON Schema's keyword `format`: is this string a date, a URI, a host name?
 *
 *   at load, once:   name, draft ──slu_string_format_find──▶ number of a row, or -1: not a format there
 *   per string:      number, bytes ──slu_string_format_holds──▶ yes or no
 *
 * Whether a schema asserts its formats at all is the engine's business. A name that a draft does not
 * know means nothing in it: the engine ignores it.
 *
 * A few formats mean different things in different drafts (`hostname` knows of punycode since draft
 * 7, `relative-json-pointer` of "0+1" since 2020-12), so the draft picks the row.
 *
 * Cost: one pass over the bytes, linear whatever they are. Nothing is allocated but for `regex` (one
 * arena with a ceiling) and for host names that are not plain ASCII (libidn2, no more than 4 KiB of
 * input).
 *
 * Threads: constant tables, no state.
 */
#ifndef SLU_JSON_SCHEMA_FORMAT_H
#define SLU_JSON_SCHEMA_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The format `name` in a draft (one bit of enum slu_schema_draft); -1 when the draft has none of that name.
 * Numbers are good for the life of the program and stable across threads, not across builds. */
int slu_string_format_find(const char *name, size_t len, unsigned draft);

/* Its name: a constant. */
const char *slu_string_format_name(int id);

/* What asking will cost at most, in units of the evaluation budget (run.h): to be drawn before. Some
 * hundred for most strings; tens of thousands for a long host name beyond ASCII or of punycode. */
uint64_t slu_string_format_cost(int id, const char *text, size_t len);

/* Is the string in the format? `id` comes from slu_string_format_find(); the bytes are well-formed
 * UTF-8 and may hold U+0000. Out of memory answers false. */
bool slu_string_format_holds(int id, const char *text, size_t len);

#endif
