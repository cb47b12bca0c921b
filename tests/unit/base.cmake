# base/ without its text parsers (those are in base_text.cmake).
foreach(name arena base64 buf clock crc32c err json_text log nearest problems properties random slice units
        utf8 uuid)
    slu_unit_test(test_${name} slu_base)
endforeach()

# These three fail allocations on purpose.
target_link_options(test_arena PRIVATE -Wl,--wrap=calloc)
target_link_options(test_buf PRIVATE -Wl,--wrap=realloc)
target_link_options(test_problems PRIVATE -Wl,--wrap=realloc)

# And this one plays a locale with another decimal point.
target_link_options(test_json_text PRIVATE -Wl,--wrap=snprintf,--wrap=strtod)
