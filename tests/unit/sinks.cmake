# sinks/ without its spool.
foreach(name circuit container dead_letter envelope file_sink section typed)
    slu_unit_test(test_${name} slu_sinks slu_spool slu_avro slu_payload slu_base)
endforeach()
foreach(name file_avro file_crash container_memory)
    slu_lone_test(test_${name} slu_sinks slu_spool slu_avro slu_payload slu_base)
endforeach()

slu_unit_test(test_sinks ${slu_all_sinks} slu_spool slu_avro slu_payload slu_base)

# The delivery is tested against a spool of the test's own: linked without the real one.
slu_unit_test(test_delivery slu_sinks slu_avro slu_payload slu_base)
slu_unit_test(test_delivery_pause slu_sinks slu_avro slu_payload slu_base)

# These fail, count and cut short the system calls of what they test.
target_link_options(test_dead_letter PRIVATE
    -Wl,--wrap=pwrite,--wrap=fdatasync,--wrap=ftruncate)
foreach(name avro crash sink)
    if(TARGET test_file_${name})
        target_link_options(test_file_${name} PRIVATE
            -Wl,--wrap=openat,--wrap=mkdirat,--wrap=write,--wrap=pwrite,--wrap=fsync,--wrap=fdatasync
            -Wl,--wrap=ftruncate,--wrap=renameat,--wrap=renameat2,--wrap=unlinkat)
    endif()
endforeach()

# Every allocation fails once.
if(TARGET test_container_memory)
    target_link_options(test_container_memory PRIVATE -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc)
endif()
