// The table, the grammar generic over it, subnets, and origin lines.
#include "metad/core/grammar.h"

#include <gtest/gtest.h>

#include <set>

#include "common/base/hex.h"
#include "common/proto/line.h"
#include "metad/core/origin_line.h"
#include "tests/support/meta_world.h"

namespace wattle::metad::test {
namespace {

Request parsed(std::string_view line) {
  auto request = parse_request(line);
  EXPECT_TRUE(request.has_value()) << line;
  return request ? *request : Request{};
}

// protocols.md 1.2: lines of January 2001 that a conforming node must parse.
TEST(MetaGrammar, ParsesTheLinesOf2001) {
  const Request id = parsed("0 alpha 8 0 655");
  EXPECT_EQ(id.verb, Verb::Id);
  EXPECT_EQ(id.text(0), "alpha");
  EXPECT_EQ(id.number(1), 8u);
  EXPECT_EQ(id.number(2), 0u);
  EXPECT_EQ(id.number(3), 655u);

  const Request host = parsed("10 daemon a329e18c:655 0");
  EXPECT_EQ(host.verb, Verb::AddHost);
  EXPECT_EQ(std::get<HostPort>(host.values[1]).endpoint->text(), "163.41.225.140:655");

  for (const char* line : {"12 daemon 1,a010100/ffffff00", "12 daemon 1,0a010100/ffffff00"}) {
    const Request subnet = parsed(line);
    EXPECT_EQ(subnet.verb, Verb::AddSubnet);
    EXPECT_EQ(std::get<Subnet>(subnet.values[1]).prefix.text(), "10.1.1.0/24");
    EXPECT_EQ(print_request(subnet), "ADD_SUBNET daemon 1,a010100/ffffff00");
  }
  EXPECT_EQ(parsed("15 origin destination").verb, Verb::ReqKey);
  const Request answer = parsed("16 origin destination e4ae0b0a82d6e0078179b5290c62c7d0");
  EXPECT_EQ(answer.verb, Verb::AnsKey);
  EXPECT_EQ(to_hex(std::get<Bytes>(answer.values[2])), "e4ae0b0a82d6e0078179b5290c62c7d0");
  EXPECT_EQ(parsed("14 origin").verb, Verb::KeyChanged);
  EXPECT_EQ(parsed("8").verb, Verb::Ping);
  EXPECT_EQ(parsed("9").verb, Verb::Pong);
}

TEST(MetaGrammar, NumbersOf2001AreWhereTheyWere) {
  const std::vector<std::string_view> names = {
      "ID",         "CHALLENGE",  "CHAL_REPLY",  "METAKEY", "ACK",      "STATUS",
      "ERROR",      "TERMREQ",    "PING",        "PONG",    "ADD_HOST", "DEL_HOST",
      "ADD_SUBNET", "DEL_SUBNET", "KEY_CHANGED", "REQ_KEY", "ANS_KEY",  "PACKET"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const RequestRow* row = find_request(std::to_string(i));
    ASSERT_NE(row, nullptr);
    EXPECT_EQ(row->name, names[i]);
    EXPECT_EQ(find_request(names[i]), row);
  }
  for (const RequestRow& row : request_table())
    EXPECT_TRUE(static_cast<unsigned>(row.verb) <= 17 || static_cast<unsigned>(row.verb) >= 33);
  std::set<Verb> verbs;
  for (const RequestRow& row : request_table()) EXPECT_TRUE(verbs.insert(row.verb).second);
}

// One value of each kind that needs its own care.
Value sample(FieldKind kind, int variant) {
  switch (kind) {
    case FieldKind::Name:
      return variant % 2 == 0 ? std::string("bob-7") : std::string(64, 'a');
    case FieldKind::Number:
      return variant % 2 == 0 ? std::uint64_t{0} : UINT64_MAX;
    case FieldKind::Hex:
      return std::uint64_t{variant % 2 == 0 ? 0u : 0xffffffffu};
    case FieldKind::HostPort:
      if (variant % 3 == 0) return HostPort{};
      if (variant % 3 == 1) return HostPort{Endpoint{IpAddress::v4({192, 0, 2, 1}), 8737}};
      return HostPort{Endpoint{IpAddress::v6(ByteArray<16>{0xfd, 1}), 1}};
    case FieldKind::Subnet:
      if (variant % 3 == 0) return Subnet::of(MacAddress{{2, 0, 0, 0, 0, 0xff}});
      if (variant % 3 == 1) return Subnet::of(IpPrefix{IpAddress::v4({10, 1, 1, 0}), 24});
      return Subnet::of(IpPrefix{IpAddress::v6(ByteArray<16>{0xfd, 0, 0xab}), 29});
    case FieldKind::Key:
      return variant % 2 == 0 ? Bytes(416, 0xa5) : Bytes{0xde, 0xad, 0xbe, 0xef};
    case FieldKind::Base64:
      return variant % 2 == 0 ? Bytes(1050, 0x5a) : Bytes{1, 2, 3, 4};
    case FieldKind::Words:
      return variant % 2 == 0 ? std::string("one") : std::string("more words than one");
  }
  return std::string();
}

TEST(MetaGrammar, PrintAndParseIsTheIdentityForEveryRequest) {
  for (const RequestRow& row : request_table())
    for (int variant = 0; variant < 6; ++variant) {
      Request request;
      request.verb = row.verb;
      for (const Field& field : row.fields) request.values.push_back(sample(field.kind, variant));
      if (variant >= 2) request.keys.emplace_back("epoch", "7");
      if (variant >= 4) request.keys.emplace_back("unheard-of", "x=y");
      const std::string line = print_request(request);
      EXPECT_LT(line.size(), kMaxLine);
      const auto again = parse_request(line);
      ASSERT_TRUE(again.has_value()) << line;
      EXPECT_EQ(*again, request) << line;
      // The number is as good as the name.
      const std::string numbered = std::to_string(static_cast<unsigned>(row.verb)) +
                                   line.substr(std::string_view(row.name).size());
      EXPECT_EQ(parsed(numbered), request) << numbered;
    }
}

TEST(MetaGrammar, RefusesWhatIsMalformed) {
  for (const char* line : {"",
                           " ",
                           "ID",
                           "ID a",
                           "ID a 9 0",
                           "ID a 9 0 1 2",
                           "ID a! 9 0 1",
                           "ID a x 0 1",
                           "ID  a 9 0 1",
                           "ADD_HOST a 1.2.3.4 0",
                           "ADD_HOST a 1.2.3.4:0 0",
                           "ADD_HOST a 1.2.3.4:65536 0",
                           "ADD_HOST a 123456789:1 0",
                           "ADD_HOST a 0:1x 0",
                           "ADD_SUBNET a 1,a010101/ffffff00",
                           "ADD_SUBNET a 1,a010100/ff00ff00",
                           "ADD_SUBNET a 3,00",
                           "ADD_SUBNET a 0,00:11:22",
                           "ADD_SUBNET a 2,fd00:0:0:0:0:0:0/ffff:0:0:0:0:0:0:0",
                           "ADD_SUBNET a 2,fd00:0:0:0:0:0:0:10000/ffff:0:0:0:0:0:0:0",
                           "ADD_SUBNET a 2,fd00:0:0:0:0:0:0:1/ffff:0:0:0:0:0:0:0",
                           "ANS_KEY a b",
                           "ANS_KEY a b xyz",
                           "ANS_KEY a b abc",
                           "PING\r",
                           "PING\x01",
                           "PING x",
                           "STATUS 1",
                           "KEY_CHANGED epoch=1",
                           "REQ_KEY a epoch=1 b"}) {
    const auto request = parse_request(line);
    EXPECT_FALSE(request.has_value()) << line;
    if (!request) {
      EXPECT_NE(request.error().code, Errc::NotFound) << line;
    }
  }
  EXPECT_EQ(parse_request("99 x").error().code, Errc::NotFound);
  EXPECT_EQ(parse_request("HELLO").error().code, Errc::NotFound);
  EXPECT_EQ(parse_request("32 x").error().code, Errc::NotFound);
  EXPECT_FALSE(parse_request("STATUS 1 " + std::string(kMaxLine, 'x')).has_value());
}

TEST(MetaGrammar, AnAnswersKeyMayKeepItsPadding) {
  const Bytes key(416, 7);
  const std::string padded = to_base64(key);
  ASSERT_EQ(padded.size(), 556u);
  EXPECT_EQ(std::get<Bytes>(parsed("ANS_KEY a b " + padded).values[2]), key);
  EXPECT_EQ(std::get<Bytes>(parsed("ANS_KEY a b " + padded.substr(0, 555)).values[2]), key);
}

// Every cell of verb and stage, as the header of link.h draws it.
TEST(MetaGrammar, LegalStagesAreExactlyThese) {
  const std::set<Verb> talk = {Verb::AddHost,      Verb::DelHost,    Verb::AddSubnet,
                               Verb::DelSubnet,    Verb::KeyChanged, Verb::ReqKey,
                               Verb::AnsKey,       Verb::Document,   Verb::ReqDocument,
                               Verb::DocumentPart, Verb::ReqSeqno,   Verb::ReqHost};
  const std::set<Verb> control = {Verb::Help, Verb::Dump,     Verb::Probe,  Verb::ReqKey,
                                  Verb::Ping, Verb::TermReq,  Verb::ReqWay, Verb::Trace,
                                  Verb::Act,  Verb::Rehearse, Verb::Why};
  const std::set<Verb> link = {Verb::Status, Verb::Error, Verb::TermReq, Verb::Ping, Verb::Pong};
  for (const RequestRow& row : request_table()) {
    const Verb v = row.verb;
    EXPECT_EQ(is_legal(v, Stage::Fresh), v == Verb::Id || link.contains(v)) << row.name;
    EXPECT_EQ(is_legal(v, Stage::Identified), v == Verb::Ack || link.contains(v)) << row.name;
    EXPECT_EQ(is_legal(v, Stage::Exchange), v == Verb::End || talk.contains(v) || link.contains(v))
        << row.name;
    EXPECT_EQ(is_legal(v, Stage::Active), v == Verb::Packet || v == Verb::ReqWay ||
                                              v == Verb::AnsWay || talk.contains(v) ||
                                              link.contains(v))
        << row.name;
    EXPECT_FALSE(is_legal(v, Stage::Closing)) << row.name;
    EXPECT_EQ(is_legal(v, Stage::Control), control.contains(v)) << row.name;
    EXPECT_EQ(is_legal(v, Stage::Clear), v == Verb::Ping || v == Verb::TermReq) << row.name;
  }
}

TEST(OriginLine, TravelsAsAddHostAndStillVerifies) {
  const Realm realm;
  for (std::size_t endpoints : {0u, 1u, 2u, 16u}) {
    SignedOrigin origin = realm.origin(3, "n3", 77);
    origin.record.options = 2;
    origin.record.endpoints.clear();
    for (std::size_t i = 0; i < endpoints; ++i) {
      ByteArray<16> address{0xfd, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xff, 0xff};
      for (std::size_t at = 10; at < 16; ++at) address[at] = static_cast<std::uint8_t>(0x80 + i);
      origin.record.endpoints.push_back({IpAddress::v6(address), 65535});
    }
    origin.signature = sign_origin(origin.record, key_of(3));
    const std::string line = print_request(print_origin(origin));
    EXPECT_LT(line.size(), kMaxLine) << "even with all endpoints";
    const auto again = parse_origin(parsed(line), realm.network);
    ASSERT_TRUE(again.has_value()) << line;
    EXPECT_EQ(*again, origin);
    EXPECT_TRUE(verify_origin(again->record, again->signature));
  }
}

TEST(OriginLine, RefusesPartsThatAreWrong) {
  const Realm realm;
  const std::string good = print_request(print_origin(realm.origin(3, "n3", 77)));
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string line = good;
    const std::size_t at = line.find(from);
    EXPECT_NE(at, std::string::npos);
    line.replace(at, from.size(), to);
    return parse_origin(parsed(line), realm.network);
  };
  EXPECT_EQ(with("sig=", "sag=").error().code, Errc::NotFound);
  EXPECT_EQ(with("address=", "adress=").error().code, Errc::NotFound);
  EXPECT_FALSE(with("seqno=77", "seqno=7x").has_value());
  EXPECT_FALSE(with("seqno=", "seqne=").has_value());
  EXPECT_FALSE(with("serial=", "serie=").has_value());
  EXPECT_FALSE(with("ADD_HOST n3", "ADD_HOST N_3").has_value());
  EXPECT_FALSE(with("192.0.2.3:8737 0", "0:0 0 ep=1.2.3.4:5").has_value()) << "a hole in the list";
  const auto other = with("seqno=77", "seqno=78");
  ASSERT_TRUE(other.has_value());
  EXPECT_FALSE(verify_origin(other->record, other->signature));
}

}  // namespace
}  // namespace wattle::metad::test
