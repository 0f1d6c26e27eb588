// Nothing -> the codes that the predictor answers with instead of exceptions, and their meanings.
#pragma once

#include <cstddef>

namespace automs {

enum class Status {
  ok,
  truncated,
  bad_magic,
  unknown_version,
  bad_checksum,
  bad_value,
  too_large,
  out_of_memory,
  cannot_read,
};

/// A status -> what it means, as the end of an English sentence.
inline const char* describe(Status status) noexcept {
  switch (status) {
    case Status::ok:
      return "everything is in order";
    case Status::truncated:
      return "the file is cut short";
    case Status::bad_magic:
      return "this is no automs model file";
    case Status::unknown_version:
      return "the format version is not known to this reader";
    case Status::bad_checksum:
      return "the checksum does not match: the file is damaged";
    case Status::bad_value:
      return "a value breaks the rules of the format";
    case Status::too_large:
      return "a count is larger than the bytes that follow can hold";
    case Status::out_of_memory:
      return "memory is short";
    case Status::cannot_read:
      return "the file cannot be opened or read";
  }
  return "an unknown status";
}

/// The first failure of a load: what went wrong, in which field of FORMAT.md, at which byte.
struct LoadFailure {
  Status status = Status::ok;
  const char* field = "";
  std::size_t offset = 0;
};

}  // namespace automs
