// encoders, networks, classes and names as plain vectors -> the bytes of a model file.
#include "core/model_file.hpp"

#include <cstring>
#include <limits>
#include <string>

#include "automs/checksum.hpp"
#include "automs/model_reader.hpp"
#include "core/check.hpp"

namespace automs {

namespace {

class ByteWriter {
 public:
  template <typename T>
  void number(T value) {
    detail::UnsignedOf<sizeof(T)> bits;
    std::memcpy(&bits, &value, sizeof value);
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      bytes_.push_back(static_cast<char>((bits >> (8 * i)) & 0xFF));
    }
  }

  template <typename T>
  void numbers(const std::vector<T>& values) {
    for (const T value : values) number(value);
  }

  void count(std::size_t n, const char* name) {
    require(n <= std::numeric_limits<std::uint32_t>::max(),
            std::string(name) + " must have fewer than 2^32 entries");
    number(static_cast<std::uint32_t>(n));
  }

  void text(const std::string& value, const char* name) {
    require(detail::is_utf8(value.data(), value.size()), std::string(name) + " must be UTF-8");
    count(value.size(), name);
    bytes_ += value;
  }

  void texts(const std::vector<std::string>& values, const char* name) {
    count(values.size(), name);
    for (const std::string& value : values) text(value, name);
  }

  std::string& bytes() { return bytes_; }

 private:
  std::string bytes_;
};

std::string got(std::size_t n) { return ", got " + std::to_string(n); }

void write_columns(ByteWriter& out, const ModelTables& tables) {
  require(tables.columns.empty() || tables.columns.size() == tables.n_columns,
          "columns must have n_columns = " + std::to_string(tables.n_columns) + " entries" +
              got(tables.columns.size()));
  for (std::uint32_t j = 0; j < tables.n_columns; ++j) {
    const ColumnTables column = tables.columns.empty() ? ColumnTables{} : tables.columns[j];
    const bool categorical = column.kind == ColumnKind::categorical;
    require(categorical || (!column.ordered && column.categories.empty()),
            "columns[" + std::to_string(j) +
                "]: only a categorical one is ordered or has "
                "categories");
    out.number(static_cast<std::uint8_t>(column.kind));
    out.number(static_cast<std::uint8_t>(column.ordered ? 1 : 0));
    if (categorical) out.texts(column.categories, "categories");
  }
}

void write_names(ByteWriter& out, const ModelTables& tables) {
  const std::size_t n = tables.column_names.size();
  require(n == 0 || n == tables.n_columns,
          "column_names must have n_columns = " + std::to_string(tables.n_columns) + " entries" +
              got(n));
  out.texts(tables.column_names, "column_names");
  write_columns(out, tables);
  const std::size_t n_targets = tables.target_names.size();
  const bool regression = tables.task == ModelTask::regression;
  require(n_targets == 0 || (regression && n_targets == tables.n_outputs),
          "target_names must have one entry for each output of a regression" + got(n_targets));
  out.texts(tables.target_names, "target_names");
}

struct ClassWriter {
  ByteWriter& out;

  void operator()(std::monostate) const { start(ClassKind::none, 0); }
  void operator()(const std::vector<std::int64_t>& labels) const {
    start(ClassKind::int64, labels.size());
    out.numbers(labels);
  }
  void operator()(const std::vector<double>& labels) const {
    start(ClassKind::float64, labels.size());
    out.numbers(labels);
  }
  void operator()(const std::vector<std::uint8_t>& labels) const {
    start(ClassKind::boolean, labels.size());
    out.numbers(labels);
  }
  void operator()(const std::vector<std::string>& labels) const {
    start(ClassKind::string, labels.size());
    for (const std::string& label : labels) out.text(label, "classes");
  }

 private:
  void start(ClassKind kind, std::size_t n) const {
    out.number(static_cast<std::uint8_t>(kind));
    out.count(n, "classes");
  }

 public:
  explicit ClassWriter(ByteWriter& writer) : out(writer) {}
};

void write_classes(ByteWriter& out, const ModelTables& tables) {
  const bool regression = tables.task == ModelTask::regression;
  const std::size_t n = std::visit(
      [](const auto& labels) -> std::size_t {
        if constexpr (std::is_same_v<std::decay_t<decltype(labels)>, std::monostate>) {
          return 0;
        } else {
          return labels.size();
        }
      },
      tables.classes);
  require(n == (regression ? 0 : tables.n_outputs),
          regression ? std::string("classes must be absent from a regression")
                     : "classes must have one entry for each output" + got(n));
  std::visit(ClassWriter(out), tables.classes);
}

/// The count of codes of a table that has entries for "missing" and "unknown" too.
std::uint32_t n_codes_of(std::size_t n_entries) {
  return static_cast<std::uint32_t>(n_entries - 2);
}

void write_part(ByteWriter& out, const PartTables& part) {
  out.number(static_cast<std::uint8_t>(part.kind));
  out.number(part.column);
  switch (part.kind) {
    case PartKind::scaled:
      out.number(static_cast<std::uint8_t>(part.clip ? 1 : 0));
      out.number(part.centre);
      out.number(part.scale);
      return;
    case PartKind::indicator:
      return;
    case PartKind::piecewise:
    case PartKind::interpolated:
      out.count(part.knots.size(), "knots");
      out.numbers(part.knots);
      if (part.kind == PartKind::interpolated) out.numbers(part.values);
      return;
    case PartKind::one_hot:
    case PartKind::embedded:
      out.number(part.n_places);
      out.number(n_codes_of(part.places.size()));
      out.numbers(part.places);
      return;
    case PartKind::ordinal:
      out.number(n_codes_of(part.values.size()));
      out.numbers(part.values);
      return;
    case PartKind::calendar:
      out.number(static_cast<std::uint8_t>(part.cycle));
      return;
  }
}

void write_encoder(ByteWriter& out, const EncoderTables& parts, std::size_t n_columns) {
  make_encoder(n_columns, parts);  // throws where a part breaks a rule
  out.count(parts.size(), "parts");
  for (const PartTables& part : parts) write_part(out, part);
}

/// A network's tables are those that the embedded parts of its encoder need.
void check_embeddings(const NetworkTables& network, const EncoderTables& encoder,
                      const std::string& name) {
  std::vector<std::size_t> n_rows;
  for (const PartTables& part : encoder) {
    if (part.kind == PartKind::embedded) n_rows.push_back(part.n_places);
  }
  require(
      network.embedding_sizes.size() == n_rows.size() && network.embeddings.size() == n_rows.size(),
      name + "embeddings must have one array for each of the encoder's " +
          std::to_string(n_rows.size()) + " embedded parts" + got(network.embeddings.size()));
  for (std::size_t i = 0; i < n_rows.size(); ++i) {
    const std::size_t size = network.embedding_sizes[i];
    require(size >= 1 && network.embeddings[i].size() == n_rows[i] * size,
            name + "embeddings[" + std::to_string(i) + "] must have " + std::to_string(n_rows[i]) +
                " rows of at least 1 value");
  }
}

/// The periodic embedding has a value for each of the encoder's scaled parts in every row.
void check_periodic(const PeriodicTables& periodic, const EncoderTables& encoder,
                    const std::string& name) {
  std::size_t n = 0;
  for (const PartTables& part : encoder) n += part.kind == PartKind::scaled ? 1 : 0;
  const std::size_t n_frequencies = periodic.n_frequencies;
  if (n_frequencies == 0) return;
  require(n >= 1, name + "periodic must be absent where the encoder has no scaled part");
  require(periodic.size >= 2 && periodic.size <= kMostPeriodicValues,
          name + "periodic must have 1 to " + std::to_string(kMostPeriodicValues - 1) +
              " rows of biases");
  const std::size_t n_outputs = periodic.size - 1;
  require(periodic.frequencies.size() == n_frequencies * n &&
              periodic.phases.size() == n_frequencies * n &&
              periodic.weights.size() == n_frequencies * n_outputs * n &&
              periodic.biases.size() == n_outputs * n,
          name + "periodic must have rows of " + std::to_string(n) +
              " values, one for each scaled part of the encoder");
}

/// The sizes of every array of a network agree with its layer_sizes.
void check_network(const NetworkTables& network, const std::string& name) {
  require(network.layer_sizes.size() >= 2,
          name + "layer_sizes must have at least 2 entries" + got(network.layer_sizes.size()));
  const std::size_t n_layers = network.layer_sizes.size() - 1;
  require(network.weights.size() == n_layers && network.biases.size() == n_layers,
          name + "weights and biases must have one array for each of " + std::to_string(n_layers) +
              " layers");
  for (std::size_t i = 0; i < n_layers; ++i) {
    const std::size_t fan_in = network.layer_sizes[i];
    const std::size_t fan_out = network.layer_sizes[i + 1];
    require(network.weights[i].size() == fan_in * fan_out && network.biases[i].size() == fan_out,
            name + "weights[" + std::to_string(i) + "] and its bias must have shapes (" +
                std::to_string(fan_in) + ", " + std::to_string(fan_out) + ") and (" +
                std::to_string(fan_out) + ",)");
  }
  require(network.blends.empty() || network.blends.size() == n_layers - 1,
          name + "blends must have one array for each of " + std::to_string(n_layers - 1) +
              " hidden layers, or none" + got(network.blends.size()));
  for (std::size_t i = 0; i < network.blends.size(); ++i) {
    const std::size_t fan_out = network.layer_sizes[i + 1];
    require(network.blends[i].size() == fan_out, name + "blends[" + std::to_string(i) +
                                                     "] must have " + std::to_string(fan_out) +
                                                     " entries" + got(network.blends[i].size()));
  }
  const std::size_t n_logits = network.layer_sizes.back();
  require(
      network.output_centre.size() == n_logits && network.output_scale.size() == n_logits,
      name + "output_centre and output_scale must have " + std::to_string(n_logits) + " entries");
}

void write_network(ByteWriter& out, const NetworkTables& network) {
  out.number(network.encoder);
  out.number(network.weight);
  out.number(static_cast<std::uint8_t>(network.activation));
  const PeriodicTables& periodic = network.periodic;
  const bool is_blended = !network.blends.empty();
  out.number(static_cast<std::uint8_t>((network.residual ? detail::kResidual : 0) +
                                       (is_blended ? detail::kBlended : 0) +
                                       (periodic.n_frequencies > 0 ? detail::kPeriodic : 0)));
  out.number(static_cast<std::uint8_t>(network.link));
  if (periodic.n_frequencies > 0) {
    out.number(periodic.n_frequencies);
    out.number(periodic.size);
  }
  out.numbers(network.embedding_sizes);
  out.count(network.layer_sizes.size(), "layer_sizes");
  out.numbers(network.layer_sizes);
  for (const auto* values :
       {&periodic.frequencies, &periodic.weights, &periodic.phases, &periodic.biases}) {
    out.numbers(*values);
  }
  for (const std::vector<float>& table : network.embeddings) out.numbers(table);
  for (std::size_t i = 0; i < network.weights.size(); ++i) {
    out.numbers(network.weights[i]);
    out.numbers(network.biases[i]);
    if (i < network.blends.size()) out.numbers(network.blends[i]);
  }
  out.numbers(network.output_centre);
  out.numbers(network.output_scale);
}

bool has_bounds(const ModelTables& tables) {
  bool any = false;
  for (const NetworkTables& network : tables.networks) any = any || !network.output_low.empty();
  return any;
}

/// What follows the metadata; the flags say which of it is there.
std::uint32_t write_decision(ByteWriter& out, const ModelTables& tables) {
  std::uint32_t flags = 0;
  if (!tables.label_factors.empty()) {
    require(tables.label_factors.size() == tables.n_outputs,
            "label_factors must have one entry for each class" + got(tables.label_factors.size()));
    out.numbers(tables.label_factors);
    flags |= kHasLabelFactors;
  }
  if (!has_bounds(tables)) return flags;
  for (const NetworkTables& network : tables.networks) {
    const std::size_t n = network.output_low.size();
    require(n == tables.n_outputs && network.output_high.size() == n,
            "output_low and output_high must have one entry for each output in all networks or in "
            "none" +
                got(n));
    out.numbers(network.output_low);
    out.numbers(network.output_high);
  }
  return flags | kHasOutputBounds;
}

std::string write_payload(const ModelTables& tables, std::uint32_t& flags) {
  ByteWriter out;
  out.number(static_cast<std::uint8_t>(tables.task));
  out.number(tables.n_columns);
  out.number(tables.n_outputs);
  write_names(out, tables);
  write_classes(out, tables);
  out.count(tables.encoders.size(), "encoders");
  for (const EncoderTables& encoder : tables.encoders) {
    write_encoder(out, encoder, tables.n_columns);
  }
  out.count(tables.networks.size(), "networks");
  for (std::size_t i = 0; i < tables.networks.size(); ++i) {
    const NetworkTables& network = tables.networks[i];
    const std::string name = "networks[" + std::to_string(i) + "]: ";
    require(network.encoder < tables.encoders.size(),
            name + "encoder must be below the number of encoders" + got(network.encoder));
    check_embeddings(network, tables.encoders[network.encoder], name);
    check_periodic(network.periodic, tables.encoders[network.encoder], name);
    check_network(network, name);
    write_network(out, network);
  }
  out.text(tables.metadata, "metadata");
  flags = write_decision(out, tables);
  return std::move(out.bytes());
}

}  // namespace

std::string write_model(const ModelTables& tables) {
  std::uint32_t flags = 0;
  const std::string payload = write_payload(tables, flags);
  ByteWriter out;
  out.bytes().reserve(kHeaderBytes + payload.size() + kChecksumBytes);
  for (const unsigned char byte : kMagic) out.number(byte);
  out.number(kFormatVersion);
  out.number(flags);
  out.number(static_cast<std::uint64_t>(payload.size()));
  out.bytes() += payload;
  const auto* bytes = reinterpret_cast<const unsigned char*>(out.bytes().data());
  out.number(crc64(bytes, out.bytes().size()));
  // What this function wrote must be what the reader accepts: the remaining rules are its own.
  Model model;
  const LoadFailure failure = read_model(out.bytes().data(), out.bytes().size(), model);
  require(failure.status == Status::ok, std::string("the model cannot be written: ") +
                                            failure.field + ": " + describe(failure.status));
  return std::move(out.bytes());
}

}  // namespace automs
