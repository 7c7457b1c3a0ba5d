// leveldb-driver: LevelDB in C++ under the loads of bench/peers, without Node.js in between. It is compiled with LevelDB's own
// sources, which the npm package classic-level holds; this file is written for the benchmark. Keys and values come from a key
// file (bench/memtable/key-file.ts has the format). Prints one line of JSON, times in milliseconds.
//
//   leveldb-driver fill KEYFILE DIRECTORY BUFFER_BYTES CACHE_BYTES     every added key, a put each; then every present one is read
//   leveldb-driver flush KEYFILE DIRECTORY BUFFER_BYTES                every added key, then the MemTable to a table
//   leveldb-driver compact DIRECTORY                                   everything to the lowest level
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "db/db_impl.h"
#include "leveldb/cache.h"
#include "leveldb/db.h"
#include "leveldb/filter_policy.h"
#include "leveldb/value_sink.h"

namespace {

// As varve is by default: no compression, tables of 8 MiB, 4 KiB blocks, 10 filter bits.
leveldb::Options OptionsOf(size_t bufferBytes, size_t cacheBytes) {
  leveldb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = bufferBytes;
  options.max_file_size = 8 << 20;
  options.compression = leveldb::kNoCompression;
  options.filter_policy = leveldb::NewBloomFilterPolicy(10);
  if (cacheBytes > 0) options.block_cache = leveldb::NewLRUCache(cacheBytes);
  return options;
}

std::unique_ptr<leveldb::DB> Open(const leveldb::Options& options, const char* directory) {
  leveldb::DB* db = nullptr;
  const leveldb::Status status = leveldb::DB::Open(options, directory, &db);
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    std::exit(1);
  }
  return std::unique_ptr<leveldb::DB>(db);
}

double NowMs() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Keys of a key file: offsets, then bytes.
struct Keys {
  Keys(const char* at, uint32_t keys) : count(keys), offsets(reinterpret_cast<const uint32_t*>(at)), bytes(at + 4 * (keys + 1)) {}
  leveldb::Slice operator[](uint32_t i) const { return {bytes + offsets[i], offsets[i + 1] - offsets[i]}; }
  const char* end() const { return bytes + ((offsets[count] + 3) & ~3u); }

  uint32_t count;
  const uint32_t* offsets;
  const char* bytes;
};

struct KeyFile {
  explicit KeyFile(const std::string& file)
      : header(reinterpret_cast<const uint32_t*>(file.data())),
        pool(file.data() + 20),
        added(pool + size_t{header[3]} * header[4], header[0]),
        present(added.end(), header[1]) {}
  leveldb::Slice Value(uint32_t i) const {
    return {pool + size_t{static_cast<uint32_t>(i * 0x9e3779b1u) % header[3]} * header[4], header[4]};
  }

  const uint32_t* header;  // added, present, missing, values, bytes of a value
  const char* pool;
  Keys added;
  Keys present;
};

std::string ReadFile(const char* path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

double Fill(leveldb::DB* db, const KeyFile& file) {
  const double start = NowMs();
  const leveldb::WriteOptions options;
  for (uint32_t i = 0; i < file.added.count; i++) {
    const leveldb::Status status = db->Put(options, file.added[i], file.Value(i));
    if (!status.ok()) std::exit(1);
  }
  return NowMs() - start;
}

double Read(leveldb::DB* db, const KeyFile& file, uint32_t* found) {
  const double start = NowMs();
  const leveldb::ReadOptions options;
  std::string value;
  leveldb::StringValueSink sink(&value);  // classic-level's addition to LevelDB
  for (uint32_t i = 0; i < file.present.count; i++) *found += db->Get(options, file.present[i], &sink).ok() ? 1 : 0;
  return NowMs() - start;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  if (command == "compact" && argc == 3) {
    auto db = Open(OptionsOf(64 << 20, 0), argv[2]);
    const double start = NowMs();
    db->CompactRange(nullptr, nullptr);
    std::printf("{\"compactMs\":%.3f}\n", NowMs() - start);
    return 0;
  }
  if (argc < 5 || (command != "fill" && command != "flush")) return 2;
  const std::string bytes = ReadFile(argv[2]);
  const KeyFile file(bytes);
  auto db = Open(OptionsOf(std::atoll(argv[4]), argc > 5 ? std::atoll(argv[5]) : 0), argv[3]);
  const double fillMs = Fill(db.get(), file);
  auto* impl = static_cast<leveldb::DBImpl*>(db.get());
  const double start = NowMs();
  impl->TEST_CompactMemTable();
  const double flushMs = NowMs() - start;
  uint32_t found = 0;
  const double readMs = Read(db.get(), file, &found);
  std::printf("{\"fillMs\":%.3f,\"flushMs\":%.3f,\"readMs\":%.3f,\"found\":%u}\n", fillMs, flushMs, readMs, found);
}
