// bytes of model files and a seed -> bytes that are wrong somewhere, and what a reader must do.
//
// Most mutants get the size and the checksum that fit them, or nothing behind the frame would ever
// be reached.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "automs/predictor.hpp"

namespace automs_test {

inline void put_little_endian(std::string& bytes, std::size_t at, std::uint64_t value,
                              std::size_t n_bytes) {
  for (std::size_t i = 0; i < n_bytes && at + i < bytes.size(); ++i) {
    bytes[at + i] = static_cast<char>(value >> (8 * i));
  }
}

/// Sets the size in the frame and the checksum, where there is room for them.
inline void repair_frame(std::string& bytes) {
  constexpr std::size_t frame = automs::kHeaderBytes + automs::kChecksumBytes;
  if (bytes.size() < frame) return;
  put_little_endian(bytes, automs::kHeaderBytes - 8, bytes.size() - frame, 8);
  const std::size_t end = bytes.size() - automs::kChecksumBytes;
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  put_little_endian(bytes, end, automs::crc64(data, end), 8);
}

class Mutator {
 public:
  Mutator(std::vector<std::string> files, unsigned seed)
      : files_(std::move(files)), generator_(seed) {}

  /// Some file after one to four changes; the frame is repaired in seven of eight.
  std::string next() {
    std::string bytes = files_[below(files_.size())];
    for (std::size_t n = 1 + below(4); n > 0; --n) change(bytes);
    if (below(8) != 0) repair_frame(bytes);
    return bytes;
  }

  std::size_t below(std::size_t n) { return n == 0 ? 0 : generator_() % n; }

  /// Any number, and often one that code likes to stumble over.
  double number() {
    static const double awkward[] = {0.0, -0.0, -1.0, 1e300, -1e300, 1e-310, 0.5, 4294967296.0};
    switch (below(4)) {
      case 0:
        return std::numeric_limits<double>::quiet_NaN();
      case 1:
        return awkward[below(8)];
      default:
        return static_cast<double>(below(6));
    }
  }

 private:
  void change(std::string& bytes) {
    switch (below(8)) {
      case 0:
        if (!bytes.empty()) bytes[below(bytes.size())] ^= static_cast<char>(1 << below(8));
        break;
      case 1:
        if (!bytes.empty()) bytes[below(bytes.size())] = static_cast<char>(below(256));
        break;
      case 2:
        change_number(bytes);
        break;
      case 3:
        bytes.resize(below(bytes.size() + 1));
        break;
      case 4:
        bytes.erase(below(bytes.size() + 1), 1 + below(16));
        break;
      case 5:
        bytes.insert(below(bytes.size() + 1), 1 + below(16), static_cast<char>(below(3) * 127));
        break;
      case 6:
        splice(bytes);
        break;
      default:
        nudge(bytes);
        break;
    }
  }

  /// A count or a float becomes one at the edge of something.
  void change_number(std::string& bytes) {
    static const std::uint64_t edges[] = {0,
                                          1,
                                          2,
                                          255,
                                          65536,
                                          0x7FFFFFFF,
                                          0x80000000,
                                          0xFFFFFFFE,
                                          0xFFFFFFFF,
                                          0x7FF0000000000000,  // infinity
                                          0x7FF8000000000000,  // NaN
                                          0x7FEFFFFFFFFFFFFF,  // the largest
                                          0xFFFFFFFFFFFFFFFF};
    put_little_endian(bytes, below(bytes.size()), edges[below(13)], below(2) == 0 ? 4 : 8);
  }

  /// A byte, the lowest of a count for example, becomes one more or less.
  void nudge(std::string& bytes) {
    if (bytes.empty()) return;
    char& byte = bytes[below(bytes.size())];
    byte = static_cast<char>(below(2) == 0 ? byte + 1 : byte - 1);
  }

  /// A stretch of another file, put in or written over.
  void splice(std::string& bytes) {
    const std::string& other = files_[below(files_.size())];
    const std::size_t from = below(other.size()), to = below(bytes.size() + 1);
    const std::size_t length = below(256);
    bytes.replace(to, below(2) == 0 ? 0 : length, other, from, length);
  }

  std::vector<std::string> files_;
  std::mt19937 generator_;
};

/// Whether a reader did what it may: refuse with a reason within the bytes and leave `out` alone,
/// or load a model that predicts, and answers, without a fault.
inline bool loads_or_refuses(const void* bytes, std::size_t size, const std::vector<double>& pool,
                             bool& loaded) {
  automs::Predictor predictor;
  automs::LoadFailure failure;
  const automs::Status status = automs::Predictor::load(bytes, size, predictor, &failure);
  loaded = status == automs::Status::ok;
  if (failure.status != status) return false;
  if (!loaded) {
    return failure.offset <= size && std::strlen(failure.field) > 0 && predictor.n_columns() == 0 &&
           predictor.n_outputs() == 0;
  }
  automs::Predictor::Workspace workspace;
  if (workspace.prepare(predictor) != automs::Status::ok) return false;
  std::vector<double> row(predictor.n_columns()), out(predictor.n_outputs());
  for (std::size_t r = 0; r < 4; ++r) {
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = pool[(j * 7 + r * 31) % pool.size()];
    predictor.predict(row.data(), out.data(), workspace);
  }
  for (std::size_t j = 0; j < predictor.n_columns(); ++j) {
    for (std::size_t c = 0; c < predictor.n_categories(j); ++c) {
      const double code = predictor.category_code(j, predictor.category(j, c));
      if (code != static_cast<double>(c)) return false;
    }
  }
  return true;
}

}  // namespace automs_test
