// RegistryClient against a real HTTPS server (evhttp over OpenSSL) on loopback.
#include "metad/io/registry_client.h"

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "common/base/hex.h"
#include "common/crypto/certificate.h"
#include "common/os/clock.h"
#include "tests/support/meta_world.h"

namespace wattle::metad::test {
namespace {

// GET /home/document and POST /home/origin; counts what came.
class Server {
 public:
  explicit Server(os::EventLoop& loop) : context_(SSL_CTX_new(TLS_server_method())) {
    const Bytes der = WATTLE_MUST(crypto::make_https_certificate(key, "127.0.0.1", os::unix_now()));
    const unsigned char* at = der.data();
    X509* certificate = d2i_X509(nullptr, &at, static_cast<long>(der.size()));
    EXPECT_EQ(SSL_CTX_use_certificate(context_, certificate), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey(context_, key.handle()), 1);
    X509_free(certificate);
    http_ = evhttp_new(loop.base());
    evhttp_set_bevcb(
        http_,
        [](event_base* base, void* context) {
          return bufferevent_openssl_socket_new(base, -1, SSL_new(static_cast<SSL_CTX*>(context)),
                                                BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
        },
        context_);
    evhttp_set_gencb(
        http_, [](evhttp_request* r, void* self) { static_cast<Server*>(self)->serve(r); }, this);
    evhttp_bound_socket* bound = evhttp_bind_socket_with_handle(http_, "127.0.0.1", 0);
    EXPECT_NE(bound, nullptr);
    sockaddr_in address{};
    socklen_t size = sizeof address;
    getsockname(evhttp_bound_socket_get_fd(bound), reinterpret_cast<sockaddr*>(&address), &size);
    place = {IpAddress::v4({127, 0, 0, 1}), ntohs(address.sin_port)};
  }
  ~Server() {
    evhttp_free(http_);
    SSL_CTX_free(context_);
  }

  crypto::PrivateKey key = crypto::PrivateKey::generate();
  Endpoint place;
  std::string document = "the document";
  int status = 200;
  std::vector<std::string> posted;
  int asked = 0, renewed = 0;
  std::vector<std::string> polls;
  evhttp_request* held = nullptr;  // a long poll that waits for release()

  void release(int code, const std::string& text) {
    evbuffer* answer = evbuffer_new();
    evbuffer_add(answer, text.data(), text.size());
    evhttp_send_reply(std::exchange(held, nullptr), code, "x", answer);
    evbuffer_free(answer);
  }

 private:
  void serve(evhttp_request* request) {
    const std::string_view uri = evhttp_request_get_uri(request);
    evbuffer* answer = evbuffer_new();
    if (uri == "/home/document" && evhttp_request_get_command(request) == EVHTTP_REQ_GET) {
      ++asked;
      evbuffer_add(answer, document.data(), document.size());
    } else if (uri == "/home/origin" && evhttp_request_get_command(request) == EVHTTP_REQ_POST) {
      evbuffer* body = evhttp_request_get_input_buffer(request);
      const std::size_t size = evbuffer_get_length(body);
      posted.emplace_back(reinterpret_cast<char*>(evbuffer_pullup(body, -1)), size);
      evbuffer_add_printf(answer, "{\"document_version\":1}");
    } else if (uri == "/home/renew" && evhttp_request_get_command(request) == EVHTTP_REQ_POST) {
      ++renewed;
      evbuffer_add_printf(answer, "a renewal");
    } else if (uri.starts_with("/home/document?after=")) {
      polls.emplace_back(uri.substr(21));
      held = request;
      evbuffer_free(answer);
      return;
    } else {
      ADD_FAILURE() << "unexpected " << uri;
    }
    evhttp_send_reply(request, status, "x", answer);
    evbuffer_free(answer);
  }

  SSL_CTX* context_;
  evhttp* http_ = nullptr;
};

struct RegistryTest : testing::Test {
  os::EventLoop loop;
  SeededRandom random{3};
  std::vector<std::string> documents, answers, renewals;
  std::function<void()> on_document;

  std::unique_ptr<RegistryClient> client(const ByteArray<32>& pin) {
    return std::make_unique<RegistryClient>(
        loop, "home", pin, random,
        RegistryClient::Callbacks{
            .on_document =
                [this](std::string text) {
                  documents.push_back(text);
                  if (on_document) on_document();
                },
            .on_origin_answer = [this](std::string text) { answers.push_back(text); },
            .on_renewal_answer =
                [this](int status, std::string body) {
                  renewals.push_back(std::to_string(status) + " " + body);
                }});
  }
  bool until(const std::function<bool()>& condition, Duration limit) {
    for (const Instant end = os::now() + limit;;) {
      if (condition()) return true;
      if (os::now() >= end) return false;
      const os::Watch stop = loop.after(std::chrono::milliseconds(10), [this] { loop.stop(); });
      loop.run();
    }
  }
  static PublishOrigin origin() {
    PublishOrigin out;
    out.body = {1, 2, 3};
    out.signature[0] = 9;
    return out;
  }
};

TEST_F(RegistryTest, PostsTheOriginAndFetchesTheDocument) {
  Server server(loop);
  const auto registry = client(crypto::spki_hash(server.key));
  registry->set_places({server.place});
  registry->publish(origin());
  ASSERT_TRUE(until([&] { return !documents.empty(); }, std::chrono::seconds(20)));
  EXPECT_EQ(documents[0], "the document");
  EXPECT_EQ(answers.size(), 1u) << "what the registry said of peers is handed on";
  ASSERT_EQ(server.posted.size(), 1u);
  EXPECT_EQ(server.posted[0],
            "{\"body\":\"AQID\",\"signature\":\"" + to_base64(origin().signature) + "\"}");
  EXPECT_FALSE(until([&] { return server.asked > 1; }, std::chrono::seconds(2)))
      << "not before five minutes have passed";
}

TEST_F(RegistryTest, AnotherKeyIsNotBelieved) {
  Server server(loop);
  const auto registry = client(ByteArray<32>{1});
  registry->set_places({server.place});
  EXPECT_FALSE(
      until([&] { return !documents.empty() || server.asked != 0; }, std::chrono::seconds(4)));
}

TEST_F(RegistryTest, TriesAgainAndElsewhere) {
  Server server(loop);
  server.status = 503;
  const auto registry = client(crypto::spki_hash(server.key));
  registry->set_places({{IpAddress::v4({127, 0, 0, 1}), 1}, server.place});
  registry->publish(origin());
  ASSERT_TRUE(until([&] { return !server.posted.empty(); }, std::chrono::seconds(20)));
  EXPECT_TRUE(documents.empty());
  server.status = 200;
  ASSERT_TRUE(until([&] { return !documents.empty(); }, std::chrono::seconds(40)));
  EXPECT_GE(server.posted.size(), 2u) << "the refused one came again";
}

TEST_F(RegistryTest, AnOverlongDocumentIsDropped) {
  Server server(loop);
  server.document = std::string(200'000, 'x');
  const auto registry = client(crypto::spki_hash(server.key));
  registry->set_places({server.place});
  ASSERT_TRUE(until([&] { return server.asked != 0; }, std::chrono::seconds(20)));
  EXPECT_FALSE(until([&] { return !documents.empty(); }, std::chrono::seconds(1)));
}

TEST_F(RegistryTest, ARelayWaitsForTheNextDocument) {
  Server server(loop);
  const auto registry = client(crypto::spki_hash(server.key));
  registry->set_places({server.place});
  registry->follow(true, 7);
  on_document = [&] { registry->follow(true, 8); };
  ASSERT_TRUE(until([&] { return server.held != nullptr; }, std::chrono::seconds(20)));
  EXPECT_EQ(server.polls, std::vector<std::string>{"7"});
  registry->publish(origin());
  registry->renew({"{}"});
  ASSERT_TRUE(
      until([&] { return !server.posted.empty() && server.renewed == 1; }, std::chrono::seconds(5)))
      << "posts do not wait for the poll";
  ASSERT_TRUE(until([&] { return renewals.size() == 1; }, std::chrono::seconds(5)));
  EXPECT_EQ(renewals[0], "200 a renewal");
  server.release(200, "version eight");
  ASSERT_TRUE(until([&] { return server.held != nullptr; }, std::chrono::seconds(5)))
      << "news: it asks on at once";
  EXPECT_EQ(server.polls, (std::vector<std::string>{"7", "8"}));
  EXPECT_EQ(documents, std::vector<std::string>{"version eight"});
  server.release(200, "version eight");
  EXPECT_FALSE(until([&] { return server.held != nullptr; }, std::chrono::seconds(2)))
      << "no news: not in a loop";
  EXPECT_EQ(server.asked, 0) << "and never without after=";
}

TEST_F(RegistryTest, ARenewalThatCannotBeSentIsToldAtOnce) {
  const auto registry = client(ByteArray<32>{1});
  registry->renew({"{}"});
  ASSERT_TRUE(until([&] { return renewals.size() == 1; }, std::chrono::seconds(5)));
  EXPECT_EQ(renewals[0], "0 ") << "no place known";
  registry->set_places({{IpAddress::v4({127, 0, 0, 1}), 1}});
  registry->renew({"{}"});
  ASSERT_TRUE(until([&] { return renewals.size() == 2; }, std::chrono::seconds(5)));
  EXPECT_EQ(renewals[1], "0 ");
}

TEST(RegistryPlaces, TakesLiteralsAndLooksNamesUpOnlyWhenAsked) {
  EXPECT_EQ(registry_places({"https://192.0.2.1:8443", "https://[2001:db8::1]", "ftp://x"}, false),
            (std::vector<Endpoint>{{IpAddress::v4({192, 0, 2, 1}), 8443},
                                   {WATTLE_MUST(IpAddress::parse("2001:db8::1")), 443}}));
  EXPECT_TRUE(registry_places({"https://localhost:1"}, false).empty());
  EXPECT_FALSE(registry_places({"https://localhost:1"}, true).empty());
}

}  // namespace
}  // namespace wattle::metad::test
