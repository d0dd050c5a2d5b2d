// The health checks: run on demand, each with its verdict, what was seen and what to do.

import type { SightlineBridge } from '../../main/shared/ipc.ts';
import type { ShownCheck, ShownChecks } from '../../main/shared/overview.ts';
import { KeyedList, h, icon, setAttribute, write } from '../dom.ts';
import { timeOfDay } from '../format.ts';
import { strings } from '../strings.ts';
import type { Announce, Section } from './section.ts';
import { frame } from './section.ts';

export function checks(bridge: Pick<SightlineBridge, 'runChecks'>, announce: Announce): Section {
  const summary = h('p', { class: 'quiet', role: 'status' });
  const host = h('ol', { class: 'rows checks' });
  const list = new KeyedList<ShownCheck>(host, ({ step }) => String(step), checkItem);
  const { element, actions } = frame('checks', strings.checks.title, summary, host);
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
      setAttribute(host, 'aria-busy', String(running));
      write(summary, summaryOf(checks));
      if (checks.status === 'done') list.show(checks.results);
      host.hidden = host.children.length === 0;
    },
  };
}

function summaryOf(checks: ShownChecks): string {
  switch (checks.status) {
    case 'never':
      return strings.checks.never;
    case 'running':
      return strings.checks.running;
    case 'impossible':
      return strings.checks.impossible(checks.message);
    case 'done': {
      const run = checks.results.filter(({ verdict }) => verdict !== 'skipped');
      const fine = run.filter(({ verdict }) => verdict === 'ok').length;
      return strings.checks.done(fine, run.length, timeOfDay(checks.at));
    }
  }
}

function checkItem(): { element: HTMLElement; show(check: ShownCheck): void } {
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
