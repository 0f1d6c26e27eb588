// The engine once more in plain loops over doubles: the reference that the fast code is held to.
#pragma once

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/candidate.hpp"
#include "core/network.hpp"
#include "core/random.hpp"
#include "core/shuffle.hpp"
#include "core/view.hpp"
#include "naive_activation.hpp"
#include "naive_periodic.hpp"

namespace naive {

using automs::Candidate;
using automs::Loss;
using automs::Optimizer;
using automs::Schedule;
using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;

/// Loss of one row (summed over outputs) and its gradient by the logits.
inline double row_loss(const automs::LossSettings& settings, const Vector& z, const Vector& y,
                       Vector& gradient) {
  const std::size_t n = z.size();
  gradient.assign(n, 0.0);
  double loss = 0;
  if (settings.kind == Loss::cross_entropy && n > 1) {
    double sum = 0;
    for (double v : z) sum += std::exp(v);
    for (std::size_t j = 0; j < n; ++j) {
      const double goal = (static_cast<double>(j) == y[0] ? 1 - settings.label_smoothing : 0) +
                          settings.label_smoothing / static_cast<double>(n);
      loss -= goal * std::log(std::exp(z[j]) / sum);
      gradient[j] = std::exp(z[j]) / sum - goal;
    }
    return loss;
  }
  for (std::size_t j = 0; j < n; ++j) {
    const double e = y[j] - z[j];
    switch (settings.kind) {
      case Loss::squared:
      case Loss::squared_log:  // y is the logarithm
        loss += e * e / 2;
        gradient[j] = -e;
        break;
      case Loss::absolute:
        loss += std::fabs(e);
        gradient[j] = e > 0 ? -1 : (e < 0 ? 1 : 0);
        break;
      case Loss::huber: {
        const double d = settings.huber_delta;
        loss += std::fabs(e) <= d ? e * e / 2 : d * (std::fabs(e) - d / 2);
        gradient[j] = std::fabs(e) <= d ? -e : (e > 0 ? -d : d);
        break;
      }
      case Loss::quantile:
        loss += std::fmax(settings.quantile * e, (settings.quantile - 1) * e);
        gradient[j] = e > 0 ? -settings.quantile : (e < 0 ? 1 - settings.quantile : 0);
        break;
      case Loss::poisson:
        loss += std::exp(z[j]) - y[j] * z[j];
        gradient[j] = std::exp(z[j]) - y[j];
        break;
      case Loss::cross_entropy: {
        const double p = 1 / (1 + std::exp(-z[j]));
        const double t = y[j] * (1 - settings.label_smoothing) + settings.label_smoothing / 2;
        loss -= t * std::log(p) + (1 - t) * std::log(1 - p);
        gradient[j] = p - t;
        break;
      }
    }
  }
  return loss;
}

inline double schedule(Schedule kind, double t) {
  const double pi = 3.14159265358979323846;
  switch (kind) {
    case Schedule::constant:
      return 1;
    case Schedule::cosine:
      return (1 + std::cos(pi * t)) / 2;
    case Schedule::coslog4:
      return (1 - std::cos(2 * pi * std::log(1 + 15 * t) / std::log(2.0))) / 2;
    case Schedule::flat_cos:
      return t <= 0.5 ? 1 : (1 + std::cos(2 * pi * (t - 0.5))) / 2;
  }
  return 1;
}

/// z = x W / root + b, and with blends x + (f(x) - x) a behind it.
struct Layer {
  std::vector<std::vector<Parameter>> W;  // (fan_in, fan_out)
  std::vector<Parameter> b;
  std::vector<Parameter> blend;  // empty: f(x)
  double root = 1;
  bool residual = false;
};

/// What a member has of its own.
struct Own {
  std::vector<Parameter> scales;
  Layer last;
};

class Trainer {
 public:
  /// Starts from the engine's own first weights, which are read out of its padded buffer.
  template <typename Scalar>
  Trainer(const Candidate& candidate, const automs::Network& network,
          const automs::View<Scalar>& view, const std::vector<Scalar>& weights)
      : candidate_(candidate) {
    for (const automs::Layer& from : network.layers) {
      Layer layer;
      const bool is_first = layers_.empty();
      const bool is_last = layers_.size() + 1 == network.layers.size();
      layer.residual = from.residual;
      if (candidate.architecture.parametrization == automs::Parametrization::ntp) {
        layer.root = std::sqrt(from.fan_in);
      }
      const bool is_scaled = is_first && (candidate.architecture.scaling_layer ||
                                          candidate.architecture.n_members > 1);
      const std::size_t start = is_scaled ? network.scaling.weights : from.weights;
      layer.W.assign(from.fan_in, std::vector<Parameter>(from.fan_out));
      layer.b.resize(from.fan_out);
      for (int i = 0; i < from.fan_in; ++i) {
        for (int j = 0; j < from.fan_out; ++j) {
          layer.W[i][j].value =
              layer.root * weights[start + static_cast<std::size_t>(i) * from.stride + j];
        }
        if (!is_scaled) continue;
        scales_.emplace_back();
        scales_.back().value = weights[network.scaling.scales + i];
      }
      if (candidate.architecture.parametric_activation && !is_last) {
        layer.blend.resize(from.fan_out);
        for (int j = 0; j < from.fan_out; ++j) layer.blend[j].value = weights[from.blend + j];
      }
      for (int j = 0; j < from.fan_out; ++j) layer.b[j].value = weights[from.bias + j];
      layers_.push_back(layer);
    }
    for (std::size_t m = 1; m < network.members.size(); ++m) {
      const automs::Network& member = network.members[m];
      const automs::Layer& from = member.layers.back();
      Own own{scales_, layers_.back()};
      for (std::size_t i = 0; i < own.scales.size(); ++i) {
        own.scales[i].value = weights[member.scaling.scales + i];
      }
      for (int j = 0; j < from.fan_out; ++j) {
        own.last.b[j].value = weights[from.bias + j];
        for (int i = 0; i < from.fan_in; ++i) {
          own.last.W[i][j].value =
              own.last.root * weights[from.weights + static_cast<std::size_t>(i) * from.stride + j];
        }
      }
      others_.push_back(own);
    }
    for (const automs::Embedding& from : network.embeddings) {
      Table table(from.n_rows, std::vector<Parameter>(from.size));
      for (int i = 0; i < from.n_rows; ++i) {
        for (int j = 0; j < from.size; ++j) {
          table[i][j].value = weights[from.weights + static_cast<std::size_t>(i) * from.size + j];
        }
      }
      tables_.push_back(table);
    }
    periodic_ = Periodic(network.periodic, weights);
    for (std::size_t row = 0; row < view.n_rows; ++row) {
      X_.emplace_back(view.X + row * view.n_features, view.X + (row + 1) * view.n_features);
      Vector y;
      for (int j = 0; j < view.n_targets; ++j) y.push_back(view.encoded_target(row, j));
      y_.push_back(y);
      weights_.push_back(view.weight(row));
      const std::size_t n_embedded = view.n_embedded();
      codes_.emplace_back(view.codes + row * n_embedded, view.codes + (row + 1) * n_embedded);
    }
    train_rows_ = view.train_rows;
  }

  void train(int epochs) {
    for (int epoch = 0; epoch < epochs; ++epoch) train_epoch(epoch);
  }

  /// Mean loss over a batch with the gradient of every parameter added up.
  double batch_gradient(const std::vector<std::int32_t>& rows, std::uint64_t step) {
    double mean_weight = 0;
    for (std::int32_t row : train_rows_) mean_weight += weights_[row];
    mean_weight /= static_cast<double>(train_rows_.size());
    double total = 0;
    for (std::size_t m = 0; m <= others_.size(); ++m) {
      select(m);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const double factor = weights_[rows[i]] / mean_weight /
                              static_cast<double>(rows.size() * (others_.size() + 1));
        total += factor * row_gradient(rows[i], factor, step, m * rows.size() + i);
      }
      select(m);
    }
    return total;
  }

  std::vector<Layer>& layers() { return layers_; }
  std::vector<Table>& tables() { return tables_; }
  Periodic& periodic() { return periodic_; }
  std::vector<Parameter>& scales() { return scales_; }
  std::vector<Own>& others() { return others_; }  // all members but the first

  /// The factor of input i of layer l in the product: W[i][j].value times it is what passes
  /// through.
  double input_factor(std::size_t l, std::size_t i) const {
    return (l == 0 && !scales_.empty() ? scales_[i].value : 1.0) / layers_[l].root;
  }
  double last_epoch_loss() const { return epoch_loss_; }

 private:
  /// What the backward pass wants of a layer: d output / d pre-activation, d output / d blend.
  struct Slopes {
    Vector by_z, by_blend;
  };

  /// f(x W + b), dropout, residual.
  Vector layer_output(std::size_t l, const Vector& x, std::uint64_t step, std::size_t row_in_batch,
                      Slopes& slopes) const {
    const Layer& layer = layers_[l];
    const bool hidden = l + 1 < layers_.size();
    Vector out(layer.b.size());
    slopes.by_z.assign(out.size(), 1.0);
    slopes.by_blend.assign(out.size(), 0.0);
    for (std::size_t j = 0; j < out.size(); ++j) {
      double z = layer.b[j].value;
      for (std::size_t i = 0; i < x.size(); ++i) {
        z += x[i] * input_factor(l, i) * layer.W[i][j].value;
      }
      const Activation kind = candidate_.architecture.activation;
      out[j] = z;
      double factor = 1;
      if (hidden) {
        const double a = layer.blend.empty() ? 1.0 : layer.blend[j].value;
        out[j] = a * activation(kind, z) + (1 - a) * z;
        slopes.by_z[j] = a * slope(kind, z) + (1 - a);
        slopes.by_blend[j] = activation(kind, z) - z;
        if (dropout_ > 0) factor = dropout_factor(l, step, row_in_batch, j, out.size());
      }
      out[j] *= factor;
      slopes.by_z[j] *= factor;
      slopes.by_blend[j] *= factor;
      if (layer.residual) out[j] += x[j];
    }
    return out;
  }

  double dropout_factor(std::size_t l, std::uint64_t step, std::size_t row, std::size_t unit,
                        std::size_t n_units) const {
    const automs::RandomStream stream(candidate_.seed, automs::Purpose::dropout);
    const std::size_t block = row * ((n_units + 7) / 8) + unit / 8;
    const auto words = stream.block(step * 64 + l, static_cast<std::uint32_t>(block));
    const std::uint32_t word = words[unit % 8 / 2];
    const std::uint32_t bits = unit % 2 == 0 ? word & 0xFFFF : word >> 16;
    const double threshold = std::round(dropout_ * 65536);
    return bits < threshold ? 0 : 1 / (1 - threshold / 65536);
  }

  double row_gradient(std::int32_t row, double factor, std::uint64_t step,
                      std::size_t row_in_batch) {
    Matrix inputs{X_[row]};
    for (const double value : periodic_.outputs(X_[row])) inputs[0].push_back(value);
    for (std::size_t e = 0; e < tables_.size(); ++e) {
      for (const Parameter& p : tables_[e][codes_[row][e]]) inputs[0].push_back(p.value);
    }
    std::vector<Slopes> slopes(layers_.size());
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      inputs.push_back(layer_output(l, inputs[l], step, row_in_batch, slopes[l]));
    }
    Vector by_output;
    const double loss = row_loss(candidate_.loss, inputs.back(), y_[row], by_output);
    for (double& g : by_output) g *= factor;
    for (std::size_t l = layers_.size(); l-- > 0;) {
      Layer& layer = layers_[l];
      Vector by_input(inputs[l].size(), 0.0);
      for (std::size_t j = 0; j < by_output.size(); ++j) {
        const double by_z = by_output[j] * slopes[l].by_z[j];
        layer.b[j].gradient += by_z;
        if (!layer.blend.empty()) {
          layer.blend[j].gradient += by_output[j] * slopes[l].by_blend[j];
        }
        for (std::size_t i = 0; i < inputs[l].size(); ++i) {
          const double w = layer.W[i][j].value;
          layer.W[i][j].gradient += inputs[l][i] * input_factor(l, i) * by_z;
          by_input[i] += w * input_factor(l, i) * by_z;
          if (l == 0 && !scales_.empty()) {
            scales_[i].gradient += inputs[l][i] * w / layer.root * by_z;
          }
        }
        if (layer.residual) by_input[j] += by_output[j];
      }
      by_output = by_input;
    }
    auto by_value = by_output.begin() + static_cast<std::ptrdiff_t>(X_[row].size());
    by_value = periodic_.add_gradient(X_[row], by_value);
    for (std::size_t e = 0; e < tables_.size(); ++e) {
      for (Parameter& p : tables_[e][codes_[row][e]]) p.gradient += *by_value++;
    }
    return loss;
  }

  void train_epoch(int epoch) {
    std::vector<std::int32_t> order;
    automs::shuffle_rows(train_rows_, candidate_.seed, static_cast<std::uint64_t>(epoch), order);
    const std::size_t batch = std::min<std::size_t>(candidate_.batch_size, order.size());
    const std::size_t steps_per_epoch = (order.size() + batch - 1) / batch;
    epoch_loss_ = 0;
    for (std::size_t b = 0; b < steps_per_epoch; ++b) {
      const std::size_t step = epoch * steps_per_epoch + b;
      const std::size_t last = std::min(order.size(), (b + 1) * batch);
      const std::vector<std::int32_t> rows(order.begin() + static_cast<std::ptrdiff_t>(b * batch),
                                           order.begin() + static_cast<std::ptrdiff_t>(last));
      const double t = (static_cast<double>(step) + 0.5) /
                       static_cast<double>(steps_per_epoch * candidate_.epochs);
      dropout_ = candidate_.dropout * schedule(candidate_.dropout_schedule, t);
      decay_ = candidate_.optimizer.weight_decay * schedule(candidate_.weight_decay_schedule, t);
      epoch_loss_ += batch_gradient(rows, step) * static_cast<double>(rows.size()) /
                     static_cast<double>(order.size());
      update_all(candidate_.learning_rate * schedule(candidate_.learning_rate_schedule, t), step);
    }
  }

  void update_all(double rate, std::size_t step) {
    const automs::OptimizerSettings& o = candidate_.optimizer;
    periodic_.for_each([&](Parameter& p, bool is_weight) {
      update(p, 0.1 * rate, step, is_weight);  // the rate that RealMLP gives it
    });
    for (Table& table : tables_) {
      for (auto& row : table) {
        for (Parameter& p : row) update(p, rate, step, true);
      }
    }
    for (Parameter& p : scales_) update(p, o.scaling_lr_factor * rate, step, false);
    for (Layer& layer : layers_) update_layer(layer, rate, step);
    for (Own& own : others_) {
      for (Parameter& p : own.scales) update(p, o.scaling_lr_factor * rate, step, false);
      update_layer(own.last, rate, step);
    }
  }

  void update_layer(Layer& layer, double rate, std::size_t step) {
    const automs::OptimizerSettings& o = candidate_.optimizer;
    for (auto& row : layer.W) {
      for (Parameter& p : row) update(p, rate, step, true);
    }
    for (Parameter& p : layer.b) update(p, o.bias_lr_factor * rate, step, false);
    for (Parameter& p : layer.blend) update(p, o.activation_lr_factor * rate, step, false);
  }

  /// Puts what member m has of its own in place of what the first one has, or back.
  void select(std::size_t m) {
    if (m == 0) return;
    std::swap(scales_, others_[m - 1].scales);
    std::swap(layers_.back(), others_[m - 1].last);
  }

  void update(Parameter& p, double rate, std::size_t step, bool is_weight) {
    const automs::OptimizerSettings& o = candidate_.optimizer;
    const double g = p.gradient + (is_weight ? o.l2_penalty * p.value : 0);
    if (is_weight) p.value -= rate * decay_ * p.value;
    if (o.kind == Optimizer::sgd) {
      p.first = o.momentum * p.first + g;
      p.value -= rate * (o.nesterov ? g + o.momentum * p.first : p.first);
    } else {
      p.first = o.beta1 * p.first + (1 - o.beta1) * g;
      p.second = o.beta2 * p.second + (1 - o.beta2) * g * g;
      const double m = p.first / (1 - std::pow(o.beta1, static_cast<double>(step + 1)));
      const double v = p.second / (1 - std::pow(o.beta2, static_cast<double>(step + 1)));
      p.value -= rate * m / (std::sqrt(v) + o.epsilon);
    }
    p.gradient = 0;
  }

  Candidate candidate_;
  std::vector<Layer> layers_;
  std::vector<Table> tables_;
  Periodic periodic_;
  std::vector<Parameter> scales_;
  std::vector<Own> others_;
  std::vector<std::vector<std::int32_t>> codes_;
  Matrix X_, y_;
  Vector weights_;
  std::vector<std::int32_t> train_rows_;
  double epoch_loss_ = 0;
  double dropout_ = 0, decay_ = 0;  // of the step
};

}  // namespace naive
