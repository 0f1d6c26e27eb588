// Columns of settings, one value a candidate -> Candidates.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "bindings/arrays.hpp"
#include "core/candidate.hpp"

namespace automs::bindings {

/// One named column of settings, a value for each candidate.
template <typename T>
inline const T* column(const pybind11::dict& columns, const char* name, std::size_t length,
                       std::vector<pybind11::object>& keep) {
  if (!columns.contains(name)) throw pybind11::value_error(std::string("missing column ") + name);
  auto array = pybind11::cast<Array<T>>(columns[name]);
  check_ndim(array, 1, name);
  check_length(array, length, name);
  const T* data = array.data();
  keep.push_back(std::move(array));
  return data;
}

template <typename Enum>
inline Enum checked_code(int code, int count, const char* name) {
  if (code < 0 || code >= count) {
    throw pybind11::value_error(std::string(name) + " must be a code in [0, " +
                                std::to_string(count) + "), got " + std::to_string(code));
  }
  return static_cast<Enum>(code);
}

/// Fills in the settings of trained layers beside the weights, of first values and of schedules.
inline void parse_layer_settings(const pybind11::dict& columns, std::vector<pybind11::object>& keep,
                                 std::vector<Candidate>& candidates) {
  const std::size_t n = candidates.size();
  auto doubles = [&](const char* name) { return column<double>(columns, name, n, keep); };
  auto ints = [&](const char* name) { return column<std::int32_t>(columns, name, n, keep); };
  auto flags = [&](const char* name) { return column<std::uint8_t>(columns, name, n, keep); };
  const auto *parametrization = ints("parametrization"), *weight_init = ints("weight_init"),
             *bias_init = ints("bias_init"), *decay_schedule = ints("weight_decay_schedule"),
             *dropout_schedule = ints("dropout_schedule"), *n_members = ints("n_members");
  const auto *scaling_layer = flags("scaling_layer"),
             *parametric_activation = flags("parametric_activation"),
             *zero_output_layer = flags("zero_output_layer");
  const auto *bias_lr_factor = doubles("bias_lr_factor"),
             *scaling_lr_factor = doubles("scaling_lr_factor"),
             *activation_lr_factor = doubles("activation_lr_factor");
  for (std::size_t i = 0; i < n; ++i) {
    Candidate& c = candidates[i];
    c.architecture.scaling_layer = scaling_layer[i] != 0;
    c.architecture.n_members = n_members[i];
    c.architecture.parametric_activation = parametric_activation[i] != 0;
    c.architecture.parametrization =
        checked_code<Parametrization>(parametrization[i], kParametrizationCount, "parametrization");
    c.optimizer.bias_lr_factor = bias_lr_factor[i];
    c.optimizer.scaling_lr_factor = scaling_lr_factor[i];
    c.optimizer.activation_lr_factor = activation_lr_factor[i];
    c.initial = {checked_code<WeightInit>(weight_init[i], kWeightInitCount, "weight_init"),
                 checked_code<BiasInit>(bias_init[i], kBiasInitCount, "bias_init"),
                 zero_output_layer[i] != 0};
    c.weight_decay_schedule =
        checked_code<Schedule>(decay_schedule[i], kScheduleCount, "weight_decay_schedule");
    c.dropout_schedule =
        checked_code<Schedule>(dropout_schedule[i], kScheduleCount, "dropout_schedule");
  }
}

inline std::vector<Candidate> parse_candidates(const pybind11::dict& columns) {
  const auto seeds = pybind11::cast<Array<std::uint64_t>>(columns["seed"]);
  const auto n = static_cast<std::size_t>(seeds.size());
  std::vector<pybind11::object> keep;
  auto doubles = [&](const char* name) { return column<double>(columns, name, n, keep); };
  auto ints = [&](const char* name) { return column<std::int32_t>(columns, name, n, keep); };
  auto flags = [&](const char* name) { return column<std::uint8_t>(columns, name, n, keep); };
  const auto sizes = pybind11::cast<Array<std::int32_t>>(columns["hidden_sizes"]);
  const auto* offsets = column<std::int64_t>(columns, "hidden_offsets", n + 1, keep);
  const auto *activation = ints("activation"), *loss = ints("loss"), *optimizer = ints("optimizer"),
             *schedule = ints("learning_rate_schedule"), *batch_size = ints("batch_size"),
             *epochs = ints("epochs"), *patience = ints("patience"),
             *embedding_size = ints("embedding_size"), *numbers = ints("numeric_embedding"),
             *n_frequencies = ints("n_frequencies"),
             *periodic_size = ints("periodic_embedding_size");
  const auto *residual = flags("residual"), *nesterov = flags("nesterov");
  const auto *learning_rate = doubles("learning_rate"), *momentum = doubles("momentum"),
             *beta1 = doubles("beta1"), *beta2 = doubles("beta2"), *epsilon = doubles("epsilon"),
             *weight_decay = doubles("weight_decay"), *l2_penalty = doubles("l2_penalty"),
             *dropout = doubles("dropout"), *label_smoothing = doubles("label_smoothing"),
             *huber_delta = doubles("huber_delta"), *quantile = doubles("quantile"),
             *frequency_scale = doubles("frequency_scale");
  std::vector<Candidate> candidates(n);
  for (std::size_t i = 0; i < n; ++i) {
    Candidate& c = candidates[i];
    if (offsets[i] < 0 || offsets[i] > offsets[i + 1] || offsets[i + 1] > sizes.size()) {
      throw pybind11::value_error("hidden_offsets must rise from 0 to the length of hidden_sizes");
    }
    c.architecture.hidden_layer_sizes.assign(sizes.data() + offsets[i],
                                             sizes.data() + offsets[i + 1]);
    c.architecture.activation =
        checked_code<Activation>(activation[i], kActivationCount, "activation");
    c.architecture.residual = residual[i] != 0;
    c.architecture.embedding_size = embedding_size[i];
    c.architecture.periodic = {
        checked_code<NumericEmbedding>(numbers[i], kNumericEmbeddingCount, "numeric_embedding"),
        n_frequencies[i], periodic_size[i], frequency_scale[i]};
    c.loss = {checked_code<Loss>(loss[i], kLossCount, "loss"), huber_delta[i], quantile[i],
              label_smoothing[i]};
    c.optimizer = {checked_code<Optimizer>(optimizer[i], kOptimizerCount, "optimizer"),
                   momentum[i],
                   nesterov[i] != 0,
                   beta1[i],
                   beta2[i],
                   epsilon[i],
                   weight_decay[i],
                   l2_penalty[i]};
    c.learning_rate = learning_rate[i];
    c.learning_rate_schedule =
        checked_code<Schedule>(schedule[i], kScheduleCount, "learning_rate_schedule");
    c.batch_size = batch_size[i];
    c.epochs = epochs[i];
    c.patience = patience[i];
    c.dropout = dropout[i];
    c.seed = seeds.data()[i];
  }
  parse_layer_settings(columns, keep, candidates);
  return candidates;
}

}  // namespace automs::bindings
