// Nothing -> Candidate: one network's architecture, recipe and seed, as plain data.
#pragma once

#include <cstdint>
#include <vector>

#include "automs/activation.hpp"

namespace automs {

// The numbers of these enumerations are the codes that Python hands over.
enum class Loss : int {
  squared = 0,
  absolute = 1,
  huber = 2,
  quantile = 3,
  poisson = 4,
  squared_log = 5,
  cross_entropy = 6,
};
constexpr int kLossCount = 7;

/// `adamw` is Adam with decoupled weight decay; `sgd` decays its weights decoupled, too.
enum class Optimizer : int { sgd = 0, adam = 1, adamw = 2 };
constexpr int kOptimizerCount = 3;

enum class Schedule : int { constant = 0, cosine = 1, coslog4 = 2, flat_cos = 3 };
constexpr int kScheduleCount = 4;

/// How a layer's trained W enters z: as it is, or as W / sqrt(fan_in), the neural tangent
/// parametrisation (Jacot, Gabriel, Hongler 2018, arXiv 1806.07572). Biases enter as they are.
enum class Parametrization : int { standard = 0, ntp = 1 };
constexpr int kParametrizationCount = 2;

/// Weights start normal, or normal with each unit's then scaled for a pre-activation of deviation 1
/// on training rows.
enum class WeightInit : int { normal = 0, unit_deviation = 1 };
constexpr int kWeightInitCount = 2;

/// Biases start at 0, at N(0, 1), or where each unit bends inside the data (initial_values.hpp).
enum class BiasInit : int { zeros = 0, normal = 1, he_plus_5 = 2 };
constexpr int kBiasInitCount = 3;

constexpr int kLargestEmbedding = 1024;
constexpr int kMostMembers = 64;

/// What becomes of a scaled feature x: x itself, or with it W cos(2 pi f x + p) + b, which are
/// learned for each feature (periodic.hpp).
enum class NumericEmbedding : int { none = 0, pbld = 1 };
constexpr int kNumericEmbeddingCount = 2;
constexpr int kMostFrequencies = 1024;
constexpr int kLargestPeriodic = 64;
constexpr double kPeriodicRate = 0.1;  // times the learning rate: the rate of the embedding

struct PeriodicSettings {
  NumericEmbedding kind = NumericEmbedding::none;
  int n_frequencies = 16;        // of each feature
  int size = 4;                  // values that a feature becomes, itself among them
  double frequency_scale = 0.1;  // deviation of the first frequencies
};

struct Architecture {
  std::vector<int> hidden_layer_sizes;  // empty: a linear model
  Activation activation = Activation::relu;
  bool residual = false;   // a hidden layer as wide as the one before adds its input to its output
  int embedding_size = 8;  // values of an embedded category's vector, at most its table's rows
  PeriodicSettings periodic;
  bool scaling_layer = false;          // a trained factor for each input of the first layer
  int n_members = 1;                   // networks that share all but these factors and the outputs
  bool parametric_activation = false;  // a hidden unit gives x + (f(x) - x) a, a being trained
  Parametrization parametrization = Parametrization::standard;
};

struct LossSettings {
  Loss kind = Loss::squared;
  double huber_delta = 1.0;
  double quantile = 0.5;
  double label_smoothing = 0.0;
};

struct OptimizerSettings {
  Optimizer kind = Optimizer::adam;
  double momentum = 0.9;
  bool nesterov = true;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.0;
  double l2_penalty = 0.0;
  // The learning rates of some values by that of the weights.
  double bias_lr_factor = 1.0;
  double scaling_lr_factor = 6.0;
  double activation_lr_factor = 0.1;
};

/// Tables start in their own way, scales and parametric activations at 1.
struct InitialValues {
  WeightInit weights = WeightInit::normal;
  BiasInit biases = BiasInit::zeros;
  bool zero_output_layer = false;  // weights and bias of the last layer start at 0
};

struct Candidate {
  Architecture architecture;
  LossSettings loss;
  OptimizerSettings optimizer;
  InitialValues initial;
  double learning_rate = 1e-3;
  Schedule learning_rate_schedule = Schedule::constant;
  Schedule weight_decay_schedule = Schedule::constant;
  Schedule dropout_schedule = Schedule::constant;
  int batch_size = 32;
  int epochs = 10;
  int patience = 0;  // epochs without improvement on the validation rows; 0: never stop early
  double dropout = 0.0;
  std::uint64_t seed = 0;
};

}  // namespace automs
