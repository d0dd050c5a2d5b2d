// The command line as its users meet it: help, policy from its sources, doctor, recordings, and what is said when the
// words are wrong.
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Display } from '../rig/display.ts';
import { startDisplay } from '../rig/display.ts';
import { startRecorder } from '../rig/recorder.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
let home: string;
let display: Display;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'sightline-cli-'));
  display = await startDisplay();
});
afterAll(async () => {
  await display.stop();
  await rm(home, { recursive: true, force: true });
});

function sightline(args: string[], environment: Record<string, string> = {}) {
  const { DISPLAY: _, ...inherited } = process.env;
  const result = spawnSync(process.execPath, [join(root, 'dist/main/headless.mjs'), ...args], {
    encoding: 'utf8',
    env: { ...inherited, HOME: home, XDG_DATA_HOME: join(home, 'share'), ...environment },
  });
  return { code: result.status, stdout: result.stdout, stderr: result.stderr };
}

describe('sightline', () => {
  it('can be called as `npx sightline` in the clone', () => {
    const result = spawnSync('npx', ['--no-install', 'sightline', '--help'], { cwd: root, encoding: 'utf8' });
    expect(result.status).toBe(0);
    for (const command of ['serve', 'doctor', 'recordings', 'policy'])
      expect(result.stdout).toContain(command);
  });

  it.each(['serve', 'doctor', 'recordings', 'policy'])(
    '%s --help shows its own options, --help-all the policy keys as well',
    (command) => {
      const help = sightline([command, '--help']);
      expect(help.code).toBe(0);
      expect(help.stdout).toContain('--help-all');
      expect(help.stdout).not.toContain('--data-dir');
      expect(help.stdout.includes('--json')).toBe(command !== 'serve');
      const { code, stdout } = sightline([command, '--help-all']);
      expect(code).toBe(0);
      expect(stdout.indexOf('--help-all')).toBeLessThan(stdout.indexOf('Policy keys:'));
      for (const flag of [
        '--port',
        '--data-dir',
        '--sink-folder',
        '--allowed-domains',
        '--allow-loopback-origins',
      ]) {
        expect(stdout).toContain(flag);
      }
      expect(stdout).toContain('SIGHTLINE_GRACE_SECONDS');
    },
  );

  it.each([
    [['serve', '--no-such-flag'], /unknown option '--no-such-flag'/],
    [['record'], /unknown command 'record'/],
    [[], /Usage: sightline/],
    [['doctor', '--instance'], /argument missing/],
    [['recordings', 'retry', '--wait', 'long'], /--wait needs a whole number/],
    [['browser-policy'], /one of --print, --apply, --check and --remove is needed/],
    [['browser-policy', '--print', '--for', 'beos'], /Allowed choices are linux, windows/],
  ])('%j is refused with exit code 64', (args, words) => {
    const { code, stdout, stderr } = sightline(args);
    expect(code).toBe(64);
    expect(stderr).toMatch(words);
    expect(stdout).toBe('');
  });

  it.each([
    [['--port', 'many'], {}, /"port" from its flag is not valid: must be a number$/m],
    [['--port', '70000'], {}, /"port" from its flag is not valid: must be at most 65535$/m],
    [[], { SIGHTLINE_FPS: '0' }, /"fps" from SIGHTLINE_FPS is not valid: must be at least 1$/m],
    [['--sink', 'tape'], {}, /"sink" from its flag is not valid: must be one of folder, s3$/m],
    [['--data-dir', ''], {}, /"dataDir" from its flag is not valid: must not be empty$/m],
    [['--allowed-domains', 'https://a.example'], {}, /"https:\/\/a\.example": it has a scheme/],
    [
      ['--allowed-domains', 'good.example, *.bad.example'],
      {},
      /"\*\.bad\.example": wildcards are not allowed/,
    ],
    [
      ['--allow-loopback-origins', 'maybe'],
      {},
      /"allowLoopbackOrigins" from its flag is not valid: must be true or false$/m,
    ],
  ])('serve %j %j does not start', (args, environment, words) => {
    const { code, stdout, stderr } = sightline(['serve', ...args], environment);
    expect(code).toBe(64);
    expect(stderr).toMatch(words);
    expect(stdout).toBe('');
  });
});

describe('policy', () => {
  it('shows each value and where it comes from; a flag beats a variable', () => {
    const { code, stdout } = sightline(
      [
        'policy',
        '--json',
        '--fps',
        '7',
        '--allowed-domains',
        'A.example, b.example',
        '--allow-loopback-origins',
      ],
      { SIGHTLINE_FPS: '9', SIGHTLINE_GRACE_SECONDS: '5' },
    );
    expect(code).toBe(0);
    const { keys } = JSON.parse(stdout) as { keys: Record<string, { value: unknown; source: string }> };
    expect(keys.fps).toEqual({ value: 7, source: 'flag' });
    expect(keys.graceSeconds).toEqual({ value: 5, source: 'environment' });
    expect(keys.port).toEqual({ value: 5431, source: 'default' });
    expect(keys.allowedDomains).toEqual({ value: ['a.example', 'b.example'], source: 'flag' });
    expect(keys.allowLoopbackOrigins).toEqual({ value: true, source: 'flag' });
    expect(keys.dataDir).toEqual({ value: join(home, 'share', 'sightline'), source: 'default' });
  });

  it('is readable by people', () => {
    const { stdout } = sightline(['policy']);
    expect(stdout).toMatch(/^port\s+default\s+5431$/m);
    expect(stdout).toMatch(/^allowedDomains\s+default\s+\(none\)$/m);
  });
});

describe('doctor', () => {
  it('is content with a machine on which all is well', () => {
    const { code, stdout } = sightline(
      ['doctor', '--json', '--data-dir', join(home, 'd'), '--display', display.display],
      { SIGHTLINE_ALLOWED_DOMAINS: 'acme.my.connect.aws' },
    );
    const { checks } = JSON.parse(stdout) as {
      checks: { name: string; verdict: string; evidence: string }[];
    };
    const verdicts = Object.fromEntries(checks.map((check) => [check.name, check]));
    expect(verdicts['ffmpeg and encoder']).toMatchObject({ verdict: 'ok' });
    expect(verdicts['ffmpeg and encoder']?.evidence).toContain('libopenh264');
    expect(verdicts.display?.evidence).toBe('screen 1280x720');
    expect(checks.filter((check) => check.verdict === 'failed')).toEqual([]);
    expect(code).toBe(0);
  });

  it('says what to do where it is not', async () => {
    const file = join(home, 'a-file');
    await writeFile(file, '');
    const { code, stdout } = sightline([
      'doctor',
      ...[
        '--data-dir',
        join(home, 'd'),
        '--sink-folder',
        join(file, 'x'),
        '--ffmpeg-path',
        join(home, 'nothing'),
      ],
    ]);
    expect(code).toBe(1);
    // A line for each check, then the failures with what to do, then the counts.
    expect(stdout).toMatch(/^ +4\. failed +allowed domains: no page may connect$/m);
    expect(stdout).toMatch(/^failed\s+allowed domains: no page may connect\n\s+-> Set "allowedDomains"/m);
    expect(stdout).toMatch(/^failed\s+ffmpeg and encoder, test capture: No ffmpeg was found/m);
    expect(stdout).toMatch(/^failed\s+display: No display is named/m);
    expect(stdout).toMatch(/^failed\s+sink folder: .*\n\s+-> There is a file where a folder should be/m);
    expect(stdout.indexOf('\nfailed ')).toBeLessThan(stdout.indexOf('\nwarning '));
    expect(stdout).toMatch(/\n\n21 checks: [5-9] failed, \d+ warnings?, \d+ skipped, \d+ ok\n$/);
    expect(stdout).not.toContain('\u001b');
  });

  it('has colors on a terminal, unless NO_COLOR is set', () => {
    const command = `'${process.execPath}' '${join(root, 'dist/main/headless.mjs')}' doctor --data-dir '${join(home, 'd')}'`;
    const onTerminal = (environment: Record<string, string>): string =>
      spawnSync('script', ['-qec', command, '/dev/null'], {
        env: { HOME: home, PATH: process.env.PATH, TERM: 'xterm', ...environment },
        encoding: 'utf8',
      }).stdout;
    expect(onTerminal({})).toMatch(/\u001b\[31mfailed +\u001b\[39m/);
    const plain = onTerminal({ NO_COLOR: '1' });
    expect(plain).toMatch(/^failed +\S/m);
    expect(plain).not.toContain('\u001b');
  });
});

describe('recordings', () => {
  it('lists none, then each with start, length and status', async () => {
    const dataDir = join(home, 'r', 'data');
    expect(sightline(['recordings', '--data-dir', dataDir]).stdout).toBe('No recordings yet.\n');
    const recorder = await startRecorder({ display: display.display, home: join(home, 'r') });
    const page = await recorder.connect();
    await page.ask('contact.start', { contactId: 'seen', channel: 'TASK' });
    await page.ask('contact.stop', { contactId: 'seen' });
    await page.event('seen', 'PUBLISHED');
    await recorder.stop();
    const { recordings } = JSON.parse(sightline(['recordings', '--json', '--data-dir', dataDir]).stdout) as {
      recordings: { contact: string; status: string; detail: string }[];
    };
    expect(recordings).toHaveLength(1);
    expect(recordings[0]).toMatchObject({ contact: 'seen', status: 'PUBLISHED' });
    expect(recordings[0]?.detail).toMatch(/^file:.*seen_.*\.mp4$/);
    const [header, line] = sightline(['recordings', '--data-dir', dataDir]).stdout.split('\n');
    expect(header).toMatch(/^STARTED +LENGTH +STATUS +CONTACT +DETAILS$/);
    expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}0:0\d +PUBLISHED {2}seen +file:/);
  });
});
