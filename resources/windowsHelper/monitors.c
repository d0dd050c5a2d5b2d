/* `monitors`: a JSON array of the monitors in physical pixels.
 * https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-enumdisplaymonitors */
#include <string.h>
#include "helper.h"

typedef struct {
  Answer *answer;
  int count;
} List;

static BOOL is_mirror(const WCHAR *name) {
  DISPLAY_DEVICEW device = {.cb = sizeof device};
  for (DWORD i = 0; EnumDisplayDevicesW(NULL, i, &device, 0); i++) {
    if (lstrcmpW(device.DeviceName, name) == 0)
      return (device.StateFlags & DISPLAY_DEVICE_MIRRORING_DRIVER) != 0;
  }
  return FALSE;
}

static BOOL CALLBACK add_monitor(HMONITOR monitor, HDC context, LPRECT rect, LPARAM data) {
  (void)context, (void)rect;
  List *list = (List *)data;
  MONITORINFOEXW info = {.cbSize = sizeof info};
  /* Fails for a monitor that was just unplugged; the event for that change leads to the next request. */
  if (!GetMonitorInfoW(monitor, (MONITORINFO *)&info) || is_mirror(info.szDevice)) return TRUE;
  const WCHAR *name = info.szDevice;
  if (wcsncmp(name, L"\\\\.\\", 4) == 0) name += 4;
  add(list->answer, "%s{\"name\":", list->count++ ? "," : "");
  add_string(list->answer, name, wcslen(name));
  const RECT *at = &info.rcMonitor;
  add(list->answer, ",\"x\":%ld,\"y\":%ld,\"width\":%ld,\"height\":%ld,\"primary\":%s}", at->left, at->top,
      at->right - at->left, at->bottom - at->top, info.dwFlags & MONITORINFOF_PRIMARY ? "true" : "false");
  return TRUE;
}

void answer_monitors(Answer *answer, char *argument) {
  (void)argument;
  List list = {answer, 0};
  if (window == NULL) {
    refuse(answer, "no desktop", ERROR_INVALID_WINDOW_HANDLE);
    return;
  }
  add(answer, "[");
  EnumDisplayMonitors(NULL, NULL, add_monitor, (LPARAM)&list);
  add(answer, "]");
}
