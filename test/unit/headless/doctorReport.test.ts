// The report of `sightline doctor`: lines as the checks end, failures first in the summary, one entry for each cause.
import { expect, it } from 'vitest';
import type { CheckResult, Verdict } from '../../../main/diagnostics/check.ts';
import { doctorReport } from '../../../main/headless/doctorReport.ts';

const HOSTS = ['a.example:443', 'b.example:443', 'c.example:443', 'd.example:443', 'e.example:443'];
const result = (
  step: number,
  name: string,
  verdict: Verdict,
  evidence: string,
  remedy = '',
): CheckResult => ({
  ...{ step, name, verdict, evidence, remedy },
});
const table = [
  result(1, 'port', 'ok', 'port 5431 is free'),
  result(2, 'key store', 'warning', 'key-file encrypts and decrypts', 'Use an encrypted disk.'),
  result(3, 'display', 'failed', 'no monitor is switched on', 'Switch a monitor on.'),
  result(4, 'credentials', 'skipped', 'nothing is sent to AWS', 'A hint.'),
];
const network = [
  ...HOSTS.map((host, index) =>
    result(5 + index, `network ${host} dns`, 'failed', 'not known to DNS', `Have DNS resolve ${host}.`),
  ),
  ...HOSTS.map((host, index) =>
    result(10 + index, `network ${host} tcp`, 'skipped', 'not tried: dns failed'),
  ),
];

function print(color: boolean, results: readonly CheckResult[]): string {
  const report = doctorReport(color);
  return [...table.map((one) => report.line(one)), report.summary(results)].join('');
}

it('prints a line for each check, then failures before warnings, each cause once, and the counts last', () => {
  expect(print(false, [...table, ...network]).split('\n')).toEqual([
    '  1. ok       port: port 5431 is free',
    '  2. warning  key store: key-file encrypts and decrypts',
    '  3. failed   display: no monitor is switched on',
    '  4. skipped  credentials: nothing is sent to AWS',
    '     -> A hint.',
    '  5. failed   network dns of a.example:443, b.example:443, c.example:443 and 2 more: not known to DNS',
    ' 10. skipped  network tcp of a.example:443, b.example:443, c.example:443 and 2 more: not tried: dns failed',
    '',
    'Summary (names in quotes, such as "port", are keys of Sightline\'s policy, which IT sets)',
    '',
    'failed   display: no monitor is switched on',
    '     -> Switch a monitor on.',
    `failed   network dns of ${HOSTS.join(', ')}: not known to DNS`,
    '     -> Have DNS resolve a.example:443. Do the same for the others.',
    'warning  key store: key-file encrypts and decrypts',
    '     -> Use an encrypted disk.',
    '',
    '14 checks: 6 failed, 1 warning, 6 skipped, 1 ok',
    '',
  ]);
});

it('without problems has the counts only', () => {
  const report = doctorReport(false);
  const good = result(1, 'port', 'ok', 'port 5431 is free');
  expect(report.line(good) + report.summary([good])).toBe(
    '  1. ok       port: port 5431 is free\n\n1 check: 0 failed, 0 warnings, 0 skipped, 1 ok\n',
  );
});

it('has colors where the terminal has, and the same text', () => {
  const colored = print(true, [...table, ...network]);
  expect(colored).toContain('\u001b[31mfailed ');
  expect(colored).toContain('\u001b[31m6 failed');
  expect(colored.replaceAll(/\u001b\[\d+m/g, '')).toBe(print(false, [...table, ...network]));
});
