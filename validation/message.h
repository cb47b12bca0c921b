/* message.h -- one publish as the broker gave it to us: a borrowed view, valid for the call. */
#ifndef SLU_VALIDATION_MESSAGE_H
#define SLU_VALIDATION_MESSAGE_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct slu_message {
    struct slu_slice topic; /* resolved: no alias */
    struct slu_slice payload;
    struct slu_slice client_id;  /* empty: none */
    struct slu_slice username;   /* empty: none */
    const char *address;         /* ends with NUL; NULL: a bridge */
    struct slu_slice properties; /* MQTT v5, packed as in base/properties.h */
    int64_t received_ns;         /* wall clock */
    uint8_t qos;                 /* 0, 1, 2 */
    bool retain;
    bool from_bridge; /* never answered with a validation error */
};

#endif
