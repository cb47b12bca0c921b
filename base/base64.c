/* base64.c -- see base64.h.
 *
 *   three bytes   aaaaaaaa bbbbbbbb cccccccc
 *   four letters  aaaaaa aabbbb bbbbcc cccccc      one byte: "xx==", two: "xxx="
 *
 * The unused low bits before padding must be zero (RFC 4648 §3.5), so that there is exactly one
 * text for each sequence of bytes.
 */
#include "base/base64.h"

#include <stdint.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool slu_base64_encode(struct slu_buf *out, struct slu_slice bytes)
{
    if (bytes.len > SIZE_MAX / 4 * 3 - 3) {
        out->failed = true;
        return false;
    }
    const size_t text_len = (bytes.len + 2) / 3 * 4;
    char *text = slu_buf_room(out, text_len);
    if (text == NULL)
        return false;

    const unsigned char *at = (const unsigned char *)bytes.data;
    size_t left = bytes.len;
    for (; left > 0; text += 4) {
        const size_t take = left < 3 ? left : 3;
        const uint32_t triple = (uint32_t)at[0] << 16 | (take > 1 ? (uint32_t)at[1] << 8 : 0) |
                                (take > 2 ? (uint32_t)at[2] : 0);
        text[0] = letters[triple >> 18];
        text[1] = letters[triple >> 12 & 63];
        text[2] = take > 1 ? letters[triple >> 6 & 63] : '=';
        text[3] = take > 2 ? letters[triple & 63] : '=';
        at += take;
        left -= take;
    }
    slu_buf_grew(out, text_len);
    return true;
}

/* The six bits of a letter, or -1. */
static int bits_of(char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return letter - 'A';
    if (letter >= 'a' && letter <= 'z')
        return letter - 'a' + 26;
    if (letter >= '0' && letter <= '9')
        return letter - '0' + 52;
    if (letter == '+')
        return 62;
    return letter == '/' ? 63 : -1;
}

/* Four letters, the last `padding` of which are '='. Returns how many bytes, or -1. */
static int decode_four(const char *text, unsigned padding, char *out)
{
    uint32_t triple = 0;
    for (unsigned i = 0; i < 4 - padding; i++) {
        const int bits = bits_of(text[i]);
        if (bits < 0)
            return -1;
        triple |= (uint32_t)bits << (18 - 6 * i);
    }

    const unsigned n = 3 - padding;
    if ((triple & ((UINT32_C(1) << (8 * padding)) - 1)) != 0)
        return -1;
    for (unsigned i = 0; i < n; i++)
        out[i] = (char)(unsigned char)(triple >> (16 - 8 * i));
    return (int)n;
}

static unsigned padding_of(struct slu_slice text)
{
    if (text.len == 0 || text.data[text.len - 1] != '=')
        return 0;
    return text.data[text.len - 2] == '=' ? 2 : 1;
}

int slu_base64_decode(struct slu_buf *out, struct slu_slice text)
{
    if (text.len % 4 != 0)
        return -1;
    char *bytes = slu_buf_room(out, text.len / 4 * 3);
    if (bytes == NULL)
        return -1;

    const unsigned padding = padding_of(text);
    size_t n = 0;
    for (size_t at = 0; at < text.len; at += 4) {
        const bool last = at + 4 == text.len;
        const int got = decode_four(text.data + at, last ? padding : 0, bytes + n);
        if (got < 0) {
            slu_buf_cut(out, out->len);
            return -1;
        }
        n += (size_t)got;
    }
    slu_buf_grew(out, n);
    return 0;
}
