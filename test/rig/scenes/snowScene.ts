// Nothing but noise, and every picture another: an encoder can make little of it. For tests that need many megabytes of
// recording and have no time: 1280x720 of it are 1.4 MB a second at 10 pictures a second, a scrolling log is a tenth of that.
import type { Rect } from '../timecode.ts';
import type { SceneFactory } from './scene.ts';

const GRAIN = 2;
const GREYS = [0x202020, 0x606060, 0xa0a0a0, 0xe0e0e0];
/** Each picture is cut out of the same noise somewhere else, too far away for an encoder to find. */
const MARGIN = 256;
/** A request of X holds no more than some thirty thousand. */
const RECTS_A_REQUEST = 4000;

export const snowScene: SceneFactory = (canvas, surface) => {
  const { width, height } = surface;
  const noise = canvas.surface(width + MARGIN, height + MARGIN);
  const cut = (): void => {
    const anywhere = (): number => Math.floor(Math.random() * MARGIN);
    surface.copy(noise, { x: anywhere(), y: anywhere(), width, height }, 0, 0);
  };
  return Promise.resolve({
    timecode: false,
    draw() {
      const grains = new Map(GREYS.map((grey) => [grey, [] as Rect[]]));
      for (let y = 0; y < noise.height; y += GRAIN) {
        for (let x = 0; x < noise.width; x += GRAIN) {
          const grey = GREYS[Math.floor(Math.random() * GREYS.length)]!;
          grains.get(grey)!.push({ x, y, width: GRAIN, height: GRAIN });
        }
      }
      for (const [grey, rects] of grains) {
        for (let from = 0; from < rects.length; from += RECTS_A_REQUEST)
          noise.fill(grey, ...rects.slice(from, from + RECTS_A_REQUEST));
      }
      cut();
    },
    step() {
      cut();
      return [{ x: 0, y: 0, width, height }];
    },
  });
};
