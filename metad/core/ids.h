// Handles that the driver gives to connections, and time as the engine gets it.
#pragma once

#include <cstdint>

#include "common/base/time.h"

namespace wattle::metad {

using LinkId = std::uint64_t;     // a TLS link between nodes; never used twice
using ControlId = std::uint64_t;  // a connection on the unix socket; never used twice
using DialId = std::uint64_t;     // an attempt to connect; made by the engine

struct Now {
  Instant mono{};
  UnixTime unix{};
};

}  // namespace wattle::metad
