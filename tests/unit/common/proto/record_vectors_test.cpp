// Every `record` case of tests/vectors/pkik.json, and the members' records field by field.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "common/proto/acceptance.h"
#include "tests/support/unhex.h"

namespace wattle {
namespace {

using Json = nlohmann::json;

const Json& vectors() {
  static const Json all = [] {
    std::ifstream in(WATTLE_SOURCE_DIR "/tests/vectors/pkik.json");
    return Json::parse(in);
  }();
  return all;
}

Bytes bytes_of(const Json& object, const char* key) {
  return unhex(object.at(key).get<std::string>());
}

Trust trust_of(const Json& given) {
  Trust trust;
  trust.network = to_array<16>(bytes_of(vectors().at("genesis"), "network_id"));
  trust.credential_keys = {to_array<33>(bytes_of(vectors().at("genesis"), "credential_public"))};
  if (given.contains("crl"))
    for (const Json& serial : given.at("crl")) trust.revoked.insert(serial.get<std::uint64_t>());
  return trust;
}

TEST(RecordVectors, EveryCase) {
  std::size_t count = 0;
  for (const Json& given : vectors().at("cases")) {
    if (given.at("kind") != "record") continue;
    SCOPED_TRACE(given.at("name").get<std::string>());
    ++count;
    const Bytes bytes = bytes_of(given, "bytes");
    const ByteView view(bytes);
    ASSERT_GE(view.size(), kCredentialSize);
    NodeAddress asked;
    asked.bytes = to_array<40>(bytes_of(given, "asked"));
    const UnixTime now{given.value("now", vectors().at("inputs").at("now").get<std::uint64_t>())};
    SeenRecord seen;
    const bool has_seen = given.contains("seen");
    if (has_seen) {
      const Bytes record = bytes_of(given, "seen");
      seen.body = to_array<kPacketKeyBody>(record);
      const PacketKeyRecord decoded = WATTLE_MUST(decode_packet_key(record));
      seen.epoch = decoded.epoch;
      seen.serial = decoded.serial;
    }
    Accepted out;
    const Check check =
        accept_record(trust_of(given), view.first(view.size() - kCredentialSize),
                      view.last(kCredentialSize), asked, now, has_seen ? &seen : nullptr, out);
    EXPECT_EQ(check_name(check), given.at("check").get<std::string>());
  }
  EXPECT_EQ(count, 49u);
}

TEST(RecordVectors, MembersFieldByField) {
  for (const auto& [letter, member] : vectors().at("members").items()) {
    SCOPED_TRACE(letter);
    const Credential cred = WATTLE_MUST(decode_credential(bytes_of(member, "cred")));
    const PacketKeyRecord pkr = WATTLE_MUST(decode_packet_key(bytes_of(member, "pkr")));
    const crypto::PrivateKey identity =
        WATTLE_MUST(crypto::PrivateKey::from_scalar(bytes_of(member, "identity")));
    const NodeAddress address = NodeAddress::from_key(identity.public_key());
    EXPECT_EQ(to_hex(address.bytes), member.at("address").get<std::string>());
    EXPECT_EQ(address.text(), member.at("text").get<std::string>());
    EXPECT_EQ(to_hex(address.short_id()), member.at("short_id").get<std::string>());
    EXPECT_EQ(cred.address, address);
    EXPECT_EQ(pkr.owner, address);
    EXPECT_EQ(cred.serial, member.at("serial").get<std::uint64_t>());
    EXPECT_EQ(pkr.serial, cred.serial);
    EXPECT_EQ(pkr.epoch, member.at("epoch").get<std::uint64_t>());
    EXPECT_EQ(to_hex(pkr.key), member.at("packet_public").get<std::string>());
    EXPECT_EQ(to_hex(cred.mac.bytes), member.at("mac").get<std::string>());
    EXPECT_EQ(cred.name_hash, name_hash(member.at("name").get<std::string>()));
    // The same fields give the same bodies again (signatures are randomised).
    const auto body = [](ByteView bytes, std::size_t size) { return to_hex(bytes.first(size)); };
    EXPECT_EQ(body(build_credential(cred, identity), kCredentialBody),
              member.at("cred_body").get<std::string>());
    EXPECT_EQ(body(build_packet_key(pkr, identity), kPacketKeyBody),
              member.at("pkr_body").get<std::string>());
  }
}

}  // namespace
}  // namespace wattle
