// What strangers, former members and members may try with handshakes.
#include "attacks.h"
#include "cryptod/core/handshake_gate.h"

namespace wattle::cryptod::lab {
namespace {

using std::chrono::seconds;

// A message 1 of anybody's making: right where nothing else is said, mac1 included.
struct Forge {
  explicit Forge(Stage& stage)
      : s(stage),
        address(NodeAddress::from_key(identity.public_key())),
        sender(address.short_id()),
        ephemeral_point(ephemeral.public_key()),
        static_point(packet_key.public_key()) {
    credential.network = s.lab.config.network;
    credential.address = address;
    credential.serial = 777;
    credential.not_before = {now() - 300};
    credential.not_after = {now() + 2592000};
    credential.mac = mac_of(credential.network, address);
    credential.ipv4 = {IpAddress::v4({10, 91, 4, 201}), 32};
    credential.ipv6 = {IpAddress::v6({0xfd, 0x12, 0x34, 0x56, 0x78, 0x9a, 0, 201}), 64};
    record.network = credential.network;
    record.owner = address;
    record.epoch = 5;
    record.not_before = {now()};
    record.not_after = {now() + kPacketKeyLife};
    record.key = static_point;
    record.serial = credential.serial;
  }
  std::uint64_t now() const { return s.lab.moment.unix_now.seconds; }

  Bytes make() {
    credential_bytes = build_credential(credential, s.lab.credential_key);
    record_bytes = build_packet_key(record, identity);
    return make_of_bytes();
  }
  Bytes make_of_bytes() const {
    ByteArray<424> payload{};
    FixedWriter(payload).u64(counter).bytes(record_bytes).bytes(credential_bytes);
    const ByteView theirs(*s.a.record);
    const ByteView key_r = theirs.subspan(88, 33);
    Bytes d(kMessage1Size);
    const MutableBytes out(d);
    write_header(out, WireType::Message1, sender, s.a.address.short_id());
    FixedWriter(out.subspan(kHeaderSize))
        .u32(5)
        .bytes(theirs.subspan(64, 8))
        .bytes(ephemeral_point);
    NoiseState noise = NoiseState::start(s.lab.config.network, s.a.address, theirs);
    noise.mix_hash(out.subspan(1, 39));
    noise.mix_hash(ephemeral_point);
    noise.mix_key(ephemeral_point);
    noise.mix_key(WATTLE_MUST(ephemeral.dh(key_r)).view());
    noise.encrypt(static_point, out.subspan(73, 49));
    noise.mix_key(WATTLE_MUST(packet_key.dh(key_r)).view());
    noise.encrypt(payload, out.subspan(122, 440));
    HandMember::remac(d, theirs);
    return d;
  }

  Stage& s;
  crypto::PrivateKey identity = HandMember::key(0x51);
  crypto::PrivateKey packet_key = HandMember::key(0x52);
  crypto::PrivateKey ephemeral = HandMember::key(0x53);
  const NodeAddress address;
  ShortId sender;
  crypto::PublicKey ephemeral_point, static_point;
  std::uint64_t counter = 0;
  Credential credential;
  PacketKeyRecord record;
  CredentialBytes credential_bytes{};
  PacketKeyBytes record_bytes{};
};

crypto::PublicKey point(std::uint8_t first, std::uint8_t rest) {
  crypto::PublicKey out;
  out.fill(rest);
  out[0] = first;
  return out;
}
// No x of the curve; beyond the field; infinity; of the other two forms.
const crypto::PublicKey kBadPoints[] = {point(2, 0x07), point(3, 0xff), point(0, 0),
                                        point(4, 0x11), point(6, 0x11), point(7, 0x11)};

template <typename Change>
void forged(Stage& s, Change&& change) {
  Forge forge(s);
  change(forge);
  s.inject_from(s.stranger, forge.make());
}

const Attack kStrangers[] = {
    {"junk of a message's length",
     {"drop_epoch"},
     [](Stage& s) {
       Bytes d(kMessage1Size, 0x77);
       write_header(d, WireType::Message1, {}, s.a.address.short_id());
       s.inject_from(s.stranger, d);
     }},
    {"a stranger who has seen the epoch",
     {"drop_mac1"},
     [](Stage& s) {
       Bytes d = Forge(s).make();
       d[565] ^= 1;
       s.inject_from(s.stranger, d);
     }},
    {"too short", {"drop_length"}, [](Stage& s) { s.inject_from(s.stranger, Bytes(20)); }},
    {"flags that are not ours",
     {"drop_header"},
     [](Stage& s) {
       Bytes d = Forge(s).make();
       d[1] = 4;
       s.inject_from(s.stranger, d);
     }},
    {"an unknown type",
     {"drop_type"},
     [](Stage& s) {
       Bytes d = Forge(s).make();
       d[27] = 0x7f;
       s.inject_from(s.stranger, d);
     }},
    {"a reserved type",
     {"drop_reserved_type"},
     [](Stage& s) {
       Bytes d = Forge(s).make();
       d[27] = 0x24;
       s.inject_from(s.stranger, d);
     }},
    {"a message 2 for which nobody waits",
     {"drop_receiver_index"},
     [](Stage& s) {
       Bytes d(kMessage2Size, 0x42);
       write_header(d, WireType::Message2, s.b.address.short_id(), s.a.address.short_id());
       s.inject_from(s.stranger, d);
     }},
    {"a cookie for which nobody waits",
     {"drop_receiver_index"},
     [](Stage& s) {
       Bytes d(kCookieSize, 0x42);
       write_header(d, WireType::Cookie, s.b.address.short_id(), s.a.address.short_id());
       s.inject_from(s.stranger, d);
     }},
    {"a datagram for somebody else",
     {"drop_relay_source"},
     [](Stage& s) {
       Bytes d = Forge(s).make();
       d[20] ^= 1;
       s.inject_from(s.stranger, d);
     }},
};

const Attack kRecords[] = {
    {"a first message recorded and replayed",
     {"drop_handshake_replay"},
     [](Stage& s) { s.inject_from(s.stranger, s.last_of_b(WireType::Message1)); }},
    {"an older counter",
     {"drop_handshake_replay"},
     [](Stage& s) {
       Forge forge(s);
       forge.counter = 7;
       s.inject_from(s.stranger, forge.make());
       const std::set<std::string> none = s.raised([&] {
         forge.counter = 8;
         forge.ephemeral = HandMember::key(0x54);
         forge.ephemeral_point = forge.ephemeral.public_key();
         s.inject_from(s.stranger, forge.make());
       });
       EXPECT_TRUE(none.empty());
       forge.counter = 6;
       s.inject_from(s.stranger, forge.make());
     },
     true},
    {"points that are none as ephemeral key",
     {"drop_point"},
     [](Stage& s) {
       for (const crypto::PublicKey& bad : kBadPoints)
         forged(s, [&](Forge& f) { f.ephemeral_point = bad; });
       EXPECT_EQ(s.a.counter(Counter::DropPoint), std::size(kBadPoints));
     }},
    {"points that are none as packet key",
     {"drop_point"},
     [](Stage& s) {
       for (const crypto::PublicKey& bad : kBadPoints)
         forged(s, [&](Forge& f) { f.static_point = bad; });
       EXPECT_EQ(s.a.counter(Counter::DropPoint), std::size(kBadPoints));
     }},
    {"c1 changed, mac1 made right",
     {"drop_tag_c1"},
     [](Stage& s) {
       Bytes d = Forge(s).make();
       d[80] ^= 1;
       HandMember::remac(d, *s.a.record);
       s.inject_from(s.stranger, d);
     }},
    {"c2 changed, mac1 made right",
     {"drop_tag_c2"},
     [](Stage& s) {
       Bytes d = Forge(s).make();
       d[300] ^= 1;
       HandMember::remac(d, *s.a.record);
       s.inject_from(s.stranger, d);
     }},
    {"another's packet key under our name",
     {"drop_key_mismatch"},
     [](Stage& s) {
       forged(s, [](Forge& f) { f.record.key = HandMember::key(0x66).public_key(); });
     }},
    {"in the name of the attacked",
     {"drop_self"},
     [](Stage& s) { forged(s, [&](Forge& f) { f.record.owner = s.a.address; }); }},
    {"under another's short id",
     {"drop_sender"},
     [](Stage& s) { forged(s, [&](Forge& f) { f.sender = s.b.address.short_id(); }); }},
    {"a credential of our own making",
     {"drop_record_cred_signature"},
     [](Stage& s) {
       Forge forge(s);
       forge.make();
       forge.credential_bytes = build_credential(forge.credential, HandMember::key(0x67));
       s.inject_from(s.stranger, forge.make_of_bytes());
     }},
    {"a record signed by another",
     {"drop_record_pkr_signature"},
     [](Stage& s) {
       Forge forge(s);
       forge.make();
       forge.record_bytes = build_packet_key(forge.record, HandMember::key(0x68));
       s.inject_from(s.stranger, forge.make_of_bytes());
     }},
    {"a credential with a high s",
     {"drop_record_cred_low_s"},
     [](Stage& s) {
       Forge forge(s);
       forge.make();
       make_high_s(forge.credential_bytes);
       s.inject_from(s.stranger, forge.make_of_bytes());
     }},
    {"a record with a high s",
     {"drop_record_pkr_low_s"},
     [](Stage& s) {
       Forge forge(s);
       forge.make();
       make_high_s(forge.record_bytes);
       s.inject_from(s.stranger, forge.make_of_bytes());
     }},
    {"a member of another network",
     {"drop_record_network_id"},
     [](Stage& s) { forged(s, [](Forge& f) { f.record.network[0] ^= 1; }); }},
    {"another member's credential",
     {"drop_record_owner"},
     [](Stage& s) {
       Forge forge(s);
       forge.make();
       forge.credential_bytes = s.b.credential_bytes;
       s.inject_from(s.stranger, forge.make_of_bytes());
     }},
    {"message 1 of a revoked member",
     {"drop_record_revoked"},
     [](Stage& s) {
       s.a.say(meta_link::Document{s.lab.document(3, {777})});
       s.inject_from(s.stranger, Forge(s).make());
     }},
    {"message 1 of an expired member",
     {"drop_record_cred_time"},
     [](Stage& s) { forged(s, [](Forge& f) { f.credential.not_after = {f.now() - 121}; }); }},
    {"message 1 with an expired record",
     {"drop_record_pkr_time"},
     [](Stage& s) {
       forged(s, [](Forge& f) {
         f.record.not_before = {f.now() - 7000};
         f.record.not_after = {f.now() - 121};
       });
     }},
    {"a record that lives too long",
     {"drop_record_pkr_life"},
     [](Stage& s) { forged(s, [](Forge& f) { f.record.not_after.seconds += 1; }); }},
    {"a record for another credential",
     {"drop_record_serial"},
     [](Stage& s) { forged(s, [](Forge& f) { f.record.serial += 1; }); }},
    {"rights that were taken away",
     {"drop_record_serial_old"},
     [](Stage& s) {
       forged(s, [](Forge& f) { f.credential.serial = f.record.serial = 800; });
       forged(s, [](Forge& f) { f.counter = 1; });
     },
     true},
    {"an old record under a new counter",
     {"drop_handshake_replay"},
     [](Stage& s) {
       forged(s, [](Forge&) {});
       forged(s, [](Forge& f) {
         f.record.epoch = 4;
         f.counter = 99;
       });
     },
     true},
    {"an equal epoch with another body",
     {"drop_record_pkr_epoch", "drop_equal_epoch"},
     [](Stage& s) {
       forged(s, [](Forge&) {});
       forged(s, [](Forge& f) {
         f.record.not_after.seconds -= 1;
         f.counter = 1;
       });
     },
     true},
};

TEST(Attacks, HandshakesOfStrangers) {
  for (const Attack& attack : kStrangers) play(attack);
}

TEST(Attacks, RecordsInAHandshake) {
  for (const Attack& attack : kRecords) play(attack);
}

// An outsider's changes meet the length, the header, the epoch or mac1, whatever the bit.
TEST(Attacks, ABitOfAMessage1) {
  Stage s;
  s.begin();
  const Bytes good = Forge(s).make();
  for (std::size_t at = 1; at < 578; ++at) {
    Bytes bad = good;
    bad[at] ^= static_cast<std::uint8_t>(1u << (at % 8));
    std::set<std::string> expected = {"drop_mac1"};
    if (at < 10 || at == 26) expected = {"drop_header"};
    if (at >= 18 && at < 26) expected = {"drop_relay_source"};
    if (at == 27) expected = {"drop_type"};
    if (at >= 32 && at < 40) expected = {"drop_epoch"};
    ASSERT_EQ(s.raised([&] { s.inject_from(s.stranger, bad); }), expected) << at;
  }
}

}  // namespace
}  // namespace wattle::cryptod::lab
