// What support asks for: the diagnostics, and, folded away, the technical details.

import type { ExportOutcome, ShownState, SightlineBridge } from '../../main/shared/ipc.ts';
import { h, setAttribute } from '../dom.ts';
import { strings } from '../strings.ts';
import type { Announce, Section } from './section.ts';
import { frame } from './section.ts';

const texts = strings.support;

export function support(bridge: Pick<SightlineBridge, 'exportDiagnostics'>, announce: Announce): Section {
  const rows = h('dl');
  const details = h('details', {}, h('summary', {}, texts.technical), rows);
  const { element, actions } = frame('support', texts.title, details);
  const button = h('button', { type: 'button' }, texts.exportDiagnostics);
  let exporting = false;
  button.addEventListener('click', () => {
    if (exporting) return;
    exporting = true;
    setAttribute(button, 'aria-disabled', 'true');
    announce(texts.exporting);
    bridge
      .exportDiagnostics()
      .then(
        (outcome) => announce(outcomeText(outcome)),
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
    show(state) {
      const all = technicalDetails(state);
      const now = JSON.stringify(all);
      if (now === shown) return;
      shown = now;
      rows.replaceChildren(
        ...all.map(([name, values]) =>
          h('div', {}, h('dt', {}, name), h('dd', {}, ...values.map((value) => h('p', {}, value)))),
        ),
      );
    },
  };
}

function technicalDetails({ screen: { encoder, fps }, about }: ShownState): [string, string[]][] {
  const encoderTexts =
    encoder === null
      ? [texts.noEncoder]
      : [texts.encoderValue(encoder.name, encoder.ffmpegVersion), encoder.warning ?? ''];
  return [
    [texts.encoder, encoderTexts],
    [texts.frameRate, [fps === null ? texts.unknown : texts.fps(fps)]],
    [texts.port, [about.port === null ? texts.notListening : String(about.port)]],
    ...about.versions.map(({ name, version }): [string, string[]] => [name, [version]]),
  ];
}

function outcomeText(outcome: ExportOutcome): string {
  switch (outcome.status) {
    case 'saved':
      return texts.exported(outcome.file);
    case 'cancelled':
      return '';
    case 'failed':
      return texts.exportFailed(outcome.message);
  }
}
