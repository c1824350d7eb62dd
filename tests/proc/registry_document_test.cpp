// The network document against the real registry and signer: what root sets, and who waits for it.
#include <algorithm>
#include <chrono>
#include <iterator>

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
  // Asks for a document after `after`, `count` times, from this address.
  std::vector<std::unique_ptr<Poll>> ask(CURLM* multi, int count, std::uint64_t after,
                                         const std::string& from = "127.0.0.1") const {
    std::vector<std::unique_ptr<Poll>> polls;
    for (int i = 0; i < count; ++i) {
      auto poll = std::make_unique<Poll>();
      poll->easy = request("document?after=" + std::to_string(after), poll->answer, nullptr, from);
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
  // Until each of them is through its TLS handshake: a storm of them is not what is tested.
  static void connect_all(CURLM* multi, const std::vector<std::unique_ptr<Poll>>& polls) {
    const auto is_through = [](const std::unique_ptr<Poll>& poll) {
      double time = 0;
      curl_easy_getinfo(poll->easy, CURLINFO_APPCONNECT_TIME, &time);
      return time > 0;
    };
    for (int i = 0; i < 400 && !std::all_of(polls.begin(), polls.end(), is_through); ++i) {
      int left = 0;
      curl_multi_perform(multi, &left);
      curl_multi_poll(multi, nullptr, 0, 50, nullptr);
    }
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
  std::vector<std::unique_ptr<Poll>> polls;
  for (int address = 1; address <= 10; ++address) {
    auto more = ask(multi, 30, 1, "127.0.1." + std::to_string(address));
    connect_all(multi, more);
    std::move(more.begin(), more.end(), std::back_inserter(polls));
  }
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
    auto polls = ask(multi, 33, 1);
    EXPECT_EQ(run_for(multi, 10, 1), 1) << round;
    EXPECT_EQ(run_for(multi, 1, 1), 0) << round;
    end_polls(multi, polls);
    curl_multi_cleanup(multi);
    for (int i = 0; i < 50 && held() != 0; ++i) usleep(100000);
    EXPECT_EQ(held(), 0);
  }
}

class Command : public Document {
 protected:
  void refused(const std::string& line, int code, const std::string& part) const {
    const Output wrong = admin(line);
    EXPECT_EQ(wrong.code, code) << line;
    EXPECT_EQ(wrong.text, "") << line;
    const std::string said = admin_error();
    EXPECT_NE(said.find(part), std::string::npos) << line << ": " << said;
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
  }
  nlohmann::json node(const std::string& name) const {
    return nlohmann::json::parse(admin("node show " + name + " --json").text)["node"];
  }
};

// R66: who is too old is told so when it joins and when it renews.
TEST_F(Command, a_node_of_an_older_protocol_is_refused_with_a_sentence) {
  start();
  ASSERT_EQ(admin("network set min-protocol 9").code, 0) << admin_error();
  const Joiner alice;
  const auto with = [](std::string body, const char* protocol) {
    return body.insert(body.rfind('}'), std::string(",\"protocol\":") + protocol);
  };
  const auto post = [&](const char* what, const std::string& body) { return http(what, &body); };
  const InviteToken token = invite("alice").token;
  const std::string join_body = alice.json(network(), token);
  for (int i = 0; i < 40 && post("join", with(join_body, "8")).status != 426; ++i) usleep(100000);
  const HttpAnswer old = post("join", with(join_body, "8"));
  EXPECT_EQ(old.status, 426) << old.body;
  EXPECT_EQ(old.json()["error"], "too-old");
  EXPECT_NE(old.json()["sentence"].get<std::string>().find("at least 9 is needed"),
            std::string::npos);
  EXPECT_EQ(post("join", with(join_body, "\"9\"")).status, 400);
  EXPECT_EQ(post("join", with(join_body, "9")).status, 200) << "the invite is still good";
  const std::string renewal = alice.renewal_json(network(), {1});
  EXPECT_EQ(post("renew", with(renewal, "8")).status, 426);
  EXPECT_EQ(post("renew", renewal).status, 200);
}

TEST_F(Command, sets_parameters_and_shows_them) {
  start();
  EXPECT_EQ(admin("network set mtu 1280").code, 0);
  EXPECT_EQ(admin("network test set broadcast no").code, 0);
  EXPECT_EQ(admin("network test set min-protocol 1").code, 0);
  EXPECT_EQ(admin("network set ttl 86400").code, 0);
  const auto json = nlohmann::json::parse(admin("network test show --json").text);
  EXPECT_EQ(json["schema"], 1);
  EXPECT_EQ(json["document"]["version"], 5);
  EXPECT_EQ(json["document"]["mtu"], 1280);
  EXPECT_EQ(json["document"]["broadcast"], false);
  EXPECT_EQ(json["document"]["ttl"], 86400);
  EXPECT_EQ(json["lifetime"], 30 * 24 * 3600);
  EXPECT_NE(admin("network show").text.find("mtu          1280"), std::string::npos);
  refused("network set min-protocol 10", 2, "this wattle speaks protocol 9");
  refused("network set mtu 10", 2, "576");
  refused("network set mtu", 2, "set KEY VALUE");
  refused("network set colour red", 2, "colour");
  refused("network set broadcast maybe", 2, "yes or no");
  refused("network other show", 1, "no registry");
  refused("network frob", 2, "network [NET] show");
  EXPECT_EQ(parsed(http("document").body).version, 5u);  // what was refused changed nothing
}

TEST_F(Command, renames_flags_and_revokes_members) {
  start();
  Joiner alice;
  ASSERT_EQ(join(alice, invite("alice").token).status, 200);
  ASSERT_EQ(join(Joiner(), invite("bob").token).status, 200);
  refused("node rename alice bob", 1, "taken");
  refused("node rename alice Bob", 2, "not a node name");
  refused("node rename nobody carol", 1, "no member");
  refused("node rename alice", 2, "rename OLD NEW");
  refused("node relay alice maybe", 2, "on or off");
  refused("node relay nobody on", 1, "no member");
  refused("node revoke nobody", 1, "no member");
  ASSERT_EQ(admin("node test rename alice carol").code, 0) << admin_error();
  ASSERT_EQ(admin("node relay carol on").code, 0) << admin_error();
  EXPECT_EQ(node("carol")["state"], "renews");
  EXPECT_EQ(node("carol")["certified_name"], "alice");
  EXPECT_EQ(node("carol")["roles"], "relay");
  refused("invite alice", 1, "taken");  // her certificate still says so
  alice.csr = crypto::make_csr(alice.tls).value();
  const HttpAnswer renewed = renew(alice, 1);
  ASSERT_EQ(renewed.status, 200) << renewed.body;
  const Credential credential =
      decode_credential(parse_base64(renewed.json()["credential"].get<std::string>()).value())
          .value();
  EXPECT_EQ(credential.flags, kFlagRelay);
  EXPECT_EQ(node("carol")["state"], "member");
  EXPECT_EQ(node("carol")["serial"], credential.serial);
  ASSERT_EQ(admin("node revoke carol").code, 0) << admin_error();
  EXPECT_EQ(node("carol")["state"], "revoked");
  NetworkDocument document;
  for (int i = 0; i < 50 && document.revoked.empty(); ++i) {
    document = parsed(http("document").body);
    usleep(20000);
  }
  ASSERT_EQ(document.revoked.size(), 2u);  // both of her certificates
  EXPECT_EQ(document.revoked[1].serial, credential.serial);
  refused("node revoke carol", 1, "no member");
  EXPECT_EQ(admin("invite carol").code, 0) << admin_error();  // the name is free
  end(signer, SIGKILL);
  start_signer();  // and nothing of it is lost
  EXPECT_EQ(node("bob")["state"], "member");
  EXPECT_NE(admin("node list").text.find("revoked"), std::string::npos);
}

TEST_F(Command, is_roots_alone) {
  start();
  for (const char* line : {"node list", "node revoke x", "network set mtu 1300"}) {
    const Output out =
        shell("setpriv --reuid 65534 --regid 65534 --clear-groups " + program("wattle-registry") +
              " " + line + " --root " + folder.path() + " 2>&1");
    EXPECT_EQ(out.code, 77) << line;
  }
}

}  // namespace
}  // namespace wattle::test
