# The project's options -> interface targets that the other targets link.
add_library(automs_options INTERFACE)
target_compile_options(automs_options INTERFACE -Wall -Wextra -Wshadow
  # Selects become vector blends only where no trap and no errno has to be kept; results stay the same.
  -fno-math-errno -fno-trapping-math)
if(AUTOMS_WARNINGS_AS_ERRORS)
  target_compile_options(automs_options INTERFACE -Werror)
endif()
if(AUTOMS_SANITIZER)
  target_compile_options(automs_options INTERFACE -fsanitize=${AUTOMS_SANITIZER}
    -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  target_compile_definitions(automs_options INTERFACE AUTOMS_SANITIZED)
  target_link_options(automs_options INTERFACE -fsanitize=${AUTOMS_SANITIZER})
endif()
