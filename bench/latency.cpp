// Nothing -> microseconds a row from C++: p50, p99, p99.9 and worst, for a few networks.
//
//   g++ -std=c++17 -O2 -Icpp -Icpp/predictor bench/latency.cpp cpp/core/model_file.cpp
//     cpp/core/encoder_tables.cpp -o latency && ./latency
//
// A sample is a block of 100 rows out of 1,024 different ones, one after the
// other; its time is divided by 100. The best of the blocks is what a quiet processor takes. Single
// rows are timed one by one, less the time of an empty pair of time stamps.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "automs/predictor.hpp"
#include "core/model_file.hpp"

namespace {

using namespace automs;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kRows = 1024;
constexpr std::size_t kBlock = 100;

double since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

double quantile(std::vector<double>& values, double share) {
  const auto at = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return values[at];
}

ModelTables make_model(std::uint32_t n_columns, const std::vector<std::uint32_t>& hidden,
                       Activation activation, bool clip, std::size_t n_networks) {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  ModelTables model;
  model.n_columns = n_columns;
  model.n_outputs = 1;
  model.columns.resize(n_columns);
  model.encoders.resize(1);
  for (std::uint32_t j = 0; j < n_columns; ++j) {
    PartTables part;
    part.column = j;
    part.centre = normal(generator);
    part.scale = 0.5 + 0.1 * (j % 7);
    part.clip = clip;
    model.encoders[0].push_back(part);
  }
  NetworkTables network;
  network.activation = activation;
  network.weight = 1.0 / static_cast<double>(n_networks);
  network.output_centre = {0.0};
  network.output_scale = {1.0};
  network.layer_sizes = {n_columns};
  network.layer_sizes.insert(network.layer_sizes.end(), hidden.begin(), hidden.end());
  network.layer_sizes.push_back(1);
  for (std::size_t l = 0; l + 1 < network.layer_sizes.size(); ++l) {
    const std::size_t fan_in = network.layer_sizes[l], fan_out = network.layer_sizes[l + 1];
    std::vector<float> weights(fan_in * fan_out), biases(fan_out, 0.1f);
    for (float& weight : weights) weight = normal(generator) / std::sqrt(float(fan_in));
    network.weights.push_back(weights);
    network.biases.push_back(biases);
  }
  model.networks.assign(n_networks, network);
  return model;
}

struct Bench {
  Predictor predictor;
  Predictor::Workspace workspace;
  std::vector<double> rows;
  std::size_t width = 0;

  /// Predicts row i; that it is row i rests on the prediction before it, which is never so large.
  double next(std::size_t i, double before) {
    const std::size_t moved = before > 1e300 ? 1 : 0;
    double out = 0.0;
    predictor.predict(rows.data() + (i % kRows + moved) * width, &out, workspace);
    return out;
  }

  std::vector<double> blocks(std::size_t n, double& carried) {
    std::vector<double> times;
    for (std::size_t b = 0, i = 0; b < n; ++b) {
      const auto start = Clock::now();
      for (std::size_t k = 0; k < kBlock; ++k) carried = next(i++, carried);
      times.push_back(since(start) / kBlock);
    }
    return times;
  }

  std::vector<double> singles(std::size_t n, double& carried) {
    std::vector<double> empty, times;
    for (std::size_t i = 0; i < n; ++i) empty.push_back(since(Clock::now()));
    const double pair = quantile(empty, 0.5);
    for (std::size_t i = 0; i < n; ++i) {
      const auto start = Clock::now();
      carried = next(i, carried);
      times.push_back(std::max(since(start) - pair, 0.0));
    }
    return times;
  }

  /// Microseconds a row of many, the best of some runs.
  double throughput() {
    const std::size_t n = 20 * kRows;
    std::vector<double> many(n * width), out(n);
    for (std::size_t i = 0; i < many.size(); ++i) many[i] = rows[i % rows.size()];
    double best = 1e300;
    for (int run = 0; run < 10; ++run) {
      const auto start = Clock::now();
      predictor.predict_rows(many.data(), n, width, out.data(), workspace);
      best = std::min(best, since(start) / static_cast<double>(n));
    }
    return best;
  }
};

void report(const char* name, const ModelTables& model, CpuPath path) {
  const std::string bytes = write_model(model);
  Bench bench;
  if (Predictor::load(bytes.data(), bytes.size(), bench.predictor, nullptr, path) != Status::ok ||
      bench.workspace.prepare(bench.predictor) != Status::ok) {
    std::abort();
  }
  std::mt19937 generator(2);
  std::normal_distribution<double> normal;
  bench.width = model.n_columns;
  for (std::size_t i = 0; i < (kRows + 1) * bench.width; ++i)
    bench.rows.push_back(normal(generator));
  double carried = 0.0;
  bench.blocks(100, carried);
  std::vector<double> blocks = bench.blocks(1000, carried);
  std::vector<double> singles = bench.singles(20000, carried);
  std::printf("%-34s %8.4f %8.4f %8.4f | %8.3f %8.3f %8.3f %9.1f | %9.4f\n", name,
              quantile(blocks, 0.0), quantile(blocks, 0.5), quantile(blocks, 0.99),
              quantile(singles, 0.5), quantile(singles, 0.99), quantile(singles, 0.999),
              quantile(singles, 1.0), bench.throughput());
  if (carried != carried) std::printf("not a number\n");
}

}  // namespace

int main(int argc, char** argv) {
  CpuPath path = best_cpu_path();
  if (argc > 1) path = static_cast<CpuPath>(std::atoi(argv[1]));
  std::printf("32 inputs, one output, float64 rows, CPU path %d; microseconds a row\n",
              static_cast<int>(path));
  std::printf("%-34s %26s | %36s | %9s\n", "", "blocks: best   p50   p99",
              "single: p50  p99  p99.9  worst", "many rows");
  const auto model = [](const std::vector<std::uint32_t>& hidden, Activation activation, bool clip,
                        std::size_t n) { return make_model(32, hidden, activation, clip, n); };
  report("(16,) relu", model({16}, Activation::relu, false, 1), path);
  report("(64, 64) relu", model({64, 64}, Activation::relu, false, 1), path);
  report("(64, 64) relu, clipped", model({64, 64}, Activation::relu, true, 1), path);
  report("(64, 64) tanh, clipped", model({64, 64}, Activation::tanh, true, 1), path);
  report("3 x 256 relu", model({256, 256, 256}, Activation::relu, false, 1), path);
  report("5 networks (64, 64) silu, clipped", model({64, 64}, Activation::silu, true, 5), path);
  return 0;
}
