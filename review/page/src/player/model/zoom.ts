// Which part of the composed frame fills the stage: all of it, one monitor, or what the reviewer zoomed to.

import type { Rect } from '../../../../../main/shared/names.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The video at `scale`, its top left corner at x, y of the stage, in CSS pixels. */
export interface Placement {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

/** Beside what is fitted: how much closer, and which point of the part (0 to 1) is in the middle. */
export interface Zoom {
  readonly factor: number;
  readonly centerX: number;
  readonly centerY: number;
}

export const NO_ZOOM: Zoom = { factor: 1, centerX: 0.5, centerY: 0.5 };
export const MAX_ZOOM = 8;

/** `part` of the video as large as the stage allows, times the zoom. */
export function place(part: Rect, stage: Size, zoom: Zoom): Placement {
  const scale = fitScale(part, stage) * zoom.factor;
  const { centerX, centerY } = zoom.factor === 1 ? NO_ZOOM : zoom;
  return {
    scale,
    x: stage.width / 2 - (part.x + centerX * part.width) * scale,
    y: stage.height / 2 - (part.y + centerY * part.height) * scale,
  };
}

/** Closer or farther, so that the point of the stage under the pointer stays where it is. */
export function zoomAt(
  zoom: Zoom,
  by: number,
  point: { x: number; y: number },
  part: Rect,
  stage: Size,
): Zoom {
  const factor = Math.min(Math.max(1, zoom.factor * by), MAX_ZOOM);
  const before = fitScale(part, stage) * zoom.factor;
  const after = fitScale(part, stage) * factor;
  const [fromX, fromY] = [point.x - stage.width / 2, point.y - stage.height / 2];
  return clamped({
    factor,
    centerX: zoom.centerX + (fromX / before - fromX / after) / part.width,
    centerY: zoom.centerY + (fromY / before - fromY / after) / part.height,
  });
}

/** Moved by the pointer, in CSS pixels. */
export function panBy(zoom: Zoom, dx: number, dy: number, part: Rect, stage: Size): Zoom {
  const scale = fitScale(part, stage) * zoom.factor;
  return clamped({
    ...zoom,
    centerX: zoom.centerX - dx / scale / part.width,
    centerY: zoom.centerY - dy / scale / part.height,
  });
}

function clamped({ factor, centerX, centerY }: Zoom): Zoom {
  const inside = (value: number): number => Math.min(Math.max(0.5 / factor, value), 1 - 0.5 / factor);
  return { factor, centerX: inside(centerX), centerY: inside(centerY) };
}

function fitScale(part: Size, stage: Size): number {
  return Math.min(stage.width / part.width, stage.height / part.height);
}
