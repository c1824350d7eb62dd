#include "cryptod/core/relay_flow.h"

#include <algorithm>

#include "common/base/mutant.h"
#include "common/base/writer.h"

namespace wattle::cryptod {

namespace {

constexpr std::uint64_t kLeastBurst = 65536;  // any datagram fits

bool is_relayed_type(std::uint8_t type) {
  switch (static_cast<WireType>(type)) {
    case WireType::Message1:
    case WireType::Message2:
    case WireType::Stale:
    case WireType::Cookie:
    case WireType::Transport:
      return true;
  }
  return false;
}

bool is_known(RefusalCode code) { return code >= RefusalCode::Off && code <= RefusalCode::Hops; }

std::string_view phrase(RefusalCode code) {
  switch (code) {
    case RefusalCode::Off:
      return "relaying is off there, or our budget is used up";
    case RefusalCode::Unknown:
      return "it knows no way";
    case RefusalCode::Hops:
      break;
  }
  return "too many hops";
}

}  // namespace

TokenBucket RelayFlow::make_budget(std::uint64_t rate) {
  const std::uint64_t burst = std::max(rate / 10, kLeastBurst);
  if (rate <= 1'000'000) return {rate, burst};
  return {rate / 1000, burst, std::chrono::milliseconds(1)};
}

// (a) a member registered here by a live session, over its own path; (b) along the table, for
// neighbours: the table is free of loops only among them.
Peer* RelayFlow::find_hop(const Peer& from, const ShortId& recipient, Counter& drop) {
  Peer* const to = ctx_.peers.find(recipient);
  const bool has_path = to != nullptr && to->member && to->current && to->path &&
                        to->path->kind != PathKind::Routed &&
                        !(to->neighbour && to->link_way == meta_link::LinkWay::Down);
  if (has_path && to != &from && ctx_.now() < to->heard_at + kFresh) return to;
  const ShortId& id = recipient;
  Peer* const hop = WATTLE_CHECKED(relay_neighbour, from.neighbour)
                        ? ctx_.table.first_hop(ctx_.peers, id, ctx_.now(), &from)
                        : nullptr;
  if (hop != nullptr) return hop;
  if (has_path && WATTLE_CHECKED(relay_back, to != &from) &&
      WATTLE_CHECKED(relay_registered, ctx_.now() < to->heard_at + kRegistered))
    return to;
  const bool back =
      to == &from || (from.neighbour && ctx_.table.first_hop(ctx_.peers, id, ctx_.now()) == &from);
  drop = back ? Counter::DropRelayBack : Counter::DropRelayUnknown;
  return nullptr;
}

void RelayFlow::relay(Received& d) {
  if (!WATTLE_CHECKED(relay_type, is_relayed_type(header_type(d.bytes))))
    return ctx_.count(Counter::DropType);
  if (d.via.hop == kNoSlot) return ctx_.count(Counter::DropRelaySource);
  Peer& from = ctx_.peers.at(d.via.hop);
  if (!WATTLE_CHECKED(relay_source, from.member && from.current))
    return ctx_.count(Counter::DropRelaySource);
  const ShortId recipient = to_array<8>(header_recipient(d.bytes));
  const auto drop = [&](Counter counter, RefusalCode code) {
    ctx_.count(counter);
    refuse(from, code, recipient);
  };
  if (WATTLE_CHECKED(relay_off, ctx_.config.relay_rate == 0))
    return drop(Counter::DropRelayOff, RefusalCode::Off);
  if (WATTLE_CHECKED(relay_hops, header_hops(d.bytes) >= kHops))
    return drop(Counter::DropHops, RefusalCode::Hops);
  Counter reason = Counter::DropRelayUnknown;
  const Peer* const hop = find_hop(from, recipient, reason);
  if (hop == nullptr) return drop(reason, RefusalCode::Unknown);
  if (!from.relay_budget) from.relay_budget = make_budget(ctx_.config.relay_rate);
  if (!WATTLE_CHECKED(relay_budget, from.relay_budget->take(ctx_.now(), d.bytes.size())))
    return drop(Counter::DropRelayBudget, RefusalCode::Off);
  ++d.bytes[0];
  ctx_.count(Counter::Relayed);
  ctx_.count(Counter::RelayBytes, d.bytes.size());
  sessions_.send_raw(*hop, *hop->path, d.bytes);
}

void RelayFlow::refuse(Peer& from, RefusalCode code, const ShortId& recipient) {
  if (WATTLE_CHECKED(relay_refuse_pause, ctx_.now() < from.refuse_at) || !sessions_.can_send(from))
    return;
  from.refuse_at = ctx_.now() + kRefusalPause;
  ByteArray<kRefusal> body{};
  FixedWriter(body).u8(static_cast<std::uint8_t>(code)).bytes(recipient);
  sessions_.send(from, InnerType::Refusal, body);
  ctx_.count(Counter::RefusalsSent);
}

bool RelayFlow::refusal(Peer& from, ByteView body) {
  if (body.size() != kRefusal) return false;
  ctx_.count(Counter::RefusalsHeard);
  if (WATTLE_CHECKED(relay_heed_pause, ctx_.now() < from.heed_at)) return true;
  from.heed_at = ctx_.now() + kRefusalPause / 2;
  const ShortId recipient = to_array<8>(body.subspan(1));
  const ForwardingRow* const row = ctx_.table.find(recipient);
  if (row == nullptr || (row->next != from.slot && row->alternate != from.slot)) return true;
  const auto code = static_cast<RefusalCode>(body[0]);
  const bool turns = code != RefusalCode::Hops && is_known(code) &&
                     ctx_.table.refused(recipient, from, ctx_.now());
  if (Peer* const to = ctx_.peers.find(recipient); to != nullptr && is_known(code))
    to->way.history.add(ctx_.now(), from.address.text() +
                                        " does not relay to it: " + std::string(phrase(code)) +
                                        (turns ? "; its alternate comes first for 30 s" : ""));
  return true;
}

}  // namespace wattle::cryptod
