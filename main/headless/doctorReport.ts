// The text of `sightline doctor`: a line for each check as it ends, then a summary with the failures first. Results with the
// same cause (14 hosts not tried because DNS failed) are one entry. Pure.

import { styleText } from 'node:util';
import { counted, shortList, type CheckResult, type Verdict } from '../diagnostics/check.ts';

const colors = { ok: 'green', warning: 'yellow', failed: 'red', skipped: 'gray' } as const;

export interface DoctorReport {
  /** For a result of the table's checks, as it ends. */
  line(result: CheckResult): string;
  /** The network's results, then the summary. @param results all */
  summary(results: readonly CheckResult[]): string;
}

/** @param color whether the output is a terminal that shows colors */
export function doctorReport(color: boolean): DoctorReport {
  const paint = (format: Parameters<typeof styleText>[0], text: string): string =>
    color ? styleText(format, text, { validateStream: false }) : text;
  const label = (verdict: Verdict): string => paint(colors[verdict], verdict.padEnd(7));
  let printed = 0;

  const line = (group: Group): string => {
    const [{ step, verdict, evidence }] = group;
    printed += group.length;
    // The remedies of problems are in the summary.
    const hint = verdict === 'ok' || verdict === 'skipped' ? remedyOf(group) : '';
    const names = namesOf(group, hint === '' ? 3 : Infinity);
    return `${String(step).padStart(3)}. ${label(verdict)}  ${names}: ${evidence}\n${arrow(hint)}`;
  };
  const entry = (group: Group): string => {
    const [{ verdict, evidence }] = group;
    const names = paint('bold', namesOf(group, Infinity));
    return `${label(verdict)}  ${names}: ${evidence}\n${arrow(remedyOf(group))}`;
  };
  const countsOf = (results: readonly CheckResult[]): string => {
    const texts = (['failed', 'warning', 'skipped', 'ok'] as const).map((verdict) => {
      const count = results.filter((one) => one.verdict === verdict).length;
      const text = verdict === 'warning' ? counted(count, verdict) : `${count} ${verdict}`;
      return count === 0 ? text : paint(colors[verdict], text);
    });
    return `${counted(results.length, 'check')}: ${texts.join(', ')}`;
  };

  return {
    line: (result) => line([result]),
    summary: (results) => {
      const network = mergeCauses(results.slice(printed)).map(line);
      const problems = (['failed', 'warning'] as const).flatMap((verdict) =>
        mergeCauses(results.filter((one) => one.verdict === verdict)).map(entry),
      );
      const notes =
        '\nSummary (names in quotes, such as "port", are keys of Sightline\'s policy, which IT sets)\n\n';
      return [...network, problems.length === 0 ? '' : notes, ...problems, `\n${countsOf(results)}\n`].join(
        '',
      );
    },
  };
}

const NETWORK = /^network (\S+:\d+) (\w+)$/;

/** Of several hosts `network dns of a.example:443, b.example:443`. @param max of them that are listed */
function namesOf(group: Group, max: number): string {
  const names = group.map(({ name }) => name);
  const parts = names.map((name) => NETWORK.exec(name) ?? []);
  if (group.length === 1 || parts.some(({ length }) => length === 0)) return shortList(names, max);
  const [hosts, steps] = [1, 2].map((at) => [...new Set(parts.map((part) => part[at] ?? ''))]);
  return `network ${(steps ?? []).join(', ')} of ${shortList(hosts ?? [], max)}`;
}

/** The remedy of a host names it; other checks that fail for the same reason need one remedy. */
function remedyOf([first, ...others]: Group): string {
  const differs = others.some(({ remedy }) => remedy !== first.remedy);
  return differs && NETWORK.test(first.name) ? `${first.remedy} Do the same for the others.` : first.remedy;
}

function arrow(text: string): string {
  return text === '' ? '' : `     -> ${text}\n`;
}

type Group = readonly [CheckResult, ...CheckResult[]];

/** Groups of the same verdict and evidence, in the order of their first result. */
function mergeCauses(results: readonly CheckResult[]): Group[] {
  const groups = new Map<string, Group>();
  for (const result of results) {
    const cause = `${result.verdict} ${result.evidence}`;
    const group = groups.get(cause);
    groups.set(cause, group === undefined ? [result] : [...group, result]);
  }
  return [...groups.values()];
}
