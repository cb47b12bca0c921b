/* kafka_queue.h -- records that were pushed, in order, and how far they are safe without a gap.
 *
 *   entries   │ 617 safe │ 618 safe │ 619 … │ 620 safe │ 621 refused │ 622 … │
 *               └── settled: they go ──┘ ▲ head: waits for its report
 *
 * When a producer is lost, what is not settled will be pushed again. What is known of it by then (620 is
 * safe, 621 refused) is remembered, so that it is not sent a second time.
 *
 * Threads: one at a time.
 */
#ifndef SLU_SINKS_KAFKA_QUEUE_H
#define SLU_SINKS_KAFKA_QUEUE_H

#include "sinks/sink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLU_KAFKA_QUEUE_ENTRIES (1u << 17)
#define SLU_KAFKA_QUEUE_BYTES   (128u << 20) /* no more records are taken beyond it */
#define SLU_KAFKA_QUEUE_REJECTS 256u         /* … and beyond so many that are not settled */

enum slu_kafka_state { SLU_KAFKA_PENDING, SLU_KAFKA_SAFE, SLU_KAFKA_REJECTED };

struct slu_kafka_entry {
    uint64_t seq;
    uint32_t bytes; /* that it costs in memory */
    uint32_t wire;  /* that go over the network, about */
    enum slu_kafka_state state;
    struct slu_sink_reject *reject; /* REJECTED: owned */
};

struct slu_kafka_queue {
    struct slu_kafka_entry *entries; /* owned; a ring */
    uint64_t head;                   /* counts the entries that have gone */
    size_t n, n_pending, n_rejects, bytes;
    struct slu_kafka_entry *known; /* owned; ascending seq; never PENDING */
    size_t n_known, known_at;      /* those before known_at have been passed */
};

/* False: no memory. */
bool slu_kafka_queue_init(struct slu_kafka_queue *queue);
void slu_kafka_queue_fini(struct slu_kafka_queue *queue);

bool slu_kafka_queue_has_room(const struct slu_kafka_queue *queue);

/* Add a record whose fate is known already. False: it is not; it has to be sent. Records are added in
 * ascending order. */
bool slu_kafka_queue_add_known(struct slu_kafka_queue *queue, uint64_t seq);

/* Add a record that is about to be sent; returns its token. There must be room. */
size_t slu_kafka_queue_add(struct slu_kafka_queue *queue, uint64_t seq, size_t bytes, size_t wire);

/* Take the one that was added last away again: it could not be sent. */
void slu_kafka_queue_undo(struct slu_kafka_queue *queue);

/* The record of a token. */
const struct slu_kafka_entry *slu_kafka_queue_at(const struct slu_kafka_queue *queue, size_t token);

/* A pending record is safe over there, or will never be. False: no memory, it stays pending. */
void slu_kafka_queue_safe(struct slu_kafka_queue *queue, size_t token);
bool slu_kafka_queue_reject(struct slu_kafka_queue *queue, size_t token,
                            const struct slu_sink_reject *reject);

/* Let go what is settled; adds its rejects to `settlement` (as many as fit) and sets safe_seq. False:
 * nothing was. */
bool slu_kafka_queue_settle(struct slu_kafka_queue *queue, struct slu_settlement *settlement);

/* The producer is lost: empty the queue, remember what is known. False: no memory for that; then
 * nothing is remembered, and records are sent twice. */
bool slu_kafka_queue_lose(struct slu_kafka_queue *queue);

/* Remember that one record, not in the queue, is safe. False: no memory. */
bool slu_kafka_queue_know(struct slu_kafka_queue *queue, uint64_t seq);

/* Forget all that is known. */
void slu_kafka_queue_forget(struct slu_kafka_queue *queue);

/* Forget the rejects that are remembered: they shall be tried once more. */
void slu_kafka_queue_pardon(struct slu_kafka_queue *queue);

#endif
