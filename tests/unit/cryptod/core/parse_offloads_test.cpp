#include "cryptod/core/parse_offloads.h"

#include <gtest/gtest.h>

namespace wattle::cryptod {
namespace {

// "csum tso" and so on, in the order of the declaration.
std::string words_of(const Offloads& o) {
  std::string out;
  const auto add = [&](bool on, const char* word) {
    if (on) out += (out.empty() ? "" : " ") + std::string(word);
  };
  add(o.csum, "csum");
  add(o.tso, "tso");
  add(o.uso, "uso");
  add(o.gso, "gso");
  add(o.gro, "gro");
  return out;
}

TEST(ParseOffloads, Takes) {
  const struct {
    const char *text, *words;
  } kTable[] = {
      {"all", "csum tso uso gso gro"},
      {"none", ""},
      {"csum", "csum"},
      {"gso", "gso"},
      {"gro", "gro"},
      {"csum,tso", "csum tso"},
      {"tso,csum", "csum tso"},
      {"csum,uso", "csum uso"},
      {"gro,gso", "gso gro"},
      {"csum,tso,uso,gso,gro", "csum tso uso gso gro"},
      {"csum, tso ,\tgro", "csum tso gro"},
  };
  for (const auto& row : kTable) {
    const auto read = parse_offloads(row.text);
    ASSERT_TRUE(read) << row.text << ": " << read.error().text();
    EXPECT_EQ(words_of(*read), row.words) << row.text;
  }
  EXPECT_EQ(words_of(Offloads{}), "csum tso uso gso gro");  // the default
}

TEST(ParseOffloads, RefusesTheRestAndSaysWhatIsAllowed) {
  constexpr const char* kAllowed =
      "needs all, none or some of csum, tso, uso, gso and gro with commas between them";
  const struct {
    const char *text, *rule;
  } kTable[] = {
      {"", ", not \"\""},
      {" ", ", not \" \""},
      {",", ", not \",\""},
      {"csum,", ", not \"csum,\""},
      {",csum", ", not \",csum\""},
      {"csum,,gso", ", not \"csum,,gso\""},
      {"csum gso", ", not \"csum gso\""},
      {"yes", ", not \"yes\""},
      {"ALL", ", not \"ALL\""},
      {"all,none", ", not \"all,none\""},
      {"all,gso", ", not \"all,gso\""},
      {"gso,none", ", not \"gso,none\""},
      {"csum,tso6", ", not \"csum,tso6\""},
      {"gso,gso", ", each once, not \"gso,gso\""},
      {"csum,gro, csum", ", each once, not \"csum,gro, csum\""},
      {"tso", ", and csum where tso is, not \"tso\""},
      {"tso,gso,gro", ", and csum where tso is, not \"tso,gso,gro\""},
      {"uso", ", and csum where uso is, not \"uso\""},
  };
  for (const auto& row : kTable) {
    const auto read = parse_offloads(row.text);
    ASSERT_FALSE(read) << row.text;
    EXPECT_EQ(read.error().code, Errc::Config);
    EXPECT_EQ(read.error().text(), std::string(kAllowed) + row.rule);
  }
  // A word of any length costs one line.
  EXPECT_LT(parse_offloads(std::string(5000, 'x')).error().text().size(), 200u);
}

}  // namespace
}  // namespace wattle::cryptod
