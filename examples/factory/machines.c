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
    [FACTORY_AVRO_CUT] = "Avro cut off",
    [FACTORY_NO_SYMBOL] = "Avro with an unknown symbol",
    [FACTORY_UNKNOWN] = "Avro of an unknown schema",
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

static void checkweigher(struct speech *speech)
{
    struct factory_message *message = speech->message;
    struct factory_line *line = speech->line;
    struct factory_weighing weighing = factory_checkweigher(line);

    weighing.at_ms = speech->now_ms;
    weighing.has_metal = line == &speech->factory->lines[0]; /* line 2 has no detector */
    if (message->kind == FACTORY_LIMIT)
        weighing.centigrams -= 6000; /* a box that is not full */
    if (message->kind == FACTORY_NO_SYMBOL)
        weighing.verdict = FACTORY_NO_VERDICT;
    message->binary = true;
    message->payload_bytes = factory_weighing_write(
        &weighing,
        &(struct factory_head){speech->factory->plan.schema_id, message->kind == FACTORY_UNKNOWN},
        (uint8_t *)message->payload);
    if (message->kind == FACTORY_AVRO_CUT)
        message->payload_bytes = message->payload_bytes * 2 / 3;
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

enum machine {
    MIXER,
    OVEN,
    HUMIDITY,
    COOLER,
    PACKER,
    WEIGHT,
    CHECKWEIGHER,
    HEARTBEAT,
    NOTE,
    MACHINES
};

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
    [CHECKWEIGHER] = {"checkweigher",
                      "weighing",
                      checkweigher,
                      1,
                      4,
                      {FACTORY_LIMIT, FACTORY_AVRO_CUT, FACTORY_NO_SYMBOL, FACTORY_UNKNOWN}},
    [HEARTBEAT] = {"mixer", "heartbeat", heartbeat, FACTORY_MIXERS, 1, {FACTORY_GARBAGE}},
    [NOTE] = {"shift", "note", note, 1, 1, {FACTORY_NOTE}},
};

#define TURNS 22u

/* Of so many messages, who sends them. */
static const enum machine turns[TURNS] = {
    MIXER, MIXER,    MIXER,    MIXER,     OVEN,         OVEN,        OVEN,   OVEN,
    OVEN,  OVEN,     OVEN,     COOLER,    PACKER,       PACKER,      WEIGHT, WEIGHT,
    NOTE,  HUMIDITY, HUMIDITY, HEARTBEAT, CHECKWEIGHER, CHECKWEIGHER};

/* What the play makes of a message of this machine; FACTORY_RIGHT: nothing. */
static enum factory_kind scripted(unsigned incidents, enum machine who, unsigned line)
{
    if ((incidents & FACTORY_CLOCK) != 0 && who == MIXER && line == 0)
        return FACTORY_WRONG_TIME;
    if ((incidents & FACTORY_RUBBISH) != 0 && who == HUMIDITY && line == 1)
        return FACTORY_NO_NUMBER;
    return FACTORY_RIGHT;
}

bool factory_has_machine(const char *name)
{
    for (size_t i = 0; i < MACHINES; i++)
        if (strcmp(machines[i].machine, name) == 0)
            return true;
    return false;
}

/* Whose turn it is. */
static enum machine draw(struct factory *factory)
{
    const char *only = factory->plan.only;
    enum machine who;

    do
        who = turns[factory_roll(&factory->dice, TURNS)];
    while (only != NULL && strcmp(machines[who].machine, only) != 0);
    return who;
}

void factory_open(struct factory *factory, const struct factory_plan *plan)
{
    *factory = (struct factory){.plan = *plan};
    factory_dice_open(&factory->dice, plan->seed);
    for (unsigned i = 0; i < FACTORY_LINES; i++)
        factory_line_open(&factory->lines[i], &factory->dice);
}

void factory_speak(struct factory *factory, int64_t now_ms, struct factory_message *message)
{
    const bool trouble = factory->plan.trouble;
    enum machine who = draw(factory);
    unsigned line = factory_roll(&factory->dice, FACTORY_LINES);
    unsigned number = factory_roll(&factory->dice, machines[who].numbers);
    bool mishap = factory_roll(&factory->dice, 1000) < MISHAPS_IN_1000;
    struct speech speech = {factory, &factory->lines[line], message, now_ms, number};

    message->kind = FACTORY_RIGHT;
    message->binary = false;
    message->incidents = trouble ? factory_incidents_at(factory->spoken) : FACTORY_QUIET;
    factory->lines[0].burner_stuck = (message->incidents & FACTORY_OVERHEATS) != 0;
    factory->spoken++;
    message->source = line * MACHINES + (unsigned)who;
    if (trouble)
        message->kind = scripted(message->incidents, who, line);
    if (trouble && mishap && message->kind == FACTORY_RIGHT)
        message->kind =
            machines[who].mishaps[factory_roll(&factory->dice, machines[who].n_mishaps)];
    snprintf(message->topic, sizeof(message->topic), "factory/line%u/%s/%u/%s", line + 1,
             machines[who].machine, number + 1, machines[who].what);
    machines[who].speak(&speech);
}
