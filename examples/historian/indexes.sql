-- For the questions of queries.sql, beside the indexes on time that `sluice ddl` makes.
CREATE INDEX IF NOT EXISTS samples_tag_ts ON sluice.samples (tag, ts DESC);
CREATE INDEX IF NOT EXISTS samples_id ON sluice.samples (id);
CREATE INDEX IF NOT EXISTS oven_temperature_zone_at ON oven_temperature (line, oven, zone, at DESC);
CREATE INDEX IF NOT EXISTS mixing_mixer_at ON mixing (line, mixer, at DESC);
