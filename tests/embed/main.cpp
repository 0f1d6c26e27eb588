// MODEL_FILE and rows of words on standard input -> one line of predictions for each row. A word is
// "nan" for a missing value, the label of a category, or a number; no label here holds a blank.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <new>

#include "automs/predictor.hpp"

namespace {

/// A word -> the number of column j in a row.
double number_of(const automs::Predictor& predictor, std::size_t j, const char* word) {
  if (std::strcmp(word, "nan") == 0) return std::numeric_limits<double>::quiet_NaN();
  if (predictor.column_kind(j) == automs::ColumnKind::categorical) {
    return predictor.category_code(j, word);
  }
  return std::strtod(word, nullptr);
}

/// Reads one row; false at the end of the input.
bool read_row(const automs::Predictor& predictor, double* row) {
  char word[128];
  for (std::size_t j = 0; j < predictor.n_columns(); ++j) {
    if (std::scanf("%127s", word) != 1) return false;
    row[j] = number_of(predictor, j, word);
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: automs_embed MODEL_FILE < ROWS\n");
    return 2;
  }
  automs::Predictor predictor;
  automs::LoadFailure failure;
  if (automs::Predictor::load_file(argv[1], predictor, &failure) != automs::Status::ok) {
    std::fprintf(stderr, "%s: %s (%s, byte %zu)\n", argv[1], automs::describe(failure.status),
                 failure.field, failure.offset);
    return 1;
  }
  automs::Predictor::Workspace workspace(predictor);
  const std::unique_ptr<double[]> row(new (std::nothrow) double[predictor.n_columns()]);
  const std::unique_ptr<double[]> out(new (std::nothrow) double[predictor.n_outputs()]);
  if (!row || !out) return 1;
  while (read_row(predictor, row.get())) {
    predictor.predict(row.get(), out.get(), workspace);
    for (std::size_t j = 0; j < predictor.n_outputs(); ++j) {
      std::printf(j == 0 ? "%.17g" : " %.17g", out[j]);
    }
    std::printf("\n");
  }
  return 0;
}
