/* test_format.c -- the formats: a table of cases, and the official suite's optional/format of every
 * draft.
 *
 * The suite is read where Debian's libtest-json-schema-acceptance-perl puts it, or from the directory
 * in SLU_SUITE_DIR (which holds tests/draft7/…). Without either that test is skipped. Every case of a
 * format that the table of formats has for the draft must be answered as the suite says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "validation/json_schema/format.h"
#include "validation/json_schema/keywords.h"
#include "validation/payload/payload.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef SLU_SUITE_DIR
#define SLU_SUITE_DIR "/usr/share/perl5/auto/share/dist/Test-JSON-Schema-Acceptance"
#endif

/* A slice as a constant initializer. */
#define TEXT(literal)                  \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

#define A10      "aaaaaaaaaa"
#define A63      A10 A10 A10 A10 A10 A10 "aaa"
#define HEBREW_9 "\u05d0\u05d1\u05d2\u05d3\u05d4\u05d5\u05d6\u05d7\u05d8"

static const struct {
    const char *format;
    struct slu_slice text;
    bool holds;
} cases[] = {
    {"date-time", TEXT("1985-04-12T23:20:50.52Z"), true},
    {"date-time", TEXT("1985-04-12t23:20:50z"), true},
    {"date-time", TEXT("1985-04-12 23:20:50Z"), false},
    {"date-time", TEXT("1985-04-12T23:20Z"), false},
    {"date-time", TEXT("1985-04-12T23:20:50"), false},
    {"date-time", TEXT("1985-04-12T23:20:50+01"), false},
    {"date-time", TEXT("1985-04-12T23:20:50Z\n"), false},
    {"date-time", TEXT("1985-04-12T23:20:50Z\0"), false},
    {"date-time", TEXT("+11963-06-19T08:30:06.283185Z"), false},
    {"date-time", TEXT("2016-12-31T24:59:60+01:00"), false},
    {"date-time", TEXT("2016-12-31T23:59:60Z"), true},
    {"date-time", TEXT("2017-01-01T00:59:60+01:00"), true},
    {"date-time", TEXT("0100-02-29T00:00:00Z"), false},
    {"date-time", TEXT("0400-02-29T00:00:00Z"), true},
    {"date-time", TEXT("0000-01-01T00:00:00-00:00"), true},
    {"date", TEXT("2024-02-29"), true},
    {"date", TEXT("1900-02-29"), false},
    {"date", TEXT("2000-02-29"), true},
    {"date", TEXT("2024-00-10"), false},
    {"date", TEXT("2024-01-00"), false},
    {"date", TEXT("2024-01-1"), false},
    {"date", TEXT("2024/01/01"), false},
    {"date", TEXT("2024-01-01Z"), false},
    {"date", TEXT(""), false},
    {"time", TEXT("23:59:60Z"), true},
    {"time", TEXT("23:59:60.5z"), true},
    {"time", TEXT("00:29:60-23:30"), true},
    {"time", TEXT("23:29:60+23:30"), true},
    {"time", TEXT("23:59:60+00:30"), false},
    {"time", TEXT("12:34:56-00:00"), true},
    {"time", TEXT("08:30:06.Z"), false},
    {"time", TEXT("08:30:06,5Z"), false},
    {"time", TEXT("08:30:06+0130"), false},
    {"time", TEXT("08:30Z"), false},
    {"time", TEXT("08:30:06ZZ"), false},
    {"duration", TEXT("P1Y2M3DT4H5M6S"), true},
    {"duration", TEXT("P1Y2D"), false},
    {"duration", TEXT("PT1H2S"), false},
    {"duration", TEXT("PT1M2S"), true},
    {"duration", TEXT("P1M2DT3M"), true},
    {"duration", TEXT("P01D"), true},
    {"duration", TEXT("P1W"), true},
    {"duration", TEXT("P1WT1H"), false},
    {"duration", TEXT("P1W1D"), false},
    {"duration", TEXT("P0Y1W"), false},
    {"duration", TEXT("PT0.5S"), false},
    {"duration", TEXT("P-1D"), false},
    {"duration", TEXT("-P1D"), false},
    {"duration", TEXT("P1DT"), false},
    {"duration", TEXT("P1D2T3H"), false},
    {"duration", TEXT("P1M2M"), false},
    {"duration", TEXT("P1\0D"), false},
    {"email", TEXT("a@b"), true},
    {"email", TEXT("!#$%&'*+/=?^_`{|}~-@iana.org"), true},
    {"email", TEXT("\"\"@iana.org"), true},
    {"email", TEXT("\"\\\"\"@iana.org"), true},
    {"email", TEXT("\"\\\"@iana.org"), false},
    {"email", TEXT("\"a\"b@iana.org"), false},
    {"email", TEXT("\"a\x7F\"@iana.org"), false},
    {"email", TEXT("a@b@c.org"), false},
    {"email", TEXT("a..b@c.org"), false},
    {"email", TEXT("a.@c.org"), false},
    {"email", TEXT("@c.org"), false},
    {"email", TEXT("a@"), false},
    {"email", TEXT("a@iana.org."), false},
    {"email", TEXT("a@-iana.org"), false},
    {"email", TEXT("a\u00e9@iana.org"), false},
    {"email", TEXT("a@\u00e9.org"), false},
    {"email", TEXT("a@[127.0.0.1]"), true},
    {"email", TEXT("a@[1.2.3]"), false},
    {"email", TEXT("a@[256.0.0.0]"), false},
    {"email", TEXT("a@[ipv6:::]"), true},
    {"email", TEXT("a@[IPv6:1111:2222:3333:4444:5555::8888]"), true},
    {"email", TEXT("a@[IPv6:1111:2222:3333:4444:5555:6666::8888]"), false},
    {"email", TEXT("a@[IPv6:1111:2222:3333:4444::255.255.255.255]"), true},
    {"email", TEXT("a@[IPv6:1111:2222:3333:4444:5555::255.255.255.255]"), false},
    {"email", TEXT("a@[1111:2222:3333:4444:5555:6666:7777:8888]"), false},
    {"email", TEXT("a@[extn:test]"), false},
    {"email", TEXT("a@[]"), false},
    {"email", TEXT("a@["), false},
    {"email", TEXT("a@[1.2.3.4"), false},
    {"email", TEXT(A63 "a@iana.org"), true},
    {"email", TEXT(A63 "aa@iana.org"), false},
    {"idn-email", TEXT("\u03b4\u03bf\u03ba@example.com"), true},
    {"idn-email", TEXT("\"\u03b4\u03bf \u03ba\"@example.com"), true},
    {"idn-email", TEXT("\"\\\u03b4\"@example.com"), false},
    {"idn-email", TEXT("user@cafe\u0301.com"), true},
    {"idn-email", TEXT("\xc2\x80@example.com"), true},
    {"idn-email", TEXT("\uffff@example.com"), true},
    {"idn-email", TEXT("user\uff20example.com"), false},
    {"idn-email", TEXT("\u03b4@-example.com"), false},
    {"idn-email", TEXT("\u03b4@example.com."), false},
    {"hostname", TEXT("a"), true},
    {"hostname", TEXT("a--b.com"), true},
    {"hostname", TEXT("ab--cd.example"), true},
    {"hostname", TEXT("127.0.0.1"), true},
    {"hostname", TEXT(".example"), false},
    {"hostname", TEXT("example."), false},
    {"hostname", TEXT("a..b"), false},
    {"hostname", TEXT("a.-b"), false},
    {"hostname", TEXT("a-.b"), false},
    {"hostname", TEXT("example.com\n"), false},
    {"hostname", TEXT("example\0.com"), false},
    {"hostname", TEXT("example\uff0ecom"), false},
    {"hostname", TEXT("\u212aelvin.example.com"), false},
    {"hostname", TEXT(A63 "." A63 "." A63 "." A10 A10 A10 A10 A10 A10 "a"), true},
    {"hostname", TEXT(A63 "." A63 "." A63 "." A10 A10 A10 A10 A10 A10 "aa"), false},
    {"hostname", TEXT(A63 "a"), false},
    {"hostname", TEXT("xn--X"), false},
    {"hostname", TEXT("xn--"), false},
    {"hostname", TEXT("xn--9n2bp8q.xn--9t4b11yi5a"), true},
    {"hostname", TEXT("xn--NXASMQ6B"), true},
    {"hostname", TEXT("xn--07jt112bpxg.xn--9t4b11yi5a"), false},
    {"hostname", TEXT("xn--hello-txk"), false},
    {"hostname", TEXT("xn--hello-zed"), false},
    {"hostname", TEXT("xn--hello-6bf"), false},
    {"hostname", TEXT("xn--zca29lwxobi7a"), true},
    {"hostname", TEXT("xn--qmbc"), true},
    {"hostname", TEXT("xn--chb89f"), false},
    {"hostname", TEXT("xn--07jceefgh4c"), false},
    {"hostname", TEXT("xn--al-0ea"), false},
    {"hostname", TEXT("xn--l-fda"), false},
    {"hostname", TEXT("xn--la-0ea"), false},
    {"hostname", TEXT("xn--l-gda"), false},
    {"hostname", TEXT("xn--ll-0ea"), true},
    {"hostname", TEXT("xn--S-jib3p"), false},
    {"hostname", TEXT("xn--wva3j"), false},
    {"hostname", TEXT("xn--wva3je"), true},
    {"hostname", TEXT("xn--A-2hc5h"), false},
    {"hostname", TEXT("xn--5db1e"), false},
    {"hostname", TEXT("xn--4dbc5h"), true},
    {"hostname", TEXT("xn--A-2hc8h"), false},
    {"hostname", TEXT("xn--5db3e"), false},
    {"hostname", TEXT("xn--4dbc8h"), true},
    {"hostname", TEXT("xn--defabc-k64e"), false},
    {"hostname", TEXT("xn--vek"), false},
    {"hostname", TEXT("xn--k8j5u"), true},
    {"hostname", TEXT("xn--bck0j"), true},
    {"hostname", TEXT("xn--vek778f"), true},
    {"hostname", TEXT("xn--ngb6iyr"), false},
    {"hostname", TEXT("xn--ngba1o"), true},
    {"hostname", TEXT("xn--0-gyc"), true},
    {"hostname", TEXT("xn--11b2er09f"), false},
    {"hostname", TEXT("xn--02b508i"), false},
    {"hostname", TEXT("xn--11b2ezcw70k"), true},
    {"hostname", TEXT("xn--11b2ezcs70k"), true},
    {"hostname", TEXT("xn--ngba5hb2804a"), true},
    {"idn-hostname", TEXT("\uff11\uff12\uff13"), true},
    {"idn-hostname", TEXT("a\u200bb"), true},
    {"idn-hostname", TEXT("\u200b"), false},
    {"idn-hostname", TEXT("cafe\u0301.com"), true},
    {"idn-hostname", TEXT("\uff58\uff4e--nxasmq6b"), true},
    {"idn-hostname", TEXT("fa\u00df.de"), true},
    {"idn-hostname", TEXT("\u2603.example"), false},
    {"idn-hostname", TEXT("\u2100"), false}, /* maps to a/c */
    {"idn-hostname", TEXT("x_\u00e9"), false},
    {"idn-hostname", TEXT("\u00e9\0"), false},
    {"idn-hostname", TEXT("\u0628\u0660.\u0628\u06f0"), true},
    {"idn-hostname", TEXT("\u0660\u0661"), false},
    {"idn-hostname", TEXT("\u0915\u094d\u200c\u0937x\u200cy"), false},
    {"idn-hostname", TEXT("0a.\u05d0"), false},
    {"idn-hostname", TEXT("a0.\u05d0"), true},
    {"idn-hostname", TEXT("\u00e9a.\u05d0"), true},
    {"idn-hostname", TEXT("1\u00e9.\u05d0"), false},
    {"idn-hostname", TEXT("\u00e91.\u05d0"), true},
    {"idn-hostname", TEXT("\u0915\u0941.\u05d0"), true},  /* ends with NSM */
    {"idn-hostname", TEXT("\u30a1\u30fb.\u05d0"), false}, /* ends with ON */
    {"idn-hostname", TEXT("\u30a1\u30fb.a"), true},
    {"idn-hostname", TEXT("0\u0627"), false},
    {"idn-hostname", TEXT("a\u05d0"), false},
    {"idn-hostname", TEXT("\u05d00\u0660"), false},
    {"idn-hostname", TEXT("\u05d00"), true},
    {"idn-hostname", TEXT("xn--7a"), false},
    {"idn-hostname", TEXT("xn--0ca24w"), false},
    {"idn-hostname", TEXT("xn--example-"), false},
    {"idn-hostname", TEXT("xn---9uc"), false},
    {"idn-hostname", TEXT("a\u3002b\uff0ec\uff61d"), true},
    {"idn-hostname", TEXT("\u3002example"), false},
    {"idn-hostname", TEXT("example\uff61"), false},
    {"idn-hostname", TEXT("a\u3002\u3002b"), false},
    {"idn-hostname", TEXT(HEBREW_9 HEBREW_9 HEBREW_9 ".0a"), false},
    {"idn-hostname", TEXT(HEBREW_9 HEBREW_9 HEBREW_9 HEBREW_9 HEBREW_9 "\u05d0.0a"), false},
    {"idn-hostname", TEXT(HEBREW_9 HEBREW_9 HEBREW_9 HEBREW_9 HEBREW_9 "\u05d0.a0"), true},
    {"ipv4", TEXT("0.0.0.0"), true},
    {"ipv4", TEXT("255.255.255.255"), true},
    {"ipv4", TEXT("255.255.255.256"), false},
    {"ipv4", TEXT("01.2.3.4"), false},
    {"ipv4", TEXT("1.2.3.4."), false},
    {"ipv4", TEXT("1.2.3"), false},
    {"ipv4", TEXT("1.2..3"), false},
    {"ipv4", TEXT("1.2.3.4\0"), false},
    {"ipv4", TEXT("\uff11.2.3.4"), false},
    {"ipv4", TEXT(""), false},
    {"ipv6", TEXT("::"), true},
    {"ipv6", TEXT("1:2:3:4:5:6:7::"), true},
    {"ipv6", TEXT("::2:3:4:5:6:7:8"), true},
    {"ipv6", TEXT("1:2:3:4:5:6:7::8"), false},
    {"ipv6", TEXT("1:2:3:4:5:6:7:8::"), false},
    {"ipv6", TEXT("::1:2:3:4:5:6:7:8"), false},
    {"ipv6", TEXT("1:2:3:4:5:6:7:8:9"), false},
    {"ipv6", TEXT("1:2:3:4:5:6:1.2.3.4"), true},
    {"ipv6", TEXT("1:2:3:4:5::1.2.3.4"), true},
    {"ipv6", TEXT("1:2:3:4:5:6::1.2.3.4"), false},
    {"ipv6", TEXT("::ffff:01.2.3.4"), false},
    {"ipv6", TEXT("1.2.3.4"), false},
    {"ipv6", TEXT("1.2.3.4::"), false},
    {"ipv6", TEXT("1:::2"), false},
    {"ipv6", TEXT(":::"), false},
    {"ipv6", TEXT(":1"), false},
    {"ipv6", TEXT(":"), false},
    {"ipv6", TEXT(""), false},
    {"ipv6", TEXT("fe80::1%25eth0"), false},
    {"uri", TEXT("a:"), true},
    {"uri", TEXT("http://"), true},
    {"uri", TEXT("http://@:/"), true},
    {"uri", TEXT("http://a:80"), true},
    {"uri", TEXT("http://a:80:80"), false},
    {"uri", TEXT("http://a:8a"), false},
    {"uri", TEXT("http://a@b@c"), false},
    {"uri", TEXT("http://u:p@h"), true},
    {"uri", TEXT("http://[::1]"), true},
    {"uri", TEXT("http://[::1]:8080/x"), true},
    {"uri", TEXT("http://[::1]x"), false},
    {"uri", TEXT("http://[::1"), false},
    {"uri", TEXT("http://[]"), false},
    {"uri", TEXT("http://[v1.fe:x]"), true},
    {"uri", TEXT("http://[V1.fe]"), true},
    {"uri", TEXT("http://[v.fe]"), false},
    {"uri", TEXT("http://[v1.]"), false},
    {"uri", TEXT("http://[::ffff:01.2.3.4]"), false},
    {"uri", TEXT("http:/[::1]"), false},
    {"uri", TEXT("https://[@example.org/test.txt"), false},
    {"uri", TEXT("http://087.10.0.1/"), true},
    {"uri", TEXT("http://a_b~.%41/"), true},
    {"uri", TEXT("http://a/%4"), false},
    {"uri", TEXT("http://a/%4g"), false},
    {"uri", TEXT("http://a/%"), false},
    {"uri", TEXT("http://a/?a?b/#c/?"), true},
    {"uri", TEXT("http://a/#b#c"), false},
    {"uri", TEXT("http://a/?[x]"), false},
    {"uri", TEXT("http://a/\xc2\xae"), false},
    {"uri", TEXT("http://a/{}"), false},
    {"uri", TEXT("http://a/\n"), false},
    {"uri", TEXT("http://a/\0"), false},
    {"uri", TEXT("1http://a"), false},
    {"uri", TEXT("ht_tp://a"), false},
    {"uri", TEXT("a+b-c.d:x"), true},
    {"uri-reference", TEXT(""), true},
    {"uri-reference", TEXT("?"), true},
    {"uri-reference", TEXT("a/b:c"), true},
    {"uri-reference", TEXT("./a:b"), true},
    {"uri-reference", TEXT("1a:b"), false},
    {"uri-reference", TEXT(":"), false},
    {"uri-reference", TEXT("//a//b"), true},
    {"uri-reference", TEXT("/%zz"), false},
    {"uri-reference", TEXT("/p\n"), false},
    {"iri", TEXT("http://\u0192.\u00df/\U00010300"), true},
    {"iri", TEXT("http://a/?\U000F0000\ue000"), true},
    {"iri", TEXT("http://a/\ue000"), false},
    {"iri", TEXT("http://a/#\ue000"), false},
    {"iri", TEXT("http://a/\ufdd0"), false},
    {"iri", TEXT("http://a/\ufffe"), false},
    {"iri", TEXT("http://a/\U0001FFFE"), false},
    {"iri", TEXT("http://a/\xc2\x80"), false},
    {"iri", TEXT("http://a/\U000E0041"), false},
    {"iri", TEXT("http://a/\U000E1000"), true},
    {"iri", TEXT("http://[v1.\u00e9]"), false},
    {"iri", TEXT("\u00e9:a"), false},
    {"iri-reference", TEXT("\u00e9"), true},
    {"iri-reference", TEXT("\u00e9:a"), false},
    {"uri-template", TEXT(""), true},
    {"uri-template", TEXT("{+a,b:3,c.d*}{?%41,_}"), true},
    {"uri-template", TEXT("{}"), false},
    {"uri-template", TEXT("{a,,b}"), false},
    {"uri-template", TEXT("{a,}"), false},
    {"uri-template", TEXT("{v:0}"), false},
    {"uri-template", TEXT("{v:01}"), false},
    {"uri-template", TEXT("{v:9999}"), true},
    {"uri-template", TEXT("{v:10000}"), false},
    {"uri-template", TEXT("{a..b}"), false},
    {"uri-template", TEXT("{a.}"), false},
    {"uri-template", TEXT("{.a}"), true},
    {"uri-template", TEXT("{,+a}"), false},
    {"uri-template", TEXT("{a=b}"), false},
    {"uri-template", TEXT("{%4}"), false},
    {"uri-template", TEXT("{a%4}"), false},
    {"uri-template", TEXT("{a"), false},
    {"uri-template", TEXT("{"), false},
    {"uri-template", TEXT("a}b"), false},
    {"uri-template", TEXT("a%41b'"), true},
    {"uri-template", TEXT("a%4"), false},
    {"uri-template", TEXT("a b"), false},
    {"uri-template", TEXT("a\x7F"), false},
    {"uri-template", TEXT("a\0"), false},
    {"uri-template", TEXT("\u00e9\U0001F600\ue000"), true},
    {"json-pointer", TEXT(""), true},
    {"json-pointer", TEXT("/\0"), true},
    {"json-pointer", TEXT("/~01"), true},
    {"json-pointer", TEXT("/~"), false},
    {"json-pointer", TEXT("a"), false},
    {"relative-json-pointer", TEXT("0"), true},
    {"relative-json-pointer", TEXT("100"), true},
    {"relative-json-pointer", TEXT("0//"), true},
    {"relative-json-pointer", TEXT("1foo"), false},
    {"relative-json-pointer", TEXT("1#/foo"), false},
    {"relative-json-pointer", TEXT("0/~2"), false},
    {"relative-json-pointer", TEXT("1\n"), false},
    {"relative-json-pointer", TEXT("\u0661/foo"), false},
    {"relative-json-pointer", TEXT("0+1/foo"), true},
    {"relative-json-pointer", TEXT("1-2"), true},
    {"relative-json-pointer", TEXT("0-1#"), true},
    {"relative-json-pointer", TEXT("0+01"), false},
    {"relative-json-pointer", TEXT("0+"), false},
    {"regex", TEXT("^(a|b)+$"), true},
    {"regex", TEXT("^(abc]"), false},
    {"regex", TEXT("\\a"), false},
    {"regex", TEXT("(?<n>a)\\k<n>"), true},
    {"regex", TEXT("(?P<n>a)"), false},
    {"regex", TEXT("(?i)abc"), false},
    {"regex", TEXT("(?<=a+)b"), true},
    {"regex", TEXT("[]"), true},
    {"regex", TEXT("[^]"), true},
    {"regex", TEXT("\\cA"), true},
    {"regex", TEXT("a**"), false},
    {"uuid", TEXT("2eb8aa08-AA98-11ea-b4aa-73b441d16380"), true},
    {"uuid", TEXT("urn:uuid:2eb8aa08-aa98-11ea-b4aa-73b441d16380"), false},
    {"uuid", TEXT("2eb8aa08-aa98-11ea-b4aa-73b441d1638\xd9\xa0"), false},
    {"uuid", TEXT("2eb8aa08-aa98-11ea-b4aa-73b441d163800"), false},
    {"uuid", TEXT("{2eb8aa08-aa98-11ea-b4aa-73b441d16380}"), false},
};

static void every_case_is_answered(void **state)
{
    (void)state;
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const int id =
            slu_string_format_find(cases[i].format, strlen(cases[i].format), SLU_DRAFT_2020);
        assert_true(id >= 0);
        assert_string_equal(slu_string_format_name(id), cases[i].format);
        /* A copy of the exact size: what reads beyond is seen by the sanitizer. */
        char *copy = malloc(cases[i].text.len + (cases[i].text.len == 0));
        assert_non_null(copy);
        memcpy(copy, cases[i].text.data, cases[i].text.len);
        const bool holds = slu_string_format_holds(id, copy, cases[i].text.len);
        free(copy);
        if (holds == cases[i].holds)
            continue;
        wrong++;
        print_message("WRONG %s \"%.*s\": %s\n", cases[i].format, SLU_SLICE_ARG(cases[i].text),
                      holds ? "holds" : "does not hold");
    }
    assert_int_equal(wrong, 0);
}

static int find(const char *name, unsigned draft)
{
    return slu_string_format_find(name, strlen(name), draft);
}

static void a_draft_knows_its_own_formats(void **state)
{
    (void)state;
    assert_true(find("uri", SLU_DRAFT_4) >= 0);
    assert_int_equal(find("uri-reference", SLU_DRAFT_4), -1);
    assert_int_equal(find("date", SLU_DRAFT_6), -1);
    assert_true(find("date", SLU_DRAFT_7) >= 0);
    assert_int_equal(find("uuid", SLU_DRAFT_7), -1);
    assert_true(find("uuid", SLU_DRAFT_2019) >= 0);
    assert_int_equal(find("color", SLU_DRAFT_2020), -1);
    assert_int_equal(find("", SLU_DRAFT_2020), -1);
    assert_int_equal(slu_string_format_find("uuid\0", 5, SLU_DRAFT_2020), -1);
}

static void a_format_may_mean_different_things_in_different_drafts(void **state)
{
    (void)state;
    assert_true(slu_string_format_holds(find("hostname", SLU_DRAFT_4), "xn--x", 5));
    assert_false(slu_string_format_holds(find("hostname", SLU_DRAFT_7), "xn--x", 5));
    assert_false(slu_string_format_holds(find("relative-json-pointer", SLU_DRAFT_7), "0+1", 3));
    assert_true(slu_string_format_holds(find("relative-json-pointer", SLU_DRAFT_2020), "0+1", 3));
}

static void a_name_beyond_ascii_costs_more(void **state)
{
    (void)state;
    const int name = find("idn-hostname", SLU_DRAFT_2020), date = find("date", SLU_DRAFT_2020);
    const uint64_t plain = slu_string_format_cost(name, "example", 7);
    assert_true(plain < 100);
    assert_true(slu_string_format_cost(name, "ex\xc3\xa1mple", 8) > 10 * plain);
    assert_true(slu_string_format_cost(name, "xn--9ca", 7) > 10 * plain);
    assert_true(slu_string_format_cost(date, "\xc3\xa1", 2) < 100);
    assert_true(slu_string_format_cost(date, NULL, 0) > 0);
}

/* The official suite. */

#define MAX_FORMATS 64

struct score {
    char name[32]; /* of the format */
    unsigned passed, failed;
};

static struct score scores[MAX_FORMATS];
static size_t n_scores;
static unsigned unknown;

static struct score *score_of(const char *name)
{
    for (size_t i = 0; i < n_scores; i++) {
        if (strcmp(scores[i].name, name) == 0)
            return &scores[i];
    }
    assert_true(n_scores < MAX_FORMATS);
    snprintf(scores[n_scores].name, sizeof(scores[n_scores].name), "%s", name);
    return &scores[n_scores++];
}

static const struct slu_value *member(const struct slu_value *object, const char *name)
{
    return slu_value_get(object, slu_slice_of(name));
}

/* A lone surrogate never gets past the reader of payloads. Newer suites have one in a string that must
 * not hold; U+0000 takes its place. */
static void replace_lone_surrogates(char *text, size_t len)
{
    for (size_t i = 0; i + 6 <= len; i++) {
        if (text[i] != '\\' || text[i + 1] != 'u') {
            i += text[i] == '\\';
            continue;
        }
        const bool high = (text[i + 2] | 0x20) == 'd' && strchr("89aAbB", text[i + 3]) != NULL;
        const bool low = (text[i + 2] | 0x20) == 'd' && strchr("cCdDeEfF", text[i + 3]) != NULL;
        if (high && i + 12 <= len && text[i + 6] == '\\' && (text[i + 8] | 0x20) == 'd')
            i += 11;
        else if (high || low)
            memcpy(text + i + 2, "0000", 4);
    }
}

static struct slu_document *read_file(const char *path)
{
    struct slu_buf text;
    char chunk[4096];
    size_t n;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    slu_buf_init(&text, 16u << 20);
    while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
        slu_buf_add(&text, chunk, n);
    fclose(file);
    replace_lone_surrogates(text.data, text.len);
    struct slu_err err = {0};
    struct slu_document *document = slu_document_parse(slu_buf_slice(&text), 256, &err);
    if (document == NULL)
        fail_msg("%s: %s", path, err.text);
    slu_buf_fini(&text);
    return document;
}

static void run_group(const char *draft_name, unsigned draft, const struct slu_value *group)
{
    const struct slu_value *schema = member(group, "schema");
    const struct slu_value *format = member(schema, "format");
    const struct slu_value *tests = member(group, "tests");
    if (format == NULL || slu_value_len(schema) > 1 + (member(schema, "$schema") != NULL))
        return;
    const struct slu_slice name = slu_value_text(format);
    const int id = slu_string_format_find(name.data, name.len, draft);
    if (id < 0) {
        unknown += (unsigned)slu_value_len(tests);
        return;
    }
    struct score *score = score_of(slu_string_format_name(id));
    const struct slu_value *test = slu_value_first(tests);
    for (size_t i = 0; i < slu_value_len(tests); i++, test = slu_value_next(test)) {
        const struct slu_value *data = member(test, "data");
        const bool expected = slu_value_variant(member(test, "valid")) == SLU_VALUE_TRUE;
        const bool holds = slu_value_kind(data) != SLU_VALUE_STRING ||
                           slu_string_format_holds(id, data->text, slu_value_len(data));
        *(holds == expected ? &score->passed : &score->failed) += 1;
        if (holds != expected)
            print_message("WRONG %s %s: %.*s\n", draft_name, score->name,
                          SLU_SLICE_ARG(slu_value_text(member(test, "description"))));
    }
}

static void run_file(const char *path, const char *draft_name, unsigned draft)
{
    struct slu_document *document = read_file(path);
    const struct slu_value *group = slu_value_first(document->root);
    for (size_t i = 0; i < slu_value_len(document->root); i++, group = slu_value_next(group))
        run_group(draft_name, draft, group);
    slu_document_free(document);
}

static int is_json(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot != NULL && strcmp(dot, ".json") == 0;
}

static void run_directory(const char *suite, const char *draft_name, const char *inside,
                          unsigned draft)
{
    char path[4096];
    struct dirent **files = NULL;
    snprintf(path, sizeof(path), "%s/tests/%s/%s", suite, draft_name, inside);
    const int n = scandir(path, &files, is_json, alphasort);
    if (n <= 0)
        fail_msg("nothing in %s", path);
    for (int i = 0; i < n; i++) {
        char file[4608];
        snprintf(file, sizeof(file), "%s/%s", path, files[i]->d_name);
        run_file(file, draft_name, draft);
        free(files[i]);
    }
    free(files);
}

static void the_official_suite_is_answered_as_it_says(void **state)
{
    static const struct {
        const char *name;
        unsigned draft;
    } drafts[] = {
        {"draft4", SLU_DRAFT_4},          {"draft6", SLU_DRAFT_6},          {"draft7", SLU_DRAFT_7},
        {"draft2019-09", SLU_DRAFT_2019}, {"draft2020-12", SLU_DRAFT_2020},
    };
    (void)state;
    const char *given = getenv("SLU_SUITE_DIR");
    const char *suite = given != NULL ? given : SLU_SUITE_DIR;
    DIR *there = opendir(suite);
    if (there == NULL) {
        print_message("no test suite in %s\n", suite);
        skip();
    }
    closedir(there);
    unsigned failed = 0;
    for (size_t i = 0; i < sizeof(drafts) / sizeof(drafts[0]); i++) {
        /* Beside its own folder, the regex format is tested among the expressions. */
        run_directory(suite, drafts[i].name, "optional/format", drafts[i].draft);
        run_directory(suite, drafts[i].name, "optional", drafts[i].draft);
    }
    for (size_t i = 0; i < n_scores; i++) {
        print_message("%-24s passed %4u  failed %3u\n", scores[i].name, scores[i].passed,
                      scores[i].failed);
        failed += scores[i].failed;
    }
    print_message("%-24s        %4u\n", "(no format there)", unknown);
    assert_int_equal(failed, 0);
    assert_true(n_scores > 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_is_answered),
        cmocka_unit_test(a_draft_knows_its_own_formats),
        cmocka_unit_test(a_format_may_mean_different_things_in_different_drafts),
        cmocka_unit_test(a_name_beyond_ascii_costs_more),
        cmocka_unit_test(the_official_suite_is_answered_as_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
