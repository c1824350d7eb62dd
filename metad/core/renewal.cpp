#include "metad/core/renewal.h"

#include <algorithm>

#include "metad/core/renewal_message.h"

namespace wattle::metad {

using std::chrono::seconds;

namespace {

constexpr std::uint32_t kMostRetryMs = 600'000;

}  // namespace

Renewal::Renewal(NodeAddress address, std::shared_ptr<const crypto::PrivateKey> tls_key,
                 Random& random)
    : address_(address), tls_key_(std::move(tls_key)), random_(&random) {}

void Renewal::renewed(UnixTime not_before, UnixTime not_after) {
  const std::uint64_t whole = not_after > not_before ? not_after.seconds - not_before.seconds : 0;
  const std::uint64_t life = whole > kBackdated ? whole - kBackdated : whole;
  planned_.seconds = not_after.seconds - life + life / 3 * 2 + random_->u32() % (life / 20 + 1);
  longest_ = seconds(std::clamp<std::int64_t>(static_cast<std::int64_t>(life / 20), 1,
                                              kLongestBackOff / seconds(1)));
  delay_ = seconds(1);
  step_ = Step::Idle;
  wanted_ = false;
  not_before_ = {};
  look_ = {};
  csr_.clear();
}

void Renewal::want_now() {
  wanted_ = true;
  look_ = not_before_;
}

void Renewal::keyd(bool up) {
  keyd_ = up;
  if (step_ == Step::Signing) step_ = Step::Idle;
}

std::optional<key_link::SignEnrolment> Renewal::due(Now now) {
  if (step_ != Step::Idle && now.mono >= limit_) failed(false, now);
  if (tls_key_ == nullptr || step_ != Step::Idle) return std::nullopt;
  if (!wanted_ && now.unix < planned_) {
    const std::uint64_t wait =
        std::min<std::uint64_t>(planned_.seconds - now.unix.seconds, kLookAgain / seconds(1));
    look_ = now.mono + seconds(static_cast<std::int64_t>(wait));
    return std::nullopt;
  }
  look_ = not_before_;
  if (!keyd_ || now.mono < not_before_) return std::nullopt;
  if (csr_.empty()) {
    auto csr = crypto::make_csr(*tls_key_);
    if (!csr) {
      failed(true, now);
      return std::nullopt;
    }
    csr_ = std::move(*csr);
  }
  random_->fill(nonce_);
  step_ = Step::Signing;
  limit_ = now.mono + kSignLimit;
  return key_link::SignEnrolment{crypto::sha256(csr_), nonce_};
}

std::optional<std::string> Renewal::on_signature(const key_link::Enrolment& answer,
                                                 ByteView credential, const std::string& name,
                                                 Now now) {
  if (step_ != Step::Signing) return std::nullopt;
  step_ = Step::Asking;
  limit_ = now.mono + kAskLimit;
  return build_renewal(address_, csr_, nonce_, answer.signature, credential, name);
}

void Renewal::failed(bool spoilt, Now now) {
  step_ = Step::Idle;
  if (spoilt) csr_.clear();
  look_ = not_before_ = now.mono + jitter(delay_);
  // Fast at first: most failures are a registry that restarts.
  delay_ = std::min(delay_ * 2, longest_);
}

void Renewal::refused(std::uint32_t retry_ms, Now now) {
  if (step_ != Step::Signing) return;
  failed(false, now);
  const Instant retry =
      now.mono + std::chrono::milliseconds(std::min<std::uint32_t>(retry_ms, kMostRetryMs));
  look_ = not_before_ = std::max(not_before_, retry);
}

Instant Renewal::next_deadline() const {
  if (tls_key_ == nullptr) return kNever;
  if (step_ != Step::Idle) return limit_;
  return keyd_ ? look_ : kNever;
}

// Three quarters to five quarters of it.
Duration Renewal::jitter(Duration base) {
  return base * 3 / 4 + base * static_cast<std::int64_t>(random_->u32() % 1024) / 2048;
}

}  // namespace wattle::metad
