// After init() nothing opens a file: a child that is killed at the first open() lives a whole life.
#include "common/crypto/init.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>

#include "common/crypto/aead.h"
#include "common/crypto/digest.h"
#include "tests/support/test_ca.h"

namespace wattle::crypto {
namespace {

bool forbid_open() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_openat, 1, 0),
#ifdef __NR_open
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_open, 0, 1),
#else
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_openat, 0, 1),
#endif
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter = {sizeof program / sizeof program[0], program};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// 0 if everything went as it should.
int live() {
  if (!forbid_open()) return 1;
  const PrivateKey key = PrivateKey::generate();
  const PrivateKey peer = PrivateKey::generate();
  if (verify(key.public_key(), Bytes{1}, key.sign(Bytes{1})) != Verdict::Good) return 2;
  if (!key.dh(peer.public_key())) return 3;
  PublicKey off_curve{2};
  off_curve[32] = 7;
  if (key.dh(Bytes(33)) || is_point(off_curve)) return 4;
  if (!PrivateKey::from_pem(key.to_pem()) || PrivateKey::from_pem("no key")) return 5;
  const Hash hash = hmac_sha256(sha256(Bytes{1}), Bytes{2});
  ByteArray<17> sealed{};
  Aead(hash, Aead::Use::Seal).seal(1, {}, Bytes{3}, sealed);
  ByteArray<1> opened{};
  if (!Aead(hash, Aead::Use::Open).open(1, {}, sealed, opened) || opened[0] != 3) return 6;
  aes_digest(hash);
  aes_cmac(hash, hash);
  const TestCa ca;
  const Bytes csr = WATTLE_MUST(make_csr(key));
  const Bytes der = WATTLE_MUST(issue_certificate(ca.key, ca.der, ca.member(), csr));
  if (!verify_certificate(der, ca.der, kTestNow)) return 7;
  if (verify_certificate(der, ca.der, {kTestEnd.seconds + 5})) return 8;
  if (!make_https_certificate(key, "localhost", kTestNow)) return 9;
  return 0;
}

int exit_of(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

TEST(CryptoInit, OpensNothingLater) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    init();
    init();
    _exit(live());
  }
  EXPECT_EQ(exit_of(child), 0);
}

TEST(CryptoInit, TheTrapItselfWorks) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (forbid_open()) syscall(__NR_openat, AT_FDCWD, "/dev/null", 0, 0);
    _exit(0);
  }
  const int status = exit_of(child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) << status;
}

}  // namespace
}  // namespace wattle::crypto
