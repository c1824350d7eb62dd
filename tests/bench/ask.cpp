// bench-ask serve PORT              answers each byte of each TCP connection with a byte
// bench-ask ask ADDRESS PORT SECONDS  asks with one byte, waits for the answer, asks again; prints
// one JSON object Request and response: what a program feels that asks a database over the network,
// and the latency of every part of the way with nothing to hide behind.
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "bench-ask: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

double seconds() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

void at_once(int fd) {
  const int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  ::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5);
}

void answer(int fd) {
  at_once(fd);
  char byte = 0;
  while (::read(fd, &byte, 1) == 1 && ::write(fd, &byte, 1) == 1) {
  }
  ::close(fd);
}

[[noreturn]] void serve(const char* port) {
  const int fd = ::socket(AF_INET6, SOCK_STREAM, 0);
  const int one = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in6 here{};
  here.sin6_family = AF_INET6;
  here.sin6_port = htons(static_cast<in_port_t>(std::atoi(port)));
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0) fail("bind");
  if (::listen(fd, 16) != 0) fail("listen");
  for (;;) {
    const int peer = ::accept(fd, nullptr, nullptr);
    if (peer >= 0) std::thread(answer, peer).detach();
  }
}

void ask(const char* host, const char* port, double time) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host, port, &hints, &found) != 0) fail("no such address");
  const int fd = ::socket(found->ai_family, SOCK_STREAM, 0);
  if (fd < 0 || ::connect(fd, found->ai_addr, found->ai_addrlen) != 0) fail("connect");
  freeaddrinfo(found);
  at_once(fd);
  std::vector<double> took;
  took.reserve(1 << 20);
  char byte = 'q';
  const double start = seconds();
  double before = start;
  while (before < start + time) {
    if (::write(fd, &byte, 1) != 1 || ::read(fd, &byte, 1) != 1) fail("the connection ended");
    const double after = seconds();
    took.push_back(after - before);
    before = after;
  }
  std::sort(took.begin(), took.end());
  const auto at = [&](double share) {
    return 1e6 * took[static_cast<std::size_t>(share * static_cast<double>(took.size() - 1))];
  };
  std::printf("{\"per_second\": %.0f, \"median_us\": %.1f, \"p99_us\": %.1f}\n",
              static_cast<double>(took.size()) / (before - start), at(0.5), at(0.99));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb == "serve" && argc == 3) serve(argv[2]);
  if (verb == "ask" && argc == 5) {
    ask(argv[2], argv[3], std::atof(argv[4]));
    return 0;
  }
  std::fprintf(stderr, "bench-ask serve PORT | ask ADDRESS PORT SECONDS\n");
  return 2;
}
