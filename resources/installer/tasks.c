// See tasks.h. Task Scheduler's own interface: schtasks.exe may be blocked, and takes its XML from a file only.
#define COBJMACROS
#include "tasks.h"
#include <initguid.h>
#include <taskschd.h>
#include "text.h"
#include <stdlib.h>

#define TASK_NAME L"Sightline keeper"

/** For XML. The caller frees it. */
static wchar_t *escaped(const wchar_t *text) {
  Text result = {0};
  append(&result, L"", NULL);
  for (; *text != 0; text++) {
    wchar_t one[2] = {*text, 0};
    append(&result, *text == L'&' ? L"&amp;" : *text == L'<' ? L"&lt;" : one, NULL);
  }
  return result.text;
}

/**
 * At sign-in and then once a minute, as the user who signed in, with no more rights. While the keeper of the task waits behind the one
 * that was started at sign-in, IgnoreNew keeps further ones from being started, so the minute costs nothing. Priority 5 is normal;
 * the default of tasks is below normal, which Sightline would inherit.
 */
static wchar_t *task_xml(const wchar_t *program) {
  wchar_t *path = escaped(program);
  wchar_t *xml = join(
    L"<?xml version=\"1.0\" encoding=\"UTF-16\"?>\n"
    L"<Task version=\"1.2\" xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\">"
    L"<RegistrationInfo><Author>Sightline</Author>"
    L"<Description>Starts Sightline again within a minute if it and its keeper have ended unexpectedly.</Description></RegistrationInfo>"
    L"<Triggers><LogonTrigger><Repetition><Interval>PT1M</Interval></Repetition></LogonTrigger></Triggers>"
    L"<Principals><Principal id=\"Users\"><GroupId>S-1-5-32-545</GroupId><RunLevel>LeastPrivilege</RunLevel></Principal></Principals>"
    L"<Settings><MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>"
    L"<DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries><StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>"
    L"<ExecutionTimeLimit>PT0S</ExecutionTimeLimit><Priority>5</Priority></Settings>"
    L"<Actions Context=\"Users\"><Exec><Command>\"", path, L"\"</Command><Arguments>/net</Arguments></Exec></Actions></Task>", NULL);
  free(path);
  return xml;
}

/** The root folder of Task Scheduler; the caller releases it. */
static HRESULT open_folder(ITaskFolder **folder) {
  ITaskService *service;
  VARIANT none = {0};
  BSTR root = SysAllocString(L"\\");
  HRESULT result = CoCreateInstance(&CLSID_TaskScheduler, NULL, CLSCTX_INPROC_SERVER, &IID_ITaskService, (void **)&service);
  if (SUCCEEDED(result)) {
    result = ITaskService_Connect(service, none, none, none, none);
    if (SUCCEEDED(result)) result = ITaskService_GetFolder(service, root, folder);
    ITaskService_Release(service);
  }
  SysFreeString(root);
  return result;
}

static int find_task(ITaskFolder *folder, BSTR name) {
  IRegisteredTask *task;
  if (FAILED(ITaskFolder_GetTask(folder, name, &task))) return 0;
  IRegisteredTask_Release(task);
  return 1;
}

static HRESULT change_task(ITaskFolder *folder, BSTR name, const wchar_t *program) {
  IRegisteredTask *task = NULL;
  VARIANT none = {0};
  HRESULT result;
  wchar_t *text;
  BSTR xml;
  if (program == NULL) return find_task(folder, name) ? ITaskFolder_DeleteTask(folder, name, 0) : S_OK;
  text = task_xml(program);
  xml = SysAllocString(text);
  result = ITaskFolder_RegisterTask(folder, name, xml, TASK_CREATE_OR_UPDATE, none, none, TASK_LOGON_GROUP, none, &task);
  if (SUCCEEDED(result)) IRegisteredTask_Release(task);
  SysFreeString(xml);
  free(text);
  return result;
}

/** With `found`, asks only. */
static HRESULT with_task(const wchar_t *program, int *found) {
  ITaskFolder *folder;
  BSTR name = SysAllocString(TASK_NAME);
  HRESULT entered = CoInitializeEx(NULL, COINIT_MULTITHREADED), result;
  result = open_folder(&folder);
  if (SUCCEEDED(result)) {
    if (found != NULL) *found = find_task(folder, name);
    else result = change_task(folder, name, program);
    ITaskFolder_Release(folder);
  }
  if (SUCCEEDED(entered)) CoUninitialize();
  SysFreeString(name);
  return result;
}

int has_task(void) {
  int found = 0;
  with_task(NULL, &found);
  return found;
}

HRESULT set_task(const wchar_t *program) {
  return with_task(program, NULL);
}
