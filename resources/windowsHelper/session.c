/* `watch-session TEXT`: events about the session that this process runs in, and the state now as the answer:
 *   {"event":"session","locked":BOOL,"away":"no" | "console" | "remote"}   another user's turn, or a disconnected client
 *   {"event":"power","asleep":BOOL}
 *   {"event":"ending","why":"sign-out" | "shutdown"}   Windows waits, showing TEXT, until stdin ends
 * `watch-foreground`: {"event":"foreground"} when another window comes to the front.
 *
 * Windows ends a program at once after WM_ENDSESSION. So this process asks to be told first (shutdown parameters), and
 * answers when Sightline has completed its recording and closed stdin.
 * https://learn.microsoft.com/windows/win32/shutdown/shutdown-changes-for-windows-vista */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "helper.h"
#include <wtsapi32.h>

/* The first among applications. */
#define SHUTDOWN_LEVEL 0x3FF
/* Windows or its user decides to end us before. */
#define END_WITHIN_MS (10 * 60 * 1000)
#define WATCH_FOREGROUND (WM_APP + 1)

/* The start of WTSINFOEXW with level 1, which mingw-w64 lacks.
 * https://learn.microsoft.com/windows/win32/api/wtsapi32/ns-wtsapi32-wtsinfoex_level1_w */
#define SESSION_INFO_EX ((WTS_INFO_CLASS)25)
typedef struct {
  DWORD level;
  LARGE_INTEGER aligned[0];
  ULONG session;
  WTS_CONNECTSTATE_CLASS state;
  LONG flags;
} SessionInfo;
#define FLAGS_LOCKED 0

static BOOL is_watching, is_locked;
static const char *away = "no";
static WCHAR *reason;

static void describe(char *out, size_t size) {
  snprintf(out, size, "{\"event\":\"session\",\"locked\":%s,\"away\":\"%s\"}", is_locked ? "true" : "false", away);
}

static void send_session(void) {
  char text[128];
  describe(text, sizeof text);
  send_event(text);
}

static void read_session(void) {
  LPWSTR data = NULL;
  DWORD size;
  WTS_CONNECTSTATE_CLASS state = WTSActive;
  if (WTSQuerySessionInformationW(NULL, WTS_CURRENT_SESSION, WTSConnectState, &data, &size) && size >= sizeof state)
    memcpy(&state, data, sizeof state);
  WTSFreeMemory(data);
  if (state == WTSDisconnected) away = "remote";
  data = NULL;
  if (WTSQuerySessionInformationW(NULL, WTS_CURRENT_SESSION, SESSION_INFO_EX, &data, &size) &&
      size >= sizeof(SessionInfo) && ((SessionInfo *)data)->level == 1)
    is_locked = ((SessionInfo *)data)->flags == FLAGS_LOCKED;
  WTSFreeMemory(data);
}

void answer_watch_session(Answer *answer, char *argument) {
  if (window == NULL) {
    refuse(answer, "no desktop", ERROR_INVALID_WINDOW_HANDLE);
    return;
  }
  if (!is_watching) {
    reason = wide(argument);
    SetProcessShutdownParameters(SHUTDOWN_LEVEL, 0);
    WTSRegisterSessionNotification(window, NOTIFY_FOR_THIS_SESSION);
    RegisterSuspendResumeNotification(window, DEVICE_NOTIFY_WINDOW_HANDLE);
    read_session();
    is_watching = TRUE;
  }
  char text[128];
  describe(text, sizeof text);
  add(answer, "%s", text);
}

static void CALLBACK foreground(HWINEVENTHOOK hook, DWORD event, HWND which, LONG object, LONG child, DWORD thread,
                                DWORD time) {
  (void)hook, (void)event, (void)which, (void)object, (void)child, (void)thread, (void)time;
  send_event("{\"event\":\"foreground\"}");
}

void answer_watch_foreground(Answer *answer, char *argument) {
  (void)argument;
  /* On the window's thread, which reads messages: Windows calls back there. */
  if (window != NULL && SendMessageW(window, WATCH_FOREGROUND, 0, 0)) add(answer, "true");
  else refuse(answer, "no desktop", GetLastError());
}

static LRESULT watch_foreground(void) {
  static HWINEVENTHOOK hook;
  if (hook == NULL)
    hook = SetWinEventHook(EVENT_SYSTEM_FOREGROUND, EVENT_SYSTEM_FOREGROUND, NULL, foreground, 0, 0, WINEVENT_OUTOFCONTEXT);
  return hook != NULL;
}

static void session_changed(WPARAM change) {
  switch (change) {
    case WTS_SESSION_LOCK:
      is_locked = TRUE;
      break;
    case WTS_SESSION_UNLOCK:
      is_locked = FALSE;
      break;
    case WTS_CONSOLE_DISCONNECT:
      away = "console";
      break;
    case WTS_REMOTE_DISCONNECT:
      away = "remote";
      break;
    case WTS_CONSOLE_CONNECT:
    case WTS_REMOTE_CONNECT:
      away = "no";
      break;
    default:
      return;
  }
  send_session();
}

static void power_changed(WPARAM change) {
  if (change == PBT_APMSUSPEND) send_event("{\"event\":\"power\",\"asleep\":true}");
  else if (change == PBT_APMRESUMEAUTOMATIC || change == PBT_APMRESUMESUSPEND)
    send_event("{\"event\":\"power\",\"asleep\":false}");
}

/* Reads messages meanwhile: a program that does not counts as hanging after five seconds. */
static void wait_for_sightline(void) {
  const ULONGLONG end = GetTickCount64() + END_WITHIN_MS;
  while (GetTickCount64() < end &&
         MsgWaitForMultipleObjects(1, &stdin_ended, FALSE, 1000, QS_ALLINPUT) != WAIT_OBJECT_0)
    for (MSG message; PeekMessageW(&message, NULL, 0, 0, PM_REMOVE);) DispatchMessageW(&message);
}

static void end_session(BOOL is_sign_out) {
  send_event(is_sign_out ? "{\"event\":\"ending\",\"why\":\"sign-out\"}" : "{\"event\":\"ending\",\"why\":\"shutdown\"}");
  wait_for_sightline();
  ShutdownBlockReasonDestroy(window);
}

BOOL receive_session(UINT message, WPARAM first, LPARAM second, LRESULT *result) {
  switch (message) {
    case WM_WTSSESSION_CHANGE:
      session_changed(first);
      return TRUE;
    case WM_POWERBROADCAST:
      power_changed(first);
      *result = TRUE;
      return TRUE;
    case WM_QUERYENDSESSION:
      /* The Restart Manager, for whoever wants to replace files in use: the installer has its own way, which waits for the
       * end of a contact. */
      *result = (second & ENDSESSION_CLOSEAPP) == 0;
      if (*result && is_watching && reason != NULL) ShutdownBlockReasonCreate(window, reason);
      return TRUE;
    case WM_ENDSESSION:
      if (!first) ShutdownBlockReasonDestroy(window);
      else if (is_watching) end_session((second & ENDSESSION_LOGOFF) != 0);
      return TRUE;
    case WATCH_FOREGROUND:
      *result = watch_foreground();
      return TRUE;
    default:
      return FALSE;
  }
}
