/* The monitor helper of Sightline on Windows: calls functions of Windows that Node does not offer. Its argument selects
 * what it does: `peers` and `system-folder` are in peers.c. Without an argument it prints the monitors in physical pixels,
 * one JSON array per line, for each line on stdin and for each change. It exits when stdin ends, so that it never outlives
 * Sightline, and reads and writes nothing else.
 * https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-enumdisplaymonitors */
#define UNICODE
#define WIN32_LEAN_AND_MEAN
#include <stdio.h>
#include <string.h>
#include <windows.h>
#include "peers.h"

#define PRINT (WM_APP + 1)
#define STDIN_ENDED (WM_APP + 2)

static int count;

static BOOL is_mirror(const WCHAR *name) {
  DISPLAY_DEVICEW device = {.cb = sizeof device};
  for (DWORD i = 0; EnumDisplayDevicesW(NULL, i, &device, 0); i++) {
    if (lstrcmpW(device.DeviceName, name) == 0)
      return (device.StateFlags & DISPLAY_DEVICE_MIRRORING_DRIVER) != 0;
  }
  return FALSE;
}

static BOOL CALLBACK print_monitor(HMONITOR monitor, HDC context, LPRECT rect, LPARAM data) {
  (void)context, (void)rect, (void)data;
  MONITORINFOEXW info = {.cbSize = sizeof info};
  /* Fails for a monitor that was just unplugged; the message for that change prints the next line. */
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

static void print_monitors(void) {
  count = 0;
  putchar('[');
  EnumDisplayMonitors(NULL, NULL, print_monitor, 0);
  puts("]");
  fflush(stdout);
}

static LRESULT CALLBACK receive(HWND window, UINT message, WPARAM first, LPARAM second) {
  switch (message) {
    case PRINT:
    case WM_DISPLAYCHANGE:
      print_monitors();
      return 0;
    case STDIN_ENDED:
      PostQuitMessage(0);
      return 0;
    default:
      return DefWindowProcW(window, message, first, second);
  }
}

static DWORD WINAPI read_stdin(LPVOID window) {
  for (int c; (c = getchar()) != EOF;)
    if (c == '\n') PostMessageW((HWND)window, PRINT, 0, 0);
  PostMessageW((HWND)window, STDIN_ENDED, 0, 0);
  return 0;
}

/* Otherwise Windows reports virtual coordinates on scaled monitors. The function exists since Windows 10, 1703. */
static void use_physical_pixels(void) {
  typedef BOOL(WINAPI * Set)(HANDLE);
  Set set = (Set)(void *)GetProcAddress(GetModuleHandleW(L"user32.dll"), "SetProcessDpiAwarenessContext");
  const HANDLE per_monitor_v2 = (HANDLE)-4;
  if (set == NULL || !set(per_monitor_v2)) SetProcessDPIAware();
}

static int watch_monitors(void) {
  use_physical_pixels();
  /* Not a message-only window: those do not receive WM_DISPLAYCHANGE. It is never shown. */
  WNDCLASSW kind = {
    .lpfnWndProc = receive, .hInstance = GetModuleHandleW(NULL), .lpszClassName = L"SightlineMonitorHelper"};
  RegisterClassW(&kind);
  HWND window = CreateWindowW(kind.lpszClassName, L"", WS_OVERLAPPED, 0, 0, 0, 0, NULL, NULL, kind.hInstance, NULL);
  if (window == NULL) {
    fprintf(stderr, "no desktop (error %lu)\n", GetLastError());
    return 1;
  }
  CreateThread(NULL, 0, read_stdin, window, 0, NULL);
  for (MSG message; GetMessageW(&message, NULL, 0, 0) > 0;) DispatchMessageW(&message);
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 2) return watch_monitors();
  if (strcmp(argv[1], "peers") == 0) return answer_peers();
  if (strcmp(argv[1], "system-folder") == 0) return print_system_folder();
  return 2;
}
