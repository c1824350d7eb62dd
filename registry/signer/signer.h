// The signer at work: two lanes in, the journal and the keys behind them. Everything it needs is
// open before the seal; it reads and writes these descriptors only.
#pragma once

#include <memory>

#include "common/base/token_bucket.h"
#include "common/ipc/sign_link.h"
#include "common/os/channel.h"
#include "common/os/clock.h"
#include "registry/signer/clock_guard.h"
#include "registry/signer/journal.h"
#include "registry/signer/ledger.h"
#include "registry/signer/notary.h"

namespace wattle::signer {

class Signer {
 public:
  // `ledger` is the replayed `journal`.
  Signer(os::EventLoop& loop, Journal journal, Ledger ledger, Keys keys, Joins joins);

  // Takes the listening sockets of both lanes.
  void listen(os::Fd sign, uid_t registry_uid, os::Fd sign_admin, uid_t admin_uid);

  // Re-signs the network document if it is due; called at start and by a timer.
  void renew_document();

 private:
  using RegistryEnd = os::Channel<sign_link::ToRegistry, sign_link::FromRegistry>;
  using AdminEnd = os::Channel<sign_link::ToAdmin, sign_link::FromAdmin>;

  void connect_registry(os::Fd socket);
  void connect_admin(os::Fd socket);
  void issue(const sign_link::Issue& request);
  void keep_waiting(const sign_link::Issue& request, const Wait& wait);
  void renew(const sign_link::Renew& request);
  void make_invite(const sign_link::MakeInvite& request);
  void rename(const sign_link::Rename& request);
  void revoke(const sign_link::Revoke& request);
  void set_flags(const sign_link::SetFlags& request);
  void set_document(const sign_link::SetDocument& request);
  void rotate_key(const sign_link::RotateKey& request);
  void retire_key(const sign_link::RetireKey& request);
  void accept_clock(const sign_link::AcceptClock& request);
  // One of the requests of root, unless the clock cannot be right.
  template <typename Request>
  void admin_request(const Request& request, void (Signer::*perform)(const Request&));
  template <typename Made>
  bool certified(std::uint32_t id, Result<Made> made, const char* what);
  void approve(const sign_link::Approve& request);
  // Records what root asked for, makes the document that follows from it, and answers.
  void carry_out(registry::EntryBody body, const char* what, const std::string& name);
  // Makes the document that follows from what was recorded, and says so.
  void answer_done(std::uint64_t sequence);
  void refuse_admin(sign_link::Rule rule, std::string sentence);
  void refuse_registry(std::uint32_t id, sign_link::Rule rule, std::string sentence);
  sign_link::Entries entries(const sign_link::ReadJournal& request);
  void tell_registry();
  // Appends, applies and tells the registry; the entry's sequence number, or an error that was
  // logged.
  Result<std::uint64_t> record(registry::EntryBody body);
  // The sentence if the clock cannot be right; the log gets it once.
  std::optional<std::string> doubt_clock();

  os::EventLoop& loop_;
  Journal journal_;
  Ledger ledger_;
  Keys keys_;
  ClockGuard clock_;
  bool clock_told_ = false;  // the log has it that the clock is off
  Joins joins_;
  TokenBucket issues_, renewals_;
  std::unique_ptr<os::LaneListener> registry_listener_, admin_listener_;
  std::unique_ptr<RegistryEnd> registry_;
  std::unique_ptr<AdminEnd> admin_;
  os::Watch renewal_, refresh_;
  os::log::Limited refusals_, comings_;
  bool told_ = false;  // the registry has a NewEntries that it did not read on for
  bool owed_ = false;  // its lane was full
};

}  // namespace wattle::signer
