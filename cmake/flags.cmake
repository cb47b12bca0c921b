# Flags for every room, and slu_room(), which makes one.

add_compile_options(
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
    -Wvla -Wformat=2 -Wundef -Wpointer-arith)
if(SLUICE_WERROR)
    add_compile_options(-Werror)
endif()
add_compile_options(-fno-strict-aliasing -fstack-protector-strong -fno-plt)
if(NOT CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo" OR SLUICE_SANITIZE)
    add_compile_options(-fno-omit-frame-pointer) # whole stacks in every report
endif()
add_compile_definitions(_GNU_SOURCE)
add_compile_definitions(SLUICE_VERSION="${PROJECT_VERSION}")
include_directories(${CMAKE_SOURCE_DIR})

if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
    if(NOT SLUICE_SANITIZE)
        add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
    endif()
endif()
add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)

if(SLUICE_SANITIZE)
    add_compile_options(-fsanitize=${SLUICE_SANITIZE} -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${SLUICE_SANITIZE})
endif()
if(SLUICE_COVERAGE)
    add_compile_options(--coverage)
    add_link_options(--coverage)
endif()
if(SLUICE_FUZZ)
    # Edge coverage in every room; only the fuzz targets bring libFuzzer's main().
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# slu_room(NAME SOURCES … [LIBRARIES …]): one object library. Third-party LIBRARIES are seen by this
# room's own files only; the final link gets them through slu_link().
function(slu_room name)
    cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
    add_library(${name} OBJECT ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES})
endfunction()

# slu_link(TARGET ROOMS…): puts the rooms' objects, and the libraries they need, into TARGET.
function(slu_link target)
    target_link_libraries(${target} PRIVATE ${ARGN} Threads::Threads)
endfunction()
