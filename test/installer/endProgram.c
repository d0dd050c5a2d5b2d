// For tests: `endProgram NAME CODE` ends all processes of that name with that exit code, as Task Manager (1) or the installer (0) does.
#include <windows.h>
#include <tlhelp32.h>
#include <wchar.h>

int wmain(int argc, wchar_t **argv) {
  PROCESSENTRY32W entry = {.dwSize = sizeof entry};
  HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
  int ended = 0;
  if (argc != 3 || all == INVALID_HANDLE_VALUE) return 64;
  for (BOOL more = Process32FirstW(all, &entry); more; more = Process32NextW(all, &entry)) {
    HANDLE process = _wcsicmp(entry.szExeFile, argv[1]) == 0 ? OpenProcess(PROCESS_TERMINATE, FALSE, entry.th32ProcessID) : NULL;
    if (process == NULL) continue;
    if (TerminateProcess(process, (UINT)wcstoul(argv[2], NULL, 10))) ended++;
    CloseHandle(process);
  }
  CloseHandle(all);
  return ended > 0 ? 0 : 1;
}
