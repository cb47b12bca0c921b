# The registry's client; the real registry is asked in tests/registry.
slu_unit_test(test_registry slu_registry slu_avro slu_payload slu_base)

add_executable(registry_drive ${CMAKE_CURRENT_SOURCE_DIR}/registry/drive.c)
slu_link(registry_drive slu_registry slu_avro slu_payload slu_base)
