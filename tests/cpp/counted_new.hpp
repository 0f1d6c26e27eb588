// Every allocation of a test program -> their number and the largest. Include in one file only.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

#include "core/pages.hpp"
#if AUTOMS_MAPS_PAGES
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace automs_test {

inline std::size_t n_allocations = 0;
inline std::size_t largest_allocation = 0;

inline void note(std::size_t size) noexcept {
  ++n_allocations;
  if (size > largest_allocation) largest_allocation = size;
}

inline void* counted(std::size_t size) noexcept {
  note(size);
  return std::malloc(size == 0 ? 1 : size);
}

}  // namespace automs_test

// Inlined, a pair of them would look like `new` answered by `free`, which GCC warns of.
#if defined(__GNUC__)
#define AUTOMS_NOINLINE __attribute__((noinline))
#else
#define AUTOMS_NOINLINE
#endif

AUTOMS_NOINLINE void* operator new(std::size_t size) {
  if (void* memory = automs_test::counted(size)) return memory;
  throw std::bad_alloc();
}
AUTOMS_NOINLINE void* operator new[](std::size_t size) { return operator new(size); }
AUTOMS_NOINLINE void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return automs_test::counted(size);
}
AUTOMS_NOINLINE void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return automs_test::counted(size);
}
AUTOMS_NOINLINE void operator delete(void* memory) noexcept { std::free(memory); }
AUTOMS_NOINLINE void operator delete[](void* memory) noexcept { std::free(memory); }
AUTOMS_NOINLINE void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
AUTOMS_NOINLINE void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

// Aligned memory: the size must be a multiple of the alignment.
AUTOMS_NOINLINE void* operator new(std::size_t size, std::align_val_t alignment) {
  automs_test::note(size);
  const auto step = static_cast<std::size_t>(alignment);
  if (void* memory = std::aligned_alloc(step, (size / step + 1) * step)) return memory;
  throw std::bad_alloc();
}
AUTOMS_NOINLINE void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
AUTOMS_NOINLINE void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

#if AUTOMS_MAPS_PAGES
// Pages are counted, too; the C library's own ones do not come through this name.
extern "C" AUTOMS_NOINLINE void* mmap(void* address, std::size_t size, int protection, int flags,
                                      int file, off_t offset) noexcept {
  automs_test::note(size);
  return reinterpret_cast<void*>(syscall(SYS_mmap, address, size, protection, flags, file, offset));
}
#endif
