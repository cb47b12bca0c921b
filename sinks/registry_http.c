/* registry_http.c -- see registry_http.h. libcurl's easy interface; the progress callback looks at *stop
 * at least once a second, so that a broker that stops does not wait for a registry that does not answer.
 *
 * SIGPIPE: OpenSSL writes with write(2). Our threads block every signal, but `sluice check` runs in the
 * command's own thread, so it is blocked for the time of the request and taken away if it came.
 */
#include "sinks/registry_http.h"

#include "base/clock.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define URL_MAX            8192
#define CONNECT_TIMEOUT_MS 5000L
#define HEAD_LINES_MAX     1000 /* libcurl 8 ends at 5,000 by itself, as a failure of the network */

struct slu_http {
    const struct slu_registry_options *options;
    CURL *easy;
    struct curl_slist *headers;
    char why[CURL_ERROR_SIZE];
};

/* A reply while it comes. */
struct incoming {
    struct slu_buf *body;
    size_t head_bytes;
    unsigned head_lines;
    bool too_large;
    bool no_memory;
    const _Atomic bool *stop;
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

/* Never undone: the plugin stays in memory, and another library in the process may use libcurl too. */
static void init_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* ---- what comes ---------------------------------------------------------------------------------------- */

static size_t take_body(char *bytes, size_t size, size_t n, void *context)
{
    struct incoming *incoming = context;

    if (n > incoming->body->max - incoming->body->len)
        incoming->too_large = true;
    else if (!slu_buf_add(incoming->body, bytes, n))
        incoming->no_memory = true;
    return incoming->too_large || incoming->no_memory ? 0 : size * n;
}

static size_t take_head(char *bytes, size_t size, size_t n, void *context)
{
    struct incoming *incoming = context;

    (void)bytes;
    incoming->head_bytes += n;
    incoming->head_lines++; /* libcurl calls once a line */
    if (incoming->head_bytes > SLU_HTTP_HEAD_MAX || incoming->head_lines > HEAD_LINES_MAX)
        incoming->too_large = true;
    return incoming->too_large ? 0 : size * n;
}

static int look_for_stop(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                         curl_off_t up)
{
    const struct incoming *incoming = context;

    (void)down_total, (void)down, (void)up_total, (void)up;
    return incoming->stop != NULL && atomic_load(incoming->stop);
}

/* ---- options ------------------------------------------------------------------------------------------- */

static bool add_header(struct slu_http *http, const char *line)
{
    struct curl_slist *longer = curl_slist_append(http->headers, line);

    if (longer != NULL)
        http->headers = longer;
    return longer != NULL;
}

static CURLcode set_authentication(CURL *easy, const struct slu_registry_options *options)
{
    CURLcode code = CURLE_OK;

    if (options->token != NULL) {
        code = curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        return code != CURLE_OK ? code
                                : curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, options->token);
    }
    if (options->username == NULL)
        return code;
    code = curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_USERNAME, options->username);
    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_PASSWORD,
                                options->password != NULL ? options->password : "");
    return code;
}

/* What is the same for every request. */
static bool set_options(struct slu_http *http)
{
    CURL *easy = http->easy;
    const char *ca_file = http->options->ca_file;
    CURLcode code = CURLE_OK;

#define SET(option, value) (code = code != CURLE_OK ? code : curl_easy_setopt(easy, option, value))
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PATH_AS_IS, 1L); /* a subject may be called ".." */
    SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (ca_file != NULL)
        SET(CURLOPT_CAINFO, ca_file);
    SET(CURLOPT_HTTPHEADER, http->headers);
    SET(CURLOPT_USERAGENT, "sluice/" SLUICE_VERSION);
    SET(CURLOPT_ERRORBUFFER, http->why);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_HEADERFUNCTION, take_head);
    SET(CURLOPT_XFERINFOFUNCTION, look_for_stop);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    /* A look-up of a name that hangs is left to its own thread, not waited for. */
    SET(CURLOPT_QUICK_EXIT, 1L);
#undef SET
    return (code != CURLE_OK ? code : set_authentication(easy, http->options)) == CURLE_OK;
}

struct slu_http *slu_http_new(const struct slu_registry_options *options, struct slu_err *err)
{
    struct slu_http *http = calloc(1, sizeof(*http));

    pthread_once(&curl_once, init_curl);
    if (http != NULL) {
        http->options = options;
        http->easy = curl_easy_init();
        if (http->easy != NULL &&
            add_header(http, "Accept: application/vnd.schemaregistry.v1+json, application/json") &&
            add_header(http, "Content-Type: application/vnd.schemaregistry.v1+json") &&
            add_header(http, "Expect:") && set_options(http))
            return http;
    }
    slu_http_free(http);
    slu_err_set(err, SLU_ENOMEM, "no memory for the registry's client");
    return NULL;
}

void slu_http_free(struct slu_http *http)
{
    if (http == NULL)
        return;
    curl_easy_cleanup(http->easy);
    curl_slist_free_all(http->headers);
    free(http);
}

/* ---- one request ----------------------------------------------------------------------------------------- */

static CURLcode perform_without_sigpipe(CURL *easy)
{
    static const struct timespec now = {0, 0};
    sigset_t pipe, before, waiting;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&waiting);
    const bool waited = sigismember(&waiting, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    const CURLcode code = curl_easy_perform(easy);
    if (!waited)
        sigtimedwait(&pipe, NULL, &now);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

static int tell_failure(const struct slu_http *http, const struct incoming *incoming, CURLcode code,
                        struct slu_err *err)
{
    const char *url = http->options->url;

    /* Not CURLE_OUT_OF_MEMORY: libcurl 7 says that of a line of head that is too long. */
    if (incoming->no_memory)
        return slu_err_set(err, SLU_ENOMEM, "no memory for what the registry says");
    if (incoming->too_large)
        return slu_err_set(err, SLU_ECORRUPT,
                           "registry %s: the reply is larger than a schema registry's", url);
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return slu_err_set(err, SLU_EBUSY, "registry %s: stopped", url);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return slu_err_set(err, SLU_EIO, "registry %s: no answer in time", url);
    return slu_err_set(err, SLU_EIO, "registry %s: %s", url,
                       http->why[0] != '\0' ? http->why : curl_easy_strerror(code));
}

/* The deadline as libcurl wants it; 0 would be "none". */
static long time_left_ms(int64_t deadline_mono_ns)
{
    const int64_t left = (deadline_mono_ns - slu_clock_mono_ns()) / SLU_NS_PER_MS;

    return left < 1 ? 1 : left > 3600000 ? 3600000 : (long)left;
}

static CURLcode set_request(struct slu_http *http, const char *url, const char *body, long time_ms,
                            struct incoming *incoming)
{
    CURL *easy = http->easy;
    CURLcode code = CURLE_OK;

#define SET(option, value) (code = code != CURLE_OK ? code : curl_easy_setopt(easy, option, value))
    SET(CURLOPT_URL, url);
    SET(CURLOPT_TIMEOUT_MS, time_ms);
    SET(CURLOPT_WRITEDATA, incoming);
    SET(CURLOPT_HEADERDATA, incoming);
    SET(CURLOPT_XFERINFODATA, incoming);
    if (body != NULL) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDSIZE, (long)strlen(body));
        SET(CURLOPT_POSTFIELDS, body);
    } else {
        SET(CURLOPT_HTTPGET, 1L);
    }
#undef SET
    return code;
}

int slu_http_ask(struct slu_http *http, const char *path, const char *body,
                 int64_t deadline_mono_ns, struct slu_http_reply *reply, struct slu_err *err)
{
    struct incoming incoming = {.body = &reply->body, .stop = http->options->stop};
    struct slu_buf url;

    slu_buf_reset(&reply->body);
    reply->status = 0;
    http->why[0] = '\0';
    if (incoming.stop != NULL && atomic_load(incoming.stop))
        return slu_err_set(err, SLU_EBUSY, "registry %s: stopped", http->options->url);
    slu_buf_init(&url, URL_MAX);
    slu_buf_add_text(&url, http->options->url);
    while (url.len > 0 && url.data[url.len - 1] == '/')
        slu_buf_cut(&url, url.len - 1);
    if (!slu_buf_add_text(&url, path)) {
        slu_buf_fini(&url);
        return slu_err_set(err, SLU_EINVAL, "registry %s: a subject is too long",
                           http->options->url);
    }
    CURLcode code =
        set_request(http, slu_buf_text(&url), body, time_left_ms(deadline_mono_ns), &incoming);
    if (code == CURLE_OK)
        code = perform_without_sigpipe(http->easy);
    slu_buf_fini(&url);
    if (code != CURLE_OK)
        return tell_failure(http, &incoming, code, err);
    curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &reply->status);
    return 0;
}

bool slu_http_escape(struct slu_buf *out, const char *text)
{
    static const char hex[] = "0123456789ABCDEF";

    for (; *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            c == '-' || c == '.' || c == '_' || c == '~') {
            slu_buf_add_char(out, (char)c);
        } else {
            slu_buf_add_char(out, '%');
            slu_buf_add_char(out, hex[c >> 4]);
            slu_buf_add_char(out, hex[c & 15]);
        }
    }
    return !out->failed;
}
