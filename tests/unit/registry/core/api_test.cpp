#include "registry/core/api.h"

#include <gtest/gtest.h>
#include <set>

#include "registry/core/join_request.h"
#include "registry/core/origin_check.h"
#include "tests/support/joiner.h"

namespace wattle::registry {
namespace {

TEST(api_route, knows_its_calls_and_nothing_else) {
  EXPECT_EQ(route(Method::Get, "/home/genesis", "home"), Call::Genesis);
  EXPECT_EQ(route(Method::Get, "/home/document?version=3", "home"), Call::Document);
  EXPECT_EQ(route(Method::Post, "/home/join", "home"), Call::Join);
  EXPECT_EQ(route(Method::Post, "/home/origin", "home"), Call::Origin);
  EXPECT_EQ(route(Method::Post, "/home/renew", "home"), Call::Renew);
  EXPECT_EQ(route(Method::Get, "/home/renew", "home"), Call::WrongMethod);
  EXPECT_EQ(route(Method::Get, "/home/join", "home"), Call::WrongMethod);
  EXPECT_EQ(route(Method::Other, "/home/genesis", "home"), Call::WrongMethod);
  for (const char* path : {"", "/", "/home", "/home/", "/homes/genesis", "/other/genesis",
                           "home/genesis", "/home/genesis/", "/home//genesis", "/hom/genesis"})
    EXPECT_EQ(route(Method::Get, path, "home"), Call::NotFound) << path;
}

TEST(api_answer, every_fault_has_a_word_of_its_own_and_an_error_status) {
  std::set<std::string_view> words;
  for (int i = 0; i <= static_cast<int>(Fault::Replayed); ++i) {
    const Fault fault = static_cast<Fault>(i);
    words.insert(word(fault));
    EXPECT_GE(status(fault), 400);
    EXPECT_EQ(error_answer(fault, "x").status, status(fault));
  }
  EXPECT_EQ(words.size(), static_cast<std::size_t>(Fault::Replayed) + 1);
  EXPECT_EQ(error_answer(Fault::TokenUsed, "it \"was\" used").body,
            "{\"error\":\"token-used\",\"sentence\":\"it \\\"was\\\" used\"}\n");
  EXPECT_EQ(error_answer(Fault::TokenUsed, "\xff").status, 409);  // foreign bytes do not throw
}

TEST(api_answer, the_signers_rules_map_to_what_a_joiner_understands) {
  using sign_link::Rule;
  EXPECT_EQ(fault_of(Rule::TokenUsed), Fault::TokenUsed);
  EXPECT_EQ(fault_of(Rule::TokenExpired), Fault::TokenExpired);
  EXPECT_EQ(fault_of(Rule::UnknownToken), Fault::UnknownToken);
  EXPECT_EQ(fault_of(Rule::BadProof), Fault::BadProof);
  EXPECT_EQ(fault_of(Rule::IdClash), Fault::IdClash);
  EXPECT_EQ(status(fault_of(Rule::Storage)), 507);
  EXPECT_EQ(status(fault_of(Rule::ClockOff)), 503);
  EXPECT_EQ(status(fault_of(Rule::Void)), 410);
  EXPECT_EQ(status(fault_of(Rule::Revoked)), 403);
  EXPECT_EQ(status(fault_of(Rule::UnknownMember)), 404);
  EXPECT_EQ(status(fault_of(Rule::Expired)), 410);
  EXPECT_EQ(status(fault_of(Rule::Replayed)), 409);
  EXPECT_EQ(status(fault_of(Rule::Pending)), 202);
  EXPECT_EQ(status(fault_of(Rule::Rejected)), 403);
  EXPECT_EQ(status(Fault::TooOld), 426);
}

TEST(api_answer, a_join_answer_has_every_field) {
  const Bytes certificate{1, 2, 3};
  const Bytes credential{4, 5};
  const Answer answer = join_answer(
      {"alice", certificate, credential, "doc\n", {{"bob", "addr", {"192.0.2.1:8737"}}}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body,
            "{\"schema\":1,\"name\":\"alice\",\"certificate\":\"AQID\",\"credential\":\"BAU=\","
            "\"document\":\"doc\\n\",\"peers\":[{\"name\":\"bob\",\"address\":\"addr\","
            "\"endpoints\":[\"192.0.2.1:8737\"]}]}\n");
  EXPECT_EQ(origin_answer(7, {}).body, "{\"document_version\":7,\"peers\":[]}\n");
  EXPECT_EQ(origin_answer(7, {{"bob", "aeaa", {"192.0.2.1:8737"}}}).body,
            "{\"document_version\":7,\"peers\":[{\"name\":\"bob\",\"address\":"
            "\"aeaa\",\"endpoints\":[\"192.0.2.1:8737\"]}]}\n");
}

TEST(api_answer, a_renewal_is_a_join_without_peers_and_no_news_is_empty) {
  const Bytes certificate{1, 2, 3};
  const Bytes credential{4, 5};
  EXPECT_EQ(renew_answer({"alice", certificate, credential, "doc\n", {}}).body,
            "{\"schema\":1,\"name\":\"alice\",\"certificate\":\"AQID\",\"credential\":\"BAU=\","
            "\"document\":\"doc\\n\"}\n");
  EXPECT_EQ(no_news().status, 204);
  EXPECT_EQ(no_news().body, "");
}

TEST(api_route, after_is_a_version_or_nothing) {
  EXPECT_FALSE(document_after("/home/document")->has_value());
  EXPECT_FALSE(document_after("/home/document?")->has_value());
  EXPECT_FALSE(document_after("/home/document?x=1&y")->has_value());
  EXPECT_EQ(document_after("/home/document?after=0").value(), 0u);
  EXPECT_EQ(document_after("/home/document?x=1&after=18446744073709551615").value(), UINT64_MAX);
  for (const char* wrong :
       {"after=", "after=-1", "after=x", "after=1x", "after=18446744073709551616"})
    EXPECT_FALSE(document_after(std::string("/home/document?") + wrong)) << wrong;
}

TEST(renew_request, reads_what_a_member_sends_and_names_what_is_wrong) {
  const test::Joiner joiner;
  const std::string good = joiner.renewal_json(NetworkId{7}, Nonce{8});
  const auto request = parse_renew_request(good);
  ASSERT_TRUE(request) << request.error().text();
  EXPECT_EQ(request->address, joiner.address());
  EXPECT_EQ(request->csr, joiner.csr);
  EXPECT_EQ(request->nonce, Nonce{8});
  EXPECT_TRUE(verify_enrolment(claim_of(*request, NetworkId{7}), request->signature));
  EXPECT_FALSE(verify_enrolment(claim_of(*request, NetworkId{8}), request->signature));
  for (const char* key : {"address", "csr", "nonce", "signature"}) {
    const std::string quoted = std::string("\"") + key + "\"";
    std::string body = good;
    body.replace(body.find(quoted), quoted.size(), "\"x\"");
    const auto missing = parse_renew_request(body);
    ASSERT_FALSE(missing) << key;
    EXPECT_NE(missing.error().text().find(key), std::string::npos);
    body = good;
    body.insert(body.find(quoted) + quoted.size() + 2, "!");
    EXPECT_FALSE(parse_renew_request(body)) << key;
  }
  EXPECT_EQ(parse_renew_request(std::string(kMaxBody + 1, ' ')).error().code, Errc::Full);
}

TEST(join_request, reads_what_a_joiner_sends) {
  const test::Joiner joiner;
  const InviteToken token{5};
  const auto request = parse_join_request(joiner.json(NetworkId{}, token, Nonce{8}));
  ASSERT_TRUE(request) << request.error().text();
  EXPECT_EQ(request->token, token_id(invite_key(token)));
  EXPECT_EQ(request->address, joiner.address());
  EXPECT_EQ(request->csr, joiner.csr);
  EXPECT_EQ(request->nonce, Nonce{8});
}

TEST(join_request, names_what_is_wrong) {
  const std::string good = test::Joiner().json(NetworkId{}, InviteToken{5});
  for (const char* key : {"token_id", "address", "csr", "nonce", "proof", "signature"}) {
    const std::string quoted = std::string("\"") + key + "\"";
    std::string body = good;
    body.replace(body.find(quoted), quoted.size(), "\"x\"");
    const auto missing = parse_join_request(body);
    ASSERT_FALSE(missing) << key;
    EXPECT_NE(missing.error().text().find(key), std::string::npos);
    body = good;  // one character fewer in the value
    body.erase(body.find(quoted) + quoted.size() + 2, 1);
    EXPECT_FALSE(parse_join_request(body)) << key;
    body = good;
    body.insert(body.find(quoted) + quoted.size() + 2, "!");
    EXPECT_FALSE(parse_join_request(body)) << key;
  }
}

TEST(join_request, refuses_what_is_no_object_and_what_is_too_large) {
  for (const char* body :
       {"", "{", "[]", "7", "\"x\"", "null", "{\"token_id\":7}", "{\"a\":1}trail"})
    EXPECT_FALSE(parse_join_request(body)) << body;
  EXPECT_FALSE(parse_join_request(std::string(kMaxBody, '[')));
  const std::string good = test::Joiner().json(NetworkId{}, InviteToken{5});
  EXPECT_TRUE(parse_join_request(good + std::string(kMaxBody - good.size(), ' ')));
  const auto large = parse_join_request(good + std::string(kMaxBody - good.size() + 1, ' '));
  EXPECT_EQ(large.error().code, Errc::Full);
}

struct OriginCase {
  crypto::PrivateKey identity = crypto::PrivateKey::generate();
  OriginRecord record;
  StoredMember member;
  OriginCase() {
    record.network = {1};
    record.address = NodeAddress::from_key(identity.public_key());
    record.seqno = 9;
    record.name = "alice";
    record.endpoints = {Endpoint::parse("192.0.2.1:8737").value()};
    member.address = record.address;
    member.name = "alice";
  }
  OriginPost post() const { return {build_origin_body(record), sign_origin(record, identity)}; }
};

TEST(origin_check, believes_a_members_own_word_only) {
  const OriginCase good;
  const auto record = open_origin(good.post(), {1});
  ASSERT_TRUE(record);
  EXPECT_TRUE(check_origin(*record, good.post(), good.member));
  EXPECT_FALSE(open_origin(good.post(), {2}));
  EXPECT_FALSE(open_origin({{1, 2, 3}, {}}, {1}));
  OriginPost forged = good.post();
  forged.signature[0] ^= 1;
  EXPECT_EQ(check_origin(*record, forged, good.member).error().code, Errc::BadSignature);
  StoredMember other = good.member;
  other.name = "mallory";
  EXPECT_EQ(check_origin(*record, good.post(), other).error().code, Errc::Denied);
  other.certified_name = "alice";  // renamed, but not renewed yet
  EXPECT_TRUE(check_origin(*record, good.post(), other));
  other.revoked = true;
  EXPECT_EQ(check_origin(*record, good.post(), other).error().code, Errc::Denied);
  other = good.member;
  other.address.bytes[20] ^= 1;
  EXPECT_EQ(check_origin(*record, good.post(), other).error().code, Errc::Denied);
}

}  // namespace
}  // namespace wattle::registry
