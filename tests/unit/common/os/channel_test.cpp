#include "common/os/channel.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "tests/unit/common/os/child.h"

namespace wattle::os {
namespace {

struct Text {
  std::string text;
  static constexpr std::string_view kName = "Text";
  static constexpr auto fields() { return std::tuple(&Text::text); }
};
struct Gift {
  std::uint8_t number = 0;
  static constexpr std::string_view kName = "Gift";
  static constexpr std::size_t kDescriptors = 1;
  static constexpr auto fields() { return std::tuple(&Gift::number); }
};
struct Other {
  std::uint8_t number = 0;
  static constexpr std::string_view kName = "Other";
  static constexpr auto fields() { return std::tuple(&Other::number); }
};

using There = ipc::Lane<Text, Gift>;
using Back = ipc::Lane<Text>;
using Newer = ipc::Lane<Text, Gift, Other>;

// A channel that keeps what it saw.
template <typename Out, typename In>
struct End {
  End(EventLoop& loop, Fd socket, std::size_t queue_limit = 256)
      : channel(loop, std::move(socket), "test",
                {.on_message =
                     [this](typename In::Message& message, std::vector<Fd>& fds) {
                       if (const Text* t = std::get_if<Text>(&message)) texts.push_back(t->text);
                       for (Fd& fd : fds) descriptors.push_back(std::move(fd));
                       if (on_message) on_message();
                     },
                 .on_end =
                     [this](const Error& why) {
                       ++ends;
                       reason = why.text();
                       if (on_end) on_end();
                     },
                 .on_drained =
                     [this] {
                       ++drained;
                       if (on_drained) on_drained();
                     },
                 .on_open = [this] { ++opened; },
                 .is_legal = [this](const typename In::Message&) { return legal; }},
                queue_limit) {}
  std::vector<std::string> texts;
  std::vector<Fd> descriptors;
  std::string reason;
  int ends = 0, drained = 0, opened = 0;
  bool legal = true;
  std::function<void()> on_message, on_end, on_drained;
  Channel<Out, In> channel;
};

class ChannelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    left = Fd(ends[0]);
    right = Fd(ends[1]);
  }
  // Runs the loop until `done`, at most 10 s.
  void run_until(const std::function<bool()>& done) {
    if (done()) return;
    bool late = false;
    const Watch limit = loop.after(std::chrono::seconds(10), [&] {
      late = true;
      loop.stop();
    });
    const Watch check = loop.every(std::chrono::milliseconds(1), [&] {
      if (done()) loop.stop();
    });
    loop.run();
    EXPECT_FALSE(late) << "it never happened";
  }
  void settle() {
    const Watch end = loop.after(std::chrono::milliseconds(20), [&] { loop.stop(); });
    loop.run();
  }
  EventLoop loop;
  Fd left, right;
};

using A = End<There, Back>;
using B = End<Back, There>;

TEST_F(ChannelTest, BothWaysInOrder) {
  A a(loop, std::move(left));
  B b(loop, std::move(right));
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(a.channel.send(Text{"a" + std::to_string(i)}));
  ASSERT_TRUE(b.channel.send(Text{"b"}));
  run_until([&] { return b.texts.size() == 10 && a.texts.size() == 1; });
  EXPECT_EQ(b.texts[9], "a9");
  EXPECT_EQ(a.opened, 1);
  EXPECT_EQ(b.opened, 1);
  EXPECT_TRUE(a.channel.agreed());
}

TEST_F(ChannelTest, AnotherBuildIsRefusedInWordsAndNothingOfItIsRead) {
  A a(loop, std::move(left));
  End<Back, Newer> b(loop, std::move(right));
  a.channel.send(Text{"secret"});
  run_until([&] { return a.ends == 1 && b.ends == 1; });
  EXPECT_NE((a.reason + b.reason).find("of another build of wattle"), std::string::npos);
  EXPECT_TRUE(b.texts.empty());
  EXPECT_EQ(a.opened + b.opened, 0);
}

TEST_F(ChannelTest, AFirstMessageThatIsNoHelloEndsIt) {
  A a(loop, std::move(left));
  ASSERT_TRUE(send_message(right.raw(), Back::pack(Text{"hello"})));
  run_until([&] { return a.ends == 1; });
  EXPECT_TRUE(a.texts.empty());
}

TEST_F(ChannelTest, MalformedEndsItOnceWithTheReason) {
  A a(loop, std::move(left));
  ASSERT_TRUE(
      send_message(right.raw(), ipc::pack_hello(Back::fingerprint(), There::fingerprint())));
  ASSERT_TRUE(send_message(right.raw(), Bytes{0, 0, 0, 0, 9, 'x'}));  // longer than it is
  ASSERT_TRUE(send_message(right.raw(), Back::pack(Text{"after"})));
  run_until([&] { return a.ends > 0; });
  settle();
  EXPECT_EQ(a.ends, 1);
  EXPECT_TRUE(a.texts.empty());
  EXPECT_FALSE(a.channel.is_open());
  EXPECT_FALSE(a.channel.send(Text{"x"}));
}

TEST_F(ChannelTest, OversizedEndsIt) {
  A a(loop, std::move(left));
  ASSERT_TRUE(
      send_message(right.raw(), ipc::pack_hello(Back::fingerprint(), There::fingerprint())));
  ASSERT_TRUE(send_message(right.raw(), Bytes(ipc::kMaxMessage + 1)));
  run_until([&] { return a.ends == 1; });
  EXPECT_NE(a.reason.find("larger than allowed"), std::string::npos);
}

TEST_F(ChannelTest, OutOfPhaseEndsIt) {
  A a(loop, std::move(left));
  B b(loop, std::move(right));
  b.legal = false;
  a.channel.send(Text{"x"});
  run_until([&] { return b.ends == 1 && a.ends == 1; });
  EXPECT_EQ(b.reason, "Text is out of phase");
  EXPECT_TRUE(b.texts.empty());
}

TEST_F(ChannelTest, DescriptorsTravel) {
  A a(loop, std::move(left));
  B b(loop, std::move(right));
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const Fd in(ends[0]), out(ends[1]);
  ASSERT_TRUE(a.channel.send(Gift{1}, {in.raw()}));
  run_until([&] { return b.descriptors.size() == 1; });
  ASSERT_EQ(write(out.raw(), "y", 1), 1);
  char byte = 0;
  EXPECT_EQ(read(b.descriptors[0].raw(), &byte, 1), 1);
}

TEST_F(ChannelTest, AWrongNumberOfDescriptorsEndsIt) {
  B b(loop, std::move(right));
  ASSERT_TRUE(send_message(left.raw(), ipc::pack_hello(There::fingerprint(), Back::fingerprint())));
  ASSERT_TRUE(send_message(left.raw(), There::pack(Gift{1}), {0, 1}));
  run_until([&] { return b.ends == 1; });
  EXPECT_EQ(b.reason, "Gift came with 2 descriptors");
  EXPECT_TRUE(b.descriptors.empty());
}

TEST_F(ChannelTest, AnUnwantedDescriptorWithTheHelloEndsIt) {
  B b(loop, std::move(right));
  ASSERT_TRUE(
      send_message(left.raw(), ipc::pack_hello(There::fingerprint(), Back::fingerprint()), {0}));
  run_until([&] { return b.ends == 1; });
}

TEST_F(ChannelTest, HangUpEndsItAfterTheLastMessage) {
  B b(loop, std::move(right));
  {
    A a(loop, std::move(left));
    a.channel.send(Text{"last"});
  }
  run_until([&] { return b.ends == 1; });
  EXPECT_EQ(b.texts, std::vector<std::string>{"last"});
  EXPECT_NE(b.reason.find("is gone"), std::string::npos);
}

// A receiver that stands still costs bounded memory, never the lane; what was taken arrives in
// order.
TEST_F(ChannelTest, AFloodOnASlowReceiverIsBounded) {
  A a(loop, std::move(left), 16);
  std::size_t taken = 0;
  while (a.channel.send(Text{std::to_string(taken) + std::string(1000, 'x')})) {
    ++taken;
    ASSERT_LT(taken, 100000u);
  }
  EXPECT_FALSE(a.channel.send(Text{"full"}));
  settle();
  EXPECT_EQ(a.ends, 0);
  EXPECT_EQ(a.drained, 0);
  B b(loop, std::move(right));
  run_until([&] { return b.texts.size() == taken; });
  for (std::size_t i = 0; i < taken; ++i)
    ASSERT_TRUE(b.texts[i].starts_with(std::to_string(i) + "x")) << i;
  EXPECT_EQ(a.drained, 1);
  EXPECT_TRUE(a.channel.send(Text{"more"}));
  run_until([&] { return b.texts.size() == taken + 1; });
}

TEST_F(ChannelTest, QueuedBytesAreBoundedToo) {
  A a(loop, std::move(left), 100000);
  const Text large{std::string(150 * 1024, 'x')};
  std::size_t taken = 0;
  while (a.channel.send(large)) {
    ++taken;
    ASSERT_LT(taken, 1000u);
  }
  EXPECT_LE(taken * large.text.size(), RawChannel::kQueueBytes + 4 * large.text.size());
}

TEST_F(ChannelTest, QueuedDescriptorsAreTheirOwn) {
  A a(loop, std::move(left), 64);
  const std::string fill(100000, 'x');
  while (a.channel.send(Text{fill})) {
    if (a.drained != 0) break;
  }
  // The queue is full: make room for none, then drain and send the gift while something waits.
  B b(loop, std::move(right));
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  Fd out(ends[1]);
  {
    const Fd in(ends[0]);
    bool sent = false;
    b.on_message = [&] {
      if (!sent) sent = a.channel.send(Gift{1}, {in.raw()});
    };
    run_until([&] { return sent; });
    b.on_message = nullptr;
  }  // our own descriptor is closed now, wherever the message is
  run_until([&] { return b.descriptors.size() == 1; });
  ASSERT_EQ(write(out.raw(), "z", 1), 1);
  char byte = 0;
  EXPECT_EQ(read(b.descriptors[0].raw(), &byte, 1), 1);
}

TEST_F(ChannelTest, DrainedMaySendAgain) {
  A a(loop, std::move(left), 4);
  const std::string fill(50000, 'x');
  std::size_t sent = 0;
  const auto pump = [&] {
    while (sent < 60 && a.channel.send(Text{fill})) ++sent;
  };
  a.on_drained = pump;
  pump();
  EXPECT_LT(sent, 60u);
  B b(loop, std::move(right));
  run_until([&] { return b.texts.size() == 60; });
}

TEST_F(ChannelTest, CloseInsideOnMessageStopsEverything) {
  A a(loop, std::move(left));
  B b(loop, std::move(right));
  b.on_message = [&] { b.channel.close(); };
  for (int i = 0; i < 5; ++i) a.channel.send(Text{"x"});
  run_until([&] { return a.ends == 1; });
  EXPECT_EQ(b.texts.size(), 1u);
  EXPECT_EQ(b.ends, 0);  // closing oneself is no end
  EXPECT_FALSE(b.channel.is_open());
}

TEST_F(ChannelTest, OnEndMayDestroyTheChannel) {
  auto b = std::make_unique<B>(loop, std::move(right));
  bool gone = false;
  b->on_end = [&] {
    gone = true;
    b.reset();
  };
  left.close();
  run_until([&] { return gone; });
  settle();
  EXPECT_EQ(b, nullptr);
}

TEST_F(ChannelTest, OnEndMayDestroyItAfterAMalformedMessage) {
  auto b = std::make_unique<B>(loop, std::move(right));
  b->on_end = [&] { b.reset(); };
  ASSERT_TRUE(send_message(left.raw(), ipc::pack_hello(There::fingerprint(), Back::fingerprint())));
  ASSERT_TRUE(send_message(left.raw(), Bytes{77}));
  run_until([&] { return b == nullptr; });
}

TEST_F(ChannelTest, SendInsideOnMessage) {
  A a(loop, std::move(left));
  B b(loop, std::move(right));
  b.on_message = [&] { b.channel.send(Text{"echo"}); };
  a.channel.send(Text{"x"});
  run_until([&] { return a.texts.size() == 1; });
}

TEST_F(ChannelTest, SendingToAClosedPeerNeverCallsBackFromSend) {
  A a(loop, std::move(left));
  right.close();
  EXPECT_FALSE(a.channel.send(Text{"x"}));
  EXPECT_EQ(a.ends, 0);
  run_until([&] { return a.ends == 1; });
}

// ---- LaneListener
// --------------------------------------------------------------------------------

class ListenerTest : public ::testing::Test {
 protected:
  std::string path() { return folder.file("lane"); }
  Fd listener() { return listen_unix(path(), SocketKind::Seqpacket, 0666).value(); }
  void run_for(int ms) {
    const Watch end = loop.after(std::chrono::milliseconds(ms), [&] { loop.stop(); });
    loop.run();
  }
  test::TempFolder folder;
  EventLoop loop;
};

TEST_F(ListenerTest, HandsOverConnectionsOfTheRightUser) {
  int connected = 0;
  const LaneListener lane(loop, listener(), getuid(), "test", [&](Fd socket) {
    EXPECT_TRUE(socket.is_open());
    ++connected;
  });
  const auto one = connect_unix(path(), SocketKind::Seqpacket);
  const auto two = connect_unix(path(), SocketKind::Seqpacket);
  run_for(30);
  EXPECT_EQ(connected, 2);
}

TEST_F(ListenerTest, RefusesEveryOtherUser) {
  const LaneListener lane(loop, listener(), getuid() + 1, "test", [](Fd) { ADD_FAILURE(); });
  const auto client = connect_unix(path(), SocketKind::Seqpacket).value();
  run_for(30);
  EXPECT_EQ(receive_message(client.raw(), 10).error().code, Errc::Closed);
}

// The owner puts the newcomer in place of the old one.
TEST_F(ListenerTest, ANewcomerReplacesTheOldConnection) {
  std::unique_ptr<B> server;
  const LaneListener lane(loop, listener(), getuid(), "test", [&](Fd socket) {
    server = std::make_unique<B>(loop, std::move(socket));
  });
  A first(loop, connect_unix(path(), SocketKind::Seqpacket).value());
  run_for(20);
  EXPECT_TRUE(first.channel.agreed());
  A second(loop, connect_unix(path(), SocketKind::Seqpacket).value());
  run_for(30);
  EXPECT_EQ(first.ends, 1);
  EXPECT_TRUE(second.channel.agreed());
  second.channel.send(Text{"x"});
  run_for(20);
  EXPECT_EQ(server->texts.size(), 1u);
}

}  // namespace
}  // namespace wattle::os
