#include "cryptod/config.h"

#include <cstdint>
#include <cstdio>
#include <limits>

#include "common/base/check.h"
#include "common/base/parse.h"
#include "common/base/parse_rate.h"
#include "common/os/file.h"
#include "common/os/options.h"
#include "common/os/paths.h"
#include "common/os/users.h"
#include "common/proto/genesis.h"
#include "cryptod/core/parse_offloads.h"

namespace wattle::cryptod {

namespace {

constexpr std::uint64_t kByName = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kHighestUid = 0xffff'fffe;

struct Raw {
  std::string network, file, genesis, level = "info", relay = "yes", offload = "all", io = "auto";
  std::uint64_t tap_uid = kByName, meta_uid = kByName, key_uid = kByName;
  bool check = false;
};

constexpr const char* kProgram = "wattle-cryptod";
constexpr const char* kSummary = "packets, sessions and the switch of a wattle network";

std::optional<std::string> judge_offload(const std::string& value) {
  const auto read = parse_offloads(value);
  return read ? std::nullopt : std::optional(read.error().text());
}

void declare(os::Options& options, Raw& raw) {
  options.text("net", raw.network, "name of the network (required)")
      .text("config", raw.file, "instead of /etc/wattle/NET/wattle.conf")
      .text("genesis", raw.genesis, "genesis file (default /etc/wattle/NET/genesis)")
      .choice("log-level", raw.level, os::log::level_words(),
              "error, warning, notice, info or debug")
      .text("relay", raw.relay, "yes, no, or bytes per second that each member may have relayed")
      .allow(os::judge_relay)
      .text("offload", raw.offload,
            "all, none, or some of csum,tso,uso,gso,gro: what is left to kernel and card")
      .allow(judge_offload)
      .choice("io", raw.io, {"auto", "epoll", "uring"}, "how packets are read and written")
      .number("tap-uid", raw.tap_uid, "uid that may connect as tapd (default wattle-NET-tap)", 0,
              kHighestUid)
      .number("meta-uid", raw.meta_uid, "uid that may connect as metad (default wattle-NET-meta)",
              0, kHighestUid)
      .number("key-uid", raw.key_uid, "uid that may connect as keyd (default wattle-NET-key)", 0,
              kHighestUid)
      .switch_only("check", raw.check,
                   "look at the settings, say whether they are right, and exit");
}

Result<uid_t> uid_of(std::uint64_t given, const Raw& raw, const char* part) {
  if (given == kByName) {
    const auto user = os::find_user(os::user_name(raw.network, part));
    if (user) return user->uid;
    return Error(Errc::Config,
                 user.error().text() + ": `wattle join` makes it; or give --" + part + "-uid");
  }
  return static_cast<uid_t>(given);
}

}  // namespace

Result<std::optional<Config>> load_config(int argc, const char* const* argv) {
  Raw first;  // to learn --net, which says where the file is
  {
    os::Options options(kProgram, kSummary);
    declare(options, first);
    const auto outcome = WATTLE_TRY(options.parse(argc, argv));
    if (outcome == os::Options::Outcome::Help) std::fputs(options.help().c_str(), stdout);
    if (outcome == os::Options::Outcome::Version) std::puts("wattle-cryptod " WATTLE_VERSION);
    if (outcome != os::Options::Outcome::Run) return std::optional<Config>();
  }
  if (!is_network_name(first.network))
    return Error(Errc::Config,
                 "--net NAME is required: the network's name, 1 to 12 of a-z and 0-9");
  const os::Paths paths(first.network);
  Raw raw;
  os::Options options(kProgram, kSummary);
  declare(options, raw);
  const std::string file = first.file.empty() ? paths.config() : first.file;
  WATTLE_TRY(options.parse(argc, argv, file, !first.file.empty()));
  if (raw.check) {
    std::puts("wattle-cryptod: all right");
    return std::optional<Config>();
  }
  Config config;
  config.network = raw.network;
  config.genesis = raw.genesis.empty() ? paths.genesis() : raw.genesis;
  WATTLE_CHECK(os::log::parse_level(raw.level, config.level));
  config.relay_rate = WATTLE_TRY(parse_relay(raw.relay));
  config.offloads = WATTLE_TRY(parse_offloads(raw.offload));
  config.io = raw.io == "epoll" ? IoWay::Epoll : raw.io == "uring" ? IoWay::Uring : IoWay::Auto;
  config.tap_uid = WATTLE_TRY(uid_of(raw.tap_uid, raw, "tap"));
  config.meta_uid = WATTLE_TRY(uid_of(raw.meta_uid, raw, "meta"));
  config.key_uid = WATTLE_TRY(uid_of(raw.key_uid, raw, "key"));
  return std::optional<Config>(config);
}

Result<EngineConfig> load_genesis(const Config& config) {
  const auto fail = [&](const Error& why) {
    return Error(Errc::Config, "genesis " + config.genesis + ": " + why.text() +
                                   "; it is written by `wattle join`");
  };
  const auto text = os::read_text(config.genesis, kMaxDocument);
  if (!text) return fail(text.error());
  const auto genesis = parse_genesis(*text);
  if (!genesis) return fail(genesis.error());
  if (genesis->network != config.network)
    return fail(Error(Errc::BadValue,
                      "it is of the network " + genesis->network + ", not of " + config.network));
  EngineConfig out;
  out.network = network_id(genesis_hash(*text));
  out.credential_key = genesis->credential_key;
  out.document_key = genesis->document_key;
  out.prefix6 = genesis->prefix;
  out.prefix4 = genesis->ipv4;
  out.relay_rate = config.relay_rate;
  out.offloads = config.offloads;
  return out;
}

}  // namespace wattle::cryptod
