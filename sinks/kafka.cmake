# The kafka sink: a room of its own, so that librdkafka stays in it. Included by CMakeLists.txt.
pkg_check_modules(RDKAFKA REQUIRED IMPORTED_TARGET rdkafka)

slu_room(slu_kafka
    SOURCES
        ending.c
        kafka.c
        kafka_fate.c
        kafka_lose.c
        kafka_message.c
        kafka_options.c
        kafka_probe.c
        kafka_queue.c
        kafka_registry.c
        kafka_sink.c
        kafka_statistics.c
    LIBRARIES PkgConfig::RDKAFKA)
