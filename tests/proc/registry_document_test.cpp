// The network document against the real registry and signer: what root sets, and who waits for it.
#include <chrono>

#include "common/proto/network_document.h"
#include "tests/proc/registry_lab.h"

namespace wattle::test {
namespace {

class Document : public RegistryTest {
 protected:
  struct Poll {
    HttpAnswer answer;
    CURL* easy = nullptr;
    bool done = false;
  };
  // Asks for a document after `after`, `count` times, from as many addresses of 127/8 as it takes.
  std::vector<std::unique_ptr<Poll>> ask(CURLM* multi, int count, std::uint64_t after,
                                         int per_address = 30) const {
    std::vector<std::unique_ptr<Poll>> polls;
    for (int i = 0; i < count; ++i) {
      auto poll = std::make_unique<Poll>();
      poll->easy = request("document?after=" + std::to_string(after), poll->answer, nullptr,
                           "127.0.1." + std::to_string(1 + i / per_address));
      curl_easy_setopt(poll->easy, CURLOPT_PRIVATE, poll.get());
      curl_multi_add_handle(multi, poll->easy);
      polls.push_back(std::move(poll));
    }
    return polls;
  }
  // Runs until `enough` of them are answered or the time is over; how many are.
  static int run_for(CURLM* multi, int seconds, int enough) {
    int done = 0;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    while (done < enough && std::chrono::steady_clock::now() < end) {
      int left = 0;
      curl_multi_perform(multi, &left);
      for (CURLMsg* m; (m = curl_multi_info_read(multi, &left)) != nullptr;) {
        if (m->msg != CURLMSG_DONE) continue;
        Poll* poll = nullptr;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &poll);
        curl_easy_getinfo(m->easy_handle, CURLINFO_RESPONSE_CODE, &poll->answer.status);
        poll->done = true;
        ++done;
      }
      curl_multi_poll(multi, nullptr, 0, 50, nullptr);
    }
    return done;
  }
  static void end_polls(CURLM* multi, std::vector<std::unique_ptr<Poll>>& polls) {
    for (const auto& poll : polls) {
      curl_multi_remove_handle(multi, poll->easy);
      curl_easy_cleanup(poll->easy);
    }
    polls.clear();
  }
  NetworkDocument parsed(const std::string& text) const {
    return parse_network_document(text, genesis().document_key, network()).value();
  }
  int held() const {  // connections that the registry has
    const Output out =
        shell("ss -Htn state established '( sport = :" + std::to_string(port) + " )' | wc -l");
    return std::stoi(out.text);
  }
};

TEST_F(Document, a_waiting_question_is_answered_by_the_next_document) {
  start();
  EXPECT_EQ(http("document?after=0").status, 200);  // there is one
  EXPECT_EQ(http("document?after=x").status, 400);
  CURLM* multi = curl_multi_init();
  auto polls = ask(multi, 3, 1);
  EXPECT_EQ(run_for(multi, 2, 1), 0);
  ASSERT_EQ(admin("network set mtu 1300").code, 0) << admin_error();
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(run_for(multi, 5, 3), 3);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(1));
  for (const auto& poll : polls) {
    ASSERT_EQ(poll->answer.status, 200);
    EXPECT_EQ(parsed(poll->answer.body).version, 2u);
    EXPECT_EQ(parsed(poll->answer.body).mtu, 1300);
  }
  end_polls(multi, polls);
  curl_multi_cleanup(multi);
}

TEST_F(Document, after_50_seconds_there_is_no_news) {
  start();
  const auto before = std::chrono::steady_clock::now();
  const HttpAnswer answer = http("document?after=1");
  const auto took = std::chrono::steady_clock::now() - before;
  EXPECT_EQ(answer.status, 204);
  EXPECT_TRUE(answer.body.empty());
  EXPECT_GE(took, std::chrono::seconds(49));
  EXPECT_LT(took, std::chrono::seconds(55));
}

TEST_F(Document, of_300_questions_256_wait_and_joins_go_on) {
  start();
  const InviteToken token = invite("alice").token;
  CURLM* multi = curl_multi_init();
  auto polls = ask(multi, 300, 1);
  EXPECT_EQ(run_for(multi, 20, 44), 44);
  for (const auto& poll : polls) {
    if (!poll->done) continue;
    EXPECT_EQ(poll->answer.status, 204);
  }
  EXPECT_EQ(join(Joiner(), token).status, 200);
  ASSERT_EQ(admin("network set broadcast no").code, 0) << admin_error();
  EXPECT_EQ(run_for(multi, 20, 256), 256);
  int told = 0;
  for (const auto& poll : polls) told += poll->answer.status == 200 ? 1 : 0;
  EXPECT_EQ(told, 256);
  end_polls(multi, polls);
  curl_multi_cleanup(multi);
}

TEST_F(Document, one_client_holds_32_places_and_leaves_them_when_it_goes) {
  start();
  for (int round = 0; round < 2; ++round) {
    CURLM* multi = curl_multi_init();
    auto polls = ask(multi, 33, 1, 100);
    EXPECT_EQ(run_for(multi, 10, 1), 1) << round;
    EXPECT_EQ(run_for(multi, 1, 1), 0) << round;
    end_polls(multi, polls);
    curl_multi_cleanup(multi);
    for (int i = 0; i < 50 && held() != 0; ++i) usleep(100000);
    EXPECT_EQ(held(), 0);
  }
}

}  // namespace
}  // namespace wattle::test
