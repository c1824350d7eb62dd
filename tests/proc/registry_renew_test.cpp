// Renewals against the real registry and signer.
#include <future>

#include "common/proto/network_document.h"
#include "tests/proc/registry_lab.h"

namespace wattle::test {
namespace {

class Renew : public RegistryTest {
 protected:
  static Bytes bytes_of(const HttpAnswer& answer, const char* key) {
    return parse_base64(answer.json()[key].get<std::string>()).value();
  }
  static Credential credential_of(const HttpAnswer& answer) {
    return decode_credential(bytes_of(answer, "credential")).value();
  }
  static void new_request(Joiner& joiner) { joiner.csr = crypto::make_csr(joiner.tls).value(); }
  NetworkDocument document() const {
    return parse_network_document(http("document").body, genesis().document_key, network()).value();
  }
};

class ShortRenew : public Renew {
 protected:
  ShortRenew() { lifetime = "60s"; }
};

TEST_F(Renew, gives_a_newer_certificate_that_openssl_verifies) {
  start();
  Joiner alice;
  const HttpAnswer joined = join(alice, invite("alice", "--relay").token);
  ASSERT_EQ(joined.status, 200);
  const Credential first = credential_of(joined);
  new_request(alice);
  const HttpAnswer renewed = renew(alice, 1);
  ASSERT_EQ(renewed.status, 200) << renewed.body;
  const auto json = renewed.json();
  EXPECT_EQ(json["schema"], 1);
  EXPECT_EQ(json["name"], "alice");
  EXPECT_FALSE(json.contains("peers"));
  const Credential second = credential_of(renewed);
  EXPECT_GT(second.serial, first.serial);
  EXPECT_EQ(second.ipv4, first.ipv4);
  EXPECT_EQ(second.ipv6, first.ipv6);
  EXPECT_EQ(second.address, first.address);
  EXPECT_EQ(second.flags, kFlagRelay);
  EXPECT_EQ(second.name_hash, name_hash("alice"));
  const Bytes der = bytes_of(renewed, "certificate");
  const auto verified = crypto::verify_certificate(der, genesis().ca_der, os::unix_now());
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->says.serial, second.serial);
  EXPECT_EQ(verified->public_key, alice.tls.public_key());
  ASSERT_TRUE(os::write_file(folder.file("ca.pem"),
                             as_bytes(crypto::der_to_pem(genesis().ca_der, "CERTIFICATE")), 0644));
  ASSERT_TRUE(os::write_file(folder.file("node.pem"),
                             as_bytes(crypto::der_to_pem(der, "CERTIFICATE")), 0644));
  const Output out = shell("openssl verify -x509_strict -CAfile " + folder.file("ca.pem") + " " +
                           folder.file("node.pem") + " 2>&1");
  EXPECT_EQ(out.code, 0) << out.text;
  EXPECT_TRUE(
      parse_network_document(json["document"].get<std::string>(), genesis().document_key, network())
          .has_value());
}

TEST_F(Renew, refusals_have_their_status_and_word) {
  start();
  Joiner alice;
  const Joiner stranger;
  ASSERT_EQ(join(alice, invite("alice").token).status, 200);
  HttpAnswer answer = renew(stranger, 1);
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.json()["error"], "unknown-member");
  new_request(alice);
  std::string body = alice.renewal_json(network(), {1});
  const std::size_t at = body.find(alice.address().text());
  body.replace(at, 64, stranger.address().text());
  answer = http("renew", &body);
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.json()["error"], "bad-signature");
  body = "{\"address\":5}";
  EXPECT_EQ(http("renew", &body).status, 400);
  EXPECT_EQ(http("renew").status, 405);
  ASSERT_EQ(renew(alice, 1).status, 200);
  new_request(alice);
  answer = renew(alice, 1);
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.json()["error"], "replayed");
  ASSERT_EQ(admin("node revoke alice").code, 0) << admin_error();
  answer = renew(alice, 2);
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.json()["error"], "revoked");
}

TEST_F(Renew, one_member_may_renew_five_times_at_once) {
  start();
  Joiner alice, bob;
  ASSERT_EQ(join(alice, invite("alice").token).status, 200);
  ASSERT_EQ(join(bob, invite("bob").token).status, 200);
  for (std::uint8_t i = 1; i <= 5; ++i) {
    new_request(alice);
    EXPECT_EQ(renew(alice, i).status, 200);
  }
  new_request(alice);
  EXPECT_EQ(renew(alice, 6).status, 429);
  new_request(bob);
  EXPECT_EQ(renew(bob, 1).status, 200);  // its own bucket
}

// Who cannot sign for a member uses up its own chances, not the member's renewals.
TEST_F(Renew, forged_requests_cost_the_member_nothing_and_end_in_429) {
  start();
  Joiner alice;
  ASSERT_EQ(join(alice, invite("alice").token).status, 200);
  new_request(alice);
  std::string forged = alice.renewal_json(network(), {9});
  const std::size_t at = forged.find("\"nonce\":\"") + 9;
  forged[at] = forged[at] == '0' ? '1' : '0';
  for (int i = 0; i < 12; ++i) EXPECT_EQ(http("renew", &forged).status, 403);
  EXPECT_EQ(renew(alice, 1).status, 200);
  int limited = 0;
  for (int i = 0; i < 12; ++i) limited += http("renew", &forged).status == 429 ? 1 : 0;
  EXPECT_GE(limited, 2);  // 20 failures at once, then 5 a minute
  EXPECT_EQ(http("genesis").status, 200);
}

TEST_F(ShortRenew, certificates_last_as_init_said) {
  start();
  Joiner alice;
  const Credential first = credential_of(join(alice, invite("alice").token));
  const auto now = os::unix_now().seconds;
  EXPECT_NEAR(static_cast<double>(first.not_after.seconds), static_cast<double>(now + 60), 2);
  end(signer, SIGKILL);
  start_signer();  // it is in the journal
  new_request(alice);
  HttpAnswer renewed;
  for (int i = 0; i < 20 && renewed.status != 200; ++i) renewed = renew(alice, 1);
  const Credential second = credential_of(renewed);
  EXPECT_NEAR(static_cast<double>(second.not_after.seconds),
              static_cast<double>(os::unix_now().seconds + 60), 2);
}

// Whoever is killed when: the same request gets the same bytes, and no other.
TEST_F(Renew, killing_either_process_gives_one_certificate_for_one_request) {
  start();
  for (int i = 0; i < 8; ++i) {
    Joiner node;
    ASSERT_EQ(join(node, invite("n" + std::to_string(i)).token).status, 200);
    new_request(node);
    auto first = std::async(std::launch::async, [&] { return renew(node, 1); });
    usleep(static_cast<useconds_t>(1500 * i));
    end(i % 2 == 0 ? signer : registry, SIGKILL);
    if (i % 2 == 0)
      start_signer();
    else
      start_registry();
    const HttpAnswer told = first.get();
    const HttpAnswer again = renew(node, 1);
    ASSERT_EQ(again.status, 200) << again.body;
    const auto json = told.json();
    if (told.status == 200 && json.is_object()) {
      EXPECT_EQ(json["certificate"], again.json()["certificate"]);
      EXPECT_EQ(json["credential"], again.json()["credential"]);
    }
    EXPECT_EQ(renew(node, 1).json()["certificate"], again.json()["certificate"]);
  }
}

TEST_F(Renew, a_renamed_member_is_told_to_renew_until_it_has) {
  start();
  Joiner alice;
  const Credential first = credential_of(join(alice, invite("alice").token));
  ASSERT_EQ(admin("node rename alice carol").code, 0) << admin_error();
  EXPECT_EQ(document().reissue, std::vector<std::uint64_t>{first.serial});
  EXPECT_EQ(document().version, 2u);
  new_request(alice);
  const HttpAnswer renewed = renew(alice, 1);
  ASSERT_EQ(renewed.status, 200);
  EXPECT_EQ(renewed.json()["name"], "carol");
  EXPECT_EQ(credential_of(renewed).name_hash, name_hash("carol"));
  for (int i = 0; i < 50 && document().version < 3; ++i) usleep(100000);
  EXPECT_TRUE(document().reissue.empty());
}

}  // namespace
}  // namespace wattle::test
