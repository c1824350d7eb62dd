// The life of our own packet key: made when keyd and a valid own credential are there, signed by
// keyd, renewed every hour and at once with a new credential, its private half erased ten minutes
// later. Live sessions get the new record pushed, so a renewal costs none of them.
#pragma once

#include "cryptod/core/member_book.h"

namespace wattle::cryptod {

class OwnKeyFlow {
 public:
  static constexpr Duration kRotate = std::chrono::minutes(60);
  static constexpr Duration kRotateJitter = std::chrono::minutes(6);  // either way
  static constexpr Duration kAskAgain = std::chrono::seconds(5);
  static constexpr Duration kCredentialAgain = std::chrono::seconds(10);
  static constexpr Duration kPushAgain = std::chrono::seconds(2);  // then twice as long
  static constexpr std::uint32_t kPushes = 3;
  // So many sessions are told at once, the next ones after the pause: frames have their turn.
  static constexpr std::size_t kPushSlice = 256;
  static constexpr Duration kPushPause = std::chrono::milliseconds(5);
  static constexpr std::uint32_t kLeastRetryMs = 200, kMostRetryMs = 60000;

  OwnKeyFlow(EngineContext& context, SessionKeeper& sessions)
      : ctx_(context), sessions_(sessions) {}

  void identity(const key_link::Identity& identity);
  void signed_record(const key_link::PacketKey& message);
  void refused(const key_link::PacketKeyRefused& message);
  // What keyd has kept from before our start.
  void last_record(const key_link::LastRecord& message);
  void document_version(const key_link::DocumentVersion& message);
  // A network document has been verified: keyd keeps its version.
  void document_verified();
  void key_lost() { key_up_ = false; }
  void credential(const CredentialBytes& offered);  // from metad
  // The credential keys in force are others: the one that was refused may be good now.
  void try_offered() { try_credential(); }

  void due();
  Instant next() const;

 private:
  bool try_credential();  // true: it is a new one, and keyd has been asked
  void ask();
  void push_record();
  void push_slice();
  void end_credential();
  void refuse(std::string_view message, std::string_view rule);  // what keyd said

  EngineContext& ctx_;
  SessionKeeper& sessions_;
  bool key_up_ = false;
  TokenBucket tries_{5, 20};                // verifications of what metad offers
  std::optional<crypto::PrivateKey> made_;  // waits for keyd's signature
  Instant ask_at_ = kNever;                 // ask keyd then
  Instant credential_at_ = kNever;          // try a refused credential again (clocks get set)
  Instant over_at_ = kNever;                // look whether the credential has ended
  Instant push_at_ = kNever;                // push the record once more: a datagram may be lost
  std::uint32_t pushes_left_ = 0;
  Instant slice_at_ = kNever;
  std::size_t slice_left_ = 0;  // live sessions not told yet in this push
  Instant signed_at_{};         // the record in use: sessions born later know it
};

}  // namespace wattle::cryptod
