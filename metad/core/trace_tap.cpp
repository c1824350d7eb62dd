#include "metad/core/trace_tap.h"

namespace wattle::metad {

bool TraceTap::start(ControlId control, const std::optional<NodeAddress>& only) {
  if (!listeners_.contains(control) && listeners_.size() >= kMaxListeners) return false;
  listeners_[control] = only;
  return true;
}

bool TraceTap::stop(ControlId control) {
  const bool listened = listeners_.erase(control) != 0;
  if (listeners_.empty()) links_.clear();
  return listened;
}

void TraceTap::know(LinkId link, const NodeAddress& address, const std::string& name) {
  links_.try_emplace(link, Known{address, name});
}

std::string TraceTap::name(LinkId link) const {
  const auto at = links_.find(link);
  return at == links_.end() ? "-" : at->second.name;
}

std::vector<ControlId> TraceTap::listeners(LinkId link) const {
  std::vector<ControlId> out;
  const auto at = links_.find(link);
  for (const auto& [control, only] : listeners_)
    if (!only || (at != links_.end() && at->second.address == *only)) out.push_back(control);
  return out;
}

}  // namespace wattle::metad
