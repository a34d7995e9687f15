/* Makes the disk under a database fail: every write and sync of a file whose path contains FAULT_PATH ends with the error that
   the file FAULT_FILE names (EIO, EROFS, ENOSPC); an absent or empty file means that all is well. Compiled by the test that needs it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int fault(int fd) {
  const char *file = getenv("FAULT_FILE"), *part = getenv("FAULT_PATH");
  char link[64], path[4096], word[16] = "";
  if (!file || !part) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  if (!strstr(path, part)) return 0;
  int flag = open(file, O_RDONLY);
  if (flag < 0) return 0;
  ssize_t count = read(flag, word, sizeof word - 1);
  close(flag);
  if (count < 3) return 0;
  return !strncmp(word, "EIO", 3) ? EIO : !strncmp(word, "EROFS", 5) ? EROFS : ENOSPC;
}

#define FAIL(fd) do { int error = fault(fd); if (error) { errno = error; return -1; } } while (0)

ssize_t write(int fd, const void *data, size_t size) {
  static ssize_t (*real)(int, const void *, size_t);
  if (!real) real = dlsym(RTLD_NEXT, "write");
  FAIL(fd);
  return real(fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t place) {
  static ssize_t (*real)(int, const void *, size_t, off_t);
  if (!real) real = dlsym(RTLD_NEXT, "pwrite");
  FAIL(fd);
  return real(fd, data, size, place);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off_t place) {
  static ssize_t (*real)(int, const void *, size_t, off_t);
  if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
  FAIL(fd);
  return real(fd, data, size, place);
}

int fsync(int fd) {
  static int (*real)(int);
  if (!real) real = dlsym(RTLD_NEXT, "fsync");
  FAIL(fd);
  return real(fd);
}

int fdatasync(int fd) {
  static int (*real)(int);
  if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
  FAIL(fd);
  return real(fd);
}
