# Avro: schemas, messages and the way there and back.
foreach(target fuzz_avro_schema fuzz_avro_payload fuzz_avro_encode)
    slu_fuzz_target(${target} slu_base slu_payload slu_avro)
endforeach()
# What is accepted is Avro C's to judge, too.
target_sources(
    fuzz_avro_payload
    PRIVATE conformance/avro_c_scalars.c conformance/avro_c_values.c conformance/avro_meaning.c)
target_link_libraries(fuzz_avro_payload PRIVATE avro_c)
