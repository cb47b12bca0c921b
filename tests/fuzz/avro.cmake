# Avro: schemas, messages and the way there and back.
foreach(target fuzz_avro_schema fuzz_avro_payload fuzz_avro_encode)
    slu_fuzz_target(${target} slu_base slu_payload slu_avro)
endforeach()
