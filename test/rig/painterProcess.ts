// The painter itself, in a process of its own so that a busy test cannot make it late. It paints one scene on one
// area until it is told to stop, its parent goes away, or the display dies. Started by painter.ts only.
import { Canvas, type Surface } from './xCanvas.ts';
import type {
  Answer,
  PainterCommand,
  PainterStats,
  PainterTask,
  Request,
  SceneName,
  Shown,
} from './painterProtocol.ts';
import { busyScene } from './scenes/busyScene.ts';
import { demoScene } from './scenes/demoScene.ts';
import type { Scene, SceneFactory, SceneState } from './scenes/scene.ts';
import { snowScene } from './scenes/snowScene.ts';
import { stillScene } from './scenes/stillScene.ts';
import { timecodeScene } from './scenes/timecodeScene.ts';
import { typingScene } from './scenes/typingScene.ts';
import { SENSITIVE_COLOURS, SENSITIVE_SQUARE } from './sensitive.ts';
import { STRIP, whiteRects, type Rect } from './timecode.ts';

const FACTORIES: Record<SceneName, SceneFactory> = {
  timecode: timecodeScene,
  still: stillScene,
  typing: typingScene,
  busy: busyScene,
  snow: snowScene,
  demo: demoScene,
};

/** Paints pictures one after the other: the next is not begun before the server has confirmed the last. */
class Painter {
  private readonly state: SceneState;
  private readonly timecode: boolean;
  private sensitiveSurface: Surface;
  private sensitive = false;
  /** Nowhere on the screen: what it is told to show is shown when it has a place again. */
  private hidden = false;
  private timer: NodeJS.Timeout | undefined;
  private last: Promise<unknown> = Promise.resolve();
  private busy = false;
  private frames = 0;
  private skipped = 0;
  private longestGapMs = 0;
  private lastPaintMs: number | undefined;
  private lastCodeMs: number | undefined;
  private readonly late: { paintedAtMs: number; untilMs: number }[] = [];
  private readonly startedMs = performance.now();
  private readonly startCpu = process.cpuUsage();

  constructor(
    private readonly canvas: Canvas,
    private surface: Surface,
    private scene: Scene,
    private readonly task: PainterTask,
  ) {
    this.state = { monitor: task.monitor, phase: task.phase, label: task.label };
    this.timecode = task.timecode ?? scene.timecode;
    this.sensitiveSurface = canvas.surface();
    drawSensitive(this.sensitiveSurface);
    scene.draw(this.state, Date.now());
  }

  /** Paints one picture and waits for the server's word. `whole`: show everything, not only what changed. */
  private paint(whole: boolean): Promise<Shown> {
    const shown = this.last.then(async () => {
      this.busy = true;
      try {
        const { canvas, scene, sensitive } = this;
        const surface = sensitive ? this.sensitiveSurface : this.surface;
        const paintedAtMs = Date.now();
        const changed = sensitive ? [] : (scene.step?.(this.state, paintedAtMs) ?? []);
        // The sensitive phase carries the code over any scene, or a leak test could not date what it finds.
        if (this.timecode || sensitive) {
          surface.fill(0x000000, STRIP);
          surface.fill(0xffffff, ...whiteRects({ ...this.state, timeMs: paintedAtMs, sensitive }));
          changed.unshift(STRIP);
        }
        if (this.hidden) return { paintedAtMs, shownAtMs: Date.now() };
        // One request for the whole picture: the pattern never shows without its bit, nor the bit without it.
        if (whole) canvas.show(surface);
        else for (const rect of changed) canvas.show(surface, rect);
        this.count();
        await canvas.sync();
        const shownAtMs = Date.now();
        this.noteLateness(paintedAtMs, shownAtMs);
        return { paintedAtMs, shownAtMs };
      } finally {
        this.busy = false;
      }
    });
    this.last = shown;
    return shown;
  }

  /** A test must be able to tell a code that stood too long from a recorder that is late. */
  private noteLateness(paintedAtMs: number, shownAtMs: number): void {
    const { lastCodeMs } = this;
    if (lastCodeMs !== undefined && shownAtMs - lastCodeMs > 2000 / this.task.fps)
      this.late.push({ paintedAtMs: lastCodeMs, untilMs: shownAtMs });
    this.lastCodeMs = paintedAtMs;
  }

  private count(): void {
    const now = performance.now();
    if (this.lastPaintMs !== undefined)
      this.longestGapMs = Math.max(this.longestGapMs, now - this.lastPaintMs);
    this.lastPaintMs = now;
    this.frames++;
  }

  async start(): Promise<Shown> {
    const shown = await this.paint(true);
    this.run();
    return shown;
  }

  private run(): void {
    if (this.timer || !(this.scene.step || this.timecode)) return;
    const interval = 1000 / this.task.fps;
    let due = performance.now() + interval;
    const tick = (): void => {
      const now = performance.now();
      // Node's timers are whole milliseconds and may fire a little early.
      if (now >= due - 1) {
        if (this.busy) this.skipped++;
        else void this.paint(false);
        due += interval;
      }
      // A picture that is late is left out, not caught up with: a burst would show times nobody saw.
      for (; due <= now; due += interval) this.skipped++;
      this.timer = setTimeout(tick, due - now);
    };
    this.timer = setTimeout(tick, interval);
  }

  private halt(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.lastPaintMs = undefined;
  }

  async obey(command: PainterCommand): Promise<{ shown?: Shown; stats?: PainterStats }> {
    switch (command.name) {
      case 'setPhase':
        this.state.phase = command.phase;
        return { shown: await this.paint(false) };
      case 'setLabel':
        this.state.label = command.label;
        return { shown: await this.paint(false) };
      case 'showSensitive':
        this.sensitive = command.on;
        return { shown: await this.paint(true) };
      case 'setArea':
        await this.setArea(command.area);
        return {};
      case 'pause':
        this.halt();
        await this.last;
        return {};
      case 'resume':
        this.run();
        return { shown: await this.paint(true) };
      case 'stats':
        return { stats: this.stats() };
      case 'stop':
        this.halt();
        await this.last;
        this.canvas.client.terminate();
        return {};
    }
  }

  /** Makes everything anew in the new size; what is painted meanwhile waits. */
  private async setArea(area: Rect | null): Promise<void> {
    this.halt();
    const moved = this.last.then(async () => {
      const { canvas } = this;
      this.hidden = area === null;
      this.lastCodeMs = undefined;
      if (area === null) {
        canvas.hide();
        return canvas.sync();
      }
      this.surface.free();
      this.sensitiveSurface.free();
      canvas.place(area);
      this.surface = canvas.surface();
      this.sensitiveSurface = canvas.surface();
      drawSensitive(this.sensitiveSurface);
      this.scene = await FACTORIES[this.task.scene](canvas, this.surface);
      this.scene.draw(this.state, Date.now());
    });
    this.last = moved;
    await moved;
    if (area === null) return;
    await this.paint(true);
    this.run();
  }

  private stats(): PainterStats {
    const { user, system } = process.cpuUsage(this.startCpu);
    return {
      frames: this.frames,
      skipped: this.skipped,
      longestGapMs: this.longestGapMs,
      late: this.late,
      cpuMs: (user + system) / 1000,
      runMs: performance.now() - this.startedMs,
    };
  }
}

function drawSensitive(surface: Surface): void {
  const size = SENSITIVE_SQUARE;
  const squares: Rect[] = [];
  for (let y = 0; y < surface.height; y += size) {
    for (let x = ((y / size) % 2) * size; x < surface.width; x += 2 * size) {
      squares.push({ x, y, width: size, height: size });
    }
  }
  surface.fill(SENSITIVE_COLOURS.magenta, { x: 0, y: 0, width: surface.width, height: surface.height });
  surface.fill(SENSITIVE_COLOURS.lime, ...squares);
}

function tell(answer: Answer): void {
  // Without a parent there is nobody left to paint for; 'disconnect' ends us.
  if (process.connected) process.send!(answer);
}

function fail(error: unknown): never {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`painter: ${message}\n`);
  tell({ kind: 'failed', message });
  process.exit(1);
}

async function main(): Promise<void> {
  process.once('disconnect', () => process.exit(0));
  const task = JSON.parse(process.argv[2] ?? '') as PainterTask;
  const canvas = await Canvas.open(task.display, task.area);
  let stopping = false;
  void canvas.failed().then((why) => {
    if (!stopping) fail(new Error(`${why} (display ${task.display})`));
  });
  const surface = canvas.surface();
  const scene = await FACTORIES[task.scene](canvas, surface);
  const painter = new Painter(canvas, surface, scene, task);
  tell({ kind: 'ready', shown: await painter.start() });
  process.on('message', (request: Request) => {
    stopping ||= request.command.name === 'stop';
    painter.obey(request.command).then((result) => {
      tell({ kind: 'done', id: request.id, ...result });
      if (stopping) process.disconnect();
    }, fail);
  });
}

main().catch(fail);
