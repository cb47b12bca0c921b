# base/ without its text parsers.
slu_fuzz_target(fuzz_base slu_base)
