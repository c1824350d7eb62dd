// Forty real wattle-metads on loopback in a random graph, each with the models of cryptod and keyd
// that meta_node.h gives it: how long until every routing table is whole, and how many lines and
// bytes that costs, for the start of all, a join, the loss of a link and a leave. Long.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>

#include "common/base/parse.h"
#include "common/os/clock.h"
#include "tests/proc/metad/meta_node.h"
#include "tests/support/seeded_random.h"

namespace wattle::test {
namespace {

using meta_link::LinkWay;
using meta_link::RouteState;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Address = meta_link::Address;

constexpr std::size_t kNodes = 40;
constexpr std::size_t kDials = 3;
constexpr Duration kQuiet = seconds(5);  // no table changes for so long: settled

struct Traffic {
  std::uint64_t lines = 0, bytes = 0;
};

class Mesh : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root: lanes are believed only if root made them";
  }

  // Not started yet; it dials `kDials` of those that are there.
  MetaNode& add() {
    const std::size_t number = nodes.size();
    nodes.push_back(std::make_unique<MetaNode>(lab, static_cast<std::uint8_t>(number + 1)));
    MetaNode& node = *nodes.back();
    places[node.address.bytes] = number;
    node.routing.measure = [this, number](const Address& neighbour) {
      return state(number, places.at(neighbour));
    };
    // Its record names no endpoint, so nobody dials it but whom the graph says.
    dials.emplace_back();
    while (dials[number].size() < std::min(kDials, number))
      dials[number].insert(random.below(number));
    return node;
  }
  void spawn(std::size_t number) {
    MetaNode& node = *nodes[number];
    std::vector<std::string> arguments = node.arguments();
    std::erase_if(arguments, [](const std::string& a) { return a.starts_with("--ip="); });
    std::replace(arguments.begin(), arguments.end(), std::string("--log-level=debug"),
                 std::string("--log-level=notice"));
    for (const std::size_t to : dials[number])
      arguments.push_back("--connect=127.0.0.1:" + std::to_string(nodes[to]->port));
    node.spawn(arguments);
    running.insert(number);
  }

  // The data path of a link: a fixed time between 0.3 and 20 ms, or none.
  meta_link::LinkState state(std::size_t from, std::size_t to) const {
    const auto pair = std::minmax(from, to);
    meta_link::LinkState out;
    out.address = nodes[to]->address.bytes;
    out.way = cut.contains(pair) || !running.contains(to) ? LinkWay::Down : LinkWay::Udp;
    if (out.way == LinkWay::Udp)
      out.rtt_us =
          300 + static_cast<std::uint32_t>((pair.first * 7919 + pair.second * 104729) % 19700);
    return out;
  }

  const meta_link::RouteEntry* entry(std::size_t from, std::size_t to) const {
    const auto& table = nodes[from]->routing.table;
    const auto at = table.find(nodes[to]->address.bytes);
    return at == table.end() ? nullptr : &at->second;
  }
  // Next hops lead there, over links whose data path is up, in no more steps than there are nodes.
  bool leads(std::size_t from, std::size_t to) const {
    for (std::size_t steps = 0; from != to; ++steps) {
      const auto* e = entry(from, to);
      if (e == nullptr || e->state != RouteState::Reachable || steps > nodes.size()) return false;
      const std::size_t next = places.at(e->next_hop);
      if (state(from, next).way == LinkWay::Down) return false;
      from = next;
    }
    return true;
  }
  bool whole() const {
    for (const std::size_t from : running)
      for (const std::size_t to : running)
        if (!leads(from, to)) return false;
    return true;
  }
  bool forgotten(std::size_t gone) const {
    return std::none_of(running.begin(), running.end(), [&](std::size_t from) {
      const auto* e = entry(from, gone);
      return e != nullptr && e->state == RouteState::Reachable;
    });
  }

  static std::uint64_t number_in(const std::vector<std::string>& lines, const std::string& name) {
    const std::string begin = "INFO counter name=meta." + name + " value=";
    for (const std::string& line : lines)
      if (line.starts_with(begin))
        return WATTLE_MUST(parse_decimal(std::string_view(line).substr(begin.size()), UINT64_MAX));
    return 0;
  }
  std::map<std::size_t, Traffic> traffic() {
    std::map<std::size_t, Traffic> out;
    for (const std::size_t number : running) {
      const auto lines = nodes[number]->ask("DUMP STATUS");
      out[number] = {number_in(lines, "tx_lines"), number_in(lines, "tx_bytes")};
    }
    return out;
  }

  // Waits until `done` and then until the tables stand still; says what that took.
  void measure(const char* what, const std::function<bool()>& done, Duration limit) {
    const Instant begin = os::now();
    const bool in_time = lab.until(done, limit);
    const auto whole_after = std::chrono::duration_cast<milliseconds>(os::now() - begin);
    EXPECT_TRUE(in_time) << what << ": " << missing();
    lab.until([&] { return os::now() - last_change() > kQuiet; }, seconds(60));
    EXPECT_TRUE(done()) << what;
    const auto still_after =
        std::chrono::duration_cast<milliseconds>(std::max(last_change(), begin) - begin);
    const auto now = traffic();
    std::uint64_t lines = 0, bytes = 0, most_lines = 0, most_bytes = 0;
    for (const auto& [number, sum] : now) {
      const Traffic before = last.contains(number) ? last[number] : Traffic{};
      lines += sum.lines - before.lines;
      bytes += sum.bytes - before.bytes;
      most_lines = std::max(most_lines, sum.lines - before.lines);
      most_bytes = std::max(most_bytes, sum.bytes - before.bytes);
    }
    std::printf(
        "%-28s whole after %6lld ms, still after %6lld ms; sent per node: %6.1f lines (most %llu), "
        "%8.0f bytes (most %llu)\n",
        what, static_cast<long long>(whole_after.count()),
        static_cast<long long>(still_after.count()),
        static_cast<double>(lines) / static_cast<double>(now.size()),
        static_cast<unsigned long long>(most_lines),
        static_cast<double>(bytes) / static_cast<double>(now.size()),
        static_cast<unsigned long long>(most_bytes));
    last = now;
  }
  Instant last_change() const {
    Instant out{};
    for (const std::size_t number : running) out = std::max(out, nodes[number]->last_route);
    return out;
  }
  std::string missing() const {
    std::size_t pairs = 0;
    std::string first;
    for (const std::size_t from : running)
      for (const std::size_t to : running)
        if (!leads(from, to) && ++pairs == 1) first = nodes[from]->name + " to " + nodes[to]->name;
    return std::to_string(pairs) + " pairs have no way, " + first;
  }
  bool has_link(std::size_t one, std::size_t other) const {
    return nodes[one]->routing.neighbours.contains(nodes[other]->address.bytes);
  }

  MetaLab lab;
  SeededRandom random{40};
  std::vector<std::unique_ptr<MetaNode>> nodes;
  std::vector<std::set<std::size_t>> dials;
  std::map<Address, std::size_t> places;
  std::set<std::size_t> running;
  std::set<std::pair<std::size_t, std::size_t>> cut;
  std::map<std::size_t, Traffic> last;
};

TEST_F(Mesh, FortyNodesConverge) {
  for (std::size_t i = 0; i < kNodes; ++i) add();
  for (std::size_t i = 0; i < kNodes; ++i) spawn(i);
  measure(
      "start of 40", [&] { return whole(); }, seconds(60));
  std::size_t links = 0;
  for (std::size_t i = 0; i < kNodes; ++i) {
    links += nodes[i]->routing.neighbours.size();
    const auto answer = nodes[i]->ask("DUMP ROUTES");
    EXPECT_EQ(
        std::count_if(answer.begin(), answer.end(),
                      [](const std::string& line) { return line.starts_with("INFO route "); }),
        static_cast<std::ptrdiff_t>(kNodes - 1))
        << nodes[i]->name;
  }
  std::printf("%-28s %zu links, %.1f per node\n", "", links / 2,
              static_cast<double>(links) / static_cast<double>(kNodes));

  lab.until([] { return false; }, seconds(20));
  measure(
      "at rest, 20 s", [&] { return whole(); }, seconds(1));

  add();
  spawn(kNodes);
  measure(
      "join of a 41st", [&] { return whole(); }, seconds(10));

  const std::size_t one = kNodes - 1, other = *dials[one].begin();
  ASSERT_TRUE(has_link(one, other));
  cut.insert(std::minmax(one, other));
  nodes[one]->tell(state(one, other));
  nodes[other]->tell(state(other, one));
  measure(
      "loss of a link's data path", [&] { return whole(); }, seconds(10));

  const std::size_t gone = kNodes;
  nodes[gone]->stop(SIGTERM);
  running.erase(gone);
  for (const std::size_t number : running)
    if (has_link(number, gone)) nodes[number]->tell(state(number, gone));
  measure(
      "leave of the 41st", [&] { return forgotten(gone) && whole(); }, seconds(10));
}

}  // namespace
}  // namespace wattle::test
