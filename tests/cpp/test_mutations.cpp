// Model files with random damage -> a model or a refusal, never a fault.
// usage: test_mutations FOLDER [N_MUTANTS [SEED]]; FOLDER has the golden files.
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "../fuzz/mutation.hpp"
#include "check.hpp"
#include "random_model.hpp"

namespace {

using namespace automs;

std::vector<std::string> golden_files(const char* folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".model") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    files.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return files;
}

/// Small files that use what the golden ones do not.
void add_random_files(std::vector<std::string>& files) {
  for (unsigned seed = 0; files.size() < 40; ++seed) {
    automs_test::ModelMaker maker(seed);
    std::string bytes = write_model(maker.model(static_cast<ModelTask>(seed % 3), 2));
    if (bytes.size() < 20000) files.push_back(std::move(bytes));
  }
}

void test_mutants_load_or_are_refused(const std::vector<std::string>& files, long n,
                                      unsigned seed) {
  automs_test::Mutator mutator(files, seed);
  std::vector<double> pool(97);
  long n_loaded = 0;
  for (long i = 0; i < n; ++i) {
    if (i % 100 == 0) {
      for (double& value : pool) value = mutator.number();
    }
    const std::string mutant = mutator.next();
    // A block of its own without a spare byte, so that sanitizers see the first step too far.
    const std::unique_ptr<char[]> bytes(new char[mutant.size()]);
    std::memcpy(bytes.get(), mutant.data(), mutant.size());
    bool loaded = false;
    CHECK(automs_test::loads_or_refuses(bytes.get(), mutant.size(), pool, loaded));
    n_loaded += loaded ? 1 : 0;
  }
  std::printf("%ld mutants, of which %ld are models\n", n, n_loaded);
  // Both ways were taken: weights may change freely, counts may not.
  CHECK(n_loaded > n / 20 && n_loaded < n - n / 20);
}

void test_files_load_unharmed_at_any_address(const std::vector<std::string>& files) {
  const std::vector<double> pool = {0.5, 1.0, -1.0, 2.0, 0.0};
  for (const std::string& file : files) {
    for (std::size_t offset = 0; offset < 8; ++offset) {
      std::vector<char> bytes(offset + file.size());
      std::memcpy(bytes.data() + offset, file.data(), file.size());
      bool loaded = false;
      CHECK(automs_test::loads_or_refuses(bytes.data() + offset, file.size(), pool, loaded));
      CHECK(loaded);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  std::vector<std::string> files = golden_files(argv[1]);
  CHECK(files.size() >= 4);
  add_random_files(files);
  test_files_load_unharmed_at_any_address(files);
  test_mutants_load_or_are_refused(files, argc > 2 ? std::atol(argv[2]) : 20000,
                                   argc > 3 ? static_cast<unsigned>(std::atol(argv[3])) : 1);
  return automs_test_result();
}
