// wattle-cryptod's command line and file keys, and what it reads before the seal.
#pragma once

#include <sys/types.h>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/os/log.h"
#include "cryptod/core/engine.h"

namespace wattle::cryptod {

// How packets are read and written; Auto: the better one that this kernel has.
enum class IoWay { Auto, Epoll, Uring };

struct Config {
  std::string network;
  std::string genesis;  // file
  os::log::Level level = os::log::Level::Info;
  std::uint64_t relay_rate = 0;  // bytes per second of each source
  Offloads offloads;
  IoWay io = IoWay::Auto;
  uid_t tap_uid = 0, meta_uid = 0, key_uid = 0;
};

// nullopt: --help or --version was asked for and has been answered on stdout. Errors: Errc::Config
// with one sentence.
Result<std::optional<Config>> load_config(int argc, const char* const* argv);

// Reads and checks the genesis file: network id, keys and blocks; the rest from the configuration.
Result<EngineConfig> load_genesis(const Config& config);

}  // namespace wattle::cryptod
