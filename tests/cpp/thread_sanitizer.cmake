# Test programs of the build with -DAUTOMS_SANITIZER=thread -> their surroundings, and canaries.
#
# The sanitizer sees only what is compiled with it, and an OpenMP library is not: what its threads agree on through
# it looks like a race. Of LLVM's library the tool Archer, which comes with it, tells the sanitizer of every fork,
# join and barrier; so this build needs clang. With GCC's library nothing does.
# ignore_noninstrumented_modules silences the library's own reads and writes, as Archer's documentation
# (openmp/tools/archer/README.md of LLVM) asks for. Races of the engine's own code stay in sight: a canary has one.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "AUTOMS_SANITIZER=thread needs clang and LLVM's OpenMP, got ${CMAKE_CXX_COMPILER_ID}")
endif()
if(NOT OpenMP_CXX_FOUND)
  message(FATAL_ERROR "AUTOMS_SANITIZER=thread needs LLVM's OpenMP (Debian: libomp-dev)")
endif()
get_filename_component(directory ${OpenMP_omp_LIBRARY} REALPATH)
get_filename_component(directory ${directory} DIRECTORY)
find_library(AUTOMS_ARCHER archer HINTS ${directory} REQUIRED)

list(GET AUTOMS_TEST_LEVELS 0 level)
add_executable(canary_threads canary_threads.cpp)
target_link_libraries(canary_threads PRIVATE automs_core_${level})
add_executable(canary canary.cpp)
target_link_libraries(canary PRIVATE automs_options Threads::Threads)
add_executable(test_shared_predictor test_shared_predictor.cpp)
target_link_libraries(test_shared_predictor PRIVATE automs_options automs_predictor Threads::Threads)

add_test(NAME shared_predictor COMMAND test_shared_predictor ${AUTOMS_GOLDEN_FILES})
add_test(NAME canary_threads_race COMMAND canary_threads race)
add_test(NAME canary_threads_no_fault COMMAND canary_threads none)
add_test(NAME canary_data-race COMMAND canary data-race)
add_test(NAME canary_no_fault COMMAND canary none)
set_tests_properties(canary_threads_race canary_data-race PROPERTIES WILL_FAIL TRUE)
get_property(tests DIRECTORY PROPERTY TESTS)
set_tests_properties(${tests} PROPERTIES
  ENVIRONMENT "OMP_TOOL_LIBRARIES=${AUTOMS_ARCHER};TSAN_OPTIONS=ignore_noninstrumented_modules=1")
