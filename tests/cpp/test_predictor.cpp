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
#include "naive_predictor.hpp"
#include "random_model.hpp"

namespace {

using namespace automs;
using automs_test::ModelMaker;
using automs_test::n_allocations;
using automs_test::naive_predict;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

/// A number that suits the column, or one that does not, exact in float32.
double random_value(ModelMaker& maker, const ColumnTables& column) {
  if (maker.below(8) == 0) return kMissing;
  switch (column.kind) {
    case ColumnKind::numeric:
      break;
    case ColumnKind::categorical:
      if (maker.below(6) == 0) return maker.below(2) == 0 ? -1.0 : 0.5;
      return maker.below(static_cast<std::uint32_t>(column.categories.size()) + 2);
    case ColumnKind::date:
      return static_cast<float>(maker.normal(1e10));
  }
  return static_cast<float>(maker.normal(2.0));
}

std::vector<std::vector<double>> random_rows(ModelMaker& maker, std::size_t n,
                                             const ModelTables& tables) {
  std::vector<std::vector<double>> rows(n);
  for (auto& row : rows) {
    for (const ColumnTables& column : tables.columns) row.push_back(random_value(maker, column));
  }
  return rows;
}

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

Predictor loaded(const std::string& bytes, CpuPath path = best_cpu_path()) {
  Predictor predictor;
  CHECK(Predictor::load(bytes.data(), bytes.size(), predictor, nullptr, path) == Status::ok);
  CHECK(predictor.cpu_path() == path);
  return predictor;
}

std::vector<CpuPath> cpu_paths() {
  std::vector<CpuPath> paths;
  for (const CpuPath path : {CpuPath::portable, CpuPath::avx2, CpuPath::avx512}) {
    if (is_available(path)) paths.push_back(path);
  }
  return paths;
}

// Float32 networks of up to 110 units and 3 layers against double: 2e-5 is about 100 roundings; the
// exponential link multiplies the error of a logit by the value, which the relative part covers.
void check_equals_plain_loops(ModelMaker& maker, const ModelTables& tables, CpuPath path) {
  const Predictor predictor = loaded(write_model(tables), path);
  Predictor::Workspace workspace(predictor);
  for (const auto& row : random_rows(maker, 35, tables)) {
    std::vector<double> out(predictor.n_outputs());
    predictor.predict(row.data(), out.data(), workspace);
    const auto expected = naive_predict(tables, row);
    for (std::size_t j = 0; j < out.size(); ++j) CHECK_CLOSE(out[j], expected[j], 2e-5);
  }
}

void test_predictions_equal_plain_loops(CpuPath path) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    ModelMaker maker(seed);
    const auto tables = maker.model(static_cast<ModelTask>(seed % 3), 2 + seed % 4);
    check_equals_plain_loops(maker, tables, path);
  }
}

void check_bits_of_single_rows(ModelMaker& maker, const ModelTables& tables, std::size_t n,
                               CpuPath path) {
  const Predictor predictor = loaded(write_model(tables), path);
  Predictor::Workspace workspace(predictor);
  const std::size_t width = tables.n_columns, stride = width + 2;
  const auto rows = random_rows(maker, n, tables);
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

void test_many_rows_and_floats_give_the_bits_of_single_rows(CpuPath path) {
  for (unsigned seed = 0; seed < 70; ++seed) {
    ModelMaker maker(seed);
    const auto tables = maker.model(static_cast<ModelTask>(seed % 3), 3);
    check_bits_of_single_rows(maker, tables, 1 + seed, path);
  }
}

std::vector<float> random_floats(ModelMaker& maker, std::size_t n, double scale) {
  std::vector<float> values(n);
  for (float& value : values) value = static_cast<float>(maker.normal(scale));
  return values;
}

/// Layers whose blocks of weights are beyond the first cache.
void test_wide_layers_give_the_bits_of_single_rows_and_the_values_of_loops(CpuPath path) {
  ModelMaker maker(5);
  auto tables = maker.model(ModelTask::regression, 1);
  for (NetworkTables& network : tables.networks) {
    network.layer_sizes = {network.layer_sizes.front(), 300, 150, 261, network.layer_sizes.back()};
    network.blends.clear();
    network.weights.clear();
    network.biases.clear();
    for (std::size_t l = 0; l < 4; ++l) {
      const std::size_t fan_in = network.layer_sizes[l], fan_out = network.layer_sizes[l + 1];
      network.weights.push_back(
          random_floats(maker, fan_in * fan_out, 1.0 / std::sqrt(double(fan_in))));
      network.biases.push_back(random_floats(maker, fan_out, 0.3));
    }
  }
  check_bits_of_single_rows(maker, tables, 45, path);
  check_equals_plain_loops(maker, tables, path);
}

void test_one_row_that_diverges_spoils_no_other() {
  for (const CpuPath path : cpu_paths()) {
    ModelMaker maker(11);
    auto tables = maker.model(ModelTask::regression, 1);
    for (NetworkTables& network : tables.networks) {
      network.activation = Activation::identity;
      for (auto& weights : network.weights) {
        for (float& weight : weights) weight *= 1e30f;
      }
    }
    const Predictor predictor = loaded(write_model(tables), path);
    Predictor::Workspace workspace(predictor), fresh(predictor);
    const std::vector<double> large(tables.n_columns, 1e30), missing(tables.n_columns, kMissing);
    std::vector<double> after(predictor.n_outputs()), alone(after.size());
    predictor.predict(large.data(), after.data(), workspace);
    predictor.predict(missing.data(), after.data(), workspace);
    predictor.predict(missing.data(), alone.data(), fresh);
    CHECK(same_bits(after, alone));
  }
}

template <typename T>
void check_infinity(const Predictor& predictor) {
  const T infinity = std::numeric_limits<T>::infinity(), most = std::numeric_limits<T>::max();
  for (std::size_t n = 1; n < 40; ++n) {
    std::vector<T> values(n, most);
    for (std::size_t i = 1; i < n; i += 2) values[i] = -most;
    CHECK(!predictor.has_infinity(values.data(), n));
    values[n / 2] = std::numeric_limits<T>::quiet_NaN();
    CHECK(!predictor.has_infinity(values.data(), n));
    for (std::size_t i = 0; i < n; ++i) {
      const T kept = values[i];
      values[i] = i % 2 == 0 ? infinity : -infinity;
      CHECK(predictor.has_infinity(values.data(), n));
      values[i] = kept;
    }
  }
}

void test_infinities_are_found() {
  ModelMaker maker(3);
  const std::string bytes = write_model(maker.model(ModelTask::regression, 1));
  for (const CpuPath path : cpu_paths()) {
    check_infinity<float>(loaded(bytes, path));
    check_infinity<double>(loaded(bytes, path));
  }
}

void test_path_that_is_not_there_is_portable() {
  ModelMaker maker(4);
  const std::string bytes = write_model(maker.model(ModelTask::regression, 1));
  Predictor predictor;
  const auto unknown = static_cast<CpuPath>(77);
  CHECK(Predictor::load(bytes.data(), bytes.size(), predictor, nullptr, unknown) == Status::ok);
  CHECK(predictor.cpu_path() == CpuPath::portable);
}

void test_predict_allocates_nothing() {
  for (unsigned seed = 0; seed < 20; ++seed) {
    ModelMaker maker(seed);
    const auto tables = maker.model(ModelTask::multiclass, 4);
    const Predictor predictor = loaded(write_model(tables));
    Predictor::Workspace workspace(predictor);
    const auto rows = random_rows(maker, 10, tables);
    std::vector<double> out(predictor.n_outputs());
    const std::size_t before = n_allocations;
    for (const auto& row : rows) predictor.predict(row.data(), out.data(), workspace);
    predictor.predict_rows(rows[0].data(), 1, rows[0].size(), out.data(), workspace);
    predictor.has_infinity(rows[0].data(), rows[0].size());
    predictor.category_code(0, "caf\xC3\xA9 1");
    CHECK(n_allocations == before);
  }
}

void test_columns_and_category_codes_come_back() {
  for (unsigned seed = 0; seed < 40; ++seed) {
    ModelMaker maker(seed);
    const auto tables = maker.model(ModelTask::regression, 1);
    const Predictor predictor = loaded(write_model(tables));
    for (std::size_t j = 0; j < tables.n_columns; ++j) {
      const ColumnTables& column = tables.columns[j];
      CHECK(predictor.column_kind(j) == column.kind);
      CHECK(predictor.column_is_ordered(j) == column.ordered);
      CHECK(predictor.n_categories(j) == column.categories.size());
      for (std::size_t c = 0; c < column.categories.size(); ++c) {
        CHECK(predictor.category(j, c) == column.categories[c]);
        CHECK(predictor.category_code(j, column.categories[c]) == double(c));
      }
      for (const char* unknown : {"", "caf", "caf\xC3\xA9 ", "caf\xC3\xA9 99", "z"}) {
        CHECK(predictor.category_code(j, unknown) == -1.0);
      }
    }
  }
}

void test_label_is_the_greatest_product_with_its_factor() {
  const double probabilities[] = {0.25, 0.5, 0.25};
  const double factors[] = {2.0, 1.0, 2.0};
  CHECK(choose_label(probabilities, nullptr, 3) == 1);
  CHECK(choose_label(probabilities, factors, 3) == 0);  // the first of three equal ones
  const double last[] = {1.0, 1.0, 2.5};
  CHECK(choose_label(probabilities, last, 3) == 2);
  for (unsigned seed = 0; seed < 20; ++seed) {
    ModelMaker maker(seed);
    auto tables = maker.model(ModelTask::multiclass, 3);
    tables.label_factors = {1.0, 1.0, 2.5};
    const Predictor predictor = loaded(write_model(tables));
    CHECK(predictor.label_index(probabilities) == 2);
    CHECK(predictor.label_factors().size() == 3);
    tables.label_factors.clear();
    CHECK(loaded(write_model(tables)).label_index(probabilities) == 1);
  }
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

}  // namespace

int main() {
  for (const CpuPath path : cpu_paths()) {
    test_predictions_equal_plain_loops(path);
    test_many_rows_and_floats_give_the_bits_of_single_rows(path);
    test_wide_layers_give_the_bits_of_single_rows_and_the_values_of_loops(path);
  }
  test_one_row_that_diverges_spoils_no_other();
  test_infinities_are_found();
  test_path_that_is_not_there_is_portable();
  test_predict_allocates_nothing();
  test_workspace_of_another_predictor_gives_nan();
  test_columns_and_category_codes_come_back();
  test_label_is_the_greatest_product_with_its_factor();
  return automs_test_result();
}
