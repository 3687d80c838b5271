#include "crossgrid/base/file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "crossgrid/base/error.hpp"

namespace crossgrid {

namespace {

constexpr std::size_t buffer_bytes = std::size_t{1} << 20;
/// A call that was interrupted this often in a row is given up.
constexpr int most_interruptions = 1000;

IoResult outcome(std::int64_t value) {
  return value < 0 ? IoResult{0, errno} : IoResult{value, 0};
}

class PosixFile : public File {
 public:
  explicit PosixFile(int descriptor) : descriptor_(descriptor) {}
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;
  ~PosixFile() override { ::close(descriptor_); }

  IoResult write(std::string_view bytes) override { return outcome(::write(descriptor_, bytes.data(), bytes.size())); }
  IoResult read(char* buffer, std::size_t size, std::uint64_t offset) override {
    return outcome(::pread(descriptor_, buffer, size, static_cast<off_t>(offset)));
  }
  IoResult size() override {
    struct stat status {};
    const IoResult result = outcome(::fstat(descriptor_, &status));
    return result.ok() ? IoResult{status.st_size, 0} : result;
  }
  IoResult truncate(std::uint64_t size) override { return outcome(::ftruncate(descriptor_, static_cast<off_t>(size))); }
  IoResult sync() override { return outcome(::fdatasync(descriptor_)); }
  IoResult lock() override {
    struct flock whole {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    IoResult result = outcome(::fcntl(descriptor_, F_OFD_SETLK, &whole));
    if (result.error == EACCES) result.error = EAGAIN;
    return result;
  }

 private:
  int descriptor_;
};

int open_flags(OpenMode mode) {
  switch (mode) {
    case OpenMode::read:
      return O_RDONLY;
    case OpenMode::append:
      return O_RDWR | O_CREAT | O_APPEND;
    case OpenMode::create:
      return O_RDWR | O_CREAT | O_APPEND | O_TRUNC;
  }
  return O_RDONLY;
}

class PosixFileSystem : public FileSystem {
 public:
  IoResult open(const std::string& path, OpenMode mode, std::unique_ptr<File>& file) override {
    const int descriptor = ::open(path.c_str(), open_flags(mode) | O_CLOEXEC, 0666);
    if (descriptor < 0) return {0, errno};
    file = std::make_unique<PosixFile>(descriptor);
    return {};
  }
  IoResult rename(const std::string& from, const std::string& to) override {
    return outcome(::rename(from.c_str(), to.c_str()));
  }
  IoResult remove(const std::string& path) override { return outcome(::unlink(path.c_str())); }
  IoResult sync_folder(const std::string& folder) override {
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return {0, errno};
    const IoResult result = outcome(::fsync(descriptor));
    ::close(descriptor);
    // Some file systems can't sync folders and say so; there is no other way to ask them.
    return result.error == EINVAL ? IoResult{} : result;
  }
  IoResult create_folder(const std::string& folder) override { return outcome(::mkdir(folder.c_str(), 0777)); }
  IoResult list(const std::string& folder, std::vector<std::string>& names) override {
    names.clear();
    DIR* handle = ::opendir(folder.c_str());
    if (handle == nullptr) return {0, errno};
    errno = 0;
    while (const dirent* entry = ::readdir(handle)) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(name);
    }
    const IoResult result{0, errno};
    ::closedir(handle);
    std::sort(names.begin(), names.end());
    return result;
  }
};

template <typename Call>
IoResult uninterrupted(Call call) {
  IoResult result = call();
  for (int i = 0; result.error == EINTR && i < most_interruptions; ++i) result = call();
  return result;
}

Error storage_error(const std::string& path, const std::string& what, int error) {
  return Error(ExitCode::storage, fmt::format("{}: can't {}: {}", path, what, error_text(error)));
}

}  // namespace

FileSystem& posix_files() {
  static PosixFileSystem files;
  return files;
}

std::string error_text(int error) {
  return std::generic_category().message(error);
}

bool is_disk_full(int error) {
  return error == ENOSPC || error == EDQUOT;
}

IoResult write_all(File& file, std::string_view bytes) {
  IoResult total;
  int idle = 0;  // calls in a row that moved nothing
  while (static_cast<std::size_t>(total.value) < bytes.size()) {
    const IoResult step = file.write(bytes.substr(static_cast<std::size_t>(total.value)));
    if (!step.ok() && step.error != EINTR) return {total.value, step.error};
    idle = step.ok() && step.value > 0 ? 0 : idle + 1;
    if (idle > most_interruptions) return {total.value, step.ok() ? EIO : step.error};
    total.value += step.value;
  }
  return total;
}

IoResult read_all(File& file, char* buffer, std::size_t size, std::uint64_t offset) {
  IoResult total;
  while (static_cast<std::size_t>(total.value) < size) {
    const auto done = static_cast<std::size_t>(total.value);
    const IoResult step = uninterrupted([&] { return file.read(buffer + done, size - done, offset + done); });
    if (!step.ok()) return {total.value, step.error};
    if (step.value == 0) break;
    total.value += step.value;
  }
  return total;
}

IoResult open_file(FileSystem& files, const std::string& path, OpenMode mode, std::unique_ptr<File>& file) {
  return uninterrupted([&] { return files.open(path, mode, file); });
}

IoResult sync_file(File& file) {
  return uninterrupted([&] { return file.sync(); });
}

IoResult lock_file(File& file) {
  return uninterrupted([&] { return file.lock(); });
}

IoResult truncate_file(File& file, std::uint64_t size) {
  return uninterrupted([&] { return file.truncate(size); });
}

IoResult sync_folder(FileSystem& files, const std::string& folder) {
  return uninterrupted([&] { return files.sync_folder(folder); });
}

std::string read_text(FileSystem& files, const std::string& path) {
  std::unique_ptr<File> file;
  IoResult result = open_file(files, path, OpenMode::read, file);
  std::string text;
  while (result.ok()) {
    const std::size_t before = text.size();
    text.resize(before + buffer_bytes);
    result = read_all(*file, text.data() + before, buffer_bytes, before);
    text.resize(before + static_cast<std::size_t>(result.value));
    if (result.ok() && static_cast<std::size_t>(result.value) < buffer_bytes) return text;
  }
  throw input_error(path, "can't read it: " + error_text(result.error));
}

bool file_exists(FileSystem& files, const std::string& path) {
  std::unique_ptr<File> file;
  return open_file(files, path, OpenMode::read, file).ok();
}

void create_folders(FileSystem& files, const std::string& folder) {
  const IoResult created = uninterrupted([&] { return files.create_folder(folder); });
  if (created.error == EEXIST) return;
  const std::string parent = folder_of(folder);
  if (created.error == ENOENT && parent != folder) {
    create_folders(files, parent);
    const IoResult again = uninterrupted([&] { return files.create_folder(folder); });
    if (!again.ok() && again.error != EEXIST) throw storage_error(folder, "create the folder", again.error);
  } else if (!created.ok()) {
    throw storage_error(folder, "create the folder", created.error);
  }
  const IoResult synced = sync_folder(files, parent);
  if (!synced.ok()) throw storage_error(parent, "sync the folder", synced.error);
}

FileReplacement::FileReplacement(FileSystem& files, const std::string& path) : files_(files), path_(path) {
  const IoResult opened = open_file(files_, path_ + ".tmp", OpenMode::create, file_);
  if (!opened.ok()) throw storage_error(path_ + ".tmp", "create it", opened.error);
}

FileReplacement::~FileReplacement() {
  if (file_ == nullptr) return;
  file_.reset();
  files_.remove(path_ + ".tmp");
}

void FileReplacement::write(std::string_view bytes) {
  buffer_ += bytes;
  if (buffer_.size() >= buffer_bytes) flush();
}

void FileReplacement::flush() {
  const IoResult written = write_all(*file_, buffer_);
  if (!written.ok()) throw storage_error(path_ + ".tmp", "write it", written.error);
  buffer_.clear();
}

void FileReplacement::commit() {
  flush();
  const IoResult synced = sync_file(*file_);
  if (!synced.ok()) throw storage_error(path_ + ".tmp", "sync it", synced.error);
  const IoResult renamed = uninterrupted([&] { return files_.rename(path_ + ".tmp", path_); });
  if (!renamed.ok()) throw storage_error(path_, "replace it by the new one", renamed.error);
  file_.reset();
  const std::string folder = folder_of(path_);
  const IoResult folder_synced = sync_folder(files_, folder);
  if (!folder_synced.ok()) throw storage_error(folder, "sync the folder", folder_synced.error);
}

void replace_file(FileSystem& files, const std::string& path, std::string_view text) {
  FileReplacement replacement(files, path);
  replacement.write(text);
  replacement.commit();
}

std::string folder_of(const std::string& path) {
  std::size_t end = path.find_last_not_of('/');
  if (end == std::string::npos) return path.empty() ? "." : "/";
  end = path.rfind('/', end);
  if (end == std::string::npos) return ".";
  const std::size_t last = path.find_last_not_of('/', end);
  return last == std::string::npos ? "/" : path.substr(0, last + 1);
}

}  // namespace crossgrid
