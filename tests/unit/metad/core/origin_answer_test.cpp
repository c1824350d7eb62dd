#include "metad/core/origin_answer.h"

#include <gtest/gtest.h>

namespace wattle::metad {
namespace {

const std::string kAddress = "aeaaaaabaaaahwwqwzjziiq47gyfdyp6zjlypuey37tdp7eqxhxziximg5zfqema";

std::string peer(const std::string& name, const std::string& address,
                 const std::string& endpoints) {
  return R"({"name":")" + name + R"(","address":")" + address + R"(","endpoints":)" + endpoints +
         "}";
}

TEST(OriginAnswer, TellsWhereToDial) {
  const auto peers = parse_origin_answer(R"({"document_version":7,"peers":[)" +
                                         peer("bob", kAddress, R"(["192.0.2.1:8737"])") + "]}");
  ASSERT_TRUE(peers);
  ASSERT_EQ(peers->size(), 1U);
  EXPECT_EQ(peers->front().name, "bob");
  EXPECT_EQ(peers->front().address.text(), kAddress);
  ASSERT_EQ(peers->front().endpoints.size(), 1U);
  EXPECT_EQ(peers->front().endpoints.front().text(), "192.0.2.1:8737");
}

TEST(OriginAnswer, AnOlderRegistryTellsNone) {
  const auto peers = parse_origin_answer(R"({"document_version":7})");
  ASSERT_TRUE(peers);
  EXPECT_TRUE(peers->empty());
}

TEST(OriginAnswer, LeavesOutWhatDoesNotParse) {
  const auto peers =
      parse_origin_answer(R"({"peers":[7,)" + peer("B!", kAddress, "[]") + "," +
                          peer("c", "x", "[]") + "," + peer("d", kAddress, R"(["1.2.3.4"])") + "," +
                          peer("e", kAddress, "[7]") + "," + peer("good", kAddress, "[]") + "]}");
  ASSERT_TRUE(peers);
  ASSERT_EQ(peers->size(), 1U);
  EXPECT_EQ(peers->front().name, "good");
}

TEST(OriginAnswer, IsBounded) {
  std::string body = R"({"peers":[)";
  for (int i = 0; i < 40; ++i) body += (i == 0 ? "" : ",") + peer("p", kAddress, "[]");
  const auto peers = parse_origin_answer(body + "]}");
  ASSERT_TRUE(peers);
  EXPECT_EQ(peers->size(), kMaxAnsweredPeers);
}

TEST(OriginAnswer, RefusesWhatIsNoObject) {
  for (const char* body : {"", "[", "7", "[]", R"({"peers":7})"}) {
    const auto peers = parse_origin_answer(body);
    ASSERT_FALSE(peers) << body;
    EXPECT_EQ(peers.error().code, Errc::BadSyntax);
  }
}

}  // namespace
}  // namespace wattle::metad
