/* asan_first.c -- wakes AddressSanitizer's runtime before somebody's bindtextdomain() does.
 *
 * A Mosquitto that is linked with libsystemd brings libgpg-error, whose constructor runs before that of a
 * preloaded runtime and calls bindtextdomain(). That holds libc's lock of its message catalogues for
 * writing and allocates; the first allocation wakes the runtime, which asks dlerror(), which asks for a
 * translation: libc does not get the lock again from the same thread, but gives it back all the same. From
 * then on the lock counts one reader less than none, and the second bindtextdomain() after it (libpq's)
 * waits for ever. An allocation before the lock is taken keeps the runtime's beginning out of it.
 */
#include <dlfcn.h>
#include <stdlib.h>

char *bindtextdomain(const char *domain, const char *folder)
{
    void *volatile wakes = malloc(1);
    free(wakes);
    char *(*real)(const char *, const char *) =
        (char *(*)(const char *, const char *))dlsym(RTLD_NEXT, "bindtextdomain");
    return real(domain, folder);
}
