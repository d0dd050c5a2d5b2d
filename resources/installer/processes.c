// Custom actions about the running Sightline: never in mid-recording, then ended (whatever was recorded is delivered at
// the next start), and started again for those who had it running, so that no agent goes unrecorded until he signs in.
#define UNICODE
#define _UNICODE
#include <windows.h>
#include <msi.h>
#include <msiquery.h>
#include <tlhelp32.h>
#include <userenv.h>
#include <wtsapi32.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include "text.h"

#define PATH_ROOM 32768
/** How long an ended process may take to be gone, each. */
#define GONE_MS 5000
/** How often to look again: a program may start another between being seen and being ended. */
#define ROUNDS 5

static void get(MSIHANDLE session, const wchar_t *name, wchar_t *text, DWORD room) {
  text[0] = 0;
  MsiGetPropertyW(session, name, text, &room);
}

/** Another user's processes too, which an administrator may end only with this right switched on. */
static void allow_all_processes(void) {
  TOKEN_PRIVILEGES wanted = {1, {{{0, 0}, SE_PRIVILEGE_ENABLED}}};
  HANDLE token;
  if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &token)) return;
  if (LookupPrivilegeValueW(NULL, L"SeDebugPrivilege", &wanted.Privileges[0].Luid))
    AdjustTokenPrivileges(token, FALSE, &wanted, 0, NULL, NULL);
  CloseHandle(token);
}

/** Calls `act` with each process whose program lies below the folder, and its path from there on. */
static void each_below(const wchar_t *folder, void (*act)(DWORD id, const wchar_t *program, void *context), void *context) {
  static wchar_t path[PATH_ROOM];
  PROCESSENTRY32W entry = {.dwSize = sizeof entry};
  HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
  size_t length = wcslen(folder);
  if (all == INVALID_HANDLE_VALUE || length < 4) return;
  for (BOOL more = Process32FirstW(all, &entry); more; more = Process32NextW(all, &entry)) {
    DWORD room = PATH_ROOM;
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, entry.th32ProcessID);
    if (process == NULL) continue;
    if (QueryFullProcessImageNameW(process, 0, path, &room) && _wcsnicmp(path, folder, length) == 0)
      act(entry.th32ProcessID, path + length, context);
    CloseHandle(process);
  }
  CloseHandle(all);
}

static void note_recording(DWORD id, const wchar_t *program, void *context) {
  (void)id;
  if (_wcsnicmp(program, L"resources\\ffmpeg\\", 17) == 0) *(int *)context = 1;
}

static int ended;

static void end_process(DWORD id, const wchar_t *program, void *context) {
  Text *sessions = context;
  DWORD session;
  HANDLE process = OpenProcess(PROCESS_TERMINATE | SYNCHRONIZE, FALSE, id);
  if (process == NULL) return;
  if (_wcsicmp(program, L"Sightline.exe") == 0 && ProcessIdToSessionId(id, &session)) {
    wchar_t number[16];
    swprintf(number, 16, L"\n%lu\n", session);
    /* Electron has several processes of that name; one start a session is enough. */
    if (sessions->text == NULL || wcsstr(sessions->text, number) == NULL) append(sessions, number, NULL);
  }
  if (TerminateProcess(process, 0)) {
    ended++;
    WaitForSingleObject(process, GONE_MS);
  }
  CloseHandle(process);
}

/** Immediate, before InstallValidate, which would otherwise ask for a restart because of files in use. */
UINT __stdcall StopRunning(MSIHANDLE session) {
  static wchar_t folder[PATH_ROOM];
  wchar_t anyway[8];
  Text sessions = {0};
  int recording = 0, round;
  get(session, L"INSTALLDIR", folder, PATH_ROOM);
  get(session, L"INTERRUPT_RECORDING", anyway, 8);
  allow_all_processes();
  each_below(folder, note_recording, &recording);
  if (recording && wcscmp(anyway, L"1") != 0) {
    MSIHANDLE record = MsiCreateRecord(1);
    MsiRecordSetStringW(record, 0, L"[1]");
    MsiRecordSetStringW(record, 1,
      L"Sightline is recording a contact. Try again when it has ended, or say INTERRUPT_RECORDING=1: the recording then has a gap.");
    MsiProcessMessage(session, INSTALLMESSAGE_ERROR | MB_ICONERROR, record);
    MsiCloseHandle(record);
    return ERROR_INSTALL_FAILURE;
  }
  append(&sessions, folder, L"\n", NULL);
  for (round = 0; round < ROUNDS; round++) {
    ended = 0;
    each_below(folder, end_process, &sessions);
    if (ended == 0) break;
  }
  MsiSetPropertyW(session, L"StartAgain", sessions.text);
  MsiSetPropertyW(session, L"StartAgainAfterAll", sessions.text);
  clear(&sessions);
  return ERROR_SUCCESS;
}

static void start_in(DWORD session, const wchar_t *folder) {
  STARTUPINFOW start = {.cb = sizeof start, .lpDesktop = (wchar_t[]){L"winsta0\\default"}};
  PROCESS_INFORMATION child;
  DWORD own = (DWORD)-1;
  HANDLE token;
  Text line = {0};
  append(&line, L"\"", folder, L"Sightline.exe\"", NULL);
  ProcessIdToSessionId(GetCurrentProcessId(), &own);
  if (WTSQueryUserToken(session, &token)) {
    void *environment = NULL;
    CreateEnvironmentBlock(&environment, token, FALSE);
    if (CreateProcessAsUserW(token, NULL, line.text, NULL, NULL, FALSE, CREATE_UNICODE_ENVIRONMENT, environment, folder, &start, &child)) {
      CloseHandle(child.hThread);
      CloseHandle(child.hProcess);
    }
    if (environment != NULL) DestroyEnvironmentBlock(environment);
    CloseHandle(token);
  } else if (session == own && session != 0) {
    /* Not SYSTEM, so this is the user's own session (or Wine, which knows no other). */
    start.lpDesktop = NULL;
    if (CreateProcessW(NULL, line.text, NULL, NULL, FALSE, 0, NULL, folder, &start, &child)) {
      CloseHandle(child.hThread);
      CloseHandle(child.hProcess);
    }
  }
  clear(&line);
}

/** Commit, and as rollback: for each session in which it was running. Never makes an installation fail. */
UINT __stdcall StartAgain(MSIHANDLE session) {
  DWORD room = 0;
  wchar_t none[1] = L"";
  wchar_t *data, *cursor, *folder, *part;
  MsiGetPropertyW(session, L"CustomActionData", none, &room);
  room++;
  data = cursor = must(calloc(room, sizeof *data));
  MsiGetPropertyW(session, L"CustomActionData", data, &room);
  folder = next_part(&cursor, L'\n');
  while ((part = next_part(&cursor, L'\n')) != NULL)
    if (*part != 0) start_in(wcstoul(part, NULL, 10), folder);
  free(data);
  return ERROR_SUCCESS;
}
