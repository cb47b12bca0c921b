/* test_crc32c.c -- CRC-32C: the RFC's vectors, both forms against each other and the definition. */
#include "base/crc32c.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

typedef uint32_t sum_function(uint32_t crc, const void *bytes, size_t n);

/* Bit by bit, as the definition has it. */
static uint32_t by_definition(uint32_t crc, const void *bytes, size_t n)
{
    const unsigned char *at = bytes;
    uint32_t sum = ~crc;
    for (size_t i = 0; i < n; i++) {
        sum ^= at[i];
        for (int bit = 0; bit < 8; bit++)
            sum = (sum & 1) != 0 ? sum >> 1 ^ UINT32_C(0x82F63B78) : sum >> 1;
    }
    return ~sum;
}

static size_t all_forms(sum_function *forms[4])
{
    size_t n = 0;
    forms[n++] = by_definition;
    forms[n++] = slu_crc32c_portable;
    forms[n++] = slu_crc32c;
    if (slu_crc32c_has_hardware())
        forms[n++] = slu_crc32c_hardware;
    return n;
}

/* RFC 3720 §B.4, and the check value of "123456789". */
static void the_vectors_of_the_rfc(void **state)
{
    (void)state;
    unsigned char zeros[32];
    unsigned char ones[32];
    unsigned char up[32];
    unsigned char down[32];
    for (unsigned i = 0; i < 32; i++) {
        zeros[i] = 0;
        ones[i] = 0xFF;
        up[i] = (unsigned char)i;
        down[i] = (unsigned char)(31 - i);
    }
    static const unsigned char iscsi_read[48] = {
        0x01, 0xC0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00,
        0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18, 0x28, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    };
    const struct {
        const void *bytes;
        size_t n;
        uint32_t crc;
    } cases[] = {
        {zeros, 32, 0x8A9136AA},
        {ones, 32, 0x62A8AB43},
        {up, 32, 0x46DD794E},
        {down, 32, 0x113FDB5C},
        {iscsi_read, 48, 0xD9963A56},
        {"123456789", 9, 0xE3069283},
        {"", 0, 0},
    };
    sum_function *forms[4];
    const size_t n_forms = all_forms(forms);

    for (size_t form = 0; form < n_forms; form++) {
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
            assert_int_equal(forms[form](0, cases[i].bytes, cases[i].n), cases[i].crc);
    }
}

static void all_forms_agree_on_every_length_and_alignment(void **state)
{
    (void)state;
    enum { BYTES = 20000 };
    struct slu_random random;
    slu_random_seed(&random, 19);
    unsigned char *bytes = malloc(BYTES);
    assert_non_null(bytes);
    for (size_t i = 0; i < BYTES; i++)
        bytes[i] = (unsigned char)slu_random_next(&random);
    sum_function *forms[4];
    const size_t n_forms = all_forms(forms);

    for (size_t round = 0; round < 3000; round++) {
        const size_t at = slu_random_below(&random, 64);
        const size_t n = round < 1000       ? round
                         : round % 100 == 0 ? slu_random_below(&random, BYTES - 64)
                                            : 1000 + slu_random_below(&random, 4000);
        const uint32_t start = (uint32_t)slu_random_next(&random);
        const uint32_t expected = forms[1](start, bytes + at, n);
        for (size_t form = 0; form < n_forms; form++)
            assert_int_equal(forms[form](start, bytes + at, n), expected);
    }
    free(bytes);
}

static void a_sum_can_be_continued_anywhere(void **state)
{
    (void)state;
    struct slu_random random;
    slu_random_seed(&random, 23);
    unsigned char bytes[4000];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)slu_random_next(&random);
    const uint32_t whole = by_definition(0, bytes, sizeof(bytes));
    sum_function *forms[4];
    const size_t n_forms = all_forms(forms);

    for (size_t form = 0; form < n_forms; form++) {
        for (size_t cut = 0; cut <= sizeof(bytes); cut += 13) {
            const uint32_t first = forms[form](0, bytes, cut);
            assert_int_equal(forms[form](first, bytes + cut, sizeof(bytes) - cut), whole);
        }
    }
}

static void nothing_changes_nothing(void **state)
{
    (void)state;
    sum_function *forms[4];
    const size_t n_forms = all_forms(forms);
    for (size_t form = 0; form < n_forms; form++)
        assert_int_equal(forms[form](0x12345678, NULL, 0), 0x12345678);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_rfc),
        cmocka_unit_test(all_forms_agree_on_every_length_and_alignment),
        cmocka_unit_test(a_sum_can_be_continued_anywhere),
        cmocka_unit_test(nothing_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
