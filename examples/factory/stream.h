/* stream.h -- all that the factory says, in order, each message with the gateway that carries it.
 *
 * A machine always speaks through the same gateway, so its messages keep their order. Where the play
 * lets a gateway reconnect (script.h), the last messages that this gateway carried follow once more,
 * the first of them marked: before it the gateway must have connected anew.
 *
 * Threads: none; a stream belongs to its caller.
 */
#ifndef FACTORY_STREAM_H
#define FACTORY_STREAM_H

#include "examples/factory/machines.h"
#include "examples/factory/script.h"

#define FACTORY_GATEWAYS_MAX 64u

struct factory_said {
    struct factory_message message;
    unsigned gateway;
    bool after_reconnect;
};

struct factory_stream;

/* `gateways` from 1 to FACTORY_GATEWAYS_MAX. NULL: no memory. */
struct factory_stream *factory_stream_new(const struct factory_plan *plan, unsigned gateways);
void factory_stream_free(struct factory_stream *stream);

void factory_stream_next(struct factory_stream *stream, int64_t now_ms, struct factory_said *said);

#endif
