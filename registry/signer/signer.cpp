#include "registry/signer/signer.h"

#include "common/base/secret.h"
#include "common/os/log.h"

namespace wattle::signer {
namespace {

namespace log = os::log;
using sign_link::Rule;

constexpr std::size_t kEntriesPerMessage = 64;
constexpr std::size_t kBytesPerMessage = 120 * 1024;
constexpr std::uint32_t kIssueBurst = 120;  // new members at once; 60 a minute after that
constexpr Duration kIssuePeriod = std::chrono::seconds(1);
constexpr std::uint32_t kRenewalBurst = 200;  // renewals at once; 5 a second after that
constexpr Duration kRenewalPeriod = std::chrono::milliseconds(200);
constexpr Duration kRenewalCheck = std::chrono::minutes(5);
constexpr Duration kRefreshDelay = std::chrono::seconds(1);  // many renewals, one document

// Of an entry of a certificate, or of a member: its newest.
template <typename E>
sign_link::Issued answer(std::uint32_t id, const E& finished, const std::string& name) {
  sign_link::Issued out;
  out.id = id;
  out.certificate = finished.certificate;
  out.credential = finished.credential;
  out.name = name;
  return out;
}

sign_link::Refused answer(std::uint32_t id, Rule rule, std::string sentence) {
  sign_link::Refused out;
  out.id = id;
  out.rule = rule;
  out.sentence = std::move(sentence);
  return out;
}

constexpr const char* kStorageSentence =
    "the signer cannot write its journal: see its log and the free space on its disk";

}  // namespace

Signer::Signer(os::EventLoop& loop, Journal journal, Ledger ledger, Keys keys, Joins joins)
    : loop_(loop),
      journal_(std::move(journal)),
      ledger_(std::move(ledger)),
      keys_(std::move(keys)),
      clock_(ledger_.last_time()),
      joins_(joins),
      issues_(1, kIssueBurst, kIssuePeriod),
      renewals_(1, kRenewalBurst, kRenewalPeriod) {
  renewal_ = loop_.every(kRenewalCheck, [this] { renew_document(); });
}

void Signer::listen(os::Fd sign, uid_t registry_uid, os::Fd sign_admin, uid_t admin_uid) {
  registry_listener_ = std::make_unique<os::LaneListener>(
      loop_, std::move(sign), registry_uid, "sign",
      [this](os::Fd socket) { connect_registry(std::move(socket)); });
  admin_listener_ = std::make_unique<os::LaneListener>(
      loop_, std::move(sign_admin), admin_uid, "sign.admin",
      [this](os::Fd socket) { connect_admin(std::move(socket)); });
}

void Signer::connect_registry(os::Fd socket) {
  RegistryEnd::Callbacks callbacks;
  callbacks.on_message = [this](sign_link::FromRegistry::Message& message, std::vector<os::Fd>&) {
    std::visit(
        ipc::Overload{[](std::monostate&) {}, [this](sign_link::Issue& request) { issue(request); },
                      [this](sign_link::Renew& request) { renew(request); },
                      [this](sign_link::ReadJournal& request) {
                        told_ = false;
                        registry_->send(entries(request));
                      }},
        message);
  };
  callbacks.on_end = [this](const Error& reason) {
    comings_.write(log::Level::Notice, "the registry is gone", {{log::Key::Err, reason.text()}});
    registry_.reset();
  };
  callbacks.on_drained = [this] {
    if (owed_) tell_registry();
  };
  told_ = owed_ = false;
  registry_ = std::make_unique<RegistryEnd>(loop_, std::move(socket), "sign", std::move(callbacks));
}

void Signer::connect_admin(os::Fd socket) {
  AdminEnd::Callbacks callbacks;
  callbacks.on_message = [this](sign_link::FromAdmin::Message& message, std::vector<os::Fd>&) {
    std::visit(
        ipc::Overload{
            [](std::monostate&) {},
            [this](sign_link::MakeInvite& request) {
              admin_request(request, &Signer::make_invite);
            },
            [this](sign_link::Rename& request) { admin_request(request, &Signer::rename); },
            [this](sign_link::Revoke& request) { admin_request(request, &Signer::revoke); },
            [this](sign_link::SetFlags& request) { admin_request(request, &Signer::set_flags); },
            [this](sign_link::SetDocument& request) {
              admin_request(request, &Signer::set_document);
            },
            [this](sign_link::RotateKey& request) { admin_request(request, &Signer::rotate_key); },
            [this](sign_link::RetireKey& request) { admin_request(request, &Signer::retire_key); },
            [this](sign_link::Approve& request) { admin_request(request, &Signer::approve); },
            [this](sign_link::ReadJournal& request) { admin_->send(entries(request)); },
            [this](sign_link::AcceptClock& request) { accept_clock(request); }},
        message);
  };
  callbacks.on_end = [this](const Error&) { admin_.reset(); };
  admin_ = std::make_unique<AdminEnd>(loop_, std::move(socket), "sign.admin", std::move(callbacks));
}

void Signer::issue(const sign_link::Issue& request) {
  if (auto why = doubt_clock()) {
    refuse_registry(request.id, Rule::ClockOff, *std::move(why));
    return;
  }
  const std::uint64_t now_ms = os::unix_now_ms();
  const Judgement judgement = judge(ledger_, request, UnixTime{now_ms / 1000}, joins_);
  if (const auto* no = std::get_if<Refusal>(&judgement)) {
    refuse_registry(request.id, no->rule, no->sentence);
    return;
  }
  if (const auto* wait = std::get_if<Wait>(&judgement)) return keep_waiting(request, *wait);
  if (const auto* again = std::get_if<Repetition>(&judgement)) {
    registry_->send(answer(request.id, *again->issue, again->issue->name));
    return;
  }
  if (!issues_.take(os::now())) {
    refuse_registry(request.id, Rule::Limit, "too many new members at once: try again");
    return;
  }
  certified(request.id, certify(keys_, ledger_, std::get<Approval>(judgement), request, now_ms),
            "made a member");
}

// Recorded, then answered.
template <typename Made>
bool Signer::certified(std::uint32_t id, Result<Made> made, const char* what) {
  if (!made) {
    log::error("cannot make a certificate", {{log::Key::Err, made.error().text()}});
    refuse_registry(id, Rule::BadRequest, "the certificate cannot be made");
    return false;
  }
  const sign_link::Issued issued = answer(id, *made, made->name);
  const std::uint64_t serial = made->serial;
  if (!record(*std::move(made))) {
    refuse_registry(id, Rule::Storage, kStorageSentence);
    return false;
  }
  log::notice(what, {{log::Key::Node, issued.name}, {log::Key::Serial, std::to_string(serial)}});
  registry_->send(issued);
  return true;
}

void Signer::keep_waiting(const sign_link::Issue& request, const Wait& wait) {
  const std::string name = wait.invite->entry.name;  // the invite lives until record()
  if (!wait.is_known()) {
    if (!issues_.take(os::now())) {
      refuse_registry(request.id, Rule::Limit, "too many new members at once: try again");
      return;
    }
    if (!record(registry::PendingEntry{request.token, wait.address, wait.csr_hash})) {
      refuse_registry(request.id, Rule::Storage, kStorageSentence);
      return;
    }
    log::notice("a join waits for approval: wattle-registry node approve " + name,
                {{log::Key::Node, name}});
  }
  registry_->send(answer(request.id, Rule::Pending, wait.sentence));
}

void Signer::renew(const sign_link::Renew& request) {
  if (auto why = doubt_clock()) {
    refuse_registry(request.id, Rule::ClockOff, *std::move(why));
    return;
  }
  const std::uint64_t now_ms = os::unix_now_ms();
  const RenewalJudgement judgement = judge(ledger_, request, UnixTime{now_ms / 1000});
  if (const auto* no = std::get_if<Refusal>(&judgement)) {
    refuse_registry(request.id, no->rule, no->sentence);
    return;
  }
  if (const auto* again = std::get_if<Reminder>(&judgement)) {
    registry_->send(answer(request.id, *again->member, again->member->newest().name));
    return;
  }
  if (!renewals_.take(os::now())) {
    refuse_registry(request.id, Rule::Limit, "too many renewals at once: try again");
    return;
  }
  bool was_due = false;
  bool done = false;
  if (const auto* renewal = std::get_if<Renewal>(&judgement)) {
    was_due = ledger_.needs_renewal(*renewal->member);
    done = certified(request.id, certify(keys_, ledger_, *renewal, request, now_ms),
                     "renewed a member");
  } else {
    const auto& adoption = std::get<Adoption>(judgement);
    was_due = adoption.member != nullptr && ledger_.needs_renewal(*adoption.member);
    done = certified(request.id, certify(keys_, ledger_, adoption, request, now_ms),
                     "took a member back that the journal had lost");
  }
  if (done && was_due && !refresh_.active())
    refresh_ = loop_.after(kRefreshDelay, [this] {
      refresh_.reset();
      renew_document();
    });
}

std::optional<std::string> Signer::doubt_clock() {
  auto why = clock_.judge(os::unix_now(), os::now());
  if (why && !clock_told_) log::error("nothing is signed", {{log::Key::Err, *why}});
  if (!why && clock_told_) log::notice("the clock is believed again");
  clock_told_ = why.has_value();
  return why;
}

template <typename Request>
void Signer::admin_request(const Request& request, void (Signer::*perform)(const Request&)) {
  if (auto why = doubt_clock()) return refuse_admin(Rule::ClockOff, *std::move(why));
  (this->*perform)(request);
}

// The document signed at once puts the time that counts from now on into the journal.
void Signer::accept_clock(const sign_link::AcceptClock& request) {
  const UnixTime now = os::unix_now();
  const bool agrees = request.time.seconds <= now.seconds + ClockGuard::kStep &&
                      now.seconds <= request.time.seconds + ClockGuard::kStep;
  if (!agrees) return refuse_admin(Rule::BadRequest, "the clock was set meanwhile: look again");
  clock_.accept(now, os::now());
  const auto sequence =
      record(registry::DocumentEntry{sign_document(keys_, ledger_, ledger_.document(), now)});
  if (!sequence) return refuse_admin(Rule::Storage, kStorageSentence);
  log::notice("the clock is accepted as it is");
  clock_told_ = false;
  sign_link::Done done;
  done.sequence = *sequence;
  admin_->send(done);
}

void Signer::refuse_registry(std::uint32_t id, Rule rule, std::string sentence) {
  refusals_.write(log::Level::Warning, "refused what the registry asks",
                  {{log::Key::Lane, "sign"},
                   {log::Key::Rule, std::string(sign_link::rule_name(rule))},
                   {log::Key::Err, sentence}});
  registry_->send(answer(id, rule, std::move(sentence)));
}

void Signer::refuse_admin(Rule rule, std::string sentence) {
  refusals_.write(log::Level::Warning, "refused what the administrator asks",
                  {{log::Key::Lane, "sign.admin"},
                   {log::Key::Rule, std::string(sign_link::rule_name(rule))},
                   {log::Key::Err, sentence}});
  admin_->send(answer(0, rule, std::move(sentence)));
}

void Signer::make_invite(const sign_link::MakeInvite& request) {
  if (auto no = judge(ledger_, request, os::unix_now()))
    return refuse_admin(no->rule, no->sentence);
  registry::InviteEntry invite;
  invite.token = token_id(request.key);
  invite.name = request.name;
  invite.prefix_length = request.prefix_length;
  invite.flags = request.flags;
  invite.expires = request.expires;
  invite.has_key = true;
  invite.key = request.key;
  const TokenId token = invite.token;
  auto sequence = record(std::move(invite));
  if (sequence && request.approved) sequence = record(registry::ApproveEntry{token, {}, true});
  if (!sequence) return refuse_admin(Rule::Storage, kStorageSentence);
  log::notice("made an invite", {{log::Key::Node, request.name}});
  sign_link::Done done;
  done.sequence = *sequence;
  admin_->send(done);
}

void Signer::carry_out(registry::EntryBody body, const char* what, const std::string& name) {
  const auto sequence = record(std::move(body));
  if (!sequence) return refuse_admin(Rule::Storage, kStorageSentence);
  log::notice(what, {{log::Key::Node, name}});
  answer_done(*sequence);
}

void Signer::answer_done(std::uint64_t sequence) {
  renew_document();
  sign_link::Done done;
  done.sequence = sequence;
  admin_->send(done);
}

void Signer::rename(const sign_link::Rename& request) {
  if (auto no = judge(ledger_, request, os::unix_now()))
    return refuse_admin(no->rule, no->sentence);
  carry_out(registry::RenameEntry{ledger_.find_member(request.name)->address, request.to},
            "renamed a member", request.to);
}

void Signer::revoke(const sign_link::Revoke& request) {
  if (auto no = judge(ledger_, request)) return refuse_admin(no->rule, no->sentence);
  carry_out(registry::RevokeEntry{ledger_.find_member(request.name)->address}, "revoked a member",
            request.name);
}

void Signer::set_flags(const sign_link::SetFlags& request) {
  if (auto no = judge(ledger_, request)) return refuse_admin(no->rule, no->sentence);
  carry_out(registry::FlagsEntry{ledger_.find_member(request.name)->address, request.flags},
            "changed a member's flags", request.name);
}

void Signer::set_document(const sign_link::SetDocument& request) {
  auto judgement = judge(ledger_, request);
  if (auto* no = std::get_if<Refusal>(&judgement)) return refuse_admin(no->rule, no->sentence);
  const std::string text = sign_document(
      keys_, ledger_, std::move(std::get<NetworkDocument>(judgement)), os::unix_now());
  const auto sequence = record(registry::DocumentEntry{text});
  if (!sequence) return refuse_admin(Rule::Storage, kStorageSentence);
  log::notice("changed the network document",
              {{log::Key::Version, std::to_string(ledger_.document().version)}});
  sign_link::Done done;
  done.sequence = *sequence;
  admin_->send(done);
}

void Signer::rotate_key(const sign_link::RotateKey& request) {
  if (auto no = judge(ledger_, request)) return refuse_admin(no->rule, no->sentence);
  auto made = make_key(keys_, ledger_, request.kind, os::unix_now());
  if (!made) {
    log::error("cannot make a key", {{log::Key::Err, made.error().text()}});
    return refuse_admin(Rule::BadRequest, "the key cannot be made");
  }
  const auto sequence = record(made->entry);
  wipe(made->entry.secret);
  if (!sequence) return refuse_admin(Rule::Storage, kStorageSentence);
  use_key(keys_, request.kind, std::move(made->key));
  log::notice("made a new key", {{log::Key::Msg, std::string(key_kind_name(request.kind))}});
  answer_done(*sequence);
}

void Signer::retire_key(const sign_link::RetireKey& request) {
  if (auto no = judge(ledger_, request, os::unix_now()))
    return refuse_admin(no->rule, no->sentence);
  const auto sequence = record(registry::RetireEntry{request.kind});
  if (!sequence) return refuse_admin(Rule::Storage, kStorageSentence);
  log::notice("retired an old key", {{log::Key::Msg, std::string(key_kind_name(request.kind))}});
  answer_done(*sequence);
}

void Signer::approve(const sign_link::Approve& request) {
  const auto judgement = judge(ledger_, request, os::unix_now());
  if (const auto* no = std::get_if<Refusal>(&judgement))
    return refuse_admin(no->rule, no->sentence);
  const Invite& invite = *std::get<const Invite*>(judgement);
  carry_out(registry::ApproveEntry{invite.entry.token, invite.asked->address, request.approved},
            request.approved ? "approved a join" : "rejected a join", request.name);
}

sign_link::Entries Signer::entries(const sign_link::ReadJournal& request) {
  sign_link::Entries out;
  out.next = request.from;
  auto read = journal_.read(request.from, kEntriesPerMessage, kBytesPerMessage);
  if (!read) {
    log::error("cannot read the journal", {{log::Key::Err, read.error().text()}});
    return out;
  }
  out.entries = *std::move(read);
  out.next += out.entries.size();
  out.more = out.next < journal_.next_sequence();
  return out;
}

Result<std::uint64_t> Signer::record(registry::EntryBody body) {
  registry::Entry entry;
  entry.sequence = ledger_.next_sequence();
  entry.time = os::unix_now();
  entry.previous = ledger_.last_hash();
  entry.body = std::move(body);
  const auto written = journal_.append(entry);
  if (!written) {
    log::error("cannot write the journal", {{log::Key::Err, written.error().text()}});
    return written.error();
  }
  const auto applied = ledger_.apply(entry);  // judged before: cannot fail
  WATTLE_CHECK(applied.has_value());
  tell_registry();
  return entry.sequence;
}

void Signer::tell_registry() {
  if (!registry_ || told_) return;
  sign_link::NewEntries news;
  news.next = journal_.next_sequence();
  told_ = registry_->send(news);
  owed_ = !told_;
}

void Signer::renew_document() {
  if (doubt_clock()) return;
  auto text = signer::renew_document(keys_, ledger_, os::unix_now());
  if (!text) return;
  if (record(registry::DocumentEntry{*std::move(text)}))
    log::info("signed the network document anew",
              {{log::Key::Version, std::to_string(ledger_.document().version)}});
}

}  // namespace wattle::signer
