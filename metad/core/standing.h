// How this node stands as a member, for its own administrator: what is wrong, in sentences that
// `wattle status` and the log show. Pure; nothing is decided here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/time.h"

namespace wattle::metad {

class Standing {
 public:
  explicit Standing(std::string network) : network_(std::move(network)) {}

  // The network document in force names the serial held, or does not. True: this is news.
  bool revoked_by_document(bool revoked);
  // A neighbour closed a link with this reason; nothing to rely on. True: this is news.
  bool told_revoked(const std::string& neighbour);
  // Why the last renewal failed.
  void renewal_failed(std::string why) { renewal_ = std::move(why); }
  void renewed();
  // The newest document that this node has ever verified (keyd's memory); `held`: the one in force.
  void remembers(std::uint64_t version) { least_ = version; }

  // Most serious first; empty where all is well.
  std::vector<std::string> troubles(UnixTime now, UnixTime expires, std::uint64_t held) const;
  // The first sentence of them about a revocation, for the log.
  std::string revoked_sentence() const;

 private:
  std::string network_;
  bool revoked_ = false;
  std::string told_;  // by whom
  std::optional<std::string> renewal_;
  std::uint64_t least_ = 0;
};

}  // namespace wattle::metad
