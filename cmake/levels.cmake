# CPU level -> the core library and the Python module of that level.
# The same sources are compiled once per level into libraries that are never linked together.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  set(AUTOMS_LEVELS v2 v3 v4 CACHE STRING "CPU levels of x86-64 to build")
  set(AUTOMS_FLAGS_v2 -march=x86-64-v2)
  set(AUTOMS_FLAGS_v3 -march=x86-64-v3)
  # Without the last flag GCC keeps to vectors of 32 bytes.
  set(AUTOMS_FLAGS_v4 -march=x86-64-v4 -mprefer-vector-width=512)
else()
  set(AUTOMS_LEVELS generic)
  set(AUTOMS_FLAGS_generic "")
endif()

set(AUTOMS_CORE_SOURCES
  cpp/core/encoder_tables.cpp
  cpp/core/ensemble.cpp
  cpp/core/job_states.cpp
  cpp/core/metric.cpp
  cpp/core/model_file.cpp
  cpp/core/parallel.cpp
  cpp/core/roc_auc.cpp
  cpp/core/train_jobs.cpp)
set(AUTOMS_BINDING_SOURCES
  cpp/bindings/bind_closed_form.cpp
  cpp/bindings/bind_predictor.cpp
  cpp/bindings/bind_scoring.cpp
  cpp/bindings/bind_training.cpp
  cpp/bindings/module.cpp)

# Decompositions need no speed and most of the compile time: compiled once, for the oldest level.
# No other file includes Eigen, so no template of it exists under two sets of flags.
function(automs_add_baseline_library)
  add_library(automs_baseline STATIC
    cpp/core/closed_form_elastic_net.cpp
    cpp/core/closed_form_logistic.cpp
    cpp/core/closed_form_ridge.cpp
    cpp/core/lbfgs.cpp)
  target_include_directories(automs_baseline PUBLIC cpp cpp/predictor)
  target_compile_options(automs_baseline PRIVATE -O2)
  target_compile_definitions(automs_baseline PRIVATE EIGEN_DONT_PARALLELIZE EIGEN_MPL2_ONLY)
  target_link_libraries(automs_baseline PRIVATE automs_options Eigen3::Eigen)
endfunction()

function(automs_add_core_library level)
  add_library(automs_core_${level} STATIC ${AUTOMS_CORE_SOURCES})
  target_include_directories(automs_core_${level} PUBLIC cpp cpp/predictor)
  target_compile_options(automs_core_${level} PUBLIC ${AUTOMS_FLAGS_${level}})
  target_link_libraries(automs_core_${level} PUBLIC automs_options automs_baseline)
  if(OpenMP_CXX_FOUND)
    target_link_libraries(automs_core_${level} PRIVATE OpenMP::OpenMP_CXX)
  endif()
endfunction()

# Bindings hand arrays over and loop over nothing, so they need no more than -O1, which compiles faster. The
# predictor's are the exception, as its loops over rows are compiled there.
set_source_files_properties(
  cpp/bindings/bind_closed_form.cpp cpp/bindings/bind_scoring.cpp cpp/bindings/bind_training.cpp
  cpp/bindings/cpu_level.cpp cpp/bindings/module.cpp
  PROPERTIES COMPILE_OPTIONS -O1)

function(automs_add_python_module level)
  set(name _core_${level})
  pybind11_add_module(${name} MODULE NO_EXTRAS ${AUTOMS_BINDING_SOURCES})
  target_compile_definitions(${name} PRIVATE AUTOMS_MODULE=${name})
  target_link_libraries(${name} PRIVATE automs_core_${level})
  if(NOT AUTOMS_SANITIZER)
    pybind11_strip(${name})
  endif()
  install(TARGETS ${name} LIBRARY DESTINATION automs)
endfunction()
