// The call in words, in step with the video. A line jumps to its moment.

import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { Transcript } from '../../../contract.ts';
import { api, isAbort, toFailure } from '../api.ts';
import { texts } from '../strings/player.ts';
import { failureText } from '../strings/shell.ts';
import type { CallAudio } from './callAudio.ts';
import { playingTime } from './model/clock.ts';
import type { Playback } from './playback.ts';

interface Props {
  readonly playback: Playback;
  readonly audio: CallAudio;
}

export function TranscriptPanel({ playback, audio }: Props): JSX.Element {
  const transcript = useSignal<Transcript | null>(null);
  const problem = useSignal<string | null>(null);
  const { detail } = playback;
  useEffect(() => {
    if (!detail.hasTranscript) return undefined;
    const cancel = new AbortController();
    api.transcript(detail.row.id, cancel.signal).then(
      (found) => (transcript.value = found),
      (error: unknown) => {
        if (!isAbort(error)) problem.value = failureText(toFailure(error));
      },
    );
    return () => cancel.abort();
  }, [detail]);
  if (!detail.hasTranscript) return <p>{texts.noTranscript}</p>;
  if (problem.value !== null) return <p role="alert">{problem.value}</p>;
  if (transcript.value === null) return <p>{texts.waiting}</p>;
  return <Lines transcript={transcript.value} {...{ playback, audio }} />;
}

function Lines({ transcript, playback, audio }: Props & { readonly transcript: Transcript }): JSX.Element {
  const { lines } = transcript;
  const list = useRef<HTMLOListElement>(null);
  const search = useSignal('');
  // The lines' times are from the start of the audio, whichever of its two files is heard.
  const track = useComputed(
    () =>
      playback.detail.audio.find(({ kind }) => kind === transcript.kind) ?? playback.detail.audio[0] ?? null,
  );
  const videoMs = (beginMs: number): number =>
    track.value === null ? beginMs : audio.toVideoMs(track.value, beginMs);
  const current = useComputed(() => {
    const nowMs = playback.atMs.value;
    return lines.findLastIndex(({ beginMs }) => videoMs(beginMs) <= nowMs + 50);
  });
  const matches = useComputed(() => {
    const wanted = search.value.trim().toLocaleLowerCase();
    if (wanted === '') return [];
    return lines.flatMap(({ text }, index) => (text.toLocaleLowerCase().includes(wanted) ? [index] : []));
  });
  const go = (index: number): void => playback.seek(videoMs(lines[index]?.beginMs ?? 0));
  const goToMatch = (direction: 1 | -1): void => {
    const { value } = matches;
    const from = current.value;
    const next =
      direction === 1
        ? (value.find((index) => index > from) ?? value[0])
        : (value.findLast((index) => index < from) ?? value[value.length - 1]);
    if (next !== undefined) go(next);
  };

  // By hand: thousands of lines would be compared each time that the next one begins.
  const marked = useRef<Element | null>(null);
  const markCurrent = (): void => {
    const line = list.current?.children[current.value]?.firstElementChild ?? null;
    if (line === marked.current) return;
    marked.current?.removeAttribute('aria-current');
    line?.setAttribute('aria-current', 'true');
    marked.current = line;
  };
  useEffect(markCurrent);
  useSignalEffect(() => {
    markCurrent();
    const line = list.current?.children[current.value];
    // Only the panel scrolls, never the page, and not while somebody reads elsewhere in it with the keyboard.
    const panel = list.current?.closest('.player-panel');
    if (
      !(line instanceof HTMLElement) ||
      !(panel instanceof HTMLElement) ||
      list.current?.matches(':focus-within')
    )
      return;
    const top = line.offsetTop - panel.clientHeight / 2;
    panel.scrollTo({ top, behavior: 'instant' });
  });

  const drawn = useMemo(
    () =>
      lines.map((line, index) => (
        <li key={index}>
          <button type="button" class={`line-${line.participant.toLowerCase()}`} onClick={() => go(index)}>
            <span class="player-time">{playingTime(videoMs(line.beginMs))}</span>
            <span class="player-who">
              {texts.participants[line.participant]}
              {line.sentiment !== null && line.sentiment !== 'NEUTRAL' && (
                <span class="player-dim"> {texts.sentiments[line.sentiment]}</span>
              )}
            </span>
            <span>{highlighted(line.text, search.value.trim())}</span>
          </button>
        </li>
      )),
    [lines, search.value, audio.shiftMs.value],
  );
  return (
    <>
      <div class="player-search" role="search">
        <input
          type="search"
          aria-label={texts.transcriptSearch}
          placeholder={texts.transcriptSearch}
          value={search.value}
          onInput={(event) => (search.value = event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') goToMatch(event.shiftKey ? -1 : 1);
          }}
        />
        {search.value.trim() !== '' && (
          <>
            <span role="status">{texts.matches(matches.value.length)}</span>
            <button type="button" aria-label={texts.previousMatch} onClick={() => goToMatch(-1)}>
              ↑
            </button>
            <button type="button" aria-label={texts.nextMatch} onClick={() => goToMatch(1)}>
              ↓
            </button>
          </>
        )}
        {transcript.kind === 'original' && <span class="player-warning">{texts.originalTranscript}</span>}
      </div>
      <ol class="player-list player-transcript" ref={list}>
        {drawn}
      </ol>
    </>
  );
}

function highlighted(text: string, wanted: string): (string | JSX.Element)[] {
  if (wanted === '') return [text];
  const parts: (string | JSX.Element)[] = [];
  const lower = text.toLocaleLowerCase();
  const find = wanted.toLocaleLowerCase();
  // In languages where lower case is longer, places would not fit: then nothing is marked.
  if (lower.length !== text.length) return [text];
  let from = 0;
  for (let at = lower.indexOf(find); at >= 0; at = lower.indexOf(find, from)) {
    parts.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + find.length)}</mark>);
    from = at + find.length;
  }
  return [...parts, text.slice(from)];
}
