# What a message says: value trees, their readers, numbers, limits and verdicts.
foreach(test test_value test_pointer test_decimal test_json test_scalar test_payload test_document)
    slu_unit_test(${test} slu_base slu_payload)
endforeach()
foreach(test test_limits test_verdict)
    slu_unit_test(${test} slu_base slu_payload slu_validation slu_json_schema slu_avro)
endforeach()
# Fails the n-th allocation.
slu_unit_test(test_payload_memory slu_base slu_payload)
target_link_options(test_payload_memory PRIVATE -Wl,--wrap=malloc -Wl,--wrap=calloc)
