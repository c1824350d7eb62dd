// The counter file: opened and read before the seal; afterwards only pwrite and fdatasync on the
// open descriptor.
#pragma once

#include <string>

#include "common/os/fd.h"
#include "common/os/log.h"
#include "cryptod/keys/keeper.h"

namespace wattle::keys {

class CounterFile : public CounterStore {
 public:
  // Makes the file (0600) if there is none and reserves its space. Says in the log what state it is
  // in; damage is no error. System: it cannot be opened or read.
  static Result<CounterFile> open(const std::string& path);

  const Loaded& loaded() const { return loaded_; }
  bool store(const Counters& counters) override;

 private:
  CounterFile(os::Fd file, const Loaded& loaded) : file_(std::move(file)), loaded_(loaded) {}
  os::Fd file_;
  os::log::Limited complaints_;
  Loaded loaded_;
};

}  // namespace wattle::keys
