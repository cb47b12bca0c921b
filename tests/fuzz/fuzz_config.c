/* fuzz_config.c -- a configuration of any bytes is loaded or refused with a place in it, never worse. */
#include "plugin/config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slu_problems problems;
    char path[64];
    int fd = memfd_create("config", MFD_CLOEXEC);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    slu_problems_init(&problems);
    struct slu_config *config = slu_config_load(path, NULL, NULL, &problems);
    if ((config == NULL) == (problems.n_errors == 0))
        abort();
    slu_config_free(config);
    slu_problems_fini(&problems);
    close(fd);
    return 0;
}
