// One recording, loaded: the stage with its controls and timeline, and beside it events, transcript, notes and integrity.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { RecordingDetail, Session } from '../../../contract.ts';
import { api, isAbort, toFailure } from '../api.ts';
import { helpOpen } from '../shell/help.tsx';
import { texts } from '../strings/player.ts';
import { failureText } from '../strings/shell.ts';
import { CallAudio } from './callAudio.ts';
import { Clock } from './Clock.tsx';
import { Controls } from './Controls.tsx';
import { chapterFrom, chapterStarts, timelineItems } from './model/timeline.ts';
import type { Command } from './model/keys.ts';
import { Notice } from './Notice.tsx';
import { NotesStore } from './notesStore.ts';
import { Options } from './Options.tsx';
import { Playback } from './playback.ts';
import { Panels } from './Panels.tsx';
import { shareLink, takeSnapshot } from './share.ts';
import { Stage } from './Stage.tsx';
import { Timeline } from './Timeline.tsx';
import { useKeys } from './useKeys.ts';
import { ViewChoice } from './viewChoice.ts';

interface Props {
  readonly detail: RecordingDetail;
  readonly session: Session;
  readonly atMs: number | null;
}

export function RecordingView({ detail, session, atMs }: Props): JSX.Element {
  const { id } = detail.row;
  const playback = useMemo(() => new Playback(detail), [detail]);
  const audio = useMemo(() => new CallAudio(playback, session.may.download), [playback]);
  const notes = useMemo(() => new NotesStore(id, session.user), [detail]);
  const view = useMemo(() => new ViewChoice(playback), [playback]);
  const items = useMemo(() => timelineItems(detail.manifest, detail.contactEvents), [detail]);
  const chapters = useMemo(() => chapterStarts(items), [items]);
  const notice = useSignal<string | null>(null);
  const panel = useSignal<'events' | 'transcript' | 'notes' | 'trust'>('events');
  const activityFailed = useSignal(false);
  const root = useRef<HTMLDivElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const hasVideo = !detail.row.problems.includes('no-video');

  useEffect(() => {
    const cancel = new AbortController();
    if (hasVideo) {
      api.activity(id, cancel.signal).then(
        (activity) => (playback.activity.value = activity),
        (error: unknown) => (activityFailed.value = !isAbort(error)),
      );
    }
    void notes.load(cancel.signal);
    return () => cancel.abort();
  }, [playback, notes]);

  useEffect(() => {
    if (video.current === null || root.current === null) return undefined;
    const stops = [playback.attach(video.current, root.current), audio.attach(video.current, root.current)];
    return () => stops.forEach((stop) => stop());
  }, [playback, audio]);

  // A link to a moment may be opened while the recording is shown.
  useEffect(() => {
    if (atMs !== null) playback.seek(atMs);
  }, [playback, atMs]);

  const report = (action: () => Promise<string>): void => {
    action().then(
      (text) => (notice.value = text),
      (error: unknown) => (notice.value = failureText(toFailure(error))),
    );
  };
  const run = (command: Command): void => {
    switch (command.do) {
      case 'toggle':
        return playback.toggle();
      case 'mute':
        return playback.toggleMute();
      case 'fullscreen':
        return playback.toggleFullscreen();
      case 'help':
        helpOpen.value = true;
        return;
      case 'faster':
        return playback.changeSpeed(1);
      case 'slower':
        return playback.changeSpeed(-1);
      case 'seek-by':
        return playback.seekBy(command.ms);
      case 'seek-to':
        return playback.seek(command.share * playback.durationMs);
      case 'step':
        return playback.step(command.frames);
      case 'chapter':
        return playback.seek(chapterFrom(chapters, playback.atMs.value, command.direction));
      case 'monitor':
        return command.direction === 0 ? view.showAll() : view.next();
      case 'note':
        panel.value = 'notes';
        notes.add(Math.round(playback.atMs.value));
        return;
      case 'link':
        return report(() => shareLink(id, playback.atMs.value));
      case 'snapshot':
        return report(() => takeSnapshot(playback, view.part.value));
    }
  };
  useKeys(run);

  return (
    <div class="player" ref={root} data-recording-id={id}>
      <section class="player-main" aria-label={texts.player}>
        <h1 class="read-only">{texts.heading(detail.row.contactId, detail.row.agent)}</h1>
        {hasVideo ? (
          <Stage playback={playback} view={view} video={video} />
        ) : (
          <p class="player-message">{texts.noVideo}</p>
        )}
        <Notice playback={playback} notice={notice} />
        <Timeline playback={playback} items={items} notes={notes} run={run} />
        <div class="player-bar">
          <Controls playback={playback} run={run} />
          <Clock playback={playback} />
        </div>
        <Options
          {...{ playback, audio, view, run, id }}
          mayDownload={session.may.download && hasVideo}
          activityFailed={activityFailed.value}
        />
      </section>
      <Panels {...{ playback, audio, items, notes, panel }} />
    </div>
  );
}
