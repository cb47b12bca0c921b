# bench/ -- programs that tests/bench/*/run.py drives. Only a release build of them means anything.
# Included by tests/CMakeLists.txt.
add_executable(bench_validate bench/validate/validate.c)
slu_link(bench_validate slu_base slu_payload slu_validation slu_json_schema)

# The hostile set of cases/hostile, whose cost is counted.
add_executable(hostile cases/hostile/hostile.c)
slu_link(hostile slu_base slu_payload slu_validation slu_json_schema)
