slu_fuzz_target(fuzz_record slu_spool slu_base)
