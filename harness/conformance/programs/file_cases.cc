// SPDX-License-Identifier: Apache-2.0
// Files of the working folder, which must be empty at the start.
#include <dirent.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include "harness/conformance/programs/say.h"

namespace {

using namespace say;

void size_of(const char* what, int fd) {
  struct stat s{};
  fstat(fd, &s);
  line("%s: size %lld", what, static_cast<long long>(s.st_size));
}

void basics() {
  int fd = open("one", O_CREAT | O_EXCL | O_RDWR, 0640);
  descriptor("create", fd);
  result("O_EXCL", open("one", O_CREAT | O_EXCL | O_RDWR, 0640));
  result("write", write(fd, "hello world", 11));
  result("seek", lseek(fd, 6, SEEK_SET));
  read_text("read", fd);
  read_text("at the end", fd);
  result("seek from the end", lseek(fd, -5, SEEK_END));
  result("seek before the start", lseek(fd, -1, SEEK_SET));
  result("pwrite", pwrite(fd, "W", 1, 6));
  char buffer[32] = {};
  result("pread", pread(fd, buffer, 5, 6));
  line("\"%s\", position %ld", buffer, static_cast<long>(lseek(fd, 0, SEEK_CUR)));
  result("pwrite beyond", pwrite(fd, "!", 1, 20));
  size_of("a hole", fd);
  result("truncate", ftruncate(fd, 5));
  size_of("truncated", fd);
  result("grow", ftruncate(fd, 8));
  memset(buffer, 'x', sizeof(buffer));
  result("pread", pread(fd, buffer, 8, 0));
  line("zeros come: %d", buffer[5] == 0 && buffer[7] == 0);
  result("fsync", fsync(fd));
  result("fdatasync", fdatasync(fd));
  close(fd);
  fd = open("one", O_WRONLY | O_APPEND);
  lseek(fd, 0, SEEK_SET);
  result("append", write(fd, "end", 3));
  size_of("appended", fd);
  result("read of a write-only one", read(fd, buffer, 1));
  close(fd);
  fd = open("one", O_RDONLY);
  result("write of a read-only one", write(fd, "x", 1));
  close(fd);
  fd = open("one", O_RDWR | O_TRUNC);
  size_of("O_TRUNC", fd);
  iovec out[2] = {{const_cast<char*>("ab"), 2}, {const_cast<char*>("cd"), 2}};
  result("writev", writev(fd, out, 2));
  const int copy = dup(fd);
  result("a copy shares the position", lseek(copy, 0, SEEK_CUR));
  close(copy), close(fd);
  result("open of a missing one", open("missing", O_RDONLY));
  result("open below a missing folder", open("no/file", O_CREAT | O_RDWR, 0600));
  result("open below a file", open("one/file", O_RDONLY));
  result("a folder for writing", open(".", O_RDWR));
  result("access", access("one", R_OK | W_OK));
  result("access of a missing one", access("missing", F_OK));
  result("truncate by name", truncate("one", 1));
}

void names() {
  close(open("from", O_CREAT | O_RDWR, 0600));
  const int fd = open("to", O_CREAT | O_RDWR, 0600);
  write(fd, "old", 3);
  result("rename over", rename("from", "to"));
  result("the name is gone", access("from", F_OK));
  size_of("the replaced one lives while open", fd);
  close(fd);
  result("rename of a missing one", rename("from", "to"));
  result("mkdir", mkdir("folder", 0755));
  result("mkdir twice", mkdir("folder", 0755));
  close(open("folder/inside", O_CREAT | O_RDWR, 0600));
  result("rmdir of a full one", rmdir("folder"));
  result("unlink of a folder", unlink("folder"));
  const int inside = open("folder/inside", O_RDWR);
  result("unlink", unlink("folder/inside"));
  result("unlinked but open", write(inside, "x", 1));
  close(inside);
  result("rmdir", rmdir("folder"));
  result("link", link("to", "second"));
  struct stat a{}, b{};
  stat("to", &a);
  stat("second", &b);
  line("same file: %d, links %d", a.st_ino == b.st_ino && a.st_dev == b.st_dev,
       static_cast<int>(a.st_nlink));
  result("symlink", symlink("to", "pointer"));
  char text[32] = {};
  result("readlink", readlink("pointer", text, sizeof(text)));
  line("-> %s", text);
  lstat("pointer", &a);
  line("lstat sees the link: %d", S_ISLNK(a.st_mode));
  stat("pointer", &a);
  line("stat sees the file: %d", S_ISREG(a.st_mode) && a.st_ino == b.st_ino);
  result("readlink of a file", readlink("to", text, sizeof(text)));
}

void folders() {
  mkdir("many", 0755);
  for (const char* name : {"many/b", "many/a", "many/c", "many/.hidden"})
    close(open(name, O_CREAT | O_RDWR, 0600));
  mkdir("many/sub", 0755);
  std::vector<std::string> seen;
  DIR* d = opendir("many");
  while (const dirent* e = readdir(d))
    seen.push_back(std::string(e->d_name) + (e->d_type == DT_DIR ? "/" : ""));
  line("entries %zu", seen.size());
  rewinddir(d);
  size_t again = 0;
  while (readdir(d) != nullptr)
    ++again;
  line("again %zu", again);
  closedir(d);
  std::sort(seen.begin(), seen.end());
  for (const std::string& s : seen)
    line("  %s", s.c_str());
  result("opendir of a file", opendir("many/a") == nullptr ? -1 : 0);
  result("chdir", chdir("many"));
  result("the file is here", access("a", F_OK));
  char text[4096] = {};
  line("getcwd ends in /many: %d", std::string(getcwd(text, sizeof(text))).ends_with("/many"));
  const int here = open(".", O_RDONLY | O_DIRECTORY);
  result("chdir back", chdir(".."));
  const int through = openat(here, "a", O_RDWR);
  descriptor("openat", through);
  result("unlinkat", unlinkat(here, "b", 0));
  result("b is gone", faccessat(here, "b", F_OK, 0));
  close(here), close(through);
  line("remove_all %d", static_cast<int>(std::filesystem::remove_all("many")));
}

void stats() {
  umask(027);
  const int fd = open("moded", O_CREAT | O_RDWR, 0666);
  struct stat s{};
  fstat(fd, &s);
  line("mode %o links %d regular %d", s.st_mode & 07777, static_cast<int>(s.st_nlink),
       S_ISREG(s.st_mode));
  line("own uid %d own gid %d", s.st_uid == geteuid(), s.st_gid == getegid());
  result("fchmod", fchmod(fd, 0600));
  fstat(fd, &s);
  line("mode %o", s.st_mode & 07777);
  struct stat t{};
  stat("one", &t);
  line("different numbers: %d", s.st_ino != t.st_ino);
  timespec now{};
  const auto before = s.st_mtim;
  usleep(20'000);
  write(fd, "x", 1);
  fstat(fd, &s);
  clock_gettime(CLOCK_REALTIME, &now);
  line("written later: %d, not in the future: %d",
       s.st_mtim.tv_sec > before.tv_sec ||
           (s.st_mtim.tv_sec == before.tv_sec && s.st_mtim.tv_nsec > before.tv_nsec),
       s.st_mtim.tv_sec < now.tv_sec ||
           (s.st_mtim.tv_sec == now.tv_sec && s.st_mtim.tv_nsec <= now.tv_nsec));
  close(fd);
  line("umask was %o", umask(022));
  result("stat of a missing one", stat("missing", &s));
  stat(".", &s);
  line("a folder: %d", S_ISDIR(s.st_mode));
}

void locks() {
  const int a = open("locked", O_CREAT | O_RDWR, 0600), b = open("locked", O_RDWR);
  struct flock l{};
  l.l_type = F_WRLCK;
  l.l_len = 10;
  result("F_SETLK", fcntl(a, F_SETLK, &l));
  result("the same process through another descriptor", fcntl(b, F_SETLK, &l));
  struct flock ask = l;
  result("F_GETLK", fcntl(b, F_GETLK, &ask));
  line("own locks do not count: %d", ask.l_type == F_UNLCK);
  // Locks of open file descriptions do not belong to the process.
  struct flock mine{};
  mine.l_type = F_WRLCK;
  mine.l_start = 100;
  mine.l_len = 10;
  result("F_OFD_SETLK", fcntl(a, F_OFD_SETLK, &mine));
  mine.l_pid = 0;
  result("F_OFD_SETLK of the other", fcntl(b, F_OFD_SETLK, &mine));
  mine.l_start = 105;
  mine.l_type = F_RDLCK;
  result("overlapping", fcntl(b, F_OFD_SETLK, &mine));
  mine.l_start = 110;
  result("beside it", fcntl(b, F_OFD_SETLK, &mine));
  result("flock", flock(a, LOCK_EX | LOCK_NB));
  result("flock of the other", flock(b, LOCK_EX | LOCK_NB));
  result("flock undone", flock(a, LOCK_UN));
  result("flock of the other", flock(b, LOCK_SH | LOCK_NB));
  result("shared", flock(a, LOCK_SH | LOCK_NB));
  l.l_type = F_UNLCK;
  result("unlock", fcntl(a, F_SETLK, &l));
  const int r = open("locked", O_RDONLY);
  l.l_type = F_WRLCK;
  result("a write lock of a read-only one", fcntl(r, F_SETLK, &l));
  close(a), close(b), close(r);
}

void maps() {
  const int fd = open("mapped", O_CREAT | O_RDWR, 0600);
  ftruncate(fd, 8192);
  char* shared = static_cast<char*>(mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  char* own = static_cast<char*>(mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
  memcpy(shared + 4096, "through the map", 15);
  char text[32] = {};
  result("pread", pread(fd, text, 15, 4096));
  line("%s", text);
  pwrite(fd, "W", 1, 4096);
  line("seen in both: %c %c", shared[4096], own[4096]);
  own[4096] = 'P';
  line("private stays private: %c", shared[4096]);
  result("msync", msync(shared, 8192, MS_SYNC));
  result("munmap", munmap(shared, 8192));
  munmap(own, 8192);
  result("map of a pipe end", [] {
    int ends[2];
    pipe(ends);
    const long r = mmap(nullptr, 4096, PROT_READ, MAP_SHARED, ends[0], 0) == MAP_FAILED ? -1 : 0;
    const int e = errno;
    close(ends[0]), close(ends[1]);
    errno = e;
    return r;
  }());
  result("map of a closed one",
         mmap(nullptr, 4096, PROT_READ, MAP_SHARED, 999, 0) == MAP_FAILED ? -1 : 0);
  close(fd);
}

void devices() {
  const int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR),
            full = open("/dev/full", O_RDWR);
  char buffer[8] = "abcdefg";
  result("read of null", read(null, buffer, 8));
  result("write to null", write(null, buffer, 8));
  result("read of zero", read(zero, buffer, 8));
  line("zeros: %d", buffer[0] == 0 && buffer[7] == 0);
  result("write to full", write(full, buffer, 8));
  close(null), close(zero), close(full);
}

void streams() {
  {
    std::ofstream out("stream");
    for (int i = 0; i < 5000; ++i)
      out << "line " << i << "\n";
  }
  std::ifstream in("stream");
  std::string text;
  int n = 0;
  while (std::getline(in, text))
    n += text == "line " + std::to_string(n);
  line("lines %d, size %ju", n, std::filesystem::file_size("stream"));
  FILE* f = fopen("stream", "r+");
  fseek(f, 5, SEEK_SET);
  fputc('X', f);
  fclose(f);
  f = fopen("stream", "r");
  char first[16] = {};
  fgets(first, sizeof(first), f);
  fclose(f);
  line("%s", std::string(first, 6).c_str());
  std::filesystem::copy_file("stream", "copied");
  line("copied %d", std::filesystem::file_size("copied") == std::filesystem::file_size("stream"));
}

}  // namespace

int main(int argc, char** argv) {
  struct Named {
    const char* name;
    void (*run)();
  };
  const Named cases[] = {{"basics", basics},   {"names", names},    {"folders", folders},
                         {"stats", stats},     {"locks", locks},    {"maps", maps},
                         {"devices", devices}, {"streams", streams}};
  for (const Named& c : cases) {
    if (argc > 1 && strcmp(argv[1], c.name) != 0) continue;
    line("-- %s", c.name);
    c.run();
  }
}
