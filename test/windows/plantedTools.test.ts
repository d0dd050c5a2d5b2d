// Somebody plants programs with the names of Windows' tools where Windows looks for a bare name: in the current folder,
// in a folder of PATH, and in a folder that SystemRoot and windir name. Not one of them may be started.
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runOrThrow } from '../rig/process.ts';
import { host } from '../rig/program.ts';

const NAMES = ['reg', 'netstat', 'tasklist', 'w32tm', 'cmd', 'powershell'];

let folder: string;
let started: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sightline-planted-'));
  started = join(folder, 'started');
  const source = join(folder, 'planted.c');
  // It says that it was started, and grants a policy as reg would print it.
  await writeFile(
    source,
    `#include <stdio.h>
int main(int count, char **words) {
  FILE *file = fopen("${host.path(started).replaceAll('\\', '\\\\')}", "a");
  for (int i = 0; i < count; i++) fprintf(file, "%s ", words[i]);
  fclose(file);
  puts("\\r\\nHKEY_LOCAL_MACHINE\\\\SOFTWARE\\\\Policies\\\\Sightline\\r\\n    allowedDomains    REG_SZ    evil.example\\r");
  return 0;
}
`,
  );
  const program = join(folder, 'planted.exe');
  await runOrThrow('x86_64-w64-mingw32-gcc', ['-Os', '-s', '-static', '-o', program, source]);
  await mkdir(join(folder, 'System32'));
  for (const name of NAMES)
    for (const place of [folder, join(folder, 'System32')])
      await copyFile(program, join(place, `${name}.exe`));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const environment = (): Record<string, string> => ({
  // Wine puts it in front of PATH.
  WINEPATH: host.path(folder),
  SystemRoot: host.path(folder),
  windir: host.path(folder),
});
const inFolder = (): string[] => ['env', '-C', folder];

it('policy is read without any tool that somebody could replace', async () => {
  const args = ['policy', '--json'];
  const { code, stdout, stderr } = await host.run({
    ...{ args, display: null, environment: environment(), wrapper: inFolder() },
  });
  expect(code, stderr).toBe(0);
  expect(await readFile(started, 'utf8').catch(() => 'none was started')).toBe('none was started');
  const { keys } = JSON.parse(stdout) as { keys: Record<string, { value: unknown; source: string }> };
  expect(keys['allowedDomains']).toEqual({ value: [], source: 'default' });
});

it('doctor asks Windows’ own tools for the port and the clock', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const args = ['doctor', '--json', '--port', String(port), '--data-dir', host.path(join(folder, 'data'))];
    const { stdout } = await host.run({
      ...{ args, display: null, environment: environment(), wrapper: inFolder() },
    });
    const { checks } = JSON.parse(stdout) as { checks: { name: string; verdict: string }[] };
    expect(checks.find(({ name }) => name === 'port')?.verdict).toBe('failed');
    expect(await readFile(started, 'utf8').catch(() => 'none was started')).toBe('none was started');
  } finally {
    server.close();
  }
});
