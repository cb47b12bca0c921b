# The postgresql sink: what needs no server. tests/postgresql/run.py drives the rest against a real one.
set(postgresql_rooms slu_postgresql slu_sinks slu_spool slu_avro slu_payload slu_base)
foreach(name columns ddl numeric)
    slu_unit_test(test_postgresql_${name} ${postgresql_rooms})
endforeach()

add_executable(drive_postgresql postgresql/drive.c)
slu_link(drive_postgresql ${postgresql_rooms})
