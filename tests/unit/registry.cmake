# The registry's client; the real registry is asked in tests/registry.
foreach(name registry registry_cache registry_hostile)
    slu_unit_test(test_${name} slu_registry slu_avro slu_payload slu_base)
endforeach()

add_executable(registry_drive ${CMAKE_CURRENT_SOURCE_DIR}/registry/drive.c)
slu_link(registry_drive slu_registry slu_avro slu_payload slu_base)
