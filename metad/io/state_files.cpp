#include "metad/io/state_files.h"

#include "common/os/file.h"

namespace wattle::metad {

void StateFiles::store(const std::string& name, std::string text) {
  const auto written = write(name, text);
  if (written) {
    unwritten_.erase(name);
    return;
  }
  faults_.write(os::log::Level::Warning,
                written.error().text() + "; it is kept in memory and tried again");
  if (unwritten_.empty()) again_ = loop_.after(kRetry, [this] { retry(); });
  unwritten_[name] = std::move(text);
}

Result<void> StateFiles::write(const std::string& name, const std::string& text) {
  return os::write_file(folder_ + "/" + name, as_bytes(text), 0600);
}

void StateFiles::retry() {
  for (auto at = unwritten_.begin(); at != unwritten_.end();) {
    if (!write(at->first, at->second)) {
      ++at;
      continue;
    }
    os::log::notice("a file of the state folder is written at last",
                    {{os::log::Key::Path, at->first}});
    at = unwritten_.erase(at);
  }
  if (!unwritten_.empty()) again_ = loop_.after(kRetry, [this] { retry(); });
}

}  // namespace wattle::metad
