#include "registry/io/https_server.h"

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <algorithm>
#include <list>
#include <map>
#include <utility>

#include "common/os/log.h"
#include "registry/io/socket_address.h"

namespace wattle::registry {
namespace {

constexpr timeval kIdle{5, 0};
constexpr Duration kHandshakeTime = std::chrono::seconds(5);
constexpr Duration kRequestTime = std::chrono::seconds(10);
constexpr Duration kLife = std::chrono::seconds(30);
constexpr std::size_t kBatch = 16;  // connections accepted in one turn of the loop
constexpr std::size_t kMaxHeader = 8 * 1024;

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* thing) const {
    Free(thing);
  }
};
using Context = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;

// Lives as long as its SSL object (ex_data), which evhttp's connection owns: so it counts exactly
// the connections that are there, whoever ends them.
struct Connection {
  HttpsServer::State& server;
  SSL* ssl;
  bufferevent* stream = nullptr;
  bool counted = false;
  bool asked = false;   // a whole request arrived
  bool unasked = true;  // stands in server.unasked
  std::list<Connection*>::iterator place{};
  IpPrefix client{};
  os::Watch first_look, handshake, request, life;
  os::Watch held;  // while an answer is held back: whatever comes ends the wait

  Connection(HttpsServer::State& s, SSL* l);
  ~Connection();
  void unlist();
  void look();
  // evhttp sees the end of the stream and frees everything.
  void cut() const { ::shutdown(bufferevent_getfd(stream), SHUT_RDWR); }
};

void free_connection(void*, void* connection, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Connection*>(connection);
}

int connection_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_connection);
  return index;
}

}  // namespace

struct HttpsServer::State {
  os::EventLoop& loop;
  Handler handler;
  Context context;
  std::size_t connections = 0;
  std::list<Connection*> unasked;          // oldest first
  std::vector<evconnlistener*> listeners;  // evhttp's
  std::size_t accepted = 0;                // in this turn of the loop
  os::Watch resume;
  std::map<IpPrefix, std::size_t> per_client;
  std::unique_ptr<evhttp, Freer<evhttp_free>> http;  // freed first: connections refer to the rest
};

namespace {

Connection::Connection(HttpsServer::State& s, SSL* l) : server(s), ssl(l) {
  ++server.connections;
  place = server.unasked.insert(server.unasked.end(), this);
}

void Connection::unlist() {
  if (std::exchange(unasked, false)) server.unasked.erase(place);
}

Connection::~Connection() {
  --server.connections;
  unlist();
  if (!counted) return;
  const auto at = server.per_client.find(client);
  if (--at->second == 0) server.per_client.erase(at);
}

// Whoever holds connections open keeps nobody else out: the oldest one without a request of the
// client that has most of them gives way.
void make_room(HttpsServer::State& server) {
  std::map<IpPrefix, std::size_t> held;
  for (const Connection* connection : server.unasked)
    if (connection->counted) ++held[connection->client];
  const auto most = std::max_element(
      held.begin(), held.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  for (Connection* connection : server.unasked) {
    if (!connection->counted || connection->client != most->first) continue;
    connection->unlist();
    return connection->cut();
  }
}

// As soon as evhttp gave the stream its socket: who is it, and is there room?
void Connection::look() {
  const auto peer = peer_address(bufferevent_getfd(stream));
  if (!peer) return cut();
  client = client_of(*peer);
  counted = true;
  if (++server.per_client[client] > HttpsServer::kMaxPerClient) return cut();
  if (server.connections > HttpsServer::kMaxConnections) make_room(server);
}

// Few at a time, so that those who are here get their turn in between; and none while there are too
// many, until those that were cut are gone. The others wait in the kernel.
void rest(HttpsServer::State& server) {
  if (++server.accepted < kBatch && server.connections <= HttpsServer::kMaxConnections) return;
  for (evconnlistener* each : server.listeners) evconnlistener_disable(each);
  server.resume = server.loop.after(Duration::zero(), [&server] {
    server.accepted = 0;
    for (evconnlistener* each : server.listeners) evconnlistener_enable(each);
  });
}

bufferevent* make_stream(event_base* base, void* argument) {
  auto& server = *static_cast<HttpsServer::State*>(argument);
  SSL* ssl = SSL_new(server.context.get());
  WATTLE_CHECK(ssl != nullptr);
  auto* connection = new Connection(server, ssl);
  SSL_set_ex_data(ssl, connection_index(), connection);
  connection->stream = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
                                                      BEV_OPT_CLOSE_ON_FREE);
  WATTLE_CHECK(connection->stream != nullptr);
  bufferevent_openssl_set_allow_dirty_shutdown(connection->stream, 1);
  connection->first_look =
      server.loop.after(Duration::zero(), [connection] { connection->look(); });
  connection->handshake = server.loop.after(kHandshakeTime, [connection] {
    if (SSL_is_init_finished(connection->ssl) == 0) connection->cut();
  });
  connection->request = server.loop.after(kRequestTime, [connection] {
    if (!connection->asked) connection->cut();
  });
  connection->life = server.loop.after(kLife, [connection] { connection->cut(); });
  rest(server);
  return connection->stream;
}

Method method_of(const evhttp_request* request) {
  switch (evhttp_request_get_command(request)) {
    case EVHTTP_REQ_GET:
      return Method::Get;
    case EVHTTP_REQ_POST:
      return Method::Post;
    default:
      return Method::Other;
  }
}

std::string body_of(evhttp_request* request) {
  evbuffer* buffer = evhttp_request_get_input_buffer(request);
  std::string body(evbuffer_get_length(buffer), '\0');
  evbuffer_copyout(buffer, body.data(), body.size());
  return body;
}

IpAddress client_address(evhttp_connection* connection) {
  char* text = nullptr;
  std::uint16_t port = 0;
  evhttp_connection_get_peer(connection, &text, &port);
  const std::string_view whole = text == nullptr ? "" : text;
  const auto address = IpAddress::parse(whole.substr(0, whole.find('%')));
  return address ? *address : IpAddress{};
}

void send_answer(evhttp_request* request, const Answer& answer) {
  evkeyvalq* headers = evhttp_request_get_output_headers(request);
  if (!answer.type.empty()) evhttp_add_header(headers, "Content-Type", answer.type.c_str());
  evhttp_add_header(headers, "Connection", "close");
  evhttp_add_header(headers, "Cache-Control", "no-store");
  if (answer.status == 429) evhttp_add_header(headers, "Retry-After", "60");
  evbuffer_add(evhttp_request_get_output_buffer(request), answer.body.data(), answer.body.size());
  os::log::debug("answers a request", {{os::log::Key::Msg, std::to_string(answer.status)}});
  evhttp_send_reply(request, answer.status, nullptr, nullptr);
}

// A request that waits for its answer. evhttp frees the request with its connection: then `request`
// becomes null and the answer goes nowhere.
struct Waiting {
  evhttp_request* request = nullptr;
  std::shared_ptr<Caller> caller;
};

void on_close(evhttp_connection*, void* argument) {
  auto* waiting = static_cast<std::shared_ptr<Waiting>*>(argument);
  (*waiting)->request = nullptr;
  const std::shared_ptr<Caller> caller = (*waiting)->caller;
  delete waiting;
  caller->keep_open = nullptr;
  if (caller->on_gone) std::exchange(caller->on_gone, nullptr)();
}

void on_request(evhttp_request* raw, void* argument) {
  auto& server = *static_cast<HttpsServer::State*>(argument);
  evhttp_connection* connection = evhttp_request_get_connection(raw);
  SSL* ssl = bufferevent_openssl_get_ssl(evhttp_connection_get_bufferevent(connection));
  auto* own = static_cast<Connection*>(SSL_get_ex_data(ssl, connection_index()));
  own->asked = true;
  own->unlist();
  auto waiting = std::make_shared<Waiting>(Waiting{raw, std::make_shared<Caller>()});
  // evhttp does not always look at a connection whose request it has handed over.
  waiting->caller->keep_open = [own, waiting](Duration time) {
    os::EventLoop& loop = own->server.loop;
    own->life = loop.after(time, [own] { own->cut(); });
    own->held = loop.on_readable(bufferevent_getfd(own->stream), [own, waiting] {
      own->held.reset();
      if (waiting->caller->on_gone) std::exchange(waiting->caller->on_gone, nullptr)();
    });
  };
  evhttp_connection_set_closecb(connection, on_close, new std::shared_ptr<Waiting>(waiting));

  Request request;
  request.method = method_of(raw);
  request.path = evhttp_request_get_uri(raw);
  request.body = body_of(raw);
  request.client = client_address(connection);
  request.caller = waiting->caller;
  server.handler(request, [own, waiting](const Answer& answer) {
    if (waiting->request == nullptr) return;
    own->held.reset();
    send_answer(std::exchange(waiting->request, nullptr), answer);
  });
}

Result<Context> make_context(const std::string& certificate, const std::string& key) {
  using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;
  const Bio certificate_bio(
      BIO_new_mem_buf(certificate.data(), static_cast<int>(certificate.size())));
  const Bio key_bio(BIO_new_mem_buf(key.data(), static_cast<int>(key.size())));
  const std::unique_ptr<X509, Freer<X509_free>> x509(
      PEM_read_bio_X509(certificate_bio.get(), nullptr, nullptr, nullptr));
  const std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>> pkey(
      PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr));
  if (!x509 || !pkey) return Error(Errc::Config, "https.crt or https.key does not hold PEM");
  Context context(SSL_CTX_new(TLS_server_method()));
  if (!context) return Errc::Crypto;
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  if (SSL_CTX_use_certificate(context.get(), x509.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), pkey.get()) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1)
    return Error(Errc::Config, "https.key is not the key of https.crt");
  return context;
}

}  // namespace

HttpsServer::HttpsServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpsServer::~HttpsServer() = default;
std::size_t HttpsServer::connections() const { return state_->connections; }

Result<std::unique_ptr<HttpsServer>> HttpsServer::make(os::EventLoop& loop,
                                                       const std::string& certificate,
                                                       const std::string& key, Handler handler) {
  Context context = WATTLE_TRY(make_context(certificate, key));
  std::unique_ptr<State> state(
      new State{loop, std::move(handler), std::move(context), 0, {}, {}, 0, {}, {}, {}});
  state->http.reset(evhttp_new(loop.base()));
  evhttp* http = state->http.get();
  evhttp_set_bevcb(http, make_stream, state.get());
  evhttp_set_gencb(http, on_request, state.get());
  evhttp_set_max_headers_size(http, kMaxHeader);
  evhttp_set_max_body_size(http, kMaxBody);
  evhttp_set_timeout_tv(http, &kIdle);
  evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_POST);
  return std::unique_ptr<HttpsServer>(new HttpsServer(std::move(state)));
}

Result<void> HttpsServer::listen(os::Fd listening_socket) {
  evhttp_bound_socket* bound =
      evhttp_accept_socket_with_handle(state_->http.get(), listening_socket.raw());
  if (bound == nullptr) return Error(Errc::System, "cannot accept connections");
  state_->listeners.push_back(evhttp_bound_socket_get_listener(bound));
  listening_socket.release();  // evhttp's now
  return {};
}

}  // namespace wattle::registry
