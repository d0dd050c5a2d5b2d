// Custom actions about the running Sightline: never in mid-recording, then ended (whatever was recorded is delivered at
// the next start), and started again for those who had it running, so that no agent goes unrecorded until he signs in.
// Only programs that Sightline brings along are looked at: whatever else lies in its folder is somebody else's.
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
#include "caller.h"
#include "text.h"

#define PATH_ROOM 32768
/** How long an ended process may take to be gone, each. */
#define GONE_MS 5000
/** How often to look again: a program may start another between being seen and being ended. */
#define ROUNDS 5

static const wchar_t *const programs[] = {
  L"Sightline.exe", L"bin\\sightline.exe", L"cli\\node.exe", L"resources\\monitorHelper\\win32-x64\\sightline-monitor-helper.exe",
  L"resources\\ffmpeg\\win32-x64\\ffmpeg.exe",
};
enum { APP, LAUNCHER, COMMAND_LINE, DESK, FFMPEG, PROGRAMS };

/** One that runs. */
typedef struct {
  DWORD id, parent;
  int program;
} Running;

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

/** Which of our programs that is, or -1. */
static int program_of(DWORD id, const wchar_t *folder) {
  static wchar_t path[PATH_ROOM];
  DWORD room = PATH_ROOM;
  size_t length = wcslen(folder);
  HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, id);
  BOOL known;
  if (process == NULL) return -1;
  known = QueryFullProcessImageNameW(process, 0, path, &room);
  CloseHandle(process);
  if (!known || _wcsnicmp(path, folder, length) != 0) return -1;
  for (int i = 0; i < PROGRAMS; i++)
    if (_wcsicmp(path + length, programs[i]) == 0) return i;
  return -1;
}

/** Calls `act` with each process that runs one of our programs out of the folder, which ends in a backslash. */
static void each_of_ours(const wchar_t *folder, void (*act)(const Running *running, void *context), void *context) {
  PROCESSENTRY32W entry = {.dwSize = sizeof entry};
  HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
  if (all == INVALID_HANDLE_VALUE) return;
  for (BOOL more = *folder != 0 && Process32FirstW(all, &entry); more; more = Process32NextW(all, &entry)) {
    Running running = {entry.th32ProcessID, entry.th32ParentProcessID, program_of(entry.th32ProcessID, folder)};
    if (running.program >= 0) act(&running, context);
  }
  CloseHandle(all);
}

typedef struct {
  const wchar_t *folder;
  DWORD id; /* of the ffmpeg that records, or 0 */
} Recording;

/** A recorder's ffmpeg is its child. Anybody can start ours by itself, and would hold up every upgrade. */
static void note_recording(const Running *running, void *context) {
  Recording *recording = context;
  int parent;
  if (running->program != FFMPEG) return;
  parent = program_of(running->parent, recording->folder);
  if (parent == APP || parent == COMMAND_LINE) recording->id = running->id;
}

static int ended;

static void end_process(const Running *running, void *context) {
  Text *sessions = context;
  DWORD session;
  HANDLE process = OpenProcess(PROCESS_TERMINATE | SYNCHRONIZE, FALSE, running->id);
  if (process == NULL) return;
  if (running->program == APP && ProcessIdToSessionId(running->id, &session)) {
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
  Recording recording = {folder, 0};
  int round;
  get(session, L"INSTALLDIR", folder, PATH_ROOM);
  get(session, L"INTERRUPT_RECORDING", anyway, 8);
  allow_all_processes();
  each_of_ours(folder, note_recording, &recording);
  if (recording.id != 0 && (wcscmp(anyway, L"1") != 0 || !is_administrator())) {
    MSIHANDLE record = MsiCreateRecord(2);
    DWORD where = 0;
    ProcessIdToSessionId(recording.id, &where);
    MsiRecordSetStringW(record, 0,
      L"Sightline is recording a contact (session [1], process [2]). Try again when it has ended, or say INTERRUPT_RECORDING=1: the recording then has a gap.");
    MsiRecordSetInteger(record, 1, (int)where);
    MsiRecordSetInteger(record, 2, (int)recording.id);
    MsiProcessMessage(session, INSTALLMESSAGE_ERROR | MB_ICONERROR, record);
    MsiCloseHandle(record);
    return ERROR_INSTALL_FAILURE;
  }
  append(&sessions, folder, L"\n", NULL);
  for (round = 0; round < ROUNDS; round++) {
    ended = 0;
    each_of_ours(folder, end_process, &sessions);
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
