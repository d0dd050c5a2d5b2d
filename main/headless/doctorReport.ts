// The text of `sightline doctor`: a line for each check as it ends, then a summary with the failures first. Results with the
// same cause (14 hosts not tried because DNS failed) are one entry. Pure.

import { styleText } from 'node:util';
import type { CheckResult, Verdict } from '../diagnostics/check.ts';

const colors = { ok: 'green', warning: 'yellow', failed: 'red', skipped: 'gray' } as const;
const MAX_NAMES = 3;

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

  const line = (...group: readonly CheckResult[]): string => {
    const [{ step, verdict, evidence, remedy }] = group as [CheckResult];
    printed += group.length;
    // The remedies of problems are in the summary.
    const hint = verdict === 'ok' || verdict === 'skipped' ? remedy : '';
    return `${String(step).padStart(3)}. ${label(verdict)}  ${namesOf(group)}: ${evidence}\n${arrow(hint)}`;
  };
  const entry = (group: readonly CheckResult[]): string => {
    const [{ verdict, evidence, remedy }] = group as [CheckResult];
    const others = new Set(group.map((one) => one.remedy)).size > 1 ? ' Do the same for the others.' : '';
    return `${label(verdict)}  ${paint('bold', group.map(({ name }) => name).join(', '))}: ${evidence}\n${arrow(`${remedy}${others}`)}`;
  };

  return {
    line: (result) => line(result),
    summary: (results) => {
      const network = mergeCauses(results.slice(printed)).map((group) => line(...group));
      const problems = (['failed', 'warning'] as const).flatMap((verdict) =>
        mergeCauses(results.filter((one) => one.verdict === verdict)).map(entry),
      );
      const notes =
        problems.length === 0
          ? []
          : [
              '\nSummary (names in quotes, such as "port", are keys of Sightline\'s policy, which IT sets)\n\n',
            ];
      return [...network, ...notes, ...problems, `\n${countsOf(results)}\n`].join('');
    },
  };

  function countsOf(results: readonly CheckResult[]): string {
    const count = (verdict: Verdict): number => results.filter((one) => one.verdict === verdict).length;
    const warnings = count('warning');
    const parts = [
      [count('failed'), 'failed', 'red'],
      [warnings, warnings === 1 ? 'warning' : 'warnings', 'yellow'],
      [count('skipped'), 'skipped', 'gray'],
      [count('ok'), 'ok', 'green'],
    ] as const;
    const texts = parts.map(([number, text, format]) =>
      number === 0 ? `0 ${text}` : paint(format, `${number} ${text}`),
    );
    return `${results.length} ${results.length === 1 ? 'check' : 'checks'}: ${texts.join(', ')}`;
  }
}

function arrow(text: string): string {
  return text === '' ? '' : `     -> ${text}\n`;
}

function namesOf(group: readonly CheckResult[]): string {
  const names = group.map(({ name }) => name);
  const more = names.length - MAX_NAMES;
  return more <= 1 ? names.join(', ') : `${names.slice(0, MAX_NAMES).join(', ')} and ${more} more`;
}

/** Groups of the same verdict and evidence, in the order of their first result. */
function mergeCauses(results: readonly CheckResult[]): CheckResult[][] {
  const groups = new Map<string, CheckResult[]>();
  for (const result of results) {
    const cause = `${result.verdict} ${result.evidence}`;
    groups.set(cause, [...(groups.get(cause) ?? []), result]);
  }
  return [...groups.values()];
}
