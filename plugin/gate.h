/* gate.h -- the hallway: admits one message, and opens, reloads and closes the house.
 *
 *   gate_admit:  judge → holds: spool append → PASS | ACCEPT | REFUSE
 *                      → broken: alert record, new topic → REROUTE | DROP | DISCONNECT | PASS
 *
 * The gate knows no broker: broker.c hands messages in and carries the answers out; alerts to publish
 * leave through `publish`, called on the same thread from within admit and tick.
 *
 * Threads: everything here belongs to the broker's thread, except what the comments call the loader
 * (a reload compiles there) and the housekeeper (writes status.json).
 */
#ifndef SLU_PLUGIN_GATE_H
#define SLU_PLUGIN_GATE_H

#include "base/err.h"
#include "base/slice.h"
#include "validation/message.h"

#include <stdbool.h>
#include <stdint.h>

struct slu_gate;

enum slu_admission {
    SLU_PASS,       /* untouched: no policy, retained clear, or violation with `pass` */
    SLU_ACCEPT,     /* held; in the spool if it has a sink */
    SLU_REROUTE,    /* to answer->topic, with answer->payload unless it stays */
    SLU_DROP,       /* taken away */
    SLU_REFUSE,     /* the spool cannot take it: the publisher shall send again */
    SLU_DISCONNECT, /* taken away, close the connection */
    SLU_ADMISSIONS,
};

struct slu_answer {
    struct slu_slice topic;      /* reroute: checked, publishable */
    struct slu_slice payload;    /* reroute: the alert record */
    bool keep_payload;           /* reroute with payload: original */
    struct slu_slice properties; /* keep_payload: user properties to append, packed */
}; /* borrowed until the next admit */

/* An alert for the subscribers: QoS 1, retain false. Borrowed; copy. */
typedef void slu_gate_publish(void *context, struct slu_slice topic, struct slu_slice payload);

struct slu_gate_options {
    const char *config_file;
    slu_gate_publish *publish;
    void *context;
};

/* Load the configuration, open the spool, start the sinks. NULL: err holds one line; all problems of
 * a bad configuration were logged. Never waits for a network. */
struct slu_gate *slu_gate_open(const struct slu_gate_options *options, struct slu_err *err);

enum slu_admission slu_gate_admit(struct slu_gate *gate, const struct slu_message *message,
                                  struct slu_answer *answer);

/* A second or so has passed, or less: put a new snapshot in place, hand out waiting log lines and
 * alerts. Costs a few reads when there is nothing to do. */
void slu_gate_tick(struct slu_gate *gate);

/* Read the configuration again, beside the running one. Returns at once; the outcome is logged,
 * counted, and shown in status.json. */
void slu_gate_reload(struct slu_gate *gate);

/* Sync the spool, let the sinks deliver, all within 5 s; write the last status; free. */
void slu_gate_close(struct slu_gate *gate);

#endif
