// condition and message -> nothing, or std::invalid_argument (a ValueError in Python).
#pragma once

#include <stdexcept>
#include <string>

namespace automs {

/// Throws std::invalid_argument with `message` unless `condition` holds. For arguments that come
/// from outside; the message names the argument, the rule and what came.
inline void require(bool condition, const char* message) {
  if (!condition) throw std::invalid_argument(message);
}

inline void require(bool condition, const std::string& message) {
  if (!condition) throw std::invalid_argument(message);
}

}  // namespace automs
