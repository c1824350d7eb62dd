#include "metad/core/route_words.h"

namespace wattle::metad {
namespace {

std::string print_metric(Metric metric) {
  return metric == kUnreachable ? "infinite" : std::to_string(metric);
}

std::string print_distance(const Distance& distance) {
  return "(seqno " + std::to_string(distance.seqno) + ", metric " + print_metric(distance.metric) +
         ")";
}

// "through hub", or "over its own link".
std::string through(const NodeAddress& hop, const NodeAddress& destination, const Label& label) {
  return hop == destination ? "over its own link" : "through " + label(hop);
}

Metric whole(const Candidate& candidate) {
  if (candidate.cost == kUnreachable || candidate.told.metric == kUnreachable) return kUnreachable;
  const auto sum = std::uint64_t{candidate.cost} + candidate.told.metric;
  return sum >= kUnreachable ? kUnreachable : static_cast<Metric>(sum);
}

bool is_alternate(const Candidate& candidate, const TableEntry& entry) {
  return !candidate.selected && entry.alternate && *entry.alternate == candidate.neighbour;
}

}  // namespace

std::string_view way_name(meta_link::PeerWay way) {
  switch (way) {
    case meta_link::PeerWay::Direct:
      return "direct";
    case meta_link::PeerWay::Routed:
      return "relayed";
    case meta_link::PeerWay::Carried:
      return "carried";
    case meta_link::PeerWay::None:
      break;
  }
  return {};
}

bool has_way(const meta_link::PeerState& state) {
  if (state.way == meta_link::PeerWay::Routed) return state.first_hop != meta_link::Address{};
  return state.way != meta_link::PeerWay::None;
}

std::string_view state_word(TableEntry::State state) {
  switch (state) {
    case TableEntry::State::Reachable:
      return "reachable";
    case TableEntry::State::Unreachable:
      return "unreachable";
    case TableEntry::State::Forgotten:
      break;
  }
  return "unknown";
}

std::string reason_word(const Candidate& candidate, const TableEntry& entry) {
  const std::string held = candidate.held ? "held_" : "";
  if (candidate.selected) return held + "in_use";
  if (candidate.told.metric == kUnreachable) return held + "retracted";
  if (candidate.cost == kUnreachable) return held + "link_down";
  if (!candidate.feasible) return held + "unfeasible";
  return held + (is_alternate(candidate, entry) ? "alternate" : "worse");
}

std::string describe_route(const TableEntry& entry, const NodeAddress& destination,
                           const Label& label) {
  switch (entry.state) {
    case TableEntry::State::Reachable: {
      std::string out = "the routing table says: " + through(entry.next_hop, destination, label) +
                        ", metric " + print_metric(entry.chosen.metric);
      if (entry.alternate)
        out += "; if that fails " + through(*entry.alternate, destination, label);
      return out;
    }
    case TableEntry::State::Unreachable:
      return "the routing table says: no way now";
    case TableEntry::State::Forgotten:
      break;
  }
  return "the routing table does not have it";
}

std::string describe_candidate(const Candidate& candidate, const TableEntry& entry,
                               const NodeAddress& destination, const Label& label) {
  std::string out = through(candidate.neighbour, destination, label) + ": told " +
                    print_distance(candidate.told) + ", the link costs " +
                    print_metric(candidate.cost);
  const std::string hop = label(candidate.neighbour);
  if (candidate.told.metric == kUnreachable) {
    out += ": not used: " + hop + " has taken it back";
  } else if (candidate.cost == kUnreachable) {
    out += ": not used: the data path to " + hop + " is down";
  } else if (!candidate.feasible) {
    out += ": not feasible: what was told is not better than our " +
           print_distance(entry.feasibility) + ", so it could lead back here";
  } else if (candidate.selected) {
    out += ", together " + print_metric(whole(candidate)) + ": in use";
  } else {
    out += ", together " + print_metric(whole(candidate)) + ": feasible, not used: ";
    out += entry.state != TableEntry::State::Reachable ? "not chosen yet"
           : whole(candidate) < entry.chosen.metric
               ? "better, but not for long enough, or not clearly"
               : "not better than " + print_metric(entry.chosen.metric);
    if (is_alternate(candidate, entry)) out += "; kept as the alternate";
  }
  if (candidate.link == 0) out += " (kept by cryptod from before this metad started)";
  if (candidate.held) out += " (its link is closed; held for 10 s at most)";
  return out;
}

std::string describe_event(const RouteEvent& event, const NodeAddress& destination,
                           const Label& label) {
  static const NodeAddress kNobody{};
  const std::string before = event.from == kNobody ? "" : through(event.from, destination, label);
  const std::string after =
      (event.to == kNobody ? std::string("nowhere") : through(event.to, destination, label)) +
      (event.metric == kUnreachable ? "" : ", metric " + print_metric(event.metric));
  switch (event.what) {
    case RouteEvent::What::First:
      return "the first way: " + after;
    case RouteEvent::What::Better:
      return "a clearly better way: " + after + (before.empty() ? "" : "; before it was " + before);
    case RouteEvent::What::LostNextHop:
      return "the way " + (before.empty() ? "in use" : before) + " ended; now " + after;
    case RouteEvent::What::Unreachable:
      return "the way " + (before.empty() ? "in use" : before) +
             " ended, and no feasible one was left";
    case RouteEvent::What::Restored:
      return "reachable again: " + after;
    case RouteEvent::What::AskedSeqno:
      return "only ways that are not feasible: a newer seqno was asked for";
    case RouteEvent::What::HeldEnded:
      return "the held link" + (before.empty() ? "" : " of the way " + before) +
             " did not come back in time";
  }
  return {};
}

}  // namespace wattle::metad
