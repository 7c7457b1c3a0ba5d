// Tests of memtable.hpp: prints what fails, and ends with status 1 if anything did.
#include "memtable.hpp"

#include <iostream>
#include <vector>

namespace {

using memtable::Bytes;
using memtable::Entry;
using memtable::MemTable;

int checks = 0;
int failures = 0;

#define CHECK(condition) check((condition), #condition, __LINE__)

void check(bool holds, const std::string& condition, int line) {
  checks++;
  if (holds) return;
  failures++;
  std::cerr << "memtable_test.cpp:" << line << ": " << condition << '\n';
}

// A literal with zero bytes in it.
template <std::size_t N>
Bytes bytes(const char (&literal)[N]) {
  return Bytes(literal, N - 1);
}

Bytes golden() {
  return bytes("MMT1\x02\0\0\0") + bytes("\x05\0\0\0\x05\0\0\0\0alphafirst") + bytes("\x04\0\0\0\0\0\0\0\x01") + "beta";
}

MemTable golden_table() {
  MemTable table;
  table.put("alpha", "first");
  table.put("beta", "second");
  table.remove("beta");
  return table;
}

// The golden dump with one byte changed.
Bytes changed(std::size_t offset, char byte) {
  Bytes dump = golden();
  dump[offset] = byte;
  return dump;
}

// Whether the dump is refused, at this offset and with these words in the message.
bool is_refused(const Bytes& dump, std::size_t offset, const std::string& reason) {
  try {
    memtable::decode(dump);
    return false;
  } catch (const memtable::DumpError& error) {
    return error.offset == offset && std::string(error.what()).find(reason) != std::string::npos;
  }
}

void a_table_is_encoded_as_the_contract_says() {
  CHECK(memtable::encode(golden_table()) == golden());
  CHECK(memtable::encode(MemTable()) == bytes("MMT1\0\0\0\0"));
}

void a_dump_is_decoded_to_the_table_that_it_came_from() {
  CHECK(memtable::decode(golden()).entries() == golden_table().entries());
  CHECK(memtable::decode(bytes("MMT1\0\0\0\0")).size() == 0);
}

void values_tombstones_and_absent_keys_are_told_apart() {
  MemTable table = golden_table();
  table.put("", "");
  table.remove("never put");
  CHECK(*table.get("alpha") == Entry("first"));
  CHECK(*table.get("") == Entry(""));
  CHECK(*table.get("beta") == std::nullopt);
  CHECK(*table.get("never put") == std::nullopt);
  CHECK(table.get("gamma") == nullptr);
  CHECK(table.size() == 4);
}

void keys_are_in_the_order_of_unsigned_bytes() {
  const std::vector<Bytes> sorted = {"", bytes("\0"), "a", bytes("a\0"), "\x7f", "\x80", "\xff"};
  MemTable table;
  for (auto key = sorted.rbegin(); key != sorted.rend(); ++key) table.put(*key, "");
  std::vector<Bytes> keys;
  for (const auto& [key, entry] : table.entries()) keys.push_back(key);
  CHECK(keys == sorted);
}

void the_size_is_known_without_encoding() {
  const std::vector<std::pair<Bytes, Bytes>> puts = {{"a", "1"}, {"b", "22"}, {"a", "333"}, {"a", ""}, {"", "4"}};
  MemTable table;
  for (const auto& [key, value] : puts) {
    table.put(key, value);
    CHECK(table.encoded_size() == memtable::encode(table).size());
  }
  table.remove("b");
  table.remove("c");
  CHECK(table.encoded_size() == memtable::encode(table).size());
}

void every_proper_prefix_of_a_dump_is_refused() {
  const Bytes dump = golden();
  for (std::size_t n = 0; n < dump.size(); n++) {
    const std::string reason = n < 8    ? "a dump of " + std::to_string(n) + " bytes is shorter"
                               : n < 27 ? "before the end of entry 1 of 2"
                                        : "before the end of entry 2 of 2";
    CHECK(is_refused(dump.substr(0, n), n, reason));
  }
}

void each_fault_is_refused_at_its_offset() {
  CHECK(is_refused(changed(0, 'N'), 0, "begins with MMT1"));
  CHECK(is_refused(changed(16, 2), 16, "entry 1 has the unknown type 2"));
  CHECK(is_refused(changed(16, 1), 12, "entry 1 is a tombstone with a value of 5 bytes"));
  CHECK(is_refused(changed(17, 'c'), 36, "the key of entry 2 does not sort"));
  CHECK(is_refused(changed(4, 1), 27, "bytes after the last entry"));
  CHECK(is_refused(golden() + bytes("\0"), 40, "bytes after the last entry"));
  CHECK(is_refused(changed(4, 3), 40, "before the end of entry 3 of 3"));
  const Bytes a = bytes("\x01\0\0\0\0\0\0\0\0a");
  CHECK(is_refused(bytes("MMT1\x02\0\0\0") + a + a, 27, "the key of entry 2"));
}

void a_length_is_not_trusted() {
  const Bytes dump = bytes("MMT1") + Bytes(12, '\xff') + bytes("\0");
  CHECK(is_refused(dump, 17, "before the end of entry 1 of 4294967295"));
}

}  // namespace

int main() {
  a_table_is_encoded_as_the_contract_says();
  a_dump_is_decoded_to_the_table_that_it_came_from();
  values_tombstones_and_absent_keys_are_told_apart();
  keys_are_in_the_order_of_unsigned_bytes();
  the_size_is_known_without_encoding();
  every_proper_prefix_of_a_dump_is_refused();
  each_fault_is_refused_at_its_offset();
  a_length_is_not_trusted();
  std::cout << checks << " checks, " << failures << " failures\n";
  return failures == 0 ? 0 : 1;
}
