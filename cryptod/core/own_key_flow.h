// The life of our own packet key: made when keyd and a valid own credential are there, signed by
// keyd, renewed every hour and at once with a new credential, its private half erased ten minutes
// later.
#pragma once

#include "cryptod/core/member_book.h"

namespace wattle::cryptod {

class OwnKeyFlow {
 public:
  static constexpr Duration kRotate = std::chrono::minutes(60);
  static constexpr Duration kRotateJitter = std::chrono::minutes(6);  // either way
  static constexpr Duration kAskAgain = std::chrono::seconds(5);
  static constexpr Duration kCredentialAgain = std::chrono::seconds(10);
  static constexpr std::uint32_t kLeastRetryMs = 200, kMostRetryMs = 60000;

  OwnKeyFlow(EngineContext& context, SessionKeeper& sessions)
      : ctx_(context), sessions_(sessions) {}

  void identity(const key_link::Identity& identity);
  void signed_record(const key_link::PacketKey& message);
  void refused(const key_link::PacketKeyRefused& message);
  void key_lost() { key_up_ = false; }
  void credential(const CredentialBytes& offered);

  void due();
  Instant next() const;

 private:
  bool try_credential();  // true: it is a new one, and keyd has been asked
  void ask();
  void push_record();

  EngineContext& ctx_;
  SessionKeeper& sessions_;
  bool key_up_ = false;
  std::optional<crypto::PrivateKey> made_;  // waits for keyd's signature
  Instant ask_at_ = kNever;                 // ask keyd then
  Instant credential_at_ = kNever;          // try a refused credential again (clocks get set)
};

}  // namespace wattle::cryptod
