# The registry's client: a room of its own, so that libcurl stays in it. Included by CMakeLists.txt.
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)

slu_room(slu_registry
    SOURCES
        registry.c
        registry_cache.c
        registry_http.c
        registry_ids.c
        registry_references.c
        registry_reply.c
        registry_whole.c
    LIBRARIES PkgConfig::CURL PkgConfig::JANSSON)
