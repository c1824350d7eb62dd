#include "metad/ctl/up_store.h"

namespace wattle::ctl {

bool DescriptorStore::put(std::string_view name, os::Fd fd) {
  const auto found = held_.find(name);
  if (found != held_.end()) {
    found->second = std::move(fd);
    return true;
  }
  if (held_.size() >= kMax) return false;
  held_.emplace(name, std::move(fd));
  return true;
}

void DescriptorStore::remove(std::string_view name) {
  if (const auto found = held_.find(name); found != held_.end()) held_.erase(found);
}

}  // namespace wattle::ctl
