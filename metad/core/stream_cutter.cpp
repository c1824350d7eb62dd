#include "metad/core/stream_cutter.h"

#include "common/base/mutant.h"
#include "metad/core/grammar.h"

namespace wattle::metad {

std::size_t packet_length(std::string_view line) {
  if (line.empty() || (line[0] != 'P' && line[0] != 'p' && line[0] != '1')) return 0;
  const auto request = parse_request(line);
  if (!request || request->verb != Verb::Packet) return 0;
  const std::uint64_t length = request->number(0);
  return WATTLE_CHECKED(packet_length_most, length <= kMaxCarried)
             ? static_cast<std::size_t>(length)
             : 0;
}

std::optional<StreamCutter::Piece> StreamCutter::next() {
  if (wanted_ == 0) {
    auto line = lines_.next();
    if (!line) return std::nullopt;
    wanted_ = packets_ ? packet_length(*line) : 0;
    if (wanted_ == 0) return Piece{std::move(*line), {}};
    line_ = std::move(*line);
  }
  const auto bytes = lines_.take(wanted_);
  if (!bytes) return std::nullopt;
  wanted_ = 0;
  return Piece{std::move(line_), to_bytes(as_bytes(*bytes))};
}

}  // namespace wattle::metad
