// How many threads predict how many rows, and in which portions.
#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "automs/predictor.hpp"
#include "check.hpp"
#include "core/model_file.hpp"
#include "core/row_tasks.hpp"

namespace {

using namespace automs;

Predictor predictor_of(const std::vector<std::uint32_t>& hidden, std::uint32_t n_columns = 32) {
  ModelTables model;
  model.n_columns = n_columns;
  model.n_outputs = 1;
  model.columns.resize(n_columns);
  model.encoders.resize(1);
  for (std::uint32_t j = 0; j < n_columns; ++j) {
    PartTables part;
    part.column = j;
    model.encoders[0].push_back(part);
  }
  NetworkTables network;
  network.output_centre = {0.0};
  network.output_scale = {1.0};
  network.layer_sizes = {n_columns};
  network.layer_sizes.insert(network.layer_sizes.end(), hidden.begin(), hidden.end());
  network.layer_sizes.push_back(1);
  for (std::size_t l = 0; l + 1 < network.layer_sizes.size(); ++l) {
    const std::size_t fan_in = network.layer_sizes[l], fan_out = network.layer_sizes[l + 1];
    network.weights.emplace_back(fan_in * fan_out, 0.5f);
    network.biases.emplace_back(fan_out, 0.0f);
  }
  model.networks = {network};
  const std::string bytes = write_model(model);
  Predictor predictor;
  CHECK(Predictor::load(bytes.data(), bytes.size(), predictor) == Status::ok);
  return predictor;
}

std::vector<Predictor> some_predictors() {
  std::vector<Predictor> predictors;
  predictors.push_back(predictor_of({}, 1));
  predictors.push_back(predictor_of({}));
  predictors.push_back(predictor_of({64, 64}));
  predictors.push_back(predictor_of({256, 256, 256}));
  return predictors;
}

void test_features_are_counted() {
  CHECK(predictor_of({}, 7).n_features() == 7);
  CHECK(Predictor().n_features() == 0);
}

void test_few_rows_are_left_to_one_thread_and_many_get_all() {
  for (const Predictor& predictor : some_predictors()) {
    CHECK(are_few(predictor, 0) && are_few(predictor, 10));
    CHECK(!are_few(predictor, 1000000));
    CHECK(plan_row_tasks(predictor, 0, 64).n_threads == 1);
    CHECK(plan_row_tasks(predictor, 10, 64).n_threads == 1);
    CHECK(plan_row_tasks(predictor, 100000000, 64).n_threads == 64);
    CHECK(plan_row_tasks(predictor, 100000000, 1).n_threads == 1);
  }
  CHECK(plan_row_tasks(predictor_of({64, 64}), 1000, 64).n_threads == 1);
  CHECK(plan_row_tasks(predictor_of({64, 64}), 100000, 64).n_threads > 16);
}

/// Rows without a parameter to speak of take time too.
void test_small_models_get_threads_as_well() {
  CHECK(plan_row_tasks(predictor_of({}, 1), 1000000, 4).n_threads == 4);
}

void test_threads_grow_with_rows_and_each_has_a_task() {
  for (const Predictor& predictor : some_predictors()) {
    int before = 1;
    for (std::size_t n_rows = 1; n_rows < 200000000; n_rows *= 3) {
      const RowTasks tasks = plan_row_tasks(predictor, n_rows, 1024);
      CHECK(tasks.n_threads >= before);
      CHECK(static_cast<std::size_t>(tasks.n_threads) <= tasks.n_tasks);
      CHECK(tasks.n_threads == 1 || !are_few(predictor, n_rows));
      before = tasks.n_threads;
    }
  }
}

void test_tasks_hold_every_row_once() {
  for (const Predictor& predictor : some_predictors()) {
    for (std::size_t n_rows : {0, 1, 23, 24, 25, 959, 960, 961, 123457}) {
      const RowTasks tasks = plan_row_tasks(predictor, n_rows, 8);
      CHECK(tasks.n_rows_each % kRowsTogether == 0 && tasks.n_rows_each > 0);
      CHECK(tasks.n_tasks * tasks.n_rows_each >= n_rows);
      CHECK(tasks.n_tasks == 0 || (tasks.n_tasks - 1) * tasks.n_rows_each < n_rows);
    }
  }
  const std::size_t most = static_cast<std::size_t>(-1);
  CHECK(plan_row_tasks(predictor_of({}), most, 8).n_threads == 8);
}

/// A few rows of a large model are worth more threads than one.
void test_portions_are_small_where_rows_are_dear() {
  const RowTasks dear = plan_row_tasks(predictor_of({256, 256, 256}), 1000, 8);
  CHECK(dear.n_rows_each == kRowsTogether && dear.n_threads > 4);
  CHECK(plan_row_tasks(predictor_of({}), 1000, 8).n_rows_each > 20 * kRowsTogether);
}

}  // namespace

int main() {
  test_features_are_counted();
  test_few_rows_are_left_to_one_thread_and_many_get_all();
  test_small_models_get_threads_as_well();
  test_threads_grow_with_rows_and_each_has_a_task();
  test_tasks_hold_every_row_once();
  test_portions_are_small_where_rows_are_dear();
  return automs_test_result();
}
