// PK-IK against tests/vectors/pkik.json: every step, every datagram from both sides, every case.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "common/base/hex.h"
#include "cryptod/core/handshake_initiator.h"
#include "cryptod/core/handshake_responder.h"
#include "cryptod/core/session.h"

namespace wattle::cryptod {
namespace {

using Json = nlohmann::json;

const Json& vectors() {
  static const Json json = [] {
    std::ifstream in(WATTLE_SOURCE_DIR "/tests/vectors/pkik.json");
    return Json::parse(in);
  }();
  return json;
}

Bytes hex(const Json& value) { return WATTLE_MUST(parse_hex(value.get<std::string>())); }
Bytes datagram(const std::string& name) { return hex(vectors()["datagrams"][name]); }
template <std::size_t N>
ByteArray<N> fixed(const Json& value) {
  return to_array<N>(hex(value));
}
crypto::PrivateKey private_key(const Json& value) {
  return WATTLE_MUST(crypto::PrivateKey::from_scalar(hex(value)));
}
NodeAddress address(const Json& value) { return NodeAddress{fixed<40>(value)}; }
const Json& input(const char* name) { return vectors()["inputs"][name]; }
const Json& member(const char* name) { return vectors()["members"][name]; }
std::uint32_t index(const char* name) { return read_u32(hex(input(name)), 0); }
UnixTime now() { return {input("now").get<std::uint64_t>()}; }
NetworkId network() { return fixed<16>(vectors()["genesis"]["network_id"]); }

Trust trust() {
  Trust out;
  out.network = network();
  out.credential_keys = {fixed<33>(vectors()["genesis"]["credential_public"])};
  return out;
}

std::shared_ptr<LocalKey> local_key(const Json& m) {
  return std::make_shared<LocalKey>(fixed<200>(m["pkr"]), fixed<216>(m["cred"]),
                                    private_key(m["packet_key"]));
}

Initiator make_initiator(const char* ephemeral = "e_i", const char* index_name = "index_i",
                         std::uint64_t counter = 0, const char* record_of_b = nullptr) {
  const Bytes record = hex(record_of_b != nullptr ? vectors()[record_of_b] : member("B")["pkr"]);
  return WATTLE_MUST(Initiator::make(network(), local_key(member("A")),
                                     address(member("B")["address"]), record,
                                     private_key(input(ephemeral)), index(index_name), counter));
}

// What the engine does with a message 1, with the vectors' fixed state.
struct Receiver {
  OwnKeys keys;
  NodeAddress me = address(member("B")["address"]);
  std::optional<HandshakeMark> newest;
  std::optional<SeenRecord> seen;
  bool load = false;
  Responder responder;

  explicit Receiver(bool under_load = false) : load(under_load) {
    keys.install(std::make_shared<LocalKey>(fixed<200>(vectors()["previous_pkr_of_b"]),
                                            CredentialBytes{}, std::nullopt),
                 Instant{});
    keys.install(local_key(member("B")), Instant{});
  }

  std::string message1(ByteView d) {
    LocalKey* key = nullptr;
    const WireCheck knock = check_message1(d, me.short_id(), keys, key);
    if (knock != WireCheck::Accept) return std::string(check_name(knock));
    if (!has_mac1(d, *key)) return "mac1";
    if (load && !has_mac2(d, cookie_of(d))) return "mac2";
    if (!key->key) return "stale";
    const WireCheck read = responder.read(network(), me, *key, d);
    if (read != WireCheck::Accept) return std::string(check_name(read));
    Accepted accepted;
    const auto verdict = responder.judge(trust(), now(), newest, seen ? &*seen : nullptr, accepted);
    if (verdict.wire != WireCheck::Accept) return std::string(check_name(verdict.wire));
    if (verdict.record != Check::Accept) return std::string(check_name(verdict.record));
    newest = responder.mark();
    seen = SeenRecord{to_array<kPacketKeyBody>(responder.record()), accepted.record.epoch,
                      accepted.credential.serial};
    return "accept";
  }

  static Mac cookie_of(ByteView d) {
    const Bytes source = hex(input("source"));
    const Endpoint from{IpAddress::v4({source[12], source[13], source[14], source[15]}),
                        static_cast<std::uint16_t>(source[16] << 8 | source[17])};
    return cookie_value(hex(input("cookie_secret")), from, ShortId{}, header_sender(d));
  }
};

struct Sessions {
  SessionKeys of_a, of_b;
};

Sessions handshake() {
  Sessions out;
  const Initiator a = make_initiator();
  Receiver b;
  EXPECT_EQ(b.message1(datagram("message1")), "accept");
  ByteArray<kMessage2Size> message2{};
  EXPECT_EQ(b.responder.answer(private_key(input("e_r")), index("index_r"), message2, out.of_b),
            WireCheck::Accept);
  EXPECT_EQ(to_hex(message2), vectors()["datagrams"]["message2"]);
  EXPECT_EQ(a.message2(datagram("message2"), out.of_a), WireCheck::Accept);
  return out;
}

TEST(PkikVectors, EveryStep) {
  NoiseState state;
  for (const Json& step : vectors()["steps"]) {
    const auto name = step["step"].get<std::string>();
    if (name == "name") {
    } else if (step.contains("output")) {
      const Bytes sealed = hex(step["output"]);
      NoiseState sealing = state.clone();
      Bytes plain(sealed.size() - 16);
      ASSERT_TRUE(state.decrypt(sealed, plain)) << name;
      Bytes again(sealed.size());
      sealing.encrypt(plain, again);
      EXPECT_EQ(again, sealed) << name;
      EXPECT_EQ(sealing.hash(), state.hash()) << name;
    } else if (name == "2_psk") {
      state.mix_key_and_hash(hex(step["input"]));
    } else if (name == "prologue" || name == "pre_message" || name.ends_with("_clear") ||
               name.ends_with("_e")) {
      state.mix_hash(hex(step["input"]));
    } else {
      state.mix_key(hex(step["input"]));
    }
    EXPECT_EQ(to_hex(state.hash()), step["h"]) << name;
    EXPECT_EQ(to_hex(state.chaining_key()), step["ck"]) << name;
    if (!step["k"].is_null()) {
      EXPECT_EQ(to_hex(state.key()), step["k"]) << name;
    }
    if (name == "pre_message") {
      const NoiseState started =
          NoiseState::start(network(), address(member("B")["address"]), hex(member("B")["pkr"]));
      EXPECT_EQ(started.hash(), state.hash());
      EXPECT_TRUE(equal(started.chaining_key(), state.chaining_key()));
    }
  }
  const NoiseState::Keys keys = state.split();
  EXPECT_EQ(to_hex(keys.initiator_to_responder.view()), vectors()["session"]["k_i2r"]);
  EXPECT_EQ(to_hex(keys.responder_to_initiator.view()), vectors()["session"]["k_r2i"]);
}

TEST(PkikVectors, BothSidesMakeTheseBytes) {
  EXPECT_EQ(to_hex(make_initiator().message1()), vectors()["datagrams"]["message1"]);
  EXPECT_EQ(to_hex(make_initiator("e_i2", "index_i2", 1, "previous_pkr_of_b").message1()),
            vectors()["datagrams"]["message1_old_epoch"]);
  const Sessions s = handshake();
  EXPECT_EQ(to_hex(s.of_a.send.view()), vectors()["session"]["k_i2r"]);
  EXPECT_EQ(to_hex(s.of_a.receive.view()), vectors()["session"]["k_r2i"]);
  EXPECT_EQ(to_hex(s.of_a.id), vectors()["session"]["session_id"]);
  EXPECT_TRUE(equal(s.of_a.send.view(), s.of_b.receive.view()));
  EXPECT_TRUE(equal(s.of_a.receive.view(), s.of_b.send.view()));
  EXPECT_EQ(s.of_a.id, s.of_b.id);
}

TEST(PkikVectors, Transport) {
  Sessions keys = handshake();
  Session a(std::move(keys.of_a), Instant{}), b(std::move(keys.of_b), Instant{});
  for (const Json& t : vectors()["transport"]) {
    const auto name = t["name"].get<std::string>();
    Session& sender = name < "r" ? a : b;
    Session& receiver = name < "r" ? b : a;
    Bytes out(4096);
    while (sender.sent() < t["counter"].get<std::uint64_t>())
      sender.seal(InnerType::Empty, {}, out);
    const auto type = static_cast<InnerType>(t["inner_type"].get<int>());
    out.resize(sender.seal(type, hex(t["body"]), out));
    EXPECT_EQ(out, datagram(name)) << name;
    Bytes in = datagram(name);
    Session::Opened opened;
    ASSERT_EQ(receiver.open(in, opened), WireCheck::Accept) << name;
    EXPECT_EQ(opened.type, t["inner_type"].get<int>());
    EXPECT_EQ(to_hex(opened.body), t["body"]);
    in = datagram(name);
    EXPECT_EQ(receiver.open(in, opened), WireCheck::Replay) << name;
  }
}

TEST(PkikVectors, Notes) {
  const Bytes m1 = datagram("message1");
  const Mac cookie = Receiver::cookie_of(m1);
  EXPECT_EQ(to_hex(cookie), vectors()["cookie"]["value"]);
  ByteArray<kCookieSize> note{};
  seal_note(WireType::Cookie, hex(member("B")["pkr"]), m1, fixed<16>(input("cookie_salt")), cookie,
            note);
  EXPECT_EQ(to_hex(note), vectors()["datagrams"]["cookie"]);
  Initiator a = make_initiator();
  EXPECT_EQ(a.cookie(datagram("cookie")), WireCheck::Accept);
  EXPECT_EQ(to_hex(a.message1()), vectors()["datagrams"]["message1_mac2"]);

  ByteArray<kStaleSize> stale{};
  const Bytes newest = hex(member("B")["pkr"]);
  seal_note(WireType::Stale, hex(vectors()["previous_pkr_of_b"]), datagram("message1_old_epoch"),
            fixed<16>(input("stale_salt")), ByteView(newest).subspan(64, 8), stale);
  EXPECT_EQ(to_hex(stale), vectors()["datagrams"]["stale"]);
  std::uint64_t epoch = 0;
  const Initiator old = make_initiator("e_i2", "index_i2", 1, "previous_pkr_of_b");
  EXPECT_EQ(old.stale(datagram("stale"), epoch), WireCheck::Accept);
  EXPECT_EQ(epoch, member("B")["epoch"].get<std::uint64_t>());
}

TEST(PkikVectors, ReplayWindow) {
  ReplayWindow window;
  for (const Json& step : vectors()["replay_window"]) {
    const auto counter = step[0].get<std::uint64_t>();
    const bool fresh = window.fresh(counter);
    EXPECT_EQ(fresh ? "accept" : "replay", step[1]) << counter;
    if (fresh) window.commit(counter);
  }
}

std::string run_record(const Json& c) {
  const Bytes bytes = hex(c["bytes"]);
  Trust judge = trust();
  if (c.contains("crl"))
    for (const Json& serial : c["crl"]) judge.revoked.insert(serial.get<std::uint64_t>());
  std::optional<SeenRecord> seen;
  if (c.contains("seen")) {
    const Bytes body = hex(c["seen"]);
    seen = SeenRecord{to_array<kPacketKeyBody>(body), read_u64(body, 64), read_u64(body, 128)};
  }
  const UnixTime at{c.value("now", now().seconds)};
  Accepted accepted;
  const std::size_t split = bytes.size() - kCredentialSize;
  return std::string(
      check_name(accept_record(judge, ByteView(bytes).first(split), ByteView(bytes).subspan(split),
                               address(c["asked"]), at, seen ? &*seen : nullptr, accepted)));
}

std::string run_transport(const Json& c) {
  Session b(handshake().of_b, Instant{});
  Session::Opened opened;
  for (const Json& name : c["after"]) {
    Bytes d = datagram(name);
    EXPECT_EQ(b.open(d, opened), WireCheck::Accept);
  }
  Bytes d = hex(c["bytes"]);
  return std::string(check_name(b.open(d, opened)));
}

std::string run_to_initiator(const Json& c) {
  const Bytes d = hex(c["bytes"]);
  const std::string kind = c["kind"];
  Initiator a = kind == "stale" ? make_initiator("e_i2", "index_i2", 1, "previous_pkr_of_b")
                                : make_initiator();
  SessionKeys keys;
  std::uint64_t epoch = 0;
  if (kind == "message2") return std::string(check_name(a.message2(d, keys)));
  if (kind == "cookie") return std::string(check_name(a.cookie(d)));
  return std::string(check_name(a.stale(d, epoch)));
}

TEST(PkikVectors, EveryCase) {
  std::size_t run = 0;
  for (const Json& c : vectors()["cases"]) {
    const std::string kind = c["kind"];
    std::string got;
    if (kind == "record") {
      got = run_record(c);
    } else if (kind == "message1") {
      Receiver b(c.value("load", false));
      for (const Json& name : c.value("after", Json::array())) {
        EXPECT_EQ(b.message1(datagram(name)), "accept");
      }
      got = b.message1(hex(c["bytes"]));
    } else if (kind == "transport") {
      got = run_transport(c);
    } else {
      got = run_to_initiator(c);
    }
    EXPECT_EQ(got, c["check"]) << kind << " '" << c["name"].get<std::string>() << "'";
    ++run;
  }
  EXPECT_EQ(run, 122u);
}

}  // namespace
}  // namespace wattle::cryptod
