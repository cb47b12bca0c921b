/* machines.c -- see machines.h for who speaks and what about.
 *
 * A message is made in three steps: a machine is drawn, and with it a mishap or none; the process
 * (process.h) gives a reading; then the machine writes its payload with that mishap in it.
 */
#include "examples/factory/machines.h"
#include "examples/factory/script.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MISHAPS_IN_1000 40u
#define OVEN_MAX        260.0 /* °C, the limits of sluice.yaml */
#define OVEN_TRIAL_MAX  245.0

const char *const factory_kind_names[FACTORY_KINDS] = {
    [FACTORY_RIGHT] = "right",
    [FACTORY_AGAIN] = "sent again by a gateway",
    [FACTORY_NOTE] = "free text, judged by nobody",
    [FACTORY_LIMIT] = "out of limits",
    [FACTORY_WARM] = "high, but within limits",
    [FACTORY_CUT] = "JSON cut off",
    [FACTORY_MISSING] = "property missing",
    [FACTORY_WRONG_TYPE] = "text instead of a number",
    [FACTORY_WRONG_LOT] = "lot number typed by hand",
    [FACTORY_WRONG_TIME] = "time stamp of 1970",
    [FACTORY_TWICE] = "same key twice",
    [FACTORY_NO_NUMBER] = "\"n/a\" instead of a number",
    [FACTORY_GARBAGE] = "heartbeat garbled",
};

static const char *const notes[] = {"shift change, all quiet", "cleaning belt 2",
                                    "flour delivery at gate 3"};

/* What is being said: the message, and where and when. */
struct speech {
    struct factory *factory;
    struct factory_line *line;
    struct factory_message *message;
    int64_t now_ms;
    unsigned number; /* of the machine, from 0 */
};

static void say(struct factory_message *message, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct factory_message *message, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int n = vsnprintf(message->payload, sizeof(message->payload), format, arguments);
    va_end(arguments);
    message->payload_bytes = n < 0 ? 0 : strlen(message->payload);
}

static void cut_off_if_so(struct factory_message *message)
{
    if (message->kind == FACTORY_CUT)
        message->payload_bytes = message->payload_bytes * 2 / 3;
}

static void mixer_state(struct speech *speech)
{
    struct factory_message *message = speech->message;
    struct factory_dough dough = factory_mixer(speech->line, speech->number);
    int64_t ts = speech->now_ms;

    if (message->kind == FACTORY_WRONG_TIME)
        ts = (int64_t)speech->factory->spoken * 20; /* since it was switched on */
    switch (message->kind) {
    case FACTORY_MISSING:
        say(message, "{\"ts\":%" PRId64 ",\"recipe\":\"%s\",\"speed_rpm\":%.1f}", ts, dough.recipe,
            dough.speed_rpm);
        return;
    case FACTORY_WRONG_TYPE:
        say(message,
            "{\"ts\":%" PRId64 ",\"recipe\":\"%s\",\"dough_c\":\"%d,%d\",\"speed_rpm\":%.1f,"
            "\"torque_nm\":%.1f,\"running\":true}",
            ts, dough.recipe, (int)dough.celsius, (int)(dough.celsius * 10) % 10, dough.speed_rpm,
            dough.torque_nm);
        return;
    case FACTORY_TWICE:
        say(message,
            "{\"ts\":%" PRId64 ",\"recipe\":\"%s\",\"dough_c\":%.1f,\"dough_c\":%.1f,"
            "\"speed_rpm\":%.1f,\"torque_nm\":%.1f,\"running\":true}",
            ts, dough.recipe, dough.celsius, dough.celsius + 60, dough.speed_rpm, dough.torque_nm);
        return;
    default:
        break;
    }
    if (message->kind == FACTORY_LIMIT)
        dough.torque_nm += 400;
    say(message,
        "{\"ts\":%" PRId64 ",\"recipe\":\"%s\",\"dough_c\":%.1f,\"speed_rpm\":%.1f,"
        "\"torque_nm\":%.1f,\"running\":true}",
        ts, dough.recipe, dough.celsius, dough.speed_rpm, dough.torque_nm);
    cut_off_if_so(message);
}

/* What a person reads in two digits is what is judged; so the kind is told from those. */
static enum factory_kind oven_kind(double celsius)
{
    double shown = (double)(long)(celsius * 100 + 0.5) / 100;

    if (shown > OVEN_MAX)
        return FACTORY_LIMIT;
    return shown > OVEN_TRIAL_MAX ? FACTORY_WARM : FACTORY_RIGHT;
}

static void oven_temperature(struct speech *speech)
{
    struct factory_message *message = speech->message;
    unsigned zone = factory_roll(&speech->factory->dice, FACTORY_ZONES);
    double celsius = factory_oven_zone(speech->line, zone);

    if (message->kind == FACTORY_LIMIT)
        celsius = factory_around(&speech->factory->dice, 330, 40); /* a broken probe */
    else if (message->kind == FACTORY_WARM)
        celsius = factory_around(&speech->factory->dice, 252, 4);
    say(message, "{\"ts\":%" PRId64 ",\"zone\":%u,\"celsius\":%.2f,\"burner\":%s}", speech->now_ms,
        zone + 1, celsius,
        speech->line->burner_stuck || speech->line->burner[zone] ? "true" : "false");
    if (message->kind != FACTORY_CUT)
        message->kind = oven_kind(celsius);
    cut_off_if_so(message);
}

static void packer_pack(struct speech *speech)
{
    struct factory_message *message = speech->message;
    struct factory_line *line = speech->line;
    double grams = factory_pack_grams(line);
    unsigned lot = line->lot = (line->lot + 1) % 10000;

    if (message->kind == FACTORY_WRONG_LOT) {
        say(message,
            "{\"ts\":%" PRId64 ",\"lot\":\"lot %u?\",\"gtin\":\"4006381333931\",\"grams\":%.1f}",
            speech->now_ms, lot, grams);
        return;
    }
    say(message,
        "{\"ts\":%" PRId64 ",\"lot\":\"L26-%04u-%c\",\"gtin\":\"4006381333931\",\"grams\":%.1f}",
        speech->now_ms, lot, (char)('A' + lot % 3), grams);
    cut_off_if_so(message);
}

/* A bare number on a topic of its own. */
static void bare_number(struct factory_message *message, double value, double far_away)
{
    if (message->kind == FACTORY_NO_NUMBER)
        say(message, "n/a");
    else
        say(message, "%.1f", message->kind == FACTORY_LIMIT ? value + far_away : value);
}

static void oven_humidity(struct speech *speech)
{
    bare_number(speech->message, factory_oven_humidity(speech->line), 70);
}

static void cooler_temperature(struct speech *speech)
{
    bare_number(speech->message, factory_cooler(speech->line), 90);
}

static void packer_weight(struct speech *speech)
{
    bare_number(speech->message, factory_pack_grams(speech->line), -60);
}

static void heartbeat(struct speech *speech)
{
    say(speech->message, speech->message->kind == FACTORY_GARBAGE ? "tru\x01" : "true");
}

static void note(struct speech *speech)
{
    speech->message->kind = FACTORY_NOTE;
    say(speech->message, "%s", notes[factory_roll(&speech->factory->dice, 3)]);
}

enum machine { MIXER, OVEN, HUMIDITY, COOLER, PACKER, WEIGHT, HEARTBEAT, NOTE, MACHINES };

/* Where a machine speaks, what it says, and what can go wrong with it. */
static const struct {
    const char *machine, *what; /* factory/line1/<machine>/<number>/<what> */
    void (*speak)(struct speech *);
    unsigned numbers; /* machines of this kind on a line */
    unsigned n_mishaps;
    enum factory_kind mishaps[5];
} machines[MACHINES] = {
    [MIXER] = {"mixer",
               "state",
               mixer_state,
               FACTORY_MIXERS,
               5,
               {FACTORY_CUT, FACTORY_MISSING, FACTORY_WRONG_TYPE, FACTORY_TWICE, FACTORY_LIMIT}},
    [OVEN] =
        {"oven", "temperature", oven_temperature, 1, 3, {FACTORY_LIMIT, FACTORY_WARM, FACTORY_CUT}},
    [HUMIDITY] = {"oven", "humidity", oven_humidity, 1, 2, {FACTORY_LIMIT, FACTORY_NO_NUMBER}},
    [COOLER] =
        {"cooler", "temperature", cooler_temperature, 1, 2, {FACTORY_LIMIT, FACTORY_NO_NUMBER}},
    [PACKER] = {"packer", "pack", packer_pack, 1, 2, {FACTORY_WRONG_LOT, FACTORY_CUT}},
    [WEIGHT] = {"packer", "weight", packer_weight, 1, 2, {FACTORY_LIMIT, FACTORY_NO_NUMBER}},
    [HEARTBEAT] = {"mixer", "heartbeat", heartbeat, FACTORY_MIXERS, 1, {FACTORY_GARBAGE}},
    [NOTE] = {"shift", "note", note, 1, 1, {FACTORY_NOTE}},
};

/* Of 20 messages, who sends them. */
static const enum machine turns[20] = {MIXER,  MIXER,  MIXER, MIXER,    OVEN,     OVEN,     OVEN,
                                       OVEN,   OVEN,   OVEN,  OVEN,     COOLER,   PACKER,   PACKER,
                                       WEIGHT, WEIGHT, NOTE,  HUMIDITY, HUMIDITY, HEARTBEAT};

/* What the play makes of a message of this machine; FACTORY_RIGHT: nothing. */
static enum factory_kind scripted(unsigned incidents, enum machine who, unsigned line)
{
    if ((incidents & FACTORY_CLOCK) != 0 && who == MIXER && line == 0)
        return FACTORY_WRONG_TIME;
    if ((incidents & FACTORY_RUBBISH) != 0 && who == HUMIDITY && line == 1)
        return FACTORY_NO_NUMBER;
    return FACTORY_RIGHT;
}

void factory_open(struct factory *factory, uint64_t seed, bool trouble)
{
    *factory = (struct factory){.trouble = trouble};
    factory_dice_open(&factory->dice, seed);
    for (unsigned i = 0; i < FACTORY_LINES; i++)
        factory_line_open(&factory->lines[i], &factory->dice);
}

void factory_speak(struct factory *factory, int64_t now_ms, struct factory_message *message)
{
    enum machine who = turns[factory_roll(&factory->dice, 20)];
    unsigned line = factory_roll(&factory->dice, FACTORY_LINES);
    unsigned number = factory_roll(&factory->dice, machines[who].numbers);
    bool mishap = factory_roll(&factory->dice, 1000) < MISHAPS_IN_1000;
    struct speech speech = {factory, &factory->lines[line], message, now_ms, number};

    message->kind = FACTORY_RIGHT;
    message->incidents = factory->trouble ? factory_incidents_at(factory->spoken) : FACTORY_QUIET;
    factory->lines[0].burner_stuck = (message->incidents & FACTORY_OVERHEATS) != 0;
    factory->spoken++;
    message->source = line * 8 + (unsigned)who;
    if (factory->trouble)
        message->kind = scripted(message->incidents, who, line);
    if (factory->trouble && mishap && message->kind == FACTORY_RIGHT)
        message->kind =
            machines[who].mishaps[factory_roll(&factory->dice, machines[who].n_mishaps)];
    snprintf(message->topic, sizeof(message->topic), "factory/line%u/%s/%u/%s", line + 1,
             machines[who].machine, number + 1, machines[who].what);
    machines[who].speak(&speech);
}
