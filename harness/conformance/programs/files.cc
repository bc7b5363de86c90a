// SPDX-License-Identifier: Apache-2.0
// Files in the program's own folder (its working folder): what Linux fixes about them.
#include <dirent.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <algorithm>
#include <vector>

#include "harness/conformance/programs/say.h"

using namespace say;

namespace {

void list(const char* folder) {
  std::vector<std::string> names;
  DIR* d = opendir(folder);
  if (d == nullptr) return show("opendir", -1);
  while (const dirent* e = readdir(d))
    if (e->d_name[0] != '.')
      names.push_back(std::string(e->d_name) + (e->d_type == DT_DIR ? "/" : ""));
  closedir(d);
  std::sort(names.begin(), names.end());
  printf("%s:", folder);
  for (const std::string& name : names)
    printf(" %s", name.c_str());
  printf("\n");
}

void basics() {
  printf("# reading and writing\n");
  show("open what is not there", open("a", O_RDONLY));
  int fd = open("a", O_RDWR | O_CREAT | O_EXCL, 0640);
  show("open", fd);
  show("create again", open("a", O_RDWR | O_CREAT | O_EXCL, 0640));
  show("write", write(fd, "0123456789", 10));
  show("lseek", lseek(fd, 4, SEEK_SET));
  char b[32] = {};
  show("read", read(fd, b, 3));
  printf("%s\n", b);
  show("pread", pread(fd, b, 32, 7));
  show("pwrite", pwrite(fd, "xy", 2, 20));
  show("end", lseek(fd, 0, SEEK_END));
  show("ftruncate", ftruncate(fd, 5));
  struct stat s{};
  show("fstat", fstat(fd, &s));
  printf("size %ld, mode %o, links %lu\n", s.st_size, s.st_mode, s.st_nlink);
  struct stat again{};
  stat("a", &again);
  printf("one file: %d\n", s.st_ino == again.st_ino && s.st_dev == again.st_dev);
  show("fsync", fsync(fd));
  show("fdatasync", fdatasync(fd));
  show("lseek before the start", lseek(fd, -1, SEEK_SET));
  close(fd);
  fd = open("a", O_RDONLY);
  show("write to a reader", write(fd, "x", 1));
  close(fd);
  fd = open("a", O_WRONLY | O_APPEND);
  show("append", write(fd, "tail", 4));
  show("read from a writer", read(fd, b, 1));
  close(fd);
  stat("a", &s);
  printf("size %ld\n", s.st_size);
}

void names() {
  printf("# names\n");
  show("mkdir", mkdir("d", 0755));
  show("mkdir again", mkdir("d", 0755));
  show("mkdir -p", mkdir("d/e", 0755));
  show("rename", rename("a", "d/b"));
  show("access", access("d/b", R_OK));
  show("access", access("a", F_OK));
  list(".");
  list("d");
  show("rmdir, not empty", rmdir("d"));
  show("unlink a folder", unlink("d"));
  show("link", link("d/b", "c"));
  struct stat s{};
  stat("c", &s);
  printf("links %lu\n", s.st_nlink);
  show("symlink", symlink("c", "s"));
  char b[64] = {};
  show("readlink", readlink("s", b, sizeof(b)));
  printf("%s\n", b);
  lstat("s", &s);
  printf("is a link %d\n", S_ISLNK(s.st_mode));
  int fd = open("s", O_RDONLY);
  const int keep = open("c", O_RDWR);
  unlink("c");
  unlink("d/b");
  fstat(keep, &s);
  printf("unlinked but open: links %lu, size %ld\n", s.st_nlink, s.st_size);
  show("read", read(keep, b, 4));
  show("open a dangling link", open("s", O_RDONLY));
  close(fd);
  close(keep);
  show("chdir", chdir("d"));
  show("relative", mkdir("f", 0700));
  show("back", chdir(".."));
  list("d");
  show("open a folder to write", open("d", O_RDWR));
  fd = open("d", O_RDONLY | O_DIRECTORY);
  show("openat", openat(fd, "g", O_CREAT | O_WRONLY, 0600));
  show("fstatat", fstatat(fd, "g", &s, 0));
  show("unlinkat", unlinkat(fd, "g", 0));
  show("read a folder", read(fd, b, 8));
  show("not a folder", open("s/x", O_RDONLY));
}

void locks() {
  printf("# locks and mappings\n");
  const int fd = open("l", O_RDWR | O_CREAT, 0600);
  (void)!write(fd, "0123456789", 10);
  struct flock f{};
  f.l_type = F_WRLCK;
  f.l_whence = SEEK_SET;
  f.l_start = 2;
  f.l_len = 3;
  show("lock", fcntl(fd, F_SETLK, &f));
  f.l_type = F_RDLCK;
  f.l_start = 0;
  f.l_len = 0;
  show("our own lock does not hinder us", fcntl(fd, F_GETLK, &f));
  printf("type %d\n", f.l_type == F_UNLCK);
  f.l_type = F_UNLCK;
  show("unlock", fcntl(fd, F_SETLK, &f));
  const int other = open("l", O_RDWR);
  show("flock", flock(fd, LOCK_EX | LOCK_NB));
  show("flock of another description", flock(other, LOCK_EX | LOCK_NB));
  show("unlock", flock(fd, LOCK_UN));
  show("flock of another description", flock(other, LOCK_SH | LOCK_NB));
  char* at = static_cast<char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  printf("mapped %.10s\n", at);
  at[0] = 'X';
  char b[4] = {};
  pread(fd, b, 3, 0);
  printf("seen by pread %s\n", b);
  munmap(at, 4096);
  show("flags", fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK));
  const int copy = dup(fd);
  printf("dup takes the lowest: %d\n", copy > other);
  show("dup2 to itself", dup2(copy, copy) - copy);
  show("close-on-exec", fcntl(copy, F_GETFD));
  show("dup of nothing", dup(999));
  close(copy);
  show("close twice", close(copy));
}

}  // namespace

int main() {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  basics();
  names();
  locks();
}
