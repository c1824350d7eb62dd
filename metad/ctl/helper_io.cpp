#include "metad/ctl/helper_io.h"

#include <unistd.h>
#include <cerrno>

namespace wattle::ctl {

Result<Bytes> read_to_end(int fd, std::size_t max) {
  Bytes out;
  ByteArray<16384> chunk;
  for (;;) {
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Errc::System;
    if (got == 0) return out;
    if (out.size() + static_cast<std::size_t>(got) > max) return Errc::Full;
    out.insert(out.end(), chunk.begin(), chunk.begin() + got);
  }
}

Result<void> write_whole(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return Errc::System;
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

}  // namespace wattle::ctl
