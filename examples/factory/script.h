/* script.h -- what happens to the factory, and when: a play of 2,000 messages that repeats.
 *
 *   message      0        300       700      1000     1300     1500            2000
 *                |---------|====oven====|------|=rubbish=|--|resend|--|==clock==|--|
 *
 * Beside these stand mishaps: single messages that go wrong here and there (machines.h).
 *
 * Threads: none.
 */
#ifndef FACTORY_SCRIPT_H
#define FACTORY_SCRIPT_H

#include <stdint.h>

#define FACTORY_PLAY   2000u /* messages until the play begins again */
#define FACTORY_RESEND 20u   /* messages that a gateway sends again */

enum factory_incident {
    FACTORY_QUIET = 0,
    FACTORY_OVERHEATS = 1, /* the burners of line 1 stay on */
    FACTORY_RUBBISH = 2,   /* the humidity sensors of line 2 send text instead of a number */
    FACTORY_CLOCK = 4,     /* the clock of the mixers of line 1 starts in 1970 */
    FACTORY_GATEWAY = 8,   /* at this message: a gateway reconnects and sends its last ones again */
};

/* The incidents (or-ed) that are under way at the message number `spoken` (from 0). */
unsigned factory_incidents_at(uint64_t spoken);

/* What a person calls one incident. */
const char *factory_incident_name(enum factory_incident incident);

#endif
