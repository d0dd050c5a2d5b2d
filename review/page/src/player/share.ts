// What leaves the page: a snapshot, and a link to a moment. Both are in the audit log before they exist; refused, they do not.

import { api, addresses } from '../api.ts';
import type { Rect } from '../../../../main/shared/names.ts';
import { routeHash } from '../route.ts';
import { texts } from '../strings/player.ts';
import { playingTime } from './model/clock.ts';
import type { Playback } from './playback.ts';

const CAPTION_HEIGHT = 32;

/** @returns what to say. @throws ApiFailure: it is not allowed, or cannot be logged; nothing was made */
export async function takeSnapshot(playback: Playback, part: Rect): Promise<string> {
  const { video, detail } = playback;
  if (video === null) return texts.videoFailed;
  playback.pause();
  const atMs = Math.round(playback.atMs.value);
  // Drawn first: the picture is of the moment of the request, however long the answer takes.
  const canvas = drawSnapshot(video, part, caption(playback, atMs));
  await api.reportAction(detail.row.id, { action: 'snapshot', atMs });
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (blob === null) return texts.videoFailed;
  const time = new Date(Date.parse(detail.manifest.startTime) + atMs).toISOString().replace(/[-:]/g, '');
  save(URL.createObjectURL(blob), `${fileName(detail.row.contactId)}_${time}.png`);
  return texts.snapshotDone;
}

function caption(playback: Playback, atMs: number): string {
  const { manifest, row } = playback.detail;
  const time = new Date(Date.parse(manifest.startTime) + atMs)
    .toISOString()
    .replace('T', ' ')
    .replace('Z', ' UTC');
  return `${row.contactId}   ${time}   ${playingTime(atMs, true)}`;
}

/** With a line under the picture, so that it covers nothing. */
function drawSnapshot(video: HTMLVideoElement, part: Rect, text: string): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = part.width;
  canvas.height = part.height + CAPTION_HEIGHT;
  const context = canvas.getContext('2d');
  if (context === null) return canvas;
  context.drawImage(video, part.x, part.y, part.width, part.height, 0, 0, part.width, part.height);
  context.fillStyle = '#000';
  context.fillRect(0, part.height, part.width, CAPTION_HEIGHT);
  context.fillStyle = '#fff';
  context.font = '16px monospace';
  context.textBaseline = 'middle';
  context.fillText(text, 10, part.height + CAPTION_HEIGHT / 2, part.width - 20);
  return canvas;
}

/** @returns what to say. @throws ApiFailure as above */
export async function shareLink(id: string, atMs: number): Promise<string> {
  const moment = Math.round(atMs);
  await api.reportAction(id, { action: 'share-link', atMs: moment });
  const link = new URL(routeHash({ at: 'recording', id, atMs: moment }), location.href.replace(/[?#].*$/, ''))
    .href;
  try {
    await navigator.clipboard.writeText(link);
    return texts.linkCopied;
  } catch {
    return `${texts.linkShown} ${link}`;
  }
}

/** The server logs it, and refuses it where the role does not allow it. */
export function downloadVideo(id: string): void {
  save(addresses.download(id), '');
}

function save(href: string, name: string): void {
  const link = document.createElement('a');
  link.href = href;
  link.download = name;
  link.click();
  // The browser has read it by the next minute.
  if (href.startsWith('blob:')) setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

function fileName(text: string): string {
  return text.replace(/[^\w.-]/g, '_').slice(0, 100);
}
