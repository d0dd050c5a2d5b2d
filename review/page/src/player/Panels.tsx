// Beside the video: events, transcript, notes and integrity, as tabs. Each keeps its state while another is shown.

import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { texts } from '../strings/player.ts';
import type { CallAudio } from './callAudio.ts';
import { EventList } from './EventList.tsx';
import type { TimelineItem } from './model/timeline.ts';
import { NotesPanel } from './NotesPanel.tsx';
import type { NotesStore } from './notesStore.ts';
import type { Playback } from './playback.ts';
import { TranscriptPanel } from './TranscriptPanel.tsx';
import { TrustPanel } from './TrustPanel.tsx';

export type PanelName = 'events' | 'transcript' | 'notes' | 'trust';
const names: readonly PanelName[] = ['events', 'transcript', 'notes', 'trust'];

interface Props {
  readonly playback: Playback;
  readonly audio: CallAudio;
  readonly items: readonly TimelineItem[];
  readonly notes: NotesStore;
  readonly panel: Signal<PanelName>;
}

export function Panels({ playback, audio, items, notes, panel }: Props): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  const hasDamage = playback.detail.row.problems.length > 0;
  const onKeyDown = (event: KeyboardEvent): void => {
    const index = names.indexOf(panel.value);
    const to = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: names.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    panel.value = names[(to + names.length) % names.length] ?? 'events';
    list.current?.querySelector<HTMLElement>(`#player-tab-${panel.value}`)?.focus();
  };
  const contents: Readonly<Record<PanelName, JSX.Element>> = {
    events: <EventList playback={playback} items={items} />,
    transcript: <TranscriptPanel playback={playback} audio={audio} />,
    notes: <NotesPanel playback={playback} notes={notes} />,
    trust: <TrustPanel detail={playback.detail} />,
  };
  return (
    <aside class="player-side" aria-label={texts.facts}>
      <div class="player-tabs" role="tablist" ref={list} onKeyDown={onKeyDown}>
        {names.map((name) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`player-tab-${name}`}
            aria-controls={`player-panel-${name}`}
            aria-selected={panel.value === name}
            tabIndex={panel.value === name ? 0 : -1}
            onClick={() => (panel.value = name)}
          >
            {texts[name]}
            {name === 'trust' && hasDamage && <span aria-hidden="true"> ⚠</span>}
            {name === 'notes' && notes.unsaved.value > 0 && <span aria-hidden="true"> •</span>}
          </button>
        ))}
      </div>
      {names.map((name) => (
        <div
          key={name}
          class="player-panel"
          role="tabpanel"
          id={`player-panel-${name}`}
          aria-labelledby={`player-tab-${name}`}
          hidden={panel.value !== name}
          tabIndex={0}
        >
          {contents[name]}
        </div>
      ))}
    </aside>
  );
}
