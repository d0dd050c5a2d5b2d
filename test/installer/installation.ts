// What the tests of the MSI share: a Windows machine (Wine) with a display, MSIs built by the same script as those for IT,
// msiexec with its log, and what an installation leaves where.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { startDisplay, type Display } from '../rig/display.ts';
import { decodeFrames, type DecodeOptions } from '../rig/frames.ts';
import { orLeftOut } from '../rig/leftOut.ts';
import { decodesCleanly } from '../rig/mp4.ts';
import { connectPage, readPublished, type Page } from '../rig/recorder.ts';
import { makeTestMsi, type TestMsi } from './msiFiles.ts';
import { startWindows, whyNoInstaller, type WindowsMachine } from './windowsMachine.ts';

export const POLICY = 'HKLM\\SOFTWARE\\Policies\\Sightline';
export const RUN = 'HKLM\\Software\\Microsoft\\Windows\\CurrentVersion\\Run';
export const UNINSTALL = 'HKLM\\Software\\Microsoft\\Windows\\CurrentVersion\\Uninstall';
/** The installer's own records. */
export const OUR_KEY = 'HKLM\\SOFTWARE\\Sightline';
export const PROGRAM_FOLDER = 'C:\\Program Files\\Sightline';
export const COMMAND_LINE = `${PROGRAM_FOLDER}\\bin\\sightline.exe`;
/** ERROR_INSTALL_FAILURE, 1603; Wine passes on the low byte. */
export const FAILED = 1603 & 0xff;
/** A contact is in progress: ERROR_INSTALL_USEREXIT, 1602. */
export const BUSY = 1602 & 0xff;
/** "Try later": ERROR_INSTALL_ALREADY_RUNNING, 1618. */
export const TRY_LATER = 1618 & 0xff;
const ORIGIN = 'https://acme.my.connect.aws';

export interface MsiOutcome {
  readonly code: number;
  /** Of `/l*v`. */
  readonly log: string;
}

type Values = Record<string, { value: unknown; source: string }>;

/**
 * A suite on one machine, which exists before its first test and is removed after its last.
 *
 * @param prepare runs beside the start of Windows: builds MSIs and what else the suite needs
 * @param alsoNeeds why the suite cannot run here for another reason than Wine; null if it can
 */
export function describeMsi(
  title: string,
  prepare: (machine: Machine) => Promise<unknown>,
  suite: (machine: Machine) => void,
  alsoNeeds: string | null = null,
): void {
  const why = whyNoInstaller() ?? alsoNeeds;
  describe.skipIf(why !== null)(orLeftOut(`${title} (under Wine)`, why), () => {
    const machine = new Machine();
    beforeAll(() => machine.start(prepare), 400_000);
    afterAll(() => machine.stop());
    suite(machine);
  });
}

export class Machine {
  /** For the files of the suite. */
  folder!: string;
  display!: Display;
  windows!: WindowsMachine;
  /** Free on this machine, for Sightline. */
  port!: number;
  private readonly productCodes = new Map<string, string>();
  private readonly endings: (() => Promise<unknown>)[] = [];

  async start(prepare: (machine: Machine) => Promise<unknown>): Promise<void> {
    this.folder = mkdtempSync(join(tmpdir(), 'sightline-installer-'));
    this.onEnd(() => rm(this.folder, { recursive: true, force: true }));
    this.port = await freePort();
    this.display = await startDisplay({ width: 1280, height: 720 });
    this.onEnd(() => this.display.stop());
    const windows = startWindows(this.display.display).then((started) => {
      this.windows = started;
      this.onEnd(() => started.remove());
    });
    const outcomes = await Promise.allSettled([windows, prepare(this)]);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /** The last registered runs first. */
  onEnd(ending: () => Promise<unknown>): void {
    this.endings.unshift(ending);
  }

  async stop(): Promise<void> {
    for (const ending of this.endings) await ending();
  }

  msi(version: string): string {
    return join(this.folder, `sightline-${version}.msi`);
  }

  async build(version: string, options: TestMsi = {}): Promise<void> {
    this.productCodes.set(version, await makeTestMsi(this.msi(version), version, options));
  }

  productCode(version: string): string {
    return this.productCodes.get(version) ?? '';
  }

  /** `msiexec /i`, silent. */
  install(
    version: string,
    properties: readonly string[] = [],
    environment?: Readonly<Record<string, string>>,
  ): Promise<MsiOutcome> {
    return this.msiexec('/i', this.windows.path(this.msi(version)), properties, environment);
  }

  uninstall(version: string): Promise<MsiOutcome> {
    return this.msiexec('/x', this.productCode(version), []);
  }

  /** As install; fails with the log if the installation does. */
  async installed(version: string, properties: readonly string[] = []): Promise<string> {
    const { code, log } = await this.install(version, properties);
    expect({ code, log: code === 0 ? '' : log }).toEqual({ code: 0, log: '' });
    return log;
  }

  async uninstalled(version: string): Promise<void> {
    expect((await this.uninstall(version)).code).toBe(0);
  }

  private async msiexec(
    verb: string,
    what: string,
    properties: readonly string[],
    environment?: Readonly<Record<string, string>>,
  ): Promise<MsiOutcome> {
    const log = join(this.windows.driveC, 'msi.log');
    rmSync(log, { force: true });
    const args = [verb, what, '/qn', '/l*v', 'C:\\msi.log', ...properties];
    const { code } = await this.windows.run('msiexec', args, environment);
    return { code, log: existsSync(log) ? readFileSync(log, 'utf8').replaceAll('\r\n', '\n') : '' };
  }

  /** A file of the installation. */
  file(path: string): string {
    return join(this.windows.driveC, 'Program Files/Sightline', path);
  }

  /** Neither files nor registry values of Sightline are left. */
  async expectRemoved(): Promise<void> {
    expect(existsSync(this.file(''))).toBe(false);
    for (const key of [POLICY, RUN, UNINSTALL, OUR_KEY])
      expect(await this.windows.registry(key), key).toEqual({});
  }

  /** `sightline policy --json` of the installed program. */
  async policy(environment: Readonly<Record<string, string>> = {}): Promise<Values> {
    const { code, stdout, stderr } = await this.windows.run(COMMAND_LINE, ['policy', '--json'], environment);
    if (code !== 0) throw new Error(`sightline policy ended with ${code}: ${stderr}`);
    return (JSON.parse(stdout) as { keys: Values }).keys;
  }

  /** The version that the program on our port reports; null if there is none. */
  async version(): Promise<string | null> {
    try {
      const connection = await this.windows.connect(this.port);
      // No `agent`: even `agent: false` ignores createConnection and connects from Linux, which Sightline refuses.
      const asked = request({
        ...{ host: '127.0.0.1', port: this.port, path: '/v1/health', headers: { Origin: ORIGIN } },
        createConnection: () => connection,
      }).end();
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      return ((await json(answer)) as { version: string }).version;
    } catch {
      return null;
    }
  }

  expectVersion(version: string | null): Promise<void> {
    return expect.poll(() => this.version(), { timeout: 60_000, interval: 200 }).toBe(version);
  }

  connectPage(origin = ORIGIN): Promise<Page> {
    return connectPage(this.port, { origin, open: this.windows.connect });
  }

  /** Of the only user. */
  published(): ReturnType<typeof readPublished> {
    return readPublished(join(this.dataFolder(), 'recordings'));
  }

  /** As Windows counts. */
  recorderPid(): number {
    const file = join(this.dataFolder(), 'control.json');
    return (JSON.parse(readFileSync(file, 'utf8')) as { pid: number }).pid;
  }

  private dataFolder(): string {
    const users = join(this.windows.driveC, 'users');
    const [user = ''] = readdirSync(users).filter((name) => name !== 'Public');
    return join(users, user, 'AppData/Local/Sightline');
  }

  /** Stops the contact; its recording is uploaded, plays, and shows the painted screen. */
  async expectRecording(page: Page, contactId: string, options: DecodeOptions = {}) {
    await page.ask('contact.stop', { contactId });
    await page.event(contactId, 'PUBLISHED');
    await page.close();
    const [published] = await this.published();
    if (published === undefined) throw new Error('There is no recording.');
    expect(published.manifest.contact.contactId).toBe(contactId);
    expect(await decodesCleanly(published.mp4)).toBe('');
    const frames = await decodeFrames(published.mp4, options);
    expect(frames.filter((frame) => frame.codes[0] !== null).length).toBeGreaterThan(0);
    return published.manifest.runs[0]?.monitors[0];
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
