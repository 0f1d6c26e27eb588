// The checksum by tables, many bytes a step, against the polynomial's division bit by bit.
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "automs/checksum.hpp"
#include "check.hpp"

namespace {

using automs::crc64;

/// The definition: each byte changes the sum's lowest eight bits, which are then divided out.
std::uint64_t naive_crc64(const unsigned char* bytes, std::size_t size) {
  std::uint64_t sum = ~std::uint64_t{0};
  for (std::size_t i = 0; i < size; ++i) {
    sum ^= bytes[i];
    for (int bit = 0; bit < 8; ++bit) {
      sum = (sum >> 1) ^ ((sum & 1) != 0 ? 0xC96C5795D7870F42u : 0u);
    }
  }
  return ~sum;
}

std::vector<unsigned char> random_bytes(std::size_t size, std::mt19937& generator) {
  std::vector<unsigned char> bytes(size);
  for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(generator() & 0xFF);
  return bytes;
}

void test_standard_text() {
  const auto* text = reinterpret_cast<const unsigned char*>("123456789");
  CHECK(crc64(text, 9) == 0x995DC9BBDF1939FAull);
  CHECK(naive_crc64(text, 9) == 0x995DC9BBDF1939FAull);
}

/// Every length up to some steps, from every offset within a step.
void test_short_lengths_and_offsets_equal_the_twin() {
  std::mt19937 generator(1);
  constexpr std::size_t step = automs::detail::kCrcStep;
  for (std::size_t size = 0; size <= 5 * step; ++size) {
    for (std::size_t offset = 0; offset < step; ++offset) {
      const std::vector<unsigned char> bytes = random_bytes(offset + size, generator);
      CHECK(crc64(bytes.data() + offset, size) == naive_crc64(bytes.data() + offset, size));
    }
  }
}

void test_random_lengths_and_offsets_equal_the_twin() {
  std::mt19937 generator(2);
  for (int i = 0; i < 500; ++i) {
    const std::size_t offset = generator() % 64;
    const std::vector<unsigned char> bytes = random_bytes(offset + generator() % 5000, generator);
    const std::size_t size = bytes.size() - offset;
    CHECK(crc64(bytes.data() + offset, size) == naive_crc64(bytes.data() + offset, size));
  }
}

}  // namespace

int main() {
  test_standard_text();
  test_short_lengths_and_offsets_equal_the_twin();
  test_random_lengths_and_offsets_equal_the_twin();
  return automs_test_result();
}
