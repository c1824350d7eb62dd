#include "common/os/unix_socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <array>
#include <cstring>

#include "common/os/file.h"
#include "tests/unit/common/os/child.h"

namespace wattle::os {
namespace {

std::pair<Fd, Fd> make_pair_of(int type = SOCK_SEQPACKET) {
  int ends[2];
  EXPECT_EQ(socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for (int fd = 0; fd < 1024; ++fd) count += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

TEST(UnixSocket, ListenConnectAccept) {
  const test::TempFolder folder;
  const std::string path = folder.file("s");
  const Fd listener = listen_unix(path, SocketKind::Seqpacket, 0660).value();
  EXPECT_EQ(accept_unix(listener.raw()).error().code, Errc::Again);
  const Fd client = connect_unix(path, SocketKind::Seqpacket).value();
  const Fd server = accept_unix(listener.raw()).value();
  for (const int fd : {listener.raw(), client.raw(), server.raw()}) {
    EXPECT_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    EXPECT_TRUE(fcntl(fd, F_GETFL) & O_NONBLOCK);
  }
  ASSERT_TRUE(send_message(client.raw(), as_bytes("hello")));
  ASSERT_TRUE(send_message(client.raw(), as_bytes("again")));
  EXPECT_EQ(as_text(receive_message(server.raw(), 100)->bytes), "hello");  // boundaries are kept
  EXPECT_EQ(as_text(receive_message(server.raw(), 100)->bytes), "again");
  EXPECT_EQ(receive_message(server.raw(), 100).error().code, Errc::Again);
  EXPECT_EQ(peer_credentials(server.raw())->pid, getpid());
  EXPECT_EQ(peer_credentials(server.raw())->uid, getuid());
}

TEST(UnixSocket, ModeOwnerAndReplacement) {
  const test::TempFolder folder;
  const std::string path = folder.file("s");
  const int gid = geteuid() == 0 ? 2345 : -1;
  const Fd first = listen_unix(path, SocketKind::Stream, 0660, -1, gid).value();
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0660u);
  EXPECT_EQ(info.st_gid, gid >= 0 ? 2345u : getegid());
  EXPECT_TRUE(listen_unix(path, SocketKind::Stream, 0600));  // an old socket is replaced
  const std::string other = folder.file("file");
  ASSERT_TRUE(write_file(other, as_bytes("x"), 0644));
  const auto refused = listen_unix(other, SocketKind::Stream, 0600);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::Exists);
  EXPECT_EQ(read_text(other).value(), "x");
}

TEST(UnixSocket, ConnectErrors) {
  const test::TempFolder folder;
  EXPECT_EQ(connect_unix(folder.file("s"), SocketKind::Seqpacket).error().code, Errc::NotFound);
  { const Fd gone = listen_unix(folder.file("s"), SocketKind::Seqpacket, 0600).value(); }
  EXPECT_EQ(connect_unix(folder.file("s"), SocketKind::Seqpacket).error().code, Errc::Closed);
  const auto long_path = connect_unix(std::string(200, 'x'), SocketKind::Seqpacket);
  ASSERT_FALSE(long_path);
  EXPECT_NE(long_path.error().sentence.find("longer than 107 bytes"), std::string::npos);
}

TEST(UnixSocket, AFullBacklogDoesNotBlockTheConnector) {
  const test::TempFolder folder;
  const Fd listener = listen_unix(folder.file("s"), SocketKind::Seqpacket, 0600).value();
  std::vector<Fd> clients;
  for (;;) {
    auto client = connect_unix(folder.file("s"), SocketKind::Seqpacket);
    if (!client) {
      EXPECT_EQ(client.error().code, Errc::Again);
      break;
    }
    clients.push_back(std::move(*client));
    ASSERT_LT(clients.size(), 1000u);
  }
}

TEST(UnixSocket, ALaneMustBeMadeByRoot) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const test::TempFolder folder;
  ASSERT_EQ(chmod(folder.path().c_str(), 0777), 0);
  const Fd good = listen_unix(folder.file("good"), SocketKind::Seqpacket, 0666).value();
  EXPECT_TRUE(connect_lane(folder.file("good")));
  const auto end = test::in_child([&] {  // connects as nobody to what root made: fine
    return test::become_nobody() && connect_lane(folder.file("good")) ? 0 : 1;
  });
  EXPECT_EQ(end.code, 0);
  int ready[2], go[2];
  ASSERT_EQ(pipe(ready), 0);
  ASSERT_EQ(pipe(go), 0);
  const pid_t maker = fork();
  if (maker == 0) {
    close(go[1]);
    if (!test::become_nobody()) _exit(1);
    const auto bad = listen_unix(folder.file("bad"), SocketKind::Seqpacket, 0666);
    char byte = 0;
    if (!bad || write(ready[1], "x", 1) != 1 || read(go[0], &byte, 1) != 0) _exit(1);
    _exit(0);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  const auto refused = connect_lane(folder.file("bad"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::Denied);
  for (const int fd : {ready[0], ready[1], go[0], go[1]}) close(fd);
  EXPECT_EQ(test::wait_for(maker).code, 0);
}

TEST(UnixSocket, PassesDescriptors) {
  const auto [a, b] = make_pair_of();
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const Fd read_end(ends[0]), write_end(ends[1]);
  ASSERT_TRUE(send_message(a.raw(), as_bytes("two"), {read_end.raw(), write_end.raw()}));
  auto received = receive_message(b.raw(), 100).value();
  ASSERT_EQ(received.descriptors.size(), 2u);
  EXPECT_TRUE(fcntl(received.descriptors[0].raw(), F_GETFD) & FD_CLOEXEC);
  ASSERT_EQ(write(received.descriptors[1].raw(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(read(received.descriptors[0].raw(), &byte, 1), 1);
  EXPECT_EQ(byte, 'x');
}

TEST(UnixSocket, ReceivedDescriptorsAreClosedOnErrors) {
  const auto [a, b] = make_pair_of();
  const std::size_t before = open_descriptors();
  ASSERT_TRUE(send_message(a.raw(), Bytes(200, 1), {0, 1, 2}));
  EXPECT_EQ(receive_message(b.raw(), 100).error().code, Errc::BadValue);  // too large
  EXPECT_EQ(open_descriptors(), before);
}

TEST(UnixSocket, TooManyDescriptorsAreRefusedAndClosed) {
  const auto [a, b] = make_pair_of();
  const std::size_t before = open_descriptors();
  // More than our own sender would send.
  std::array<int, 40> many;
  many.fill(0);
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof many)> control{};
  char byte = 'x';
  iovec part{&byte, 1};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  cmsghdr* c = CMSG_FIRSTHDR(&header);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(sizeof many);
  std::memcpy(CMSG_DATA(c), many.data(), sizeof many);
  ASSERT_EQ(sendmsg(a.raw(), &header, 0), 1);
  EXPECT_EQ(receive_message(b.raw(), 100).error().code, Errc::BadValue);
  EXPECT_EQ(open_descriptors(), before);
}

TEST(UnixSocket, TheEnd) {
  auto [a, b] = make_pair_of();
  ASSERT_TRUE(send_message(a.raw(), as_bytes("last")));
  a.close();
  EXPECT_EQ(as_text(receive_message(b.raw(), 100)->bytes), "last");
  EXPECT_EQ(receive_message(b.raw(), 100).error().code, Errc::Closed);
  EXPECT_EQ(send_message(b.raw(), as_bytes("x")).error().code, Errc::Closed);  // and no SIGPIPE
}

TEST(UnixSocket, AFullSocketSaysAgain) {
  const auto [a, b] = make_pair_of();
  const Bytes message(1000, 1);
  int sent = 0;
  for (;; ++sent) {
    const auto result = send_message(a.raw(), message);
    if (!result) {
      EXPECT_EQ(result.error().code, Errc::Again);
      break;
    }
    ASSERT_LT(sent, 100000);
  }
  EXPECT_GT(sent, 0);
}

TEST(UnixSocket, AMessageOfTheLargestSizePasses) {
  const auto [a, b] = make_pair_of();
  const Bytes message(160 * 1024, 9);
  ASSERT_TRUE(send_message(a.raw(), message));
  EXPECT_EQ(receive_message(b.raw(), 160 * 1024)->bytes, message);
}

}  // namespace
}  // namespace wattle::os
