// A number of bytes -> memory that starts a cache line; large blocks are pages of their own.
#pragma once

#include <cstddef>
#include <new>

// A sanitizer has guards around what lies in the heap, not around pages.
#if defined(__linux__) && !defined(AUTOMS_SANITIZED)
#define AUTOMS_MAPS_PAGES 1
#include <sys/mman.h>
#else
#define AUTOMS_MAPS_PAGES 0
#endif

namespace automs {

constexpr std::size_t kCacheLine = 64;

/// Blocks from this size on are pages that the system has back as soon as they are freed. A search
/// frees states between others that it keeps, and the heap would hold on to the holes: up to as
/// much again as what is in use. Below it the mapping would take longer than what it saves.
constexpr std::size_t kLargeBlock = std::size_t(1) << 16;

inline void* allocate_block(std::size_t n_bytes) {
#if AUTOMS_MAPS_PAGES
  if (n_bytes >= kLargeBlock) {
    void* pages =
        mmap(nullptr, n_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc();
    return pages;
  }
#endif
  return ::operator new(n_bytes, std::align_val_t{kCacheLine});
}

inline void free_block(void* block, [[maybe_unused]] std::size_t n_bytes) {
#if AUTOMS_MAPS_PAGES
  if (n_bytes >= kLargeBlock) {
    // Where a process has as many mappings as it may, none can be cut in two: the pages go all the
    // same, and only their addresses are lost.
    if (munmap(block, n_bytes) != 0) madvise(block, n_bytes, MADV_DONTNEED);
    return;
  }
#endif
  ::operator delete(block, std::align_val_t{kCacheLine});
}

}  // namespace automs
