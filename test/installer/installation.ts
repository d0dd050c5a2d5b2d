// What the tests of the MSI share: msiexec with its log, and where things are when it has run.
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import type { WindowsMachine } from './windowsMachine.ts';

export const POLICY = 'HKLM\\SOFTWARE\\Policies\\Sightline';
export const RUN = 'HKLM\\Software\\Microsoft\\Windows\\CurrentVersion\\Run';
export const UNINSTALL = 'HKLM\\Software\\Microsoft\\Windows\\CurrentVersion\\Uninstall';
export const COMMAND_LINE = 'C:\\Program Files\\Sightline\\bin\\sightline.exe';
/** ERROR_INSTALL_FAILURE, 1603; Wine hands on the low byte. */
export const FAILED = 1603 & 0xff;
export const ORIGIN = 'https://acme.my.connect.aws';

/** `msiexec /i ... /qn`, with what it wrote to its log. `what`: the MSI as this system names it, or a product code. */
export async function msiexec(
  windows: WindowsMachine,
  verb: '/i' | '/x',
  what: string,
  properties: readonly string[] = [],
): Promise<{ code: number; log: string }> {
  const log = join(windows.driveC, 'msi.log');
  rmSync(log, { force: true });
  const named = what.startsWith('/') ? windows.path(what) : what;
  const { code } = await windows.run('msiexec', [verb, named, '/qn', '/l*v', 'C:\\msi.log', ...properties]);
  return { code, log: existsSync(log) ? readFileSync(log, 'utf8').replaceAll('\r\n', '\n') : '' };
}

export function installedFile(windows: WindowsMachine, path: string): string {
  return join(windows.driveC, 'Program Files/Sightline', path);
}

/** Of the one user. */
export function dataFolder(windows: WindowsMachine): string {
  const [user = ''] = readdirSync(join(windows.driveC, 'users')).filter((name) => name !== 'Public');
  return join(windows.driveC, 'users', user, 'AppData/Local/Sightline');
}

/** What the program at the port says that it is; null when nobody is there. */
export async function versionAt(windows: WindowsMachine, port: number): Promise<string | null> {
  try {
    const connection = await windows.connect(port);
    // No `agent`: even `agent: false` ignores createConnection and connects from Linux, which Sightline refuses.
    const asked = request({
      ...{ host: '127.0.0.1', port, path: '/v1/health', headers: { Origin: ORIGIN } },
      createConnection: () => connection,
    }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    return ((await json(answer)) as { version: string }).version;
  } catch {
    return null;
  }
}

export interface ShownPolicy {
  readonly keys: Record<string, { value: unknown; source: string }>;
}

/** `sightline policy --json` of the installed program. */
export async function shownPolicy(windows: WindowsMachine): Promise<ShownPolicy> {
  const { code, stdout, stderr } = await windows.run(COMMAND_LINE, ['policy', '--json']);
  if (code !== 0) throw new Error(`sightline policy ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as ShownPolicy;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
