// The checks as a program for the tests: `checks <kind>` judges stdin, `checks folder <folder> <taken>...` a folder; prints the
// stored form, or the problems and ends with 1.
#include "checks.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int count, char **words) {
  static char value[1 << 20], normal[1 << 20], problems[1 << 16];
  size_t length;
  if (count > 2 && strcmp(words[1], "folder") == 0) {
    int good = check_folder(words[2], (const char *const *)(words + 3), (size_t)count - 3, 2, problems, sizeof problems);
    fputs(problems, stdout);
    return good ? 0 : 1;
  }
  length = fread(value, 1, sizeof value - 1, stdin);
  value[length] = '\0';
  if (count < 2) return 64;
  if (!check_value((Check)atoi(words[1]), value, normal, problems, sizeof problems)) {
    fputs(problems, stdout);
    return 1;
  }
  fputs(normal, stdout);
  return 0;
}
