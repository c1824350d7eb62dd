// A compromised cryptod against the real wattle-tapd: it may ask for the snapshot once more, and
// for nothing else (wattle-privsep(7)).
#include "tests/proc/hostile/attacker.h"
#include "tests/proc/tapd/tapd_process.h"

namespace wattle::test {
namespace {

using namespace tap_link;  // NOLINT: the messages

class HostileTapd : public TapdProcess {
 protected:
  void SetUp() override {
    TapdProcess::SetUp();
    if (IsSkipped()) return;
    start();
    ASSERT_TRUE(await_ready());
    said += read_log();
    before = everything();
  }
  Attacker cryptod() {
    EXPECT_TRUE(readable(listener_.raw()));
    Attacker out(os::accept_unix(listener_.raw()).value());
    EXPECT_TRUE(out.say(ipc::pack_hello(ToTapd::fingerprint(), ToCryptod::fingerprint())));
    return out;
  }
  // What there is of devices, addresses, routes and sockets.
  static std::string everything() {
    return run_shell("ip -d link; ip -o address; ip route; ip -6 route; ss -Hunl") +
           run_shell("ip netns list; ip rule");
  }
  bool has_said(const std::vector<std::string>& words) {
    return wait_until([&] {
      said += read_log();
      return count_lines(said, words) != 0;
    });
  }
  std::size_t descriptors() const {
    return std::stoul(run_shell("ls /proc/" + std::to_string(pid_) + "/fd | wc -l"));
  }
  // The same process, with nothing changed, hands the same to the next cryptod.
  void expect_served(pid_t was) {
    EXPECT_EQ(pid_, was);
    ASSERT_TRUE(is_alive(was)) << read_log();
    EXPECT_EQ(everything(), before);
    for (int i = 0; i < 20; ++i) {  // the connections that the liar left behind come first
      ASSERT_TRUE(accept_lane()) << read_log();
      if (!readable(listener_.raw(), 300)) break;
    }
    const auto all = read_snapshot();
    ASSERT_GE(all.size(), 4u);
    const auto* device = std::get_if<Device>(&all.front().message);
    ASSERT_NE(device, nullptr);
    EXPECT_EQ(device->name, "wt-t");
    EXPECT_EQ(device->mtu, 1400);
    EXPECT_EQ(all.front().descriptors.size(), 1u);
  }

  std::string before, said;
};

TEST_F(HostileTapd, ForeignDevicesAddressesAndPortsAreNoMessages) {
  const pid_t was = pid_;
  const Bytes forms[] = {
      ToCryptod::pack(Device{"eth0", 9000, {{2, 0, 0, 0, 0, 1}}}),
      ToCryptod::pack(Device{"wt-t", 65535, {{2, 0, 0, 0, 0, 1}}}),
      ToCryptod::pack(UdpSocket{4, 53}),
      ToCryptod::pack(LocalAddresses{{IpAddress::v4({192, 0, 2, 1})}}),
      Bytes{1, 0},     // no such kind
      Bytes{0},        // cut
      Bytes{0, 0, 0},  // longer
      Bytes(64, 0),
      Bytes(4096, 0),  // much longer
      Bytes(ipc::kMaxMessage, 0xff),
  };
  {
    auto liar = cryptod();
    liar.say(ToTapd::pack(SendAgain{}), {0});
    EXPECT_TRUE(liar.ended());
    EXPECT_TRUE(has_said({"the lane to cryptod ended", "descriptors"})) << said;
  }
  {
    auto liar = Attacker(os::accept_unix((readable(listener_.raw()), listener_.raw())).value());
    liar.say(ipc::pack_hello(1, 2));
    EXPECT_TRUE(liar.ended());
    EXPECT_TRUE(has_said({"the lane to cryptod ended", "another build"})) << said;
  }
  for (const Bytes& form : forms) {
    auto liar = cryptod();
    liar.say(form);
    EXPECT_TRUE(liar.ended()) << form.size() << " bytes";
  }
  EXPECT_TRUE(has_said({"the lane to cryptod ended", "malformed message"})) << said;
  expect_served(was);
}

TEST_F(HostileTapd, AskedAgainAndAgainItCostsNothing) {
  const pid_t was = pid_;
  const std::size_t memory = rss_kb(was), open_before = descriptors();
  const Bytes again = ToTapd::pack(SendAgain{});
  {
    auto liar = cryptod();
    for (std::size_t i = 0; i < flood(10000); ++i) ASSERT_TRUE(liar.say(again));
    EXPECT_GT(liar.drain() + liar.heard(), 5u);
  }
  {
    auto deaf = cryptod();
    deaf.set_deaf(true);
    for (std::size_t i = 0; i < flood(10000); ++i) ASSERT_TRUE(deaf.say(again));
    expect_grown_less(memory, rss_kb(was), 1'000);
    sleep(static_cast<unsigned>(stop_seconds()) / 4);  // it stands still
    expect_grown_less(memory, rss_kb(was), 1'000);
    EXPECT_GT(deaf.drain(), 5u);
  }
  EXPECT_LE(descriptors(), open_before + 1);
  expect_served(was);
}

// A cryptod that ends its lane all the time: tapd neither spins nor fills the log.
TEST_F(HostileTapd, ALaneThatEndsAllTheTimeIsNoNews) {
  const pid_t was = pid_;
  const std::size_t memory = rss_kb(was);
  for (int i = 0; i < 150; ++i) {
    auto liar = cryptod();
    liar.say(Bytes{9, 9});
    liar.ended(200);
  }
  said += read_log();
  EXPECT_LT(count_lines(said, {}), 60u) << said;
  expect_grown_less(memory, rss_kb(was), 1'000);
  expect_served(was);
}

}  // namespace
}  // namespace wattle::test
