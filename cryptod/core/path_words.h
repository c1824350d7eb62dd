// Ways in words, for the history and `wattle why`. A member is named by its address in text.
#pragma once

#include <span>
#include <string>

#include "cryptod/core/own_endpoints.h"

namespace wattle::cryptod {

std::string milliseconds_text(std::uint32_t rtt_us);  // "1.2 ms"
std::string seconds_text(Duration d);                 // "0.4 s", "12 s"; never below 0
std::string list_text(std::span<const Endpoint> endpoints);
// "direct way 203.0.113.7:8737", "way through ADDRESS", "way over its meta link"
std::string way_text(EngineContext& context, const Peer& peer, const Path& path);
// What stands now: the way in use, what is tried next and when.
std::string state_text(EngineContext& context, const Peer& peer);

}  // namespace wattle::cryptod
