// bytes of a model file -> predictions from raw rows, without allocation, lock or exception.
//
// The whole of what a program must include; it needs the standard library alone, C++17, and neither
// exceptions nor RTTI. FORMAT.md beside this folder specifies the file. An example:
//
//   automs::Predictor predictor;
//   if (automs::Predictor::load_file("model.automs", predictor) != automs::Status::ok) return 1;
//   automs::Predictor::Workspace workspace(predictor);  // one for each thread
//   double row[] = {8.3, 41.0, ...};               // NaN = missing
//   double value;
//   predictor.predict(row, &value, workspace);
#pragma once

#if defined(__FAST_MATH__) || defined(_M_FP_FAST)
#error "automs relies on IEEE arithmetic (NaN, rounding): compile this file without fast math"
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string_view>

#include "automs/model.hpp"
#include "automs/model_reader.hpp"
#include "automs/network_eval.hpp"

namespace automs {

/// A loaded model. Constant once loaded: any number of threads may predict at once, each with a
/// workspace of its own.
class Predictor {
 public:
  /// The scratch memory of one thread, made once for a predictor; `predict` writes into it.
  class Workspace {
   public:
    Workspace() noexcept = default;
    explicit Workspace(const Predictor& predictor) noexcept { prepare(predictor); }

    /// Makes room for the predictor: Status::ok or out_of_memory.
    Status prepare(const Predictor& predictor) noexcept;

   private:
    friend class Predictor;
    Array<float> floats_;        // inputs for the networks of every encoder, then two buffers
                                 // for layers
    Array<double> doubles_;      // values of one network
    Array<std::int32_t> codes_;  // of embedded columns, of every encoder
  };

  /// Loads a model from `bytes` (size), which may lie at any address and are not needed afterwards.
  /// On failure `out` stays as it was, and `failure`, where given, says which field at which byte.
  static Status load(const void* bytes, std::size_t size, Predictor& out,
                     LoadFailure* failure = nullptr) noexcept;

  /// Loads a model from a file; cannot_read where it does not open or is no regular file.
  static Status load_file(const char* path, Predictor& out,
                          LoadFailure* failure = nullptr) noexcept;

  std::size_t n_columns() const noexcept { return model_.n_columns; }
  /// Values that `predict` writes: the targets of a regression, or one probability for each class.
  std::size_t n_outputs() const noexcept { return model_.n_outputs; }
  std::size_t n_networks() const noexcept { return model_.networks.size(); }
  /// Weights, biases and embeddings of all networks.
  std::size_t n_parameters() const noexcept;
  ModelTask task() const noexcept { return model_.task; }
  ClassKind class_kind() const noexcept { return model_.class_kind; }
  /// Names of raw columns in the order that rows must have; empty where the file holds none.
  const Array<Text>& column_names() const noexcept { return model_.column_names; }
  /// What the number of raw column j means; here and below j < n_columns().
  ColumnKind column_kind(std::size_t j) const noexcept { return model_.columns[j].kind; }
  /// Whether the order of a categorical column's codes means something.
  bool column_is_ordered(std::size_t j) const noexcept { return model_.columns[j].ordered; }
  /// 0 for a column that is not categorical.
  std::size_t n_categories(std::size_t j) const noexcept {
    return model_.columns[j].categories.size();
  }
  /// The text of code c < n_categories(j).
  std::string_view category(std::size_t j, std::size_t c) const noexcept {
    return view(model_.columns[j].categories[c]);
  }
  /// The number that stands for a category in a row: its code, or -1, which means "unknown".
  double category_code(std::size_t j, std::string_view text) const noexcept {
    return detail::find_category(model_.columns[j], text);
  }
  const Array<Text>& target_names() const noexcept { return model_.target_names; }
  // Of these four, the one that class_kind() names has n_outputs entries, the others none.
  const Array<std::int64_t>& int_classes() const noexcept { return model_.int_classes; }
  const Array<double>& float_classes() const noexcept { return model_.float_classes; }
  const Array<std::uint8_t>& bool_classes() const noexcept { return model_.bool_classes; }
  const Array<Text>& string_classes() const noexcept { return model_.string_classes; }
  /// Free JSON text of the program that wrote the file.
  std::string_view metadata() const noexcept { return view(model_.metadata); }

  /// row (n_columns of float or double, NaN = missing; a code in a categorical column, seconds
  /// since 1970-01-01 UTC in a date column) -> out (n_outputs). A workspace that was not prepared
  /// for this predictor gives NaN; infinities in columns that are not clipped may too.
  template <typename T>
  void predict(const T* row, double* out, Workspace& workspace) const noexcept {
    if (!fits(workspace)) return fill_nan(out);
    for (std::size_t i = 0; i < model_.encoders.size(); ++i) {
      encode_row(model_.encoders[i], row, workspace.floats_.data() + starts_[i].input,
                 workspace.codes_.data() + starts_[i].code);
    }
    combine(out, workspace);
  }

  /// n_rows rows, `stride` elements from one to the next -> out (n_rows, n_outputs), row-major. The
  /// bits are those of row by row.
  template <typename T>
  void predict_rows(const T* rows, std::size_t n_rows, std::size_t stride, double* out,
                    Workspace& workspace) const noexcept {
    for (std::size_t i = 0; i < n_rows; ++i) {
      predict(rows + i * stride, out + i * n_outputs(), workspace);
    }
  }

 private:
  /// Where an encoder's results begin in the arrays of a workspace.
  struct Starts {
    std::size_t input = 0;
    std::size_t code = 0;
  };

  Status measure() noexcept;
  bool fits(const Workspace& workspace) const noexcept {
    return workspace.floats_.size() >= n_floats_ && workspace.doubles_.size() >= most_logits_ &&
           workspace.codes_.size() >= n_codes_;
  }
  void fill_nan(double* out) const noexcept {
    for (std::size_t j = 0; j < n_outputs(); ++j) out[j] = std::numeric_limits<double>::quiet_NaN();
  }
  void combine(double* out, Workspace& workspace) const noexcept;

  Model model_;
  Array<Starts> starts_;         // of each encoder, in a workspace
  std::size_t n_inputs_ = 0;     // of all encoders: features, and room for embeddings
  std::size_t n_codes_ = 0;      // of all encoders
  std::size_t widest_ = 0;       // the most outputs of any layer
  std::size_t most_logits_ = 0;  // of any network
  std::size_t n_floats_ = 0;     // that a workspace needs
};

inline Status Predictor::Workspace::prepare(const Predictor& predictor) noexcept {
  const bool done = floats_.resize(predictor.n_floats_) &&
                    doubles_.resize(predictor.most_logits_) && codes_.resize(predictor.n_codes_);
  return done ? Status::ok : Status::out_of_memory;
}

inline std::size_t Predictor::n_parameters() const noexcept {
  std::size_t n = 0;
  for (const PackedNetwork& network : model_.networks) {
    for (const EmbeddingTable& table : network.embeddings) n += table.vectors.size();
    for (const PackedLayer& layer : network.layers) n += layer.weights.size() + layer.bias.size();
  }
  return n;
}

/// Works out once what every workspace needs. The vectors of a network's embeddings are put right
/// behind the features of its encoder, where the networks take turns.
inline Status Predictor::measure() noexcept {
  if (!starts_.resize(model_.encoders.size())) return Status::out_of_memory;
  Array<std::size_t> rooms;  // for the vectors, of each encoder
  if (!rooms.resize(model_.encoders.size())) return Status::out_of_memory;
  for (const PackedNetwork& network : model_.networks) {
    rooms[network.encoder] = std::max(rooms[network.encoder], network.n_embedding_values());
  }
  for (std::size_t i = 0; i < model_.encoders.size(); ++i) {
    starts_[i] = {n_inputs_, n_codes_};
    n_inputs_ += model_.encoders[i].n_features + rooms[i];
    n_codes_ += model_.encoders[i].n_embedded();
  }
  for (const PackedNetwork& network : model_.networks) {
    for (const PackedLayer& layer : network.layers) widest_ = std::max(widest_, layer.fan_out);
    most_logits_ = std::max(most_logits_, network.n_logits());
  }
  n_floats_ = n_inputs_ + 2 * widest_;
  return Status::ok;
}

/// Features and codes in the workspace -> out (n_outputs): the weighted sum of the networks'
/// values.
inline void Predictor::combine(double* out, Workspace& workspace) const noexcept {
  float* first = workspace.floats_.data() + n_inputs_;
  double* values = workspace.doubles_.data();
  for (std::size_t j = 0; j < n_outputs(); ++j) out[j] = 0.0;
  // A binary network has one value, the probability of the second class.
  double* sums = model_.task == ModelTask::binary ? out + 1 : out;
  for (const PackedNetwork& network : model_.networks) {
    const Starts& start = starts_[network.encoder];
    float* input = workspace.floats_.data() + start.input;
    detail::look_up(network, workspace.codes_.data() + start.code,
                    input + model_.encoders[network.encoder].n_features);
    detail::evaluate(network, input, first, first + widest_, values);
    for (std::size_t j = 0; j < network.n_logits(); ++j) sums[j] += network.weight * values[j];
  }
  if (model_.task == ModelTask::binary) out[0] = 1.0 - out[1];
}

inline Status Predictor::load(const void* bytes, std::size_t size, Predictor& out,
                              LoadFailure* failure) noexcept {
  Predictor loaded;
  LoadFailure result = read_model(bytes, size, loaded.model_);
  if (result.status == Status::ok) result.status = loaded.measure();
  if (failure != nullptr) *failure = result;
  if (result.status == Status::ok) out = static_cast<Predictor&&>(loaded);
  return result.status;
}

namespace detail {

/// An open file -> its bytes. No memory is taken before the first bytes say that it is a model.
inline LoadFailure read_whole(std::FILE* file, Array<unsigned char>& bytes) noexcept {
  unsigned char header[kHeaderBytes];
  const std::size_t n_header = std::fread(header, 1, sizeof header, file);
  if (std::ferror(file) != 0) return {Status::cannot_read, "file", 0};
  if (n_header < sizeof header) return check_frame(header, n_header);
  if (std::memcmp(header, kMagic, sizeof kMagic) != 0) return {Status::bad_magic, "magic", 0};
  if (std::fseek(file, 0, SEEK_END) != 0) return {Status::cannot_read, "file", 0};
  const long size = std::ftell(file);
  if (size < 0 || std::fseek(file, 0, SEEK_SET) != 0) return {Status::cannot_read, "file", 0};
  if (!bytes.resize(static_cast<std::size_t>(size))) return {Status::out_of_memory, "file", 0};
  if (std::fread(bytes.data(), 1, bytes.size(), file) != bytes.size()) {
    return {Status::cannot_read, "file", 0};
  }
  return {};
}

}  // namespace detail

inline Status Predictor::load_file(const char* path, Predictor& out,
                                   LoadFailure* failure) noexcept {
  Array<unsigned char> bytes;
  LoadFailure result{Status::cannot_read, "file", 0};
  if (std::FILE* file = std::fopen(path, "rb")) {
    result = detail::read_whole(file, bytes);
    std::fclose(file);
  }
  if (result.status == Status::ok) return load(bytes.data(), bytes.size(), out, failure);
  if (failure != nullptr) *failure = result;
  return result.status;
}

}  // namespace automs
