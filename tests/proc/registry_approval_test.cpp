// approval = yes: joins wait at the real registry and signer.
#include "tests/proc/registry_lab.h"

namespace wattle::test {
namespace {

class Approval : public RegistryTest {
 protected:
  void SetUp() override {
    RegistryTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const std::string config = os::read_text(etc() + "/registry.conf").value();
    ASSERT_TRUE(
        os::write_file(etc() + "/registry.conf", as_bytes(config + "approval = yes\n"), 0644));
    start();
  }
  nlohmann::json waiting() const {
    const Output list = admin("node list --json");
    EXPECT_EQ(list.code, 0) << admin_error();
    return nlohmann::json::parse(list.text)["waiting"];
  }
};

TEST_F(Approval, a_join_waits_until_it_is_approved) {
  const Joiner alice;
  const InviteToken token = invite("alice").token;
  const HttpAnswer first = join(alice, token);
  ASSERT_EQ(first.status, 202) << first.body;
  EXPECT_EQ(first.json()["error"], "pending");
  EXPECT_NE(first.json()["sentence"].get<std::string>().find("node approve alice"),
            std::string::npos);
  EXPECT_FALSE(first.json().contains("certificate"));
  EXPECT_EQ(join(alice, token).status, 202);
  ASSERT_EQ(waiting().size(), 1u);
  EXPECT_EQ(waiting()[0]["name"], "alice");
  EXPECT_EQ(waiting()[0]["address"], alice.address().text());
  EXPECT_EQ(waiting()[0]["state"], "waits");
  EXPECT_NE(admin("node list").text.find(alice.address().text()), std::string::npos);
  EXPECT_EQ(join(Joiner(), token).status, 409) << "the invite is alice's";
  EXPECT_EQ(admin("node approve bob").code, 1);
  EXPECT_NE(admin_error().find("no join waits under the name bob"), std::string::npos);
  EXPECT_EQ(admin("node approve alice").code, 0) << admin_error();
  EXPECT_EQ(waiting()[0]["state"], "approved");
  EXPECT_EQ(admin("node approve alice").code, 2);
  EXPECT_EQ(join(alice, token).status, 200);
  EXPECT_EQ(join(alice, token).status, 200);
  EXPECT_TRUE(waiting().empty());
}

TEST_F(Approval, a_rejected_join_is_told_and_its_name_is_free) {
  const Joiner alice;
  const InviteToken token = invite("alice").token;
  ASSERT_EQ(join(alice, token).status, 202);
  EXPECT_EQ(admin("invite alice").code, 1) << "the name is held while it waits";
  EXPECT_EQ(admin("node reject alice").code, 0) << admin_error();
  const HttpAnswer no = join(alice, token);
  EXPECT_EQ(no.status, 403);
  EXPECT_EQ(no.json()["error"], "rejected");
  EXPECT_TRUE(waiting().empty());
  invite("alice");
}

TEST_F(Approval, waiting_outlives_restarts_and_a_lost_database) {
  const Joiner alice, bob;
  const InviteToken first = invite("alice").token, second = invite("bob", "--expires 2s").token;
  ASSERT_EQ(join(alice, first).status, 202);
  ASSERT_EQ(join(bob, second).status, 202);
  EXPECT_EQ(admin("node approve alice").code, 0);
  end(registry, SIGKILL);
  end(signer, SIGKILL);
  ASSERT_EQ(unlink((state() + "/registry/registry.db").c_str()), 0);
  start();
  EXPECT_EQ(join(alice, first).status, 200);
  usleep(2200000);  // bob's invite ends, his join was in time
  EXPECT_EQ(join(bob, second).status, 202);
  EXPECT_EQ(admin("node approve bob").code, 0) << admin_error();
  EXPECT_EQ(join(bob, second).status, 200);
}

TEST_F(Approval, an_approved_invite_need_not_wait) {
  EXPECT_EQ(join(Joiner(), invite("alice", "--approved").token).status, 200);
}

TEST_F(Approval, polling_writes_nothing) {
  const Joiner alice;
  const InviteToken token = invite("alice").token;
  ASSERT_EQ(join(alice, token).status, 202);
  const auto size = [&] { return os::read_file(state() + "/signer/journal", 1 << 20)->size(); };
  const std::size_t before = size();
  for (int i = 0; i < 20; ++i) ASSERT_EQ(join(alice, token).status, 202);
  EXPECT_EQ(size(), before);
}

}  // namespace
}  // namespace wattle::test
