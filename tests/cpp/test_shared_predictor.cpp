// Threads on one model, and on one that is replaced all the time -> whole predictions, no race.
// usage: test_shared_predictor FOLDER; FOLDER has the golden files. Run under the thread sanitizer.
#include <atomic>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "automs/mapped_file.hpp"
#include "automs/predictor.hpp"
#include "automs/shared_predictor.hpp"
#include "check.hpp"

namespace {

using namespace automs;

constexpr std::size_t kThreads = 8;
constexpr int kRounds = 2000;
const double kRow[] = {0.5, 1.0, 2.0, 1.7e9};

Predictor load(const std::string& folder, const char* name) {
  Predictor predictor;
  CHECK(Predictor::load_file((folder + name).c_str(), predictor) == Status::ok);
  CHECK(predictor.n_columns() == 4);
  return predictor;
}

std::vector<double> prediction(const Predictor& predictor) {
  std::vector<double> out(predictor.n_outputs());
  Predictor::Workspace workspace(predictor);
  predictor.predict(kRow, out.data(), workspace);
  return out;
}

/// work(thread number) -> how often it was true, over all threads.
template <typename Work>
long count_in_threads(const Work& work) {
  std::atomic<long> n{0};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&n, &work, t] {
      for (int i = 0; i < kRounds; ++i) n += work(t) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  return n;
}

void test_eight_threads_on_one_model(const std::string& folder) {
  const Predictor predictor = load(folder, "/v2/multiclass.model");
  const std::vector<double> expected = prediction(predictor);
  std::vector<Predictor::Workspace> workspaces(kThreads);
  for (auto& workspace : workspaces) CHECK(workspace.prepare(predictor) == Status::ok);
  const long n_equal = count_in_threads([&](std::size_t t) {
    std::vector<double> out(expected.size());
    predictor.predict(kRow, out.data(), workspaces[t]);
    return out == expected;
  });
  CHECK(n_equal == static_cast<long>(kThreads) * kRounds);
}

/// Each prediction is that of one model or that of the other, never something in between.
void test_eight_threads_while_the_model_is_replaced(const std::string& folder) {
  const char* names[] = {"/v1/multiclass.model", "/v2/multiclass.model"};
  const std::vector<double> expected[] = {prediction(load(folder, names[0])),
                                          prediction(load(folder, names[1]))};
  CHECK(expected[0] != expected[1]);
  SharedPredictor shared(kThreads);
  CHECK(shared.publish(load(folder, names[0])) == Status::ok);
  std::atomic<bool> done{false};
  std::atomic<long> n_published{0};
  std::thread publisher([&] {
    for (int i = 1; !done || i < 50; ++i) {
      Predictor next;
      if (Predictor::load_file((folder + names[i % 2]).c_str(), next) != Status::ok) return;
      if (shared.publish(std::move(next)) == Status::ok) ++n_published;
    }
  });
  const long n_whole = count_in_threads([&](std::size_t t) {
    std::vector<double> out(expected[0].size());
    return shared.predict(t, kRow, out.data()) && (out == expected[0] || out == expected[1]);
  });
  done = true;
  publisher.join();
  CHECK(n_whole == static_cast<long>(kThreads) * kRounds);
  CHECK(n_published >= 49);
}

void test_what_cannot_be_done_is_said(const std::string& folder) {
  SharedPredictor shared(2);
  CHECK(shared.n_readers() == 2);
  double out[3] = {7.0, 7.0, 7.0};
  CHECK(!shared.predict(0, kRow, out));
  CHECK(shared.publish(load(folder, "/v2/multiclass.model")) == Status::ok);
  CHECK(!shared.predict(2, kRow, out));
  CHECK(out[0] == 7.0);
  CHECK(shared.predict(1, kRow, out));
  CHECK(out[0] != 7.0);
  Predictor other = load(folder, "/v2/regression.model");
  CHECK(shared.publish(std::move(other)) == Status::bad_value);
  CHECK(other.n_outputs() == 1);  // NOLINT: not moved from, as the answer was no
  std::size_t n_outputs = 0;
  CHECK(shared.with_model(0, [&n_outputs](const Predictor& predictor, Predictor::Workspace&) {
    n_outputs = predictor.n_outputs();
  }));
  CHECK(n_outputs == 3);
}

void test_a_mapped_file_gives_the_same_model(const std::string& folder) {
  const std::string path = folder + "/v2/regression.model";
  Predictor mapped;
  CHECK(load_mapped_file(path.c_str(), mapped) == Status::ok);
  CHECK(prediction(mapped) == prediction(load(folder, "/v2/regression.model")));
  LoadFailure failure;
  for (const std::string& wrong : {folder, folder + "/none.model"}) {
    CHECK(load_mapped_file(wrong.c_str(), mapped, &failure) == Status::cannot_read);
    CHECK(failure.status == Status::cannot_read && std::strcmp(failure.field, "file") == 0);
  }
  CHECK(load_mapped_file("/dev/null", mapped) == Status::cannot_read);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  test_eight_threads_on_one_model(argv[1]);
  test_eight_threads_while_the_model_is_replaced(argv[1]);
  test_what_cannot_be_done_is_said(argv[1]);
  test_a_mapped_file_gives_the_same_model(argv[1]);
  return automs_test_result();
}
