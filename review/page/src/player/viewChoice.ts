// Which monitor the reviewer looks at, and how close. Runs can have other monitors, at other places of the picture.

import { computed, signal } from '@preact/signals';
import type { PlacedMonitor, Rect } from '../../../../main/shared/names.ts';
import { runAt } from './model/timeline.ts';
import { NO_ZOOM, type Zoom } from './model/zoom.ts';
import type { Playback } from './playback.ts';

export class ViewChoice {
  /** A monitor's name; null: all of them. */
  readonly monitor = signal<string | null>(null);
  readonly zoom = signal<Zoom>(NO_ZOOM);
  /** Of the run that is shown now; none in a gap. */
  readonly monitors = computed<readonly PlacedMonitor[]>(() => this.run.value?.monitors ?? []);
  /** Of the video, in its pixels: what fills the stage. In a gap, and where the monitor is missing, the whole picture. */
  readonly part = computed<Rect>(() => {
    const { width, height } = this.playback.detail.manifest.video;
    const chosen = this.monitors.value.find(({ name }) => name === this.monitor.value);
    return chosen?.picture ?? { x: 0, y: 0, width, height };
  });
  /** Of the whole recording, in the order of their first appearance. */
  readonly names: readonly { readonly name: string; readonly primary: boolean }[];
  private readonly run = computed(() => runAt(this.playback.detail.manifest, this.playback.atMs.value));

  constructor(private readonly playback: Playback) {
    const all = new Map(
      playback.detail.manifest.runs
        .flatMap(({ monitors }) => monitors)
        .map(({ name, primary }) => [name, { name, primary }]),
    );
    this.names = [...all.values()];
  }

  show(name: string | null): void {
    this.monitor.value = name;
    this.zoom.value = NO_ZOOM;
  }

  showAll(): void {
    this.show(null);
  }

  /** After the last monitor come all of them. */
  next(): void {
    const index = this.names.findIndex(({ name }) => name === this.monitor.value);
    this.show(this.names[index + 1]?.name ?? null);
  }
}
