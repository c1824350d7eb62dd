// REQ_WAY and ANS_WAY: the way to a member, hop by hop, as the tables on it say.
#include "common/base/mutant.h"
#include "common/proto/line.h"
#include "metad/core/engine.h"

namespace wattle::metad {
namespace {

constexpr Duration kWayLimit = std::chrono::seconds(3);

using Keys = std::vector<std::pair<std::string, std::string>>;

std::size_t count_hops(const Keys& keys) {
  std::size_t out = 0;
  for (const auto& [key, value] : keys) out += key == "hop" ? 1u : 0u;
  return out;
}

// Only what means something: unknown words would travel for ever, and cost room.
Keys hops_of(const Request& request) {
  Keys out;
  for (const auto& item : request.keys)
    if (item.first == "hop") out.push_back(item);
  return out;
}

Request way_line(Verb verb, const Request& like, Keys keys) {
  Request out;
  out.verb = verb;
  out.values = like.values;
  out.keys = std::move(keys);
  return out;
}

bool fits(const Request& request) { return print_request(request).size() < kMaxLine; }

}  // namespace

// The meta link to the next hop of the table: what is traced is where packets go, not whom one
// could ask, too.
std::optional<LinkId> Engine::next_link(const NodeAddress& destination,
                                        const NodeAddress* but) const {
  const TableEntry entry = router_.entry(destination);
  if (entry.state != TableEntry::State::Reachable) return std::nullopt;
  if (but != nullptr && entry.next_hop == *but) return std::nullopt;
  return talk_to(entry.next_hop);
}

void Engine::on_req_way(LinkId id, Link& link, const Request& request, Now now) {
  if (!WATTLE_CHECKED(way_ask_rate, link.keys.take(now.mono))) return count("way_over_budget");
  Keys keys = hops_of(request);
  const auto answer = [&](std::string_view end) {
    if (!ways_.add(request.number(2), id, 0, 0, now.mono)) return count("way_seen");
    Request line = way_line(Verb::AnsWay, request, keys);
    if (!end.empty()) line.keys.emplace_back("end", std::string(end));
    while (!fits(line) && !line.keys.empty()) line.keys.erase(line.keys.begin());
    out_.push_back(SendLine{id, print_request(line)});
    count("way_answered");
  };
  if (is_own(request.text(1))) {
    keys.emplace_back("hop", print_hop(own_hop(nullptr)));
    return answer({});
  }
  const Host* host = nodes_.find(request.text(1));
  const NodeAddress destination = host != nullptr ? host->origin.record.address : NodeAddress{};
  const NodeAddress from = link.address();
  const auto next = host != nullptr ? next_link(destination, &from) : std::nullopt;
  if (!next) {
    keys.emplace_back("hop", print_hop(own_hop(nullptr)));
    const bool held = host != nullptr &&
                      router_.entry(destination).state == TableEntry::State::Reachable &&
                      router_.entry(destination).next_hop != from;
    return answer(host == nullptr ? "unknown" : held ? "held" : "no_way");
  }
  if (WATTLE_CHECKED(way_hops, count_hops(keys) + 1 >= WayTrace::kMaxHops)) return answer("hops");
  Keys longer = keys;
  longer.emplace_back("hop", print_hop(own_hop(&destination)));
  const Request line = way_line(Verb::ReqWay, request, std::move(longer));
  // Room for the answer's end= is kept.
  if (print_request(line).size() + 32 > kMaxLine) return answer("full");
  if (!ways_.add(request.number(2), id, 0, *next, now.mono)) return count("way_seen");
  out_.push_back(SendLine{*next, print_request(line)});
  count("way_forwarded");
}

void Engine::on_ans_way(LinkId id, Link& link, const Request& request, Now now) {
  if (!WATTLE_CHECKED(way_answer_rate, link.keys.take(now.mono))) return count("way_over_budget");
  const auto passed = ways_.take(request.number(2), id, now.mono);
  if (!passed) return count("way_unasked");
  Keys keys = hops_of(request);
  if (const auto end = request.find("end")) keys.emplace_back("end", std::string(*end));
  Request line = way_line(Verb::AnsWay, request, std::move(keys));
  if (passed->control == 0) {
    if (links_.contains(passed->from)) out_.push_back(SendLine{passed->from, print_request(line)});
    return;
  }
  const auto at = controls_.find(passed->control);
  if (at == controls_.end() || !at->second.query || at->second.query->kind != Query::Kind::Way ||
      at->second.query->way != request.number(2))
    return;
  line.values[0] = at->second.query->asked_by;
  line.values[2] = at->second.query->asked_id;
  at->second.query.reset();
  say(passed->control, print_request(line));
  say(passed->control, "END");
}

void Engine::control_way(ControlId id, Control& control, const Request& request, Now now) {
  if (is_own(request.text(1))) return refuse(id, 404, "that is this node");
  const Host* host = nodes_.find(request.text(1));
  if (host == nullptr) return refuse(id, 404, "no such member " + request.text(1));
  const NodeAddress destination = host->origin.record.address;
  const auto next = next_link(destination, nullptr);
  if (!next) return refuse(id, 404, "no way to " + request.text(1) + " over the meta links");
  Query query;
  query.kind = Query::Kind::Way;
  query.way = random_->u64();
  query.address = destination;
  query.deadline = now.mono + kWayLimit;
  query.asked_by = request.text(0);
  query.asked_id = request.number(2);
  if (!ways_.add(query.way, 0, id, *next, now.mono))
    return refuse(id, 429, "too many ways are being traced");
  Request line;
  line.verb = Verb::ReqWay;
  line.values = {Value(setup_.name), Value(nodes_.label(destination)), Value(query.way)};
  line.keys.emplace_back("hop", print_hop(own_hop(&destination)));
  out_.push_back(SendLine{*next, print_request(line)});
  control.query = std::move(query);
}

// What this node says of itself; with its metric and the round trip to its next hop on the way.
WayHop Engine::own_hop(const NodeAddress* destination) const {
  WayHop out;
  out.name = setup_.name;
  if (destination == nullptr) return out;
  const TableEntry entry = router_.entry(*destination);
  if (entry.state != TableEntry::State::Reachable) return out;
  out.metric = entry.chosen.metric;
  if (const auto at = health_.find(entry.next_hop); at != health_.end())
    out.rtt_us = at->second.state.rtt_us;
  return out;
}

}  // namespace wattle::metad
