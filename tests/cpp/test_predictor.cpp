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
    for (const auto& row : random_rows(maker, 5, tables)) {
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
  test_predictions_equal_plain_loops();
  test_many_rows_and_floats_give_the_bits_of_single_rows();
  test_predict_allocates_nothing();
  test_workspace_of_another_predictor_gives_nan();
  test_columns_and_category_codes_come_back();
  return automs_test_result();
}
