// The installer's custom actions for the registry and the keeper's task: a DLL in C, because Windows deprecates scripts in an MSI and .NET is not
// on every machine. The Registry table cannot do this: it deletes a value by its name, even if group policy has written it
// since. So the installer records what it writes (WRITTEN_KEY) and changes or deletes a value only if it still is what it
// wrote. Prepare plans and changes nothing; Apply carries out a plan, also the one that undoes the first as a rollback.
#define UNICODE
#define _UNICODE
#include <windows.h>
#include <userenv.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include "checks.h"
#include "groupPolicy.h"
#include "registry.h"
#include "session.h"
#include "tasks.h"
#include "text.h"

#define OUR_KEY L"SOFTWARE\\Sightline\\Installer"
#define WRITTEN_KEY OUR_KEY L"\\Written"
#define FOLDER_PATH OUR_KEY L"\\InstallDir"
#define BROWSER_PATH OUR_KEY L"\\BROWSER_POLICY"
#define POLICY_KEY L"SOFTWARE\\Policies\\Sightline"
/** In INSTALLDIR. */
#define KEEPER L"bin\\sightline-keeper.exe"
/** A step of a plan: the task for this program, or none. */
#define TASK_STEP L"task\t"
#define RUN_VALUE L"SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run\\Sightline"

typedef struct {
  const wchar_t *property;
  /** Where its value is kept. */
  const wchar_t *path;
  DWORD type;
  Check check;
} Setting;

enum { DOMAINS, PORT, SINK, BUCKET, REGION, KMS_KEY, AUTOSTART, MAY_QUIT, BROWSER, SETTINGS };
static const Setting settings[SETTINGS] = {
  [DOMAINS] = {L"ALLOWED_CONNECT_DOMAINS", POLICY_KEY L"\\allowedDomains", REG_SZ, CHECK_DOMAINS},
  [PORT] = {L"PORT", POLICY_KEY L"\\port", REG_DWORD, CHECK_PORT},
  [SINK] = {L"SINK", POLICY_KEY L"\\sink", REG_SZ, CHECK_SINK},
  [BUCKET] = {L"S3_BUCKET", POLICY_KEY L"\\s3Bucket", REG_SZ, CHECK_BUCKET},
  [REGION] = {L"S3_REGION", POLICY_KEY L"\\awsRegion", REG_SZ, CHECK_REGION},
  [KMS_KEY] = {L"KMS_KEY_ID", POLICY_KEY L"\\s3KmsKeyId", REG_SZ, CHECK_KMS_KEY},
  [AUTOSTART] = {L"AUTOSTART", POLICY_KEY L"\\autostart", REG_DWORD, CHECK_FLAG},
  [MAY_QUIT] = {L"AGENT_MAY_QUIT", POLICY_KEY L"\\agentMayQuit", REG_DWORD, CHECK_FLAG},
  /* Not a policy of Sightline: the installer keeps it for itself, and no one else writes it. */
  [BROWSER] = {L"BROWSER_POLICY", BROWSER_PATH, REG_SZ, CHECK_FLAG},
};
static const wchar_t *const browserKeys[] = {
  L"SOFTWARE\\Policies\\Google\\Chrome\\LoopbackNetworkAllowedForUrls",
  L"SOFTWARE\\Policies\\Microsoft\\Edge\\LoopbackNetworkAllowedForUrls",
};

/** A value in its stored form, or null if it is invalid, which is added to the problems. The caller frees it. */
static wchar_t *check(const Setting *setting, const wchar_t *value, const wchar_t *whose, Text *problems) {
  static char problem[16384];
  char *plain = to_utf8(value);
  char *normal = must(malloc(strlen(plain) + 1));
  int good = check_value(setting->check, plain, normal, problem, sizeof problem);
  wchar_t *result = from_utf8(good ? normal : problem);
  free(plain);
  free(normal);
  if (good) return result;
  append(problems, L"\n", setting->property, whose, L": ", result, NULL);
  free(result);
  return NULL;
}

/**
 * The value on the command line in its stored form; null if there is none or it is invalid. Users' values are ignored:
 * Windows Installer lets every user repair an installation, and does it as SYSTEM.
 */
static wchar_t *given_value(MSIHANDLE session, const Setting *setting, int trusted, Text *problems) {
  wchar_t *value = property(session, setting->property);
  wchar_t *result = NULL;
  if (*value != 0 && trusted) result = check(setting, value, L"", problems);
  if (*value != 0 && !trusted)
    log_line(session, L"Sightline: ", setting->property,
             L" is ignored: only an administrator can set it. Run msiexec from an elevated prompt, or as SYSTEM.", NULL);
  free(value);
  return result;
}

/** With a backslash at its end, without dots and short names. The caller frees it. */
static wchar_t *full_path(const wchar_t *path) {
  static wchar_t full[32768], longer[32768];
  DWORD length = GetFullPathNameW(path, 32768, full, NULL);
  if (length == 0 || length >= 32768) return copy(path);
  length = GetLongPathNameW(full, longer, 32768); /* fails if it does not exist yet */
  const wchar_t *result = length == 0 || length >= 32768 ? full : longer;
  length = (DWORD)wcslen(result);
  return join(result, length > 0 && result[length - 1] == L'\\' ? L"" : L"\\", NULL);
}

static int same_folder(const wchar_t *one, const wchar_t *other) {
  wchar_t *first = full_path(one), *second = full_path(other);
  int result = _wcsicmp(first, second) == 0;
  free(first);
  free(second);
  return result;
}

/** The folder becomes part of the machine's start at sign-in, and programs in it are closed. */
static void check_install_folder(MSIHANDLE session, Text *problems) {
  static const wchar_t *const properties[] = {
    L"WindowsFolder", L"ProgramFiles64Folder", L"ProgramFilesFolder", L"CommonFiles64Folder",
    L"CommonFilesFolder", L"CommonAppDataFolder",
  };
  /* The users' folders and the Windows folder. */
  enum { PROPERTIES = sizeof properties / sizeof *properties, CLOSED = 2 };
  static wchar_t profiles[MAX_PATH + 1];
  static char problem[4096];
  wchar_t *given = property(session, L"INSTALLDIR"), *folder = full_path(given), *text;
  char *plain = to_utf8(folder);
  char *taken[PROPERTIES + 1];
  DWORD room = MAX_PATH;
  size_t count = 0;
  Value recorded;
  if (!GetProfilesDirectoryW(profiles, &room)) wcscpy(profiles, L"C:\\Users");
  text = full_path(profiles);
  taken[count++] = to_utf8(text);
  free(text);
  for (size_t i = 0; i < PROPERTIES; i++) {
    text = property(session, properties[i]);
    if (*text != 0) taken[count++] = to_utf8(text);
    free(text);
  }
  if (!check_folder(plain, (const char *const *)taken, count, CLOSED, problem, sizeof problem)) {
    text = from_utf8(problem);
    append(problems, L"\nINSTALLDIR: ", text, NULL);
    free(text);
  }
  while (count > 0) free(taken[--count]);
  if (is_given(session, L"Installed") && read_value(FOLDER_PATH, &recorded)) {
    if (!same_folder(recorded.text, folder))
      append(problems, L"\nINSTALLDIR: Sightline is already installed in ", recorded.text,
             L". To move it, remove it first", NULL);
    free_value(&recorded);
  }
  free(plain);
  free(folder);
  free(given);
}

/** A value is ours as long as it is what we wrote, and group policy has not set it, not even to the same. */
static int is_ours(const Values *written, const wchar_t *path, const Value *now) {
  const Value *before = find(written, path);
  return before != NULL && now != NULL && same(before, now) && !is_group_policy(path);
}

/** One entry per domain in each browser's list. Entries of others are kept, and not added a second time. */
static void want_browser_entries(Values *wanted, const Values *written, const wchar_t *domains) {
  for (size_t browser = 0; browser < sizeof browserKeys / sizeof *browserKeys; browser++) {
    Values existing = {0};
    wchar_t *rest = copy(domains), *cursor = rest, *domain;
    read_all(browserKeys[browser], browserKeys[browser], &existing);
    while ((domain = next_part(&cursor, L',')) != NULL) {
      wchar_t *url = join(L"https://", domain, NULL), *path = NULL;
      const Value *entry = NULL;
      for (int i = 0; i < existing.count; i++)
        if (existing.items[i].type == REG_SZ && wcscmp(existing.items[i].text, url) == 0) entry = &existing.items[i];
      if (entry != NULL) {
        if (is_ours(written, entry->path, entry)) put(wanted, entry->path, REG_SZ, url);
      } else {
        unsigned number = 0;
        do {
          free(path);
          path = join(browserKeys[browser], L"\\", digits(++number).text, NULL);
        } while (find(&existing, path) != NULL || find(wanted, path) != NULL);
        put(wanted, path, REG_SZ, url);
      }
      free(url);
      free(path);
    }
    free(rest);
    free_values(&existing);
  }
}

/** All values that this installation is to have. If there is any problem, nothing is installed. */
static void gather_wanted(MSIHANDLE session, const Values *written, Values *wanted, Text *problems) {
  wchar_t *now[SETTINGS] = {0};
  int trusted = is_administrator();
  for (int i = 0; i < SETTINGS; i++) {
    Value existing;
    int found = read_value(settings[i].path, &existing);
    int ours = found && (i == BROWSER || is_ours(written, settings[i].path, &existing));
    now[i] = given_value(session, &settings[i], trusted, problems);
    /* A value that is not given again keeps what an earlier installation wrote. */
    if (now[i] != NULL || ours) put(wanted, settings[i].path, settings[i].type, now[i] != NULL ? now[i] : existing.text);
    /* Other settings depend on what will be in the registry, including values of others. */
    if (found && (now[i] == NULL || !ours)) {
      free(now[i]);
      now[i] = copy(existing.text);
    }
    if (found) free_value(&existing);
  }
  /* Sightline's own default is for computers without central administration. */
  if (now[MAY_QUIT] == NULL) put(wanted, settings[MAY_QUIT].path, REG_DWORD, L"0");
  if (now[SINK] != NULL && wcscmp(now[SINK], L"s3") == 0 && now[BUCKET] == NULL)
    append(problems, L"\nSINK: s3 also needs S3_BUCKET", NULL);
  if (now[BROWSER] != NULL && wcscmp(now[BROWSER], L"1") == 0) {
    if (now[DOMAINS] == NULL || *now[DOMAINS] == 0)
      append(problems, L"\nBROWSER_POLICY: 1 also needs ALLOWED_CONNECT_DOMAINS", NULL);
    else {
      /* It may be an unchecked value of someone else. */
      wchar_t *domains = check(&settings[DOMAINS], now[DOMAINS], L" (in the registry)", problems);
      if (domains != NULL) want_browser_entries(wanted, written, domains);
      free(domains);
    }
  }
  if (now[AUTOSTART] == NULL || wcscmp(now[AUTOSTART], L"0") != 0) {
    wchar_t *folder = property(session, L"INSTALLDIR");
    wchar_t *command = join(L"\"", folder, KEEPER L"\"", NULL);
    put(wanted, RUN_VALUE, REG_SZ, command);
    free(command);
    free(folder);
  }
  for (int i = 0; i < SETTINGS; i++) free(now[i]);
}

/** A plan, and the one that undoes it. */
typedef struct {
  Text apply, undo;
} Plan;

static void plan_change(Plan *plan, const wchar_t *path, const Value *from, const Value *to) {
  Text first = {0};
  write_step(&plan->apply, path, to);
  /* Undone in the opposite order. */
  write_step(&first, path, from);
  append(&first, plan->undo.text != NULL ? plan->undo.text : L"", NULL);
  clear(&plan->undo);
  plan->undo = first;
}

/** Of a value that only the installer writes. */
static void plan_own(Plan *plan, const wchar_t *path, const Value *to) {
  Value existing;
  int found = read_value(path, &existing);
  plan_change(plan, path, found ? &existing : NULL, to);
  if (found) free_value(&existing);
}

/** Records what is written to a path; null if it is not ours any longer. */
static void plan_record(Plan *plan, const wchar_t *path, const Value *written) {
  wchar_t *record = join(WRITTEN_KEY, L"\\", path, NULL);
  plan_own(plan, record, written);
  free(record);
}

static void plan_wanted(MSIHANDLE session, Plan *plan, const Values *written, const Value *want) {
  Value existing;
  int found = read_value(want->path, &existing);
  if (!found || is_ours(written, want->path, &existing)) {
    plan_change(plan, want->path, found ? &existing : NULL, want);
    plan_record(plan, want->path, want);
  } else {
    if (!same(&existing, want))
      log_line(session, L"Sightline: HKLM\\", want->path,
               L" was not set by this installer (for example, group policy set it) and is not changed.", NULL);
    if (find(written, want->path) != NULL) plan_record(plan, want->path, NULL);
  }
  if (found) free_value(&existing);
}

static void plan_unwanted(Plan *plan, const Values *written, const wchar_t *path) {
  Value existing;
  int found = read_value(path, &existing);
  if (found && is_ours(written, path, &existing)) plan_change(plan, path, &existing, NULL);
  plan_record(plan, path, NULL);
  if (found) free_value(&existing);
}

/** The keeper's task exists wherever Sightline starts at sign-in. */
static void plan_task(MSIHANDLE session, Plan *plan, int wanted) {
  wchar_t *folder = property(session, L"INSTALLDIR");
  wchar_t *with = join(TASK_STEP, folder, KEEPER L"\n", NULL);
  append(&plan->apply, wanted ? with : TASK_STEP L"\n", NULL);
  append(&plan->undo, has_task() ? with : TASK_STEP L"\n", NULL);
  free(with);
  free(folder);
}

/** A computer whose Task Scheduler is off is recorded as well: the keeper that starts at sign-in works without the task. */
static void apply_task(MSIHANDLE session, const wchar_t *program) {
  HRESULT result = set_task(*program == 0 ? NULL : program);
  if (FAILED(result))
    log_line(session, L"Sightline: the scheduled task could not be changed (error ", digits((unsigned long)result).text, L").", NULL);
}

/** Immediate, after CostFinalize: checks the properties, plans, and passes the plan on to ApplyPolicy and UndoPolicy. */
UINT __stdcall Prepare(MSIHANDLE session) {
  Values written = {0}, wanted = {0};
  Text problems = {0};
  Plan plan = {0};
  wchar_t *remove = property(session, L"REMOVE");
  int removing = wcscmp(remove, L"ALL") == 0;
  free(remove);
  /* The newer version has planned with the current values and takes over from here. */
  if (is_given(session, L"UPGRADINGPRODUCTCODE")) return ERROR_SUCCESS;
  read_all(WRITTEN_KEY, NULL, &written);
  if (!removing) {
    check_install_folder(session, &problems);
    gather_wanted(session, &written, &wanted, &problems);
  }
  if (problems.text != NULL)
    return fail(session, L"Sightline was not installed because of invalid properties:", problems.text, NULL);
  for (int i = 0; i < wanted.count; i++)
    if (wcscmp(wanted.items[i].path, BROWSER_PATH) != 0) plan_wanted(session, &plan, &written, &wanted.items[i]);
  for (int i = 0; i < written.count; i++)
    if (find(&wanted, written.items[i].path) == NULL) plan_unwanted(&plan, &written, written.items[i].path);
  plan_own(&plan, BROWSER_PATH, find(&wanted, BROWSER_PATH));
  plan_task(session, &plan, find(&wanted, RUN_VALUE) != NULL);
  MsiSetPropertyW(session, L"UndoPolicy", plan.undo.text);
  MsiSetPropertyW(session, L"ApplyPolicy", plan.apply.text);
  return ERROR_SUCCESS;
}

/** Deferred and as rollback, as SYSTEM: the steps of a plan in their order. */
UINT __stdcall Apply(MSIHANDLE session) {
  wchar_t *steps = property(session, L"CustomActionData");
  wchar_t *cursor = steps, *step;
  UINT result = ERROR_SUCCESS;
  while (result == ERROR_SUCCESS && (step = next_part(&cursor, L'\n')) != NULL) {
    LONG status = ERROR_SUCCESS;
    if (wcsncmp(step, TASK_STEP, wcslen(TASK_STEP)) == 0) apply_task(session, step + wcslen(TASK_STEP));
    else if (*step != 0) status = carry_out(step);
    if (status != ERROR_SUCCESS)
      result = fail(session, L"Sightline: changing the registry failed (error ", digits((unsigned long)status).text, L"): ",
                    step, NULL);
  }
  free(steps);
  return result;
}
