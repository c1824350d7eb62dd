#include "metad/ctl/fetcher.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netdb.h>
#include <nss.h>
#include <memory>

#include "common/base/hex.h"
#include "common/base/parse.h"
#include "common/proto/genesis.h"

namespace wattle::ctl {

namespace {

constexpr long kConnectSeconds = 5;
constexpr long kTotalSeconds = 15;

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

List one_entry(const std::string& text) { return List(curl_slist_append(nullptr, text.c_str())); }

struct Exchange {
  CURLcode result = CURLE_OK;
  long status = 0;
  std::string body;
  bool too_large = false;
  UnixTime date;
};

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::size_t bytes = size * count;
  if (exchange.body.size() + bytes > kMaxFetched) {
    exchange.too_large = true;
    return 0;
  }
  exchange.body.append(data, bytes);
  return bytes;
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* user) {
  const std::string line(data, size * count);
  if (line.size() < 64 && curl_strnequal(line.c_str(), "date:", 5) != 0) {
    const std::string value(
        trim(std::string_view(line).substr(5, line.find_last_not_of("\r\n") - 4)));
    if (const time_t date = curl_getdate(value.c_str(), nullptr); date > 0)
      static_cast<Exchange*>(user)->date.seconds = static_cast<std::uint64_t>(date);
  }
  return size * count;
}

// Host and port of https://HOST[:PORT] as curl's RESOLVE wants them, with the host's addresses
// looked up here: libcurl itself would start a thread for it. Empty for literal addresses.
struct Lookup {
  bool failed = false;
  std::string entry;
};

Lookup look_up(const std::string& base) {
  std::string authority = base.substr(8, base.find('/', 8) - 8);
  if (authority.starts_with("[")) return {};
  const std::size_t colon = authority.rfind(':');
  const std::string port = colon == std::string::npos ? "443" : authority.substr(colon + 1);
  const std::string host = authority.substr(0, colon);
  in_addr literal{};
  if (inet_pton(AF_INET, host.c_str(), &literal) == 1) return {};
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return {true, {}};
  std::string addresses;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) !=
        0)
      continue;
    const bool v6 = at->ai_family == AF_INET6;
    addresses +=
        (addresses.empty() ? "" : ",") + (v6 ? "[" + std::string(text) + "]" : std::string(text));
  }
  freeaddrinfo(found);
  return {addresses.empty(), host + ":" + port + ":" + addresses};
}

// One request on a connection of its own. An empty pin: no trust at all in who answers.
Exchange exchange(const std::string& url, const std::string& resolve, const std::string& pin,
                  const std::string* post) {
  Exchange out;
  const std::unique_ptr<CURL, FreeEasy> easy(curl_easy_init());
  if (!easy) {
    out.result = CURLE_FAILED_INIT;
    return out;
  }
  const List hosts = resolve.empty() ? List() : one_entry(resolve);
  const List headers = one_entry("Content-Type: application/json");
  const auto set = [&easy, &out](CURLoption option, auto value) {
    if (out.result == CURLE_OK) out.result = curl_easy_setopt(easy.get(), option, value);
  };
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "https");
  set(CURLOPT_PROXY, "");
  set(CURLOPT_USERAGENT, "wattle/" WATTLE_VERSION);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_3));
  set(CURLOPT_SSL_VERIFYPEER, 0L);
  set(CURLOPT_SSL_VERIFYHOST, 0L);
  set(CURLOPT_FRESH_CONNECT, 1L);
  set(CURLOPT_FORBID_REUSE, 1L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  set(CURLOPT_TIMEOUT, kTotalSeconds);
  set(CURLOPT_MAXFILESIZE, static_cast<long>(kMaxFetched));
  set(CURLOPT_WRITEFUNCTION, &take_body);
  set(CURLOPT_WRITEDATA, &out);
  set(CURLOPT_HEADERFUNCTION, &take_header);
  set(CURLOPT_HEADERDATA, &out);
  if (hosts) set(CURLOPT_RESOLVE, hosts.get());
  if (!pin.empty()) set(CURLOPT_PINNEDPUBLICKEY, pin.c_str());
  if (post != nullptr) {
    set(CURLOPT_HTTPHEADER, headers.get());
    set(CURLOPT_POSTFIELDSIZE, static_cast<long>(post->size()));
    set(CURLOPT_POSTFIELDS, post->c_str());
  }
  if (out.result == CURLE_OK) out.result = curl_easy_perform(easy.get());
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &out.status);
  return out;
}

FetchAnswer failure(FetchOutcome outcome, std::string detail) {
  FetchAnswer answer;
  answer.outcome = outcome;
  answer.detail = printable(detail, 200);
  return answer;
}

// What a failed exchange means.
FetchAnswer failure_of(const Exchange& done) {
  const std::string detail = curl_easy_strerror(done.result);
  if (done.too_large || done.result == CURLE_FILESIZE_EXCEEDED)
    return failure(FetchOutcome::TooLarge, {});
  switch (done.result) {
    case CURLE_OPERATION_TIMEDOUT:
      return failure(FetchOutcome::Timeout, {});
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
      return failure(FetchOutcome::KeyDiffers, {});
    case CURLE_COULDNT_CONNECT:
      return failure(FetchOutcome::Unreachable, "nothing accepts connections there");
    case CURLE_FAILED_INIT:
    case CURLE_OUT_OF_MEMORY:
      return failure(FetchOutcome::Failed, detail);
    default:
      return failure(FetchOutcome::Unreachable, detail);
  }
}

}  // namespace

void prepare_fetching() {
  // Only what is built into libc: no plug-in is loaded once the sandbox is closed.
  __nss_configure_lookup("hosts", "files dns");
  curl_global_init(CURL_GLOBAL_ALL);
}

FetchAnswer fetch_join(const FetchRequest& request) {
  const Lookup lookup = look_up(request.base);
  if (lookup.failed) return failure(FetchOutcome::Unreachable, "its host name has no address");
  const std::string folder = request.base + "/" + request.network;
  const Exchange first = exchange(folder + "/genesis", lookup.entry, {}, nullptr);
  if (first.result != CURLE_OK) return failure_of(first);
  if (first.status != 200) {
    FetchAnswer answer = failure(FetchOutcome::NoNetwork, {});
    answer.status = static_cast<std::uint16_t>(first.status);
    return answer;
  }
  if (genesis_hash(first.body) != request.genesis) return failure(FetchOutcome::GenesisDiffers, {});
  const auto genesis = parse_genesis(first.body);
  if (!genesis) return failure(FetchOutcome::Failed, genesis.error().text());

  const std::string pin = "sha256//" + to_base64(genesis->https_key);
  Exchange second = exchange(folder + "/join", lookup.entry, pin, &request.body);
  FetchAnswer answer;
  if (second.result != CURLE_OK) {
    answer = failure_of(second);
  } else {
    answer.outcome = FetchOutcome::Answered;
    answer.status = static_cast<std::uint16_t>(second.status);
    answer.date = second.date;
    answer.body = std::move(second.body);
  }
  answer.genesis = first.body;
  return answer;
}

}  // namespace wattle::ctl
