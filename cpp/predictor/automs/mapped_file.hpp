// path of a model file -> Predictor, read through a mapping instead of a copy in memory (POSIX).
//
// The mapping lasts for the load alone: a predictor keeps arrays of its own, so the file may be
// replaced or removed afterwards. It must not shrink while it is read; write a new file and rename
// it. Memory that a program has mapped itself goes to Predictor::load, at any address.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>

#include "automs/predictor.hpp"

namespace automs {

/// The bytes of a file, mapped read-only until the end of the object's life.
class MappedFile {
 public:
  MappedFile() noexcept = default;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile() { close(); }

  /// Status::ok, or cannot_read where the path is no regular file that can be mapped.
  Status open(const char* path) noexcept {
    close();
    // Without O_NONBLOCK a pipe would wait for its writer.
    const int file = ::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return Status::cannot_read;
    const Status status = map(file);
    ::close(file);
    return status;
  }

  const void* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }

 private:
  /// An empty file cannot be mapped, and stays at size 0.
  Status map(int file) noexcept {
    struct stat about;
    if (::fstat(file, &about) != 0 || !S_ISREG(about.st_mode)) return Status::cannot_read;
    if (about.st_size == 0) return Status::ok;
    const auto size = static_cast<std::size_t>(about.st_size);
    void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (data == MAP_FAILED) return Status::cannot_read;
    data_ = data;
    size_ = size;
    return Status::ok;
  }

  void close() noexcept {
    if (data_ != nullptr) ::munmap(data_, size_);
    data_ = nullptr;
    size_ = 0;
  }

  void* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Predictor::load_file without a second copy of the file in memory while it is read.
inline Status load_mapped_file(const char* path, Predictor& out,
                               LoadFailure* failure = nullptr) noexcept {
  MappedFile file;
  const Status status = file.open(path);
  if (status == Status::ok) return Predictor::load(file.data(), file.size(), out, failure);
  if (failure != nullptr) *failure = {status, "file", 0};
  return status;
}

}  // namespace automs
