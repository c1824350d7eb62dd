// Hosts and subnets: ADD_HOST, DEL_HOST, ADD_SUBNET, DEL_SUBNET.
#include <algorithm>

#include "metad/core/engine.h"

namespace wattle::metad {
namespace {

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
  const auto origin = parse_origin(request, setup_.network);
  if (!origin) {
    if (origin.error().code == Errc::NotFound) return count("host_unsigned");
    count("line_malformed");
    if (link.strike()) close(id, "three bad lines", now, 400);
    return;
  }
  const OriginRecord& record = origin->record;
  if (record.address == setup_.address) {
    if (own_.current() && own_.current()->record == record) return;
    count("about_ourselves");
    // A newer one that verifies: another process has our key, or keyd lost its counter.
    if (link.signatures.take(now.mono) && verify_origin(record, origin->signature) &&
        own_.current() && record.seqno > own_.current()->record.seqno)
      own_.want_again();
    return tell_truth(id, link, now);
  }
  if (!link.signatures.take(now.mono)) return count("host_over_budget");
  const Host* known = nodes_.find(record.address);
  const bool noted = known != nullptr && known->told_by.contains(id);
  const bool heard = known != nullptr && !known->told_by.empty();
  const NodeDb::Told told = nodes_.tell(*origin, id, now.mono);
  count(counter_of(told));
  if (told > NodeDb::Told::Same) return;
  routes_->heard(record.address, link.address());
  // The name of a newer certificate is proven by the link that shows it.
  if (record.address == link.address() && record.serial <= link.up().serial)
    nodes_.prove_name(record.address, link.up().name);
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
  dial_.know(record.address, record.endpoints, false, now.mono);
  if (told != NodeDb::Told::Same || !noted) pass_on(record.address, link.address(), request);
}

void Engine::on_del_host(LinkId id, Link& link, const Request& request, Now now) {
  const Host* host = nodes_.find(request.find("address").value_or(request.text(0)));
  if (host == nullptr) {
    if (!is_own(request.find("address").value_or(request.text(0)))) return count("host_unknown");
    count("about_ourselves");
    return tell_truth(id, link, now);
  }
  const NodeAddress address = host->origin.record.address;
  if (!nodes_.retract(address, id, now.mono)) return count("host_not_told");
  routes_->retracted(address, link.address());
  pass_on(address, link.address(), request);
  if (nodes_.find(address)->told_by.empty()) unheard(address);
}

void Engine::on_subnet(LinkId id, Link& link, const Request& request, Now now) {
  const bool add = request.verb == Verb::AddSubnet;
  const Subnet& subnet = std::get<Subnet>(request.values[1]);
  if (is_own(request.text(0))) {
    count("about_ourselves");
    return tell_truth(id, link, now);
  }
  const Host* host = nodes_.find(request.text(0));
  if (host == nullptr || !host->told_by.contains(id)) return count("subnet_of_unknown");
  const NodeAddress owner = host->origin.record.address;
  if (!add) {
    if (subnet.kind != Subnet::Kind::Mac) owners_.retract(owner, subnet);
  } else {
    if (subnet.kind == Subnet::Kind::Mac && subnet.mac != host->mac) return count("subnet_refused");
    const Owners::Hinted hinted = owners_.hint(owner, subnet);
    if (hinted == Owners::Hinted::Refused) return count("subnet_refused");
    if (hinted == Owners::Hinted::Full) return count("subnet_full");
  }
  pass_on(owner, link.address(), request);
}

// To every other neighbour that the routes name, in the words of the one who said it.
void Engine::pass_on(const NodeAddress& subject, const NodeAddress& from, const Request& request) {
  for (const auto& [id, link] : links_)
    if (link.is_talking() && link.address() != from &&
        routes_->passes_on(subject, from, link.address()))
      out_.push_back(SendLine{id, print_request(request)});
}

// The exchange: ourselves, then every neighbour's host with its subnets.
void Engine::tell_everything(LinkId id, const Link& link) {
  tell_ourselves(id);
  std::set<NodeAddress> told;
  for (const auto& [other_id, other] : links_) {
    if (other_id == id || !other.is_talking() || other.address() == link.address()) continue;
    if (!routes_->passes_on(other.address(), other.address(), link.address())) continue;
    if (told.insert(other.address()).second) tell_host(id, other.address());
  }
}

void Engine::tell_host(LinkId id, const NodeAddress& address) {
  const Host* host = nodes_.find(address);
  if (host == nullptr) return;
  out_.push_back(SendLine{id, print_request(print_origin(host->origin))});
  for (const Subnet& subnet : owners_.subnets(address))
    send(id, Verb::AddSubnet, {Value(nodes_.label(address)), Value(subnet)});
}

void Engine::tell_ourselves(LinkId id) {
  if (!own_.current()) return;  // follows as soon as keyd has signed it
  out_.push_back(SendLine{id, print_request(print_origin(*own_.current()))});
  if (credential_)
    for (const Subnet& subnet : granted_subnets(*credential_))
      send(id, Verb::AddSubnet, {Value(setup_.name), Value(subnet)});
  if (own_epoch_ != 0)
    send(id, Verb::KeyChanged, {Value(setup_.name)}, {{"epoch", std::to_string(own_epoch_)}});
}

// Somebody stated something wrong about us: a correction, at most one in ten seconds.
void Engine::tell_truth(LinkId id, Link& link, Now now) {
  if (own_.current() && link.truths.take(now.mono))
    out_.push_back(SendLine{id, print_request(print_origin(*own_.current()))});
}

// Nobody tells of it any more. It is still dialled for an hour, and its session lives.
void Engine::unheard(const NodeAddress& address) {
  feed_.unmark(LaneFeed::Kind::Endpoints, address);
  if (cryptod_) feed_.mark(LaneFeed::Kind::Gone, address);
}

}  // namespace wattle::metad
