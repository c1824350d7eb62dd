#include "registry/core/backup_manifest.h"
#include "registry/core/journal_chain.h"
#include "registry/core/prefix_pool.h"

#include <gtest/gtest.h>

#include "common/base/parse.h"

namespace wattle::test {
namespace {

using namespace registry;

BackupManifest manifest() {
  BackupManifest out;
  out.network = "home";
  out.id = {1, 2, 3};
  out.time = {1790000000};
  out.entries = 57;
  out.head = {9};
  for (const BackupFile& file : kBackupFiles) out.files[file.name] = {7};
  return out;
}

TEST(BackupManifest, is_read_as_it_was_written) {
  const auto read = parse_backup_manifest(build_backup_manifest(manifest()));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->network, "home");
  EXPECT_EQ(read->id, manifest().id);
  EXPECT_EQ(read->entries, 57u);
  EXPECT_EQ(read->head, manifest().head);
  EXPECT_EQ(read->files, manifest().files);
}

TEST(BackupManifest, may_be_without_the_database_only) {
  for (const BackupFile& file : kBackupFiles) {
    BackupManifest m = manifest();
    m.files.erase(file.name);
    EXPECT_EQ(parse_backup_manifest(build_backup_manifest(m)).has_value(), !file.needed)
        << file.name;
  }
}

TEST(BackupManifest, refuses_what_it_does_not_know) {
  const std::string text = build_backup_manifest(manifest());
  const std::string more[] = {"file /etc/passwd ", "file ../journal ", "file journal ", "file  "};
  for (const std::string& line : more)
    EXPECT_FALSE(parse_backup_manifest(text + line + std::string(64, 'a') + "\n")) << line;
  EXPECT_FALSE(parse_backup_manifest(text + "more 1\n"));
  EXPECT_FALSE(parse_backup_manifest("wattle-backup 2\n" + text.substr(text.find('\n') + 1)));
  const std::size_t database = text.find("file registry.db");
  for (std::size_t size = 0; size < text.size(); ++size) {
    const bool is_whole = size == database;
    EXPECT_EQ(parse_backup_manifest(std::string_view(text).substr(0, size)).has_value(), is_whole)
        << size;
  }
}

Bytes journal(std::size_t entries, UnixTime time = {1}) {
  Bytes out;
  crypto::Hash last{};
  for (std::size_t i = 0; i < entries; ++i) {
    Entry entry;
    entry.sequence = i;
    entry.time = time;
    entry.previous = last;
    entry.body = DocumentEntry{"text " + std::to_string(i)};
    const Bytes bytes = build_entry(entry);
    last = entry.hash;
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  return out;
}

TEST(JournalChain, is_walked_to_its_end_or_to_what_is_torn_or_damaged) {
  const Bytes whole = journal(5);
  const std::size_t four = journal(4).size();
  for (std::size_t size = four; size <= whole.size(); ++size) {
    const JournalChain chain = walk_journal(ByteView(whole).first(size));
    const bool all = size == whole.size();
    EXPECT_EQ(chain.entries, all ? 5u : 4u);
    EXPECT_EQ(chain.end, all ? whole.size() : four);
    EXPECT_EQ(chain.tail, all || size == four ? Tail::Clean : Tail::Torn);
  }
  Bytes damaged = whole;
  damaged[four - 40] ^= 1;
  const JournalChain chain = walk_journal(damaged);
  EXPECT_EQ(chain.entries, 3u);
  EXPECT_EQ(chain.tail, Tail::Damaged);
}

TEST(JournalChain, two_of_one_network_are_compared) {
  const Bytes three = journal(3);
  const Bytes five = journal(5);
  EXPECT_EQ(compare_journals(three, three), Lineage::Same);
  EXPECT_EQ(compare_journals(five, three), Lineage::FirstLonger);
  EXPECT_EQ(compare_journals(three, five), Lineage::SecondLonger);
  Bytes other = five;
  other[three.size() + 90] ^= 1;
  EXPECT_EQ(compare_journals(other, five), Lineage::Parted);
}

// Against the definition, in a pool of 6 bits.
TEST(PrefixPool, sets_aside_everything_up_to_a_position) {
  const auto bits_of = [](unsigned value, std::size_t size) {
    std::string out;
    for (std::size_t i = size; i-- > 0;) out.push_back((value >> i & 1) != 0 ? '1' : '0');
    return out;
  };
  for (unsigned last = 0; last < 64; ++last) {
    PrefixPool pool(6);
    ASSERT_TRUE(pool.mark("1010"));
    pool.set_aside(bits_of(last, 6));
    for (std::size_t size = 1; size <= 6; ++size) {
      for (unsigned value = 0; value < 1u << size; ++value) {
        const unsigned first = value << (6 - size);
        const unsigned end = first + (1u << (6 - size)) - 1;
        const bool free = first > last && (end < 40 || first > 43);
        EXPECT_EQ(pool.is_free(bits_of(value, size)), free) << last << " " << bits_of(value, size);
      }
    }
  }
}

TEST(PrefixPool, ipv4_goes_on_above_what_is_set_aside) {
  const IpPrefix block = IpPrefix::parse("10.0.0.0/29").value();
  const auto ip = [](const char* text) { return IpAddress::parse(text).value(); };
  EXPECT_EQ(lowest_free_ipv4(block, {ip("10.0.0.5")}, ip("10.0.0.4")).value(), ip("10.0.0.6"));
  EXPECT_FALSE(lowest_free_ipv4(block, {}, ip("10.0.0.6")));
}

}  // namespace
}  // namespace wattle::test
