// wattle-fetch and wattle-check as real sealed processes, against a real HTTPS server on loopback.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "common/crypto/init.h"
#include "common/os/clock.h"
#include "metad/ctl/checker.h"
#include "metad/ctl/fetch_protocol.h"
#include "metad/ctl/helper_process.h"
#include "tests/support/ctl_sample.h"

namespace wattle::ctl {
namespace {

namespace fs = std::filesystem;

const Helper kFetch{"wattle-fetch", true, std::chrono::seconds(45), WATTLE_BIN_DIR};
const Helper kCheck{"wattle-check", false, std::chrono::seconds(20), WATTLE_BIN_DIR};

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_key(const std::string& folder, const std::string& suffix,
               const crypto::PrivateKey& key) {
  std::ofstream(folder + "/key" + suffix + ".pem") << key.to_pem();
  const Bytes der = WATTLE_MUST(crypto::make_https_certificate(key, "127.0.0.1", os::unix_now()));
  std::ofstream(folder + "/cert" + suffix + ".pem") << crypto::der_to_pem(der, "CERTIFICATE");
}

// A server in its own process and folder; both are gone with the object.
class Server {
 public:
  Server(const sample::Network& network, const std::string& mode, const std::string& answer) {
    std::string pattern = testing::TempDir() + "/ctl-fetch-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    write_key(folder_, "", network.https);
    write_key(folder_, "2", crypto::PrivateKey::generate());
    std::ofstream(folder_ + "/genesis") << network.genesis_text;
    std::ofstream(folder_ + "/answer.json") << answer;
    const std::string script = WATTLE_SOURCE_DIR "/tests/proc/ctl/https_server.py";
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      execlp("python3", "python3", script.c_str(), folder_.c_str(), mode.c_str(), nullptr);
      _exit(127);
    }
    for (int i = 0; i < 600 && !fs::exists(folder_ + "/port"); ++i) usleep(50000);
    base_ = "https://127.0.0.1:" + slurp(folder_ + "/port");
  }
  ~Server() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    fs::remove_all(folder_);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const std::string& base() const { return base_; }
  std::string requests() const { return slurp(folder_ + "/requests"); }

 private:
  std::string folder_;
  std::string base_;
  pid_t pid_ = -1;
};

class Fetch : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "the helpers are started by root";
    crypto::init();
  }
  FetchAnswer fetch(const std::string& base, const crypto::Hash& hash) {
    const FetchRequest request{base, "home", hash, R"({"token_id":"not-the-token"})"};
    const auto body = run_helper(kFetch, build_fetch_request(request));
    EXPECT_TRUE(body) << body.error().text();
    if (!body) return {};
    auto answer = parse_fetch_answer(*body);
    EXPECT_TRUE(answer);
    return answer ? std::move(*answer) : FetchAnswer{};
  }
  const UnixTime now_ = os::unix_now();
  sample::Network network_{now_};
};

TEST_F(Fetch, BringsGenesisAndAnswer) {
  const Server server(network_, "good", R"({"schema":1})");
  const FetchAnswer answer = fetch(server.base(), network_.hash);
  EXPECT_EQ(answer.outcome, FetchOutcome::Answered) << answer.detail;
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.genesis, network_.genesis_text);
  EXPECT_EQ(answer.body, R"({"schema":1})");
  EXPECT_LE(answer.date.seconds, os::unix_now().seconds + 1);
  EXPECT_GE(answer.date.seconds + 60, now_.seconds);
  const std::string seen = server.requests();
  EXPECT_EQ(seen.find("GET /home/genesis"), 0U);
  EXPECT_NE(seen.find("POST /home/join HTTP/1.1 {\"token_id\":\"not-the-token\"}"),
            std::string::npos)
      << seen;
}

TEST_F(Fetch, WorksWithAHostName) {
  const Server server(network_, "good", "{}");
  const std::string named = "https://localhost" + server.base().substr(server.base().rfind(':'));
  EXPECT_EQ(fetch(named, network_.hash).outcome, FetchOutcome::Answered);
  EXPECT_EQ(fetch("https://no-such-host.invalid:1", network_.hash).outcome,
            FetchOutcome::Unreachable);
}

TEST_F(Fetch, SendsNothingMoreAfterAnotherGenesis) {
  const Server server(network_, "good", "{}");
  crypto::Hash other = network_.hash;
  other[31] ^= 1;
  EXPECT_EQ(fetch(server.base(), other).outcome, FetchOutcome::GenesisDiffers);
  const std::string seen = server.requests();
  EXPECT_EQ(seen.find("GET /home/genesis"), 0U);
  EXPECT_EQ(seen.find("POST"), std::string::npos);
  EXPECT_EQ(seen.find("token"), std::string::npos);
}

TEST_F(Fetch, SendsNothingToAnotherKey) {
  const Server server(network_, "other-key", "{}");
  EXPECT_EQ(fetch(server.base(), network_.hash).outcome, FetchOutcome::KeyDiffers);
  EXPECT_EQ(server.requests().find("POST"), std::string::npos);
}

TEST_F(Fetch, PassesRefusalsOn) {
  const Server server(network_, "refuse", R"({"error":"token-used"})");
  const FetchAnswer answer = fetch(server.base(), network_.hash);
  EXPECT_EQ(answer.outcome, FetchOutcome::Answered);
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.body, R"({"error":"token-used"})");
}

TEST_F(Fetch, NamesAServerWithoutTheNetwork) {
  const Server server(network_, "no-network", "{}");
  const FetchAnswer answer = fetch(server.base(), network_.hash);
  EXPECT_EQ(answer.outcome, FetchOutcome::NoNetwork);
  EXPECT_EQ(answer.status, 404);
}

TEST_F(Fetch, FollowsNoRedirect) {
  const Server server(network_, "redirect", "{}");
  EXPECT_EQ(fetch(server.base(), network_.hash).outcome, FetchOutcome::NoNetwork);
  EXPECT_EQ(server.requests().find("elsewhere"), std::string::npos);
}

TEST_F(Fetch, CutsHugeAnswers) {
  const Server huge(network_, "huge", "{}");
  EXPECT_EQ(fetch(huge.base(), network_.hash).outcome, FetchOutcome::TooLarge);
  const Server endless(network_, "endless", "{}");
  EXPECT_EQ(fetch(endless.base(), network_.hash).outcome, FetchOutcome::TooLarge);
  const Server big(network_, "good", std::string(kMaxFetched + 1, 'x'));
  EXPECT_EQ(fetch(big.base(), network_.hash).outcome, FetchOutcome::TooLarge);
}

TEST_F(Fetch, CutsSlowAnswers) {
  const Server server(network_, "slow", "{}");
  const Instant begin = os::now();
  EXPECT_EQ(fetch(server.base(), network_.hash).outcome, FetchOutcome::Timeout);
  EXPECT_LT(os::now() - begin, std::chrono::seconds(40));
}

TEST_F(Fetch, TellsThatNobodyListens) {
  std::string base;
  { base = Server(network_, "good", "{}").base(); }
  EXPECT_EQ(fetch(base, network_.hash).outcome, FetchOutcome::Unreachable);
}

TEST_F(Fetch, TheHelperEndsWithAnErrorOnNonsense) {
  const auto answer = run_helper(kFetch, as_bytes("nonsense"));
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().text().find("wattle-fetch ended with status 1"), std::string::npos)
      << answer.error().text();
}

TEST_F(Fetch, AMissingHelperIsNamed) {
  const Helper missing{"wattle-none", false, std::chrono::seconds(5), WATTLE_BIN_DIR};
  const auto answer = run_helper(missing, as_bytes("x"));
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().text().find("wattle-none"), std::string::npos);
}

// The process whose parent is `parent`, once its seccomp filter is on; "" after ten seconds.
std::string sealed_child_of(pid_t parent, pid_t& child) {
  const std::string ppid = "PPid:\t" + std::to_string(parent) + "\n";
  for (int i = 0; i < 200; ++i, usleep(50000)) {
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const std::string name = entry.path().filename();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      const std::string status = slurp(entry.path() / "status");
      if (status.find(ppid) == std::string::npos) continue;
      if (status.find("Seccomp:\t2\n") == std::string::npos) continue;
      child = static_cast<pid_t>(std::stol(name));
      return status;
    }
  }
  return {};
}

// What /proc says of a fetcher at work, and that it ends with whoever started it.
TEST_F(Fetch, IsSealedAndDiesWithItsParent) {
  const Server server(network_, "slow", "{}");
  const pid_t parent = fork();
  if (parent == 0) {
    const FetchRequest request{server.base(), "home", network_.hash, "{}"};
    static_cast<void>(run_helper(kFetch, build_fetch_request(request)));
    _exit(0);
  }
  pid_t helper = 0;
  const std::string status = sealed_child_of(parent, helper);
  EXPECT_NE(status.find("Uid:\t65534\t65534\t65534\t65534\n"), std::string::npos) << status;
  EXPECT_NE(status.find("Gid:\t65534\t65534\t65534\t65534\n"), std::string::npos);
  EXPECT_NE(status.find("Groups:\t \n"), std::string::npos);
  EXPECT_NE(status.find("NoNewPrivs:\t1\n"), std::string::npos);
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapAmb"})
    EXPECT_NE(status.find(std::string(set) + ":\t0000000000000000\n"), std::string::npos) << set;
  kill(parent, SIGKILL);
  waitpid(parent, nullptr, 0);
  ASSERT_GT(helper, 0);
  bool alive = true;
  for (int i = 0; i < 100 && alive; ++i, usleep(50000)) {
    const std::string now = slurp("/proc/" + std::to_string(helper) + "/status");
    alive = !now.empty() && now.find("State:\tZ") == std::string::npos;
  }
  EXPECT_FALSE(alive);
}

class Check : public Fetch {};

TEST_F(Check, JudgesInItsSandbox) {
  const sample::Joiner joiner;
  CheckRequest request =
      sample::right_request(network_, joiner, sample::right_parts(network_, joiner, now_));
  request.now = now_;
  const auto good = run_helper(kCheck, build_check_request(request));
  ASSERT_TRUE(good) << good.error().text();
  const CheckAnswer member = parse_check_answer(*good).value();
  EXPECT_EQ(member.outcome, CheckOutcome::Member) << member.detail;
  EXPECT_EQ(member.name, "alice");
  request.csr = sample::Joiner().csr;
  const auto bad = run_helper(kCheck, build_check_request(request));
  ASSERT_TRUE(bad) << bad.error().text();
  EXPECT_EQ(parse_check_answer(*bad).value().outcome, CheckOutcome::AnswerWrong);
}

}  // namespace
}  // namespace wattle::ctl
