/* registry_http.h -- one request to the registry and its whole reply, within bounds. The only file that
 * knows libcurl is its body.
 *
 * http and https only; redirects are an error; no compression; at most SLU_HTTP_BODY_MAX of body and
 * SLU_HTTP_HEAD_MAX of head. A connection is kept for the next request. Proxies as libcurl takes them from
 * the environment (https_proxy, no_proxy, …).
 *
 * Threads: one at a time, never the broker's.
 */
#ifndef SLU_SINKS_REGISTRY_HTTP_H
#define SLU_SINKS_REGISTRY_HTTP_H

#include "base/buf.h"
#include "sinks/registry.h"

#define SLU_HTTP_BODY_MAX ((size_t)1 << 20)
#define SLU_HTTP_HEAD_MAX ((size_t)64 << 10)

struct slu_http;

struct slu_http_reply {
    long status;         /* 200, 404, … */
    struct slu_buf body; /* the caller's: slu_buf_init(…, SLU_HTTP_BODY_MAX) */
};

/* The options must outlive it. NULL and err. */
struct slu_http *slu_http_new(const struct slu_registry_options *options, struct slu_err *err);
void slu_http_free(struct slu_http *http);

/* `path` begins with '/' and is escaped already (slu_http_escape). `body` NULL: GET, else POST. The reply
 * is whole or the result is -1 and err: SLU_EIO, SLU_ECORRUPT (too large), SLU_EBUSY, SLU_ENOMEM. */
int slu_http_ask(struct slu_http *http, const char *path, const char *body,
                 int64_t deadline_mono_ns, struct slu_http_reply *reply, struct slu_err *err);

/* Append `text` with everything but RFC 3986's unreserved characters as %XX. */
bool slu_http_escape(struct slu_buf *out, const char *text);

#endif
