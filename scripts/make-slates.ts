// Makes resources/slates/<reason>.gif from the texts below: run by hand when a slate changes, and look at the result.
// GIF, because every ffmpeg can read it without another library. Needs Chromium and ffmpeg.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findResourcesFolder } from '../main/platform/paths.ts';
import type { GapReason } from '../main/shared/names.ts';

interface Slate {
  readonly title: string;
  readonly line: string;
  readonly icon: string;
}

const bar = (x: number) => `<rect x="${x}" y="0" width="30" height="110" rx="6"/>`;
const slates: Readonly<Record<GapReason, Slate>> = {
  suspended: {
    title: 'Recording suspended',
    line: 'Nothing was captured during this time.',
    icon: bar(15) + bar(65),
  },
  interrupted: {
    title: 'Recording interrupted',
    line: 'Capture failed and was started again.',
    icon: '<path d="M55 0 L110 110 L0 110 Z M49 38 L52 78 L58 78 L61 38 Z M49 86 h12 v12 h-12 Z" fill-rule="evenodd"/>',
  },
  'display-changed': {
    title: 'Display changed',
    line: 'Monitors were connected, removed or rearranged.',
    icon: '<path d="M0 8 h110 v74 h-110 Z M10 18 v54 h90 v-54 Z M35 96 h40 v10 h-40 Z M48 28 h14 v20 h16 l-23 20 l-23 -20 h16 Z" fill-rule="evenodd"/>',
  },
  locked: {
    title: 'Screen locked',
    line: 'Nothing was captured while the screen was locked.',
    icon: '<path d="M15 48 h80 v62 h-80 Z M28 48 v-18 a27 27 0 0 1 54 0 v18 h-12 v-18 a15 15 0 0 0 -30 0 v18 Z M49 70 h12 v20 h-12 Z" fill-rule="evenodd"/>',
  },
  'switched-away': {
    title: 'Another user at the screen',
    line: 'Nothing was captured while another session was in front.',
    icon: '<circle cx="38" cy="28" r="20"/><path d="M2 100 a36 44 0 0 1 72 0 Z"/><circle cx="82" cy="36" r="15"/><path d="M82 58 a28 36 0 0 1 28 42 h-28 a48 60 0 0 0 -14 -36 Z"/>',
  },
  asleep: {
    title: 'Computer asleep',
    line: 'Nothing was captured while the computer was asleep.',
    icon: '<path d="M70 6 a50 50 0 1 0 34 74 a42 42 0 0 1 -34 -74 Z"/>',
  },
  'display-unavailable': {
    title: 'Display unavailable',
    line: 'There was no screen to capture.',
    icon: '<path d="M0 8 h110 v74 h-110 Z M10 18 v54 h90 v-54 Z M35 96 h40 v10 h-40 Z" fill-rule="evenodd"/>',
  },
  'spool-full': {
    title: 'No room to record',
    line: "The recorder's disk or its share of it was full.",
    icon: '<path d="M10 20 h90 v70 h-90 Z M20 30 v30 h70 v-30 Z M70 70 h20 v10 h-20 Z" fill-rule="evenodd"/>',
  },
  unreadable: {
    title: 'Recording unreadable',
    line: 'What was recorded here was damaged or lost before its delivery.',
    icon: '<path d="M10 0 h60 l30 30 v26 l-15 14 l-15 -14 l-15 14 l-15 -14 l-15 14 l-15 -14 Z M10 78 l15 14 l15 -14 l15 14 l15 -14 l15 14 l15 -14 v32 h-90 Z" fill-rule="evenodd"/>',
  },
  'app-restarted': {
    title: 'Recorder restarted',
    line: 'Sightline was not running during this time.',
    icon: '<path d="M55 5 a50 50 0 1 1 -43 25 l14 8 a34 34 0 1 0 29 -17 v18 l-30 -26 l30 -26 Z"/>',
  },
};

function svg({ title, line, icon }: Slate): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="1280" height="720">
    <rect width="1280" height="720" fill="#1c2530"/>
    <g transform="translate(585 190)" fill="#f2b134">${icon}</g>
    <g font-family="DejaVu Sans, sans-serif" text-anchor="middle">
      <text x="640" y="400" font-size="56" font-weight="bold" fill="#ffffff">${title}</text>
      <text x="640" y="460" font-size="30" fill="#b8c4d0">${line}</text>
      <text x="640" y="670" font-size="24" fill="#6d7b8a">Sightline</text>
    </g>
  </svg>`;
}

const folder = mkdtempSync(join(tmpdir(), 'sightline-slates-'));
try {
  for (const [reason, slate] of Object.entries(slates)) {
    const page = join(folder, `${reason}.html`);
    const png = join(folder, `${reason}.png`);
    writeFileSync(page, `<body style="margin:0">${svg(slate)}</body>`);
    execFileSync('chromium', [
      ...[
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--hide-scrollbars',
      ],
      ...[
        '--no-first-run',
        '--disable-sync',
        '--disable-component-update',
        `--user-data-dir=${join(folder, 'profile')}`,
      ],
      ...['--window-size=1280,720', `--screenshot=${png}`, `file://${page}`],
    ]);
    const gif = join(findResourcesFolder(), 'slates', `${reason}.gif`);
    execFileSync('ffmpeg', [
      ...[
        '-v',
        'error',
        '-y',
        '-i',
        png,
        '-vf',
        'split[a][b];[a]palettegen=max_colors=32[p];[b][p]paletteuse=dither=none',
      ],
      gif,
    ]);
    console.log(gif);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
