// MODEL_FILE and rows of numbers on standard input -> one line of predictions for each row.
#include <cstdio>
#include <memory>
#include <new>

#include "automs/predictor.hpp"

namespace {

/// Reads one row; false at the end of the input.
bool read_row(double* row, std::size_t n_columns) {
  for (std::size_t j = 0; j < n_columns; ++j) {
    if (std::scanf("%lf", &row[j]) != 1) return false;
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
  while (read_row(row.get(), predictor.n_columns())) {
    predictor.predict(row.get(), out.get(), workspace);
    for (std::size_t j = 0; j < predictor.n_outputs(); ++j) {
      std::printf(j == 0 ? "%.17g" : " %.17g", out[j]);
    }
    std::printf("\n");
  }
  return 0;
}
