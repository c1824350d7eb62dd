// The registry's end of the lane to the signer: connects, connects again when the signer was
// restarted, and keeps the store caught up with the journal: the signer tells when it has grown.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "common/ipc/sign_link.h"
#include "common/os/channel.h"
#include "registry/core/store.h"

namespace wattle::registry {

class SignerLink {
 public:
  using Verdict = std::variant<sign_link::Issued, sign_link::Refused>;
  using OnVerdict = std::function<void(Result<Verdict> verdict)>;
  using OnCaughtUp = std::function<void(Result<void> done)>;

  struct Events {
    std::function<void(const Entry& entry)> on_entry;  // after the store has it
    std::function<void()> on_clear;                    // the store was emptied: it starts anew
  };
  SignerLink(os::EventLoop& loop, std::string path, Store& store, Events events);

  // Connects, and again for ever.
  void start();
  bool is_up() const { return channel_ != nullptr && channel_->agreed(); }

  // Reads the journal to its end, then calls back; Closed if the signer is or goes away. Callbacks
  // may come at once. Any number may wait.
  void catch_up(OnCaughtUp done);
  // The store is damaged or contradicts the journal: it is cleared and filled anew.
  void start_over();
  // One at a time (CHECKed). The request's id is set here. Closed as above.
  void ask(sign_link::Issue request, OnVerdict done) { ask_signer(std::move(request), done); }
  void ask(sign_link::Renew request, OnVerdict done) { ask_signer(std::move(request), done); }

 private:
  using Channel = os::Channel<sign_link::FromRegistry, sign_link::ToRegistry>;
  template <typename Request>
  void ask_signer(Request request, OnVerdict& done);
  void connect();
  void connect_later();
  void ended();
  void read_on();
  bool clear();
  void take(sign_link::Entries& entries);
  Result<void> note(const std::vector<Bytes>& entries);
  Result<bool> is_same_journal(const sign_link::Entries& entries) const;
  void expect_answer();
  void caught_up(const Result<void>& result);
  void take_verdict(std::uint32_t id, Verdict verdict);

  os::EventLoop& loop_;
  std::string path_;
  Store& store_;
  Events events_;
  std::unique_ptr<Channel> channel_;
  os::Watch retry_, patience_;
  bool reading_ = false;
  bool started_over_ = false;  // in this connection: once is enough
  bool verified_ = false;      // this connection's journal continues what the store has
  std::deque<OnCaughtUp> waiting_;
  OnVerdict on_verdict_;
  std::uint32_t request_id_ = 0;
  bool told_away_ = false;
};

}  // namespace wattle::registry
