# test_format needs Debian's libtest-json-schema-acceptance-perl, else its suite is skipped.
slu_unit_test(test_format slu_base slu_payload slu_validation slu_json_schema slu_avro)
