// A real wattle-signer and wattle-registry on loopback, as an unprivileged user, under a folder of
// their own; this process (root) is supervisor, administrator and every joiner.
#pragma once

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/stat.h>
#include <array>
#include <csignal>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "common/os/clock.h"
#include "common/os/file.h"
#include "common/os/socket_address.h"
#include "common/os/unix_socket.h"
#include "common/proto/credential.h"
#include "common/proto/genesis.h"
#include "common/proto/invite.h"
#include "tests/support/joiner.h"
#include "tests/unit/common/os/child.h"

namespace wattle::test {

struct Output {
  int code = 0;
  std::string text;  // stdout
};

// Runs a shell command line.
inline Output shell(const std::string& line) {
  Output out;
  FILE* pipe = popen(line.c_str(), "r");
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) != 0;)
    out.text.append(buffer.data(), n);
  const int status = pclose(pipe);
  out.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return out;
}

struct HttpAnswer {
  long status = 0;  // 0: no answer
  std::string body;
  nlohmann::json json() const { return nlohmann::json::parse(body, nullptr, false); }
};

inline std::size_t collect(char* data, std::size_t size, std::size_t count, void* into) {
  static_cast<std::string*>(into)->append(data, size * count);
  return size * count;
}

class RegistryTest : public ::testing::Test {
 protected:
  static constexpr const char* kPrefix = "fd12:3456:789a::/48";
  static constexpr const char* kIpv4 = "10.91.4.0/22";

  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root: lanes are made by root";
    ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
    const int id = static_cast<int>(kNobody);
    ASSERT_TRUE(os::make_folder(etc(), 0755));
    ASSERT_TRUE(os::make_folder(run(), 0755));
    ASSERT_TRUE(os::make_folder(state() + "/registry", 0700, id, id));
    ASSERT_TRUE(os::make_folder(state() + "/signer", 0700, id, id));
    const crypto::PrivateKey key = crypto::PrivateKey::generate();
    https_key = crypto::spki_hash(key);
    const Bytes certificate =
        crypto::make_https_certificate(key, "127.0.0.1", os::unix_now()).value();
    ASSERT_TRUE(
        os::write_file(state() + "/registry/https.key", as_bytes(key.to_pem()), 0400, id, id));
    ASSERT_TRUE(os::write_file(state() + "/registry/https.crt",
                               as_bytes(crypto::der_to_pem(certificate, "CERTIFICATE")), 0644, id,
                               id));
    https = os::listen_tcp({IpAddress::v4({127, 0, 0, 1}), 0}).value();
    port = port_of(https);
    const std::string config =
        "listen = 127.0.0.1:" + std::to_string(port) + "\nurl = " + base() + "\n";
    ASSERT_TRUE(os::write_file(etc() + "/registry.conf", as_bytes(config), 0644));
    const Output made =
        shell("setpriv --reuid 65534 --regid 65534 --clear-groups " + program("wattle-signer") +
              " init --net test --root " + folder.path() + " --prefix " + kPrefix + " --ipv4 " +
              kIpv4 + " --url " + base() + " --https-key " + to_hex(https_key) +
              (lifetime.empty() ? "" : " --lifetime " + lifetime));
    ASSERT_EQ(made.code, 0);
    genesis_text = made.text;
    ASSERT_TRUE(os::write_file(etc() + "/genesis", as_bytes(genesis_text), 0644));
    using os::SocketKind;
    sign = os::listen_unix(run() + "/sign", SocketKind::Seqpacket, 0660, 0, id).value();
    sign_admin = os::listen_unix(run() + "/sign.admin", SocketKind::Seqpacket, 0600).value();
    notify = os::listen_unix(folder.file("notify"), SocketKind::Datagram, 0666).value();
  }
  void TearDown() override {
    end(registry, SIGKILL);
    end(signer, SIGKILL);
    if (HasFailure() && os::exists(folder.file("log")))
      std::fprintf(stderr, "%s", os::read_text(folder.file("log")).value().c_str());
  }

  std::string etc() const { return folder.file("etc/wattle/test"); }
  std::string state() const { return folder.file("var/lib/wattle/test"); }
  std::string run() const { return folder.file("run/wattle/test"); }
  std::string base() const { return "https://127.0.0.1:" + std::to_string(port); }
  static std::string program(const std::string& name) { return WATTLE_BIN_DIR "/" + name; }
  Genesis genesis() const { return parse_genesis(genesis_text).value(); }
  NetworkId network() const { return network_id(genesis_hash(genesis_text)); }

  static std::uint16_t port_of(const os::Fd& socket) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    EXPECT_EQ(getsockname(socket.raw(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    return os::read_address(reinterpret_cast<const sockaddr*>(&address)).value().port;
  }

  // `passed`: the descriptors of LISTEN_FDS, whose names are `names`.
  pid_t spawn(std::vector<std::string> arguments, const std::vector<int>& passed,
              const char* names) {
    const pid_t pid = fork();
    if (pid != 0) return pid;
    const int log = ::open(folder.file("log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (log < 0 || dup2(log, 2) < 0) _exit(100);
    // Above any target first: dup2 must not overwrite a source.
    std::vector<int> copies;
    for (const int fd : passed) copies.push_back(fcntl(fd, F_DUPFD, 20));
    int target = 3;
    for (const int copy : copies) {
      if (dup2(copy, target++) < 0) _exit(101);
      close(copy);
    }
    setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
    setenv("LISTEN_FDS", std::to_string(passed.size()).c_str(), 1);
    setenv("LISTEN_FDNAMES", names, 1);
    setenv("NOTIFY_SOCKET", folder.file("notify").c_str(), 1);
    if (!become_nobody()) _exit(102);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    execv(argv[0], argv.data());
    _exit(103);
  }
  void wait_ready() {
    for (pollfd item{notify.raw(), POLLIN, 0}; poll(&item, 1, 10000) == 1;) {
      const auto note = os::receive_message(notify.raw(), 4096);
      if (note && as_text(note->bytes).find("READY=1") != std::string_view::npos) return;
    }
    FAIL() << "not ready in 10 s";
  }
  void start_signer() {
    signer = spawn({program("wattle-signer"), "--net=test", "--root=" + folder.path(),
                    "--registry-user=nobody"},
                   {sign.raw(), sign_admin.raw()}, "sign:sign.admin");
    wait_ready();
  }
  void start_registry() {
    registry = spawn({program("wattle-registry"), "serve", "--net=test", "--root=" + folder.path()},
                     {https.raw()}, "https");
    wait_ready();
  }
  void start() {
    start_signer();
    start_registry();
  }
  static Ending end(pid_t& pid, int signal) {
    if (pid <= 0) return {};
    kill(pid, signal);
    const Ending out = wait_for(pid);
    pid = 0;
    return out;
  }

  Output admin(const std::string& line) const {
    return shell(program("wattle-registry") + " " + line + " --root " + folder.path() + " 2>" +
                 folder.file("stderr"));
  }
  std::string admin_error() const { return os::read_text(folder.file("stderr")).value(); }
  Invite invite(const std::string& name, const std::string& more = {}) const {
    const Output out = admin("invite " + name + " " + more);
    EXPECT_EQ(out.code, 0) << admin_error();
    return parse_invite(out.text.substr(0, out.text.find('\n'))).value();
  }

  CURL* request(const std::string& what, HttpAnswer& answer, const std::string* post,
                const std::string& from = {}) const {
    CURL* easy = curl_easy_init();
    const std::string pin = "sha256//" + to_base64(ByteView(https_key));
    curl_easy_setopt(easy, CURLOPT_URL, (base() + "/test/" + what).c_str());
    curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY, pin.c_str());
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (!from.empty()) curl_easy_setopt(easy, CURLOPT_INTERFACE, from.c_str());
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, 70L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer.body);
    if (post != nullptr) curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, post->c_str());
    return easy;
  }
  HttpAnswer http(const std::string& what, const std::string* post = nullptr) const {
    HttpAnswer answer;
    CURL* easy = request(what, answer, post);
    if (curl_easy_perform(easy) == CURLE_OK)
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_easy_cleanup(easy);
    return answer;
  }
  HttpAnswer renew(const Joiner& joiner, std::uint8_t nonce) const {
    const std::string body = joiner.renewal_json(network(), {nonce});
    return http("renew", &body);
  }
  HttpAnswer join(const Joiner& joiner, const InviteToken& token) const {
    const std::string body = joiner.json(network(), token);
    return http("join", &body);
  }
  // All at once, over one connection each.
  std::vector<HttpAnswer> join_all(const std::vector<std::string>& bodies) const {
    std::vector<HttpAnswer> answers(bodies.size());
    std::vector<CURL*> handles;
    CURLM* multi = curl_multi_init();
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      handles.push_back(request("join", answers[i], &bodies[i]));
      curl_multi_add_handle(multi, handles.back());
    }
    for (int left = 1; left != 0;) {
      curl_multi_perform(multi, &left);
      curl_multi_poll(multi, nullptr, 0, 100, nullptr);
    }
    for (std::size_t i = 0; i < handles.size(); ++i) {
      curl_easy_getinfo(handles[i], CURLINFO_RESPONSE_CODE, &answers[i].status);
      curl_multi_remove_handle(multi, handles[i]);
      curl_easy_cleanup(handles[i]);
    }
    curl_multi_cleanup(multi);
    return answers;
  }

  TempFolder folder;
  std::string lifetime;  // of certificates; set before SetUp, empty: the default
  std::string genesis_text;
  ByteArray<32> https_key{};
  std::uint16_t port = 0;
  os::Fd sign, sign_admin, https, notify;
  pid_t signer = 0, registry = 0;
};

}  // namespace wattle::test
