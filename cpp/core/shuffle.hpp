// Rows, seed, epoch -> the order in which the epoch goes through them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/random_blocks.hpp"

namespace automs {

/// rows -> the same rows in the order of epoch `epoch` (Fisher and Yates). Every epoch starts from
/// `rows` as given, so that the order depends on (seed, epoch) alone.
inline void shuffle_rows(const std::vector<std::int32_t>& rows, std::uint64_t seed,
                         std::uint64_t epoch, std::vector<std::int32_t>& order) {
  constexpr std::size_t group = 4 * whole_groups(16);  // words that are drawn at once
  order.assign(rows.begin(), rows.end());
  const RandomStream stream(seed, Purpose::row_order);
  std::uint32_t words[group];
  const std::size_t n = order.size();
  for (std::size_t start = 0; start + 1 < n; start += group) {
    random_blocks(stream, epoch, static_cast<std::uint32_t>(start / 4), group / 4, words);
    const std::size_t end = std::min(start + group, n - 1);
    for (std::size_t position = start; position < end; ++position) {
      const std::size_t left = n - position;
      const auto j =
          static_cast<std::size_t>((std::uint64_t{words[position - start]} * left) >> 32);
      std::swap(order[left - 1], order[j]);
    }
  }
}

}  // namespace automs
