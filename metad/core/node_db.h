// The members heard of: the newest origin record of each, and which links told of it. A record is
// believed only if its signature verifies under the address it names and its seqno is higher than
// the one held. A name is a claim until a certificate or credential proves it: two addresses may
// claim one name, and the proven one has it, else the first. Bounded: kMaxHosts; the longest
// unheard goes first.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "metad/core/ids.h"
#include "metad/core/origin_line.h"

namespace wattle::metad {

struct Host {
  SignedOrigin origin;
  MacAddress mac;
  std::set<LinkId> told_by;  // empty: heard of no more, kept for a while (kForget)
  Instant heard{};
  bool name_proven = false;
  bool name_false = false;  // what is known of its credential does not bear the name out
  // The lowest seqno of a record that says what is held, and whether a way with it has come.
  std::uint64_t news = 0;
  bool news_came = false;
};

class NodeDb {
 public:
  static constexpr std::size_t kMaxHosts = 4096;
  static constexpr std::size_t kMaxToldByLink = 2048;
  static constexpr Duration kForget = std::chrono::hours(1);

  enum class Told {
    New,           // first record of this member
    Newer,         // replaces the one held
    Same,          // known already; the link is noted
    Older,         // lower seqno, or equal with other contents
    BadSignature,  // or another network's
    IdClash,       // MAC or short id of another address
    Full,          // no room, or this link told of too many
  };

  NodeDb(const NetworkId& network, const NodeAddress& own);

  // Does tell() verify a signature for it? Not for one that is held or older than the one held.
  bool must_verify(const SignedOrigin& origin) const;
  // Never call it with our own address (the engine answers those). link 0: an answer to our
  // question, which says nothing of a way; nobody is noted.
  Told tell(const SignedOrigin& origin, LinkId link, Instant now);
  // The link tells of a way to it. False: unknown, or the link told of too many.
  bool tell_again(const NodeAddress& address, LinkId link, Instant now);
  // A way with this seqno comes. True if with it, for the first time, comes what the record says.
  bool take_news(const NodeAddress& address, std::uint64_t seqno);
  // True if the link had told of it.
  bool retract(const NodeAddress& address, LinkId link, Instant now);
  // Everything that this link told is taken back; returns who is heard of by nobody now.
  std::vector<NodeAddress> link_down(LinkId link, Instant now);
  // Removes who was unheard for kForget.
  std::vector<NodeAddress> expire(Instant now);

  const Host* find(const NodeAddress& address) const;
  // By name (the one that has it) or by base32 address.
  const Host* find(std::string_view name_or_address) const;
  // A certificate or credential says that this address has this name. False: it claims another one,
  // and loses that.
  bool prove_name(const NodeAddress& address, std::string_view name);
  void disprove_name(const NodeAddress& address);
  // What to write for this member in a line: its name if the name leads back to it, else its
  // address.
  std::string label(const NodeAddress& address) const;

  const std::map<NodeAddress, Host>& hosts() const { return hosts_; }

 private:
  bool make_room();
  bool has_room(std::map<NodeAddress, Host>::const_iterator at, LinkId link) const;
  void claim_name(const NodeAddress& address, const Host& host);
  void drop_name(const NodeAddress& address, const std::string& name);
  void erase(std::map<NodeAddress, Host>::iterator at);

  NetworkId network_;
  MacAddress own_mac_;
  ShortId own_id_;
  std::map<NodeAddress, Host> hosts_;
  std::map<std::string, NodeAddress, std::less<>> names_;
  std::map<MacAddress, NodeAddress> macs_;
  std::map<ShortId, NodeAddress> ids_;
  std::map<LinkId, std::size_t> told_;
};

}  // namespace wattle::metad
