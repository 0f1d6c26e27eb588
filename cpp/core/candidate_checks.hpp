// A candidate, alone and with a view -> std::invalid_argument where it breaks a rule of the engine.
#pragma once

#include <cmath>
#include <limits>
#include <string>

#include "core/candidate.hpp"
#include "core/check.hpp"
#include "core/network.hpp"
#include "core/view.hpp"

namespace automs {

inline void check_periodic(const PeriodicSettings& settings) {
  require(settings.n_frequencies >= 1 && settings.n_frequencies <= kMostFrequencies,
          "n_frequencies must be in [1, " + std::to_string(kMostFrequencies) + "]");
  require(settings.size >= 2 && settings.size <= kLargestPeriodic,
          "periodic_embedding_size must be in [2, " + std::to_string(kLargestPeriodic) + "]");
  require(std::isfinite(settings.frequency_scale) && settings.frequency_scale > 0.0,
          "frequency_scale must be finite and above 0");
}

inline void check_candidate(const Candidate& candidate) {
  require(candidate.epochs >= 1, "epochs must be >= 1");
  require(candidate.batch_size >= 1, "batch_size must be >= 1");
  require(candidate.dropout >= 0.0 && candidate.dropout < 1.0, "dropout must be in [0, 1)");
  require(candidate.architecture.embedding_size >= 0 &&
              candidate.architecture.embedding_size <= kLargestEmbedding,
          "embedding_size must be in [0, " + std::to_string(kLargestEmbedding) + "]");
  check_periodic(candidate.architecture.periodic);
  for (const double factor :
       {candidate.optimizer.bias_lr_factor, candidate.optimizer.scaling_lr_factor,
        candidate.optimizer.activation_lr_factor}) {
    require(factor > 0.0 && factor < std::numeric_limits<double>::infinity(),
            "bias_lr_factor, scaling_lr_factor and activation_lr_factor must be > 0");
  }
  const int n_members = candidate.architecture.n_members;
  require(n_members >= 1 && n_members <= kMostMembers,
          "n_members must be in [1, " + std::to_string(kMostMembers) + "]");
  require(n_members == 1 || !candidate.architecture.hidden_layer_sizes.empty(),
          "n_members must be 1 without hidden layers");
  // Dropout's stream of random numbers has room for 64 layers.
  require(candidate.architecture.hidden_layer_sizes.size() <= 64,
          "hidden_layer_sizes must have at most 64 layers");
}

/// Classes are trained with cross-entropy, numbers with any other loss, logarithms with their own;
/// a category needs a vector.
inline void check_pair(const Candidate& candidate, const View<float>& view) {
  const bool classes = view.task != Task::regression;
  require(
      classes == (candidate.loss.kind == Loss::cross_entropy),
      classes ? "loss must be cross_entropy for classes" : "loss must not be cross_entropy here");
  require((view.logs.encoded != nullptr) == (candidate.loss.kind == Loss::squared_log),
          "loss must be squared_log where the view holds logarithms of targets, and only there");
  require(view.embedding_rows.empty() || candidate.architecture.embedding_size >= 1,
          "embedding_size must be >= 1 for a view with embedding_rows");
}

}  // namespace automs
