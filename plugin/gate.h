/* gate.h -- the hallway: what becomes of one message.
 *
 *   slu_gate_admit:  judge → every policy holds:  spool append         → ACCEPT | REFUSE
 *                          → one is broken:       alert, new topic     → REROUTE | DROP | DISCONNECT | PASS
 *                          → nobody owns it                            → PASS
 *
 * The gate knows no broker: broker.c hands messages in and carries the answer out; alerts for the
 * subscribers leave through `publish`, called from within admit and summaries. The house (house.h)
 * owns a gate and says which snapshot it looks at.
 *
 * Threads: the broker's only.
 */
#ifndef SLU_PLUGIN_GATE_H
#define SLU_PLUGIN_GATE_H

#include "base/buf.h"
#include "base/err.h"
#include "plugin/binding.h"
#include "plugin/counts.h"
#include "validation/judge.h"
#include "validation/message.h"

#include <stdbool.h>
#include <stdint.h>

enum slu_admission {
    SLU_PASS,       /* untouched: no policy, retained clear, or violation with `pass` */
    SLU_ACCEPT,     /* held; in the spool if it has a sink */
    SLU_REROUTE,    /* to answer->topic, with answer->payload unless it stays; retain is cleared */
    SLU_DROP,       /* taken away */
    SLU_REFUSE,     /* the spool cannot take it: the publisher shall send again */
    SLU_DISCONNECT, /* taken away, and the connection closed */
    SLU_ADMISSIONS,
};

struct slu_answer {
    struct slu_slice topic;      /* reroute: checked, publishable; terminated */
    struct slu_slice payload;    /* reroute: the alert record */
    bool keep_payload;           /* reroute with payload: original */
    struct slu_slice properties; /* keep_payload: user properties to append, packed */
};                               /* borrowed until the next admit */

/* An alert for the subscribers: QoS 1, retain false. Borrowed: copy. `topic` is terminated. */
typedef void slu_gate_publish(void *context, struct slu_slice topic, struct slu_slice payload);

struct slu_gate {
    const struct slu_snapshot *snapshot;
    const struct slu_binding *binding;
    struct slu_judge *judge;
    struct slu_spool *spool;
    struct slu_counts *counts;
    slu_gate_publish *publish;
    void *context;         /* publish's */
    struct slu_buf alert;  /* the published form: original cut at 64 KiB */
    struct slu_buf stored; /* the spooled form, when it differs */
    struct slu_buf topic;
    struct slu_buf properties;
};

/* Members given: spool, counts, publish, context. Then slu_gate_use() before the first admit. */
void slu_gate_init(struct slu_gate *gate);
void slu_gate_fini(struct slu_gate *gate);

/* Look at this snapshot and its binding from now on; the old ones may be freed afterwards. -1 and err:
 * no memory, the gate still looks at the old ones. */
int slu_gate_use(struct slu_gate *gate, const struct slu_snapshot *snapshot,
                 const struct slu_binding *binding, struct slu_err *err);

enum slu_admission slu_gate_admit(struct slu_gate *gate, const struct slu_message *message,
                                  struct slu_answer *answer);

/* Publish the summaries that are due of alerts held back by the rate limit. Once a second or so. */
void slu_gate_summaries(struct slu_gate *gate, int64_t wall_ns, int64_t mono_ns);

#endif
