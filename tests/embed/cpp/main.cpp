// A program that embeds a model by its C++ headers: a row of numbers a line on standard input ->
// the outputs, exactly, as hexadecimal floats. Words that are no number are category texts.
// usage: main MODEL <rows
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "automs/mapped_file.hpp"
#include "automs/predictor.hpp"
#include "automs/shared_predictor.hpp"

namespace {

constexpr std::size_t kMost = 64;  // columns and outputs of the test's models

double number_of(const automs::Predictor& predictor, std::size_t j, const char* word) {
  char* end = nullptr;
  const double value = std::strtod(word, &end);
  return *end == '\0' ? value : predictor.category_code(j, word);
}

void predict_line(const automs::Predictor& model, automs::Predictor::Workspace& workspace,
                  char* line) {
  double row[kMost], out[kMost];
  std::size_t n = 0;
  for (char* word = std::strtok(line, " \n"); word != nullptr && n < model.n_columns();
       word = std::strtok(nullptr, " \n")) {
    row[n] = number_of(model, n, word);
    ++n;
  }
  if (n != model.n_columns()) return;
  model.predict(row, out, workspace);
  for (std::size_t j = 0; j < model.n_outputs(); ++j) std::printf("%a ", out[j]);
  std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  automs::Predictor predictor;
  automs::LoadFailure failure;
  if (argc != 2) return 2;
  if (automs::load_mapped_file(argv[1], predictor, &failure) != automs::Status::ok) {
    std::fprintf(stderr, "%s, field %s\n", automs::describe(failure.status), failure.field);
    return 1;
  }
  if (predictor.n_columns() > kMost || predictor.n_outputs() > kMost) return 1;
  automs::SharedPredictor shared(1);
  if (shared.publish(std::move(predictor)) != automs::Status::ok) return 1;
  char line[4096];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    shared.with_model(
        0, [&line](const automs::Predictor& model, automs::Predictor::Workspace& workspace) {
          predict_line(model, workspace, line);
        });
  }
  return 0;
}
