/* status.h -- data_dir/status.json: every counter, each second and at stop, written aside and renamed.
 * The fields are described where they are written (status.c). */
#ifndef SLU_PLUGIN_STATUS_H
#define SLU_PLUGIN_STATUS_H

#include "base/err.h"

struct slu_house;

#define SLU_STATUS_FILE "status.json"

/* Write it. Housekeeper's thread, and the broker's at stop. */
int slu_status_write(const struct slu_house *house, struct slu_err *err);

#endif
