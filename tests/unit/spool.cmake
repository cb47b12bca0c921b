slu_unit_test(test_spool slu_spool slu_base)
