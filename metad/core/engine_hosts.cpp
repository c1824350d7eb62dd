// Hosts and subnets: ADD_HOST, DEL_HOST, ADD_SUBNET, DEL_SUBNET.
#include <algorithm>

#include "common/base/mutant.h"
#include "metad/core/engine.h"

namespace wattle::metad {
namespace {

constexpr std::size_t kMaxAsked = 3;  // neighbours, for one record

std::string_view counter_of(NodeDb::Told told) {
  switch (told) {
    case NodeDb::Told::New:
      return "host_new";
    case NodeDb::Told::Newer:
      return "host_newer";
    case NodeDb::Told::Same:
      return "host_same";
    case NodeDb::Told::Older:
      return "host_old";
    case NodeDb::Told::BadSignature:
      return "host_bad_signature";
    case NodeDb::Told::IdClash:
      return "host_id_clash";
    case NodeDb::Told::Full:
      return "host_full";
  }
  return "host_full";
}

}  // namespace

void Engine::on_add_host(LinkId id, Link& link, const Request& request, Now now) {
  const auto malformed = [&] {
    count("line_malformed");
    if (link.strike()) close(id, "three bad lines", now, 400);
  };
  const auto way = parse_way(request);
  if (!way && way.error().code == Errc::NotFound) return count("host_unsigned");
  if (!way) return malformed();
  const NodeAddress& subject = way->destination;
  // Only the member itself is at no distance.
  if (subject != setup_.address && way->metric &&
      WATTLE_CHECKED(host_metric, (subject == link.address()) != (*way->metric == 0)) &&
      *way->metric != kUnreachable)
    return count("host_metric_wrong");
  if (request.find("sig")) {
    const auto origin = parse_origin(request, setup_.network);
    if (!origin) return malformed();
    if (subject == setup_.address) return on_own_host(id, link, *origin, now);
    const bool is_way = way->metric && *way->metric != kUnreachable;
    if (!take_record(id, link, *origin, is_way, now)) return;
  } else if (subject == setup_.address) {
    return count("host_own_way");  // a way to us through others is none
  }
  if (way->metric) told_way(id, link, subject, {way->seqno, *way->metric}, now);
}

void Engine::on_own_host(LinkId id, Link& link, const SignedOrigin& origin, Now now) {
  const OriginRecord& record = origin.record;
  if (own_.current() && own_.current()->record == record) return;
  count("about_ourselves");
  // A newer one that verifies: another process has our key, or keyd lost its counter.
  if (link.signatures.take(now.mono) && verify_origin(record, origin.signature) && own_.current() &&
      record.seqno > own_.current()->record.seqno)
    own_.want_again();
  tell_truth(id, link, now);
}

// True if the record is held now, or was, or a newer one is.
bool Engine::take_record(LinkId id, Link& link, const SignedOrigin& origin, bool with_way,
                         Now now) {
  const OriginRecord& record = origin.record;
  if (nodes_.must_verify(origin) &&
      !WATTLE_CHECKED(host_verify_rate, link.signatures.take(now.mono))) {
    count("host_over_budget");
    return false;
  }
  const Host* known = nodes_.find(record.address);
  const bool heard = known != nullptr && is_heard_of(record.address);
  const NodeDb::Told told = nodes_.tell(origin, with_way ? id : 0, now.mono);
  count(counter_of(told));
  if (told == NodeDb::Told::Older) return true;
  if (told > NodeDb::Told::Same) return false;
  // The name of a newer certificate is proven by the link that shows it.
  if (record.address == link.address() && record.serial <= link.up().serial)
    nodes_.prove_name(record.address, link.up().name);
  if (told != NodeDb::Told::Same) judge_name(record.address);
  if (told != NodeDb::Told::Same) neighbour_renewed(record.address, now);
  if (told != NodeDb::Told::Same || !heard) {
    owners_.hint(record.address, Subnet::of(nodes_.find(record.address)->mac));
    feed_.unmark(LaneFeed::Kind::Gone, record.address);
    if (cryptod_) {
      feed_.mark(LaneFeed::Kind::Endpoints, record.address);
      if (broker_.find(record.address) != nullptr)
        feed_.mark(LaneFeed::Kind::Member, record.address);
    }
    peers_changed(now);
  }
  // INDIRECT, theirs or ours: who links with whom is not for hearsay to decide.
  if (((record.options | setup_.options) & kOptionIndirect) == 0)
    dial_.know(record.address, record.endpoints, false, now.mono);
  if (told != NodeDb::Told::Same) record_arrived(record.address, now);
  return true;
}

// Who waited for a newer record of this member: ways that it proves, neighbours that asked.
void Engine::record_arrived(const NodeAddress& address, Now now) {
  const SignedOrigin origin = nodes_.find(address)->origin;
  for (const LinkId asker : host_wants_.arrived(address, origin.record.seqno, now.mono))
    tell_record(asker, origin);
  for (auto& [id, link] : links_) {
    const auto held = link.unproven.find(address);
    if (held == link.unproven.end() || held->second.seqno > origin.record.seqno) continue;
    const Distance distance = held->second;
    told_way(id, link, address, distance, now);
  }
}

// A way counts once a verified record has its seqno: nobody else can make one.
void Engine::told_way(LinkId id, Link& link, const NodeAddress& destination,
                      const Distance& distance, Now now) {
  link.unproven.erase(destination);
  if (distance.metric == kUnreachable) {
    nodes_.retract(destination, id, now.mono);
    router_.retraction(id, destination, now.mono);
    if (!is_heard_of(destination)) unheard(destination);
    return;
  }
  const Host* host = nodes_.find(destination);
  if (host == nullptr ||
      WATTLE_CHECKED(route_seqno_proven, host->origin.record.seqno < distance.seqno)) {
    count("route_seqno_unproven");
    if (WATTLE_CHECKED(route_unproven_most, link.unproven.size() < Link::kMaxUnproven))
      link.unproven[destination] = distance;
    return want_host(destination, distance.seqno, id, now);
  }
  const bool heard = is_heard_of(destination);
  if (!nodes_.tell_again(destination, id, now.mono)) return count("host_full");
  if (!heard && cryptod_) {
    feed_.unmark(LaneFeed::Kind::Gone, destination);
    feed_.mark(LaneFeed::Kind::Endpoints, destination);
  }
  const bool news = nodes_.take_news(destination, distance.seqno);
  switch (router_.update(id, destination, distance, now.mono, news)) {
    case Router::Verdict::Stored:
      return count("route_stored");
    case Router::Verdict::Unfeasible:
      return count("route_unfeasible");
    case Router::Verdict::Ignored:
      return count("route_ignored");
    case Router::Verdict::Full:
      return count("route_full");
  }
}

void Engine::on_del_host(LinkId id, Link& link, const Request& request, Now now) {
  const std::string_view who = request.find("address").value_or(request.text(0));
  const Host* host = nodes_.find(who);
  if (host == nullptr) {
    if (!is_own(who)) return count("host_unknown");
    count("about_ourselves");
    return tell_truth(id, link, now);
  }
  const NodeAddress address = host->origin.record.address;
  if (!WATTLE_CHECKED(host_told_by, host->told_by.contains(id))) return count("host_not_told");
  told_way(id, link, address, {}, now);
}

// Hints travel along the ways: they are taken from the owner, or from the neighbour through which
// we reach it, so that they cannot circle.
void Engine::on_subnet(LinkId id, Link& link, const Request& request, Now now) {
  const bool add = request.verb == Verb::AddSubnet;
  const Subnet& subnet = std::get<Subnet>(request.values[1]);
  if (is_own(request.text(0))) {
    count("about_ourselves");
    return tell_truth(id, link, now);
  }
  const Host* host = nodes_.find(request.text(0));
  if (host == nullptr || !WATTLE_CHECKED(subnet_told_by, host->told_by.contains(id)))
    return count("subnet_of_unknown");
  const NodeAddress owner = host->origin.record.address;
  const TableEntry entry = router_.entry(owner);
  if (owner != link.address() && entry.state == TableEntry::State::Reachable &&
      WATTLE_CHECKED(subnet_next_hop, entry.next_hop != link.address()))
    return count("subnet_aside");
  if (!add) {
    if (subnet.kind == Subnet::Kind::Mac || !owners_.retract(owner, subnet)) return;
  } else {
    if (WATTLE_CHECKED(subnet_mac, subnet.kind == Subnet::Kind::Mac && subnet.mac != host->mac))
      return count("subnet_refused");
    const Owners::Hinted hinted = owners_.hint(owner, subnet);
    if (hinted == Owners::Hinted::Refused) return count("subnet_refused");
    if (hinted == Owners::Hinted::Full) return count("subnet_full");
    if (hinted == Owners::Hinted::Known) return;
  }
  for (auto& [other_id, other] : links_)
    if (other.address() != link.address() && other.address() != owner &&
        other.subnets_told.contains(owner))
      send(other_id, request.verb, {Value(nodes_.label(owner)), Value(subnet)});
}

// ---- records asked for --------------------------------------------------------------------------

void Engine::on_req_host(LinkId id, Link& link, const Request& request, Now now) {
  if (!WATTLE_CHECKED(host_ask_rate, link.keys.take(now.mono)))
    return count("host_asked_over_budget");
  const std::uint64_t seqno = request.find_number("seqno").value_or(0);
  if (is_own(request.text(0))) {
    if (own_.current()) out_.push_back(SendLine{id, print_request(print_origin(*own_.current()))});
    return;
  }
  const Host* host = nodes_.find(request.text(0));
  if (host == nullptr) return status(id, 404, "no such member " + request.text(0));
  const OriginRecord& record = host->origin.record;
  if (record.seqno >= seqno && (seqno != 0 || !record.endpoints.empty()))
    return tell_record(id, host->origin);
  const NodeAddress address = record.address;
  if (!host_wants_.add(address, seqno, id, now.mono)) return;
  for (const NodeAddress& way : router_.ways(address, &link.address())) {
    const auto next = talk_to(way);
    if (!next) continue;
    count("host_asked");
    return send(*next, Verb::ReqHost, {Value(address.text())}, {{"seqno", std::to_string(seqno)}});
  }
}

// From the neighbour of link `ask`, or (0) from whoever may know.
void Engine::want_host(const NodeAddress& address, std::uint64_t min_seqno, LinkId ask, Now now) {
  if (!host_wants_.add(address, min_seqno, 0, now.mono)) return;
  std::vector<LinkId> asked;
  if (ask != 0) {
    asked.push_back(ask);
  } else {
    for (const NodeAddress& way : router_.ways(address))
      if (const auto link = talk_to(way)) asked.push_back(*link);
    if (asked.empty())
      for (const auto& [id, link] : links_)
        if (link.stage() == Stage::Active) asked.push_back(id);
    if (asked.size() > kMaxAsked) asked.resize(kMaxAsked);
  }
  for (const LinkId id : asked) {
    count("host_asked");
    send(id, Verb::ReqHost, {Value(address.text())}, {{"seqno", std::to_string(min_seqno)}});
  }
}

// The record alone: it says nothing of a way.
void Engine::tell_record(LinkId id, const SignedOrigin& origin) {
  if (!links_.contains(id)) return;
  Request line = print_origin(origin);
  line.keys.emplace_back("metric", "-");
  out_.push_back(SendLine{id, print_request(line)});
}

// Somebody stated something wrong about us: a correction, at most one in ten seconds.
void Engine::tell_truth(LinkId id, Link& link, Now now) {
  if (own_.current() && WATTLE_CHECKED(truth_rate, link.truths.take(now.mono)))
    out_.push_back(SendLine{id, print_request(print_origin(*own_.current()))});
}

bool Engine::is_heard_of(const NodeAddress& address) const {
  const Host* host = nodes_.find(address);
  return (host != nullptr && !host->told_by.empty()) ||
         router_.entry(address).state == TableEntry::State::Reachable;
}

// There is no way to it, and nobody tells of one. It is still dialled for an hour, and its session
// lives.
void Engine::unheard(const NodeAddress& address) {
  feed_.unmark(LaneFeed::Kind::Endpoints, address);
  if (cryptod_) feed_.mark(LaneFeed::Kind::Gone, address);
}

}  // namespace wattle::metad
