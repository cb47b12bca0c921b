/* stream.c -- see stream.h. Each gateway remembers its last messages in a ring. */
#include "examples/factory/stream.h"

#include <stdlib.h>

struct ring {
    struct factory_message last[FACTORY_RESEND];
    uint64_t n; /* ever put in */
};

struct factory_stream {
    struct factory factory;
    unsigned gateways;
    unsigned again, again_gateway; /* messages still to be repeated, and whose */
    bool reconnects;
    struct ring rings[];
};

struct factory_stream *factory_stream_new(const struct factory_plan *plan, unsigned gateways)
{
    struct factory_stream *stream = calloc(1, sizeof(*stream) + gateways * sizeof(struct ring));

    if (stream == NULL)
        return NULL;
    stream->gateways = gateways;
    factory_open(&stream->factory, plan);
    return stream;
}

void factory_stream_free(struct factory_stream *stream)
{
    free(stream);
}

static void repeat(struct factory_stream *stream, struct factory_said *said)
{
    const struct ring *ring = &stream->rings[stream->again_gateway];

    said->message = ring->last[(ring->n - stream->again) % FACTORY_RESEND];
    said->message.kind = FACTORY_AGAIN;
    said->gateway = stream->again_gateway;
    said->after_reconnect = stream->reconnects;
    stream->reconnects = false;
    stream->again--;
}

void factory_stream_next(struct factory_stream *stream, int64_t now_ms, struct factory_said *said)
{
    if (stream->again != 0) {
        repeat(stream, said);
        return;
    }
    factory_speak(&stream->factory, now_ms, &said->message);
    said->gateway = said->message.source % stream->gateways;
    said->after_reconnect = false;
    struct ring *ring = &stream->rings[said->gateway];
    ring->last[ring->n++ % FACTORY_RESEND] = said->message;
    if ((said->message.incidents & FACTORY_GATEWAY) != 0) {
        stream->again = ring->n < FACTORY_RESEND ? (unsigned)ring->n : FACTORY_RESEND;
        stream->again_gateway = said->gateway;
        stream->reconnects = true;
    }
}
