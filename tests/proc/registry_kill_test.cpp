// Registry and signer killed at random moments while machines join and renew: no acknowledged
// certificate is lost, nothing is given twice, and who asks again gets the same bytes.
#include <future>
#include <random>

#include "registry/core/journal_chain.h"
#include "tests/proc/registry_lab.h"

namespace wattle::test {
namespace {

constexpr int kKills = 200;
constexpr int kAtOnce = 4;

class Kill : public RegistryTest {
 protected:
  struct Machine {
    Joiner joiner;
    std::string body;
    std::set<std::string> certificates;  // that it was given, in answers of 200 that came whole
  };
  std::vector<std::unique_ptr<Machine>> machines_;
  std::size_t acknowledged_ = 0, repeated_ = 0, unanswered_ = 0;

  void take(Machine& machine, const HttpAnswer& answer) {
    const auto json = answer.json();
    if (answer.status != 200 || !json.is_object()) {
      ++unanswered_;
      return;
    }
    ++(machine.certificates.empty() ? acknowledged_ : repeated_);
    machine.certificates.insert(json["certificate"].get<std::string>());
  }
};

TEST_F(Kill, of_200_at_random_moments_lose_and_double_nothing) {
  std::mt19937 random(20261121);
  start();
  int killed_signer = 0;
  for (int kill = 0; kill < kKills; ++kill) {
    std::vector<std::string> bodies;
    for (int i = 0; i < kAtOnce; ++i) {
      machines_.push_back(std::make_unique<Machine>());
      const std::string name = "n" + std::to_string(machines_.size());
      machines_.back()->body = machines_.back()->joiner.json(network(), invite(name).token);
      bodies.push_back(machines_.back()->body);
    }
    auto joins = std::async(std::launch::async, [&] { return join_all(bodies); });
    usleep(static_cast<useconds_t>(random() % 60000));
    const bool is_signer = random() % 2 == 0;
    killed_signer += is_signer ? 1 : 0;
    end(is_signer ? signer : registry, SIGKILL);
    if (is_signer)
      start_signer();
    else
      start_registry();
    const auto answers = joins.get();
    for (std::size_t i = 0; i < answers.size(); ++i) {
      Machine& machine = *machines_[machines_.size() - kAtOnce + i];
      take(machine, answers[i]);
      HttpAnswer again = http("join", &machine.body);
      for (int tries = 0; tries < 20 && again.status != 200; ++tries) {
        usleep(500000);  // the signer makes 60 members a minute where more than 120 came at once
        again = http("join", &machine.body);
      }
      ASSERT_EQ(again.status, 200) << again.body;
      take(machine, again);
    }
  }
  // Some of long ago ask again.
  for (std::size_t i = 0; i < machines_.size(); i += 50)
    take(*machines_[i], http("join", &machines_[i]->body));

  end(registry, SIGKILL);
  end(signer, SIGKILL);
  const Bytes bytes = os::read_file(state() + "/signer/journal", 1 << 28).value();
  std::set<std::string> certificates, prefixes, ipv4, names;
  std::set<std::uint64_t> serials;
  std::size_t issues = 0;
  const registry::JournalChain chain = registry::walk_journal(bytes, [&](const auto& entry) {
    const auto* e = std::get_if<registry::IssueEntry>(&entry.body);
    if (e == nullptr) return;
    ++issues;
    certificates.insert(to_base64(e->certificate));
    prefixes.insert(e->prefix6.text());
    ipv4.insert(e->ipv4.text());
    names.insert(e->name);
    serials.insert(e->serial);
  });
  EXPECT_EQ(chain.tail, registry::Tail::Clean);
  EXPECT_EQ(issues, machines_.size());
  EXPECT_EQ(prefixes.size(), issues);
  EXPECT_EQ(ipv4.size(), issues);
  EXPECT_EQ(names.size(), issues);
  EXPECT_EQ(serials.size(), issues);
  std::size_t missing = 0;
  for (const auto& machine : machines_) {
    EXPECT_EQ(machine->certificates.size(), 1u);  // repeats gave the same bytes
    for (const std::string& one : machine->certificates)
      missing += certificates.contains(one) ? 0 : 1;
  }
  EXPECT_EQ(missing, 0u);
  start();
  EXPECT_EQ(admin("audit").code, 0) << admin_error();
  std::printf(
      "%d kills (%d signer, %d registry) during joins of %zu machines: %zu certificates "
      "acknowledged, %zu missing from the journal; %zu repeats, all of the same bytes; %zu "
      "requests "
      "cut off or refused and made again; %zu prefixes, %zu IPv4 addresses, %zu serials, none "
      "twice; journal of %llu entries, whole; audit: the database is as the journal has it\n",
      kKills, killed_signer, kKills - killed_signer, machines_.size(), acknowledged_, missing,
      repeated_, unanswered_, prefixes.size(), ipv4.size(), serials.size(),
      static_cast<unsigned long long>(chain.entries));
}

}  // namespace
}  // namespace wattle::test
