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
  cross_entropy = 5,
};
constexpr int kLossCount = 6;

/// `adamw` is Adam with decoupled weight decay; `sgd` decays its weights decoupled, too.
enum class Optimizer : int { sgd = 0, adam = 1, adamw = 2 };
constexpr int kOptimizerCount = 3;

enum class Schedule : int { constant = 0, cosine = 1, coslog4 = 2, flat_cos = 3 };
constexpr int kScheduleCount = 4;

constexpr int kLargestEmbedding = 1024;

struct Architecture {
  std::vector<int> hidden_layer_sizes;  // empty: a linear model
  Activation activation = Activation::relu;
  bool residual = false;   // a hidden layer as wide as the one before adds its input to its output
  int embedding_size = 8;  // values of an embedded category's vector, at most its table's rows
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
};

struct Candidate {
  Architecture architecture;
  LossSettings loss;
  OptimizerSettings optimizer;
  double learning_rate = 1e-3;
  Schedule learning_rate_schedule = Schedule::constant;
  int batch_size = 32;
  int epochs = 10;
  int patience = 0;  // epochs without improvement on the validation rows; 0: never stop early
  double dropout = 0.0;
  std::uint64_t seed = 0;
};

}  // namespace automs
