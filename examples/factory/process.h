/* process.h -- what goes on inside the machines of one line: temperatures, torques, weights.
 *
 * Nothing here is drawn anew for each message. An oven zone heats and cools around its thermostat, a
 * dough stiffens while it is kneaded and is then replaced by the next batch, a cooler follows the oven
 * before it, a scale drifts until somebody corrects it; on top of each lies the noise of its sensor.
 *
 *   oven zone     218 ± 8 °C, a saw tooth of the burner        245 °C and more: warm; 260: out of limits
 *   humidity      41 ± 6 %, slow
 *   dough         21 → 27 °C and 90 → 160 Nm over a batch of 150 readings
 *   cooler        38 °C at its end, 0.1 K a degree of oven
 *   pack          203 ± 4 g; the checkweigher says light below 200.5 and heavy above 205.5
 *
 * Threads: none; a line belongs to its caller.
 */
#ifndef FACTORY_PROCESS_H
#define FACTORY_PROCESS_H

#include "examples/factory/weighing.h"

#include <stdbool.h>
#include <stdint.h>

#define FACTORY_ZONES  4
#define FACTORY_MIXERS 2

struct factory_dice {
    uint64_t state;
};

void factory_dice_open(struct factory_dice *dice, uint64_t seed);

/* 0 … n - 1 */
unsigned factory_roll(struct factory_dice *dice, unsigned n);

/* A value around `middle`, at most `spread` away, mostly close to it. */
double factory_around(struct factory_dice *dice, double middle, double spread);

struct factory_line {
    struct factory_dice *dice;
    double zone_c[FACTORY_ZONES]; /* what is really there, without the sensor's noise */
    bool burner[FACTORY_ZONES];
    bool burner_stuck; /* the burner of every zone stays on */
    double humidity;   /* percent */
    double cooler_c;
    double scale_drift;             /* g */
    unsigned batch[FACTORY_MIXERS]; /* readings since the dough went in */
    unsigned recipe[FACTORY_MIXERS];
    unsigned lot;
};

void factory_line_open(struct factory_line *line, struct factory_dice *dice);

/* One reading each; the process moves on by one step. */
double factory_oven_zone(struct factory_line *line, unsigned zone);
double factory_oven_humidity(struct factory_line *line);
double factory_cooler(struct factory_line *line);
double factory_pack_grams(struct factory_line *line);

/* Without the time; `has_metal` is the caller's to say. */
struct factory_weighing factory_checkweigher(struct factory_line *line);

struct factory_dough {
    const char *recipe;
    double celsius, speed_rpm, torque_nm;
};

struct factory_dough factory_mixer(struct factory_line *line, unsigned mixer);

#endif
