# From a topic to its policies.
set(matcher_rooms slu_base slu_payload slu_json_schema slu_avro slu_validation)
slu_unit_test(test_matcher ${matcher_rooms})

# It counts allocations and makes them fail.
target_link_options(test_matcher PRIVATE -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc)
