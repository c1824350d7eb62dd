#include "metad/ctl/check_protocol.h"

#include <algorithm>

#include "common/base/parse.h"

namespace wattle::ctl {

namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kMaxDetail = 300;
constexpr std::size_t kMaxCertificate = 8 * 1024;
constexpr std::size_t kMaxCsr = 8 * 1024;

void write_prefix(Writer& out, const IpPrefix& prefix) {
  out.u8(prefix.address.family).u8(prefix.length).bytes(prefix.address.view());
}

// An IPv4 or IPv6 prefix of exactly the wanted family; fails otherwise.
bool read_prefix(Reader& in, std::uint8_t family, IpPrefix& out) {
  const std::uint8_t got = in.u8();
  out.length = in.u8();
  if (family == 4) out.address = IpAddress::v4(in.array<4>());
  if (family == 6) out.address = IpAddress::v6(in.array<16>());
  return in.ok() && got == family && out.length <= (family == 4 ? 32 : 128);
}

void write_peer(Writer& out, const JoinPeer& peer) {
  write_counted(out, peer.name);
  out.bytes(peer.address.bytes).u8(static_cast<std::uint8_t>(peer.endpoints.size()));
  for (const Endpoint& endpoint : peer.endpoints) build_endpoint(out, endpoint);
}

Result<JoinPeer> read_peer(Reader& in) {
  JoinPeer peer;
  peer.name = read_counted_text(in, 63);
  const ByteArray<40> address = in.array<40>();
  const std::uint8_t count = in.u8();
  if (!in.ok()) return Errc::Truncated;
  if (!is_node_name(peer.name) || count > 16) return Errc::BadValue;
  if (parse_address(ByteView(address), peer.address) != AddressFault::None) return Errc::BadValue;
  for (int i = 0; i < count; ++i) peer.endpoints.push_back(WATTLE_TRY(parse_endpoint(in)));
  return peer;
}

Result<void> read_member(Reader& in, CheckAnswer& out) {
  out.name = read_counted_text(in, 63);
  out.serial = in.u64();
  out.mac.bytes = in.array<6>();
  const bool prefixes = read_prefix(in, 4, out.ipv4) && read_prefix(in, 6, out.ipv6) &&
                        read_prefix(in, 6, out.prefix);
  if (!in.ok()) return Errc::Truncated;
  if (!prefixes || !is_node_name(out.name) || out.mac.is_multicast()) return Errc::BadValue;
  out.certificate = to_bytes(read_counted(in, kMaxCertificate));
  out.credential = in.array<kCredentialSize>();
  out.document = read_counted_text(in, kMaxFetched);
  const std::uint8_t count = in.u8();
  if (!in.ok()) return Errc::Truncated;
  if (count > kMaxJoinPeers) return Errc::BadValue;
  for (int i = 0; i < count; ++i) out.peers.push_back(WATTLE_TRY(read_peer(in)));
  const auto is_text = [](char c) { return c == '\n' || (c >= 0x20 && c <= 0x7e); };
  if (!std::all_of(out.document.begin(), out.document.end(), is_text)) return Errc::BadValue;
  return {};
}

}  // namespace

Bytes build_check_request(const CheckRequest& request) {
  Bytes out;
  Writer writer(out);
  writer.u8(kFormat);
  write_counted(writer, request.network);
  writer.bytes(request.genesis).bytes(request.address.bytes);
  write_counted(writer, request.csr);
  writer.u64(request.now.seconds);
  write_counted(writer, request.genesis_text);
  writer.u16(request.status);
  write_counted(writer, request.body);
  return out;
}

Result<CheckRequest> parse_check_request(ByteView body) {
  Reader in(body);
  CheckRequest out;
  const std::uint8_t format = in.u8();
  out.network = read_counted_text(in, 12);
  out.genesis = in.array<32>();
  out.address.bytes = in.array<40>();
  out.csr = to_bytes(read_counted(in, kMaxCsr));
  out.now.seconds = in.u64();
  out.genesis_text = read_counted_text(in, kMaxFetched);
  out.status = in.u16();
  out.body = read_counted_text(in, kMaxFetched);
  WATTLE_TRY(in.finish());
  if (format != kFormat || !is_network_name(out.network)) return Errc::BadValue;
  return out;
}

bool is_definite(Refusal refusal) {
  switch (refusal) {
    case Refusal::None:
    case Refusal::Busy:
    case Refusal::SignerAway:
    case Refusal::NetworkFull:
    case Refusal::Other:
    case Refusal::Pending:
    case Refusal::TooOld:
      return false;
    default:
      return true;
  }
}

Bytes build_check_answer(const CheckAnswer& answer) {
  Bytes out;
  Writer writer(out);
  writer.u8(kFormat).u8(static_cast<std::uint8_t>(answer.outcome));
  writer.u8(static_cast<std::uint8_t>(answer.refusal));
  write_counted(writer, printable(answer.detail, kMaxDetail));
  writer.u64(answer.not_before.seconds).u64(answer.not_after.seconds);
  if (answer.outcome != CheckOutcome::Member) return out;
  write_counted(writer, answer.name);
  writer.u64(answer.serial).bytes(answer.mac.bytes);
  for (const IpPrefix& prefix : {answer.ipv4, answer.ipv6, answer.prefix})
    write_prefix(writer, prefix);
  write_counted(writer, answer.certificate);
  writer.bytes(answer.credential);
  write_counted(writer, answer.document);
  writer.u8(static_cast<std::uint8_t>(answer.peers.size()));
  for (const JoinPeer& peer : answer.peers) write_peer(writer, peer);
  return out;
}

Result<CheckAnswer> parse_check_answer(ByteView body) {
  Reader in(body);
  CheckAnswer out;
  const std::uint8_t format = in.u8();
  const std::uint8_t outcome = in.u8();
  const std::uint8_t refusal = in.u8();
  out.detail = read_counted_text(in, kMaxDetail);
  out.not_before.seconds = in.u64();
  out.not_after.seconds = in.u64();
  if (!in.ok()) return Errc::Truncated;
  if (format != kFormat || outcome > static_cast<std::uint8_t>(CheckOutcome::Refused) ||
      refusal > static_cast<std::uint8_t>(Refusal::TooOld) || !is_printable(out.detail))
    return Errc::BadValue;
  out.outcome = static_cast<CheckOutcome>(outcome);
  out.refusal = static_cast<Refusal>(refusal);
  if ((out.outcome == CheckOutcome::Refused) != (out.refusal != Refusal::None))
    return Errc::BadValue;
  if (out.outcome == CheckOutcome::Member) WATTLE_TRY(read_member(in, out));
  WATTLE_TRY(in.finish());
  return out;
}

}  // namespace wattle::ctl
