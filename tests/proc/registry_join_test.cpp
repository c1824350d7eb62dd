// Joins against the real registry and signer.
#include <future>

#include "common/proto/network_document.h"
#include "common/proto/prefix_bits.h"
#include "tests/proc/registry_lab.h"

namespace wattle::test {
namespace {

class Join : public RegistryTest {};

Bytes certificate_of(const HttpAnswer& answer) {
  return parse_base64(answer.json()["certificate"].get<std::string>()).value();
}

TEST_F(Join, gives_certificate_credential_document_that_verify) {
  start();
  const Joiner alice;
  const HttpAnswer answer = join(alice, invite("alice", "--relay").token);
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto json = answer.json();
  EXPECT_EQ(json["schema"], 1);
  EXPECT_EQ(json["name"], "alice");
  EXPECT_TRUE(json["peers"].empty());
  const auto verified =
      crypto::verify_certificate(certificate_of(answer), genesis().ca_der, os::unix_now());
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->says.common_name, "0/16");
  EXPECT_EQ(verified->says.anode_text, alice.address().text());
  EXPECT_EQ(verified->public_key, alice.tls.public_key());
  const Bytes raw = parse_base64(json["credential"].get<std::string>()).value();
  const Credential credential = decode_credential(raw).value();
  EXPECT_EQ(credential.serial, verified->says.serial);
  EXPECT_EQ(credential.not_after, verified->says.not_after);
  EXPECT_EQ(credential.address, alice.address());
  EXPECT_EQ(credential.flags, kFlagRelay);
  EXPECT_EQ(credential.ipv4.text(), "10.91.4.1/32");
  EXPECT_EQ(credential.address6().text(), "fd12:3456:789a::1");
  const auto document = parse_network_document(json["document"].get<std::string>(),
                                               genesis().document_key, network());
  ASSERT_TRUE(document);
  EXPECT_EQ(document->registries, std::vector<std::string>{base()});
}

TEST_F(Join, openssl_verify_accepts_the_certificates) {
  start();
  const Genesis g = genesis();
  ASSERT_TRUE(os::write_file(folder.file("ca.pem"),
                             as_bytes(crypto::der_to_pem(g.ca_der, "CERTIFICATE")), 0644));
  for (const char* name : {"alice", "bob"}) {
    const HttpAnswer answer = join(Joiner(), invite(name).token);
    ASSERT_EQ(answer.status, 200);
    const std::string pem = crypto::der_to_pem(certificate_of(answer), "CERTIFICATE");
    ASSERT_TRUE(os::write_file(folder.file("node.pem"), as_bytes(pem), 0644));
    const Output out = shell("openssl verify -x509_strict -CAfile " + folder.file("ca.pem") + " " +
                             folder.file("node.pem") + " 2>&1");
    EXPECT_EQ(out.code, 0) << out.text;
    const Output text = shell("openssl x509 -noout -text -in " + folder.file("node.pem"));
    EXPECT_NE(text.text.find("sbgp-ipAddrBlock"), std::string::npos) << text.text;
  }
}

TEST_F(Join, of_64_parallel_tries_with_one_token_exactly_one_wins) {
  start();
  const InviteToken token = invite("alice").token;
  std::vector<std::string> bodies;
  for (int i = 0; i < 64; ++i) bodies.push_back(Joiner().json(network(), token));
  int won = 0;
  int used = 0;
  for (const HttpAnswer& answer : join_all(bodies)) {
    if (answer.status == 200) ++won;
    if (answer.status == 409 && answer.json()["error"] == "token-used") ++used;
  }
  EXPECT_EQ(won, 1);
  EXPECT_EQ(used, 63);
}

TEST_F(Join, many_machines_at_once_get_different_addresses) {
  start();
  std::vector<std::string> bodies;
  for (int i = 0; i < 16; ++i)
    bodies.push_back(Joiner().json(network(), invite("node" + std::to_string(i)).token));
  std::set<std::string> ipv4, ipv6;
  for (const HttpAnswer& answer : join_all(bodies)) {
    ASSERT_EQ(answer.status, 200) << answer.body;
    const Credential c =
        decode_credential(parse_base64(answer.json()["credential"].get<std::string>()).value())
            .value();
    ipv4.insert(c.ipv4.text());
    ipv6.insert(c.ipv6.text());
  }
  EXPECT_EQ(ipv4.size(), 16u);
  EXPECT_EQ(ipv6.size(), 16u);
}

TEST_F(Join, again_gives_the_same_bytes_also_after_restarts) {
  start();
  const Joiner alice;
  const InviteToken token = invite("alice").token;
  const HttpAnswer first = join(alice, token);
  ASSERT_EQ(first.status, 200);
  const HttpAnswer second = join(alice, token);
  EXPECT_EQ(second.json()["certificate"], first.json()["certificate"]);
  EXPECT_EQ(second.json()["credential"], first.json()["credential"]);
  end(registry, SIGKILL);
  end(signer, SIGKILL);
  ASSERT_EQ(unlink((state() + "/registry/registry.db").c_str()), 0);  // only a view
  start();
  const HttpAnswer third = join(alice, token);
  EXPECT_EQ(third.json()["certificate"], first.json()["certificate"]);
  EXPECT_EQ(third.json()["credential"], first.json()["credential"]);
  const HttpAnswer other = join(Joiner(), token);
  EXPECT_EQ(other.status, 409);
}

TEST_F(Join, refusals_have_their_status_and_word) {
  start();
  const Joiner alice;
  const InviteToken token = invite("alice").token;
  EXPECT_EQ(join(alice, InviteToken{9}).json()["error"], "unknown-token");
  std::string body = alice.json(network(), token);
  const std::size_t at = body.find("\"proof\":\"") + 9;
  body[at] = body[at] == '0' ? '1' : '0';
  HttpAnswer answer = http("join", &body);
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.json()["error"], "bad-proof");
  body = "{}";
  answer = http("join", &body);
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.json()["error"], "bad-request");
  const InviteToken brief = invite("brief", "--expires 1s").token;
  sleep(2);
  answer = join(alice, brief);
  EXPECT_EQ(answer.status, 410);
  EXPECT_EQ(answer.json()["error"], "token-expired");
  EXPECT_EQ(join(alice, token).status, 200);
  answer = join(alice, invite("twin").token);
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.json()["error"], "id-clash");
}

TEST_F(Join, says_that_the_signer_is_away_and_goes_on_when_it_is_back) {
  start();
  const Joiner alice;
  const InviteToken token = invite("alice").token;
  end(signer, SIGKILL);
  const HttpAnswer away = join(alice, token);
  EXPECT_EQ(away.status, 503);
  EXPECT_EQ(away.json()["error"], "signer-away");
  EXPECT_EQ(http("document").status, 200);  // what it knows, it still says
  start_signer();
  EXPECT_EQ(join(alice, token).status, 200);
}

// No certificate that a joiner holds may be missing from the journal, whoever is killed when.
TEST_F(Join, killing_either_process_loses_no_acknowledged_certificate) {
  start();
  std::map<std::string, std::string> acknowledged;  // name -> certificate
  for (int i = 0; i < 12; ++i) {
    std::vector<std::string> bodies, names;
    for (int j = 0; j < 4; ++j) {
      names.push_back("n" + std::to_string(i) + "-" + std::to_string(j));
      bodies.push_back(Joiner().json(network(), invite(names.back()).token));
    }
    auto joins = std::async(std::launch::async, [&] { return join_all(bodies); });
    usleep(static_cast<useconds_t>(1500 * (i + 1)));
    end(i % 2 == 0 ? signer : registry, SIGKILL);
    if (i % 2 == 0) {
      start_signer();
    } else {
      start_registry();
    }
    const auto answers = joins.get();
    for (std::size_t j = 0; j < names.size(); ++j) {
      // A 200 whose body the kill has cut is no acknowledgement.
      const auto answer = answers[j].json();
      if (answers[j].status == 200 && answer.is_object())
        acknowledged[names[j]] = answer["certificate"].get<std::string>();
      // Whoever got no answer asks again, and gets one.
      const HttpAnswer again = http("join", &bodies[j]);
      ASSERT_EQ(again.status, 200) << again.body;
      const std::string certificate = again.json()["certificate"].get<std::string>();
      if (acknowledged.contains(names[j])) {
        EXPECT_EQ(certificate, acknowledged[names[j]]);
      }
      acknowledged[names[j]] = certificate;
    }
  }
  const Output list = admin("node list --json");
  ASSERT_EQ(list.code, 0) << admin_error();
  std::set<std::string> listed;
  const auto parsed = nlohmann::json::parse(list.text);
  for (const auto& node : parsed["nodes"]) listed.insert(node["name"]);
  EXPECT_EQ(listed.size(), acknowledged.size());
  for (const auto& [name, certificate] : acknowledged) EXPECT_TRUE(listed.contains(name));
}

}  // namespace
}  // namespace wattle::test
