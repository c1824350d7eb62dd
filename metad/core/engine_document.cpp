// The network document: judged whoever brings it, adopted, stored, told on.
#include <algorithm>

#include "common/base/mutant.h"
#include "metad/core/engine.h"

namespace wattle::metad {
namespace {

constexpr const char* kRetiredCa = "the certificate is of a retired CA: renew it at the registry";
constexpr const char* kBarred =
    "a key that made our certificate is retired: the others refuse it until it is renewed, for "
    "which the registry must be reached";

}  // namespace

Actions Engine::on_document(std::string text, Now now) {
  if (text != setup_.document) use_document(std::move(text), std::nullopt, now);
  run_gossip(now);
  return take();
}

// True if it verifies and is newer than the one in force: then it is in force. `from`: the link
// that brought it, nothing: the registry.
bool Engine::use_document(std::string text, std::optional<LinkId> from, Now now) {
  auto parsed = chain_.open(text);
  if (!parsed) {
    const Errc why = parsed.error().code;
    refuse_document(why == Errc::Denied         ? "document_foreign"
                    : why == Errc::BadSignature ? "document_bad_signature"
                    : why == Errc::Exists       ? "document_forked"
                                                : "document_malformed",
                    from, parsed.error().text());
    return false;
  }
  if (document_ && WATTLE_CHECKED(document_newer, parsed->version <= document_->version)) {
    refuse_document("document_old", from,
                    "it has version " + std::to_string(parsed->version) + ", ours " +
                        std::to_string(document_->version));
    return false;
  }
  setup_.document = std::move(text);
  adopt_document(std::move(*parsed), now);
  out_.push_back(StoreFile{"document", setup_.document});
  for (const auto& [id, link] : links_)
    if (link.stage() == Stage::Active && gossip_.version_of(id) != document_->version)
      tell_document(id);
  return true;
}

// At start, from the state folder.
bool Engine::use_stored_document(Now now) {
  auto parsed = chain_.open(setup_.document);
  if (!parsed) return false;
  adopt_document(std::move(*parsed), now);
  return true;
}

void Engine::adopt_document(NetworkDocument document, Now now) {
  document_ = std::move(document);
  const std::vector<Bytes> cas_before = chain_.ca_ders();
  chain_.hold(*document_);
  if (chain_.ca_ders() != cas_before) out_.push_back(UseCas{chain_.ca_ders()});
  gossip_.in_force(document_->version);
  count("document_adopted");
  std::set<std::uint64_t> revoked;
  for (const Revocation& revocation : document_->revoked) revoked.insert(revocation.serial);
  broker_.judge_by(chain_.credential_keys(), revoked);
  if (standing_.revoked_by_document(revoked.contains(setup_.serial)))
    note(Note::Level::Warning, standing_.revoked_sentence());
  if (cryptod_) feed_.mark(LaneFeed::Kind::Document);
  std::vector<std::pair<LinkId, const char*>> out;
  for (const auto& [id, link] : links_) {
    if (revoked.contains(link.up().serial))
      out.emplace_back(id, "revoked");
    else if (!WATTLE_CHECKED(link_ca_in_force, chain_.has_ca(link.up().ca_der)))
      out.emplace_back(id, kRetiredCa);
  }
  for (const auto& [id, why] : out) close(id, why, now, 403);
  look_for_reissue();
  if (is_barred()) note(Note::Level::Warning, kBarred);
  if (document_->min_protocol > kMetaVersion)
    note(Note::Level::Warning,
         "this wattle is too old for the network: the others refuse new links until it is upgraded",
         nullptr,
         "protocol " + std::to_string(kMetaVersion) + ", the network asks for " +
             std::to_string(document_->min_protocol));
}

void Engine::refuse_document(std::string_view counter, std::optional<LinkId> from,
                             std::string why) {
  count(counter);
  if (!from)
    return note(Note::Level::Warning, "a network document of the registry is refused", nullptr,
                std::move(why));
  note(Note::Level::Warning, "a network document of a neighbour is refused",
       &links_.at(*from).address(), std::move(why));
}

// A neighbour of another protocol: refused with a sentence, and kept for `peers` to name.
bool Engine::refuse_protocol(LinkId id, std::uint64_t protocol, Now now) {
  const LinkUp& up = links_.at(id).up();
  const NodeAddress address = up.address;
  const std::uint64_t least =
      std::max<std::uint64_t>(kMetaVersion, document_ ? document_->min_protocol : 0);
  const bool newer = protocol > kMetaVersion && protocol >= least;
  if (WATTLE_CHECKED(link_protocol, protocol == kMetaVersion && protocol >= least)) {
    misfits_.erase(address);
    return false;
  }
  count("id_version");
  if (misfits_.size() < kMaxMisfits || misfits_.contains(address))
    misfits_[address] = {up.name, newer, now.mono};
  note(Note::Level::Warning, newer ? "a neighbour is too new" : "a neighbour is too old", &address,
       "it speaks protocol " + std::to_string(protocol));
  close(id,
        newer ? "too new: we speak protocol " + std::to_string(kMetaVersion)
              : "too old: protocol " + std::to_string(least) + " is needed; install a newer wattle",
        now, 403);
  return true;
}

void Engine::tell_document(LinkId id) {
  if (document_) send(id, Verb::Document, {Value(document_->version)});
}

void Engine::on_document_told(LinkId id, const Request& request, Now now) {
  gossip_.told(id, request.number(0));
  run_gossip(now);
}

void Engine::on_document_asked(LinkId id, const Request& request, Now now) {
  if (!document_) return status(id, 404, "no document here");
  // Another one is in force by now: whoever asks hears of it and asks again.
  if (request.number(0) != document_->version) return tell_document(id);
  const auto parts =
      gossip_.answer(id, setup_.document, request.find_number("from").value_or(0), now.mono);
  if (parts.empty()) count("document_not_answered");
  for (const DocumentPart& part : parts)
    send(id, Verb::DocumentPart,
         {Value(document_->version), Value(std::uint64_t{part.offset}),
          Value(std::uint64_t{setup_.document.size()}), Value(to_bytes(as_bytes(part.bytes)))});
}

void Engine::on_document_part(LinkId id, Link& link, const Request& request, Now now) {
  const std::uint64_t version = request.number(0);
  const DocumentGossip::Part part = gossip_.part(id, version, request.number(1), request.number(2),
                                                 std::get<Bytes>(request.values[3]), now.mono);
  bool bad = part == DocumentGossip::Part::Wrong;
  if (bad) count("document_part_wrong");
  if (part == DocumentGossip::Part::Unasked) count("document_part_unasked");
  if (part == DocumentGossip::Part::Whole) {
    use_document(gossip_.take(id), id, now);
    bad = links_.contains(id) && (!document_ || document_->version < version);
    if (bad) gossip_.refused(id, version);
  }
  if (WATTLE_CHECKED(document_strikes, bad && link.strike()))
    close(id, "three bad lines", now, 400);
  run_gossip(now);
}

void Engine::run_gossip(Now now) {
  for (const DocumentGossip::Ask& ask : gossip_.due(now.mono)) {
    std::vector<std::pair<std::string, std::string>> keys;
    if (ask.from != 0) keys.emplace_back("from", std::to_string(ask.from));
    count("document_asked");
    send(ask.link, Verb::ReqDocument, {Value(ask.version)}, std::move(keys));
  }
}

}  // namespace wattle::metad
