/* files.h -- the spool's way with files: opened without following links, checked for owner and mode,
 * read and written whole, replaced in one step.
 *
 * Every call goes through struct slu_disk. An interrupted call is repeated a bounded number of times.
 */
#ifndef SLU_SINKS_SPOOL_FILES_H
#define SLU_SINKS_SPOOL_FILES_H

#include "base/err.h"
#include "sinks/spool/disk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Open `name` in folder `dir`. `flags` are open(2)'s; O_NOFOLLOW, O_CLOEXEC and O_NONBLOCK (a planted
 * FIFO must not hang us) are added, new files get 0600. What is opened must be a regular file of ours
 * that nobody else may touch. Returns the descriptor, or -1 and err; errno says ENOENT or EEXIST. */
int slu_files_open(const struct slu_disk *disk, int dir, const char *name, int flags,
                   struct slu_err *err);

/* The same without the check of owner and mode, for looking from outside. */
int slu_files_open_foreign(const struct slu_disk *disk, int dir, const char *name,
                           struct slu_err *err);

/* -1 is fine. */
void slu_files_close(const struct slu_disk *disk, int fd);

/* Up to `n` bytes, fewer only at the end of the file; -1 and errno. */
ssize_t slu_files_read(const struct slu_disk *disk, int fd, void *bytes, size_t n, uint64_t at);

/* All `n` bytes: 0, or -1 and errno. A call that writes nothing at all counts as EIO. */
int slu_files_write(const struct slu_disk *disk, int fd, const void *bytes, size_t n, uint64_t at);

/* fdatasync of a file, fsync of a folder: 0, or -1 and errno. After -1 the file must not be trusted
 * again: the kernel may have dropped the pages and say yes the next time. */
int slu_files_sync(const struct slu_disk *disk, int fd);
int slu_files_sync_dir(const struct slu_disk *disk, int dir);

/* Its size, or -1 and errno. */
int64_t slu_files_size(const struct slu_disk *disk, int fd);

/* Make `name` with these bytes, whole or not at all: written aside, synced, renamed, folder synced.
 * Returns a descriptor open for reading and writing, or -1 and err. */
int slu_files_replace(const struct slu_disk *disk, int dir, const char *name, const void *bytes,
                      size_t n, struct slu_err *err);

/* Open the folder `path` (below `dir`, or AT_FDCWD), made with 0700 when it is missing and `make` is
 * set. Refused unless it is ours with mode 0700; the message names the fix. */
int slu_files_open_dir(const struct slu_disk *disk, int dir, const char *path, bool make,
                       struct slu_err *err);

/* 0, or -1 and err when the folder is on a network file system (locks and mmap lie there). */
int slu_files_refuse_network(const struct slu_disk *disk, int dir, const char *path,
                             struct slu_err *err);

/* The names in folder `dir`, each given to `see`; stops early when it returns false. 0, or -1 and
 * err. */
int slu_files_list(const struct slu_disk *disk, int dir,
                   bool (*see)(void *context, const char *name), void *context,
                   struct slu_err *err);

/* ---- the first 16 bytes of every file ------------------------------------------------------------- */

#define SLU_PROLOGUE_BYTES 16u
#define SLU_FORMAT_VERSION 1u

/* magic[8], u32 version, u32 CRC-32C of the 12 bytes before. These 16 bytes stay as they are in every
 * version to come, so that an old Sluice can say "newer" instead of "damaged". */
void slu_prologue_write(uint8_t out[SLU_PROLOGUE_BYTES], const char magic[8]);

/* 0: ours; 1: damaged or something else; -1: written by a newer Sluice, err says so. A higher version is
 * believed even when the CRC is wrong: what is damaged is healed, and a newer Sluice's file must not be. */
int slu_prologue_check(const uint8_t bytes[SLU_PROLOGUE_BYTES], const char magic[8],
                       const char *name, struct slu_err *err);

#endif
