// Whole-message reading and writing on the helpers' standard descriptors.
#pragma once

#include <cstddef>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace wattle::ctl {

// Everything up to the end of the stream; Full if it is more than `max` bytes.
Result<Bytes> read_to_end(int fd, std::size_t max);
Result<void> write_whole(int fd, ByteView bytes);

}  // namespace wattle::ctl
