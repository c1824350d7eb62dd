#include "registry/io/desk.h"

#include "common/os/clock.h"
#include "common/os/log.h"
#include "common/proto/network_document.h"

namespace wattle::registry {
namespace {

namespace log = os::log;

constexpr Duration kRetry = std::chrono::milliseconds(250);
constexpr Duration kTextTime = std::chrono::seconds(3);
constexpr std::size_t kMaxHints = 10;

}  // namespace

Desk::Desk(os::EventLoop& loop, std::string network, std::string signer_path, Store& store)
    : loop_(loop),
      network_(std::move(network)),
      store_(store),
      signer_(loop, std::move(signer_path), store,
              {[this](const Entry& entry) { note(entry); },
               [this] {
                 genesis_.reset();
                 roster_.reset();
                 document_version_ = 0;
               }}),
      polls_(loop) {}

Result<void> Desk::start() {
  WATTLE_TRY(load());
  signer_.start();
  return {};
}

Result<void> Desk::load() {
  if (store_.next_sequence() == 0) return {};
  const std::string genesis = WATTLE_TRY(store_.genesis());
  WATTLE_TRY(take_genesis(genesis));
  const std::string text = WATTLE_TRY(store_.document());
  const auto document = parse_network_document(text, genesis_->document_key, network_id_);
  if (document) {
    document_version_ = document->version;
    min_protocol_ = document->min_protocol;
  }
  if (const auto lost = WATTLE_TRY(store_.lost()))
    WATTLE_TRY(roster_->set_aside(lost->last6, lost->last4));
  Result<void> fits;
  WATTLE_TRY(store_.each_member([this, &fits](const StoredMember& member) {
    if (fits) fits = roster_->add(member.prefix6, member.ipv4);
  }));
  return fits;
}

Result<void> Desk::take_genesis(const std::string& text) {
  genesis_ = WATTLE_TRY(parse_genesis(text));
  network_id_ = network_id(genesis_hash(text));
  roster_.emplace(genesis_->prefix, genesis_->ipv4);
  return {};
}

void Desk::note(const Entry& entry) {
  Result<void> noted;
  if (const auto* e = std::get_if<GenesisEntry>(&entry.body)) {
    noted = take_genesis(e->text);
  } else if (const auto* d = std::get_if<DocumentEntry>(&entry.body); d != nullptr && genesis_) {
    const auto document = parse_network_document(d->text, genesis_->document_key, network_id_);
    if (document) {
      document_version_ = document->version;
      min_protocol_ = document->min_protocol;
      polls_.wake(document->version, text_answer(d->text));
    }
  } else if (const auto* i = std::get_if<IssueEntry>(&entry.body); i != nullptr && roster_) {
    noted = roster_->add(i->prefix6, i->ipv4);
  } else if (const auto* l = std::get_if<LostEntry>(&entry.body); l != nullptr && roster_) {
    noted = roster_->set_aside(l->last6, l->last4);
  } else if (const auto* a = std::get_if<AdoptEntry>(&entry.body); a != nullptr && roster_) {
    noted = note_return(*a);
  }
  if (!noted)
    log::error("a journal entry does not fit the network", {{log::Key::Err, noted.error().text()}});
}

// A member that the journal had lost, or only its last certificate.
Result<void> Desk::note_return(const AdoptEntry& entry) {
  const Credential before = WATTLE_TRY(decode_credential(entry.before));
  if (roster_->has(before.ipv4.address)) return {};
  return roster_->add(before.ipv6, before.ipv4.address);
}

void Desk::handle(const Request& request, const Reply& reply) {
  if (!limits_.admit(request.client, os::now()))
    return reply(error_answer(Fault::Limit, "too many requests: try again in a minute"));
  switch (route(request.method, request.path, network_)) {
    case Call::Genesis:
      return handle_text(Call::Genesis, reply);
    case Call::Document:
      return handle_document(request, reply);
    case Call::Join:
      return handle_join(request, reply);
    case Call::Renew:
      return handle_renew(request, reply);
    case Call::Origin:
      return handle_origin(request, reply);
    case Call::WrongMethod:
      return reply(error_answer(Fault::WrongMethod, "this is asked with another method"));
    case Call::NotFound:
      break;
  }
  reply(error_answer(Fault::NotFound, "there is nothing of this name here"));
}

void Desk::handle_document(const Request& request, const Reply& reply) {
  const auto after = document_after(request.path);
  if (!after) return reply(error_answer(Fault::BadRequest, after.error().text()));
  if (!after->has_value() || **after < document_version_) return handle_text(Call::Document, reply);
  polls_.hold(request.client, **after, reply, request.caller);
}

// A registry that was started a moment ago may not have heard of its signer yet: the question
// waits.
void Desk::handle_text(Call call, const Reply& reply) {
  if (answer_text(call, reply)) return;
  if (texts_.size() >= kMaxWaiting) return reply(no_text());
  texts_.push_back({call, reply, os::now() + kTextTime});
  if (!text_retry_.active()) text_retry_ = loop_.after(kRetry, [this] { retry_texts(); });
}

bool Desk::answer_text(Call call, const Reply& reply) {
  auto text = call == Call::Genesis ? store_.genesis() : store_.document();
  if (text) reply(text_answer(*std::move(text)));
  return text.has_value();
}

Answer Desk::no_text() {
  return error_answer(Fault::SignerAway, "the registry has not heard of its signer yet");
}

void Desk::retry_texts() {
  std::deque<Text> waiting = std::exchange(texts_, {});
  const Instant now = os::now();
  for (Text& text : waiting) {
    if (answer_text(text.call, text.reply)) continue;
    if (now >= text.deadline)
      text.reply(no_text());
    else
      texts_.push_back(std::move(text));
  }
  text_retry_.reset();
  if (!texts_.empty()) text_retry_ = loop_.after(kRetry, [this] { retry_texts(); });
}

std::vector<PeerHint> Desk::hints(const NodeAddress& except) {
  std::vector<PeerHint> out;
  const auto origins = store_.origins(kMaxHints, except);
  if (!origins) return out;
  for (const StoredOrigin& origin : *origins) {
    const auto record = parse_origin_body(origin.body);
    if (!record) continue;
    PeerHint hint{record->name, record->address.text(), {}};
    for (const Endpoint& endpoint : record->endpoints) hint.endpoints.push_back(endpoint.text());
    out.push_back(std::move(hint));
  }
  return out;
}

// A member posts moments after it was made: the view may have to catch up with the journal first.
void Desk::handle_origin(const Request& request, const Reply& reply) {
  const Answer answer = take_origin(request);
  if (answer.status != status(Fault::NotMember)) return reply(answer);
  signer_.catch_up([this, request, reply](const Result<void>&) { reply(take_origin(request)); });
}

Answer Desk::take_origin(const Request& request) {
  const auto post = parse_origin_post(request.body);
  if (!post) return error_answer(Fault::BadRequest, post.error().text());
  const auto record = open_origin(*post, network_id_);
  if (!record) return error_answer(Fault::BadRequest, record.error().text());
  const auto member = store_.find_member(record->address);
  if (!member || !member->has_value())
    return error_answer(Fault::NotMember, "no member has this address");
  if (const auto checked = check_origin(*record, *post, **member); !checked)
    return error_answer(
        checked.error().code == Errc::Denied ? Fault::NotMember : Fault::BadSignature,
        checked.error().text());
  StoredOrigin origin;
  origin.address = record->address;
  origin.seqno = record->seqno;
  origin.posted = os::unix_now();
  origin.body = post->body;
  origin.signature = post->signature;
  if (const auto put = store_.put_origin(origin); !put) {
    log::error("cannot store an origin record", {{log::Key::Err, put.error().text()}});
    if (put.error().code == Errc::BadValue) signer_.start_over();
    return error_answer(
        put.error().code == Errc::Full ? Fault::Storage : Fault::SignerAway,
        "the registry cannot write its database: see its log and the free space on its disk");
  }
  return origin_answer(document_version_, hints(record->address));
}

}  // namespace wattle::registry
