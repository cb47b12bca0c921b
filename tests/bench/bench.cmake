# bench/ -- programs that tests/bench/*/run.py drives. Only a release build of them means anything.
# Included by tests/CMakeLists.txt.
pkg_check_modules(RDKAFKA REQUIRED IMPORTED_TARGET rdkafka)
add_executable(bench_kafka bench/kafka/kafka.c)
slu_link(bench_kafka slu_kafka slu_registry slu_sinks slu_spool slu_avro slu_payload slu_base)
target_link_libraries(bench_kafka PRIVATE PkgConfig::RDKAFKA) # the bare loop
add_executable(bench_validate bench/validate/validate.c)
slu_link(bench_validate slu_base slu_payload slu_validation slu_json_schema slu_avro)
add_executable(bench_avro bench/avro/avro.c)
slu_link(bench_avro slu_avro slu_payload slu_base)
target_link_libraries(bench_avro PRIVATE avro_c) # the peer

# The hostile set of cases/hostile, whose cost is counted.
add_executable(hostile cases/hostile/hostile.c)
slu_link(hostile slu_base slu_payload slu_validation slu_json_schema slu_avro)
