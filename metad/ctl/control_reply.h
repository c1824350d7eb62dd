// The replies of metad's control socket (/run/wattle/NET/meta) to DUMP STATUS, DUMP PEERS and
// PROBE: lines `INFO kind key=value …`, then `END`; or `ERROR code sentence`. Other lines (the
// greeting) are passed over, unknown kinds and keys too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/proto/line.h"

namespace wattle::ctl {

// Collects one reply out of the byte stream.
class ReplyCollector {
 public:
  enum class State { More, Done, Broken };  // Broken: a line or the whole is over its bound
  State feed(std::string_view bytes);
  const std::vector<std::string>& lines() const { return lines_; }  // INFO and ANS_WAY
  // Set when the reply was an ERROR line: its code and the rest of it.
  struct Refusal {
    unsigned code = 0;
    std::string sentence;
  };
  const std::optional<Refusal>& refusal() const { return refusal_; }

 private:
  LineBuffer buffer_;
  std::vector<std::string> lines_;
  std::optional<Refusal> refusal_;
  std::size_t taken_ = 0;
  State state_ = State::More;
};

struct ProcessState {
  std::string name;
  bool up = false;
};

struct StatusReply {
  std::string name, address, version;
  std::optional<std::uint64_t> serial, expires, document, links;
  std::vector<std::string> troubles;  // sentences, most serious first
  std::string network, network_id;
  std::vector<ProcessState> processes;
  std::vector<std::pair<std::string, std::uint64_t>> counters;
};
// BadValue if a line does not parse or the node line is missing.
Result<StatusReply> parse_status(const std::vector<std::string>& lines);

struct PeerReply {
  std::string name, address, ipv4, ipv6, state, endpoint;
  std::string via;  // who relays, if the state is relayed
  std::optional<std::uint64_t> rtt_us, since, rx_bytes, tx_bytes;
  std::vector<std::string> roles;
  bool link = false;
};
Result<std::vector<PeerReply>> parse_peers(const std::vector<std::string>& lines);

struct ProbeReply {
  std::string name, endpoint;
  std::string way, via;  // direct, relayed (by whom) or carried
  bool answered = false;
  std::optional<std::uint64_t> rtt_us;
};
Result<ProbeReply> parse_probe(const std::vector<std::string>& lines);

}  // namespace wattle::ctl
