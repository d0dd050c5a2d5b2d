// The checks as a program for the tests: `checks <kind>` checks stdin, `checks folder <folder> <taken>...` a folder. Prints the
// stored form; or the problems, with exit code 1.
#include "checks.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
  static char value[1 << 20], normal[1 << 20], problems[1 << 16];
  size_t length;
  if (argc > 2 && strcmp(argv[1], "folder") == 0) {
    int good = check_folder(argv[2], (const char *const *)(argv + 3), (size_t)argc - 3, 2, problems, sizeof problems);
    fputs(problems, stdout);
    return good ? 0 : 1;
  }
  length = fread(value, 1, sizeof value - 1, stdin);
  value[length] = '\0';
  if (argc < 2) return 64;
  if (!check_value((Check)atoi(argv[1]), value, normal, problems, sizeof problems)) {
    fputs(problems, stdout);
    return 1;
  }
  fputs(normal, stdout);
  return 0;
}
