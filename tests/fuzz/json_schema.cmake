# The JSON Schema judge and its patterns.
slu_fuzz_target(fuzz_schema slu_base slu_payload slu_validation slu_json_schema slu_avro)
slu_fuzz_target(fuzz_pattern slu_base slu_payload slu_validation slu_json_schema slu_avro)
