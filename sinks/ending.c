/* ending.c -- see ending.h. */
#include "sinks/ending.h"

#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

/* What the thread that ends and the one that waits share. Who leaves last frees. */
struct ending {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    void (*end)(void *context);
    void *context;
    bool is_over, is_left;
};

static void free_ending(struct ending *ending)
{
    pthread_cond_destroy(&ending->changed);
    pthread_mutex_destroy(&ending->lock);
    free(ending);
}

static void *run_ending(void *context)
{
    struct ending *ending = context;
    ending->end(ending->context);
    pthread_mutex_lock(&ending->lock);
    ending->is_over = true;
    const bool is_left = ending->is_left;
    pthread_cond_signal(&ending->changed);
    pthread_mutex_unlock(&ending->lock);
    if (is_left)
        free_ending(ending);
    return NULL;
}

/* A detached thread that ends it; NULL: none could be made. */
static struct ending *start_ending(void (*end)(void *context), void *context)
{
    struct ending *ending = calloc(1, sizeof(*ending));
    pthread_condattr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    if (ending == NULL)
        return NULL;
    ending->end = end;
    ending->context = context;
    pthread_mutex_init(&ending->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&ending->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int sys = pthread_create(&thread, NULL, run_ending, ending);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (sys != 0) {
        free_ending(ending);
        return NULL;
    }
    pthread_detach(thread);
    return ending;
}

static struct timespec in(int64_t ns)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    ns += until.tv_nsec;
    until.tv_sec += (time_t)(ns / SLU_NS_PER_S);
    until.tv_nsec = (long)(ns % SLU_NS_PER_S);
    return until;
}

bool slu_end_within(void (*end)(void *context), void *context, int64_t patience_ns)
{
    const struct timespec until = in(patience_ns);
    struct ending *ending = start_ending(end, context);
    if (ending == NULL) {
        end(context);
        return true;
    }
    pthread_mutex_lock(&ending->lock);
    while (!ending->is_over &&
           pthread_cond_timedwait(&ending->changed, &ending->lock, &until) != ETIMEDOUT) {
    }
    const bool is_over = ending->is_over;
    ending->is_left = !is_over;
    pthread_mutex_unlock(&ending->lock);
    if (is_over)
        free_ending(ending);
    return is_over;
}
