# The postgresql sink: what needs no server. tests/postgresql/run.py drives the rest against a real one.
if(TARGET slu_postgresql)
    set(postgresql_rooms slu_postgresql slu_payload slu_base)
    slu_unit_test(test_postgresql_columns ${postgresql_rooms})
    slu_unit_test(test_postgresql_ddl ${postgresql_rooms})
    slu_unit_test(test_postgresql_numeric ${postgresql_rooms})

    add_executable(drive_postgresql postgresql/drive.c)
    slu_link(drive_postgresql ${postgresql_rooms})
endif()
