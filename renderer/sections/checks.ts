// The health checks: run on demand. Problems first, each with what was seen and what to do; the others folded away.

import type { SightlineBridge } from '../../main/shared/ipc.ts';
import type { ShownCheck, ShownChecks } from '../../main/shared/overview.ts';
import type { Item } from '../dom.ts';
import { KeyedList, h, icon, setAttribute, write } from '../dom.ts';
import { timeOfDay } from '../format.ts';
import { strings } from '../strings.ts';
import type { Announce, Section } from './section.ts';
import { frame } from './section.ts';

export function checks(bridge: Pick<SightlineBridge, 'runChecks'>, announce: Announce): Section {
  const summary = h('p', { class: 'quiet', role: 'status' });
  const message = h('p', { class: 'quiet' });
  const listIn = (host: HTMLElement): KeyedList<ShownCheck> =>
    new KeyedList<ShownCheck>(host, ({ step }) => String(step), checkItem);
  const [problemHost, otherHost] = [h('ol', { class: 'rows checks' }), h('ol', { class: 'rows checks' })];
  const [problemList, otherList] = [listIn(problemHost), listIn(otherHost)];
  const othersTitle = h('summary');
  const others = h('details', {}, othersTitle, otherHost);
  const { element, actions } = frame('checks', strings.checks.title, summary, message, problemHost, others);
  const run = h('button', { type: 'button' }, strings.checks.run);
  let running = false;
  run.addEventListener('click', () => {
    // Not `disabled`, which would take the focus away.
    if (!running) bridge.runChecks().catch(() => announce(strings.failedRequest));
  });
  actions.append(run);
  return {
    element,
    show({ checks }) {
      running = checks.status === 'running';
      setAttribute(run, 'aria-disabled', String(running));
      setAttribute(problemHost, 'aria-busy', String(running));
      write(summary, summaryOf(checks));
      write(message, checks.status === 'impossible' ? checks.message : '');
      if (checks.status === 'done') {
        problemList.show(problemsIn(checks));
        otherList.show(checks.results.filter((one) => !isProblem(one)));
        write(
          othersTitle,
          strings.checks.others(count(checks.results, 'ok'), count(checks.results, 'skipped')),
        );
      }
      problemHost.hidden = problemHost.children.length === 0;
      others.hidden = otherHost.children.length === 0;
    },
  };
}

/** Failed ones, then warnings. */
export function problemsIn(checks: ShownChecks): readonly ShownCheck[] {
  const results = checks.status === 'done' ? checks.results : [];
  return [
    ...results.filter(({ verdict }) => verdict === 'failed'),
    ...results.filter(({ verdict }) => verdict === 'warning'),
  ];
}

function isProblem({ verdict }: ShownCheck): boolean {
  return verdict === 'failed' || verdict === 'warning';
}

function count(results: readonly ShownCheck[], verdict: ShownCheck['verdict']): number {
  return results.filter((one) => one.verdict === verdict).length;
}

function summaryOf(checks: ShownChecks): string {
  switch (checks.status) {
    case 'never':
      return strings.checks.never;
    case 'running':
      return strings.checks.running;
    case 'impossible':
      return strings.checks.impossible;
    case 'done': {
      const [failed, warnings] = [count(checks.results, 'failed'), count(checks.results, 'warning')];
      const at = timeOfDay(checks.at);
      if (failed + warnings > 0) return strings.checks.found(failed, warnings, at);
      return strings.checks.allPassed(count(checks.results, 'ok'), at);
    }
  }
}

function checkItem(): Item<ShownCheck> {
  const name = h('span', { class: 'name' });
  const verdict = h('strong', { class: 'badge' });
  const evidence = h('p', { class: 'quiet' });
  const remedy = h('p', { class: 'reason' });
  return {
    element: h('li', {}, h('div', { class: 'head' }, name, verdict), evidence, remedy),
    show(check) {
      write(name, `${check.step}. ${check.name}`);
      if (!verdict.classList.contains(check.verdict)) {
        verdict.className = `badge ${check.verdict}`;
        verdict.replaceChildren(icon(check.verdict), strings.checks.verdicts[check.verdict]);
      }
      write(evidence, check.evidence);
      write(remedy, check.remedy === '' ? '' : strings.checks.remedy(check.remedy));
    },
  };
}
