// Encoders of one part and awkward raw values -> the rules of FORMAT.md, and what is refused.
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "automs/encoder.hpp"
#include "check.hpp"
#include "core/encoder_tables.hpp"

namespace {

using namespace automs;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLargest = std::numeric_limits<double>::max();

PartTables part_of(PartKind kind) {
  PartTables part;
  part.kind = kind;
  return part;
}

PartTables scaled(double centre, double scale, bool clip) {
  PartTables part;
  part.centre = centre;
  part.scale = scale;
  part.clip = clip;
  return part;
}

PartTables knots(PartKind kind, std::vector<double> at, std::vector<double> values = {}) {
  PartTables part = part_of(kind);
  part.knots = std::move(at);
  part.values = std::move(values);
  return part;
}

PartTables places(PartKind kind, std::uint32_t n, std::vector<std::uint32_t> of_codes) {
  PartTables part = part_of(kind);
  part.n_places = n;
  part.places = std::move(of_codes);
  return part;
}

std::vector<float> encoded(const PartTables& part, double x) {
  const Encoder encoder = make_encoder(1, {part});
  std::vector<float> out(encoder.n_features);
  encode_row(encoder, &x, out.data(), nullptr);
  return out;
}

void test_scaled_parts_at_the_extremes() {
  const PartTables clipped = scaled(1.0, 2.0, true);
  CHECK(encoded(clipped, kInfinity)[0] == 3.0f && encoded(clipped, -kInfinity)[0] == -3.0f);
  CHECK(encoded(clipped, kLargest)[0] == 3.0f && encoded(clipped, -kLargest)[0] == -3.0f);
  CHECK_CLOSE(encoded(clipped, 2.5)[0], 3.0 / std::sqrt(2.0), 1e-7);  // z = 3
  CHECK(encoded(clipped, kMissing)[0] == 0.0f);
  const PartTables constant = scaled(-kLargest, 0.0, false);
  CHECK(encoded(constant, kLargest)[0] == 0.0f && encoded(constant, kInfinity)[0] == 0.0f);
  const PartTables plain = scaled(1e15, 1.0, false);
  CHECK(encoded(plain, 1e15 + 1.0)[0] == 1.0f);  // centred in double: no digit is lost
  CHECK(encoded(plain, kInfinity)[0] == 1e9f && encoded(plain, -kInfinity)[0] == -1e9f);
}

void test_without_clip_a_value_keeps_every_bit() {
  for (double z = 1e-300; z < 1e9; z *= 1.7) {
    CHECK(encoded(scaled(0.0, 1.0, false), z)[0] == static_cast<float>(z));
  }
}

void test_indicator() {
  CHECK(encoded(part_of(PartKind::indicator), kMissing)[0] == 1.0f);
  CHECK(encoded(part_of(PartKind::indicator), kInfinity)[0] == 0.0f);
}

void test_piecewise_parts_fill_bin_by_bin() {
  const PartTables part = knots(PartKind::piecewise, {0.0, 1.0, 3.0});
  CHECK((encoded(part, 0.75) == std::vector<float>{0.5f, -1.0f}));
  CHECK((encoded(part, 2.0) == std::vector<float>{1.0f, 0.0f}));
  CHECK((encoded(part, -kInfinity) == std::vector<float>{-1.0f, -1.0f}));
  CHECK((encoded(part, kLargest) == std::vector<float>{1.0f, 1.0f}));
  CHECK((encoded(part, kMissing) == std::vector<float>{0.0f, 0.0f}));
  const double tiny = std::numeric_limits<double>::denorm_min();
  CHECK(encoded(knots(PartKind::piecewise, {0.0, tiny}), tiny)[0] == 1.0f);
}

void test_interpolated_parts_meet_their_knots() {
  const PartTables part = knots(PartKind::interpolated, {-1.0, 0.0, 2.0}, {5.0, 7.0, -1.0});
  const double xs[] = {-kInfinity, -1.0, -0.5, 0.0, 0.5, 2.0, kInfinity, kMissing};
  const float expected[] = {5.0f, 5.0f, 6.0f, 7.0f, 5.0f, -1.0f, -1.0f, 0.0f};
  for (int i = 0; i < 8; ++i) CHECK(encoded(part, xs[i])[0] == expected[i]);
}

void test_codes_that_are_none_count_as_unknown() {
  const PartTables one_hot = places(PartKind::one_hot, 3, {1, kNoSlot, 2, 0});
  CHECK((encoded(one_hot, 0.0) == std::vector<float>{0.0f, 1.0f, 0.0f}));
  CHECK((encoded(one_hot, 1.0) == std::vector<float>{0.0f, 0.0f, 0.0f}));
  CHECK((encoded(one_hot, kMissing) == std::vector<float>{0.0f, 0.0f, 1.0f}));
  PartTables ordinal = part_of(PartKind::ordinal);
  ordinal.values = {10.0, 11.0, 12.0, 13.0};
  CHECK(encoded(ordinal, 1.0)[0] == 11.0f && encoded(ordinal, kMissing)[0] == 12.0f);
  const PartTables embedded = places(PartKind::embedded, 4, {0, 1, 2, 3});
  const Encoder encoder = make_encoder(1, {embedded});
  CHECK(encoder.n_features == 0 && encoder.n_embedded() == 1 && encoder.embedding_rows[0] == 4);
  for (const double x : {-1.0, 0.5, 2.0, 1.9999999, 1e300, -kInfinity, kInfinity}) {
    CHECK((encoded(one_hot, x) == std::vector<float>{1.0f, 0.0f, 0.0f}));
    CHECK(encoded(ordinal, x)[0] == 13.0f);
    std::int32_t code = -1;
    encode_row(encoder, &x, static_cast<float*>(nullptr), &code);
    CHECK(code == 3);
  }
}

struct Moment {
  double seconds;
  double of_year;  // shares of the cycles that are over
  double of_week;
  double of_day;
};

/// Dates whose place in the year and weekday everybody can look up.
void test_calendar_at_known_dates() {
  const Moment moments[] = {
      {0.0, 0.0, 3.0 / 7, 0.0},                 // Thursday 1970-01-01
      {951782400.0, 59.0 / 366, 1.0 / 7, 0.0},  // Tuesday 2000-02-29
      {4107542400.0, 59.0 / 365, 0.0, 0.0},     // Monday 2100-03-01
      {1704067199.0, 1.0 - 1.0 / (365 * 86400), 1.0 - 1.0 / (7 * 86400), 1.0 - 1.0 / 86400},
      {-62167219200.0, 0.0, 5.0 / 7, 0.0},    // Saturday 0000-01-01
      {-43200.0, 364.5 / 365, 2.5 / 7, 0.5},  // noon, Wednesday 1969-12-31
  };
  for (const Moment& moment : moments) {
    CHECK_CLOSE(cycle_share(Cycle::year, moment.seconds), moment.of_year, 1e-14);
    CHECK_CLOSE(cycle_share(Cycle::week, moment.seconds), moment.of_week, 1e-14);
    CHECK_CLOSE(cycle_share(Cycle::day, moment.seconds), moment.of_day, 1e-14);
  }
}

void test_calendar_is_a_circle_and_knows_its_limits() {
  PartTables part = part_of(PartKind::calendar);
  for (const Cycle cycle : {Cycle::year, Cycle::week, Cycle::day}) {
    part.cycle = cycle;
    for (double seconds = -1e14; seconds <= 1e14; seconds += 1.7e11) {
      const auto features = encoded(part, seconds);
      CHECK_CLOSE(std::hypot(features[0], features[1]), 1.0, 1e-6);
      const double share = cycle_share(cycle, seconds);
      CHECK(share > -1e-9 && share <= 1.0);
    }
    for (const double none : {kMissing, kInfinity, -kInfinity, 1.1e14, -kLargest}) {
      CHECK((encoded(part, none) == std::vector<float>{0.0f, 0.0f}));
    }
  }
}

void test_parts_follow_each_other() {
  PartTables second = scaled(0.0, 1.0, false);
  second.column = 1;
  PartTables missing = part_of(PartKind::indicator);
  missing.column = 1;
  const Encoder encoder =
      make_encoder(2, {second, scaled(0.0, 2.0, false), missing, part_of(PartKind::indicator)});
  const double rows[] = {1.0, kMissing, kMissing, 5.0};
  float out[8];
  encode_rows(encoder, rows, 2, 2, out, nullptr);
  const float expected[] = {0.0f, 2.0f, 1.0f, 0.0f, 5.0f, 0.0f, 0.0f, 1.0f};
  for (int i = 0; i < 8; ++i) CHECK(out[i] == expected[i]);
}

void check_refused(std::size_t n_columns, const EncoderTables& parts, const std::string& word) {
  bool named = false;
  try {
    make_encoder(n_columns, parts);
  } catch (const std::invalid_argument& error) {
    named = std::string(error.what()).find(word) != std::string::npos;
  }
  CHECK(named);
}

void test_bad_parts_are_refused_by_name() {
  Encoder empty;
  CHECK(finish_encoder(empty).status == Status::bad_value);
  check_refused(1, {}, "parts");
  check_refused(0, {part_of(PartKind::indicator)}, "n_columns");
  PartTables beyond = part_of(PartKind::indicator);
  beyond.column = 1;
  check_refused(1, {scaled(0.0, 1.0, true), beyond}, "parts[1]: column");
  beyond.kind = PartKind::scaled;
  check_refused(1, {beyond}, "parts[0]: column");
  check_refused(1, {part_of(PartKind::indicator), scaled(0.0, 1.0, true)}, "parts[1]: kind");
  check_refused(1, {scaled(kMissing, 1.0, true)}, "centre");
  check_refused(1, {scaled(0.0, kInfinity, true)}, "scale");
  for (const PartKind kind : {PartKind::piecewise, PartKind::interpolated}) {
    for (const std::vector<double>& bad : std::vector<std::vector<double>>{{},
                                                                           {1.0},
                                                                           {1.0, 1.0},
                                                                           {2.0, 1.0},
                                                                           {0.0, kMissing, 1.0},
                                                                           {0.0, kInfinity},
                                                                           {-kLargest, kLargest}}) {
      check_refused(1, {knots(kind, bad, bad)}, "knots");
    }
  }
  check_refused(1, {knots(PartKind::interpolated, {0.0, 1.0}, {0.0})}, "values");
  check_refused(1, {knots(PartKind::interpolated, {0.0, 1.0}, {0.0, 1.1e9})}, "values");
  check_refused(1, {knots(PartKind::ordinal, {}, {0.0})}, "values");
  check_refused(1, {knots(PartKind::ordinal, {}, {0.0, kMissing})}, "values");
  check_refused(1, {places(PartKind::one_hot, 0, {0, 0})}, "n_slots");
  check_refused(1, {places(PartKind::one_hot, 3, {0, 0})}, "n_slots");
  check_refused(1, {places(PartKind::one_hot, 1, {0, 1})}, "slots");
  check_refused(1, {places(PartKind::embedded, 0, {0, 0})}, "n_rows");
  check_refused(1, {places(PartKind::embedded, 0x80000000u, {0, 0})}, "n_rows");
  check_refused(1, {places(PartKind::embedded, 1, {0})}, "rows");
  check_refused(1, {places(PartKind::embedded, 1, {0, kNoSlot})}, "rows");
  PartTables cycle = part_of(PartKind::calendar);
  cycle.cycle = static_cast<Cycle>(3);
  check_refused(1, {cycle}, "cycle");
}

}  // namespace

int main() {
  test_scaled_parts_at_the_extremes();
  test_without_clip_a_value_keeps_every_bit();
  test_indicator();
  test_piecewise_parts_fill_bin_by_bin();
  test_interpolated_parts_meet_their_knots();
  test_codes_that_are_none_count_as_unknown();
  test_calendar_at_known_dates();
  test_calendar_is_a_circle_and_knows_its_limits();
  test_parts_follow_each_other();
  test_bad_parts_are_refused_by_name();
  return automs_test_result();
}
