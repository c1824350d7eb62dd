// Links: handshake, duplicates, the dispatch of lines.
#include <algorithm>

#include "common/base/mutant.h"
#include "metad/core/engine.h"

namespace wattle::metad {
namespace {

constexpr std::uint64_t kErrorDenied = 403;
constexpr std::uint64_t kErrorMalformed = 400;
constexpr std::uint64_t kErrorTooMany = 429;
constexpr std::string_view kRevoked = "revoked";  // also what ERROR says

}  // namespace

Actions Engine::on_link_up(LinkId id, LinkUp up, Now now) {
  const NodeAddress address = up.address;
  const bool expected = !up.dialled || dial_.reached(up.dial, address, now.mono);
  std::string_view refusal;
  if (WATTLE_CHECKED(link_own_name, address == setup_.address || up.name == setup_.name))
    refusal = "own name";
  else if (!WATTLE_CHECKED(link_expected, expected))
    refusal = "another member answered";
  else if (WATTLE_CHECKED(link_revoked, is_revoked(up.serial)))
    refusal = kRevoked;
  else if (!WATTLE_CHECKED(link_up_ca_in_force, chain_.has_ca(up.ca_der)))
    refusal = "its certificate is of a retired CA";  // retired since the handshake began
  else if (WATTLE_CHECKED(link_most, links_.size() >= kMaxLinks))
    refusal = "too many links";
  else if (WATTLE_CHECKED(link_most_of_one,
                          std::count_if(links_.begin(), links_.end(), [&](const auto& item) {
                            return item.second.address() == address;
                          }) >= static_cast<std::ptrdiff_t>(kMaxLinksPerPeer)))
    refusal = "too many links of one member";
  if (!refusal.empty()) {
    count("link_refused");
    if (refusal == kRevoked) tell_revoked(id);
    out_.push_back(CloseLink{id});
    note(Note::Level::Info, "a link is refused: " + std::string(refusal), &address);
    dial(now);
    return take();
  }
  Link& link = links_.emplace(id, Link(std::move(up), setup_.address, now.mono)).first->second;
  dial_.linked(address);
  std::vector<std::pair<std::string, std::string>> keys;
  if (link.up().dialled) {
    // Rises over restarts, too, as long as the clock does.
    const std::uint64_t dial = now.unix.seconds * 1'000'000 + link.up().dial % 1'000'000;
    link.set_own_dial(dial);
    keys.emplace_back("dial", std::to_string(dial));
  }
  keys.emplace_back("incarnation", std::to_string(incarnation_));
  send(id, Verb::Id,
       {Value(setup_.name), Value(kMetaVersion), Value(std::uint64_t{0}),
        Value(std::uint64_t{setup_.port})},
       std::move(keys));
  dial(now);
  return take();
}

Actions Engine::on_link_down(LinkId id, Now now) {
  if (links_.contains(id)) {
    const NodeAddress address = links_.at(id).address();
    note(Note::Level::Info, "a link has ended", &address);
    forget_link(id, now);
    dial(now);
  }
  return take();
}

Actions Engine::on_line(LinkId id, std::string_view line, Now now) {
  const auto at = links_.find(id);
  if (at == links_.end()) return take();
  Link& link = at->second;
  if (trace_.any()) trace_in(id, link, line);
  link.heard(now.mono);
  count_line(false, line);
  if (!WATTLE_CHECKED(line_rate, link.lines.take(now.mono))) {
    // A line left out might have been a retraction, which the next barrier would acknowledge.
    count("line_over_budget");
    close(id, "too many lines", now, kErrorTooMany);
    dial(now);
    return take();
  }
  auto request = parse_request(line);
  if (!request && request.error().code == Errc::NotFound) {
    count("line_unknown");
    return take();
  }
  if (request && WATTLE_CHECKED(line_packet, request->verb == Verb::Packet)) {
    count("packet_illegal");  // what follows it cannot be told from lines
    close(id, "PACKET of a length that is not taken", now, kErrorMalformed);
    dial(now);
    return take();
  }
  if (!request || !WATTLE_CHECKED(line_stage, is_legal(request->verb, link.stage()))) {
    count(request ? "line_illegal" : "line_malformed");
    if (WATTLE_CHECKED(line_strikes, link.strike()))
      close(id, "three bad lines", now, kErrorMalformed);
    dial(now);
    return take();
  }
  dispatch(id, link, *request, now);
  serve_waiting_lines(now);
  if (const auto sign = own_.due(now.mono)) out_.push_back(ToKeyd{*sign});
  dial(now);
  return take();
}

void Engine::dispatch(LinkId id, Link& link, const Request& request, Now now) {
  switch (request.verb) {
    case Verb::Id:
      return on_id(id, link, request, now);
    case Verb::Ack:
      return on_ack(id, link, request, now);
    case Verb::End:
      return on_end(id, link, now);
    case Verb::Status:
      return count("status_heard");
    case Verb::Error:
      note(Note::Level::Info, "a neighbour closes the link", &link.address(), request.text(1));
      if (request.number(0) == kErrorDenied && request.text(1) == kRevoked) on_told_revoked(link);
      [[fallthrough]];
    case Verb::TermReq:
      out_.push_back(CloseLink{id});
      return forget_link(id, now);
    case Verb::Ping: {
      const auto barrier = request.find_number("barrier");
      if (!barrier) return send(id, Verb::Pong);
      return router_.barrier_asked(id, *barrier, now.mono);  // answered when cryptod has it all
    }
    case Verb::Pong:
      return on_pong(id, request, now);  // every line counts as life
    case Verb::ReqSeqno:
      return on_req_seqno(id, request, now);
    case Verb::ReqHost:
      return on_req_host(id, link, request, now);
    case Verb::AddHost:
      return on_add_host(id, link, request, now);
    case Verb::DelHost:
      return on_del_host(id, link, request, now);
    case Verb::AddSubnet:
    case Verb::DelSubnet:
      return on_subnet(id, link, request, now);
    case Verb::KeyChanged:
      return on_key_changed(id, link, request, now);
    case Verb::Document:
      return on_document_told(id, request, now);
    case Verb::ReqDocument:
      return on_document_asked(id, request, now);
    case Verb::DocumentPart:
      return on_document_part(id, link, request, now);
    case Verb::ReqKey:
      return on_req_key(id, link, request, now);
    case Verb::AnsKey:
      return on_ans_key(id, link, request, now);
    case Verb::ReqWay:
      return on_req_way(id, link, request, now);
    case Verb::AnsWay:
      return on_ans_way(id, link, request, now);
    default:
      return count("line_illegal");
  }
}

// The one that is refused hears why, in case that nothing newer reaches it.
void Engine::tell_revoked(LinkId id) {
  send(id, Verb::Error, {Value(kErrorDenied), Value(std::string(kRevoked))});
}

// Not to be relied on; the registry is asked by a renewal.
void Engine::on_told_revoked(const Link& link) {
  if (!standing_.told_revoked(link.up().name)) return;
  note(Note::Level::Warning, standing_.revoked_sentence(), &link.address());
  renewal_.want_now();
}

void Engine::on_id(LinkId id, Link& link, const Request& request, Now now) {
  if (refuse_protocol(id, request.number(1), now)) return;
  if (WATTLE_CHECKED(link_id_name, request.text(0) != link.up().name)) {
    count("id_name");
    return close(id, "ID and certificate differ", now, kErrorDenied);
  }
  if (!link.on_id(request.find_number("dial").value_or(0),
                  request.find_number("incarnation").value_or(0)))
    return;
  send(id, Verb::Ack, {}, {{"you", link.up().remote.text()}});
}

void Engine::on_ack(LinkId id, Link& link, const Request& request, Now now) {
  if (!link.on_ack()) return;
  if (const auto you = request.find("you"))
    if (const auto seen = Endpoint::parse(*you)) own_.observed(seen->address);
  router_.link_up(id, link.address(), link.incarnation(), now.mono);
  set_cost(link.address(), now);
}

void Engine::on_end(LinkId id, Link& link, Now now) {
  if (!link.on_end()) return;
  note(Note::Level::Info, "a link is active", &link.address());
  peers_changed(now);
  router_.link_synced(id, now.mono);
  tell_document(id);
  settle_duplicates(id, now);
  if (!links_.contains(id)) return;
  retire_outdated(id, now);
  plan_redial(id, now);
}

// Called when a link has become active: of two active ones of one member one goes.
void Engine::settle_duplicates(LinkId id, Now now) {
  std::vector<LinkId> losers;
  const Link& link = links_.at(id);
  for (const auto& [other_id, other] : links_) {
    if (other_id == id || other.address() != link.address() || other.stage() != Stage::Active)
      continue;
    // One that a renewal has outdated stays until its dialler closes it.
    if (outdates(link.up(), other.up()) || outdates(other.up(), link.up())) continue;
    losers.push_back(survives(link.origin(), other.origin()) ? other_id : id);
  }
  for (const LinkId loser : losers) {
    if (!links_.contains(loser)) continue;
    count("link_duplicate");
    close(loser, "duplicate", now);
  }
}

void Engine::send(LinkId id, Verb verb, std::vector<Value> values,
                  std::vector<std::pair<std::string, std::string>> keys) {
  Request request;
  request.verb = verb;
  request.values = std::move(values);
  request.keys = std::move(keys);
  out_.push_back(SendLine{id, print_request(request)});
}

void Engine::status(LinkId id, std::uint64_t number, std::string text) {
  send(id, Verb::Status, {Value(number), Value(std::move(text))});
}

void Engine::close(LinkId id, std::string_view why, Now now, std::uint64_t error) {
  const NodeAddress address = links_.at(id).address();
  if (error != 0)
    send(id, Verb::Error, {Value(error), Value(std::string(why))});
  else
    send(id, Verb::TermReq);
  out_.push_back(CloseLink{id});
  note(Note::Level::Info, "a link is closed: " + std::string(why), &address);
  forget_link(id, now);
}

void Engine::forget_link(LinkId id, Now now) {
  const auto at = links_.find(id);
  if (at == links_.end()) return;
  const NodeAddress address = at->second.address();
  const bool worked = at->second.stage() == Stage::Active;
  const bool talked = at->second.is_talking();
  // While its data path lives its routes are held; not those of somebody who is out.
  const bool hold = is_alive(address) && !is_revoked(at->second.up().serial) &&
                    at->second.up().expires > now.unix;
  links_.erase(at);
  broker_.link_down(id);
  wants_.link_down(id);
  host_wants_.link_down(id);
  gossip_.link_down(id);
  redials_.erase(id);
  retiring_.erase(id);
  std::erase_if(own_waiters_, [&](const OwnWaiter& w) { return w.link == id; });
  const std::vector<NodeAddress> lost = nodes_.link_down(id, now.mono);
  if (talked) router_.link_down(id, hold, now.mono);
  if (!is_linked(address)) dial_.unlinked(address, worked, now.mono);
  for (const NodeAddress& host : lost)
    if (!is_heard_of(host)) unheard(host);
}

std::optional<LinkId> Engine::talk_to(const NodeAddress& address) const {
  std::optional<LinkId> best;
  for (const auto& [id, link] : links_) {
    if (link.address() != address || !link.is_talking()) continue;
    if (!best) {
      best = id;
      continue;
    }
    const Link& held = links_.at(*best);
    const bool active = link.stage() == Stage::Active, held_active = held.stage() == Stage::Active;
    if (active != held_active ? active : survives(link.origin(), held.origin())) best = id;
  }
  return best;
}

}  // namespace wattle::metad
