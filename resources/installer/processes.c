// Custom actions for the running Sightline. They never interrupt a contact, then close Sightline (its recordings are uploaded
// at the next start), and start it again in each session in which it was running, so that agents are recorded without signing
// in again. Only Sightline's own programs are closed: other programs in its folder belong to someone else.
#define UNICODE
#define _UNICODE
#include <windows.h>
#include <tlhelp32.h>
#include <userenv.h>
#include <wtsapi32.h>
#include <stdlib.h>
#include <wchar.h>
#include "keeper.h"
#include "session.h"
#include "text.h"

#define PATH_ROOM 32768
/** How long to wait for each process to exit. */
#define EXIT_MS 5000
/** A program may start another one before it is closed, so this repeats until there is none. */
#define ROUNDS 5

static const wchar_t *const programs[] = {
  L"Sightline.exe",
  L"bin\\sightline.exe",
  L"bin\\sightline-keeper.exe",
  L"cli\\node.exe",
  L"resources\\windowsHelper\\win32-x64\\sightline-helper.exe",
  L"resources\\ffmpeg\\win32-x64\\ffmpeg.exe",
};
enum { APP, LAUNCHER, KEEPER, COMMAND_LINE, MONITOR_HELPER, FFMPEG, PROGRAMS };

/** A running process of one of these programs. */
typedef struct {
  DWORD id, parent;
  int program;
} Running;

/** An administrator can end processes of other users only with this privilege. */
static void allow_all_processes(void) {
  TOKEN_PRIVILEGES wanted = {1, {{{0, 0}, SE_PRIVILEGE_ENABLED}}};
  HANDLE token;
  if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &token)) return;
  if (LookupPrivilegeValueW(NULL, L"SeDebugPrivilege", &wanted.Privileges[0].Luid))
    AdjustTokenPrivileges(token, FALSE, &wanted, 0, NULL, NULL);
  CloseHandle(token);
}

/** Which of our programs the process runs, or -1. */
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

/** Calls `act` for each process that runs one of our programs in the folder, which ends in a backslash. */
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

/** A pipe of this name may have all of its instances in use for a moment. */
#define PIPE_MS 1000

/** Who holds a pipe with the name of a process: no one, the process itself, or another one that has taken the name. */
typedef enum { NOBODY, ITSELF, ANOTHER } Holder;

/**
 * Of the named pipe by which a process signals something (main/platform/installerSignal.ts). The connection is anonymous:
 * this may be SYSTEM, and a pipe's server could otherwise act as its client.
 */
static Holder holder_of(DWORD id, const wchar_t *what) {
  wchar_t *name = join(L"\\\\.\\pipe\\sightline-", what, L"-", digits(id).text, NULL);
  ULONG server = 0;
  Holder result = NOBODY;
  for (int tries = 0; tries < 2; tries++) {
    HANDLE pipe = CreateFileW(name, FILE_READ_ATTRIBUTES, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING,
                              SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS, NULL);
    if (pipe != INVALID_HANDLE_VALUE) {
      result = GetNamedPipeServerProcessId(pipe, &server) && server == id ? ITSELF : ANOTHER;
      CloseHandle(pipe);
      break;
    }
    if (GetLastError() != ERROR_PIPE_BUSY) break;
    /* In doubt it is a contact. */
    result = ITSELF;
    if (!WaitNamedPipeW(name, PIPE_MS)) break;
  }
  free(name);
  return result;
}

typedef struct {
  const wchar_t *folder;
  Text found; /* a line for each process with a contact; null if there is none */
} Contacts;

/**
 * Each session's Sightline answers for itself. The ffmpeg of a program that gives no answer, such as an older version, or
 * whose name another program has taken, counts as a contact. It must be the recorder's child: otherwise any user could block upgrades by starting our ffmpeg.
 */
static void note_contact(const Running *running, void *context) {
  Contacts *contacts = context;
  DWORD recorder = running->program == FFMPEG ? running->parent : running->id, session = 0;
  int program = running->program == FFMPEG ? program_of(recorder, contacts->folder) : running->program;
  Holder contact;
  int busy;
  if (program != APP && program != COMMAND_LINE) return;
  contact = holder_of(recorder, L"contact");
  if (running->program != FFMPEG) busy = contact == ITSELF;
  else busy = contact == ANOTHER || holder_of(recorder, L"program") != ITSELF;
  if (!busy) return;
  ProcessIdToSessionId(recorder, &session);
  append(&contacts->found, L"\nsession ", digits(session).text, L", process ", digits(recorder).text, NULL);
}

static int ended;

static void end_process(const Running *running, void *context);

/** Before what they keep running. */
static void end_keeper(const Running *running, void *context) {
  if (running->program == KEEPER) end_process(running, context);
}

static void end_process(const Running *running, void *context) {
  Text *sessions = context;
  DWORD session;
  HANDLE process = OpenProcess(PROCESS_TERMINATE | SYNCHRONIZE, FALSE, running->id);
  if (process == NULL) return;
  if (running->program == APP && ProcessIdToSessionId(running->id, &session)) {
    wchar_t *line = join(L"\n", digits(session).text, L"\n", NULL);
    /* Electron has several processes of that name, and each session needs one start. */
    if (wcsstr(sessions->text, line) == NULL) append(sessions, line, NULL);
    free(line);
  }
  if (TerminateProcess(process, 0)) {
    ended++;
    WaitForSingleObject(process, EXIT_MS);
  }
  CloseHandle(process);
}

/** Immediate, before InstallValidate, which would ask for a restart because of files in use. */
UINT __stdcall StopRunning(MSIHANDLE session) {
  wchar_t *folder = property(session, L"INSTALLDIR"), *interrupt = property(session, L"INTERRUPT_RECORDING");
  int interrupts = wcscmp(interrupt, L"1") == 0 && is_administrator();
  UINT result = ERROR_SUCCESS;
  Text sessions = {0};
  Contacts contacts = {folder, {0}};
  free(interrupt);
  allow_all_processes();
  if (!interrupts) each_of_ours(folder, note_contact, &contacts);
  if (contacts.found.text != NULL) {
    fail(session, L"Sightline was not changed, because a contact is in progress:", contacts.found.text,
         L"\nTry again after the contact, or pass INTERRUPT_RECORDING=1: the recording then has a gap.", NULL);
    /* Not ERROR_INSTALL_FAILURE: a deployment can tell "try later" (1602) from a failure. A silent installation has no user
     * who could cancel it, which is what that code says otherwise. */
    result = ERROR_INSTALL_USEREXIT;
  } else {
    /* Until this installation ends: the process of the custom actions keeps the handle. No keeper starts meanwhile. */
    CreateEventW(NULL, TRUE, TRUE, INSTALLING_EVENT);
    append(&sessions, folder, L"\n", NULL);
    each_of_ours(folder, end_keeper, &sessions);
    for (int round = 0; round < ROUNDS; round++) {
      ended = 0;
      each_of_ours(folder, end_process, &sessions);
      if (ended == 0) break;
    }
    MsiSetPropertyW(session, L"StartAgain", sessions.text);
    MsiSetPropertyW(session, L"StartAgainAfterAll", sessions.text);
    clear(&sessions);
  }
  clear(&contacts.found);
  free(folder);
  return result;
}

static void start_in(DWORD session, const wchar_t *folder) {
  /* Outside of the folder, as at sign-in: a program that outlives Sightline, such as the console host, would otherwise keep
   * the folder from being removed. */
  static wchar_t current[MAX_PATH];
  STARTUPINFOW start = {.cb = sizeof start};
  PROCESS_INFORMATION child;
  DWORD own = (DWORD)-1;
  HANDLE token;
  BOOL started = FALSE;
  wchar_t *line = join(L"\"", folder, L"bin\\sightline-keeper.exe\"", NULL);
  GetSystemDirectoryW(current, MAX_PATH);
  ProcessIdToSessionId(GetCurrentProcessId(), &own);
  if (WTSQueryUserToken(session, &token)) {
    void *environment = NULL;
    CreateEnvironmentBlock(&environment, token, FALSE);
    start.lpDesktop = (wchar_t[]){L"winsta0\\default"};
    started = CreateProcessAsUserW(token, NULL, line, NULL, NULL, FALSE, CREATE_UNICODE_ENVIRONMENT, environment, current,
                                   &start, &child);
    if (environment != NULL) DestroyEnvironmentBlock(environment);
    CloseHandle(token);
  } else if (session == own && session != 0) {
    /* Not SYSTEM, so this is the user's own session. (Under Wine there is only one.) */
    started = CreateProcessW(NULL, line, NULL, NULL, FALSE, 0, NULL, current, &start, &child);
  }
  if (started) {
    CloseHandle(child.hThread);
    CloseHandle(child.hProcess);
  }
  free(line);
}

/** As commit and as rollback: in each session in which it was running. Never makes an installation fail. */
UINT __stdcall StartAgain(MSIHANDLE session) {
  wchar_t *data = property(session, L"CustomActionData"), *cursor = data, *part;
  const wchar_t *folder = next_part(&cursor, L'\n');
  while ((part = next_part(&cursor, L'\n')) != NULL)
    if (*part != 0) start_in(wcstoul(part, NULL, 10), folder);
  free(data);
  return ERROR_SUCCESS;
}
