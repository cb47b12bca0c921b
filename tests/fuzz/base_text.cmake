# base/'s text parsers, and the matcher.
slu_fuzz_target(fuzz_yaml slu_base)
slu_fuzz_target(fuzz_topic_filter slu_base slu_payload slu_json_schema slu_avro slu_validation)
