/* c11_threads.h -- for builds with ThreadSanitizer: librdkafka uses C11's threads, mutexes and conditions,
 * which ThreadSanitizer does not see; a thread it does not know crashes in it. Here they are made of
 * POSIX threads, which glibc's own are as well. Included by the one file of a program that has main().
 *
 * librdkafka's reference counts are atomics that ThreadSanitizer does not see either: what races
 * inside it only is not told. */
#ifndef SLU_TESTS_KAFKA_C11_THREADS_H
#define SLU_TESTS_KAFKA_C11_THREADS_H

#ifndef __has_feature
#define __has_feature(x) 0
#endif

#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

/* The house hides what it does not export; librdkafka has to find these. */
#pragma GCC visibility push(default)

const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:librdkafka.so\n";
}

struct c11_start {
    thrd_start_t run;
    void *context;
};

static void *c11_run(void *context)
{
    const struct c11_start start = *(struct c11_start *)context;
    free(context);
    return (void *)(intptr_t)start.run(start.context);
}

int thrd_create(thrd_t *thread, thrd_start_t run, void *context)
{
    struct c11_start *start = malloc(sizeof(*start));
    if (start == NULL)
        return thrd_nomem;
    *start = (struct c11_start){run, context};
    if (pthread_create(thread, NULL, c11_run, start) == 0)
        return thrd_success;
    free(start);
    return thrd_error;
}

int thrd_join(thrd_t thread, int *result)
{
    void *value = NULL;
    if (pthread_join(thread, &value) != 0)
        return thrd_error;
    if (result != NULL)
        *result = (int)(intptr_t)value;
    return thrd_success;
}

static int c11_result(int sys)
{
    return sys == 0 ? thrd_success : thrd_error;
}

int mtx_init(mtx_t *mutex, int type)
{
    (void)type;
    return c11_result(pthread_mutex_init((pthread_mutex_t *)mutex, NULL));
}

int mtx_lock(mtx_t *mutex)
{
    return c11_result(pthread_mutex_lock((pthread_mutex_t *)mutex));
}

int mtx_unlock(mtx_t *mutex)
{
    return c11_result(pthread_mutex_unlock((pthread_mutex_t *)mutex));
}

void mtx_destroy(mtx_t *mutex)
{
    pthread_mutex_destroy((pthread_mutex_t *)mutex);
}

int cnd_init(cnd_t *condition)
{
    return c11_result(pthread_cond_init((pthread_cond_t *)condition, NULL));
}

int cnd_signal(cnd_t *condition)
{
    return c11_result(pthread_cond_signal((pthread_cond_t *)condition));
}

int cnd_broadcast(cnd_t *condition)
{
    return c11_result(pthread_cond_broadcast((pthread_cond_t *)condition));
}

int cnd_wait(cnd_t *condition, mtx_t *mutex)
{
    return c11_result(pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex));
}

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until)
{
    const int sys =
        pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until);
    return sys == ETIMEDOUT ? thrd_timedout : c11_result(sys);
}

void cnd_destroy(cnd_t *condition)
{
    pthread_cond_destroy((pthread_cond_t *)condition);
}

#pragma GCC visibility pop
#endif

#endif
