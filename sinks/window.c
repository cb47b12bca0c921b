/* window.c -- see window.h. */
#include "sinks/window.h"

#include <stdlib.h>

bool slu_window_init(struct slu_window *window, size_t max_records, size_t max_bytes)
{
    *window = (struct slu_window){.max_records = max_records, .max_bytes = max_bytes};
    window->entries = calloc(max_records, sizeof(*window->entries));
    return window->entries != NULL;
}

void slu_window_fini(struct slu_window *window)
{
    free(window->entries);
    *window = (struct slu_window){0};
}

size_t slu_window_room(const struct slu_window *window)
{
    return window->bytes < window->max_bytes ? window->max_records - window->n : 0;
}

void slu_window_add(struct slu_window *window, struct slu_underway entry)
{
    if (window->n == window->max_records)
        return;
    window->entries[(window->first + window->n) % window->max_records] = entry;
    window->n++;
    window->bytes += entry.bytes;
}

const struct slu_underway *slu_window_oldest(const struct slu_window *window)
{
    return window->n > 0 ? &window->entries[window->first] : NULL;
}

void slu_window_drop_oldest(struct slu_window *window)
{
    if (window->n == 0)
        return;
    window->bytes -= window->entries[window->first].bytes;
    window->first = (window->first + 1) % window->max_records;
    window->n--;
}

void slu_window_clear(struct slu_window *window)
{
    window->first = window->n = window->bytes = 0;
}
