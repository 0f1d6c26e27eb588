// Nothing -> the share of the machine's peak that training reaches, for networks of usual sizes.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <numeric>
#include <string>
#include <vector>

#include "core/trainer.hpp"
#include "fixtures.hpp"
#include "naive.hpp"

// One thread. Times of a shared machine are noisy, so every figure is the best of many short runs,
// and the peak (multiply-adds on registers) is measured before and after each run. Needed work is
// 6 x weights x rows x epochs less the gradient by the inputs, which nobody needs.

using namespace automs;
using fixtures::Problem;

namespace {

constexpr int kRows = 10000;
constexpr int kFeatures = 32;

/// Time of this thread on a processor: what others run on the machine is not counted.
double seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Shortest time of `run` in `n` calls.
template <typename Run>
double best_of(int n, Run&& run) {
  double best = 1e9;
  for (int i = 0; i < n; ++i) {
    const double start = seconds();
    run();
    best = std::min(best, seconds() - start);
  }
  return best;
}

/// Twelve independent chains of multiply-adds on full registers -> flops a second.
double measured_peak() {
  using Vector = detail::Vector<float>;
  constexpr int chains = 12, rounds = 10000;
  static volatile float given = 0.5f;
  const Vector factor = Vector{} + given;
  Vector sums[chains];
  // Chains that start alike would be found to be one and the same.
  for (Vector& sum : sums) sum = Vector{} + given;
  const double took = best_of(3, [&] {
    for (int i = 0; i < rounds; ++i) {
#pragma GCC unroll 12
      for (int c = 0; c < chains; ++c) sums[c] = sums[c] * factor + factor;
    }
  });
  static volatile float sink = 0;
  for (const Vector& sum : sums) sink = sink + sum[0];
  return 2.0 * chains * rounds * kLanes<float> / took;
}

struct Speed {
  double flops_a_second;
  double share_of_peak;
};

/// The best of `n` runs of `flops` each, by their shares of the peak just before and after: clock
/// rates change while one looks.
template <typename Run>
Speed best_speed(int n, double flops, Run&& run) {
  Speed best{0.0, 0.0};
  double before = measured_peak();
  for (int i = 0; i < n; ++i) {
    const double start = seconds();
    run();
    const double speed = flops / (seconds() - start);
    const double after = measured_peak();
    const double share = speed / std::max(before, after);
    if (share > best.share_of_peak) best = {speed, share};
    before = after;
  }
  return best;
}

struct Case {
  std::vector<int> hidden;
  int batch_size;
  double dropout;
  Activation activation;
  bool counted;  // in the geometric mean
};

double needed_flops(const Network& network, double rows) {
  double products = 0;
  for (const Layer& layer : network.layers) products += 6.0 * layer.fan_in * layer.fan_out;
  return rows * (products - 2.0 * network.layers[0].fan_in * network.layers[0].fan_out);
}

/// The engine's loss after two epochs on a few rows equals that of plain loops in double.
bool equals_twin(Candidate candidate) {
  const Problem<float> p = fixtures::make_problem<float>(Loss::squared, 1, 400, kFeatures);
  candidate.epochs = 2;
  const Network network = make_network<float>(candidate.architecture, kFeatures, 1);
  ThreadBuffers<float> buffers;
  Stop stop;
  State<float> state;
  Trainer<float> trainer(candidate, network, p.view, std::nullopt, buffers);
  trainer.train(state, 0, stop, 0);
  naive::Trainer twin(candidate, network, p.view,
                      std::vector<float>(state.weights.begin(), state.weights.end()));
  twin.train(2);
  trainer.train(state, 2, stop, 0);
  const double expected = twin.last_epoch_loss();
  if (std::fabs(state.train_loss.back() - expected) <= 1e-3 * expected) return true;
  std::printf("WRONG: loss %g, the twin's %g\n", state.train_loss.back(), expected);
  return false;
}

/// Nanoseconds a row of each part of a step.
std::string breakdown(const Candidate& candidate, const Network& network, const View<float>& view,
                      const State<float>& state) {
  Workspace<float> workspace;
  workspace.lay_out(network, 1);
  std::copy(state.weights.begin(), state.weights.end(), workspace.weights);
  std::vector<std::int32_t> order;
  shuffle_rows(view.train_rows, 1, 1, order);
  const int n = std::min(candidate.batch_size, kTileRows);
  const double tiles = static_cast<double>(candidate.batch_size) / n;
  const Dropout dropout{candidate.dropout, 1, 1, 0};
  const LossTile<float> tile{workspace.activations.back(),
                             static_cast<std::size_t>(network.logit_stride()),
                             workspace.targets,
                             1,
                             nullptr,
                             n,
                             1};
  std::size_t at = 0;
  const auto time = [](auto run) {
    constexpr int rounds = 8;  // of parts that take less than a look at the clock
    return best_of(60,
                   [&] {
                     for (int i = 0; i < rounds; ++i) run();
                   }) /
           rounds;
  };
  const double gather = time([&] {
    gather_tile(view, network, workspace.weights,
                {order.data() + at, n, order.data() + order.size()}, 1.0, workspace);
    at = (at + n) % (order.size() - n);
  });
  const double ahead = time([&] {
    forward(network, workspace.weights, workspace.input, n, true,
            candidate.dropout > 0 ? &dropout : nullptr, workspace);
  });
  const double loss = time([&] { (void)tile_loss(candidate.loss, tile, 1.0f, workspace.delta); });
  const UpdateStep<float> still(candidate.optimizer, 0.0, 0.0, 1);
  const UpdateStep<float>* none = nullptr;
  const double back = time([&] { backward(network, workspace.input, n, false, none, workspace); });
  const double update =
      time([&] { backward(network, workspace.input, n, false, &still, workspace); }) - back;
  const double row = 1e9 / candidate.batch_size;
  char text[200];
  std::snprintf(text, sizeof text,
                "gather %.0f, forward %.0f, loss %.0f, backward %.0f, update %.0f",
                row * tiles * gather, row * tiles * ahead, row * tiles * loss, row * tiles * back,
                row * update);
  return text;
}

std::string name_of(const Case& given) {
  std::string name = "(";
  for (const int size : given.hidden) name += std::to_string(size) + ",";
  name += ") batch " + std::to_string(given.batch_size);
  if (given.dropout > 0) name += " dropout";
  if (given.activation == Activation::silu) name += " silu";
  return name;
}

/// Prints one line -> the case's share of the peak.
double run_case(const Case& given, const Problem<float>& problem) {
  Candidate candidate = fixtures::make_candidate(given.hidden, given.activation, Loss::squared);
  candidate.batch_size = given.batch_size;
  candidate.dropout = given.dropout;
  candidate.learning_rate = 1e-3;
  candidate.epochs = 1000000;
  const bool right = equals_twin(candidate);
  const Network network = make_network<float>(candidate.architecture, kFeatures, 1);
  ThreadBuffers<float> buffers;
  Stop stop;
  State<float> state;
  Trainer<float> trainer(candidate, network, problem.view, std::nullopt, buffers);
  const double first = best_of(1, [&] { trainer.train(state, 1, stop, 0); });
  const int epochs = std::clamp(static_cast<int>(0.004 / first), 1, 20);
  const double flops = needed_flops(network, kRows);
  const Speed best = best_speed(first > 0.05 ? 15 : 60, flops * epochs,
                                [&] { trainer.train(state, state.epoch + epochs, stop, 0); });
  std::printf("%-28s %6.1f GFLOP/s, share %.3f  %5.0f ns a row: %s%s\n", name_of(given).c_str(),
              best.flops_a_second * 1e-9, best.share_of_peak,
              flops / kRows / best.flops_a_second * 1e9,
              breakdown(candidate, network, problem.view, state).c_str(), right ? "" : "  WRONG");
  std::fflush(stdout);
  return right ? best.share_of_peak : 0.0;
}

}  // namespace

int main(int argc, char** argv) {
  Problem<float> problem = fixtures::make_problem<float>(Loss::squared, 1, kRows, kFeatures, false);
  problem.view.train_rows.resize(kRows);
  std::iota(problem.view.train_rows.begin(), problem.view.train_rows.end(), 0);
  problem.view.validation_rows.clear();
  std::vector<Case> cases;
  for (const auto& hidden : std::vector<std::vector<int>>{
           {64}, {64, 64}, {128, 128}, {256, 256, 256}, {16}, {5}, {100, 50}}) {
    const bool counted = hidden[0] % 64 == 0;
    for (const int batch : {32, 256}) {
      cases.push_back({hidden, batch, 0.0, Activation::relu, counted});
    }
  }
  cases.push_back({{64}, 256, 0.2, Activation::relu, false});
  cases.push_back({{64}, 256, 0.0, Activation::silu, false});
  cases.push_back({{64, 64}, 32, 0.2, Activation::silu, false});
  double logarithms = 0;
  int n_counted = 0;
  for (const Case& one : cases) {
    if (argc > 1 && name_of(one).find(argv[1]) == std::string::npos) continue;
    const double share = run_case(one, problem);
    if (share == 0.0) return 1;
    if (!one.counted) continue;
    logarithms += std::log(share);
    ++n_counted;
  }
  if (n_counted == 0) return 0;
  std::printf("geometric mean of %d: %.3f\n", n_counted, std::exp(logarithms / n_counted));
  return 0;
}
