/* Sends messages to the window of Sightline's helper, as Windows does: triples of numbers on the command line, one after
 * the other. Prints each result, when the window has returned it. */
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

int main(int count, char **words) {
  HWND window = FindWindowW(L"SightlineHelper", NULL);
  if (window == NULL) return 3;
  for (int i = 1; i + 2 < count; i += 3) {
    LRESULT result = SendMessageW(window, (UINT)strtoul(words[i], NULL, 0), strtoull(words[i + 1], NULL, 0),
                                  (LPARAM)strtoull(words[i + 2], NULL, 0));
    printf("%ld\n", (long)result);
    fflush(stdout);
  }
  return 0;
}
