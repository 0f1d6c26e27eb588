// Nothing -> how much faster binned columns are trained by table than as dense features.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <numeric>
#include <string>
#include <vector>

#include "core/trainer.hpp"
#include "fixtures.hpp"

// One thread; every figure is the best of runs that alternate between both ways.

using namespace automs;

namespace {

constexpr int kRows = 4096;

double seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Case {
  std::vector<int> hidden;
  int n_columns;
  int n_bins;
  int batch_size;
  Bins kind;
};

/// One way to train a case.
class Way {
 public:
  Way(const Case& given, const View<float>& view, int rows_of_step) {
    candidate_ = fixtures::make_candidate(given.hidden, Activation::relu, Loss::squared);
    candidate_.batch_size = given.batch_size;
    candidate_.learning_rate = 1e-4;
    candidate_.epochs = 1000000;
    network_ = make_network<float>(candidate_.architecture, view.n_features, 1, {}, view.binned,
                                   rows_of_step);
    trainer_.emplace(candidate_, network_, view, std::nullopt, buffers_);
    run();
    loss = state_.train_loss.back();
  }

  /// Seconds of an epoch.
  double run() {
    const double start = seconds();
    trainer_->train(state_, state_.epoch + 1, stop_, 0);
    return seconds() - start;
  }

  double loss;  // of the first epoch

 private:
  Candidate candidate_;
  Network network_;
  ThreadBuffers<float> buffers_;
  std::optional<Trainer<float>> trainer_;
  Stop stop_;
  State<float> state_;
};

double nanoseconds_of_row(double epoch) { return 1e9 * epoch / kRows; }

void run_case(const Case& given, int n_runs) {
  const std::vector<int> bins(static_cast<std::size_t>(given.n_columns), given.n_bins);
  auto compact =
      fixtures::make_binned_problem<float>(Loss::squared, 1, bins, {}, kRows, given.n_columns);
  for (BinnedColumn& column : compact.view.binned) column.kind = given.kind;
  auto dense = fixtures::expanded(compact);
  for (View<float>* view : {&compact.view, &dense.view}) {
    view->train_rows.resize(kRows);
    std::iota(view->train_rows.begin(), view->train_rows.end(), 0);
    view->validation_rows.clear();
  }
  auto none = compact;  // what all but the binned columns takes
  none.view.binned.clear();
  Way by_table(given, compact.view, kTileRows), written_out(given, compact.view, 0);
  Way as_dense(given, dense.view, kTileRows), without(given, none.view, kTileRows);
  double best[4] = {1e9, 1e9, 1e9, 1e9};
  for (int i = 0; i < n_runs; ++i) {
    Way* ways[] = {&as_dense, &by_table, &written_out, &without};
    for (int w = 0; w < 4; ++w) best[w] = std::min(best[w], ways[w]->run());
  }
  std::string name = "(";
  for (const int size : given.hidden) name += std::to_string(size) + ",";
  name += ")";
  std::printf(
      "%-14s %2d columns of %2d %s, batch %3d: dense %6.0f, by table %6.0f, written out %6.0f, "
      "without %6.0f ns a row; columns x%.2f, training x%.2f%s%s\n",
      name.c_str(), given.n_columns, given.n_bins, given.kind == Bins::one_hot ? "slots" : "bins",
      given.batch_size, nanoseconds_of_row(best[0]), nanoseconds_of_row(best[1]),
      nanoseconds_of_row(best[2]), nanoseconds_of_row(best[3]),
      (best[0] - best[3]) / (best[1] - best[3]), best[0] / best[1],
      tables_pay(compact.view.binned, std::min(given.batch_size, kTileRows)) ? "" : " (dense)",
      std::abs(by_table.loss - as_dense.loss) < 1e-4 * as_dense.loss ? "" : "  WRONG");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const int n_runs = argc > 1 ? std::atoi(argv[1]) : 15;
  for (const Bins kind : {Bins::piecewise, Bins::one_hot}) {
    for (const auto& hidden :
         std::vector<std::vector<int>>{{}, {16}, {128, 128}, {256, 256, 256}}) {
      for (const int n_columns : {8, 30}) {
        for (const int batch_size : {32, 64, 256})
          run_case({hidden, n_columns, 16, batch_size, kind}, n_runs);
      }
    }
    for (const int n_bins : {2, 4, 8}) {
      for (const int batch_size : {8, 32, 256})
        run_case({{128, 128}, 16, n_bins, batch_size, kind}, n_runs);
    }
  }
  for (const int batch_size : {32, 256}) {
    run_case({{128, 128}, 4, 64, batch_size, Bins::one_hot}, n_runs);
  }
  return 0;
}
