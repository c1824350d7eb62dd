#include "registry/io/signer_link.h"

#include "common/os/log.h"

namespace wattle::registry {
namespace {

namespace log = os::log;
constexpr Duration kRetry = std::chrono::milliseconds(200);
constexpr Duration kPatience = std::chrono::seconds(5);  // with a signer that stands still

Error away() { return Error(Errc::Closed, "the signer is away: try again in a moment"); }

}  // namespace

SignerLink::SignerLink(os::EventLoop& loop, std::string path, Store& store, Events events)
    : loop_(loop), path_(std::move(path)), store_(store), events_(std::move(events)) {}

void SignerLink::start() { connect(); }

void SignerLink::connect() {
  auto socket = os::connect_lane(path_);
  if (!socket) {
    if (!told_away_)
      log::warning("cannot reach the signer", {{log::Key::Err, socket.error().text()}});
    told_away_ = true;
    return connect_later();
  }
  Channel::Callbacks callbacks;
  callbacks.on_message = [this](sign_link::ToRegistry::Message& message, std::vector<os::Fd>&) {
    std::visit(ipc::Overload{[](std::monostate&) {},
                             [this](sign_link::Issued& m) { take_verdict(m.id, std::move(m)); },
                             [this](sign_link::Refused& m) { take_verdict(m.id, std::move(m)); },
                             [this](sign_link::Entries& m) { take(m); },
                             [this](sign_link::NewEntries& m) {
                               if (m.next > store_.next_sequence())
                                 catch_up([](const Result<void>&) {});
                             }},
               message);
  };
  callbacks.on_end = [this](const Error& reason) {
    log::warning("the signer is away", {{log::Key::Err, reason.text()}});
    ended();
  };
  callbacks.on_open = [this] {
    log::info("the signer answers");
    told_away_ = false;
    catch_up([](const Result<void>&) {});
  };
  verified_ = false;
  started_over_ = false;
  reading_ = false;
  channel_ = std::make_unique<Channel>(loop_, *std::move(socket), "sign", std::move(callbacks));
}

void SignerLink::connect_later() {
  retry_ = loop_.after(kRetry, [this] { connect(); });
}

void SignerLink::expect_answer() {
  patience_ = loop_.after(kPatience, [this] {
    log::warning("the signer does not answer");
    ended();
  });
}

void SignerLink::ended() {
  patience_.reset();
  channel_.reset();
  connect_later();
  caught_up(away());
  if (on_verdict_) std::exchange(on_verdict_, nullptr)(away());
}

void SignerLink::catch_up(OnCaughtUp done) {
  if (!is_up()) return done(away());
  waiting_.push_back(std::move(done));
  if (!reading_) read_on();
}

// The first read of a connection begins one entry early, to see that it is still the same journal.
void SignerLink::read_on() {
  sign_link::ReadJournal request;
  request.from = store_.next_sequence();
  if (!verified_ && request.from != 0) --request.from;
  reading_ = channel_->send(request);
  if (!reading_) return caught_up(away());
  expect_answer();
}

Result<bool> SignerLink::is_same_journal(const sign_link::Entries& entries) const {
  if (store_.next_sequence() == 0) return true;
  if (entries.entries.empty()) return false;
  const Entry first = WATTLE_TRY(decode_entry(entries.entries[0], Secrets::Removed));
  return first.hash == store_.last_hash();
}

Result<void> SignerLink::note(const std::vector<Bytes>& entries) {
  std::vector<Entry> decoded;
  for (const Bytes& bytes : entries) {
    Entry entry = WATTLE_TRY(decode_entry(bytes, Secrets::Removed));
    if (entry.sequence < store_.next_sequence()) continue;  // the one read again to compare
    decoded.push_back(std::move(entry));
  }
  WATTLE_TRY(store_.apply(decoded));
  for (const Entry& entry : decoded) events_.on_entry(entry);
  return {};
}

void SignerLink::take(sign_link::Entries& entries) {
  if (!reading_) return;
  reading_ = false;
  if (!on_verdict_) patience_.reset();
  if (!verified_) {
    const auto same = is_same_journal(entries);
    if (!same) return caught_up(same.error());
    verified_ = true;
    if (!*same) {
      log::warning("the signer's journal is another one than before: reading it anew");
      if (const auto cleared = store_.clear(); !cleared) return caught_up(cleared.error());
      events_.on_clear();
      return read_on();
    }
  }
  const auto noted = note(entries.entries);
  if (!noted) {
    log::error("cannot note the signer's journal", {{log::Key::Err, noted.error().text()}});
    if (noted.error().code == Errc::BadValue && !started_over_ && clear()) return read_on();
    return caught_up(noted.error());
  }
  if (entries.more) return read_on();
  caught_up({});
}

bool SignerLink::clear() {
  started_over_ = true;
  log::warning("the database is damaged or contradicts the journal: reading that anew");
  const auto cleared = store_.clear();
  if (!cleared) log::error("cannot clear it", {{log::Key::Err, cleared.error().text()}});
  if (cleared) events_.on_clear();
  return cleared.has_value();
}

void SignerLink::start_over() {
  if (!started_over_ && clear()) catch_up([](const Result<void>&) {});
}

void SignerLink::caught_up(const Result<void>& result) {
  std::deque<OnCaughtUp> done;
  done.swap(waiting_);
  for (OnCaughtUp& callback : done) callback(result);
}

template <typename Request>
void SignerLink::ask_signer(Request request, OnVerdict& done) {
  WATTLE_CHECK(!on_verdict_);
  if (!is_up()) return done(away());
  request.id = ++request_id_;
  if (!channel_->send(request)) return done(away());
  on_verdict_ = std::move(done);
  expect_answer();
}

void SignerLink::take_verdict(std::uint32_t id, Verdict verdict) {
  if (id != request_id_ || !on_verdict_) return;
  if (!reading_) patience_.reset();
  std::exchange(on_verdict_, nullptr)(std::move(verdict));
}

template void SignerLink::ask_signer(sign_link::Issue, OnVerdict&);
template void SignerLink::ask_signer(sign_link::Renew, OnVerdict&);

}  // namespace wattle::registry
