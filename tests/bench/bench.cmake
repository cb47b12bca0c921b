# bench/ -- programs that tests/bench/*/run.py drives. Only a release build of them means anything.
# Included by tests/CMakeLists.txt.
pkg_check_modules(RDKAFKA REQUIRED IMPORTED_TARGET rdkafka)
pkg_check_modules(PQ REQUIRED IMPORTED_TARGET libpq)
foreach(sink kafka postgresql) # what they are measured against knows their library, too
    add_executable(bench_${sink} bench/${sink}/${sink}.c bench/load.c)
    target_include_directories(bench_${sink} PRIVATE bench)
endforeach()
slu_link(bench_kafka slu_kafka slu_registry slu_sinks slu_spool slu_avro slu_payload slu_base)
target_link_libraries(bench_kafka PRIVATE PkgConfig::RDKAFKA)
slu_link(bench_postgresql slu_postgresql slu_sinks slu_spool slu_avro slu_payload slu_base)
target_link_libraries(bench_postgresql PRIVATE PkgConfig::PQ)
add_executable(bench_flow bench/flow/publish.c bench/load.c)
target_include_directories(bench_flow PRIVATE bench)
slu_link(bench_flow slu_sinks slu_spool slu_avro slu_payload slu_base)

add_executable(bench_validate bench/validate/validate.c)
slu_link(bench_validate slu_base slu_payload slu_validation slu_json_schema slu_avro)
add_executable(bench_avro bench/avro/avro.c)
slu_link(bench_avro slu_avro slu_payload slu_base)
target_link_libraries(bench_avro PRIVATE avro_c) # the peer

# The hostile set of cases/hostile, whose cost is counted.
add_executable(hostile cases/hostile/hostile.c)
slu_link(hostile slu_base slu_payload slu_validation slu_json_schema slu_avro)
