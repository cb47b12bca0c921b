# Turns text files into C strings that HEADER declares: with PREFIX slu_embedded_ schemas/config.schema.json
# becomes slu_embedded_config.
file(WRITE ${OUTPUT}.new "/* Made from schemas/ by cmake/embed.cmake. */\n#include \"${HEADER}\"\n")
foreach(input ${INPUTS})
    get_filename_component(name ${input} NAME)
    string(REGEX REPLACE "\\..*" "" name ${name})
    file(READ ${input} hex HEX)
    string(LENGTH "${hex}" digits)
    math(EXPR bytes "${digits} / 2")
    string(REGEX REPLACE "(................................)" "\\1\n    " hex "${hex}")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
    file(APPEND ${OUTPUT}.new
        "const char ${PREFIX}${name}[] = {\n    ${hex}0x00};\nconst size_t ${PREFIX}${name}_len = ${bytes};\n")
endforeach()
file(RENAME ${OUTPUT}.new ${OUTPUT})
