// A candidate and a view -> the network that the candidate is on it.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/candidate.hpp"
#include "core/network.hpp"
#include "core/types.hpp"
#include "core/view.hpp"

namespace automs {

/// The rows that go through a candidate's network together: of a mini-batch, or of a tile of it.
template <typename Scalar>
int rows_of_step(const Candidate& candidate, const View<Scalar>& view) {
  const auto n_train = static_cast<std::int64_t>(view.train_rows.size());
  return static_cast<int>(std::min<std::int64_t>({candidate.batch_size, n_train, kTileRows}));
}

template <typename Scalar>
Network network_of(const Candidate& candidate, const View<Scalar>& view) {
  return make_network<Scalar>(candidate.architecture, view.n_features, view.n_logits,
                              view.embedding_rows, view.binned, rows_of_step(candidate, view),
                              view.n_periodic);
}

}  // namespace automs
