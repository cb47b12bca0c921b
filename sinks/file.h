/* file.h -- the `file` sink: JSON Lines, or Avro container files, in dated folders, for a data lake that
 * needs no server.
 *
 *   <path>/dt=2026-11-21/hour=03/archive-plant1-00000000000000000001-00000000000000048211.jsonl
 *                               /.archive-plant1-00000000000000048212.jsonl.inprogress
 *         /.archive-plant1.state
 *
 * Folders are UTC, by arrival. A file is finished, and gets its final name, when it is large or old
 * enough, when a record of another hour arrives, at a reload and at a stop; with `compress: gzip` it
 * is then compressed. With `format: avro` (`.avro`) the blocks of records are, each by itself. `retain`
 * removes this sink's oldest finished files. Each record is in exactly one place of one file, whatever
 * crashes; file_inside.h tells how.
 *
 * Options: path, format, rotate {size, age}, compress, retain {max_age, max_size}; of container files
 * codec and schema (and schema_text, that schema's document, which the configuration adds).
 */
#ifndef SLU_SINKS_FILE_H
#define SLU_SINKS_FILE_H

#include "sinks/sink.h"

extern const struct slu_sink_ops slu_sink_file;

#endif
