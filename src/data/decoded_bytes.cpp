#include "crossgrid/data/decoded_bytes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/file.hpp"
#include "crossgrid/data/mapped_file.hpp"

namespace crossgrid {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t small = std::size_t{4} << 20;
constexpr std::size_t slow = std::size_t{256} << 20;  ///< from here on the user is told

/// What a cache file begins with; its bytes follow.
struct Header {
  char magic[8] = {'C', 'G', 'B', 'Y', 'T', 'E', 'S', '1'};
  Id128 key;
  std::array<std::uint64_t, 4> shape{};
  std::uint64_t size = 0;
  Id128 hash;
};
static_assert(sizeof(Header) == 80 && sizeof(Header) % alignof(double) == 0, "no gaps, and numbers behind it aligned");

Error storage_error(const std::string& path, int error) {
  return Error(ExitCode::storage,
               fmt::format("{}: can't be written: {}; it holds decoded images and goes where XDG_CACHE_HOME says "
                           "(docs/data.md)",
                           path, error_text(error)));
}

/// The bytes of a cache file, or none where it is not whole or not of this key.
std::optional<DecodedBytes> open_cache(const std::string& path, const Id128& key) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return std::nullopt;
  auto file = std::make_shared<const MappedFile>(path);
  const auto bytes = file->bytes();
  Header header;
  if (bytes.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof header);
  const bool good = std::memcmp(header.magic, Header{}.magic, sizeof header.magic) == 0 && header.key == key &&
                    header.size == bytes.size() - sizeof header;
  if (!good) return std::nullopt;
  return DecodedBytes{header.shape, bytes.subspan(sizeof header), header.hash, file};
}

/// An exclusive lock, waited for. Its file goes away with it: who still waits then finds the finished cache.
class Lock {
 public:
  explicit Lock(std::string path)
      : path_(std::move(path)), file_(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    if (file_ < 0) throw storage_error(path_, errno);
    while (!(held_ = ::flock(file_, LOCK_EX) == 0) && errno == EINTR) {
    }
  }
  /// Some network file systems have no locks: the work may then be done twice, to the same end.
  bool held() const { return held_; }
  ~Lock() {
    ::unlink(path_.c_str());
    ::close(file_);
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  std::string path_;
  int file_;
  bool held_ = false;
};

/// A file of known size in memory, to be written and then to get its name; without that it goes away.
class NewFile {
 public:
  NewFile(std::string path, std::size_t size) : path_(std::move(path)), size_(size) {
    file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file_ < 0) throw storage_error(path_, errno);
    // Room is taken first: on a full disk a write to mapped memory would end the process.
    const int full = ::posix_fallocate(file_, 0, static_cast<off_t>(size));
    if (full != 0) fail(full);
    void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
    if (address == MAP_FAILED) fail(errno);
    bytes_ = {static_cast<std::uint8_t*>(address), size};
  }
  ~NewFile() { close(); }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  std::span<std::uint8_t> bytes() const { return bytes_; }
  void publish(const std::string& path) {
    if (::msync(bytes_.data(), size_, MS_SYNC) != 0 || ::fsync(file_) != 0 ||
        ::rename(path_.c_str(), path.c_str()) != 0) {
      throw storage_error(path_, errno);
    }
    published_ = true;
  }

 private:
  [[noreturn]] void fail(int error) {
    close();
    throw storage_error(path_, error);
  }
  void close() {
    if (!bytes_.empty()) ::munmap(bytes_.data(), size_);
    if (!published_) ::unlink(path_.c_str());
    ::close(file_);
  }

  std::string path_;
  std::size_t size_;
  int file_ = -1;
  std::span<std::uint8_t> bytes_;
  bool published_ = false;
};

/// Removes what earlier states of the same files left, and what processes that were killed did: all that begins alike.
void remove_older(const fs::path& folder, const std::string& beginning, const fs::path& but) {
  std::error_code ignored;
  std::vector<fs::path> old;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(beginning) && !name.ends_with(".lock") && entry.path() != but) old.push_back(entry.path());
  }
  for (const fs::path& path : old) fs::remove(path, ignored);
}

void make_cache(const std::string& path, const DecodingKey& key, const Id128& id, const Decoding& decoding) {
  if (decoding.size >= slow) {
    fmt::print(stderr, "decoding {} once, into {} ({} MiB)\n", key.what, path, decoding.size >> 20);
  }
  NewFile file(fmt::format("{}.{}", path, ::getpid()), sizeof(Header) + decoding.size);
  const auto out = file.bytes().subspan(sizeof(Header));
  decoding.fill(out);
  Header header;
  header.key = id;
  header.shape = decoding.shape;
  header.size = decoding.size;
  header.hash = hash_bytes(out.data(), out.size());
  std::memcpy(file.bytes().data(), &header, sizeof header);
  file.publish(path);
}

DecodedBytes in_memory(const Decoding& decoding) {
  auto bytes = std::make_shared<std::vector<std::uint8_t>>(decoding.size);
  decoding.fill(*bytes);
  return {decoding.shape, *bytes, hash_bytes(bytes->data(), bytes->size()), bytes};
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// Where cache files may lie, the first that can be written wins.
std::vector<std::string> folders() {
  std::vector<std::string> all;
  const std::string cache = variable("XDG_CACHE_HOME"), home = variable("HOME"), temporary = variable("TMPDIR");
  if (!cache.empty()) all.push_back(cache + "/crossgrid");
  if (!home.empty()) all.push_back(home + "/.cache/crossgrid");
  all.push_back(fmt::format("{}/crossgrid-{}", temporary.empty() ? "/tmp" : temporary, ::geteuid()));
  return all;
}

/// Where all users may write, another one could have made the folder.
bool is_own(const std::string& folder) {
  struct stat status {};
  return ::lstat(folder.c_str(), &status) == 0 && status.st_uid == ::geteuid();
}

std::string writable_folder() {
  for (const std::string& folder : folders()) {
    std::error_code failed;
    fs::create_directories(folder, failed);
    if (!failed && is_own(folder) && ::access(folder.c_str(), W_OK | X_OK) == 0) return folder;
  }
  throw Error(ExitCode::storage, fmt::format("decoded images can be kept in none of {}: set XDG_CACHE_HOME to a folder "
                                             "that can be written (docs/data.md)",
                                             fmt::join(folders(), ", ")));
}

}  // namespace

std::string file_state(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw input_error(path, "can't be read: " + error_text(errno));
  return fmt::format("{} {} {}.{:09}\n", fs::absolute(path).string(), status.st_size, status.st_mtim.tv_sec,
                     status.st_mtim.tv_nsec);
}

DecodingKey decoding_key(const std::string& how, const std::string& path) {
  return {how + " " + fs::absolute(path).string(), file_state(path)};
}

DecodedBytes decode_once(const DecodingKey& key, const std::function<Decoding()>& begin) {
  const Id128 id = hash_text(key.what + "\n" + key.state);
  const std::string beginning = hash_text(key.what).hex(), name = beginning + "-" + id.hex();
  for (const std::string& folder : folders()) {
    if (!is_own(folder)) continue;
    if (auto there = open_cache(folder + "/" + name, id)) return *there;
  }
  const Decoding decoding = begin();
  if (decoding.size <= small) return in_memory(decoding);
  const std::string folder = writable_folder(), path = folder + "/" + name;
  const Lock lock(folder + "/" + beginning + ".lock");
  if (auto there = open_cache(path, id)) return *there;  // another made it, meanwhile
  if (lock.held()) remove_older(folder, beginning, path);
  make_cache(path, key, id, decoding);
  if (auto made = open_cache(path, id)) return *made;
  throw storage_error(path, EIO);
}

}  // namespace crossgrid
