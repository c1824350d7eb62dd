// What the manual pages say of keys, base calls and lanes is what the code has.
#include <gtest/gtest.h>

#include "common/base/parse.h"
#include "common/ipc/key_link.h"
#include "common/ipc/meta_link.h"
#include "common/ipc/sign_link.h"
#include "common/ipc/tap_link.h"
#include "common/os/file.h"
#include "common/os/options.h"
#include "common/os/sandbox.h"

#include <seccomp.h>

namespace wattle {
namespace {

std::string page(const std::string& name) {
  return os::read_text(WATTLE_SOURCE_DIR "/man/" + name).value();
}

TEST(Manual, WattleConfListsEveryKeyAndNoOther) {
  std::vector<std::string> told;
  const std::string text = page("wattle.conf.5");
  for (const std::string_view line : split(text, '\n'))
    if (line.starts_with(".It Ic ")) told.emplace_back(line.substr(7));
  std::sort(told.begin(), told.end());
  const auto& known = os::known_file_keys();
  EXPECT_EQ(told, std::vector<std::string>(known.begin(), known.end()));
}

TEST(Manual, PrivsepListsEveryBaseCall) {
  const std::string text = page("wattle-privsep.7");
  const std::size_t begin = text.find("All daemons keep:");
  const std::size_t end = text.find("Each keeps further:");
  ASSERT_LT(begin, end);
  std::string part = text.substr(begin, end - begin);
  for (char& c : part)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_') c = ' ';
  part = " " + part + " ";
  for (const auto& call : os::base_calls()) {
    char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call.number);
    ASSERT_NE(name, nullptr);
    EXPECT_NE(part.find(" " + std::string(name) + " "), std::string::npos) << name;
    free(name);
  }
}

// The items of one list of wattle-ipc(7), in order: a message's id is its place.
std::vector<std::string> told_messages(const std::string& heading) {
  std::vector<std::string> out;
  bool on = false;
  const std::string text = page("wattle-ipc.7");
  for (const std::string_view line : split(text, '\n')) {
    if (line == heading + ":")
      on = true;
    else if (on && line == ".El")
      break;
    else if (on && line.starts_with(".It "))
      out.emplace_back(line.substr(4));
  }
  return out;
}

template <typename... Ms>
std::vector<std::string> names_of(std::type_identity<ipc::Lane<Ms...>>) {
  return {std::string(Ms::kName)...};
}

template <typename Lane>
void compare(const std::string& heading) {
  EXPECT_EQ(told_messages(heading), names_of(std::type_identity<Lane>())) << heading;
}

TEST(Manual, IpcListsEveryMessageInItsPlace) {
  compare<tap_link::ToCryptod>("Tapd to cryptod");
  compare<tap_link::ToTapd>("Cryptod to tapd");
  compare<key_link::ToCryptod>("Keyd to cryptod");
  compare<key_link::FromCryptod>("Cryptod to keyd");
  compare<key_link::ToMetad>("Keyd to metad");
  compare<key_link::FromMetad>("Metad to keyd");
  compare<meta_link::ToCryptod>("Metad to cryptod");
  compare<meta_link::ToMetad>("Cryptod to metad");
  compare<sign_link::FromRegistry>("Registry to signer");
  compare<sign_link::ToRegistry>("Signer to registry");
  compare<sign_link::FromAdmin>("Administrator to signer");
  compare<sign_link::ToAdmin>("Signer to administrator");
}

}  // namespace
}  // namespace wattle
