// Which membership a start takes: the newest pair that verifies, of join or of a renewal, never
// half of one.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "common/os/file.h"
#include "metad/config.h"
#include "metad/core/membership.h"
#include "tests/support/renewing.h"

namespace wattle::metad::test {
namespace {

struct MembershipFiles : testing::Test {
  std::string folder = "/tmp/wattle-test-XXXXXX";
  Renewing registry;
  Config config;
  UnixTime now{Realm::kStart};

  MembershipFiles() {
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    Genesis genesis;
    genesis.network = "home";
    genesis.prefix = registry.six;
    genesis.ipv4 = registry.four;
    genesis.ca_der = registry.ca_der;
    genesis.credential_key = registry.realm.credential_key.public_key();
    genesis.document_key = registry.realm.document_key.public_key();
    const std::string text = build_genesis(genesis, registry.realm.document_key);
    registry.realm.network = network_id(genesis_hash(text));
    config.network = "home";
    config.genesis = folder + "/genesis";
    config.state_folder = folder;
    write("genesis", text);
    write("tls.key", Renewing::tls(1).to_pem());
    join(7000);
  }
  ~MembershipFiles() override { std::filesystem::remove_all(folder); }

  void write(const std::string& name, std::string_view text) {
    EXPECT_TRUE(os::write_file(folder + "/" + name, as_bytes(text), 0600));
  }
  Membership issue(std::uint64_t serial, std::uint8_t n = 1, std::uint8_t tls = 1) {
    return registry.issue(registry.draft(n, serial, now), Renewing::tls(tls));
  }
  void join(std::uint64_t serial) {
    const Membership membership = issue(serial);
    write("certificate", crypto::der_to_pem(membership.certificate, "CERTIFICATE"));
    write("credential", as_text(membership.credential));
  }
  void renew(const Membership& membership) { write(kRenewedFile, print_membership(membership)); }
  std::string serial() {
    const auto loaded = load_membership(config, now);
    if (!loaded) return loaded.error().text();
    EXPECT_EQ(decode_credential(loaded->setup.credential)->serial, loaded->setup.serial);
    EXPECT_EQ(loaded->tls.serial, loaded->setup.serial);
    EXPECT_TRUE(TlsContext::create(loaded->tls)) << "certificate and key belong together";
    return std::to_string(loaded->setup.serial);
  }
};

TEST_F(MembershipFiles, TheNewestPairIsUsed) {
  EXPECT_EQ(serial(), "7000");
  renew(issue(7005));
  EXPECT_EQ(serial(), "7005");
  join(7010);  // joined again since
  EXPECT_EQ(serial(), "7010");
}

TEST_F(MembershipFiles, WhatDoesNotVerifyIsPassedOver) {
  renew(issue(7005, 2));
  EXPECT_EQ(serial(), "7000") << "another member's";
  renew(issue(7005, 1, 2));
  EXPECT_EQ(serial(), "7000") << "another TLS key's";
  Membership mixed = issue(7005);
  mixed.credential = issue(7006).credential;
  renew(mixed);
  EXPECT_EQ(serial(), "7000") << "two halves";
  const std::string whole = print_membership(issue(7005));
  for (const std::size_t part : {std::size_t{0}, whole.size() / 2, whole.size() - 20}) {
    write(kRenewedFile, std::string_view(whole).substr(0, part));
    EXPECT_EQ(serial(), "7000") << part;
  }
  write(kRenewedFile, whole);
  write("certificate", "rubbish");
  EXPECT_EQ(serial(), "7005") << "the renewed one stands by itself";
  write(kRenewedFile, "rubbish");
  EXPECT_NE(serial().find("certificate"), std::string::npos) << serial();
}

TEST_F(MembershipFiles, AnEndedOneIsGoodForItsRenewalUntilTheGraceIsOver) {
  now.seconds += Renewing::kLife + 10;
  EXPECT_EQ(serial(), "7000");
  now.seconds += kGrace - 20;
  EXPECT_EQ(serial(), "7000");
  now.seconds += 20;
  EXPECT_NE(serial().find("ended more than 30 days ago"), std::string::npos);
  now.seconds = Realm::kStart - 100 * 86400;
  EXPECT_EQ(serial(), "7000") << "a clock that stands wrong is named in the log, and may be set";
}

// A document that says other keys than genesis's.
struct MembershipOfNewKeys : MembershipFiles {
  MembershipOfNewKeys() {
    document.network = registry.realm.network;
    document.version = 9;
    document.registries = {"https://192.0.2.1:8443"};
    Renewing other;
    other.ca = key_of(204);
    new_ca_der = other.ca_certificate();
  }
  void store(const crypto::PrivateKey& signer) {
    write("document", build_network_document(document, signer));
  }
  NetworkDocument document;
  crypto::PrivateKey new_key = key_of(205);
  Bytes new_ca_der;
};

TEST_F(MembershipOfNewKeys, OneOfANewKeyIsGoodIfTheStoredDocumentSaysSo) {
  const Bytes old_ca_der = registry.ca_der;
  registry.ca = key_of(204);
  registry.ca_der = new_ca_der;
  renew(issue(7005));
  EXPECT_EQ(serial(), "7000") << "nobody has said that its CA is one";
  document.ca_ders = {old_ca_der, new_ca_der};
  store(registry.realm.document_key);
  EXPECT_EQ(serial(), "7005");
  const auto loaded = load_membership(config, now);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->tls.ca_ders, document.ca_ders);
  EXPECT_EQ(loaded->registries, document.registries);
  EXPECT_EQ(loaded->setup.certificate, loaded->tls.certificate_der);
}

TEST_F(MembershipOfNewKeys, OneOfARetiredKeyIsGoodForItsRenewal) {
  document.ca_ders = {new_ca_der};
  document.credential_keys = {new_key.public_key()};
  store(registry.realm.document_key);
  EXPECT_EQ(serial(), "7000");
  Membership mixed = issue(7005);
  mixed.credential = issue(7006).credential;
  renew(mixed);
  EXPECT_EQ(serial(), "7000") << "but no two halves";
  registry.realm.network[0] ^= 1;
  renew(issue(7007));
  EXPECT_EQ(serial(), "7000") << "nor one of another network";
}

TEST_F(MembershipOfNewKeys, ADocumentThatNoKeyOfGenesisLeadsToChangesNothing) {
  document.ca_ders = {new_ca_der};
  store(key_of(9));
  EXPECT_EQ(serial(), "7000");
  EXPECT_EQ(load_membership(config, now)->tls.ca_ders, std::vector<Bytes>{registry.ca_der});
}

}  // namespace
}  // namespace wattle::metad::test
