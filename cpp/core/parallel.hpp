// Number of tasks, threads, a function -> the function called once for each task.
#pragma once

#include <cstddef>
#include <functional>

#include "core/crew.hpp"

namespace automs {

/// Calls body(task, thread) for every task in [0, n_tasks); tasks are taken in order by whichever
/// thread is free, thread 0 is the caller. A caller without a task left calls `idle` about every
/// millisecond until the others have finished. The first exception stops the taking of tasks and
/// is thrown again after the join. In a process forked after the first use, and where the library
/// was built without OpenMP, all tasks run on the calling thread. With a `crew` of `n_threads`
/// there are as many threads even for fewer tasks, and who has none left helps the others.
void parallel_for(std::size_t n_tasks, int n_threads,
                  const std::function<void(std::size_t task, int thread)>& body,
                  const std::function<void()>& idle = {}, Crew* crew = nullptr);

}  // namespace automs
