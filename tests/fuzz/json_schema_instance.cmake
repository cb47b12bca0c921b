# The engine against the naive evaluator of tests/conformance, which needs GMP.
pkg_check_modules(GMP IMPORTED_TARGET gmp)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
if(NOT GMP_FOUND)
    message(STATUS "fuzz_schema_instance needs libgmp-dev: left out")
    return()
endif()
slu_fuzz_target(fuzz_schema_instance slu_base slu_payload slu_validation slu_json_schema slu_avro)
target_sources(fuzz_schema_instance PRIVATE
    conformance/naive.c
    conformance/naive_apply.c
    conformance/naive_assert.c
    conformance/naive_load.c
    conformance/naive_uri.c
    conformance/naive_value.c)
target_link_libraries(fuzz_schema_instance PRIVATE PkgConfig::GMP PkgConfig::PCRE2)
