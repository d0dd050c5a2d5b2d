/* The helper of Sightline on Windows: calls functions of Windows that Node does not offer, in one process that lives as
 * long as Sightline (helper.h has the form of requests). It ends when stdin ends, so that it never outlives Sightline. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "helper.h"

HWND window;
HANDLE stdin_ended;

static const struct {
  const char *name;
  void (*answer)(Answer *, char *);
} commands[] = {
  {"monitors", answer_monitors},
  {"peers", answer_peers},
  {"system-folder", answer_system_folder},
  {"registry", answer_registry},
  {"watch-registry", answer_watch_registry},
  {"protect", answer_protect},
  {"unprotect", answer_unprotect},
  {"watch-session", answer_watch_session},
  {"watch-foreground", answer_watch_foreground},
};

static void answer_line(char *line) {
  char *id = strtok(line, " "), *name = strtok(NULL, " "), *argument = strtok(NULL, "");
  if (id == NULL || name == NULL) return;
  Answer answer = {0};
  const size_t count = sizeof commands / sizeof *commands;
  size_t i = 0;
  while (i < count && strcmp(commands[i].name, name) != 0) i++;
  if (i == count) refuse(&answer, "unknown request", ERROR_INVALID_FUNCTION);
  else commands[i].answer(&answer, argument == NULL ? "" : argument);
  send_answer(id, &answer);
}

static DWORD WINAPI read_stdin(LPVOID unused) {
  (void)unused;
  static char line[MAX_REQUEST];
  while (fgets(line, sizeof line, stdin) != NULL) {
    size_t length = strcspn(line, "\r\n");
    /* The rest of a longer line would be taken for a request. */
    if (line[length] == '\0') break;
    line[length] = '\0';
    answer_line(line);
    SecureZeroMemory(line, length + 1);
  }
  SetEvent(stdin_ended);
  if (window != NULL) PostMessageW(window, WM_CLOSE, 0, 0);
  return 0;
}

static LRESULT CALLBACK receive(HWND to, UINT message, WPARAM first, LPARAM second) {
  LRESULT result = 0;
  if (receive_session(message, first, second, &result)) return result;
  switch (message) {
    case WM_DISPLAYCHANGE:
      send_event("{\"event\":\"monitors\"}");
      return 0;
    case WM_DESTROY:
      PostQuitMessage(0);
      return 0;
    default:
      return DefWindowProcW(to, message, first, second);
  }
}

/* Otherwise Windows reports virtual coordinates on scaled monitors. The function exists since Windows 10, 1703. */
static void use_physical_pixels(void) {
  typedef BOOL(WINAPI * Set)(HANDLE);
  Set set = (Set)(void *)GetProcAddress(GetModuleHandleW(L"user32.dll"), "SetProcessDpiAwarenessContext");
  const HANDLE per_monitor_v2 = (HANDLE)-4;
  if (set == NULL || !set(per_monitor_v2)) SetProcessDPIAware();
}

int main(void) {
  use_physical_pixels();
  start_answers();
  stdin_ended = CreateEventW(NULL, TRUE, FALSE, NULL);
  /* Not a message-only window: those receive neither WM_DISPLAYCHANGE nor WM_ENDSESSION. It is never shown. */
  WNDCLASSW kind = {
    .lpfnWndProc = receive, .hInstance = GetModuleHandleW(NULL), .lpszClassName = L"SightlineHelper"};
  RegisterClassW(&kind);
  window = CreateWindowW(kind.lpszClassName, L"Sightline", WS_OVERLAPPED, 0, 0, 0, 0, NULL, NULL, kind.hInstance, NULL);
  HANDLE reader = CreateThread(NULL, 0, read_stdin, NULL, 0, NULL);
  /* Without a desktop the other requests are answered all the same. */
  if (window == NULL) WaitForSingleObject(reader, INFINITE);
  else for (MSG message; GetMessageW(&message, NULL, 0, 0) > 0;) DispatchMessageW(&message);
  return 0;
}
