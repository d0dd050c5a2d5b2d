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
    const [{ step, verdict, evidence, remedy }] = group;
    printed += group.length;
    const names = group.map(({ name }) => name);
    // One name is as short as "and 1 more".
    const shown = shortList(names, names.length === 4 ? 4 : 3);
    // The remedies of problems are in the summary.
    const hint = verdict === 'ok' || verdict === 'skipped' ? remedy : '';
    return `${String(step).padStart(3)}. ${label(verdict)}  ${shown}: ${evidence}\n${arrow(hint)}`;
  };
  const entry = (group: Group): string => {
    const [{ verdict, evidence, remedy }] = group;
    const names = group.map(({ name }) => name).join(', ');
    const others = new Set(group.map((one) => one.remedy)).size > 1 ? ' Do the same for the others.' : '';
    return `${label(verdict)}  ${paint('bold', names)}: ${evidence}\n${arrow(`${remedy}${others}`)}`;
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
