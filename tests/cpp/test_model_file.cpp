// Bytes of every kind of damage -> a status, never a crash, a hang or a large allocation.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "automs/checksum.hpp"
#include "automs/predictor.hpp"
#include "check.hpp"
#include "core/model_file.hpp"
#include "counted_new.hpp"
#include "random_model.hpp"

namespace {

using namespace automs;
using automs_test::largest_allocation;
using automs_test::ModelMaker;

std::string model_bytes(unsigned seed) {
  ModelMaker maker(seed);
  return write_model(maker.model(static_cast<ModelTask>(seed % 3), 3));
}

Status status_of(const std::string& bytes) {
  Predictor predictor;
  return Predictor::load(bytes.data(), bytes.size(), predictor);
}

/// Makes the size in the header and the checksum right again.
void mend_frame(std::string& bytes) {
  auto* start = reinterpret_cast<unsigned char*>(&bytes[0]);
  const std::uint64_t payload = bytes.size() - kHeaderBytes - kChecksumBytes;
  for (std::size_t i = 0; i < 8; ++i)
    start[16 + i] = static_cast<unsigned char>(payload >> (8 * i));
  const std::size_t end = bytes.size() - kChecksumBytes;
  const std::uint64_t sum = crc64(start, end);
  for (std::size_t i = 0; i < 8; ++i) start[end + i] = static_cast<unsigned char>(sum >> (8 * i));
}

void test_every_truncation_is_refused() {
  const std::string bytes = model_bytes(1);
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    CHECK(status_of(bytes.substr(0, n)) == Status::truncated);
  }
  CHECK(status_of(bytes + "x") == Status::bad_value);
}

void test_every_flipped_bit_is_refused() {
  std::string bytes = model_bytes(2);
  for (std::size_t i = 0; i < bytes.size(); i += 1 + i / 256) {
    for (int bit = 0; bit < 8; ++bit) {
      bytes[i] = static_cast<char>(bytes[i] ^ (1 << bit));
      CHECK(status_of(bytes) != Status::ok);
      bytes[i] = static_cast<char>(bytes[i] ^ (1 << bit));
    }
  }
  CHECK(status_of(bytes) == Status::ok);
}

/// Changes a few bytes, or cuts or adds some, behind a valid checksum.
std::string mutated(const std::string& original, std::mt19937& generator) {
  std::string bytes = original;
  const std::size_t n = bytes.size() - kHeaderBytes - kChecksumBytes;
  // Half of the changes fall on the first bytes of the payload, where counts and codes stand.
  const std::size_t reach = generator() % 2 == 0 ? std::min<std::size_t>(n, 200) : n;
  const unsigned char extremes[] = {0, 1, 0x7F, 0x80, 0xFF};
  for (unsigned i = 0; i < 1 + generator() % 4; ++i) {
    const std::size_t at = kHeaderBytes + generator() % reach;
    bytes[at] = static_cast<char>(generator() % 2 == 0 ? generator() : extremes[generator() % 5]);
  }
  if (generator() % 8 == 0) bytes.erase(kHeaderBytes + generator() % n, 1 + generator() % 9);
  if (bytes.size() < kHeaderBytes + kChecksumBytes) bytes = original;
  mend_frame(bytes);
  return bytes;
}

void test_damage_behind_a_valid_checksum_is_survived() {
  std::mt19937 generator(3);
  for (unsigned i = 0; i < 20000; ++i) {
    static std::string original;
    if (i % 400 == 0) original = model_bytes(i / 400);
    const std::string bytes = mutated(original, generator);
    largest_allocation = 0;
    Predictor predictor;
    if (Predictor::load(bytes.data(), bytes.size(), predictor) == Status::ok) {
      Predictor::Workspace workspace(predictor);
      const std::vector<double> row(predictor.n_columns(), 0.5);
      std::vector<double> out(predictor.n_outputs());
      predictor.predict(row.data(), out.data(), workspace);
    }
    // Records in memory are a few times larger than in the file.
    CHECK(largest_allocation <= 24 * bytes.size() + 1024);
  }
}

void test_failure_names_field_and_place() {
  std::string bytes = model_bytes(0);
  bytes[kHeaderBytes] = 9;  // the task
  mend_frame(bytes);
  Predictor predictor;
  LoadFailure failure;
  CHECK(Predictor::load(bytes.data(), bytes.size(), predictor, &failure) == Status::bad_value);
  CHECK(std::string(failure.field) == "task" && failure.offset == kHeaderBytes + 1);
  bytes[8] = 3;
  CHECK(status_of(bytes) == Status::unknown_version);
  bytes[8] = 0;
  CHECK(status_of(bytes) == Status::unknown_version);
  CHECK(status_of("PK\x03\x04") == Status::bad_magic);
  CHECK(std::string(describe(Status::bad_magic)).find("model file") != std::string::npos);
}

void test_failed_load_leaves_the_predictor_alone() {
  const std::string bytes = model_bytes(4);
  Predictor predictor;
  CHECK(Predictor::load(bytes.data(), bytes.size(), predictor) == Status::ok);
  const std::size_t n_parameters = predictor.n_parameters();
  CHECK(Predictor::load(bytes.data(), bytes.size() - 1, predictor) == Status::truncated);
  CHECK(predictor.n_parameters() == n_parameters);
}

void test_any_address_will_do() {
  const std::string bytes = model_bytes(5);
  for (std::size_t shift = 0; shift < 8; ++shift) {
    std::vector<char> shifted(bytes.size() + shift);
    std::memcpy(shifted.data() + shift, bytes.data(), bytes.size());
    Predictor predictor;
    CHECK(Predictor::load(shifted.data() + shift, bytes.size(), predictor) == Status::ok);
  }
}

void test_files() {
  Predictor predictor;
  CHECK(Predictor::load_file("no such file", predictor) == Status::cannot_read);
  CHECK(Predictor::load_file(".", predictor) == Status::cannot_read);
  const std::string bytes = model_bytes(6);
  for (const std::size_t size : {std::size_t{0}, std::size_t{5}, bytes.size() - 1, bytes.size()}) {
    char path[] = "automs_test_XXXXXX";
    const int descriptor = mkstemp(path);
    std::FILE* file = fdopen(descriptor, "wb");
    CHECK(std::fwrite(bytes.data(), 1, size, file) == size);
    std::fclose(file);
    const Status expected = size == bytes.size() ? Status::ok : Status::truncated;
    CHECK(Predictor::load_file(path, predictor) == expected);
    std::remove(path);
  }
}

void test_equal_tables_give_equal_bytes() { CHECK(model_bytes(7) == model_bytes(7)); }

ModelTables small_model() {
  ModelTables tables;
  tables.n_columns = 1;
  tables.n_outputs = 1;
  PartTables part;
  part.scale = 1.0;
  tables.encoders.push_back({part});
  NetworkTables network;
  network.layer_sizes = {1, 1};
  network.weights = {{2.0f}};
  network.biases = {{0.5f}};
  network.output_centre = {0.0};
  network.output_scale = {1.0};
  tables.networks.push_back(network);
  return tables;
}

template <typename Change>
void check_refused(Change change) {
  ModelTables tables = small_model();
  change(tables);
  CHECK_THROWS(write_model(tables), std::invalid_argument);
}

void test_writer_refuses_what_the_reader_would() {
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(status_of(write_model(small_model())) == Status::ok);
  check_refused([](ModelTables& t) { t.n_columns = 0; });
  check_refused([](ModelTables& t) { t.n_outputs = 2; });
  check_refused([](ModelTables& t) { t.column_names = {"a", "b"}; });
  check_refused([](ModelTables& t) { t.column_names = {"\xFF"}; });
  check_refused([](ModelTables& t) { t.target_names = {"a", "b"}; });
  check_refused([](ModelTables& t) { t.classes = std::vector<std::int64_t>{0}; });
  check_refused([](ModelTables& t) { t.task = ModelTask::binary; });
  check_refused([](ModelTables& t) { t.encoders.clear(); });
  check_refused([&](ModelTables& t) { t.encoders[0][0].scale = double(infinity); });
  check_refused([](ModelTables& t) { t.encoders[0][0].column = 1; });
  check_refused([](ModelTables& t) { t.encoders[0].clear(); });
  check_refused([](ModelTables& t) { t.columns.resize(2); });
  check_refused([](ModelTables& t) { t.columns = {{ColumnKind::numeric, true, {}}}; });
  check_refused([](ModelTables& t) { t.columns = {{ColumnKind::date, false, {"a"}}}; });
  check_refused([](ModelTables& t) { t.columns = {{ColumnKind::categorical, false, {"\xFF"}}}; });
  check_refused(
      [](ModelTables& t) { t.columns = {{ColumnKind::categorical, false, {"a", "b", "a"}}}; });
  check_refused([](ModelTables& t) { t.networks[0].embeddings = {{1.0f}}; });
  check_refused([](ModelTables& t) { t.networks[0].embedding_sizes = {1}; });
  check_refused([](ModelTables& t) { t.networks.clear(); });
  check_refused([](ModelTables& t) { t.networks[0].encoder = 1; });
  check_refused([](ModelTables& t) { t.networks[0].weight = std::nan(""); });
  check_refused([](ModelTables& t) { t.networks[0].layer_sizes = {1}; });
  check_refused([](ModelTables& t) { t.networks[0].layer_sizes = {2, 1}; });
  check_refused([](ModelTables& t) { t.networks[0].link = OutputLink::softmax; });
  check_refused([&](ModelTables& t) { t.networks[0].weights[0][0] = infinity; });
  check_refused([&](ModelTables& t) { t.networks[0].biases[0][0] = infinity; });
  check_refused([](ModelTables& t) { t.networks[0].output_scale.push_back(1.0); });
  check_refused([](ModelTables& t) { t.metadata = "\xED\xA0\x80"; });  // a surrogate
}

/// A model of one embedded column with two categories.
ModelTables embedding_model() {
  ModelTables tables = small_model();
  tables.columns = {{ColumnKind::categorical, false, {"a", "b"}}};
  PartTables part;
  part.kind = PartKind::embedded;
  part.n_places = 3;
  part.places = {0, 1, 2, 2};
  tables.encoders = {{part}};
  tables.networks[0].embedding_sizes = {1};
  tables.networks[0].embeddings = {{1.0f, 2.0f, 3.0f}};
  return tables;
}

template <typename Change>
void check_embedding_refused(Change change) {
  ModelTables tables = embedding_model();
  change(tables);
  CHECK_THROWS(write_model(tables), std::invalid_argument);
}

void test_embeddings_are_checked_and_looked_up() {
  Predictor predictor;
  const std::string bytes = write_model(embedding_model());
  CHECK(Predictor::load(bytes.data(), bytes.size(), predictor) == Status::ok);
  CHECK(predictor.n_parameters() == 5);
  Predictor::Workspace workspace(predictor);
  const double rows[] = {0.0, 1.0, -1.0, std::nan("")};
  double out[4];
  predictor.predict_rows(rows, 4, 1, out, workspace);
  CHECK(out[0] == 2.5 && out[1] == 4.5 && out[2] == 6.5 && out[3] == 6.5);
  const float infinity = std::numeric_limits<float>::infinity();
  check_embedding_refused([&](ModelTables& t) { t.networks[0].embeddings[0][2] = infinity; });
  check_embedding_refused([](ModelTables& t) { t.networks[0].embeddings[0].pop_back(); });
  check_embedding_refused([](ModelTables& t) { t.networks[0].embeddings.clear(); });
  check_embedding_refused([](ModelTables& t) {
    t.networks[0].embedding_sizes = {0};
    t.networks[0].embeddings = {{}};
  });
  check_embedding_refused([](ModelTables& t) { t.networks[0].layer_sizes[0] = 2; });
  check_embedding_refused([](ModelTables& t) { t.columns[0].categories.push_back("c"); });
}

/// The bytes of version 1: `small_model` with clip and indicator, hence two features.
std::string version_1_bytes() {
  ModelTables tables = small_model();
  PartTables indicator;
  indicator.kind = PartKind::indicator;
  tables.encoders[0][0].clip = true;
  tables.encoders[0].push_back(indicator);
  tables.networks[0].layer_sizes = {2, 1};
  tables.networks[0].weights = {{2.0f, 7.0f}};
  std::string bytes = write_model(tables);
  // Version 2 has a column of two bytes, a count of parts and two parts where version 1 has a
  // record.
  const std::size_t n_encoders = kHeaderBytes + 1 + 4 + 4 + 4 + 2 + 4 + 1 + 4;
  std::string record = bytes.substr(n_encoders + 4 + 4 + 1 + 4 + 1, 16);  // centre and scale
  record = std::string("\0\3", 2) + record;
  bytes.replace(n_encoders + 4, 4 + 22 + 5, record);
  bytes.erase(n_encoders - 4 - 1 - 4 - 2, 2);
  bytes[8] = 1;
  mend_frame(bytes);
  return bytes;
}

void test_version_1_is_read() {
  const std::string bytes = version_1_bytes();
  Predictor predictor;
  CHECK(Predictor::load(bytes.data(), bytes.size(), predictor) == Status::ok);
  CHECK(predictor.n_columns() == 1 && predictor.n_categories(0) == 0);
  CHECK(predictor.column_kind(0) == ColumnKind::numeric);
  Predictor::Workspace workspace(predictor);
  const double rows[] = {std::nan(""), 3.0};
  double out[2];
  predictor.predict_rows(rows, 2, 1, out, workspace);
  CHECK(out[0] == 7.5);
  CHECK_CLOSE(out[1], 2.0 * 3.0 / std::sqrt(2.0) + 0.5, 1e-6);
  std::mt19937 generator(5);
  for (int i = 0; i < 2000; ++i) {
    largest_allocation = 0;
    const std::string damaged = mutated(bytes, generator);
    status_of(damaged);
    CHECK(largest_allocation <= 24 * damaged.size() + 1024);
  }
}

/// x -> f(x) = z + (relu(z) - z) / 4 with z = x + 1.
ModelTables blended_model() {
  ModelTables tables = small_model();
  NetworkTables& network = tables.networks[0];
  network.activation = Activation::relu;
  network.layer_sizes = {1, 1, 1};
  network.weights = {{1.0f}, {1.0f}};
  network.biases = {{1.0f}, {0.0f}};
  network.blends = {{0.25f}};
  return tables;
}

/// How many bytes of the payload, when they become `value`, are no features of a network.
int count_bad_features(const std::string& original, char value) {
  int n = 0;
  for (std::size_t at = kHeaderBytes; at < original.size() - kChecksumBytes; ++at) {
    std::string bytes = original;
    bytes[at] = value;
    mend_frame(bytes);
    Predictor predictor;
    LoadFailure failure;
    Predictor::load(bytes.data(), bytes.size(), predictor, &failure);
    n += failure.status == Status::bad_value && std::string(failure.field) == "features";
  }
  return n;
}

void test_blends_are_checked_and_applied() {
  const std::string bytes = write_model(blended_model());
  Predictor predictor;
  CHECK(Predictor::load(bytes.data(), bytes.size(), predictor) == Status::ok);
  CHECK(predictor.n_parameters() == 5);
  Predictor::Workspace workspace(predictor);
  const double rows[] = {-5.0, 3.0};
  double out[2];
  predictor.predict_rows(rows, 2, 1, out, workspace);
  CHECK(out[0] == -3.0 && out[1] == 4.0);
  for (const std::size_t n : {0, 2}) {
    ModelTables tables = blended_model();
    tables.networks[0].blends = {std::vector<float>(n, 1.0f)};
    CHECK_THROWS(write_model(tables), std::invalid_argument);
  }
  ModelTables tables = blended_model();
  tables.networks[0].blends.push_back({1.0f});
  CHECK_THROWS(write_model(tables), std::invalid_argument);
  tables = blended_model();
  tables.networks[0].blends[0][0] = std::numeric_limits<float>::infinity();
  CHECK_THROWS(write_model(tables), std::invalid_argument);
  CHECK(count_bad_features(bytes, 3) == 0 && count_bad_features(bytes, 8) == 1);
  CHECK(count_bad_features(version_1_bytes(), 1) == 0);
  CHECK(count_bad_features(version_1_bytes(), 2) == 1);
}

void test_utf8() {
  for (const char* good :
       {"", "a", "\xC2\x80", "\xE0\xA0\x80", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    CHECK(detail::is_utf8(good, std::strlen(good)));
  }
  for (const char* bad : {"\x80", "\xC0\x80", "\xC2", "\xE0\x9F\x80", "\xED\xA0\x80",
                          "\xF0\x8F\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82"}) {
    CHECK(!detail::is_utf8(bad, std::strlen(bad)));
  }
}

}  // namespace

int main() {
  test_every_truncation_is_refused();
  test_every_flipped_bit_is_refused();
  test_damage_behind_a_valid_checksum_is_survived();
  test_failure_names_field_and_place();
  test_failed_load_leaves_the_predictor_alone();
  test_any_address_will_do();
  test_files();
  test_equal_tables_give_equal_bytes();
  test_writer_refuses_what_the_reader_would();
  test_embeddings_are_checked_and_looked_up();
  test_version_1_is_read();
  test_blends_are_checked_and_applied();
  test_utf8();
  return automs_test_result();
}
