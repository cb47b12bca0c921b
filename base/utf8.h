/* utf8.h -- UTF-8 (RFC 3629): is it, and how many code points. */
#ifndef SLU_BASE_UTF8_H
#define SLU_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* True when all `n` bytes are well-formed UTF-8 (no surrogates, no overlong forms, ≤ U+10FFFF). */
bool slu_utf8_valid(const char *bytes, size_t n);

/* Bytes (1 to 4) of the well-formed code point at the beginning; 0 when there is none. */
size_t slu_utf8_step(const char *bytes, size_t n);

/* May the well-formed code point of `step` bytes stand in an MQTT string? No control characters and no
 * noncharacters (MQTT 5.0 §1.5.4): a receiver may close the connection that brings one. */
bool slu_utf8_allowed_in_mqtt(const char *bytes, size_t step);

/* Code points in well-formed UTF-8. */
size_t slu_utf8_length(const char *bytes, size_t n);

/* Bytes of the longest prefix of `n` ≤ `max` bytes that ends between code points. */
size_t slu_utf8_cut(const char *bytes, size_t n, size_t max);

#endif
