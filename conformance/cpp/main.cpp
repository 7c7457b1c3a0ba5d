// The commands of ../README.md, on one dump file; `script` runs many operations in one process.
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

#include "memtable.hpp"

namespace {

using memtable::Bytes;
using memtable::Entry;
using memtable::MemTable;

constexpr const char* kUsage = "usage: memtable new|put|del|get|iter|bulk|size|script PATH [KEY [VALUE] | N]";

Bytes to_hex(const Bytes& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  Bytes text;
  for (const unsigned char byte : bytes) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

int digit_of(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  throw std::invalid_argument("not hex");
}

// A word of a script: hex, or `-` for the empty string.
Bytes from_hex(const std::string& text) {
  if (text == "-") return {};
  if (text.size() % 2 != 0) throw std::invalid_argument("not hex");
  Bytes bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    bytes.push_back(static_cast<char>(digit_of(text[i]) * 16 + digit_of(text[i + 1])));
  }
  return bytes;
}

MemTable load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + " cannot be opened");
  const Bytes dump{std::istreambuf_iterator<char>(file), {}};
  try {
    return memtable::decode(dump);
  } catch (const memtable::DumpError& error) {
    throw std::runtime_error(path + ": " + error.what());
  }
}

// The path names what it named before, or all of the new dump.
void save(const std::string& path, const MemTable& table) {
  const std::string temporary = path + "." + std::to_string(getpid()) + ".tmp";
  std::ofstream file(temporary, std::ios::binary);
  file << memtable::encode(table);
  file.close();
  if (!file) throw std::runtime_error(temporary + " cannot be written");
  std::filesystem::rename(temporary, path);
}

void print_entry(const Entry* entry) {
  if (entry == nullptr) {
    std::cout << "absent\n";
  } else if (!*entry) {
    std::cout << "tombstone\n";
  } else {
    std::cout << "value: " << to_hex(**entry) << '\n';
  }
}

void print_all(const MemTable& table) {
  for (const auto& [key, entry] : table.entries()) {
    std::cout << (entry ? "V " : "T ") << to_hex(key);
    if (entry) std::cout << ' ' << to_hex(*entry);
    std::cout << '\n';
  }
}

void print_size(const MemTable& table) {
  std::cout << "entries=" << table.size() << " size_bytes=" << table.encoded_size() << '\n';
}

void bulk(const std::string& path, const std::string& text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos) throw std::invalid_argument(kUsage);
  const unsigned long count = std::stoul(text);
  MemTable table = std::filesystem::exists(path) ? load(path) : MemTable();
  for (unsigned long i = 0; i < count; i++) table.put("key" + std::to_string(i), "val" + std::to_string(i));
  save(path, table);
}

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> words;
  for (std::size_t begin = 0;;) {
    const std::size_t end = line.find(' ', begin);
    words.push_back(line.substr(begin, end - begin));
    if (end == std::string::npos) return words;
    begin = end + 1;
  }
}

void load_dump(MemTable& table, const Bytes& dump) {
  try {
    table = memtable::decode(dump);
    std::cout << "loaded " << table.size() << '\n';
  } catch (const memtable::DumpError& error) {
    std::cout << "refused: " << error.what() << '\n';
  }
}

void run_operation(MemTable& table, const std::vector<std::string>& words, std::ostream& dumps) {
  const std::string operation = words[0] + "/" + std::to_string(words.size() - 1);
  if (operation == "new/0") {
    table = MemTable();
  } else if (operation == "put/2") {
    table.put(from_hex(words[1]), from_hex(words[2]));
  } else if (operation == "del/1") {
    table.remove(from_hex(words[1]));
  } else if (operation == "get/1") {
    print_entry(table.get(from_hex(words[1])));
  } else if (operation == "iter/0") {
    print_all(table);
  } else if (operation == "size/0") {
    print_size(table);
  } else if (operation == "dump/0") {
    const Bytes dump = memtable::encode(table);
    dumps << dump;
    std::cout << "dump " << dump.size() << '\n';
  } else if (operation == "load/1") {
    load_dump(table, from_hex(words[1]));
  } else {
    throw std::invalid_argument("no operation: " + operation);
  }
}

void script(const std::string& path) {
  std::ofstream dumps(path, std::ios::binary);
  MemTable table;
  std::string line;
  for (int number = 1; std::getline(std::cin, line); number++) {
    try {
      if (!line.empty() && line[0] == '#') {
        std::cout << line << '\n';
      } else if (!line.empty()) {
        run_operation(table, split(line), dumps);
      }
    } catch (const std::invalid_argument& error) {
      throw std::runtime_error("line " + std::to_string(number) + ": " + error.what());
    }
  }
  dumps.close();
  if (!dumps) throw std::runtime_error(path + " cannot be written");
}

void run(const std::vector<std::string>& args) {
  const std::string command = args.empty() ? "" : args[0] + "/" + std::to_string(args.size() - 1);
  if (command == "new/1") {
    save(args[1], MemTable());
  } else if (command == "put/3") {
    MemTable table = load(args[1]);
    table.put(args[2], args[3]);
    save(args[1], table);
  } else if (command == "del/2") {
    MemTable table = load(args[1]);
    table.remove(args[2]);
    save(args[1], table);
  } else if (command == "get/2") {
    const MemTable table = load(args[1]);
    print_entry(table.get(args[2]));
  } else if (command == "iter/1") {
    print_all(load(args[1]));
  } else if (command == "bulk/2") {
    bulk(args[1], args[2]);
  } else if (command == "size/1") {
    print_size(load(args[1]));
  } else if (command == "script/1") {
    script(args[1]);
  } else {
    throw std::invalid_argument(kUsage);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  std::cin.tie(nullptr);
  try {
    run(std::vector<std::string>(argv + 1, argv + argc));
    return std::cout.flush() ? 0 : 1;
  } catch (const std::exception& error) {
    std::cout.flush();
    std::cerr << "memtable: " << error.what() << '\n';
    return 1;
  }
}
