/*
 * A disk with faults: loaded into the program by LD_PRELOAD, it counts the calls that change files below one folder and
 * makes chosen ones fail as a disk would, or kills the process right before or after one. It must never touch a file
 * outside the folder, nor a child of the program (it takes itself out of the environment).
 *
 *   SIGHTLINE_FAULT_FOLDER  the folder, absolute and without links
 *   SIGHTLINE_FAULT_LOG     gets one line a call: number, kind, path in the folder, bytes, ok or the fault
 *   SIGHTLINE_FAULT_RULES   one rule a line, five words: kinds, pattern, from, fault, for how long
 *
 * kinds:   open, write, sync, truncate, rename, link, unlink, mkdir, separated by commas, or any
 * pattern: of the path in the folder (fnmatch(3), * takes slashes)
 * from:    which of the calls that match kinds and pattern is the first to fail; 1 is the first, 0 the next one once
 *          another rule has been met
 * fault:   EIO, ENOSPC; SHORT-EIO, SHORT-ENOSPC: half of the bytes are written, the calls for the rest fail;
 *          KILL-BEFORE, KILL-AFTER
 * long:    a number of calls, or the absolute path of a file: until it exists
 *
 * Names are those that libuv imports (Node 20 to 24, io_uring off: UV_USE_IO_URING=0).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAX_RULES 8

enum action { PASS, FAIL, HALF, DIE_BEFORE, DIE_AFTER };

struct rule {
  char kinds[96], pattern[256], fault[32], until[PATH_MAX];
  long from, times, seen, failed;
};

struct verdict {
  enum action action;
  int error;
};

static char folder[PATH_MAX];
static size_t folder_length;
static int log_fd = -1;
static struct rule rules[MAX_RULES];
static int rule_count;
static long call_count, met_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) \
  static __typeof__(&name) real; \
  if (real == NULL) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static void add_rule(const char *line) {
  struct rule *rule = &rules[rule_count];
  char length[PATH_MAX];
  if (rule_count == MAX_RULES ||
      sscanf(line, "%95s %255s %ld %31s %4095s", rule->kinds, rule->pattern, &rule->from, rule->fault, length) != 5) {
    dprintf(2, "fault shim: not a rule: %s\n", line);
    _exit(99);
  }
  if (length[0] == '/') strcpy(rule->until, length);
  else rule->times = atol(length);
  rule_count += 1;
}

__attribute__((constructor)) static void load(void) {
  const char *where = getenv("SIGHTLINE_FAULT_FOLDER"), *log = getenv("SIGHTLINE_FAULT_LOG");
  char *lines = getenv("SIGHTLINE_FAULT_RULES");
  if (where == NULL || log == NULL) return;
  folder_length = (size_t)snprintf(folder, sizeof folder, "%s", where);
  log_fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (lines != NULL) {
    char *copy = strdup(lines), *rest = copy;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n"))
      if (line[0] != '\0') add_rule(line);
    free(copy);
  }
  unsetenv("LD_PRELOAD");
}

/* The path in the folder, or NULL for what lies elsewhere. */
static const char *inside(const char *path) {
  if (folder_length == 0 || strncmp(path, folder, folder_length) != 0) return NULL;
  if (path[folder_length] == '\0') return ".";
  return path[folder_length] == '/' ? path + folder_length + 1 : NULL;
}

static const char *inside_fd(int fd, char *buffer) {
  char link[40];
  if (folder_length == 0) return NULL;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, buffer, PATH_MAX - 1);
  if (length < 0) return NULL;
  buffer[length] = '\0';
  return inside(buffer);
}

static int has_word(const char *list, const char *word) {
  size_t length = strlen(word);
  for (const char *at = list; (at = strstr(at, word)) != NULL; at += length)
    if ((at == list || at[-1] == ',') && (at[length] == ',' || at[length] == '\0')) return 1;
  return strcmp(list, "any") == 0;
}

/* What is to become of a call. Counts it. */
static struct verdict judge(const char *kind, const char *path, size_t bytes) {
  struct verdict verdict = {PASS, 0};
  const char *done = "ok";
  pthread_mutex_lock(&lock);
  for (int index = 0; index < rule_count && verdict.action == PASS; index += 1) {
    struct rule *rule = &rules[index];
    if (!has_word(rule->kinds, kind) || fnmatch(rule->pattern, path, 0) != 0) continue;
    rule->seen += 1;
    if (rule->from == 0 ? met_count == 0 : rule->seen < rule->from) continue;
    int is_short = strncmp(rule->fault, "SHORT-", 6) == 0;
    int is_kill = strncmp(rule->fault, "KILL-", 5) == 0;
    /* Of a short write libuv tries the rest, and then the program does: the three count as one. */
    long times = rule->times + (is_short ? 2 : 0);
    if (rule->until[0] != '\0' ? access(rule->until, F_OK) == 0 : rule->failed >= times) continue;
    rule->failed += 1;
    met_count += 1;
    done = rule->fault;
    if (is_kill) verdict.action = strcmp(rule->fault, "KILL-AFTER") == 0 ? DIE_AFTER : DIE_BEFORE;
    else if (is_short && rule->failed == 1 && bytes > 1) verdict.action = HALF;
    else verdict.action = FAIL;
    verdict.error = strstr(rule->fault, "ENOSPC") != NULL ? ENOSPC : EIO;
  }
  if (log_fd >= 0) {
    char line[PATH_MAX + 100];
    int length = snprintf(line, sizeof line, "%ld %s %s %zu %s\n", ++call_count, kind, path, bytes, done);
    syscall(SYS_write, log_fd, line, (size_t)length);
  }
  pthread_mutex_unlock(&lock);
  if (verdict.action == DIE_BEFORE) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
  }
  return verdict;
}

static long after(struct verdict verdict, long result) {
  if (verdict.action == DIE_AFTER) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
  }
  return result;
}

/* `call` unless it is to fail; for calls that are done whole or not at all. */
#define GUARD(kind, path, call) \
  do { \
    const char *where_ = (path); \
    if (where_ == NULL) return (call); \
    struct verdict verdict_ = judge(kind, where_, 0); \
    if (verdict_.action == FAIL || verdict_.action == HALF) { \
      errno = verdict_.error; \
      return -1; \
    } \
    return (__typeof__(call))after(verdict_, (long)(call)); \
  } while (0)

/* `call` with `size` bytes, unless less or nothing is to be written. */
#define GUARD_WRITE(fd, size, call, half_call) \
  do { \
    char buffer_[PATH_MAX]; \
    const char *where_ = inside_fd(fd, buffer_); \
    if (where_ == NULL) return (call); \
    struct verdict verdict_ = judge("write", where_, size); \
    if (verdict_.action == HALF) return (half_call); \
    if (verdict_.action == FAIL) { \
      errno = verdict_.error; \
      return -1; \
    } \
    return after(verdict_, (call)); \
  } while (0)

ssize_t write(int fd, const void *data, size_t size) {
  REAL(write);
  GUARD_WRITE(fd, size, real(fd, data, size), real(fd, data, size / 2));
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
  REAL(pwrite64);
  GUARD_WRITE(fd, size, real(fd, data, size, at), real(fd, data, size / 2, at));
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
  return pwrite64(fd, data, size, at);
}

static size_t bytes_of(const struct iovec *parts, int count) {
  size_t size = 0;
  for (int index = 0; index < count; index += 1) size += parts[index].iov_len;
  return size;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  REAL(writev);
  /* Half of several pieces: half of the first. */
  struct iovec half = {parts[0].iov_base, parts[0].iov_len / 2};
  GUARD_WRITE(fd, bytes_of(parts, count), real(fd, parts, count), real(fd, &half, 1));
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
  REAL(pwritev64);
  struct iovec half = {parts[0].iov_base, parts[0].iov_len / 2};
  GUARD_WRITE(fd, bytes_of(parts, count), real(fd, parts, count, at), real(fd, &half, 1, at));
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
  return pwritev64(fd, parts, count, at);
}

static int changes(int flags) {
  return (flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) != 0;
}

int open64(const char *path, int flags, ...) {
  REAL(open64);
  va_list rest;
  va_start(rest, flags);
  mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  GUARD("open", changes(flags) ? inside(path) : NULL, real(path, flags, mode));
}

int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open64(path, flags, mode);
}

int openat64(int directory, const char *path, int flags, ...) {
  REAL(openat64);
  va_list rest;
  va_start(rest, flags);
  mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  GUARD("open", changes(flags) ? inside(path) : NULL, real(directory, path, flags, mode));
}

int openat(int directory, const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return openat64(directory, path, flags, mode);
}

int fsync(int fd) {
  REAL(fsync);
  char buffer[PATH_MAX];
  GUARD("sync", inside_fd(fd, buffer), real(fd));
}

int fdatasync(int fd) {
  REAL(fdatasync);
  char buffer[PATH_MAX];
  GUARD("sync", inside_fd(fd, buffer), real(fd));
}

int ftruncate64(int fd, off64_t size) {
  REAL(ftruncate64);
  char buffer[PATH_MAX];
  GUARD("truncate", inside_fd(fd, buffer), real(fd, size));
}

int ftruncate(int fd, off_t size) {
  return ftruncate64(fd, size);
}

int rename(const char *from, const char *to) {
  REAL(rename);
  GUARD("rename", inside(to), real(from, to));
}

int link(const char *from, const char *to) {
  REAL(link);
  GUARD("link", inside(to), real(from, to));
}

int unlink(const char *path) {
  REAL(unlink);
  GUARD("unlink", inside(path), real(path));
}

int rmdir(const char *path) {
  REAL(rmdir);
  GUARD("unlink", inside(path), real(path));
}

int mkdir(const char *path, mode_t mode) {
  REAL(mkdir);
  GUARD("mkdir", inside(path), real(path, mode));
}
