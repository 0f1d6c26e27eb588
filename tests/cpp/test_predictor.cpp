// Model bytes and raw rows -> the predictor against plain loops in double, and against bad files.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "automs/predictor.hpp"
#include "check.hpp"
#include "core/model_file.hpp"
#include "counted_new.hpp"
#include "random_model.hpp"

namespace {

using namespace automs;
using automs_test::ModelMaker;
using automs_test::n_allocations;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

double naive_activation(Activation activation, double x) {
  const double below = std::expm1(std::fmin(x, 0.0));
  switch (activation) {
    case Activation::identity:
      return x;
    case Activation::relu:
      return std::fmax(x, 0.0);
    case Activation::leaky_relu:
      return x > 0.0 ? x : 0.01 * x;
    case Activation::tanh:
      return std::tanh(x);
    case Activation::sigmoid:
      return 1.0 / (1.0 + std::exp(-x));
    case Activation::selu:
      return 1.0507009873554805 * (x > 0.0 ? x : 1.6732632423543772 * below);
    case Activation::elu:
      return x > 0.0 ? x : below;
    case Activation::gelu:
      return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
    case Activation::silu:
      return x / (1.0 + std::exp(-x));
    case Activation::mish:
      return x * std::tanh(std::log1p(std::exp(x)));
  }
  return kMissing;
}

std::vector<double> naive_encode(const EncoderTables& encoder, const std::vector<double>& row) {
  std::vector<double> features;
  for (std::size_t j = 0; j < row.size(); ++j) {
    double z = (row[j] - encoder.centre[j]) * encoder.scale[j];
    if (encoder.clip[j]) z /= std::sqrt(1.0 + (z / 3.0) * (z / 3.0));
    features.push_back(std::isnan(row[j]) ? 0.0 : z);
  }
  for (std::size_t j = 0; j < row.size(); ++j) {
    if (encoder.indicator[j]) features.push_back(std::isnan(row[j]) ? 1.0 : 0.0);
  }
  return features;
}

std::vector<double> naive_network(const NetworkTables& network, std::vector<double> input) {
  const std::size_t n_layers = network.weights.size();
  for (std::size_t l = 0; l < n_layers; ++l) {
    const std::size_t fan_in = input.size(), fan_out = network.biases[l].size();
    std::vector<double> output(network.biases[l].begin(), network.biases[l].end());
    for (std::size_t k = 0; k < fan_in; ++k) {
      for (std::size_t n = 0; n < fan_out; ++n) {
        output[n] += input[k] * double(network.weights[l][k * fan_out + n]);
      }
    }
    const bool hidden = l + 1 < n_layers;
    for (std::size_t n = 0; hidden && n < fan_out; ++n) {
      output[n] = naive_activation(network.activation, output[n]);
      if (network.residual && l > 0 && fan_in == fan_out) output[n] += input[n];
    }
    input = output;
  }
  double sum = 0.0;
  for (double& value : input) {
    if (network.link == OutputLink::sigmoid) value = 1.0 / (1.0 + std::exp(-value));
    if (network.link == OutputLink::exp || network.link == OutputLink::softmax)
      value = std::exp(value);
    sum += value;
  }
  for (std::size_t j = 0; j < input.size(); ++j) {
    if (network.link == OutputLink::softmax) input[j] /= sum;
    input[j] = network.output_centre[j] + network.output_scale[j] * input[j];
  }
  return input;
}

std::vector<double> naive_predict(const ModelTables& model, const std::vector<double>& row) {
  std::vector<double> out(model.n_outputs, 0.0);
  for (const NetworkTables& network : model.networks) {
    const auto features = naive_encode(model.encoders[network.encoder], row);
    const auto values = naive_network(network, features);
    const std::size_t first = model.task == ModelTask::binary ? 1 : 0;
    for (std::size_t j = 0; j < values.size(); ++j) out[first + j] += network.weight * values[j];
  }
  if (model.task == ModelTask::binary) out[0] = 1.0 - out[1];
  return out;
}

std::vector<std::vector<double>> random_rows(ModelMaker& maker, std::size_t n, std::size_t width) {
  std::vector<std::vector<double>> rows(n, std::vector<double>(width));
  for (auto& row : rows) {
    for (double& value : row) value = maker.below(8) == 0 ? kMissing : float(maker.normal(2.0));
  }
  return rows;
}

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

Predictor loaded(const std::string& bytes) {
  Predictor predictor;
  CHECK(Predictor::load(bytes.data(), bytes.size(), predictor) == Status::ok);
  return predictor;
}

// Float32 networks of up to 110 units and 3 layers against double: 2e-5 is about 100 roundings; the
// exponential link multiplies the error of a logit by the value, which the relative part covers.
void test_predictions_equal_plain_loops() {
  for (unsigned seed = 0; seed < 300; ++seed) {
    ModelMaker maker(seed);
    const auto tables = maker.model(static_cast<ModelTask>(seed % 3), 2 + seed % 4);
    const Predictor predictor = loaded(write_model(tables));
    Predictor::Workspace workspace(predictor);
    for (const auto& row : random_rows(maker, 5, tables.n_columns)) {
      std::vector<double> out(predictor.n_outputs());
      predictor.predict(row.data(), out.data(), workspace);
      const auto expected = naive_predict(tables, row);
      for (std::size_t j = 0; j < out.size(); ++j) CHECK_CLOSE(out[j], expected[j], 2e-5);
    }
  }
}

void test_many_rows_and_floats_give_the_bits_of_single_rows() {
  for (unsigned seed = 0; seed < 60; ++seed) {
    ModelMaker maker(seed);
    const auto tables = maker.model(static_cast<ModelTask>(seed % 3), 3);
    const Predictor predictor = loaded(write_model(tables));
    Predictor::Workspace workspace(predictor);
    const std::size_t n = 7, width = tables.n_columns, stride = width + 2;
    const auto rows = random_rows(maker, n, width);
    std::vector<double> flat(n * stride, 0.0), single(n * predictor.n_outputs());
    std::vector<float> narrow(n * stride, 0.0f);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < width; ++j) {
        flat[i * stride + j] = rows[i][j];
        narrow[i * stride + j] = static_cast<float>(rows[i][j]);
      }
      predictor.predict(rows[i].data(), single.data() + i * predictor.n_outputs(), workspace);
    }
    std::vector<double> many(single.size()), from_floats(single.size());
    predictor.predict_rows(flat.data(), n, stride, many.data(), workspace);
    predictor.predict_rows(narrow.data(), n, stride, from_floats.data(), workspace);
    CHECK(same_bits(many, single));
    CHECK(same_bits(from_floats, single));
  }
}

void test_predict_allocates_nothing() {
  ModelMaker maker(5);
  const auto tables = maker.model(ModelTask::multiclass, 4);
  const Predictor predictor = loaded(write_model(tables));
  Predictor::Workspace workspace(predictor);
  const std::vector<double> row(tables.n_columns, 0.5);
  std::vector<double> out(predictor.n_outputs());
  const std::size_t before = n_allocations;
  for (int i = 0; i < 100; ++i) predictor.predict(row.data(), out.data(), workspace);
  predictor.predict_rows(row.data(), 1, row.size(), out.data(), workspace);
  CHECK(n_allocations == before);
}

void test_workspace_of_another_predictor_gives_nan() {
  ModelMaker maker(6);
  const auto tables = maker.model(ModelTask::regression, 2);
  const Predictor predictor = loaded(write_model(tables));
  Predictor::Workspace workspace;
  const std::vector<double> row(tables.n_columns, 0.5);
  double out[2] = {0.0, 0.0};
  predictor.predict(row.data(), out, workspace);
  CHECK(std::isnan(out[0]) && std::isnan(out[1]));
  CHECK(workspace.prepare(predictor) == Status::ok);
  predictor.predict(row.data(), out, workspace);
  CHECK(std::isfinite(out[0]) && std::isfinite(out[1]));
}

/// An encoder of one column.
Encoder one_column(double centre, double scale, bool clip, bool indicator) {
  Encoder encoder;
  CHECK(encoder.centre.resize(1) && encoder.scale.resize(1));
  CHECK(encoder.clip.resize(1) && encoder.indicator.resize(1));
  encoder.centre[0] = centre;
  encoder.scale[0] = scale;
  encoder.clip[0] = clip;
  encoder.indicator[0] = indicator;
  CHECK(finish_encoder(encoder) == Status::ok);
  return encoder;
}

float encoded(const Encoder& encoder, double x) {
  float out[2];
  encode_row(encoder, &x, out);
  return out[0];
}

void test_encoder_keeps_its_rules_at_the_extremes() {
  const double infinity = std::numeric_limits<double>::infinity();
  const double largest = std::numeric_limits<double>::max();
  const Encoder clipped = one_column(1.0, 2.0, true, true);
  CHECK(encoded(clipped, infinity) == 3.0f && encoded(clipped, -infinity) == -3.0f);
  CHECK(encoded(clipped, largest) == 3.0f && encoded(clipped, -largest) == -3.0f);
  CHECK_CLOSE(encoded(clipped, 2.5), 3.0 / std::sqrt(2.0), 1e-7);  // z = 3
  CHECK(encoded(clipped, kMissing) == 0.0f);
  const Encoder constant = one_column(-largest, 0.0, false, false);
  CHECK(encoded(constant, largest) == 0.0f && encoded(constant, infinity) == 0.0f);
  const Encoder plain = one_column(1e15, 1.0, false, false);
  CHECK(encoded(plain, 1e15 + 1.0) == 1.0f);  // centred in double: no digit is lost
  CHECK(encoded(plain, infinity) == 1e9f && encoded(plain, -infinity) == -1e9f);
  float out[2];
  encode_row(clipped, &kMissing, out);
  CHECK(out[1] == 1.0f);
}

void test_encode_rows_picks_rows() {
  const Encoder encoder = one_column(0.0, 1.0, false, true);
  const double X[] = {1.0, -1.0, 2.0, -1.0, kMissing, -1.0};
  const std::int32_t rows[] = {2, 0};
  float out[6];
  encode_rows(encoder, X, 2, rows, 2, out);
  CHECK(out[0] == 0.0f && out[1] == 1.0f && out[2] == 1.0f && out[3] == 0.0f);
  encode_rows(encoder, X, 2, nullptr, 3, out);
  CHECK(out[0] == 1.0f && out[2] == 2.0f && out[5] == 1.0f);
}

void test_finish_encoder_refuses_bad_tables() {
  Encoder empty;
  CHECK(finish_encoder(empty) == Status::bad_value);
  Encoder infinite = one_column(0.0, 1.0, false, false);
  infinite.scale[0] = std::numeric_limits<double>::infinity();
  CHECK(finish_encoder(infinite) == Status::bad_value);
}

}  // namespace

int main() {
  test_predictions_equal_plain_loops();
  test_many_rows_and_floats_give_the_bits_of_single_rows();
  test_predict_allocates_nothing();
  test_workspace_of_another_predictor_gives_nan();
  test_encoder_keeps_its_rules_at_the_extremes();
  test_encode_rows_picks_rows();
  test_finish_encoder_refuses_bad_tables();
  return automs_test_result();
}
