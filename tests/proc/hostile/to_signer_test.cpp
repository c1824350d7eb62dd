// A compromised registry against the real wattle-signer (DESIGN 2: "a broken registry process
// admits nobody and changes no policy"), and others who would be administrators.
#include <sys/syscall.h>

#include <thread>

#include "tests/proc/hostile/attacker.h"
#include "tests/proc/registry_lab.h"

namespace wattle::test {
namespace {

using namespace sign_link;  // NOLINT: the messages

// A connection as another user: the credentials of the thread that connects count.
os::Fd connect_as(uid_t uid, const std::string& path) {
  os::Fd out;
  std::thread([&] {
    if (syscall(SYS_setresgid, -1, uid, -1) != 0 || syscall(SYS_setresuid, -1, uid, -1) != 0)
      return;
    auto socket = os::connect_unix(path, os::SocketKind::Seqpacket);
    if (socket) out = std::move(*socket);
  }).join();
  return out;
}

class HostileRegistry : public RegistryTest {
 protected:
  void SetUp() override {
    RegistryTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    start_signer();
    alice_key = key_of("alice");
  }
  Attacker registry_end() {
    Attacker out(connect_as(kNobody, run() + "/sign"));
    EXPECT_TRUE(out.say(ipc::pack_hello(FromRegistry::fingerprint(), ToRegistry::fingerprint())));
    return out;
  }
  InviteKey key_of(const std::string& name, const std::string& more = {}) const {
    return invite_key(invite(name, more).token);
  }
  static IpPrefix prefix(const std::string& text) { return IpPrefix::parse(text).value(); }
  static IpAddress ip(const std::string& text) { return IpAddress::parse(text).value(); }
  std::string log_text() const { return os::read_text(folder.file("log")).value(); }

  bool has_said(const std::vector<std::string>& words) const {
    for (int i = 0; i < 100 && count_lines(log_text(), words) == 0; ++i) usleep(50'000);
    return count_lines(log_text(), words) != 0;
  }

  std::optional<ToRegistry::Message> answer(Attacker& end) {
    for (;;) {
      const Bytes bytes = end.hear();
      if (bytes.empty()) return std::nullopt;
      auto message = ToRegistry::unpack(bytes);
      if (message && !std::holds_alternative<NewEntries>(*message)) return std::move(*message);
    }
  }
  template <typename M>
  void expect_refused(Attacker& end, const M& request, Rule rule) {
    const std::string words = "rule=" + std::string(rule_name(rule));
    ASSERT_TRUE(end.say(FromRegistry::pack(request)));
    const auto message = answer(end);
    ASSERT_TRUE(message) << words;
    const auto* refused = std::get_if<Refused>(&*message);
    ASSERT_NE(refused, nullptr) << words << ": was granted";
    EXPECT_EQ(rule_name(refused->rule), rule_name(rule)) << refused->sentence;
    EXPECT_GE(count_lines(log_text(), {"refused what the registry asks", words}), 1u)
        << words << log_text();
  }
  Issued expect_issued(Attacker& end, const Issue& request) {
    EXPECT_TRUE(end.say(FromRegistry::pack(request)));
    const auto message = answer(end);
    const auto* issued = message ? std::get_if<Issued>(&*message) : nullptr;
    if (issued != nullptr) return *issued;
    ADD_FAILURE() << "an honest request is refused\n" << log_text();
    return {};
  }
  // The same process, and it makes members, for the administrator too.
  void expect_served(pid_t was) {
    EXPECT_EQ(signer, was);
    ASSERT_TRUE(is_alive(was)) << log_text();
    Joiner joiner;
    auto honest = registry_end();
    const std::string number = std::to_string(++members);
    const auto key = key_of("honest" + number);
    expect_issued(honest,
                  joiner.issue(network(), key, prefix("fd12:3456:789a:f" + number + "::/64"),
                               ip("10.91.5." + number)));
  }

  InviteKey alice_key{};
  int members = 0;
};

TEST_F(HostileRegistry, NothingOverlapsAndNobodyComesUninvited) {
  const pid_t was = signer;
  auto end = registry_end();
  Joiner alice, bob;
  const IpPrefix a64 = prefix("fd12:3456:789a:100::/64");
  expect_issued(end, alice.issue(network(), alice_key, a64, ip("10.91.4.9")));
  const InviteKey bob_key = key_of("bob");
  const auto bobs = [&](const IpPrefix& p, const std::string& v4) {
    return bob.issue(network(), bob_key, p, ip(v4));
  };
  const IpPrefix free = prefix("fd12:3456:789a:200::/64");
  expect_refused(end, bobs(a64, "10.91.4.10"), Rule::PrefixTaken);
  expect_refused(end, bobs(prefix("fd12:3456:789a:100::/56"), "10.91.4.10"), Rule::BadRequest);
  expect_refused(end, bobs(prefix("fd99:3456:789a:100::/64"), "10.91.4.10"), Rule::BadRequest);
  expect_refused(end, bobs(free, "10.91.4.9"), Rule::AddressTaken);
  expect_refused(end, bobs(free, "10.91.4.0"), Rule::BadRequest);
  expect_refused(end, bobs(free, "192.0.2.1"), Rule::BadRequest);
  // Without a token; with alice's, which is used; with a proof that is not of this CSR.
  expect_refused(end, bob.issue(network(), InviteKey{1, 2, 3}, free, ip("10.91.4.10")),
                 Rule::UnknownToken);
  expect_refused(end, bob.issue(network(), alice_key, free, ip("10.91.4.10")), Rule::TokenUsed);
  Issue changed = bobs(free, "10.91.4.10");
  changed.csr = Joiner().csr;
  expect_refused(end, changed, Rule::BadProof);
  changed = bobs(free, "10.91.4.10");
  changed.address = Joiner().address().bytes;
  expect_refused(end, changed, Rule::BadProof);
  EXPECT_EQ(count_lines(log_text(), {"made a member"}), 1u);
  expect_served(was);
}

// What a CSR asks for beyond its key is not heard: the invite and the journal say all else.
TEST_F(HostileRegistry, NoLongerLifeAndNoMoreRights) {
  auto end = registry_end();
  Joiner alice;
  const std::string pem = folder.file("tls.pem"), csr = folder.file("csr.der");
  ASSERT_TRUE(os::write_file(pem, as_bytes(alice.tls.to_pem()), 0600));
  const Output made =
      shell("openssl req -new -batch -key " + pem + " -subj '/CN=evil' -outform DER -out " + csr +
            " -addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign"
            " -addext subjectAltName=URI:anode:xyz,DNS:carol"
            " -addext 'sbgp-ipAddrBlock=critical,IPv6:fd12:3456:789a::/48' 2>&1");
  ASSERT_EQ(made.code, 0) << made.text;
  alice.csr = os::read_file(csr, 16384).value();
  const UnixTime now = os::unix_now();
  const Issued issued = expect_issued(
      end, alice.issue(network(), alice_key, prefix("fd12:3456:789a:100::/64"), ip("10.91.4.9")));
  ASSERT_FALSE(issued.certificate.empty());
  const auto member = crypto::verify_certificate(issued.certificate, genesis().ca_der, now);
  ASSERT_TRUE(member) << member.error().text();
  EXPECT_EQ(member->says.dns_name, "alice");
  EXPECT_EQ(member->says.anode_text, alice.address().text());
  EXPECT_LE(member->says.not_after.seconds, now.seconds + 31 * 86400);
  const std::string path = folder.file("crt.der");
  ASSERT_TRUE(os::write_file(path, issued.certificate, 0644));
  const std::string text = shell("openssl x509 -inform DER -noout -text -in " + path).text;
  EXPECT_NE(text.find("CA:FALSE"), std::string::npos) << text;
  for (const char* no : {"CA:TRUE", "Certificate Sign", "carol", "xyz", "fd12:3456:789a::/48"})
    EXPECT_EQ(text.find(no), std::string::npos) << no << text;
  const auto credential = decode_credential(issued.credential);
  ASSERT_TRUE(credential);
  EXPECT_EQ(credential->flags, 0);
  EXPECT_EQ(credential->ipv6, prefix("fd12:3456:789a:100::/64"));
  EXPECT_LE(credential->not_after.seconds, now.seconds + 31 * 86400);
}

TEST_F(HostileRegistry, RenewalsOfStrangersOfTheRevokedAndReplaysAreRefused) {
  const pid_t was = signer;
  auto end = registry_end();
  Joiner alice;
  expect_issued(
      end, alice.issue(network(), alice_key, prefix("fd12:3456:789a:100::/64"), ip("10.91.4.9")));
  expect_refused(end, Joiner().renew(network(), {1}), Rule::UnknownMember);
  Renew forged = Joiner().renew(network(), {1});
  forged.address = alice.address().bytes;
  expect_refused(end, forged, Rule::BadSignature);
  // A renewal that was made once, with another CSR since: recorded and played again.
  const Renew first = [&] {
    alice.tls = crypto::PrivateKey::generate();
    alice.csr = crypto::make_csr(alice.tls).value();
    return alice.renew(network(), {7});
  }();
  ASSERT_TRUE(end.say(FromRegistry::pack(first)));
  ASSERT_TRUE(answer(end));
  alice.tls = crypto::PrivateKey::generate();
  alice.csr = crypto::make_csr(alice.tls).value();
  ASSERT_TRUE(end.say(FromRegistry::pack(alice.renew(network(), {8}))));
  ASSERT_TRUE(answer(end));
  expect_refused(end, first, Rule::Replayed);
  ASSERT_EQ(admin("node revoke alice").code, 0) << admin_error();
  expect_refused(end, alice.renew(network(), {9}), Rule::Revoked);
  expect_refused(
      end, alice.issue(network(), alice_key, prefix("fd12:3456:789a:100::/64"), ip("10.91.4.9")),
      Rule::TokenUsed);
  expect_served(was);
}

TEST_F(HostileRegistry, FloodsCostNothing) {
  const pid_t was = signer;
  { auto warm = registry_end(); }
  expect_served(was);
  const std::size_t before = rss_kb(was);
  Joiner joiner;
  const Bytes uninvited = FromRegistry::pack(
      joiner.issue(network(), InviteKey{9}, prefix("fd12:3456:789a:100::/64"), ip("10.91.4.9")));
  const Bytes stranger = FromRegistry::pack(joiner.renew(network(), {1}));
  const Bytes journal = FromRegistry::pack(ReadJournal{0});
  const Bytes beyond = FromRegistry::pack(ReadJournal{UINT64_MAX});
  for (const bool deaf : {false, true}) {
    auto end = registry_end();
    end.set_deaf(deaf);
    const std::size_t many = flood(10000);
    for (std::size_t i = 0; i < many; ++i)
      ASSERT_TRUE(end.say(i % 16 == 0  ? stranger
                          : i % 2 == 0 ? uninvited
                          : i % 3 == 0 ? beyond
                                       : journal));
    std::printf("deaf %d: resident %zu kB before, %zu kB after %zu messages\n", deaf, before,
                rss_kb(was), many);
    expect_grown_less(before, rss_kb(was), 20'000);
    EXPECT_EQ(admin("network show").code, 0) << admin_error();
  }
  EXPECT_LT(count_lines(log_text(), {}), 120u) << "the log grows with a flood";
  expect_served(was);
}

TEST_F(HostileRegistry, AChangedConversationCostsNothing) {
  const pid_t was = signer;
  Joiner alice;
  const IpPrefix a64 = prefix("fd12:3456:789a:100::/64");
  {
    auto end = registry_end();
    expect_issued(end, alice.issue(network(), alice_key, a64, ip("10.91.4.9")));
  }
  const InviteKey bob_key = key_of("bob");
  const std::size_t before = rss_kb(was);
  Joiner bob;
  Mutator mutator(
      {FromRegistry::pack(bob.issue(network(), bob_key, a64, ip("10.91.4.9"))),
       FromRegistry::pack(alice.renew(network(), {3})), FromRegistry::pack(ReadJournal{1})},
      20261121);
  auto end = std::make_unique<Attacker>(registry_end());
  std::size_t wrong_forms = 0;
  for (std::size_t i = 0; i < flood(10000); ++i) {
    const Bytes message = mutator.next();
    const bool decodes = FromRegistry::unpack(message).has_value();
    if (!decodes && ++wrong_forms > 40) continue;
    if (!end->say(message) || (!decodes && end->ended()))
      end = std::make_unique<Attacker>(registry_end());
  }
  end->drain();
  end.reset();
  expect_grown_less(before, rss_kb(was), 20'000);
  // alice, who was made before, and nobody else.
  EXPECT_EQ(count_lines(log_text(), {"made a member"}), 1u) << log_text();
  expect_served(was);
}

TEST_F(HostileRegistry, TheLanesTakeNobodyElse) {
  const pid_t was = signer;
  const auto refused = [&](uid_t uid, const char* lane) {
    ASSERT_EQ(chmod((run() + "/" + lane).c_str(), 0666), 0);  // opened by hand
    os::Fd socket = connect_as(uid, run() + "/" + lane);
    ASSERT_TRUE(socket.is_open());
    EXPECT_TRUE(Attacker(std::move(socket)).ended()) << lane;
    EXPECT_GE(count_lines(log_text(), {"refused a connection", std::string("lane=") + lane,
                                       "uid=" + std::to_string(uid)}),
              1u)
        << log_text();
  };
  refused(kNobody, "sign.admin");
  refused(1, "sign.admin");
  refused(0, "sign");
  refused(1, "sign");
  // What only root may ask is no message on the registry's lane.
  auto end = registry_end();
  EXPECT_FALSE(FromRegistry::unpack(FromAdmin::pack(SetDocument{"mtu", "576"})).has_value());
  ASSERT_TRUE(end.say(FromAdmin::pack(SetDocument{"mtu", "576"})));
  EXPECT_TRUE(end.ended());
  EXPECT_TRUE(has_said({"the registry is gone", "err=", "malformed"})) << log_text();
  expect_served(was);
}

// A registry that stands still: the signer keeps at most so much for it, and serves root.
TEST_F(HostileRegistry, AStoppedRegistryCostsNothing) {
  const pid_t was = signer;
  auto still = registry_end();
  still.set_deaf(true);
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(still.say(FromRegistry::pack(ReadJournal{0})));
  EXPECT_EQ(admin("network show").code, 0);
  const std::size_t before = rss_kb(was);
  for (int i = 0; i < stop_seconds(); ++i) {
    EXPECT_EQ(admin("invite waiting" + std::to_string(i)).code, 0) << admin_error();
    usleep(200'000);
  }
  expect_grown_less(before, rss_kb(was), 4'000);
  EXPECT_GE(still.drain(), 10u);
  still = registry_end();
  expect_served(was);
}

}  // namespace
}  // namespace wattle::test
