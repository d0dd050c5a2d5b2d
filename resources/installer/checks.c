// See checks.h. Never calls the system: it works on any text from a command line.
#include "checks.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_NAMES 500
#define MAX_NAME 256
#define MAX_TOTAL 128000
/** How much of an invalid entry is shown, in UTF-16 units. */
#define SHOWN 80

static int is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static int is_digit(char c) { return c >= '0' && c <= '9'; }
static int is_small(char c) { return c >= 'a' && c <= 'z'; }
/** The first byte of a character in UTF-8. */
static int is_first(char c) { return ((unsigned char)c & 0xC0) != 0x80; }
/** In UTF-16, as JavaScript counts: characters above U+FFFF are two. */
static size_t units_of(char first) { return is_first(first) ? ((unsigned char)first >= 0xF0 ? 2 : 1) : 0; }

static size_t units(const char *text, size_t length) {
  size_t i, count = 0;
  for (i = 0; i < length; i++) count += units_of(text[i]);
  return count;
}

/** `used` stays below `size`; the rest is cut off. */
typedef struct { char *text; size_t size, used; } Problems;

static void add(Problems *problems, const char *format, ...) {
  va_list arguments;
  int length;
  if (problems->used + 1 >= problems->size) return;
  va_start(arguments, format);
  length = vsnprintf(problems->text + problems->used, problems->size - problems->used, format, arguments);
  va_end(arguments);
  problems->used += (size_t)length;
  if (problems->used >= problems->size) problems->used = problems->size - 1;
}

/** Starts the next problem: they are separated by "; ". */
static void next(Problems *problems) {
  if (problems->used > 0) add(problems, "; ");
}

/** In quotes and escaped as in JSON, so that the log shows a tab or a line break. */
static void add_quoted(Problems *problems, const char *entry, size_t length) {
  static const char escaped[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";
  size_t i, shown = 0;
  add(problems, "\"");
  for (i = 0; i < length; i++) {
    const char *found = entry[i] == '\0' ? NULL : strchr(escaped, entry[i]);
    shown += units_of(entry[i]);
    if (shown > SHOWN) break;
    if (found != NULL) add(problems, "\\%c", letters[found - escaped]);
    else if ((unsigned char)entry[i] < ' ') add(problems, "\\u%04x", (unsigned)entry[i]);
    else add(problems, "%c", entry[i]);
  }
  add(problems, "\"");
}

static const char *domain_problem(const char *name, size_t length) {
  size_t i;
  if (length == 0) return "it is empty";
  if (units(name, length) > MAX_NAME) return "it has more than 256 characters";
  for (i = 0; i + 2 < length; i++)
    if (memcmp(name + i, "://", 3) == 0) return "it has a scheme; give the name alone";
  if (memchr(name, '/', length) != NULL) return "it has a path; give the name alone";
  if (memchr(name, '*', length) != NULL) return "wildcards are not allowed; list each domain";
  if (memchr(name, ':', length) != NULL) return "it has a port; give the name alone";
  for (i = 0; i < length; i++)
    if (!is_letter(name[i]) && !is_digit(name[i]) && name[i] != '.' && name[i] != '-')
      return "only letters, digits, \"-\" and \".\" are allowed";
  if (name[0] == '.' || name[length - 1] == '.') return "a label between dots is empty";
  for (i = 0; i + 1 < length; i++)
    if (name[i] == '.' && name[i + 1] == '.') return "a label between dots is empty";
  return NULL;
}

/** One space is allowed after a comma, and no other. Problems of the whole list come first. */
static void check_domains(const char *list, char *normal, Problems *problems) {
  const char *from = list, *one;
  char *out = normal;
  size_t count = 1, index, length = units(list, strlen(list));
  for (one = list; *one != '\0'; one++) count += *one == ',';
  if (count > MAX_NAMES) {
    next(problems);
    add(problems, "%u domains are named, %u are allowed", (unsigned)count, MAX_NAMES);
  }
  if (length > MAX_TOTAL) {
    next(problems);
    add(problems, "the list has %u characters, %u are allowed", (unsigned)length, MAX_TOTAL);
  }
  for (index = 0;; index++) {
    const char *end = from + strcspn(from, ",");
    const char *problem;
    if (index > 0 && *from == ' ') from++;
    problem = domain_problem(from, (size_t)(end - from));
    if (problem != NULL) {
      next(problems);
      add(problems, "entry %u, ", (unsigned)index + 1);
      add_quoted(problems, from, (size_t)(end - from));
      add(problems, ": %s", problem);
    }
    if (index > 0) *out++ = ',';
    for (; from < end; from++) *out++ = *from >= 'A' && *from <= 'Z' ? (char)(*from + 32) : *from;
    if (*end == '\0') break;
    from = end + 1;
  }
  *out = '\0';
}

static int is_port(const char *text) {
  long port = 0;
  size_t i, length = strlen(text);
  if (length == 0 || length > 5) return 0;
  for (i = 0; i < length; i++) {
    if (!is_digit(text[i])) return 0;
    port = port * 10 + (text[i] - '0');
  }
  return port >= 1 && port <= 65535;
}

static int is_bucket(const char *text) {
  size_t i, length = strlen(text);
  if (length < 3 || length > 63) return 0;
  for (i = 0; i < length; i++) {
    if (is_small(text[i]) || is_digit(text[i])) continue;
    if ((text[i] != '.' && text[i] != '-') || i == 0 || i == length - 1) return 0;
  }
  return 1;
}

/** Two letters or more, then at least one "-" with letters and digits after it. */
static int is_region(const char *text) {
  size_t letters = 0, parts = 0;
  while (is_small(text[letters])) letters++;
  if (letters < 2) return 0;
  text += letters;
  while (*text == '-') {
    size_t length = 0;
    text++;
    while (is_small(text[length]) || is_digit(text[length])) length++;
    if (length == 0) return 0;
    text += length;
    parts++;
  }
  return *text == '\0' && parts > 0;
}

static int is_kms_key(const char *text) {
  size_t i, length = strlen(text);
  if (length == 0 || length > 2048) return 0;
  for (i = 0; i < length; i++)
    if (text[i] <= ' ' || text[i] > '~') return 0;
  return 1;
}

int check_value(Check check, const char *value, char *normal, char *problems, size_t problemsSize) {
  const char *problem = NULL;
  Problems found = {problems, problemsSize, 0};
  problems[0] = '\0';
  if (check == CHECK_DOMAINS) {
    check_domains(value, normal, &found);
    return found.used == 0;
  }
  strcpy(normal, value);
  switch (check) {
    case CHECK_PORT:
      if (!is_port(value)) problem = "it is not a number from 1 to 65535";
      break;
    case CHECK_SINK:
      if (strcmp(value, "folder") != 0 && strcmp(value, "s3") != 0) problem = "it is neither folder nor s3";
      break;
    case CHECK_BUCKET:
      if (!is_bucket(value)) problem = "it is not a valid name of an S3 bucket";
      break;
    case CHECK_REGION:
      if (!is_region(value)) problem = "it is not a region, such as eu-central-1";
      break;
    case CHECK_KMS_KEY:
      if (!is_kms_key(value)) problem = "it is not the ARN or id of a KMS key";
      break;
    case CHECK_FLAG:
      if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0) problem = "it is neither 0 nor 1";
      break;
    case CHECK_DOMAINS:
      break;
  }
  if (problem != NULL) {
    add_quoted(&found, value, strlen(value));
    add(&found, ": %s", problem);
  }
  return problem == NULL;
}

/** Ignores the case of ASCII letters. For others, Windows has returned their actual case. */
static int is_below(const char *path, const char *folder) {
  for (; *folder != '\0'; path++, folder++) {
    char a = *path >= 'A' && *path <= 'Z' ? (char)(*path + 32) : *path;
    char b = *folder >= 'A' && *folder <= 'Z' ? (char)(*folder + 32) : *folder;
    if (a != b) return 0;
  }
  return 1;
}

int check_folder(const char *folder, const char *const *taken, size_t count, size_t closed, char *problem,
                 size_t problemSize) {
  Problems found = {problem, problemSize, 0};
  const char *of = NULL, *one;
  size_t i, parts = 0;
  problem[0] = '\0';
  for (one = folder; *one != '\0'; one++) parts += *one == '\\';
  /* C:\ has one, \\server\share\ has four. */
  if (parts < (strncmp(folder, "\\\\", 2) == 0 ? 5u : 2u)) of = folder;
  for (i = 0; i < count && of == NULL; i++)
    if (is_below(taken[i], folder) || (i < closed && is_below(folder, taken[i]))) of = taken[i];
  if (of == NULL) return 1;
  add_quoted(&found, folder, strlen(folder));
  add(&found, ": this folder is or overlaps a folder of the system (");
  add_quoted(&found, of, strlen(of));
  add(&found, "); choose another one, for example C:\\Program Files\\Sightline");
  return 0;
}
