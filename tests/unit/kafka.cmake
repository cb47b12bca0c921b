# The kafka sink; its test against a real Kafka is tests/kafka.
if(TARGET slu_kafka)
    set(kafka_rooms slu_kafka slu_sinks slu_spool slu_avro slu_payload slu_base)
    foreach(name options headers queue sink)
        slu_unit_test(test_kafka_${name} ${kafka_rooms})
    endforeach()
    target_link_libraries(test_kafka_sink PRIVATE PkgConfig::RDKAFKA) # its mock cluster

    add_executable(kafka_drive ${CMAKE_CURRENT_SOURCE_DIR}/kafka/drive.c)
    slu_link(kafka_drive ${kafka_rooms})
endif()
