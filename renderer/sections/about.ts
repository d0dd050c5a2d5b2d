// Versions, the port, and the way to the diagnostics bundle: what support asks for first.

import type { ExportOutcome, SightlineBridge } from '../../main/shared/ipc.ts';
import { h, setAttribute } from '../dom.ts';
import { strings } from '../strings.ts';
import type { Announce, Section } from './section.ts';
import { frame } from './section.ts';

export function about(bridge: Pick<SightlineBridge, 'exportDiagnostics'>, announce: Announce): Section {
  const rows = h('dl');
  const { element, actions } = frame('about', strings.about.title, rows);
  const button = h('button', { type: 'button' }, strings.about.exportDiagnostics);
  let exporting = false;
  button.addEventListener('click', () => {
    if (exporting) return;
    exporting = true;
    setAttribute(button, 'aria-disabled', 'true');
    announce(strings.about.exporting);
    bridge
      .exportDiagnostics()
      .then(
        (outcome) => announce(wordsFor(outcome)),
        () => announce(strings.failedRequest),
      )
      .finally(() => {
        exporting = false;
        setAttribute(button, 'aria-disabled', 'false');
      });
  });
  actions.append(button);
  let shown = '';
  return {
    element,
    show({ about }) {
      button.hidden = !about.canExportDiagnostics;
      const now = JSON.stringify(about);
      if (now === shown) return;
      shown = now;
      const port = about.port === null ? strings.about.notListening : String(about.port);
      const all = [...about.versions, { name: strings.about.port, version: port }];
      rows.replaceChildren(
        ...all.map(({ name, version }) => h('div', {}, h('dt', {}, name), h('dd', {}, version))),
      );
    },
  };
}

function wordsFor(outcome: ExportOutcome): string {
  switch (outcome.status) {
    case 'saved':
      return strings.about.exported(outcome.file);
    case 'cancelled':
      return '';
    case 'failed':
      return strings.about.exportFailed(outcome.message);
  }
}
