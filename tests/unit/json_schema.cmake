# The JSON Schema judge. (The official suite: tests/conformance.)
foreach(test test_property_table test_pattern test_regex test_schema test_schema_budget
        test_schema_keys test_schema_library test_schema_refused)
    slu_unit_test(${test} slu_base slu_payload slu_validation slu_json_schema slu_avro)
endforeach()
# Fails the n-th allocation.
slu_unit_test(test_schema_memory slu_base slu_payload slu_validation slu_json_schema slu_avro)
target_link_options(test_schema_memory PRIVATE -Wl,--wrap=malloc -Wl,--wrap=calloc
    -Wl,--wrap=realloc -Wl,--wrap=reallocarray)
