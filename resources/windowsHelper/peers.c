/* `peers`: finds the processes at the other end of loopback connections, and whether they run in the session of this process.
 *
 * The argument lists connections, separated by commas, as the other end sees them: `ADDRESS PORT ADDRESS PORT`, local end
 * first. The answer is a JSON array with one string for each:
 *   ours             it runs in our session
 *   session S PID    it runs in session S
 *   process PID      its session is unknown, or the process is younger than the connection: its id was used again
 *   none             there is no such connection
 * https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getextendedtcptable */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "helper.h"
#include <ws2tcpip.h>
#include <iphlpapi.h>

/* Addresses as 16 bytes (IPv4-mapped), so that one comparison serves both tables. */
typedef struct {
  BYTE local[16], remote[16];
  USHORT local_port, remote_port;
} Connection;

typedef struct {
  DWORD pid;
  /* When the socket was created, as FILETIME; 0 if unknown (Wine). */
  LONGLONG created;
} Owner;

static void map_v4(BYTE out[16], const void *v4) {
  memset(out, 0, 10);
  memset(out + 10, 0xff, 2);
  memcpy(out + 12, v4, 4);
}

static BOOL parse_address(const char *text, BYTE out[16]) {
  BYTE v4[4];
  if (inet_pton(AF_INET, text, v4) == 1) {
    map_v4(out, v4);
    return TRUE;
  }
  return inet_pton(AF_INET6, text, out) == 1;
}

static BOOL parse(const char *text, Connection *out) {
  char local[64], remote[64];
  unsigned local_port, remote_port;
  if (sscanf(text, "%63s %u %63s %u", local, &local_port, remote, &remote_port) != 4) return FALSE;
  out->local_port = (USHORT)local_port;
  out->remote_port = (USHORT)remote_port;
  return parse_address(local, out->local) && parse_address(remote, out->remote);
}

/* NULL if Windows does not return it. The caller frees it. */
static void *read_table(ULONG family) {
  DWORD size = 64 * 1024;
  for (int tries = 0; tries < 5; tries++) {
    void *table = malloc(size);
    if (table == NULL) return NULL;
    DWORD error = GetExtendedTcpTable(table, &size, FALSE, family, TCP_TABLE_OWNER_MODULE_CONNECTIONS, 0);
    if (error == NO_ERROR) return table;
    free(table);
    if (error != ERROR_INSUFFICIENT_BUFFER) return NULL;
    size += 16 * 1024; /* for connections opened in between */
  }
  return NULL;
}

static BOOL is_same(const Connection *wanted, const BYTE local[16], DWORD local_port, const BYTE remote[16],
                    DWORD remote_port) {
  return wanted->local_port == ntohs((USHORT)local_port) && wanted->remote_port == ntohs((USHORT)remote_port) &&
         memcmp(wanted->local, local, 16) == 0 && memcmp(wanted->remote, remote, 16) == 0;
}

static BOOL find_v4(const MIB_TCPTABLE_OWNER_MODULE *table, const Connection *wanted, Owner *out) {
  for (DWORD i = 0; table != NULL && i < table->dwNumEntries; i++) {
    const MIB_TCPROW_OWNER_MODULE *row = &table->table[i];
    BYTE local[16], remote[16];
    if (row->dwState != MIB_TCP_STATE_ESTAB) continue;
    map_v4(local, &row->dwLocalAddr);
    map_v4(remote, &row->dwRemoteAddr);
    if (!is_same(wanted, local, row->dwLocalPort, remote, row->dwRemotePort)) continue;
    *out = (Owner){row->dwOwningPid, row->liCreateTimestamp.QuadPart};
    return TRUE;
  }
  return FALSE;
}

static BOOL find_v6(const MIB_TCP6TABLE_OWNER_MODULE *table, const Connection *wanted, Owner *out) {
  for (DWORD i = 0; table != NULL && i < table->dwNumEntries; i++) {
    const MIB_TCP6ROW_OWNER_MODULE *row = &table->table[i];
    if (row->dwState != MIB_TCP_STATE_ESTAB) continue;
    if (!is_same(wanted, row->ucLocalAddr, row->dwLocalPort, row->ucRemoteAddr, row->dwRemotePort)) continue;
    *out = (Owner){row->dwOwningPid, row->liCreateTimestamp.QuadPart};
    return TRUE;
  }
  return FALSE;
}

/* A socket can outlive the process whose id it shows, and Windows uses ids again. So the process that has the id now must
 * be older than the socket. */
static BOOL is_old_enough(const Owner *owner) {
  FILETIME created, ended, kernel, user;
  HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, owner->pid);
  if (process == NULL) return FALSE;
  BOOL known = GetProcessTimes(process, &created, &ended, &kernel, &user);
  CloseHandle(process);
  LONGLONG since = ((LONGLONG)created.dwHighDateTime << 32) | created.dwLowDateTime;
  return known && (owner->created == 0 || since <= owner->created);
}

static void add_owner(Answer *answer, const Owner *owner) {
  DWORD ours, theirs;
  if (owner->pid == 0 || !ProcessIdToSessionId(GetCurrentProcessId(), &ours) ||
      !ProcessIdToSessionId(owner->pid, &theirs))
    add(answer, "\"process %lu\"", owner->pid);
  else if (theirs != ours) add(answer, "\"session %lu %lu\"", theirs, owner->pid);
  else if (!is_old_enough(owner)) add(answer, "\"process %lu\"", owner->pid);
  else add(answer, "\"ours\"");
}

void answer_peers(Answer *answer, char *argument) {
  void *v4 = read_table(AF_INET), *v6 = read_table(AF_INET6);
  char start = '[';
  for (char *one = strtok(argument, ","); one != NULL; one = strtok(NULL, ",")) {
    Connection wanted;
    Owner owner;
    add(answer, "%c", start);
    start = ',';
    if (parse(one, &wanted) && (find_v4(v4, &wanted, &owner) || find_v6(v6, &wanted, &owner)))
      add_owner(answer, &owner);
    else add(answer, "\"none\"");
  }
  add(answer, start == '[' ? "[]" : "]");
  free(v4);
  free(v6);
}
