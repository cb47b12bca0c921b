slu_unit_test(test_spool slu_spool slu_base)
slu_unit_test(test_spool_damage slu_spool slu_base)
slu_unit_test(test_spool_model slu_spool slu_base)
slu_unit_test(test_spool_threads slu_spool slu_base)
# Thousands of openings, one thread at a time: nothing for ThreadSanitizer, and minutes under it.
if(NOT SLUICE_SANITIZE STREQUAL "thread")
    slu_unit_test(test_spool_fault slu_spool slu_base)
endif()
