slu_fuzz_target(fuzz_config slu_plugin ${slu_all_sinks} slu_spool slu_validation slu_json_schema slu_avro slu_payload
    slu_base)
