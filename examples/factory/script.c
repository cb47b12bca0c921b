/* script.c -- see script.h; the table below is the play. */
#include "examples/factory/script.h"

#include <stddef.h>

static const struct {
    enum factory_incident incident;
    unsigned begins, lasts; /* messages */
    const char *name;
} play[] = {
    {FACTORY_OVERHEATS, 300, 400, "the oven of line 1 overheats"},
    {FACTORY_RUBBISH, 1000, 300, "the humidity sensor of line 2 sends rubbish"},
    {FACTORY_GATEWAY, 1500, 1, "a gateway reconnects and sends its last messages again"},
    {FACTORY_CLOCK, 1700, 200, "the mixers of line 1 lost their clock"},
};

unsigned factory_incidents_at(uint64_t spoken)
{
    unsigned at = (unsigned)(spoken % FACTORY_PLAY), incidents = FACTORY_QUIET;

    for (size_t i = 0; i < sizeof(play) / sizeof(play[0]); i++) {
        if (at >= play[i].begins && at < play[i].begins + play[i].lasts)
            incidents |= (unsigned)play[i].incident;
    }
    return incidents;
}

const char *factory_incident_name(enum factory_incident incident)
{
    for (size_t i = 0; i < sizeof(play) / sizeof(play[0]); i++) {
        if (play[i].incident == incident)
            return play[i].name;
    }
    return "all is quiet";
}
