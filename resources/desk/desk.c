/* sightline-desk.exe answers what Node cannot ask Windows for. Its one argument says what: `peers` and `system-folder` are
 * in peers.c. Without any it tells a program without windows which monitors Windows has, in physical pixels, and when that
 * changes: one JSON array a line on stdout, for each line on stdin and for each change. Ends with its stdin, so that it
 * never outlives who started it. Reads nothing else and writes nothing else.
 * https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-enumdisplaymonitors */
#define UNICODE
#define WIN32_LEAN_AND_MEAN
#include <stdio.h>
#include <string.h>
#include <windows.h>
#include "peers.h"

#define ASKED (WM_APP + 1)
#define GONE (WM_APP + 2)

static int count;

static BOOL is_mirror(const WCHAR *name) {
  DISPLAY_DEVICEW device = {.cb = sizeof device};
  for (DWORD i = 0; EnumDisplayDevicesW(NULL, i, &device, 0); i++) {
    if (lstrcmpW(device.DeviceName, name) == 0)
      return (device.StateFlags & DISPLAY_DEVICE_MIRRORING_DRIVER) != 0;
  }
  return FALSE;
}

static BOOL CALLBACK each(HMONITOR monitor, HDC context, LPRECT rect, LPARAM data) {
  (void)context, (void)rect, (void)data;
  MONITORINFOEXW info = {.cbSize = sizeof info};
  /* A monitor that goes in between; the change that is told of it brings the next line. */
  if (!GetMonitorInfoW(monitor, (MONITORINFO *)&info) || is_mirror(info.szDevice)) return TRUE;
  const WCHAR *name = info.szDevice;
  if (wcsncmp(name, L"\\\\.\\", 4) == 0) name += 4;
  printf("%s{\"name\":\"", count++ ? "," : "");
  for (; *name; name++)
    putchar(*name >= ' ' && *name < 127 && *name != '"' && *name != '\\' ? (char)*name : '_');
  const RECT *at = &info.rcMonitor;
  printf("\",\"x\":%ld,\"y\":%ld,\"width\":%ld,\"height\":%ld,\"primary\":%s}", at->left, at->top,
         at->right - at->left, at->bottom - at->top, info.dwFlags & MONITORINFOF_PRIMARY ? "true" : "false");
  return TRUE;
}

static void tell(void) {
  count = 0;
  putchar('[');
  EnumDisplayMonitors(NULL, NULL, each, 0);
  puts("]");
  fflush(stdout);
}

static LRESULT CALLBACK receive(HWND window, UINT message, WPARAM first, LPARAM second) {
  switch (message) {
    case ASKED:
    case WM_DISPLAYCHANGE:
      tell();
      return 0;
    case GONE:
      PostQuitMessage(0);
      return 0;
    default:
      return DefWindowProcW(window, message, first, second);
  }
}

static DWORD WINAPI listen_to_stdin(LPVOID window) {
  for (int c; (c = getchar()) != EOF;)
    if (c == '\n') PostMessageW((HWND)window, ASKED, 0, 0);
  PostMessageW((HWND)window, GONE, 0, 0);
  return 0;
}

/* Without it Windows tells a rectangle of its own making wherever a monitor is scaled. Since Windows 10, 1703. */
static void want_physical_pixels(void) {
  typedef BOOL(WINAPI * Set)(HANDLE);
  Set set = (Set)(void *)GetProcAddress(GetModuleHandleW(L"user32.dll"), "SetProcessDpiAwarenessContext");
  const HANDLE per_monitor_v2 = (HANDLE)-4;
  if (set == NULL || !set(per_monitor_v2)) SetProcessDPIAware();
}

static int tell_monitors(void) {
  want_physical_pixels();
  /* Not a message-only window: those are not told of changes. It is never shown. */
  WNDCLASSW kind = {.lpfnWndProc = receive, .hInstance = GetModuleHandleW(NULL), .lpszClassName = L"SightlineDesk"};
  RegisterClassW(&kind);
  HWND window = CreateWindowW(kind.lpszClassName, L"", WS_OVERLAPPED, 0, 0, 0, 0, NULL, NULL, kind.hInstance, NULL);
  if (window == NULL) {
    fprintf(stderr, "no desktop (error %lu)\n", GetLastError());
    return 1;
  }
  CreateThread(NULL, 0, listen_to_stdin, window, 0, NULL);
  for (MSG message; GetMessageW(&message, NULL, 0, 0) > 0;) DispatchMessageW(&message);
  return 0;
}

int main(int count_of_words, char **words) {
  if (count_of_words < 2) return tell_monitors();
  if (strcmp(words[1], "peers") == 0) return answer_peers();
  if (strcmp(words[1], "system-folder") == 0) return tell_system_folder();
  return 2;
}
