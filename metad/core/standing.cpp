#include "metad/core/standing.h"

#include <utility>

namespace wattle::metad {

namespace {

constexpr std::uint64_t kGrace = 30ull * 24 * 3600;  // the signer's: after a certificate's end

}  // namespace

bool Standing::revoked_by_document(bool revoked) {
  return !std::exchange(revoked_, revoked) && revoked;
}

bool Standing::told_revoked(const std::string& neighbour) {
  const bool is_news = told_.empty();
  told_ = neighbour;
  return is_news;
}

void Standing::renewed() {
  renewal_.reset();
  told_.clear();
}

std::string Standing::revoked_sentence() const {
  if (revoked_)
    return "this member was revoked by the administrator of " + network_ +
           ": the others have cut it off; to come back: sudo wattle leave " + network_ +
           ", then sudo wattle join URL with a new invite";
  return told_ + " says that this member was revoked; the network document here does not";
}

std::vector<std::string> Standing::troubles(UnixTime now, UnixTime expires,
                                            std::uint64_t held) const {
  std::vector<std::string> out;
  if (revoked_ || !told_.empty()) out.push_back(revoked_sentence());
  const std::string why = renewal_ ? "; the last try: " + *renewal_ : "";
  if (now.seconds >= expires.seconds + kGrace)
    out.push_back(
        "the certificate ended more than 30 days ago and cannot be renewed: sudo wattle "
        "leave " +
        network_ + ", then sudo wattle join URL with a new invite");
  else if (now >= expires && !revoked_)
    out.push_back(
        "the certificate has ended: no member talks to this host until it is renewed, "
        "which goes on for 30 days" +
        why);
  else if (renewal_ && !revoked_)
    out.push_back("the certificate could not be renewed yet" + why);
  if (held < least_)
    out.push_back("the network document here, version " + std::to_string(held) +
                  ", is older than one this host has verified before, version " +
                  std::to_string(least_) +
                  ": no packet travels until a neighbour or the registry brings a newer one");
  return out;
}

}  // namespace wattle::metad
