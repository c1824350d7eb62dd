// The real wattle-keyd process on real sockets.
#include <dirent.h>
#include <fcntl.h>
#include <algorithm>
#include <csignal>

#include "common/os/paths.h"
#include "common/proto/enrolment.h"
#include "common/proto/origin_record.h"
#include "cryptod/keys/counter_slot.h"
#include "tests/proc/keyd_process.h"

namespace wattle {
namespace {

using test::FakeMetad;
class Keyd : public test::KeydTest {};

std::vector<std::string> descriptors_of(pid_t pid) {
  std::vector<std::string> out;
  const std::string folder = "/proc/" + std::to_string(pid) + "/fd/";
  DIR* dir = opendir(folder.c_str());
  if (dir == nullptr) return out;
  while (const dirent* entry = readdir(dir)) {
    char target[512];
    const ssize_t n = readlink((folder + entry->d_name).c_str(), target, sizeof target);
    if (n > 0) out.emplace_back(target, static_cast<std::size_t>(n));
  }
  closedir(dir);
  return out;
}

TEST_F(Keyd, SignsAPacketKeyRecordForCryptod) {
  start();
  const std::uint64_t before = os::unix_now_ms();
  const std::uint64_t epoch = sign_one();
  EXPECT_GE(epoch, before);
  EXPECT_LE(epoch, os::unix_now_ms());
}

TEST_F(Keyd, IsSealedWhenReady) {
  start();
  const std::string status = os::read_text("/proc/" + std::to_string(pid) + "/status").value();
  EXPECT_NE(status.find("\nNoNewPrivs:\t1\n"), std::string::npos);
  EXPECT_NE(status.find("\nSeccomp:\t2\n"), std::string::npos);
  EXPECT_NE(status.find("\nCapEff:\t0000000000000000\n"), std::string::npos);
  EXPECT_NE(status.find("\nUid:\t65534\t65534\t65534\t65534\n"), std::string::npos);
  EXPECT_NE(status.find("\nGroups:\t \n"), std::string::npos);
  // The identity file was read and closed: of all files only the counter stays open.
  const auto open = descriptors_of(pid);
  ASSERT_FALSE(open.empty());
  EXPECT_EQ(std::count(open.begin(), open.end(), identity_path()), 0);
  EXPECT_EQ(std::count(open.begin(), open.end(), counter_path()), 1);
  EXPECT_EQ(std::count(open.begin(), open.end(), genesis_path()), 0);
}

TEST_F(Keyd, EpochsGrowOverKillsAndRestarts) {
  std::uint64_t last = 0;
  for (int round = 0; round < 6; ++round) {
    start();
    const std::uint64_t epoch = sign_one();
    EXPECT_GT(epoch, last);
    last = epoch;
    if (round % 2 == 1) cryptod.send(request());  // killed somewhere in the middle of this one
    const auto end = stop(SIGKILL);
    EXPECT_FALSE(end.exited);
  }
}

TEST_F(Keyd, ANewCryptodLearnsTheLastRecordAndTheHighestDocument) {
  start();
  EXPECT_FALSE(last_record);
  EXPECT_EQ(document, 0u);
  cryptod.send(request());
  const auto first = cryptod.next<key_link::PacketKey>();
  ASSERT_TRUE(first);
  cryptod.send(key_link::DocumentSeen{9});
  cryptod.send(key_link::DocumentSeen{4});
  sign_one();  // so both have been heard
  cryptod.send(request());
  const auto last = cryptod.next<key_link::PacketKey>();
  ASSERT_TRUE(last);
  stop(SIGKILL);
  start();
  ASSERT_TRUE(last_record);
  EXPECT_EQ(*last_record, last->record);
  EXPECT_EQ(document, 9u);
}

TEST_F(Keyd, AStoredEpochAheadOfTheClockIsStillExceeded) {
  keys::Counters stored;
  stored.generation = 1;
  stored.epoch = os::unix_now_ms() + 3600 * 1000;  // the clock was an hour ahead once
  Bytes bytes(keys::kSlotStride + keys::kSlotSize);
  const keys::SlotBytes slot = keys::build_slot(stored);
  std::copy(slot.begin(), slot.end(), bytes.begin() + keys::kSlotStride);
  ASSERT_TRUE(os::write_file(counter_path(), bytes, 0600, test::kNobody, test::kNobody));
  start();
  EXPECT_EQ(sign_one(), stored.epoch + 1);
  stop(SIGKILL);
  start();
  EXPECT_EQ(sign_one(), stored.epoch + 2);
}

TEST_F(Keyd, LimitsSurviveAKill) {
  start();
  for (int i = 0; i < 20; ++i) ASSERT_NE(sign_one(), 0u);
  for (int round = 0; round < 2; ++round) {
    cryptod.send(request());
    const auto no = cryptod.next<key_link::PacketKeyRefused>();
    ASSERT_TRUE(no);
    EXPECT_EQ(no->why, key_link::Refusal::TooFast);
    EXPECT_GT(no->retry_ms, 0u);
    EXPECT_LE(no->retry_ms, 5000u);
    stop(SIGKILL);
    start();
  }
}

TEST_F(Keyd, DamagedCounterFileMeansTheClock) {
  start();
  sign_one();
  stop(SIGKILL);
  const Bytes noise(4096 + 512, 0x5a);
  ASSERT_TRUE(os::write_file(counter_path(), noise, 0600, test::kNobody, test::kNobody));
  const std::uint64_t before = os::unix_now_ms();
  start();
  EXPECT_GE(sign_one(), before);
  EXPECT_NE(log_text().find("both slots of the counter file are damaged"), std::string::npos);
}

TEST_F(Keyd, EndsWhenCryptodsLaneEnds) {
  start();
  cryptod.close();
  const auto end = finish();
  EXPECT_TRUE(end.exited);
  EXPECT_EQ(end.code, 0);
}

TEST_F(Keyd, EndsWhenCryptodSpeaksNonsense) {
  start();
  cryptod.send_bytes(Bytes{200, 1, 2, 3});
  EXPECT_TRUE(cryptod.ended());
  const auto end = finish();
  EXPECT_TRUE(end.exited);
  EXPECT_EQ(end.code, 0);
}

TEST_F(Keyd, SigtermEndsItWithSuccess) {
  start();
  const Instant begin = os::now();
  const auto end = stop(SIGTERM);
  EXPECT_TRUE(end.exited);
  EXPECT_EQ(end.code, 0);
  EXPECT_LT(os::now() - begin, std::chrono::seconds(2));
}

TEST_F(Keyd, SignsOriginAndEnrolmentForMetad) {
  start();
  FakeMetad metad = connect_metad();
  ASSERT_TRUE(metad.expect_hello());
  const auto who = metad.next<key_link::Identity>();
  ASSERT_TRUE(who);
  EXPECT_EQ(who->address, address().bytes);
  ASSERT_TRUE(metad.next<key_link::DocumentVersion>());

  key_link::SignOrigin origin;
  origin.serial = 5;
  origin.name = "alice";
  origin.endpoints = {Endpoint::parse("192.0.2.1:8737").value()};
  std::uint64_t last = 0;
  for (int i = 0; i < 3; ++i) {
    metad.send(origin);
    const auto answer = metad.next<key_link::Origin>();
    ASSERT_TRUE(answer);
    const auto record = parse_origin_body(answer->body);
    ASSERT_TRUE(record);
    EXPECT_TRUE(verify_origin(*record, answer->signature));
    EXPECT_EQ(record->address, address());
    EXPECT_EQ(record->name, "alice");
    EXPECT_GT(record->seqno, last);
    last = record->seqno;
  }
  key_link::SignEnrolment enrolment;
  enrolment.csr_hash.fill(7);
  enrolment.nonce.fill(8);
  metad.send(enrolment);
  const auto answer = metad.next<key_link::Enrolment>();
  ASSERT_TRUE(answer);
  EnrolmentClaim claim;
  claim.network = network();
  claim.address = address();
  claim.csr_hash = enrolment.csr_hash;
  claim.nonce = enrolment.nonce;
  EXPECT_TRUE(verify_enrolment(claim, answer->signature));
}

TEST_F(Keyd, MetadsNonsenseEndsOnlyItsLane) {
  start();
  FakeMetad metad = connect_metad();
  ASSERT_TRUE(metad.expect_hello());
  ASSERT_TRUE(metad.next<key_link::Identity>());
  ASSERT_TRUE(metad.next<key_link::DocumentVersion>());
  metad.send_bytes(Bytes{99});
  EXPECT_TRUE(metad.ended());
  EXPECT_NE(sign_one(), 0u);
  FakeMetad again = connect_metad();
  EXPECT_TRUE(again.expect_hello());
}

TEST_F(Keyd, ANewMetadReplacesTheOldOne) {
  start();
  FakeMetad first = connect_metad();
  ASSERT_TRUE(first.expect_hello());
  ASSERT_TRUE(first.next<key_link::Identity>());
  ASSERT_TRUE(first.next<key_link::DocumentVersion>());
  FakeMetad second = connect_metad();
  ASSERT_TRUE(second.expect_hello());
  EXPECT_TRUE(first.ended());
  EXPECT_TRUE(second.next<key_link::Identity>());
}

TEST_F(Keyd, RefusesMetadOfAnotherUser) {
  start();
  const auto end = test::in_child([&] {
    if (setresuid(65533, 65533, 65533) != 0) return 2;
    auto socket = os::connect_unix(folder.file("key.sock"), os::SocketKind::Seqpacket);
    if (!socket || !test::wait_readable(socket->raw())) return 3;
    const auto message = os::receive_message(socket->raw(), 1024);
    return !message && message.error().code == Errc::Closed ? 0 : 4;
  });
  EXPECT_EQ(end.code, 0);
  EXPECT_NE(log_text().find("uid=65533"), std::string::npos);
  EXPECT_NE(sign_one(), 0u);
}

TEST_F(Keyd, BadConfigurationEndsWith78AndASentence) {
  const auto expect = [&](std::vector<std::string> args, const std::string& sentence) {
    spawn(args);
    const auto end = finish();
    EXPECT_TRUE(end.exited);
    EXPECT_EQ(end.code, 78);
    EXPECT_NE(log_text().find(sentence), std::string::npos) << log_text();
  };
  const auto with = [&](std::string last) {
    auto args = arguments();
    const std::string name = last.substr(0, last.find('=') + 1);
    for (std::string& a : args)
      if (a.starts_with(name)) a = last;
    return args;
  };
  expect({}, "option '--net' needs the name of a network");
  expect(with("--net=UPPER"), "option '--net' needs the name of a network");
  expect(with("--net=other"), "is of network 'test', not 'other'");
  expect({"--nett=x"}, "there is no option '--nett'");
  expect(with("--genesis=/nonexistent"), "there is no file /nonexistent");
  expect(with("--identity=/nonexistent"), "there is no file /nonexistent");
  expect(with("--meta-user=nobody-has-this-name"), "there is no user 'nobody-has-this-name'");
  ASSERT_EQ(chmod(identity_path().c_str(), 0440), 0);
  expect(arguments(), "can be read by others");
}

TEST_F(Keyd, NeverRunsAsRoot) {
  spawn(arguments(), true);
  const auto end = finish();
  EXPECT_TRUE(end.exited);
  EXPECT_EQ(end.code, 1);
  EXPECT_NE(log_text().find("never runs as root"), std::string::npos);
}

TEST_F(Keyd, WillNotUseALaneThatRootDidNotMake) {
  const std::string path = folder.file("foreign");
  ASSERT_EQ(mkdir(path.c_str(), 0777), 0);
  ASSERT_EQ(chmod(path.c_str(), 0777), 0);
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t maker = fork();
  if (maker == 0) {
    if (setresuid(65533, 65533, 65533) != 0) _exit(1);
    const auto socket = os::listen_unix(path + "/crypto.key", os::SocketKind::Seqpacket, 0666);
    if (!socket || write(ready[1], "x", 1) != 1) _exit(1);
    pause();
    _exit(0);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  auto args = arguments();
  for (std::string& a : args)
    if (a.starts_with("--cryptod=")) a = "--cryptod=" + path + "/crypto.key";
  spawn(args);
  EXPECT_EQ(finish().code, 1);
  EXPECT_NE(log_text().find("was made by uid 65533"), std::string::npos);
  kill(maker, SIGKILL);
  test::wait_for(maker);
  close(ready[0]), close(ready[1]);
}

}  // namespace
}  // namespace wattle
