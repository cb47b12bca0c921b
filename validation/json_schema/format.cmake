# The formats: included by this folder's CMakeLists.txt. libidn2 lives in format_idn.c; the regex
# format uses the engine's reader of patterns, so who links slu_formats links slu_json_schema as well.
pkg_check_modules(IDN2 REQUIRED IMPORTED_TARGET libidn2)
slu_room(slu_formats
    SOURCES
        format.c
        format_idn.c
        format_net.c
        format_pointer.c
        format_template.c
        format_time.c
        format_uri.c
    LIBRARIES PkgConfig::IDN2)
