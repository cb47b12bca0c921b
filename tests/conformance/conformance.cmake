# conformance/ -- the naive evaluator, its proof against the official suite, and the engine against it.
# Included by tests/CMakeLists.txt. GMP (libgmp-dev) and Debian's libtest-json-schema-acceptance-perl
# are for these tests alone.
#
#   ctest -L conformance
pkg_check_modules(GMP REQUIRED IMPORTED_TARGET gmp)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)

set(naive_sources
    conformance/naive.c
    conformance/naive_apply.c
    conformance/naive_assert.c
    conformance/naive_load.c
    conformance/naive_uri.c
    conformance/naive_value.c)

add_executable(naive_suite conformance/naive_suite.c conformance/suite_files.c ${naive_sources})
target_compile_definitions(naive_suite
    PRIVATE SLU_METASCHEMA_DIR="${CMAKE_SOURCE_DIR}/schemas/json-schema")
slu_link(naive_suite slu_base slu_payload)
target_link_libraries(naive_suite PRIVATE PkgConfig::GMP PkgConfig::PCRE2)

# The engine against the official suite, and the table of it: tests/conformance/table.sh.
add_executable(schema_suite conformance/schema_suite.c conformance/suite_files.c)
slu_link(schema_suite slu_base slu_payload slu_validation slu_json_schema slu_avro)

add_executable(differential
    conformance/differential.c
    conformance/random_json.c
    conformance/random_schema.c
    conformance/suite_files.c
    ${naive_sources})
target_compile_definitions(differential
    PRIVATE SLU_CASES_DIR="${CMAKE_CURRENT_SOURCE_DIR}/cases/schema")
slu_link(differential slu_base slu_payload slu_validation slu_json_schema slu_avro)
target_link_libraries(differential PRIVATE PkgConfig::GMP PkgConfig::PCRE2)

# Sluice's reader of Avro against Avro C, which stands behind it.
add_executable(avro_differential
    conformance/avro_differential.c
    conformance/avro_c_scalars.c
    conformance/avro_c_values.c
    conformance/avro_meaning.c
    conformance/random_avro_body.c
    conformance/random_avro_schema.c
    conformance/random_json.c
    conformance/suite_files.c)
target_compile_definitions(avro_differential
    PRIVATE SLU_CASES_DIR="${CMAKE_CURRENT_SOURCE_DIR}/cases/avro")
slu_link(avro_differential slu_base slu_payload slu_avro)
target_link_libraries(avro_differential PRIVATE avro_c)

add_test(NAME schema_suite COMMAND schema_suite)
add_test(NAME naive_suite COMMAND naive_suite)
add_test(NAME differential_cases
    COMMAND differential --replay ${CMAKE_CURRENT_SOURCE_DIR}/cases/schema)
add_test(NAME differential COMMAND differential --cases ${CMAKE_CURRENT_BINARY_DIR})
add_test(NAME avro_differential_cases
    COMMAND avro_differential --replay ${CMAKE_CURRENT_SOURCE_DIR}/cases/avro)
add_test(NAME avro_differential COMMAND avro_differential --cases ${CMAKE_CURRENT_BINARY_DIR})
set_tests_properties(
    schema_suite naive_suite differential_cases differential avro_differential_cases avro_differential
    PROPERTIES LABELS conformance TIMEOUT 600 SKIP_RETURN_CODE 77)
