#include "registry/admin/admin_link.h"

#include <fcntl.h>
#include <sys/file.h>

#include "common/os/file.h"

namespace wattle::registry {
namespace {

constexpr Duration kPatience = std::chrono::seconds(10);

Error not_running(const std::string& network) {
  return Error(Errc::Closed, "the signer of network " + network +
                                 " does not run: start it with wattle up " + network);
}

}  // namespace

Result<std::unique_ptr<AdminLink>> AdminLink::connect(const os::Paths& paths,
                                                      const std::string& network) {
  std::unique_ptr<AdminLink> link(new AdminLink);
  link->lock_ = os::Fd(::open(paths.registry_config().c_str(), O_RDONLY | O_CLOEXEC));
  if (!link->lock_.is_open()) return os::system_error("cannot open " + paths.registry_config());
  if (flock(link->lock_.raw(), LOCK_EX) != 0)
    return os::system_error("cannot lock " + paths.registry_config());
  auto socket = os::connect_lane(paths.run + "/sign.admin");
  if (!socket) {
    if (socket.error().code == Errc::Denied) return socket.error();
    return not_running(network);
  }
  Channel::Callbacks callbacks;
  AdminLink& self = *link;
  callbacks.on_message = [&self](sign_link::ToAdmin::Message& message, std::vector<os::Fd>&) {
    self.answer_ = std::move(message);
    self.loop_.stop();
  };
  callbacks.on_end = [&self](const Error& reason) {
    self.ended_ = reason;
    self.loop_.stop();
  };
  link->channel_ = std::make_unique<Channel>(link->loop_, *std::move(socket), "sign.admin",
                                             std::move(callbacks));
  return link;
}

void AdminLink::wait() {
  const os::Watch patience = loop_.after(kPatience, [this] {
    ended_ = Error(Errc::Timeout, "the signer does not answer: see its log");
    loop_.stop();
  });
  if (!ended_) loop_.run();
}

template <typename Request>
Result<void> AdminLink::ask(const Request& request) {
  answer_ = std::monostate();
  channel_->send(request);
  wait();
  if (ended_) return *ended_;
  return {};
}

template <typename Request>
Result<std::uint64_t> AdminLink::order(const Request& request) {
  WATTLE_TRY(ask(request));
  if (const auto* done = std::get_if<sign_link::Done>(&answer_)) return done->sequence;
  const auto* refused = std::get_if<sign_link::Refused>(&answer_);
  if (refused == nullptr) return Error(Errc::BadValue, "the signer gives a wrong answer");
  const bool is_wrong = refused->rule == sign_link::Rule::BadRequest;
  return Error(is_wrong ? Errc::BadSyntax : Errc::Denied, refused->sentence);
}

template Result<std::uint64_t> AdminLink::order(const sign_link::MakeInvite&);
template Result<std::uint64_t> AdminLink::order(const sign_link::Rename&);
template Result<std::uint64_t> AdminLink::order(const sign_link::Revoke&);
template Result<std::uint64_t> AdminLink::order(const sign_link::SetFlags&);
template Result<std::uint64_t> AdminLink::order(const sign_link::SetDocument&);
template Result<std::uint64_t> AdminLink::order(const sign_link::AcceptClock&);
template Result<std::uint64_t> AdminLink::order(const sign_link::RotateKey&);
template Result<std::uint64_t> AdminLink::order(const sign_link::RetireKey&);
template Result<std::uint64_t> AdminLink::order(const sign_link::Approve&);

Result<std::vector<Entry>> AdminLink::read_journal() {
  std::vector<Entry> out;
  crypto::Hash last{};
  sign_link::ReadJournal request;
  for (;;) {
    WATTLE_TRY(ask(request));
    const auto* entries = std::get_if<sign_link::Entries>(&answer_);
    if (entries == nullptr) return Error(Errc::BadValue, "the signer gives a wrong answer");
    for (const Bytes& bytes : entries->entries) {
      Entry entry = WATTLE_TRY(decode_entry(bytes, Secrets::Removed));
      if (entry.previous != last || entry.sequence != out.size())
        return Error(Errc::BadValue, "the signer's journal does not hang together at entry " +
                                         std::to_string(out.size()));
      last = entry.hash;
      out.push_back(std::move(entry));
    }
    if (!entries->more) return out;
    request.from = entries->next;
  }
}

}  // namespace wattle::registry
