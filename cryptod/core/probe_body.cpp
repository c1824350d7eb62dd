#include "cryptod/core/probe_body.h"

namespace wattle::cryptod {

namespace {

constexpr std::uint8_t kQuestion = 0, kAnswer = 1;
constexpr std::uint8_t kUdp4 = 2, kUdp6 = 3;

}  // namespace

std::optional<ProbeBody> parse_probe(ByteView body) {
  Reader in(body);
  ProbeBody out;
  out.nonce = in.u64();
  const std::uint8_t kind = in.u8();
  if (!in.ok() || kind > kAnswer) return std::nullopt;
  out.answer = kind == kAnswer;
  if (out.answer && in.left() != 0) {
    const auto seen = parse_endpoint(in);
    if (!seen) return std::nullopt;
    out.seen = *seen;
  }
  if (in.left() != 0) return std::nullopt;
  return out;
}

// As build_endpoint() writes it, but into a fixed place: answers are as frequent as questions.
std::size_t build_probe(const ProbeBody& probe, MutableBytes out) {
  FixedWriter writer(out);
  writer.u64(probe.nonce).u8(probe.answer ? kAnswer : kQuestion);
  if (!probe.answer || !probe.seen) return writer.written();
  const IpAddress& address = probe.seen->address;
  writer.u8(address.is_v4() ? kUdp4 : kUdp6).bytes(address.view()).u16(probe.seen->port);
  return writer.written();
}

}  // namespace wattle::cryptod
