#include "metad/io/registry_client.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/crypto/digest.h"
#include "common/os/log.h"
#include "common/proto/genesis.h"
#include "metad/core/http_answer.h"
#include "metad/io/tcp.h"

namespace wattle::metad {
namespace {

constexpr Duration kFirst = std::chrono::seconds(1);
constexpr Duration kLongestRetry = std::chrono::minutes(10);
constexpr Duration kRequestLimit = std::chrono::seconds(10);

// The leaf's key must be the pinned one; names, dates and issuer of this self-made certificate say
// nothing.
int verify_pin(X509_STORE_CTX* store, void* pin) {
  X509* certificate = X509_STORE_CTX_get0_cert(store);
  unsigned char* der = nullptr;
  const int size =
      certificate == nullptr ? 0 : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  bool good = false;
  if (size > 0) {
    const crypto::Hash hash = crypto::sha256(ByteView(der, static_cast<std::size_t>(size)));
    good = equal(hash, *static_cast<const ByteArray<32>*>(pin));
    OPENSSL_free(der);
  }
  X509_STORE_CTX_set_error(store, good ? X509_V_OK : X509_V_ERR_CERT_UNTRUSTED);
  return good ? 1 : 0;
}

}  // namespace

void RegistryClient::FreeContext::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

RegistryClient::RegistryClient(os::EventLoop& loop, std::string network,
                               const ByteArray<32>& https_key, Random& random,
                               std::function<void(std::string)> on_document,
                               std::function<void(std::string)> on_origin_answer)
    : loop_(loop),
      network_(std::move(network)),
      https_key_(https_key),
      random_(random),
      on_document_(std::move(on_document)),
      on_origin_answer_(std::move(on_origin_answer)),
      context_(SSL_CTX_new(TLS_client_method())),
      delay_(kFirst) {
  WATTLE_CHECK(context_ != nullptr);
  WATTLE_CHECK(SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION) == 1);
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context_.get(), verify_pin, &https_key_);
  SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_OFF);
  plan(between(kFirst, kFirst * 2));
}

RegistryClient::~RegistryClient() {
  for (bufferevent* event : {event_, ended_})
    if (event != nullptr) bufferevent_free(event);
}

void RegistryClient::set_places(std::vector<Endpoint> places) {
  if (places.empty()) return;  // what was looked up before the seal stays
  places_ = std::move(places);
  place_ = 0;
}

void RegistryClient::publish(const PublishOrigin& origin) {
  origin_ = origin;
  ++origin_number_;
  if (job_ == Job::None) plan(Duration::zero());
}

void RegistryClient::plan(Duration delay) {
  next_ = loop_.after(delay, [this] { begin(); });
}

Duration RegistryClient::between(Duration shortest, Duration longest) {
  return shortest + (longest - shortest) / 1024 * static_cast<std::int64_t>(random_.u32() % 1024);
}

std::string RegistryClient::request() const {
  const std::string head = " /" + network_;
  // 1.1: libevent's servers tell the length only there.
  const std::string tail =
      " HTTP/1.1\r\nHost: " + places_[place_ % places_.size()].text() + "\r\nConnection: close\r\n";
  if (job_ == Job::Document) return "GET" + head + "/document" + tail + "\r\n";
  const std::string body = "{\"body\":\"" + to_base64(origin_->body) + "\",\"signature\":\"" +
                           to_base64(origin_->signature) + "\"}";
  return "POST" + head + "/origin" + tail +
         "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

void RegistryClient::begin() {
  if (job_ != Job::None) return;
  if (ended_ != nullptr) return plan(Duration::zero());  // its bufferevent is about to be freed
  if (places_.empty()) return plan(kLongestRetry);
  job_ = origin_ ? Job::Origin : Job::Document;
  sent_number_ = origin_number_;
  received_.clear();
  deadline_ = loop_.after(kRequestLimit, [this] { finish(false, 0, {}); });
  auto socket = connect_tcp(places_[place_ % places_.size()]);
  if (!socket) {
    deadline_ = loop_.after(Duration::zero(), [this] { finish(false, 0, {}); });
    return;
  }
  SSL* ssl = SSL_new(context_.get());
  WATTLE_CHECK(ssl != nullptr);
  event_ = bufferevent_openssl_socket_new(loop_.base(), socket->release(), ssl,
                                          BUFFEREVENT_SSL_CONNECTING,
                                          BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
  WATTLE_CHECK(event_ != nullptr);
  bufferevent_openssl_set_allow_dirty_shutdown(event_, 1);
  bufferevent_setcb(event_, on_read, nullptr, on_event, this);
  bufferevent_enable(event_, EV_READ | EV_WRITE);
  const std::string text = request();
  evbuffer_add(bufferevent_get_output(event_), text.data(), text.size());
}

void RegistryClient::on_read(bufferevent*, void* self) {
  static_cast<RegistryClient*>(self)->read();
}

void RegistryClient::on_event(bufferevent*, short what, void* self) {
  auto* client = static_cast<RegistryClient*>(self);
  if ((what & BEV_EVENT_CONNECTED) != 0) return;
  client->read();
  if (client->job_ == Job::None) return;
  auto answer = parse_http_answer(client->received_, (what & BEV_EVENT_EOF) != 0, kMaxDocument);
  if (answer)
    client->finish(true, answer->status, std::move(answer->body));
  else
    client->finish(false, 0, {});
}

void RegistryClient::read() {
  evbuffer* input = bufferevent_get_input(event_);
  std::array<char, 4096> chunk{};
  for (;;) {
    const int size = evbuffer_remove(input, chunk.data(), chunk.size());
    if (size <= 0) break;
    received_.append(chunk.data(), static_cast<std::size_t>(size));
    if (received_.size() > kMaxDocument + kMaxHttpHead) return finish(false, 0, {});
  }
  auto answer = parse_http_answer(received_, false, kMaxDocument);
  if (answer) return finish(true, answer->status, std::move(answer->body));
  if (answer.error().code != Errc::Again) finish(false, 0, {});
}

void RegistryClient::finish(bool worked, int status, std::string body) {
  const Job job = std::exchange(job_, Job::None);
  deadline_.reset();
  if (event_ != nullptr) {
    // One of its callbacks may be running.
    bufferevent_setcb(event_, nullptr, nullptr, nullptr, nullptr);
    bufferevent_disable(event_, EV_READ | EV_WRITE);
    ended_ = std::exchange(event_, nullptr);
    sweep_ =
        loop_.after(Duration::zero(), [this] { bufferevent_free(std::exchange(ended_, nullptr)); });
  }
  if (!worked || status >= 500 || status == 429) {
    ++place_;
    os::log::debug("the registry does not answer", {{os::log::Key::Msg, std::to_string(status)}});
    plan(between(delay_, delay_ * 2));
    delay_ = std::min<Duration>(delay_ * 2, kLongestRetry);
    return;
  }
  delay_ = kFirst;
  if (job == Job::Origin) {
    if (status != 200)
      os::log::warning("the registry refuses our origin record",
                       {{os::log::Key::Err, std::to_string(status) + " " + body.substr(0, 200)}});
    // A newer one may have come meanwhile.
    if (sent_number_ == origin_number_) origin_.reset();
    plan(Duration::zero());
    if (status == 200) on_origin_answer_(std::move(body));
    return;
  }
  if (status == 200) on_document_(std::move(body));
  plan(origin_ ? Duration::zero() : between(std::chrono::minutes(5), std::chrono::minutes(15)));
}

std::vector<Endpoint> registry_places(const std::vector<std::string>& urls, bool lookup) {
  std::vector<Endpoint> out;
  for (const std::string& text : urls) {
    const auto url = parse_registry_url(text);
    if (!url) continue;
    if (const auto address = IpAddress::parse(url->host)) {
      out.push_back({*address, url->port});
      continue;
    }
    if (!lookup) continue;
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(url->host.c_str(), nullptr, &hints, &found) != 0) continue;
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
      std::array<char, NI_MAXHOST> host{};
      if (::getnameinfo(at->ai_addr, at->ai_addrlen, host.data(), host.size(), nullptr, 0,
                        NI_NUMERICHOST) != 0)
        continue;
      if (const auto address = IpAddress::parse(host.data())) out.push_back({*address, url->port});
    }
    ::freeaddrinfo(found);
  }
  return out;
}

}  // namespace wattle::metad
