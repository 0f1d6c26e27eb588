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
/// workspace of its own. One row and many give the same bits; another CpuPath may differ in the
/// last bits of float32.
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
    detail::AlignedArray<float> floats_;  // inputs for the networks of every encoder, then two
                                          // buffers for layers, each of rows_at_once_ rows
    Array<double> doubles_;               // values of one network
    Array<std::int32_t> codes_;           // of embedded columns, of every encoder
  };

  /// Loads a model from `bytes` (size), which may lie at any address and are not needed afterwards.
  /// On failure `out` stays as it was, and `failure`, where given, says which field at which byte.
  /// A `path` that is not available gives the portable one.
  static Status load(const void* bytes, std::size_t size, Predictor& out,
                     LoadFailure* failure = nullptr, CpuPath path = best_cpu_path()) noexcept;

  /// Loads a model from a file; cannot_read where it does not open or is no regular file.
  static Status load_file(const char* path, Predictor& out,
                          LoadFailure* failure = nullptr) noexcept;

  std::size_t n_columns() const noexcept { return model_.n_columns; }
  /// Values that `predict` writes: the targets of a regression, or one probability for each class.
  std::size_t n_outputs() const noexcept { return model_.n_outputs; }
  std::size_t n_networks() const noexcept { return model_.networks.size(); }
  /// Numbers that all encoders make of a row, embeddings not among them.
  std::size_t n_features() const noexcept { return n_features_; }
  /// Weights, biases, parametric activations and embeddings of all networks.
  std::size_t n_parameters() const noexcept { return n_parameters_; }
  /// The kernels in use.
  CpuPath cpu_path() const noexcept { return path_; }
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

  /// Probabilities that `predict` wrote (n_outputs) -> the index of the label among the classes:
  /// the greatest product with the label's factor, the first of equal ones.
  std::size_t label_index(const double* probabilities) const noexcept {
    const Array<double>& factors = model_.label_factors;
    return choose_label(probabilities, factors.size() > 0 ? factors.data() : nullptr, n_outputs());
  }
  /// What weighs the probabilities where a label is chosen; empty where all factors are 1.
  const Array<double>& label_factors() const noexcept { return model_.label_factors; }

  /// row (n_columns of float or double, NaN = missing; a code in a categorical column, seconds
  /// since 1970-01-01 UTC in a date column) -> out (n_outputs). A workspace that was not prepared
  /// for this predictor gives NaN; infinities in columns that are not clipped may too.
  template <typename T>
  void predict(const T* row, double* out, Workspace& workspace) const noexcept {
    predict_rows(row, 1, model_.n_columns, out, workspace);
  }

  /// n_rows rows, `stride` elements from one to the next -> out (n_rows, n_outputs), row-major. The
  /// bits are those of row by row.
  template <typename T>
  void predict_rows(const T* rows, std::size_t n_rows, std::size_t stride, double* out,
                    Workspace& workspace) const noexcept {
    if (!fits(workspace)) return fill_nan(out, n_rows * n_outputs());
    while (n_rows > 0) {
      const std::size_t n = n_rows < rows_at_once_ ? n_rows : rows_at_once_;
      for (std::size_t e = 0; e < encoders_.size(); ++e) encode(e, rows, n, stride, workspace);
      combine(out, n, workspace);
      rows += n * stride;
      out += n * n_outputs();
      n_rows -= n;
    }
  }

  /// Whether any of n values is infinite, which no raw row should be.
  bool has_infinity(const float* values, std::size_t n) const noexcept {
    return kernels_->has_infinite_float(values, n);
  }
  bool has_infinity(const double* values, std::size_t n) const noexcept {
    return kernels_->has_infinite_double(values, n);
  }

 private:
  /// What the kernels read of an encoder, and where its results begin in a workspace.
  struct EncoderPlace {
    detail::ScaledBlocks scaled;
    std::size_t input = 0;     // the first row of inputs
    std::size_t stride = 0;    // of these rows: features, then room for embeddings
    std::size_t n_inputs = 0;  // of the network that has most
    std::size_t code = 0;      // the first row of codes
  };

  Status pack(CpuPath path) noexcept;
  Status place_encoders() noexcept;
  void measure() noexcept;
  bool fits(const Workspace& workspace) const noexcept {
    return workspace.floats_.size() >= n_floats_ && workspace.doubles_.size() >= most_logits_ &&
           workspace.codes_.size() >= n_codes_;
  }
  static void fill_nan(double* out, std::size_t n) noexcept {
    for (std::size_t j = 0; j < n; ++j) out[j] = std::numeric_limits<double>::quiet_NaN();
  }
  void encode_scaled(const detail::ScaledBlocks& parts, const float* row,
                     float* out) const noexcept {
    kernels_->encode_floats(parts, row, out);
  }
  void encode_scaled(const detail::ScaledBlocks& parts, const double* row,
                     float* out) const noexcept {
    kernels_->encode_doubles(parts, row, out);
  }

  /// Rows -> inputs and codes in the workspace, by encoder e.
  template <typename T>
  void encode(std::size_t e, const T* rows, std::size_t n_rows, std::size_t stride,
              Workspace& workspace) const noexcept {
    const Encoder& encoder = model_.encoders[e];
    const EncoderPlace& place = encoders_[e];
    float* features = workspace.floats_.data() + place.input;
    std::int32_t* codes = workspace.codes_.data() + place.code;
    for (std::size_t i = 0; i < n_rows; ++i) {
      encode_scaled(place.scaled, rows + i * stride, features + i * place.stride);
      encode_others(encoder, rows + i * stride, features + i * place.stride + encoder.scaled.size(),
                    codes + i * encoder.n_embedded());
    }
  }
  void combine(double* out, std::size_t n_rows, Workspace& workspace) const noexcept;
  void embed(std::size_t i, std::size_t n_rows, Workspace& workspace) const noexcept;
  void add_network(std::size_t i, double* sums, std::size_t n_rows,
                   Workspace& workspace) const noexcept;

  Model model_;
  const detail::Kernels* kernels_ = &detail::kernels_of(CpuPath::portable);
  CpuPath path_ = CpuPath::portable;
  Array<EncoderPlace> encoders_;
  Array<detail::NetworkBlocks> networks_;
  std::size_t n_features_ = 0;
  std::size_t n_parameters_ = 0;
  std::size_t rows_at_once_ = 0;  // a workspace holds
  std::size_t n_inputs_ = 0;      // floats of all encoders: the buffers begin behind them
  std::size_t n_codes_ = 0;       // of all encoders
  std::size_t stride_ = 0;        // of the buffers: the most outputs of any layer
  std::size_t most_logits_ = 0;   // of any network
  std::size_t n_floats_ = 0;      // that a workspace needs
};

inline Status Predictor::Workspace::prepare(const Predictor& predictor) noexcept {
  const bool done = floats_.resize(predictor.n_floats_) &&
                    doubles_.resize(predictor.most_logits_) && codes_.resize(predictor.n_codes_);
  return done ? Status::ok : Status::out_of_memory;
}

/// The vectors of a network's embeddings are put right behind the features of its encoder, where
/// the networks take turns.
inline Status Predictor::place_encoders() noexcept {
  if (!encoders_.resize(model_.encoders.size())) return Status::out_of_memory;
  for (const PackedNetwork& network : model_.networks) {
    std::size_t& room = encoders_[network.encoder].stride;
    room = std::max(room, network.n_embedding_values());
  }
  for (std::size_t e = 0; e < encoders_.size(); ++e) {
    encoders_[e].n_inputs = encoders_[e].stride + model_.encoders[e].n_features;
    encoders_[e].stride = detail::padded(encoders_[e].n_inputs);
    const Status status = detail::pack_scaled(model_.encoders[e], encoders_[e].scaled);
    if (status != Status::ok) return status;
  }
  for (std::size_t i = 0; i < networks_.size(); ++i) {
    const std::size_t e = model_.networks[i].encoder;
    networks_[i].is_embedded = encoders_[e].n_inputs > model_.encoders[e].n_features;
  }
  return Status::ok;
}

/// Works out once what every workspace needs. Rows are many enough to load each weight seldom, and
/// few enough to stay in the cache with it.
inline void Predictor::measure() noexcept {
  constexpr std::size_t most_rows = 4 * detail::kRowsAtOnce;
  constexpr std::size_t most_floats = std::size_t{1} << 18;
  std::size_t n_floats = 0;  // of one row
  for (const EncoderPlace& place : encoders_) n_floats += place.stride;
  for (const Encoder& encoder : model_.encoders) n_features_ += encoder.n_features;
  for (const PackedNetwork& network : model_.networks) {
    n_parameters_ += network.periodic.n_parameters();
    for (const EmbeddingTable& table : network.embeddings) n_parameters_ += table.vectors.size();
    for (const PackedLayer& layer : network.layers) {
      n_parameters_ += (layer.fan_in + 1) * layer.fan_out + layer.blend.size();
      stride_ = std::max(stride_, detail::padded(layer.fan_out));
    }
    most_logits_ = std::max(most_logits_, network.n_logits());
  }
  n_floats += 2 * stride_;
  rows_at_once_ = std::max(std::min(most_floats / n_floats, most_rows), std::size_t{1});
  for (std::size_t e = 0; e < encoders_.size(); ++e) {
    encoders_[e].input = n_inputs_;
    encoders_[e].code = n_codes_;
    n_inputs_ += rows_at_once_ * encoders_[e].stride;
    n_codes_ += rows_at_once_ * model_.encoders[e].n_embedded();
  }
  n_floats_ = rows_at_once_ * n_floats;
}

/// Turns the model that was read into what the kernels of `path` read.
inline Status Predictor::pack(CpuPath path) noexcept {
  path_ = is_available(path) ? path : CpuPath::portable;
  kernels_ = &detail::kernels_of(path_);
  if (!networks_.resize(model_.networks.size())) return Status::out_of_memory;
  for (std::size_t i = 0; i < networks_.size(); ++i) {
    const Status status = detail::pack_network(model_.networks[i], kernels_->width, networks_[i]);
    if (status != Status::ok) return status;
  }
  const Status status = place_encoders();
  if (status == Status::ok) measure();
  return status;
}

/// Writes what network i learned for features and codes behind the features of every row.
inline void Predictor::embed(std::size_t i, std::size_t n_rows,
                             Workspace& workspace) const noexcept {
  const PackedNetwork& network = model_.networks[i];
  const Encoder& encoder = model_.encoders[network.encoder];
  const EncoderPlace& place = encoders_[network.encoder];
  const std::size_t n_values = network.n_embedding_values();
  const std::size_t n_inputs = encoder.n_features + n_values;
  // Kernels read up to a padding's end, times weights of 0: what another network left there may
  // have become infinite.
  const std::size_t end = std::min(place.n_inputs, detail::padded(n_inputs));
  float* row = workspace.floats_.data() + place.input;
  const std::int32_t* codes = workspace.codes_.data() + place.code;
  for (std::size_t r = 0; r < n_rows; ++r, row += place.stride, codes += encoder.n_embedded()) {
    float* out = row + encoder.n_features;
    if (network.periodic.n_columns > 0) {
      kernels_->embed_periodic(networks_[i].periodic, row, out);
    }
    detail::look_up(network, codes, out + network.periodic.n_values());
    for (std::size_t j = n_inputs; j < end; ++j) row[j] = 0.0f;
  }
}

/// Adds the weighted values of network i to `sums`, n_outputs from row to row.
inline void Predictor::add_network(std::size_t i, double* sums, std::size_t n_rows,
                                   Workspace& workspace) const noexcept {
  const PackedNetwork& network = model_.networks[i];
  const EncoderPlace& place = encoders_[network.encoder];
  if (networks_[i].is_embedded) embed(i, n_rows, workspace);
  const float* input = workspace.floats_.data() + place.input;
  float* first = workspace.floats_.data() + n_inputs_;
  const float* logits = kernels_->evaluate(
      networks_[i], {input, place.stride, first, first + rows_at_once_ * stride_, stride_}, n_rows);
  double* values = workspace.doubles_.data();
  const std::size_t n_logits = network.n_logits();
  const double* centre = network.output_centre.data();
  const double* scale = network.output_scale.data();
  const double weight = network.weight;
  for (std::size_t r = 0; r < n_rows; ++r, sums += n_outputs(), logits += stride_) {
    if (network.output_low.size() > 0) {
      detail::apply_link(network.link, logits, n_logits, values);
      for (std::size_t j = 0; j < n_logits; ++j) values[j] = centre[j] + scale[j] * values[j];
      detail::bound_values(network, values);
      for (std::size_t j = 0; j < n_logits; ++j) sums[j] += weight * values[j];
      continue;
    }
    if (network.link == OutputLink::identity) {  // a common case, spared a detour
      for (std::size_t j = 0; j < n_logits; ++j) {
        sums[j] += weight * (centre[j] + scale[j] * static_cast<double>(logits[j]));
      }
      continue;
    }
    detail::apply_link(network.link, logits, n_logits, values);
    for (std::size_t j = 0; j < n_logits; ++j) {
      sums[j] += weight * (centre[j] + scale[j] * values[j]);
    }
  }
}

/// Inputs and codes in the workspace -> out (n_rows, n_outputs): the weighted sum of the networks'
/// values.
inline void Predictor::combine(double* out, std::size_t n_rows,
                               Workspace& workspace) const noexcept {
  const bool binary = model_.task == ModelTask::binary;
  for (std::size_t j = 0; j < n_rows * n_outputs(); ++j) out[j] = 0.0;
  // A binary network has one value, the probability of the second class.
  double* sums = binary ? out + 1 : out;
  for (std::size_t i = 0; i < networks_.size(); ++i) add_network(i, sums, n_rows, workspace);
  for (std::size_t r = 0; binary && r < n_rows; ++r) out[2 * r] = 1.0 - out[2 * r + 1];
}

inline Status Predictor::load(const void* bytes, std::size_t size, Predictor& out,
                              LoadFailure* failure, CpuPath path) noexcept {
  Predictor loaded;
  LoadFailure result = read_model(bytes, size, loaded.model_);
  if (result.status == Status::ok) result.status = loaded.pack(path);
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
