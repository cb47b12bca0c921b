# The kafka sink; its test against a real Kafka is tests/kafka.
set(kafka_rooms slu_kafka slu_registry slu_sinks slu_spool slu_avro slu_payload slu_base)
slu_unit_test(test_ending ${kafka_rooms})
foreach(name options headers queue sink)
    slu_unit_test(test_kafka_${name} ${kafka_rooms})
endforeach()
pkg_check_modules(RDKAFKA REQUIRED IMPORTED_TARGET rdkafka)
target_link_libraries(test_kafka_sink PRIVATE PkgConfig::RDKAFKA) # its mock cluster

add_executable(drive_kafka kafka/drive.c)
slu_link(drive_kafka ${kafka_rooms})
