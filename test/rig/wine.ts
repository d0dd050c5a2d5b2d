// Wine as the tests use it: a prefix of their own that says it is Windows 10, with a second drive, and one session on
// one display at a time. Nobody's own prefix (~/.wine) is touched.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, symlink } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { findWine } from '../../scripts/windows.mjs';
import { WindowsHelper } from '../../main/platform/windowsHelper.ts';
import { ensureWindowsHelper } from '../../resources/windowsHelper/build.mjs';
import { endWithUs } from './process.ts';
import { startWineRelay, type OpenConnection } from './wineRelay.ts';

/**
 * How far a frame may be from its moment where Wine runs beside other tests: on two busy processors gdigrab is held up. The 200 ms
 * of the guarantee are for `npm run test:full` (test/integration/clock.test.ts under Wine).
 */
export const CLOCK_BESIDE_OTHERS_MS = 500;

export interface WineSession {
  readonly loader: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** The prefix of this run of the tests. */
export function winePrefix(): string {
  const prefix = process.env.SIGHTLINE_TEST_WINEPREFIX;
  if (prefix === undefined)
    throw new Error('There is no Wine prefix: run these tests with --project windows.');
  return prefix;
}

/** A file of ours as a Windows program names it: Z: is the whole of this system. */
export function onDrive(path: string): string {
  const dataDrive = `${driveD()}/`;
  if (path.startsWith(dataDrive)) return `D:\\${path.slice(dataDrive.length).replaceAll('/', '\\')}`;
  return path.startsWith('/') ? `Z:${path.replaceAll('/', '\\')}` : path;
}

/** The folder that is the drive D: of the prefix. */
export function driveD(prefix = winePrefix()): string {
  return join(prefix, 'drive_d');
}

/** @param prefix a folder that is not there yet */
export async function makeWinePrefix(prefix: string): Promise<void> {
  const { loader } = wine();
  const environment = environmentOf(prefix, null);
  const run = (command: string, ...words: string[]): void => {
    const { status, stderr, error } = spawnSync(command, words, {
      env: environment,
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
      timeout: 120_000,
    });
    if (status !== 0) throw new Error(`${words.join(' ')} under Wine: ${error?.message ?? stderr}`);
  };
  run(loader, 'wineboot', '--init');
  run(loader, 'reg', 'add', 'HKCU\\Software\\Wine', '/v', 'Version', '/d', 'win10', '/f');
  await mkdir(driveD(prefix));
  await symlink('../drive_d', join(prefix, 'dosdevices', 'd:'));
  // The registry is written to its files when the server ends.
  endWine(prefix);
}

/** Ends every program of the prefix and waits until they are gone. There may be none. */
export function endWine(prefix: string): void {
  const options = { env: environmentOf(prefix, null), stdio: 'ignore', timeout: 20_000 } as const;
  spawnSync(wine().server, ['-k'], options);
  spawnSync(wine().server, ['-w'], options);
}

let current: { display: string | null; session: WineSession } | null = null;

/** The session of this run of the tests. Another display ends the one before. */
export async function wineSession(display: string | null): Promise<WineSession> {
  if (current?.display === display) return current.session;
  endWine(winePrefix());
  current = { display, session: await openDesktop(winePrefix(), display) };
  return current.session;
}

/**
 * Starts the desktop of a prefix on this display. A command prompt without input keeps it running: Wine's desktop exits a
 * second after the last program, and if an ffmpeg had to start it again the desktop would inherit its pipes, which then
 * never end.
 */
export async function openDesktop(prefix: string, display: string | null): Promise<WineSession> {
  const { loader } = wine();
  const environment = environmentOf(prefix, display);
  const keeper = spawn(loader, ['cmd.exe'], { env: environment, stdio: ['pipe', 'ignore', 'ignore'] });
  endWithUs(keeper);
  const greeter = spawn(loader, ['cmd.exe', '/c', 'ver'], { env: environment, stdio: 'ignore' });
  const [code] = (await once(greeter, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`Wine does not start on display ${display ?? '(none)'}.`);
  return { loader, environment };
}

let relay: { session: WineSession; open: Promise<OpenConnection> } | null = null;

/** As a program of the session that is up now. */
export async function connectInSession(port: number): Promise<Socket> {
  if (current === null) throw new Error('There is no Wine session: start the program first.');
  const { session } = current;
  if (relay?.session !== session)
    relay = { session, open: startWineRelay(session.loader, session.environment) };
  return (await relay.open)(port);
}

/** Sightline's own helper, in the session that is up now. */
export function helperInSession(): WindowsHelper {
  if (current === null) throw new Error('There is no Wine session: start the program first.');
  const { loader, environment } = current.session;
  const program = onDrive(ensureWindowsHelper({ log: () => undefined }));
  return new WindowsHelper(() => spawn(loader, [program], { env: environment, stdio: 'pipe' }));
}

function wine(): { loader: string; server: string } {
  const found = findWine();
  if (found === null) throw new Error('Wine is not installed (on Debian: apt install wine64).');
  return found;
}

function environmentOf(prefix: string, display: string | null): NodeJS.ProcessEnv {
  const { DISPLAY: _, ...inherited } = process.env;
  return {
    ...inherited,
    ...(display === null ? {} : { DISPLAY: display }),
    WINEPREFIX: prefix,
    WINEARCH: 'win64',
    WINEDEBUG: '-all',
    // How Wine reads the names of files and arguments.
    LC_ALL: 'C.UTF-8',
    // Nothing here needs .NET or a browser, for which Wine would ask and wait.
    WINEDLLOVERRIDES: 'mscoree,mshtml=',
  };
}
