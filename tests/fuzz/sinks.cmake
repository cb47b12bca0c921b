# sinks/: files that are read back.
slu_fuzz_target(fuzz_container slu_sinks slu_spool slu_avro slu_payload slu_base)
