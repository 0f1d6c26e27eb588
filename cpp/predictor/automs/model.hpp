// Nothing -> the plain data of one model file, as it stands in memory after all checks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "automs/activation.hpp"
#include "automs/array.hpp"
#include "automs/columns.hpp"
#include "automs/encoder.hpp"
#include "automs/periodic.hpp"

namespace automs {

// The numbers of these codes stand in model files: never used again for something else.

enum class ModelTask : std::uint8_t { regression = 0, binary = 1, multiclass = 2 };
enum class ClassKind : std::uint8_t { none = 0, int64 = 1, float64 = 2, boolean = 3, string = 4 };
enum class OutputLink : std::uint8_t { identity = 0, exp = 1, sigmoid = 2, softmax = 3 };

constexpr std::uint32_t kFormatVersion = 2;  // that is written; those from 1 on are read
constexpr unsigned char kMagic[8] = {0x89, 'A', 'U', 'T', 'O', 'M', 'S', 0x0A};
constexpr std::size_t kHeaderBytes = 24;   // magic, version, flags, payload size
constexpr std::size_t kChecksumBytes = 8;  // after the payload
constexpr std::size_t kMaxLayers = 1024;

struct PackedLayer {
  std::size_t fan_in = 0;
  std::size_t fan_out = 0;
  bool adds_input = false;  // h = f(z) + input, in residual networks
  Array<float> weights;     // (fan_in, fan_out), row-major
  Array<float> bias;        // (fan_out)
  Array<float> blend;       // (fan_out), a of x + (f(x) - x) a; empty: f(x)
};

/// The vectors of one embedded part's codes.
struct EmbeddingTable {
  std::size_t size = 0;  // of a vector
  Array<float> vectors;  // (n_rows, size), row-major
};

struct PackedNetwork {
  std::size_t encoder = 0;
  double weight = 1.0;  // in the ensemble
  Activation activation = Activation::identity;
  OutputLink link = OutputLink::identity;
  PeriodicEmbedding periodic;
  Array<EmbeddingTable> embeddings;  // one for each embedded part of the encoder
  Array<PackedLayer> layers;         // hidden layers, then the output layer
  Array<double> output_centre;       // (n_logits)
  Array<double> output_scale;        // (n_logits): value = centre + scale * link(logit)
  Array<double> output_low;          // (n_logits), or empty: values are not below these
  Array<double> output_high;         // (n_logits), or empty: nor above these

  std::size_t n_logits() const noexcept { return output_centre.size(); }
  /// Inputs of the first layer that come from embeddings, the periodic one first; they follow the
  /// encoder's features.
  std::size_t n_embedding_values() const noexcept {
    std::size_t n = periodic.n_values();
    for (const EmbeddingTable& table : embeddings) n += table.size;
    return n;
  }
};

struct Model {
  ModelTask task = ModelTask::regression;
  std::size_t n_columns = 0;
  std::size_t n_outputs = 0;
  Array<Text> column_names;    // (n_columns), or empty
  Array<ModelColumn> columns;  // (n_columns)
  Array<Text> target_names;    // (n_outputs) of a regression, or empty
  ClassKind class_kind = ClassKind::none;
  Array<std::int64_t> int_classes;   // of the four arrays of classes, the one
  Array<double> float_classes;       // that `class_kind` names has n_outputs entries,
  Array<std::uint8_t> bool_classes;  // and the others are empty
  Array<Text> string_classes;
  Array<Encoder> encoders;
  Array<PackedNetwork> networks;
  Text metadata;
  Array<double> label_factors;  // (n_outputs) of a classification, or empty: all are 1
};

}  // namespace automs
