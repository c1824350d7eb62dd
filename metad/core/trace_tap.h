// Who listens to the lines of the links (TRACE), and to which. Pure; the lines themselves are
// copied by the engine, and what a slow reader loses is counted where they leave (trace_gate.h).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/proto/node_address.h"
#include "metad/core/ids.h"

namespace wattle::metad {

class TraceTap {
 public:
  static constexpr std::size_t kMaxListeners = 8;

  // `only`: lines of links with this member; else all. False: too many listen.
  bool start(ControlId control, const std::optional<NodeAddress>& only);
  bool stop(ControlId control);  // true if it listened
  bool is_listening(ControlId control) const { return listeners_.contains(control); }
  bool any() const { return !listeners_.empty(); }

  // A link's last line may leave after the engine has forgotten it: its name is kept while somebody
  // listens. know() for each link that there is; keep_only() when others have gone.
  void know(LinkId link, const NodeAddress& address, const std::string& name);
  template <typename Links>
  void keep_only(const Links& links) {
    std::erase_if(links_, [&](const auto& item) { return !links.contains(item.first); });
  }
  // The name of the link's member; "-" if it was never known.
  std::string name(LinkId link) const;
  std::vector<ControlId> listeners(LinkId link) const;

 private:
  struct Known {
    NodeAddress address;
    std::string name;
  };
  std::map<ControlId, std::optional<NodeAddress>> listeners_;
  std::map<LinkId, Known> links_;
};

}  // namespace wattle::metad
