#include "metad/config.h"

#include <sys/stat.h>
#include <cstdio>

#include "common/base/check.h"
#include "common/base/parse.h"
#include "common/base/parse_rate.h"
#include "common/base/secret.h"
#include "common/os/file.h"
#include "common/os/options.h"
#include "common/os/paths.h"
#include "common/proto/genesis.h"
#include "common/proto/line.h"
#include "common/proto/origin_record.h"
#include "metad/core/membership.h"
#include "metad/core/requests.h"

namespace wattle::metad {
namespace {

constexpr std::size_t kMaxPeersFile = 1024 * 1024;
constexpr std::size_t kMaxPeers = 1000;
constexpr std::size_t kMaxMembershipFile = 64 * 1024;
constexpr const char* kJoin = "it is written by `wattle join`";

struct Raw {
  std::string network, file, genesis, state, run, level = "info", relay = "yes";
  std::uint64_t port = 8737;
  std::vector<std::string> ip, connect;
  bool indirect = false, tcp_only = false, requests = false, check = false;
};

Result<Endpoint> parse_place(std::string_view text, std::uint16_t port) {
  if (const auto address = IpAddress::parse(text)) return Endpoint{*address, port};
  return Endpoint::parse(text);
}

std::optional<std::string> judge_place(const std::string& value) {
  if (parse_place(value, 1)) return std::nullopt;
  return "needs an address or endpoint such as 192.0.2.1, 192.0.2.1:8737 or [2001:db8::1]:8737, "
         "not '" +
         value + "'";
}

void declare(os::Options& options, Raw& raw) {
  options.text("net", raw.network, "name of the network (required)")
      .text("config", raw.file, "instead of /etc/wattle/NET/wattle.conf")
      .number("port", raw.port, "TCP port of the meta protocol, the data port's number", 1, 65535)
      .list("ip", raw.ip, "own outside address or endpoint; instead of this host's addresses")
      .allow(judge_place)
      .list("connect", raw.connect, "endpoint to dial at start and to keep a link with")
      .allow(judge_place)
      .flag("indirect", raw.indirect, "ask others to reach this host only through others")
      .flag("tcp-only", raw.tcp_only, "ask others to send no UDP to this host")
      .text("relay", raw.relay, "yes, no or bytes per second; with no it tells of itself alone")
      .allow(os::judge_relay)
      .choice("log-level", raw.level, os::log::level_words(),
              "error, warning, notice, info or debug")
      .text("genesis", raw.genesis, "genesis file (default /etc/wattle/NET/genesis)")
      .text("state-dir", raw.state, "state folder (default /var/lib/wattle/NET/meta)")
      .text("run-dir", raw.run, "folder of the sockets (default /run/wattle/NET)")
      .switch_only("check", raw.check, "look at the settings, say whether they are right, and exit")
      .switch_only("requests", raw.requests, "print the table of the meta protocol and exit");
}

Error in_file(const std::string& path, const Error& why, const char* remedy) {
  return Error(Errc::Config, path + ": " + why.text() + "; " + remedy);
}

// A raw file of exactly N bytes.
template <std::size_t N>
Result<ByteArray<N>> read_exactly(const std::string& path) {
  const Bytes bytes = WATTLE_TRY(os::read_file(path, N + 1));
  if (bytes.size() != N)
    return Error(Errc::BadValue,
                 "it has " + std::to_string(bytes.size()) + " bytes, not " + std::to_string(N));
  return to_array<N>(bytes);
}

struct Held {
  Membership membership;
  JudgedMembership says;
};

// Where keys were retired since it was made, it is read for its renewal (the engine judges it
// again).
Result<Held> judge(Membership membership, const Setup& setup, const TrustChain& chain) {
  const Trust trust{setup.network, chain.credential_keys(), {}};
  auto says = judge_membership(membership, chain.ca_ders(), trust);
  if (!says && chain.has_left_genesis()) says = read_own_membership(membership, setup.network);
  if (!says) return says.error();
  if (says->tls_key != setup.tls_key->public_key())
    return Error(Errc::Denied, "the TLS key does not belong to the certificate");
  return Held{std::move(membership), std::move(*says)};
}

// What join wrote, in two files.
Result<Held> load_joined(const Config& config, const Setup& setup, const TrustChain& chain) {
  const std::string certificate_file = config.state_folder + "/certificate";
  const auto pem = os::read_text(certificate_file);
  if (!pem) return in_file(certificate_file, pem.error(), kJoin);
  auto der = crypto::pem_to_der(*pem, "CERTIFICATE");
  if (!der) return in_file(certificate_file, der.error(), kJoin);
  const std::string credential_file = config.state_folder + "/credential";
  const auto credential = read_exactly<kCredentialSize>(credential_file);
  if (!credential) return in_file(credential_file, credential.error(), kJoin);
  auto held = judge({std::move(*der), *credential}, setup, chain);
  if (!held) return in_file(config.state_folder, held.error(), "join again with a new invite");
  return held;
}

// What the last renewal wrote, in one.
Result<Held> load_renewed(const Config& config, const Setup& setup, const TrustChain& chain) {
  const std::string text =
      WATTLE_TRY(os::read_text(config.state_folder + "/" + kRenewedFile, kMaxMembershipFile));
  return judge(WATTLE_TRY(parse_membership(text)), setup, chain);
}

// The newest that verifies. One that has ended is good for its own renewal, as long as the grace
// lasts.
Result<Held> load_held(const Config& config, const Setup& setup, const TrustChain& chain,
                       UnixTime now) {
  auto joined = load_joined(config, setup, chain);
  auto renewed = load_renewed(config, setup, chain);
  const bool newer = renewed && (!joined || (renewed->says.address == joined->says.address &&
                                             renewed->says.serial > joined->says.serial));
  if (!newer && !joined) return joined;
  Held held = newer ? std::move(*renewed) : std::move(*joined);
  const JudgedMembership& says = held.says;
  if (now.seconds >= says.not_after.seconds + kGrace)
    return Error(Errc::Config,
                 "the certificate (serial " + std::to_string(says.serial) +
                     ") has ended more than 30 days ago; is the clock right? else join again with "
                     "a new invite");
  return held;
}

}  // namespace

Result<std::optional<Config>> load_config(int argc, const char* const* argv) {
  constexpr const char* kSummary = "the meta protocol of a wattle network";
  Raw first;  // to learn --net, which says where the file is
  {
    os::Options options("wattle-metad", kSummary);
    declare(options, first);
    const auto outcome = WATTLE_TRY(options.parse(argc, argv));
    if (outcome == os::Options::Outcome::Help) std::fputs(options.help().c_str(), stdout);
    if (outcome == os::Options::Outcome::Version) std::puts("wattle-metad " WATTLE_VERSION);
    if (outcome != os::Options::Outcome::Run) return std::optional<Config>();
    if (first.requests) {
      std::fputs(print_request_table().c_str(), stdout);
      return std::optional<Config>();
    }
  }
  if (!is_network_name(first.network))
    return Error(Errc::Config,
                 "--net NAME is required: the network's name, 1 to 12 of a-z and 0-9");
  const os::Paths paths(first.network);
  Raw raw;
  os::Options options("wattle-metad", kSummary);
  declare(options, raw);
  const std::string file = first.file.empty() ? paths.config() : first.file;
  WATTLE_TRY(options.parse(argc, argv, file, !first.file.empty()));
  if (raw.check) {
    std::puts("wattle-metad: all right");
    return std::optional<Config>();
  }
  Config config;
  config.network = raw.network;
  config.genesis = raw.genesis.empty() ? paths.genesis() : raw.genesis;
  config.state_folder = raw.state.empty() ? paths.state + "/meta" : raw.state;
  config.run_folder = raw.run.empty() ? paths.run : raw.run;
  config.port = static_cast<std::uint16_t>(raw.port);
  WATTLE_CHECK(os::log::parse_level(raw.level, config.level));
  if (raw.indirect) config.options |= kOptionIndirect;
  if (raw.tcp_only) config.options |= kOptionTcpOnly;
  config.transit = WATTLE_TRY(parse_relay(raw.relay)) != 0;
  for (const std::string& text : raw.ip)
    config.own_endpoints.push_back(WATTLE_TRY(parse_place(text, config.port)));
  for (const std::string& text : raw.connect)
    config.connect.push_back(WATTLE_TRY(parse_place(text, config.port)));
  return std::optional<Config>(std::move(config));
}

std::vector<PeerHint> parse_peers(std::string_view text) {
  std::vector<PeerHint> out;
  for (const std::string_view line : split(text, '\n')) {
    const auto words = split(trim(line), ' ');
    if (words.size() < 3 || out.size() >= kMaxPeers) continue;
    PeerHint peer;
    const auto address = parse_address_text(words[1]);
    if (!is_node_name(words[0]) || !address) continue;
    peer.name = words[0];
    peer.address = *address;
    for (std::size_t i = 2; i < words.size(); ++i)
      if (const auto endpoint = Endpoint::parse(words[i])) peer.endpoints.push_back(*endpoint);
    if (!peer.endpoints.empty()) out.push_back(std::move(peer));
  }
  return out;
}

Result<LoadedMembership> load_membership(const Config& config, UnixTime now) {
  const auto text = os::read_text(config.genesis, kMaxDocument);
  if (!text) return in_file(config.genesis, text.error(), kJoin);
  const auto genesis = parse_genesis(*text);
  if (!genesis) return in_file(config.genesis, genesis.error(), kJoin);
  if (genesis->network != config.network)
    return Error(Errc::Config, config.genesis + " is of the network " + genesis->network +
                                   ", not of " + config.network);
  LoadedMembership out;
  Setup& setup = out.setup;
  setup.network_name = genesis->network;
  setup.network = network_id(genesis_hash(*text));
  setup.credential_key = genesis->credential_key;
  setup.document_key = genesis->document_key;
  setup.prefix6 = genesis->prefix;
  setup.prefix4 = genesis->ipv4;
  setup.port = config.port;
  setup.own_endpoints = config.own_endpoints;
  setup.connect = config.connect;
  setup.options = config.options;
  setup.transit = config.transit;
  setup.version = WATTLE_VERSION;
  out.https_key = genesis->https_key;

  const std::string key_file = config.state_folder + "/tls.key";
  struct stat info {};
  if (::stat(key_file.c_str(), &info) == 0 && (info.st_mode & 077) != 0)
    return Error(Errc::Config, key_file + " can be read by others; run: chmod 0400 " + key_file);
  auto pem = os::read_text(key_file);
  if (!pem) return in_file(key_file, pem.error(), kJoin);
  auto key = crypto::PrivateKey::from_pem(*pem);
  wipe({reinterpret_cast<std::uint8_t*>(pem->data()), pem->size()});
  if (!key) return in_file(key_file, key.error(), kJoin);
  setup.tls_key = std::make_shared<const crypto::PrivateKey>(std::move(*key));
  setup.ca_der = genesis->ca_der;
  TrustChain chain(*genesis, setup.network);
  if (const auto document = os::read_text(config.state_folder + "/document", kMaxDocument)) {
    setup.document = *document;
    if (const auto parsed = chain.open(*document)) {
      out.registries = parsed->registries;
      chain.hold(*parsed);
    }
  }
  const Held held = WATTLE_TRY(load_held(config, setup, chain, now));
  setup.address = held.says.address;
  setup.name = held.says.name;
  setup.serial = held.says.serial;
  setup.not_before = held.says.not_before;
  setup.expires = held.says.not_after;
  setup.credential = held.membership.credential;
  setup.certificate = held.membership.certificate;
  out.tls = {chain.ca_ders(), setup.certificate, setup.tls_key, setup.serial};

  if (const auto peers = os::read_text(config.state_folder + "/peers", kMaxPeersFile))
    setup.peers = parse_peers(*peers);
  if (const auto origin = os::read_text(config.state_folder + "/origin", kMaxLine))
    setup.origin = *origin;
  return out;
}

}  // namespace wattle::metad
