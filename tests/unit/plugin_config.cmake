slu_unit_test(test_policy slu_validation slu_json_schema slu_avro slu_payload slu_base)
slu_unit_test(test_config slu_plugin slu_registry slu_sinks slu_spool slu_validation slu_json_schema slu_avro slu_payload
    slu_base)
if(TARGET sluice)
    find_package(Python3 COMPONENTS Interpreter REQUIRED)
    add_test(NAME cases COMMAND Python3::Interpreter ${CMAKE_CURRENT_SOURCE_DIR}/cases/run.py
        $<TARGET_FILE:sluice>)
    set_tests_properties(cases PROPERTIES LABELS cases TIMEOUT 300)
endif()
find_package(Python3 COMPONENTS Interpreter)
if(Python3_FOUND)
    add_test(NAME man COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/plugin/man/options.py --check)
    set_tests_properties(man PROPERTIES LABELS cases)
endif()
