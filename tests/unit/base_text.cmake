# base/'s text parsers: configuration, topics, templates.
foreach(name node yaml topic template)
    slu_unit_test(test_${name} slu_base)
endforeach()
