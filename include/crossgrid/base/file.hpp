#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// The only door of the journal and the database to the disk. One method is one system call, so that a test double can
/// fail the N-th call, or forget what was not synced; what may be interrupted or cut short is mended above it, once.
namespace crossgrid {

/// Outcome of a call: a count where it has one, and errno (0: success).
struct IoResult {
  std::int64_t value = 0;
  int error = 0;
  bool ok() const { return error == 0; }
};

/// An open file, closed by its destructor.
class File {
 public:
  virtual ~File() = default;
  /// Writes at the end (files are opened with O_APPEND); may write less than asked.
  virtual IoResult write(std::string_view bytes) = 0;
  /// Reads up to `size` bytes at `offset`; value 0 at the end of the file.
  virtual IoResult read(char* buffer, std::size_t size, std::uint64_t offset) = 0;
  virtual IoResult size() = 0;
  virtual IoResult truncate(std::uint64_t size) = 0;
  /// fdatasync. Once it has failed, what was written before must not be believed to be on the disk (Linux marks the
  /// pages clean, so that a second call "succeeds").
  virtual IoResult sync() = 0;
  /// Exclusive lock of the open file description, not waited for; EAGAIN: another holds it. The kernel frees it when
  /// the owner dies.
  virtual IoResult lock() = 0;
};

enum class OpenMode {
  read,    ///< must exist
  append,  ///< created where missing
  create   ///< created, or emptied
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  /// Fills `file` on success.
  virtual IoResult open(const std::string& path, OpenMode mode, std::unique_ptr<File>& file) = 0;
  virtual IoResult rename(const std::string& from, const std::string& to) = 0;
  virtual IoResult remove(const std::string& path) = 0;
  /// Makes created, renamed and removed names in `folder` durable.
  virtual IoResult sync_folder(const std::string& folder) = 0;
  /// Creates one folder; EEXIST where there is something of that name.
  virtual IoResult create_folder(const std::string& folder) = 0;
  /// Names in `folder`, sorted.
  virtual IoResult list(const std::string& folder, std::vector<std::string>& names) = 0;
};

/// The real disk.
FileSystem& posix_files();

/// The system's text for an errno ("No space left on device").
std::string error_text(int error);
/// ENOSPC or EDQUOT: waiting for room and writing again may help.
bool is_disk_full(int error);

/// Writes all bytes: goes on after interruptions and short writes. value: bytes that arrived, also on an error.
IoResult write_all(File& file, std::string_view bytes);
/// Reads until `size` bytes or the end of the file.
IoResult read_all(File& file, char* buffer, std::size_t size, std::uint64_t offset);
/// Calls that an interruption (EINTR) may end early, repeated until they say something else.
IoResult open_file(FileSystem& files, const std::string& path, OpenMode mode, std::unique_ptr<File>& file);
IoResult sync_file(File& file);
IoResult lock_file(File& file);
IoResult truncate_file(File& file, std::uint64_t size);
IoResult sync_folder(FileSystem& files, const std::string& folder);

/// The whole content of a file; Error(bad_input) with the path and the reason where it can't be read.
std::string read_text(FileSystem& files, const std::string& path);
/// Whether `path` can be opened for reading.
bool file_exists(FileSystem& files, const std::string& path);
/// Creates a folder with its parents and makes the new names durable; Error(storage) naming the one that failed.
void create_folders(FileSystem& files, const std::string& folder);

/// Replaces a file so that after a crash at any moment the old content or the whole new one is there: writes
/// `path`.tmp in the same folder piece by piece, syncs it, renames it, syncs the folder. Error(storage) on a failure;
/// the old content is then untouched.
class FileReplacement {
 public:
  FileReplacement(FileSystem& files, const std::string& path);
  FileReplacement(const FileReplacement&) = delete;
  FileReplacement& operator=(const FileReplacement&) = delete;
  ~FileReplacement();
  void write(std::string_view bytes);
  /// Makes the new content the file's. Without it the old one stays.
  void commit();

 private:
  void flush();

  FileSystem& files_;
  std::string path_;
  std::unique_ptr<File> file_;
  std::string buffer_;
};

void replace_file(FileSystem& files, const std::string& path, std::string_view text);

/// The folder part of a path ("." for a bare name).
std::string folder_of(const std::string& path);

}  // namespace crossgrid
