#include "core/roc_auc.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace automs {
namespace {

constexpr int kDigitBits = 11;
constexpr int kDigits = 6;  // 66 bits hold the 64 of a key
constexpr std::size_t kBuckets = std::size_t(1) << kDigitBits;
constexpr std::size_t kSmallSort = 512;  // below, clearing the buckets costs more than comparing

// Integers compare as the values do: the bits of a negative value are turned round, those of a
// positive one get the upper bit. Adding zero makes -0 and +0 equal.
std::uint64_t key_of(double value) {
  value += 0.0;
  std::uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const std::uint64_t sign = std::uint64_t(1) << 63;
  return bits & sign ? ~bits : bits | sign;
}

std::size_t digit_of(std::uint64_t key, int digit) {
  return static_cast<std::size_t>(key >> (digit * kDigitBits)) & (kBuckets - 1);
}

// Radix sort by the lowest digit first: linear in the rows, where comparing takes n log n and
// mispredicts every second branch. A digit that all keys share is skipped.
void sort_rows(RocAucWorkspace& workspace) {
  std::vector<RankedRow>& rows = workspace.rows;
  const std::size_t n = rows.size();
  if (n < kSmallSort) {
    std::sort(rows.begin(), rows.end(),
              [](const RankedRow& a, const RankedRow& b) { return a.key < b.key; });
    return;
  }
  workspace.scratch.resize(n);
  workspace.bucket_starts.assign(kDigits * kBuckets, 0);
  for (const RankedRow& row : rows) {
    for (int digit = 0; digit < kDigits; ++digit) {
      ++workspace
            .bucket_starts[static_cast<std::size_t>(digit) * kBuckets + digit_of(row.key, digit)];
    }
  }
  for (int digit = 0; digit < kDigits; ++digit) {
    std::uint32_t* starts = &workspace.bucket_starts[static_cast<std::size_t>(digit) * kBuckets];
    if (starts[digit_of(rows[0].key, digit)] == n) continue;
    std::uint32_t total = 0;
    for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
      const std::uint32_t count = starts[bucket];
      starts[bucket] = total;
      total += count;
    }
    for (const RankedRow& row : rows) workspace.scratch[starts[digit_of(row.key, digit)]++] = row;
    rows.swap(workspace.scratch);
  }
}

}  // namespace

double roc_auc(const double* values, std::size_t stride, const double* y, double positive_class,
               const double* weights, std::size_t n_rows, RocAucWorkspace& workspace) {
  workspace.rows.clear();
  workspace.rows.reserve(n_rows);
  for (std::size_t i = 0; i < n_rows; ++i) {
    const double weight = weights ? weights[i] : 1.0;
    if (weight == 0.0) continue;  // says nothing, and -0 would have no side
    workspace.rows.push_back(
        {key_of(values[i * stride]), y[i] == positive_class ? weight : -weight});
  }
  sort_rows(workspace);

  // Each positive row wins against the negative weight below it, and half of what it ties with.
  const std::vector<RankedRow>& rows = workspace.rows;
  double won = 0.0, positive_total = 0.0, negative_below = 0.0;
  for (std::size_t i = 0; i < rows.size();) {
    const std::uint64_t key = rows[i].key;
    double positive = 0.0, negative = 0.0;
    for (; i < rows.size() && rows[i].key == key; ++i) {
      if (rows[i].signed_weight > 0.0) {
        positive += rows[i].signed_weight;
      } else {
        negative -= rows[i].signed_weight;
      }
    }
    won += positive * (negative_below + 0.5 * negative);
    positive_total += positive;
    negative_below += negative;
  }
  if (!(positive_total > 0.0 && negative_below > 0.0)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return won / (positive_total * negative_below);
}

}  // namespace automs
