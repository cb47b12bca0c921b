# The postgresql sink: a room of its own, so that libpq stays in it. Included by CMakeLists.txt.
pkg_check_modules(PQ REQUIRED IMPORTED_TARGET libpq)

slu_room(slu_postgresql
    SOURCES
        postgresql.c
        postgresql_catalog.c
        postgresql_ddl.c
        postgresql_fate.c
        postgresql_field.c
        postgresql_flight.c
        postgresql_json.c
        postgresql_numeric.c
        postgresql_plan.c
        postgresql_probe.c
        postgresql_queue.c
        postgresql_rows.c
        postgresql_sink.c
        postgresql_sql.c
        postgresql_stage.c
        postgresql_text.c
    LIBRARIES PkgConfig::PQ)
