// Between the routing engine and the world: its actions as lines and as lines of cryptod's table,
// cryptod's word on tickets and data paths, the start after a restart.
#include <algorithm>

#include "common/base/mutant.h"
#include "metad/core/engine.h"
#include "metad/core/link_cost.h"
#include "metad/core/stream_cutter.h"

namespace wattle::metad {
namespace {

// A data path that no cryptod has confirmed for so long is down; as long as a link is held.
constexpr Duration kHealthLimit = Router::kHold;
constexpr std::size_t kMaxHealth = 2 * kMaxLinks;

TableEntry parse_entry(const meta_link::RouteEntry& m) {
  TableEntry out;
  out.state = static_cast<TableEntry::State>(m.state);
  out.feasibility = {m.fd_seqno, m.fd_metric};
  out.chosen = {m.seqno, m.metric};
  out.next_hop.bytes = m.next_hop;
  if (m.has_alternate) {
    out.alternate.emplace();
    out.alternate->bytes = m.alternate;
  }
  return out;
}

}  // namespace

Actions Engine::take() {
  // What a line of an action leads to may be an action again.
  for (auto actions = router_.take(); !actions.empty(); actions = router_.take())
    for (const RouterAction& action : actions) perform(action);
  if (acting_) return std::exchange(out_, {});  // they pass here once more
  for (const Action& action : out_)
    if (const auto* line = std::get_if<SendLine>(&action)) count_line(true, line->line);
  if (trace_.any()) trace_out();
  return std::exchange(out_, {});
}

void Engine::perform(const RouterAction& action) {
  std::visit(
      ipc::Overload{
          [&](const Announce& a) { announce(a); },
          [&](const Retract& a) { retract(a); },
          [&](const AskSeqno& a) {
            if (!links_.contains(a.link)) return;
            count("seqno_asked");
            send(a.link, Verb::ReqSeqno,
                 {Value(nodes_.label(a.destination)), Value(a.seqno), Value(std::uint64_t{a.hops})},
                 {{"address", a.destination.text()}});
          },
          [&](const AskBarrier& a) {
            if (links_.contains(a.link))
              send(a.link, Verb::Ping, {}, {{"barrier", std::to_string(a.number)}});
          },
          [&](const AnswerBarrier& a) {
            if (links_.contains(a.link))
              send(a.link, Verb::Pong, {}, {{"barrier", std::to_string(a.number)}});
          },
          [&](const SendEnd& a) {
            const auto at = links_.find(a.link);
            if (at == links_.end()) return;
            at->second.told_end = true;
            send(a.link, Verb::End);
          },
          [&](const RaiseSeqno& a) { own_.raise(a.seqno); },
          [&](const TableChanged& a) { table_changed(a.destination); },
          [&](const NeighboursChanged& a) { neighbours_changed(a.neighbour); },
      },
      action);
}

// With the newest record that is held; `route` names the way's seqno if it is an older one.
void Engine::announce(const Announce& action) {
  const auto at = links_.find(action.link);
  if (at == links_.end()) return;
  Link& link = at->second;
  const NodeAddress& subject = action.destination;
  if (subject == link.address()) return;  // nobody needs a way to itself
  if (subject == setup_.address) return tell_ourselves(action.link, link);
  const Host* host = nodes_.find(subject);
  const std::string metric = std::to_string(action.distance.metric);
  if (action.with_record && host != nullptr && host->origin.record.seqno >= action.distance.seqno) {
    Request line = print_origin(host->origin);
    if (host->origin.record.seqno != action.distance.seqno)
      line.keys.emplace_back("route", std::to_string(action.distance.seqno));
    line.keys.emplace_back("metric", metric);
    out_.push_back(SendLine{action.link, print_request(line)});
  } else {
    send(action.link, Verb::AddHost,
         {Value(nodes_.label(subject)), Value(HostPort{}), Value(std::uint64_t{0})},
         {{"address", subject.text()},
          {"seqno", std::to_string(action.distance.seqno)},
          {"metric", metric}});
  }
  if (link.subnets_told.contains(subject)) return;
  if (link.subnets_told.size() >= NodeDb::kMaxHosts) link.subnets_told.clear();
  link.subnets_told.insert(subject);
  for (const Subnet& subnet : owners_.subnets(subject))
    send(action.link, Verb::AddSubnet, {Value(nodes_.label(subject)), Value(subnet)});
}

void Engine::retract(const Retract& action) {
  const auto at = links_.find(action.link);
  if (at == links_.end() || action.destination == at->second.address()) return;
  send(action.link, Verb::DelHost,
       {Value(nodes_.label(action.destination)), Value(HostPort{}), Value(std::uint64_t{0})},
       {{"address", action.destination.text()}});
}

void Engine::tell_ourselves(LinkId id, Link& link) {
  if (!own_.current()) return;  // follows as soon as keyd has signed it
  out_.push_back(SendLine{id, print_request(print_origin(*own_.current()))});
  if (!link.subnets_told.insert(setup_.address).second) return;
  if (credential_)
    for (const Subnet& subnet : granted_subnets(*credential_))
      send(id, Verb::AddSubnet, {Value(setup_.name), Value(subnet)});
  if (own_epoch_ != 0)
    send(id, Verb::KeyChanged, {Value(setup_.name)}, {{"epoch", std::to_string(own_epoch_)}});
}

void Engine::table_changed(const NodeAddress& destination) {
  if (cryptod_ && table_) feed_.mark(LaneFeed::Kind::Route, destination);
  const TableEntry entry = router_.entry(destination);
  if (entry.state == TableEntry::State::Reachable)
    note(Note::Level::Debug,
         "the way is through " + nodes_.label(entry.next_hop) + ", metric " +
             std::to_string(entry.chosen.metric),
         &destination);
  else
    note(Note::Level::Debug, "there is no way now", &destination);
  if (!is_heard_of(destination)) return unheard(destination);
  feed_.unmark(LaneFeed::Kind::Gone, destination);
}

void Engine::neighbours_changed(const NodeAddress& neighbour) {
  if (!router_.neighbours().contains(neighbour)) health_.erase(neighbour);
  if (cryptod_) feed_.mark(LaneFeed::Kind::Neighbour, neighbour);
}

void Engine::on_req_seqno(LinkId id, const Request& request, Now now) {
  NodeAddress destination = setup_.address;
  const std::string_view who = request.find("address").value_or(request.text(0));
  if (!is_own(who)) {
    const Host* host = nodes_.find(who);
    if (host == nullptr) return count("host_unknown");
    destination = host->origin.record.address;
  }
  const auto hops =
      static_cast<unsigned>(std::min<std::uint64_t>(request.number(2), Router::kSeqnoHops));
  router_.seqno_request(id, destination, request.number(1), hops, now.mono);
}

void Engine::on_pong(LinkId id, const Request& request, Now now) {
  if (const auto barrier = request.find_number("barrier"))
    router_.barrier_answer(id, *barrier, now.mono);
}

// ---- cryptod ------------------------------------------------------------------------------------

// The table that cryptod has kept goes with its number. If we have outlived a cryptod, ours does.
void Engine::on_ready(const meta_link::Ready& message, Now now) {
  new_cryptod_ = cryptod_incarnation_ != 0 && cryptod_incarnation_ != message.incarnation;
  cryptod_incarnation_ = message.incarnation;
  if (incarnation_ == 0) incarnation_ = message.incarnation;
  unconfirm_health(now);
}

void Engine::unconfirm_health(Now now) {
  for (auto& [address, health] : health_) health.confirmed = false;
  health_due_ = now.mono + kHealthLimit;
}

void Engine::on_held_route(const meta_link::HeldRoute& message, Now now) {
  if (started_) return count("held_route_late");  // what we know is newer
  NodeAddress destination;
  destination.bytes = message.destination;
  if (destination != setup_.address)
    router_.restore(destination, parse_entry(message.entry), now.mono);
}

// cryptod has handed over what it kept (or, `kept` false, it does not in time): links may come, and
// it is told the rest of the snapshot.
void Engine::begin_table(bool kept, Now now) {
  table_due_ = kNever;
  if (!started_) {
    started_ = true;
    while (incarnation_ == 0) incarnation_ = std::uint64_t{random_->u32()} << 32 | random_->u32();
  }
  if (!cryptod_) return;
  table_ = kept;
  router_.cryptod(kept, now.mono);
  if (kept) {
    for (const NodeAddress& destination : router_.destinations())
      feed_.mark(LaneFeed::Kind::Route, destination);
    if (incarnation_ != cryptod_incarnation_) feed_.mark(LaneFeed::Kind::KeepIncarnation);
    cryptod_incarnation_ = incarnation_;
  }
  feed_.mark(LaneFeed::Kind::SnapshotEnd);
}

// A cryptod that has taken the place of another one begins with every path down. That is no news:
// the other side has noticed nothing, and the sessions are back within a second.
void Engine::on_link_state(const meta_link::LinkState& message, Now now) {
  NodeAddress neighbour;
  neighbour.bytes = message.address;
  if (!router_.neighbours().contains(neighbour)) return count("link_state_of_nobody");
  const auto known = health_.find(neighbour);
  if (known == health_.end() && health_.size() >= kMaxHealth) return count("link_state_full");
  const bool down = message.way == meta_link::LinkWay::Down;
  if (down && new_cryptod_ && known != health_.end() && !known->second.confirmed) return;
  health_[neighbour] = {message, true};
  set_cost(neighbour, now);
}

void Engine::set_cost(const NodeAddress& neighbour, Now now) {
  const auto at = health_.find(neighbour);
  if (at != health_.end()) router_.cost(neighbour, link_cost(at->second.state), now.mono);
}

bool Engine::is_alive(const NodeAddress& neighbour) const {
  const auto at = health_.find(neighbour);
  return at != health_.end() && at->second.state.way != meta_link::LinkWay::Down;
}

void Engine::start_deadlines(Now now) {
  if (now.mono >= table_due_) begin_table(false, now);
  if (now.mono < health_due_) return;
  health_due_ = kNever;
  for (auto& [address, health] : health_) {
    if (health.confirmed) continue;
    health.state.way = meta_link::LinkWay::Down;
    set_cost(address, now);
  }
}

// ---- the last resort: datagrams inside the link -------------------------------------------------

Actions Engine::on_packet(LinkId id, Bytes packet, Now now) {
  const auto at = links_.find(id);
  if (at == links_.end()) return take();
  Link& link = at->second;
  link.heard(now.mono);
  if (WATTLE_CHECKED(carried_stage, link.stage() != Stage::Active) || packet.empty() ||
      packet.size() > kMaxCarried) {
    count("packet_illegal");
    close(id, "PACKET before END", now, 400);
  } else if (!WATTLE_CHECKED(carried_in_rate, link.carried_in.take(now.mono, packet.size()))) {
    count("packet_over_budget");
  } else if (!cryptod_ ||
             !feed_.event(meta_link::Carried{link.address().bytes, std::move(packet)})) {
    count("packet_dropped");
  } else {
    count("packet_in");
  }
  return take();
}

void Engine::on_carry(const meta_link::Carry& message, Now now) {
  NodeAddress neighbour;
  neighbour.bytes = message.neighbour;
  const auto id = talk_to(neighbour);
  if (!id || message.datagram.empty() || message.datagram.size() > kMaxCarried)
    return count("packet_nowhere");
  Link& link = links_.at(*id);
  if (link.stage() != Stage::Active || !link.told_end) return count("packet_nowhere");
  if (link.congested) return count("packet_congested");
  if (!WATTLE_CHECKED(carried_out_rate, link.carried_out.take(now.mono, message.datagram.size())))
    return count("packet_over_budget");
  count("packet_out");
  out_.push_back(SendPacket{*id, message.datagram});
}

Actions Engine::on_link_congested(LinkId id, bool congested) {
  const auto at = links_.find(id);
  if (at != links_.end()) {
    at->second.congested = congested;
    if (at->second.is_talking()) router_.link_congested(id, congested);
  }
  return take();
}

}  // namespace wattle::metad
