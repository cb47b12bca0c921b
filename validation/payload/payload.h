/* payload.h -- one message's bytes, read into a value tree; whole JSON documents as well.
 *
 *   bytes ──slu_payload_read(format)──▶ value tree, borrowed from the reader's scratch
 *     │                                     or the reason why not: payload.malformed, …
 *     └──slu_payload_digits(value)──▶ the digits a number was written with, when a double lost them
 *
 * A reader keeps its memory from message to message, so reading allocates nothing once it has seen
 * the largest payload. Duplicate keys, nesting beyond 64, bytes that are not UTF-8 and lone
 * surrogates are refused: two readers down the line would disagree about such a message.
 *
 * Threads: a reader belongs to one thread.
 */
#ifndef SLU_VALIDATION_PAYLOAD_PAYLOAD_H
#define SLU_VALIDATION_PAYLOAD_PAYLOAD_H

#include "base/slice.h"
#include "validation/payload/decimal.h"
#include "validation/payload/value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLU_PAYLOAD_MAX_DEPTH 64

enum slu_format {
    SLU_FORMAT_JSON,
    SLU_FORMAT_NUMBER,
    SLU_FORMAT_BOOLEAN,
    SLU_FORMAT_STRING,
    SLU_FORMAT_BYTES,
    SLU_FORMAT_AVRO, /* read with its schema, by slu_avro_read() (validation/avro/read.h) */
    SLU_FORMATS,
};

/* "json", …; the names of the configuration. */
extern const char *const slu_format_names[SLU_FORMATS];

/* Why bytes are not a value of their format. The codes that begin with payload. and avro. */
enum slu_payload_fault {
    SLU_PAYLOAD_OK,
    SLU_PAYLOAD_EMPTY, /* payload.empty: no bytes (or only blanks) where the format needs some */
    SLU_PAYLOAD_MALFORMED,     /* payload.malformed */
    SLU_PAYLOAD_UTF8,          /* payload.utf8 */
    SLU_PAYLOAD_SURROGATE,     /* payload.surrogate: an escaped lone surrogate in a JSON string */
    SLU_PAYLOAD_DUPLICATE_KEY, /* payload.duplicate_key */
    SLU_PAYLOAD_DEPTH,         /* payload.depth: nested beyond SLU_PAYLOAD_MAX_DEPTH */
    SLU_PAYLOAD_TOO_LARGE, /* payload.too_large: beyond max_payload, or no memory for the tree */
    SLU_PAYLOAD_AVRO_MALFORMED,
    SLU_PAYLOAD_AVRO_TRUNCATED, /* the bytes end within a value */
    SLU_PAYLOAD_AVRO_TRAILING,  /* bytes behind the value */
    SLU_PAYLOAD_AVRO_INT_RANGE, /* an int beyond 32 bits, a decimal beyond its precision, … */
    SLU_PAYLOAD_AVRO_UNION,     /* no such branch */
    SLU_PAYLOAD_AVRO_ENUM,      /* no such symbol */
    SLU_PAYLOAD_AVRO_LENGTH,    /* negative, or more than the whole message has */
    SLU_PAYLOAD_AVRO_DEPTH,
    SLU_PAYLOAD_AVRO_ITEMS, /* more values than such a message may stand for */
    SLU_PAYLOAD_AVRO_UTF8,
    SLU_PAYLOAD_AVRO_FRAMING,           /* the header that was asked for is not there */
    SLU_PAYLOAD_AVRO_UNKNOWN_SCHEMA_ID, /* it names a schema that is not known */
    SLU_PAYLOAD_FAULTS,
};

/* "payload.empty", …; index by fault; [SLU_PAYLOAD_OK] is NULL. */
extern const char *const slu_payload_codes[SLU_PAYLOAD_FAULTS];

struct slu_payload_reader;

/* A payload that was read. Borrowed: the tree is gone at the reader's next slu_payload_read(). */
struct slu_payload {
    enum slu_format format;
    struct slu_slice bytes;       /* as they came; must stay in place while `root` is used */
    const struct slu_value *root; /* NULL for SLU_FORMAT_BYTES and when the fault is not OK */
    enum slu_payload_fault fault;
    size_t fault_at;                /* byte offset where it was noticed */
    const char *fault_text;         /* one clause for people: "unexpected character"; static */
    struct slu_slice fault_key;     /* duplicate_key: the key; borrowed from the scratch */
    struct slu_slice fault_pointer; /* avro: JSON Pointer of the value; borrowed like the tree */
    const struct slu_value
        *unproved; /* slu_payload_read_quickly(): not known yet whether the keys of
                                         this object, the root, differ; NULL: all keys do */
    struct slu_payload_reader *reader;
};

/* `max_bytes`: beyond it a payload is too large (the configuration's max_payload). NULL: no memory. */
struct slu_payload_reader *slu_payload_reader_new(size_t max_bytes);
void slu_payload_reader_free(struct slu_payload_reader *reader);

/* Read `bytes` as `format` into `payload`. Returns true when it holds.
 *
 * number and boolean may have blanks (space, tab, CR, LF) around them, a string keeps its own. No
 * bytes at all are payload.empty as json, number and boolean; they are the empty string as string,
 * and hold as bytes. */
bool slu_payload_read(struct slu_payload_reader *reader, enum slu_format format,
                      struct slu_slice bytes, struct slu_payload *payload);

/* The same, but whether the keys of a root object differ may be left open (payload->unproved): a schema
 * that meets each of them as another declared property answers that for nothing. Whoever has no such
 * answer must call slu_payload_prove() before the payload is believed. */
bool slu_payload_read_quickly(struct slu_payload_reader *reader, enum slu_format format,
                              struct slu_slice bytes, struct slu_payload *payload);

/* Settle what was left open. False: a key is there twice; the payload has become that fault, with
 * root NULL. */
bool slu_payload_prove(struct slu_payload *payload);

/* The exact number behind `value`, a number in payload->root's tree. When a double may have lost
 * digits, the payload is read a second time with its numbers kept as text (once a message at most:
 * kept until the next read). `scratch` holds the digits of a 64-bit integer. Falls back to the
 * double's own digits when the second reading has no memory. */
struct slu_decimal slu_payload_digits(const struct slu_payload *payload,
                                      const struct slu_value *value, char scratch[32]);

/* True: every number of the payload has at most 15 digits and none is below 10^-15 (0 apart), so that no
 * two of them, and no other number of 15 digits, have the same nearest double. Looked at once a message. */
bool slu_payload_numbers_short(const struct slu_payload *payload);

/* The number behind `value` as it was written: a JSON number's text, every digit kept. Borrowed from
 * the reader, payload->bytes or `scratch`; costs and falls back like slu_payload_digits(). */
struct slu_slice slu_payload_number_text(const struct slu_payload *payload,
                                         const struct slu_value *value, char scratch[32]);

/* Read a whole JSON document that must outlive the reader (schemas, test cases): the tree, its
 * strings and a copy of the text are one allocation; free with slu_document_free(). Numbers in
 * `raw_root` are all SLU_VALUE_BIG texts: the same tree, cell for cell, with every digit kept.
 * Refused like payloads, but nesting is the caller's to bound (at most 1024). NULL: `err` says what
 * is wrong, with line, column and, for a duplicate key or a container too deep, its pointer. */
struct slu_err;
struct slu_document {
    const struct slu_value *root;
    const struct slu_value *raw_root; /* same shape as root; numbers as their text */
    struct slu_slice text;            /* the copy */
};
struct slu_document *slu_document_parse(struct slu_slice text, size_t max_depth,
                                        struct slu_err *err);
void slu_document_free(struct slu_document *document);

/* The exact number behind `value`, a number in one of the document's trees. */
struct slu_decimal slu_document_digits(const struct slu_document *document,
                                       const struct slu_value *value);

/* The double nearest to a JSON number's text; beyond their range an infinite one. At load: it allocates;
 * without memory the answer is infinite as well, which costs comparisons of digits, nothing else. */
double slu_document_nearest(struct slu_slice json_number);

/* Line and column (1-based, bytes) of the value or key, from either tree, in the document's text. */
void slu_document_place(const struct slu_document *document, const struct slu_value *value,
                        unsigned *line, unsigned *column);

#endif
