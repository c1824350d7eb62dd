// The real registry and signer as daemons: HTTPS limits, the administrator's command, seal and end.
#include <openssl/ssl.h>
#include <chrono>
#include <thread>

#include "common/proto/origin_record.h"
#include "tests/proc/registry_lab.h"

namespace wattle::test {
namespace {

class Serve : public RegistryTest {
 protected:
  os::Fd tcp() const {
    os::Fd socket(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(socket.raw(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return socket;
  }
  // True if the other end closes within this time.
  static bool is_closed(int fd, int seconds) {
    char byte = 0;
    pollfd item{fd, POLLIN, 0};
    if (poll(&item, 1, seconds * 1000) != 1) return false;
    return recv(fd, &byte, 1, 0) <= 0;
  }
  static std::string status_line(pid_t pid, const std::string& key) {
    const std::string text = os::read_text("/proc/" + std::to_string(pid) + "/status").value();
    const std::size_t at = text.find(key + ":");
    return text.substr(at, text.find('\n', at) - at);
  }
};

// A TLS connection by hand, to send what no HTTP client sends.
class RawTls {
 public:
  explicit RawTls(os::Fd socket) : socket_(std::move(socket)) {
    context_ = SSL_CTX_new(TLS_client_method());
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, socket_.raw());
    connected = SSL_connect(ssl_) == 1;
  }
  ~RawTls() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  void send(const std::string& text) {
    SSL_write(ssl_, text.data(), static_cast<int>(text.size()));
  }
  std::string read_all() {
    std::string out;
    char buffer[1024];
    for (int n = 0; (n = SSL_read(ssl_, buffer, sizeof buffer)) > 0;)
      out.append(buffer, static_cast<std::size_t>(n));
    return out;
  }
  int fd() const { return socket_.raw(); }
  std::string version() const { return SSL_get_version(ssl_); }
  bool connected = false;

 private:
  os::Fd socket_;
  SSL_CTX* context_;
  SSL* ssl_;
};

TEST_F(Serve, a_question_waits_for_the_first_word_of_the_signer) {
  start_registry();
  std::thread later([this] {
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    start_signer();
  });
  const HttpAnswer genesis = http("genesis");
  later.join();
  EXPECT_EQ(genesis.status, 200);
  EXPECT_EQ(genesis.body, genesis_text);
}

TEST_F(Serve, gives_genesis_and_document_to_whoever_pins_its_key) {
  std::signal(SIGPIPE, SIG_IGN);
  start();
  const HttpAnswer genesis = http("genesis");
  EXPECT_EQ(genesis.status, 200);
  EXPECT_EQ(genesis.body, genesis_text);
  EXPECT_EQ(http("document").status, 200);
  EXPECT_EQ(http("nothing").status, 404);
  EXPECT_EQ(http("nothing").json()["error"], "not-found");
  EXPECT_EQ(http("join").status, 405);
  https_key[0] ^= 1;
  EXPECT_EQ(http("genesis").status, 0);
}

TEST_F(Serve, speaks_tls_1_3_only) {
  start();
  RawTls tls(tcp());
  ASSERT_TRUE(tls.connected);
  EXPECT_EQ(tls.version(), "TLSv1.3");
  const Output old =
      shell("echo | openssl s_client -tls1_2 -connect 127.0.0.1:" + std::to_string(port) + " 2>&1");
  EXPECT_NE(old.code, 0) << old.text;
}

TEST_F(Serve, refuses_what_is_too_large) {
  std::signal(SIGPIPE, SIG_IGN);
  start();
  const std::string body(17 * 1024, 'x');
  const HttpAnswer answer = http("join", &body);
  EXPECT_TRUE(answer.status == 0 || answer.status == 413) << answer.status;
  RawTls tls(tcp());
  tls.send("GET /test/genesis HTTP/1.1\r\nHost: x\r\nX: " + std::string(9000, 'y') + "\r\n\r\n");
  EXPECT_EQ(tls.read_all().find("wattle-genesis"), std::string::npos);
  RawTls endless(tcp());
  endless.send("POST /test/join HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 40; ++i) endless.send("400\r\n" + std::string(1024, 'z') + "\r\n");
  EXPECT_EQ(endless.read_all().find("200 "), std::string::npos);
  EXPECT_EQ(http("genesis").status, 200);  // and it lives
}

TEST_F(Serve, closes_connections_that_stand_still) {
  std::signal(SIGPIPE, SIG_IGN);
  start();
  const auto began = std::chrono::steady_clock::now();
  const os::Fd silent = tcp();  // never begins TLS
  RawTls halfway(tcp());        // never ends its request
  halfway.send("GET /test/genesis HTTP/1.1\r\n");
  RawTls dripping(tcp());  // always a little more
  dripping.send("GET /test/genesis HTTP/1.1\r\n");
  for (int i = 0; i < 12; ++i) {
    dripping.send("X" + std::to_string(i) + ": y\r\n");
    sleep(1);
  }
  EXPECT_TRUE(is_closed(silent.raw(), 10));
  EXPECT_TRUE(is_closed(halfway.fd(), 10));
  EXPECT_EQ(dripping.read_all(), "");
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(25));
  EXPECT_EQ(http("genesis").status, 200);
}

TEST_F(Serve, one_client_may_hold_only_so_many_connections) {
  start();
  std::vector<os::Fd> held;
  for (int i = 0; i < 140; ++i) held.push_back(tcp());
  sleep(1);  // well below the 5 s after which a connection without TLS is closed anyhow
  int closed = 0;
  for (const os::Fd& socket : held) closed += is_closed(socket.raw(), 0) ? 1 : 0;
  EXPECT_EQ(closed, 140 - 96);
  held.clear();
  int status = 0;
  for (int i = 0; i < 50 && status != 200; ++i) {
    status = static_cast<int>(http("genesis").status);
    if (status != 200) usleep(100000);
  }
  EXPECT_EQ(status, 200);
}

TEST_F(Serve, guessing_tokens_ends_in_429_but_other_requests_go_on) {
  start();
  const InviteToken token = invite("alice").token;
  int refused = 0;
  HttpAnswer last;
  for (int i = 0; i < 21; ++i) {
    last = join(Joiner(), InviteToken{static_cast<std::uint8_t>(i + 1)});
    if (last.status == 403) ++refused;
  }
  EXPECT_EQ(refused, 20);
  EXPECT_EQ(last.status, 429);
  EXPECT_EQ(last.json()["error"], "limit");
  EXPECT_EQ(join(Joiner(), token).status, 429);  // this address has to wait
  EXPECT_EQ(http("genesis").status, 200);
}

TEST_F(Serve, a_members_origin_reaches_the_next_joiner) {
  start();
  const Joiner alice;
  ASSERT_EQ(join(alice, invite("alice").token).status, 200);
  OriginRecord record;
  record.network = network();
  record.address = alice.address();
  record.seqno = 1790000000000;
  record.name = "alice";
  record.endpoints = {Endpoint::parse("192.0.2.9:8737").value()};
  const auto post = [&](const crypto::PrivateKey& key) {
    const std::string body = "{\"body\":\"" + to_base64(build_origin_body(record)) +
                             "\",\"signature\":\"" + to_base64(sign_origin(record, key)) + "\"}";
    return http("origin", &body);
  };
  EXPECT_EQ(post(crypto::PrivateKey::generate()).status, 403);
  const HttpAnswer posted = post(alice.identity);
  EXPECT_EQ(posted.status, 200) << posted.body;
  EXPECT_EQ(posted.json()["document_version"], 1);
  const HttpAnswer answer = join(Joiner(), invite("bob").token);
  ASSERT_EQ(answer.status, 200);
  const auto peers = answer.json()["peers"];
  ASSERT_EQ(peers.size(), 1u);
  EXPECT_EQ(peers[0]["name"], "alice");
  EXPECT_EQ(peers[0]["address"], alice.address().text());
  EXPECT_EQ(peers[0]["endpoints"][0], "192.0.2.9:8737");
}

TEST_F(Serve, the_command_prints_one_url_and_answers_wrong_wishes_in_one_sentence) {
  start();
  const Output out = admin("invite alice");
  EXPECT_EQ(out.code, 0);
  ASSERT_EQ(std::count(out.text.begin(), out.text.end(), '\n'), 1);
  const Invite parsed = parse_invite(out.text.substr(0, out.text.size() - 1)).value();
  EXPECT_EQ(parsed.base, base());
  EXPECT_EQ(parsed.network, "test");
  EXPECT_EQ(parsed.genesis, genesis_hash(genesis_text));
  const auto refused = [&](const std::string& line, int code, const std::string& part) {
    const Output wrong = admin(line);
    EXPECT_EQ(wrong.code, code) << line;
    EXPECT_EQ(wrong.text, "") << line;
    const std::string said = admin_error();
    EXPECT_NE(said.find(part), std::string::npos) << said;
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
  };
  refused("invite alice", 1, "taken");
  refused("invite Alice", 2, "not a node name");
  refused("invite bob --prefix-length 81", 2, "1 to 80");
  refused("invite bob --expires 0s", 2, "expire");
  refused("invite", 2, "invite NAME");
  refused("invite bob --net other", 1, "no registry");
  refused("frobnicate", 2, "no verb");
  refused("node show nobody", 1, "no member");
  end(signer, SIGTERM);
  sign_admin.close();
  refused("invite carol", 3, "wattle up test");
}

TEST_F(Serve, nobody_but_root_may_invite) {
  start();
  const Output out =
      shell("setpriv --reuid 65534 --regid 65534 --clear-groups " + program("wattle-registry") +
            " invite x --root " + folder.path() + " 2>&1");
  EXPECT_EQ(out.code, 77);
  EXPECT_NE(out.text.find("root"), std::string::npos);
}

TEST_F(Serve, the_command_lists_members_and_network) {
  start();
  const Joiner alice;
  ASSERT_EQ(join(alice, invite("alice", "--relay").token).status, 200);
  invite("bob");
  const auto nodes = nlohmann::json::parse(admin("node list --json").text);
  EXPECT_EQ(nodes["schema"], 1);
  ASSERT_EQ(nodes["nodes"].size(), 1u);
  const auto& node = nodes["nodes"][0];
  EXPECT_EQ(node["name"], "alice");
  EXPECT_EQ(node["address"], alice.address().text());
  EXPECT_EQ(node["ipv4"], "10.91.4.1");
  EXPECT_EQ(node["ipv6"], "fd12:3456:789a::1");
  EXPECT_EQ(node["prefix"], "fd12:3456:789a::/64");
  EXPECT_EQ(node["roles"], "relay");
  EXPECT_EQ(nlohmann::json::parse(admin("node show alice --json").text)["node"], node);
  const auto net = nlohmann::json::parse(admin("network show --json").text);
  EXPECT_EQ(net["schema"], 1);
  EXPECT_EQ(net["id"], to_hex(network()));
  EXPECT_EQ(net["members"], 1);
  EXPECT_EQ(net["open_invites"], 1);
  EXPECT_EQ(net["document"]["version"], 1);
  EXPECT_NE(admin("node list").text.find("alice"), std::string::npos);
  EXPECT_NE(admin("network show").text.find(kPrefix), std::string::npos);
}

TEST_F(Serve, both_daemons_are_sealed_and_end_on_sigterm) {
  start();
  for (pid_t* pid : {&signer, &registry}) {
    EXPECT_EQ(status_line(*pid, "NoNewPrivs"), "NoNewPrivs:\t1");
    EXPECT_EQ(status_line(*pid, "Seccomp"), "Seccomp:\t2");
    EXPECT_EQ(status_line(*pid, "CapEff"), "CapEff:\t0000000000000000");
    const auto began = std::chrono::steady_clock::now();
    const Ending ending = end(*pid, SIGTERM);
    EXPECT_TRUE(ending.exited);
    EXPECT_EQ(ending.code, 0);
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(2));
  }
}

TEST_F(Serve, a_damaged_journal_stops_the_start_with_a_sentence) {
  start();
  end(registry, SIGTERM);
  end(signer, SIGTERM);
  const std::string journal = state() + "/signer/journal";
  Bytes bytes = os::read_file(journal, 1 << 20).value();
  bytes[200] ^= 1;
  const int id = static_cast<int>(kNobody);
  ASSERT_TRUE(os::write_file(journal, bytes, 0600, id, id));
  signer = spawn(
      {program("wattle-signer"), "--net=test", "--root=" + folder.path(), "--registry-user=nobody"},
      {sign.raw(), sign_admin.raw()}, "sign:sign.admin");
  const Ending refused = wait_for(signer);
  signer = 0;
  EXPECT_EQ(refused.code, 78);
  const std::string log = os::read_text(folder.file("log")).value();
  EXPECT_NE(log.find("is damaged after entry 0"), std::string::npos) << log;
}

// What a phone's camera would read.
TEST_F(Serve, an_invites_qr_code_is_its_url) {
  start_signer();
  const Output out = admin("invite alice --qr --expires 1h");
  ASSERT_EQ(out.code, 0) << admin_error();
  const std::size_t url = out.text.rfind("https://");
  ASSERT_NE(url, std::string::npos);
  ASSERT_TRUE(os::write_file(folder.file("printed"), as_bytes(out.text.substr(0, url)), 0600));
  const Output read =
      shell(WATTLE_SOURCE_DIR "/tests/support/qr_image.py < " + folder.file("printed") + " > " +
            folder.file("code.pgm") + " && zbarimg -q --raw " + folder.file("code.pgm"));
  EXPECT_EQ(read.code, 0);
  EXPECT_EQ(read.text, out.text.substr(url));
}

}  // namespace
}  // namespace wattle::test
