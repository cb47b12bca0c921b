/* kafka_fate.h -- what an error of librdkafka, by its name, means for the records.
 *
 * Threads: no state.
 */
#ifndef SLU_SINKS_KAFKA_FATE_H
#define SLU_SINKS_KAFKA_FATE_H

#include <stdbool.h>

enum slu_kafka_fate {
    SLU_KAFKA_REFUSED, /* a record in the batch will never be taken: find it, set it aside */
    SLU_KAFKA_ACT,     /* somebody has to act: keep the data, pause, try one record */
    SLU_KAFKA_AGAIN,   /* a new producer will do */
    SLU_KAFKA_AWAY,    /* no broker answers: librdkafka goes on trying */
    SLU_KAFKA_ECHO,    /* follows from another error or from our own purge: says nothing new */
};

struct slu_kafka_verdict {
    enum slu_kafka_fate fate;
    const char *code;   /* REFUSED: of the dead letter; NULL: "kafka." and the error's name */
    const char *advice; /* ACT: what somebody has to do; may be NULL */
    bool is_vanished;   /* what was safe over there may be gone as well */
};

/* `error` as rd_kafka_err2name() writes it ("MSG_SIZE_TOO_LARGE", "_TRANSPORT"). What is not in the
 * table is ACT: nothing is lost by waiting. */
const struct slu_kafka_verdict *slu_kafka_fate(const char *error);

#endif
