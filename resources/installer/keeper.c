// Keeps Sightline running: starts it, waits for its end without polling, and starts it again if it ended unexpectedly. The MSI
// starts this program at sign-in. A scheduled task starts a second one with /net, which waits behind the first and takes over if
// that one dies; if both die, the task starts one within a minute. One keeper works in each session.
//
// Not started again: a Sightline that ended with code 0 (it was told to: the agent, an administrator, the installer), one that
// ended because its session does, and one whose policy `autostart` is off. The keeper then stays and does nothing until sign-out,
// because the task would start it again.
#include <windows.h>
#include <tlhelp32.h>
#include <stdlib.h>
#include <wchar.h>
#include "keeper.h"

#define PATH_ROOM 32768
/** How long the one started by a sign-out or the installer may take to show that it has ended everything. */
#define SETTLE_MS 1000
/** It ran for so long that its end is not the same fault again. */
#define SOUND_MS (5 * 60 * 1000)
/** Before each start after an unexpected end, as they follow one another. */
static const DWORD delaysMs[] = {0, 2000, 10000, 30000, 60000};
enum { DELAYS = sizeof delaysMs / sizeof *delaysMs };

static wchar_t program[PATH_ROOM];

/** Sightline.exe in the folder above this program's. */
static int find_program(void) {
  static const wchar_t name[] = L"Sightline.exe";
  DWORD length = GetModuleFileNameW(NULL, program, PATH_ROOM);
  wchar_t *end;
  if (length == 0 || length >= PATH_ROOM) return 0;
  for (int i = 0; i < 2; i++) {
    end = wcsrchr(program, L'\\');
    if (end == NULL) return 0;
    *end = 0;
  }
  if (end - program + 1 + wcslen(name) >= PATH_ROOM) return 0;
  *end = L'\\';
  wcscpy(end + 1, name);
  return 1;
}

/** The process, if it runs Sightline.exe; null otherwise. The caller closes it. */
static HANDLE open_if_ours(DWORD id) {
  static wchar_t path[PATH_ROOM];
  DWORD room = PATH_ROOM;
  HANDLE process = OpenProcess(SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, id);
  if (process == NULL) return NULL;
  if (QueryFullProcessImageNameW(process, 0, path, &room) && _wcsicmp(path, program) == 0) return process;
  CloseHandle(process);
  return NULL;
}

/** The Sightline of this session, or null. Its first process: Electron starts others of the same program. */
static HANDLE find_running(void) {
  PROCESSENTRY32W entry = {.dwSize = sizeof entry};
  HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0), found = NULL;
  DWORD own = 0, session;
  if (all == INVALID_HANDLE_VALUE) return NULL;
  ProcessIdToSessionId(GetCurrentProcessId(), &own);
  for (BOOL more = Process32FirstW(all, &entry); more && found == NULL; more = Process32NextW(all, &entry)) {
    HANDLE process, parent;
    if (_wcsicmp(entry.szExeFile, L"Sightline.exe") != 0) continue;
    if (!ProcessIdToSessionId(entry.th32ProcessID, &session) || session != own) continue;
    process = open_if_ours(entry.th32ProcessID);
    if (process == NULL) continue;
    parent = open_if_ours(entry.th32ParentProcessID);
    if (parent == NULL) found = process;
    else {
      CloseHandle(parent);
      CloseHandle(process);
    }
  }
  CloseHandle(all);
  return found;
}

/** Outside of the installation's folder, which could otherwise not be removed. Null if it cannot be started. */
static HANDLE start(void) {
  static wchar_t line[PATH_ROOM + 2], folder[MAX_PATH];
  STARTUPINFOW with = {.cb = sizeof with};
  PROCESS_INFORMATION child;
  swprintf(line, PATH_ROOM + 2, L"\"%ls\"", program);
  GetSystemDirectoryW(folder, MAX_PATH);
  if (!CreateProcessW(program, line, NULL, NULL, FALSE, NORMAL_PRIORITY_CLASS, NULL, folder, &with, &child)) return NULL;
  CloseHandle(child.hThread);
  return child.hProcess;
}

/** The machine's policy. A user's setting counts at sign-in only. */
static int is_autostart_on(void) {
  DWORD on = 1, size = sizeof on;
  LSTATUS status = RegGetValueW(HKEY_LOCAL_MACHINE, L"SOFTWARE\\Policies\\Sightline", L"autostart",
                                RRF_RT_REG_DWORD | RRF_SUBKEY_WOW6464KEY, NULL, &on, &size);
  return status != ERROR_SUCCESS || on != 0;
}

/** Users may not open the installer's event, which shows that there is one. */
static int is_installing(void) {
  HANDLE event = OpenEventW(SYNCHRONIZE, FALSE, INSTALLING_EVENT);
  if (event == NULL) return GetLastError() == ERROR_ACCESS_DENIED;
  CloseHandle(event);
  return 1;
}

static void wait_until_sign_out(void) {
  Sleep(INFINITE);
}

/** Until Sightline is not to be started again. */
static void keep(HANDLE process) {
  unsigned ends = 0;
  while (process != NULL) {
    ULONGLONG since = GetTickCount64();
    DWORD code = 1;
    WaitForSingleObject(process, INFINITE);
    GetExitCodeProcess(process, &code);
    CloseHandle(process);
    if (GetTickCount64() - since >= SOUND_MS) ends = 0;
    /* Whoever ended it may be about to end this process too: a sign-out, the installer. */
    Sleep(SETTLE_MS);
    if (GetSystemMetrics(SM_SHUTTINGDOWN) || is_installing()) return;
    /* Somebody else may have started it. */
    process = find_running();
    if (process != NULL) continue;
    if (code == 0 || !is_autostart_on()) wait_until_sign_out();
    Sleep(delaysMs[ends < DELAYS ? ends : DELAYS - 1]);
    ends++;
    process = find_running();
    if (process == NULL) process = start();
  }
}

int WINAPI wWinMain(HINSTANCE instance, HINSTANCE before, PWSTR line, int show) {
  int isNet = wcscmp(line, L"/net") == 0;
  HANDLE turn = CreateMutexW(NULL, FALSE, L"Local\\SightlineKeeper"), process;
  (void)instance, (void)before, (void)show;
  if (turn == NULL || !find_program()) return 1;
  if (WaitForSingleObject(turn, isNet ? INFINITE : 0) == WAIT_TIMEOUT) return 0;
  if (GetSystemMetrics(SM_SHUTTINGDOWN) || (isNet && is_installing())) return 0;
  process = find_running();
  if (process == NULL) {
    if (isNet && !is_autostart_on()) wait_until_sign_out();
    process = start();
  }
  keep(process);
  return 0;
}
