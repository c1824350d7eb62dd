#include "common/os/fd.h"

#include <unistd.h>

namespace wattle::os {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

Fd::~Fd() { close(); }

void Fd::close() {
  // Linux frees the number even when close() reports EINTR: never call it twice.
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

}  // namespace wattle::os
