// Desktops as EnumDisplayMonitors tells them to a program that is aware of each monitor's scale: physical pixels, the
// primary monitor's upper left corner at 0,0, in the order of Windows, which is nobody's.
import type { Monitor, Rect } from '../../../main/shared/names.ts';

export interface WindowsLayout {
  readonly what: string;
  readonly monitors: readonly (Monitor & { readonly scale: number })[];
  /** What gdigrab must be asked for. */
  readonly area: Rect;
  /** Of the composed picture, before it is made even. */
  readonly picture: readonly [width: number, height: number];
}

type Row = readonly [rect: readonly [number, number, number, number], scale: number];

function layout(
  what: string,
  rows: readonly Row[],
  area: readonly number[],
  picture: [number, number],
): WindowsLayout {
  const monitors = rows.map(([[x, y, width, height], scale], index) => {
    return { name: `DISPLAY${index + 1}`, x, y, width, height, primary: x === 0 && y === 0, scale };
  });
  const [x = 0, y = 0, width = 0, height = 0] = area;
  return { what, monitors, area: { x, y, width, height }, picture };
}

export const windowsLayouts: readonly WindowsLayout[] = [
  layout('a laptop at 125 %', [[[0, 0, 1366, 768], 1.25]], [0, 0, 1366, 768], [1366, 768]),
  layout('a laptop at 175 %', [[[0, 0, 1920, 1080], 1.75]], [0, 0, 1920, 1080], [1920, 1080]),
  layout('a 4K screen at 200 %', [[[0, 0, 3840, 2160], 2]], [0, 0, 3840, 2160], [3840, 2160]),
  layout(
    'a laptop at 150 % and a monitor at 100 % left of it and higher, told first',
    [
      [[-1920, -216, 1920, 1080], 1],
      [[0, 0, 1920, 1200], 1.5],
    ],
    [-1920, -216, 3840, 1416],
    [3840, 1416],
  ),
  layout(
    'a docked laptop below its monitor, which is the primary one',
    [
      [[0, 0, 2560, 1440], 1],
      [[312, 1440, 1920, 1080], 1.25],
    ],
    [0, 0, 2560, 2520],
    [2560, 2520],
  ),
  layout(
    'three in a row, the primary in the middle',
    [
      [[1920, 0, 1920, 1080], 1],
      [[0, 0, 1920, 1080], 1],
      [[-1920, 0, 1920, 1080], 1],
    ],
    [-1920, 0, 5760, 1080],
    [5760, 1080],
  ),
  layout(
    'a monitor on its side left of the primary one, reaching above and below it',
    [
      [[0, 0, 1920, 1080], 1],
      [[-1080, -420, 1080, 1920], 1],
    ],
    [-1080, -420, 3000, 1920],
    [3000, 1920],
  ),
  layout(
    'three scales, one above and one left',
    [
      [[0, 0, 2560, 1440], 1.75],
      [[-1680, 390, 1680, 1050], 1],
      [[640, -1080, 1280, 1080], 1.25],
    ],
    [-1680, -1080, 4240, 2520],
    [4240, 2520],
  ),
  layout(
    'an odd size beside an even one (a virtual machine whose window was dragged)',
    [
      [[0, 0, 1717, 903], 1],
      [[1717, 0, 1280, 1024], 1],
    ],
    [0, 0, 2997, 1024],
    [2997, 1024],
  ),
  layout(
    'two that touch at a corner only: the empty quarters are shown black',
    [
      [[0, 0, 1280, 1024], 1],
      [[-1280, -1024, 1280, 1024], 1],
    ],
    [-1280, -1024, 2560, 2048],
    [2560, 2048],
  ),
];
