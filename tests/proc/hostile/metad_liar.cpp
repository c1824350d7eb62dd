// wattle-metad-liar: the real wattle-metad, in which every line to a neighbour and every message to
// cryptod and keyd passes through here and is told as a lie. Linked with --wrap (hostile.cmake):
// the real program knows nothing of it. Its lies are well-formed for the most part, so that they
// come far; one in a hundred is noise. Seeded: the same conversation gives the same lies.
#include <map>
#include <random>

#include "common/base/hex.h"
#include "common/ipc/key_link.h"
#include "common/ipc/meta_link.h"
#include "common/os/clock.h"
#include "common/os/log.h"
#include "common/os/unix_socket.h"
#include "common/proto/credential.h"
#include "common/proto/packet_key.h"
#include "metad/core/origin_line.h"
#include "metad/io/peer_links.h"

namespace wattle::liar {

using Bytestring = std::span<const std::uint8_t>;

Result<void> real_send_message(
    int socket, ByteView bytes,
    const std::vector<int>& descriptors) __asm__("__real_" WATTLE_SEND_MESSAGE);
Result<void> send_message(int socket, ByteView bytes, const std::vector<int>& descriptors) __asm__(
    "__wrap_" WATTLE_SEND_MESSAGE);
Result<os::Received> real_receive_message(int socket, std::size_t max_bytes) __asm__(
    "__real_" WATTLE_RECEIVE_MESSAGE);
Result<os::Received> receive_message(int socket, std::size_t max_bytes) __asm__(
    "__wrap_" WATTLE_RECEIVE_MESSAGE);
void real_send_line(metad::PeerLinks* links, metad::LinkId id,
                    std::string_view line) __asm__("__real_" WATTLE_SEND_LINE);
void send_line(metad::PeerLinks* links, metad::LinkId id,
               std::string_view line) __asm__("__wrap_" WATTLE_SEND_LINE);

namespace {

using meta_link::ToCryptod;
using metad::Request;
using metad::Value;
using metad::Verb;

// Where nobody of the network is: whoever believes a lie about a place sends there.
const Endpoint kElsewhere{IpAddress::v4({192, 0, 2, 66}), 8737};

class Liar {
 public:
  std::size_t below(std::size_t n) { return random_() % n; }

  // ---- lines ----------------------------------------------------------------------------------

  void line(metad::PeerLinks* links, metad::LinkId id, std::string_view text) {
    auto request = metad::parse_request(text);
    if (!request || is_greeting(request->verb)) return real_send_line(links, id, text);
    std::vector<std::string> lies = lies_of(*request);
    if (below(100) == 0) lies.push_back(noise(std::string(text)));
    for (const std::string& lie : lies) {
      real_send_line(links, id, lie);
      const auto* row = metad::find_request(std::string_view(lie).substr(0, lie.find(' ')));
      told(row == nullptr ? "noise" : row->name);
    }
    remember(*request);
    if (++lines_ % 20 == 0) usurp();
  }

  // ---- lanes ----------------------------------------------------------------------------------

  Result<void> message(int socket, ByteView bytes) {
    if (bytes.size() == 8) {
      const bool meta = equal(bytes, hello<ToCryptod, meta_link::ToMetad>());
      const bool key = equal(bytes, hello<key_link::FromMetad, key_link::ToMetad>());
      lanes_[socket] = meta ? 'm' : key ? 'k' : '-';
      if (key) key_lane_ = socket;
      return real_send_message(socket, bytes, {});
    }
    const auto lane = lanes_.find(socket);
    if (lane == lanes_.end() || lane->second == '-') return real_send_message(socket, bytes, {});
    const Bytes lie = lane->second == 'm' ? to_cryptod(bytes) : to_keyd(bytes);
    auto sent = real_send_message(socket, lie, {});
    if (sent) told(lane->second == 'm' ? "lane to cryptod" : "lane to keyd");
    return sent;
  }

  // keyd has signed that this node is called by another's name: kept, to be told to everybody.
  void heard(ByteView bytes) {
    const auto message = key_link::ToMetad::unpack(bytes);
    if (!message) return;
    if (const auto* m = std::get_if<key_link::Identity>(&*message)) network_ = m->network;
    const auto* origin = std::get_if<key_link::Origin>(&*message);
    if (origin == nullptr) return;
    const auto record = parse_origin_body(origin->body);
    if (!record || !names_.contains(record->name)) return;
    usurped_[record->name] =
        metad::print_request(metad::print_origin({*record, origin->signature})) + " metric=1";
    os::log::notice("keyd has signed that this node is " + record->name);
  }

 private:
  template <typename Out, typename In>
  static Bytes hello() {
    return ipc::pack_hello(Out::fingerprint(), In::fingerprint());
  }
  // Without these there is no link at all.
  static bool is_greeting(Verb verb) {
    return verb == Verb::Id || verb == Verb::Ack || verb == Verb::Ping || verb == Verb::Pong ||
           verb == Verb::End || verb == Verb::Error || verb == Verb::Status ||
           verb == Verb::TermReq;
  }

  void told(std::string_view what) {
    ++told_[std::string(what)];
    if (++all_ % 100 != 1) return;
    std::string text;
    for (const auto& [name, count] : told_) text += " " + name + ":" + std::to_string(count);
    os::log::notice("lies told:" + text);
  }

  void remember(const Request& request) {
    if (request.verb == Verb::AddHost) {
      if (names_.size() < 64) names_.emplace(request.text(0), request.find("address").value_or(""));
      if (said_.size() < 256) said_.push_back(metad::print_request(request));
    }
    if (request.verb == Verb::AddSubnet && subnets_.size() < 64)
      subnets_.push_back(std::get<metad::Subnet>(request.values[1]));
  }
  template <typename Map>
  auto any(const Map& map) {
    return std::next(map.begin(), static_cast<std::ptrdiff_t>(below(map.size())));
  }

  std::vector<std::string> lies_of(const Request& truth) {
    std::vector<std::string> out;
    const auto say = [&](const Request& r) { out.push_back(metad::print_request(r)); };
    Request lie = truth;
    switch (truth.verb) {
      case Verb::AddHost:
        change_host(lie, out);
        break;
      case Verb::DelHost:
        lie.verb = Verb::AddHost;
        set(lie, "metric", "1");
        set(lie, "seqno", std::to_string(UINT64_MAX));
        break;
      case Verb::AddSubnet:
      case Verb::DelSubnet:
        if (!names_.empty()) lie.values[0] = any(names_)->first;
        if (!subnets_.empty() && below(2) == 0) lie.values[1] = *any(subnets_);
        break;
      case Verb::KeyChanged:
        set(lie, "epoch", std::to_string(below(2) == 0 ? UINT64_MAX : 1));
        if (!names_.empty()) lie.values[0] = any(names_)->first;
        break;
      case Verb::AnsKey:
        lie.values[2] = key_of(std::get<Bytes>(truth.values[2]));
        break;
      case Verb::ReqKey:
        if (!names_.empty()) lie.values[1] = any(names_)->first;
        say(truth);
        break;
      case Verb::ReqSeqno:
        lie.values[1] = std::uint64_t{UINT64_MAX};
        break;
      case Verb::Document:
        lie.values[0] = std::get<std::uint64_t>(truth.values[0]) + 1 + below(1000);
        break;
      case Verb::DocumentPart: {
        Bytes part = std::get<Bytes>(truth.values[3]);
        part[below(part.size())] ^= 1;
        lie.values[3] = part;
        break;
      }
      default:
        break;
    }
    say(lie);
    // And what nobody asked about.
    if (!usurped_.empty()) out.push_back(any(usurped_)->second);
    if (!said_.empty()) out.push_back(said_[below(said_.size())]);
    if (!names_.empty() && below(3) == 0) {
      Request stolen;
      stolen.verb = Verb::AnsKey;
      stolen.values = {Value(any(names_)->first), Value(any(names_)->first), Value(key_of({}))};
      say(stolen);
    }
    return out;
  }

  void change_host(Request& lie, std::vector<std::string>& out) {
    const std::string name = lie.text(0);
    switch (below(7)) {
      case 0:  // elsewhere
        lie.values[1] = metad::HostPort{kElsewhere};
        break;
      case 1:  // another key
        set(lie, "address", outsider_.text());
        break;
      case 2:  // another name
        if (!names_.empty()) lie.values[0] = any(names_)->first;
        break;
      case 3:  // nearer than possible
        set(lie, "metric", "0");
        set(lie, "seqno", std::to_string(UINT64_MAX));
        break;
      case 4: {  // a member that there is not, with a record that is rightly signed by its own key
        OriginRecord record;
        record.network = network_;
        record.address = outsider_;
        record.seqno = os::unix_now_ms();
        record.serial = below(2);
        record.name = name;
        record.endpoints = {kElsewhere};
        Request forged = metad::print_origin({record, sign_origin(record, outsider_key_)});
        set(forged, "metric", "1");
        out.push_back(metad::print_request(forged));
        break;
      }
      case 5:  // gone
        lie.verb = Verb::DelHost;
        std::erase_if(lie.keys, [](const auto& k) { return k.first != "address"; });
        break;
      default:  // twenty times
        for (int i = 0; i < 20; ++i) out.push_back(metad::print_request(lie));
    }
  }

  static void set(Request& request, const char* key, std::string value) {
    std::erase_if(request.keys, [&](const auto& k) { return k.first == key; });
    request.keys.emplace_back(key, std::move(value));
  }

  // Record and credential: of a forged member, of another one, or with a bit changed.
  Bytes key_of(Bytes truth) {
    if (truth.size() == 416) keys_.push_back(truth);
    if (keys_.size() > 64) keys_.erase(keys_.begin());
    const std::size_t which = below(4);
    if (which == 0 || keys_.empty()) return forged(outsider_, outsider_key_);
    Bytes out = keys_[below(keys_.size())];
    if (which == 1) {  // another record to this credential
      const Bytes own = forged(NodeAddress{to_array<40>(ByteView(out).subspan(24))}, outsider_key_);
      std::copy_n(own.begin(), 200, out.begin());
    }
    if (which == 2) out[below(out.size())] ^= static_cast<std::uint8_t>(1u << below(8));
    return out;
  }

  Bytes forged(const NodeAddress& owner, const crypto::PrivateKey& key) {
    Credential c;
    c.network = network_;
    c.address = owner;
    c.serial = 1 + below(1000);
    c.not_before = {os::unix_now().seconds - 300};
    c.not_after = {os::unix_now().seconds + 86400};
    c.mac = mac_of(network_, owner);
    c.ipv4 = {IpAddress::v4({10, 77, 0, 9}), 32};
    c.ipv6 = {IpAddress::v6({0xfd, 0x77, 0, 0, 0, 0, 0, 9}), 64};
    c.name_hash = name_hash("carol");
    PacketKeyRecord r;
    r.network = network_;
    r.owner = owner;
    r.epoch = os::unix_now_ms() + below(1000);
    r.not_before = os::unix_now();
    r.not_after = {r.not_before.seconds + 7000};
    r.key = packet_key_.public_key();
    r.serial = c.serial;
    Bytes out = to_bytes(build_packet_key(r, key));
    const CredentialBytes credential = build_credential(c, outsider_key_);
    out.insert(out.end(), credential.begin(), credential.end());
    return out;
  }

  std::string noise(std::string text) {
    for (std::size_t i = 0; i < 4; ++i)
      text[below(text.size())] = static_cast<char>(0x20 + below(0x5f));
    return text;
  }

  Bytes to_cryptod(ByteView bytes) {
    auto message = ToCryptod::unpack(bytes);
    if (!message) return to_bytes(bytes);
    std::visit(ipc::Overload{
                   [](auto&) {},
                   [&](meta_link::Member& m) {
                     addresses_.push_back(m.address);
                     Bytes whole = to_bytes(m.record);
                     whole.insert(whole.end(), m.credential.begin(), m.credential.end());
                     const Bytes key = key_of(whole);
                     m.record = to_array<200>(ByteView(key));
                     m.credential = to_array<216>(ByteView(key).subspan(200));
                     m.endpoints.insert(m.endpoints.begin(), kElsewhere);
                   },
                   [&](meta_link::Endpoints& m) {
                     addresses_.push_back(m.address);
                     if (below(2) == 0) m.address = outsider_.bytes;
                     m.endpoints.insert(m.endpoints.begin(), kElsewhere);
                   },
                   [&](meta_link::Owner& m) {
                     m.known = true;
                     m.address = below(2) == 0 ? outsider_.bytes : anybody();
                   },
                   [&](meta_link::Route& m) {
                     m.entry.next_hop = anybody();
                     m.entry.fd_metric = m.entry.metric = 1;
                   },
                   [&](meta_link::Stale& m) { m.epoch = UINT64_MAX; },
                   [&](meta_link::Carried& m) {
                     if (!m.datagram.empty()) m.datagram[below(m.datagram.size())] ^= 1;
                   },
                   [&](meta_link::Document& m) {
                     if (!m.text.empty()) m.text[below(m.text.size())] ^= 1;
                   },
               },
               *message);
    if (addresses_.size() > 64) addresses_.erase(addresses_.begin());
    return std::visit(
        [&](const auto& m) -> Bytes {
          if constexpr (std::is_same_v<std::remove_cvref_t<decltype(m)>, std::monostate>)
            return to_bytes(bytes);
          else
            return ToCryptod::pack(m);
        },
        *message);
  }
  meta_link::Address anybody() {
    return addresses_.empty() ? outsider_.bytes : addresses_[below(addresses_.size())];
  }

  // An origin record of this node, rightly signed by its key, in another member's name.
  void usurp() {
    if (key_lane_ < 0 || names_.empty()) return;
    key_link::SignOrigin request;
    request.name = any(names_)->first;
    request.serial = UINT64_MAX;  // newer than any certificate that would prove it wrong
    if (real_send_message(key_lane_, key_link::FromMetad::pack(request), {})) told("lane to keyd");
  }

  // Every other origin record is asked for in another member's name.
  Bytes to_keyd(ByteView bytes) {
    auto message = key_link::FromMetad::unpack(bytes);
    if (!message) return to_bytes(bytes);
    auto* origin = std::get_if<key_link::SignOrigin>(&*message);
    if (origin == nullptr || names_.empty() || !(usurp_ = !usurp_)) return to_bytes(bytes);
    origin->name = any(names_)->first;
    return key_link::FromMetad::pack(*origin);
  }

  std::mt19937_64 random_{20261121};
  crypto::PrivateKey outsider_key_ = crypto::PrivateKey::generate();
  crypto::PrivateKey packet_key_ = crypto::PrivateKey::generate();
  NodeAddress outsider_ = NodeAddress::from_key(outsider_key_.public_key());
  NetworkId network_{};
  std::map<int, char> lanes_;
  std::map<std::string, std::string, std::less<>> names_;  // of others, and their addresses
  std::map<std::string, std::string> usurped_;             // names that keyd has signed for us
  std::vector<std::string> said_;
  std::vector<metad::Subnet> subnets_;
  std::vector<Bytes> keys_;
  std::vector<meta_link::Address> addresses_;
  bool usurp_ = false;
  int key_lane_ = -1;
  std::uint64_t lines_ = 0;
  std::map<std::string, std::uint64_t> told_;
  std::uint64_t all_ = 0;
};

Liar& liar() {
  static Liar one;
  return one;
}

}  // namespace

Result<void> send_message(int socket, ByteView bytes, const std::vector<int>&) {
  return liar().message(socket, bytes);
}

Result<os::Received> receive_message(int socket, std::size_t max_bytes) {
  auto received = real_receive_message(socket, max_bytes);
  if (received) liar().heard(received->bytes);
  return received;
}

void send_line(metad::PeerLinks* links, metad::LinkId id, std::string_view line) {
  liar().line(links, id, line);
}

}  // namespace wattle::liar
