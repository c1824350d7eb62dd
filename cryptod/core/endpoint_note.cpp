#include "cryptod/core/endpoint_note.h"

namespace wattle::cryptod {

std::optional<EndpointNote> parse_endpoint_note(ByteView body) {
  Reader in(body);
  const std::uint8_t count = in.u8();
  if (!in.ok() || count == 0 || count > EndpointNote::kMost) return std::nullopt;
  EndpointNote out;
  out.endpoints.reserve(count);
  for (std::uint8_t i = 0; i < count; ++i) {
    const auto endpoint = parse_endpoint(in);
    if (!endpoint) return std::nullopt;
    out.endpoints.push_back(*endpoint);
  }
  const std::uint8_t mode = in.u8();
  if (!in.finish() || mode < static_cast<std::uint8_t>(PunchMode::Simultaneous) ||
      mode > static_cast<std::uint8_t>(PunchMode::Changing))
    return std::nullopt;
  out.mode = static_cast<PunchMode>(mode);
  return out;
}

Bytes build_endpoint_note(const EndpointNote& note) {
  Bytes out;
  Writer writer(out);
  writer.u8(static_cast<std::uint8_t>(note.endpoints.size()));
  for (const Endpoint& endpoint : note.endpoints) build_endpoint(writer, endpoint);
  writer.u8(static_cast<std::uint8_t>(note.mode));
  return out;
}

}  // namespace wattle::cryptod
