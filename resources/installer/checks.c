// See checks.h. Never calls the system: the custom action runs as SYSTEM on whatever the command line said.
#include "checks.h"
#include <stdio.h>
#include <string.h>

#define MAX_NAMES 500
#define MAX_NAME 256
#define MAX_TOTAL 128000
/** How much of a bad entry is shown. */
#define SHOWN 80

static int is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static int is_digit(char c) { return c >= '0' && c <= '9'; }
static int is_small(char c) { return c >= 'a' && c <= 'z'; }
/** What JavaScript's trim() takes for white space, as far as ASCII goes. */
static int is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static void add(char *problems, size_t size, const char *entry, size_t length, const char *problem) {
  size_t used = strlen(problems);
  if (length > SHOWN) {
    for (length = SHOWN; length > 0 && ((unsigned char)entry[length] & 0xC0) == 0x80;) length--;
  }
  snprintf(problems + used, size - used, "%s\"%.*s\": %s", used > 0 ? "; " : "", (int)length, entry, problem);
}

static const char *domain_problem(const char *name, size_t length) {
  size_t i, characters = 0;
  if (length == 0) return "it is empty";
  for (i = 0; i < length; i++) characters += ((unsigned char)name[i] & 0xC0) != 0x80;
  if (characters > MAX_NAME) return "it has more than 256 characters";
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

static void check_domains(const char *list, char *normal, char *problems, size_t size) {
  const char *from = list;
  char *out = normal;
  size_t count = 0;
  for (;;) {
    const char *end = from + strcspn(from, ",");
    const char *first = from, *last = end;
    const char *problem;
    while (first < last && is_space(*first)) first++;
    while (last > first && is_space(last[-1])) last--;
    problem = domain_problem(first, (size_t)(last - first));
    if (problem != NULL) add(problems, size, first, (size_t)(last - first), problem);
    if (count++ > 0) *out++ = ',';
    for (; first < last; first++) *out++ = *first >= 'A' && *first <= 'Z' ? (char)(*first + 32) : *first;
    if (*end == '\0') break;
    from = end + 1;
  }
  *out = '\0';
  if (count > MAX_NAMES) add(problems, size, "the list", 8, "more than 500 domains");
  if (out - normal > MAX_TOTAL) add(problems, size, "the list", 8, "more than 128000 characters in all");
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

/** Two letters or more, then parts of letters and digits, each after a "-". */
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
  problems[0] = '\0';
  if (check == CHECK_DOMAINS) {
    check_domains(value, normal, problems, problemsSize);
    return problems[0] == '\0';
  }
  strcpy(normal, value);
  switch (check) {
    case CHECK_PORT:
      if (!is_port(value)) problem = "it is no number from 1 to 65535";
      break;
    case CHECK_SINK:
      if (strcmp(value, "folder") != 0 && strcmp(value, "s3") != 0) problem = "it is neither folder nor s3";
      break;
    case CHECK_BUCKET:
      if (!is_bucket(value)) problem = "it is no name of an S3 bucket";
      break;
    case CHECK_REGION:
      if (!is_region(value)) problem = "it is no region, for example eu-central-1";
      break;
    case CHECK_KMS_KEY:
      if (!is_kms_key(value)) problem = "it is no ARN or id of a KMS key";
      break;
    case CHECK_FLAG:
      if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0) problem = "it is neither 0 nor 1";
      break;
    case CHECK_DOMAINS:
      break;
  }
  if (problem != NULL) add(problems, problemsSize, value, strlen(value), problem);
  return problem == NULL;
}
