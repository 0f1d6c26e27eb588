// Blocks of memory taken and freed -> large ones are the system's again at once.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <new>
#include <vector>

#include "check.hpp"
#include "core/types.hpp"
#if AUTOMS_MAPS_PAGES
#include <unistd.h>
#endif

using namespace automs;

namespace {

void test_blocks_of_any_size_hold_what_is_written() {
  for (const std::size_t n :
       {std::size_t(1), kLargeBlock - 1, kLargeBlock, kLargeBlock + 1, 3 * kLargeBlock + 5}) {
    void* block = allocate_block(n);
    CHECK(reinterpret_cast<std::uintptr_t>(block) % kCacheLine == 0);
    std::memset(block, 1, n);
    CHECK(static_cast<unsigned char*>(block)[n - 1] == 1);
    free_block(block, n);
  }
}

#if AUTOMS_MAPS_PAGES
void test_what_cannot_be_had_is_an_error() {
  CHECK_THROWS(AlignedVector<float>(std::size_t(1) << 58), std::bad_alloc);
}

/// Bytes of this process that are in memory.
std::size_t resident_bytes() {
  std::size_t all = 0;
  std::size_t resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

void test_what_is_freed_between_others_goes_back() {
  // The C library's heap, too, maps blocks from 128 KB on, but not these.
  constexpr std::size_t n_blocks = 1000;
  constexpr std::size_t n_values = kLargeBlock / sizeof(float);
  const std::size_t before = resident_bytes();
  std::vector<AlignedVector<float>> blocks(n_blocks);
  for (auto& block : blocks) block.assign(n_values, 1.0F);
  const std::size_t taken = resident_bytes() - before;
  CHECK(taken > n_blocks * kLargeBlock / 10 * 9);
  for (std::size_t i = 0; i < n_blocks; i += 2) AlignedVector<float>().swap(blocks[i]);
  CHECK(resident_bytes() - before < taken / 10 * 6);
  for (std::size_t i = 1; i < n_blocks; i += 2) CHECK(blocks[i][n_values - 1] == 1.0F);
}
#endif

}  // namespace

int main() {
  test_blocks_of_any_size_hold_what_is_written();
#if AUTOMS_MAPS_PAGES
  test_what_cannot_be_had_is_an_error();
  test_what_is_freed_between_others_goes_back();
#endif
  return automs_test_result();
}
