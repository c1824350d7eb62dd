// A NAT for the lab: it maps each inside endpoint to a port of its own (or one for each
// destination), and lets in only what comes from exactly where something was sent to.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "common/net/endpoint.h"

namespace wattle::cryptod::lab {

class Nat {
 public:
  enum class Mapping { Same, PerDestination };

  explicit Nat(const IpAddress& outside, Mapping mapping = Mapping::Same)
      : outside_(outside), mapping_(mapping) {}

  const IpAddress& outside() const { return outside_; }

  // Something leaves: its source as the world sees it.
  Endpoint out(const Endpoint& inside, const Endpoint& to) {
    const Endpoint key = mapping_ == Mapping::Same ? Endpoint{} : to;
    const auto [place, fresh] = ports_.try_emplace({inside, key}, next_);
    if (fresh) {
      owners_[next_] = inside;
      ++next_;
    }
    open_.insert({place->second, to});
    return {outside_, place->second};
  }
  // Something comes to `port`: who inside gets it. Unsolicited: nobody.
  std::optional<Endpoint> in(const Endpoint& from, std::uint16_t port) const {
    if (!open_.contains({port, from})) return std::nullopt;
    return owners_.at(port);
  }
  // It forgets everything, as after a restart.
  void rebind() {
    ports_.clear();
    owners_.clear();
    open_.clear();
    next_ = static_cast<std::uint16_t>(next_ + 1000);
  }

 private:
  IpAddress outside_;
  Mapping mapping_;
  std::uint16_t next_ = 40000;
  std::map<std::pair<Endpoint, Endpoint>, std::uint16_t> ports_;
  std::map<std::uint16_t, Endpoint> owners_;
  std::set<std::pair<std::uint16_t, Endpoint>> open_;
};

}  // namespace wattle::cryptod::lab
