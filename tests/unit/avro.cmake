# Avro: schemas, messages, and JSON on its way to bytes.
foreach(test test_avro_schema test_avro_read test_avro_encode test_avro_gap)
    slu_unit_test(${test} slu_base slu_payload slu_avro)
endforeach()
