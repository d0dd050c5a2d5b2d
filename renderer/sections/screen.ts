// The monitors that are recorded, with a drawing of their arrangement.

import type { Monitor, Rect } from '../../main/shared/names.ts';
import type { ShownMonitors } from '../../main/shared/overview.ts';
import { h, svg } from '../dom.ts';
import { strings } from '../strings.ts';
import type { Section } from './section.ts';
import { frame, problemPart } from './section.ts';

/** Between monitors and around them, of the layout's longer side. */
const MARGIN = 0.012;

export function screen(): Section {
  const monitors = h('div');
  const { element } = frame('screen', strings.screen.title, monitors);
  let shown = '';
  return {
    element,
    show({ screen }) {
      element.hidden = screen.monitors.status === 'unknown';
      const now = JSON.stringify(screen.monitors);
      if (now === shown) return;
      shown = now;
      monitors.replaceChildren(...monitorParts(screen.monitors));
    },
  };
}

function monitorParts(monitors: ShownMonitors): Node[] {
  switch (monitors.status) {
    case 'unknown':
      return [];
    case 'none':
      return [h('p', {}, strings.screen.none)];
    case 'unreachable': {
      const problem = problemPart();
      problem.show({ code: 'NO_DISPLAY', message: monitors.message });
      return [problem.element];
    }
    case 'known': {
      const all: readonly ListedMonitor[] = [
        ...monitors.recorded.map((monitor) => ({ monitor, isRecorded: true })),
        ...monitors.leftOut.map((monitor) => ({ monitor, isRecorded: false })),
      ];
      const list = h('ol', { class: 'monitors' }, ...all.map((one) => h('li', {}, describe(one))));
      return [layout(all), list];
    }
  }
}

interface ListedMonitor {
  readonly monitor: Monitor;
  readonly isRecorded: boolean;
}

function describe({ monitor, isRecorded }: ListedMonitor): string {
  const { name, width, height, primary } = monitor;
  return [
    strings.screen.monitor(name, width, height),
    ...(primary ? [strings.screen.primary] : []),
    ...(isRecorded ? [] : [strings.screen.leftOut]),
  ].join(', ');
}

/** To scale; the numbers are those of the list beside it. */
function layout(all: readonly ListedMonitor[]): SVGSVGElement {
  const around = boundsOf(all.map(({ monitor }) => monitor));
  const margin = Math.max(around.width, around.height) * MARGIN;
  const view = [
    around.x - margin,
    around.y - margin,
    around.width + 2 * margin,
    around.height + 2 * margin,
  ].join(' ');
  const parts = all.flatMap(({ monitor, isRecorded }, index) => {
    const { x, y, width, height, primary } = monitor;
    const place = { x: x + margin / 2, y: y + margin / 2, width: width - margin, height: height - margin };
    const names = ['monitor', ...(primary ? ['primary'] : []), ...(isRecorded ? [] : ['left-out'])];
    const size = Math.min(width, height) * 0.4;
    return [
      svg('rect', {
        class: names.join(' '),
        ...Object.fromEntries(Object.entries(place).map(([name, value]) => [name, String(value)])),
        rx: String(margin),
      }),
      svg(
        'text',
        {
          x: String(x + width / 2),
          y: String(y + height / 2),
          'font-size': String(size),
          'text-anchor': 'middle',
          'dominant-baseline': 'central',
        },
        String(index + 1),
      ),
    ];
  });
  return svg(
    'svg',
    {
      ...{ class: 'layout', viewBox: view, preserveAspectRatio: 'xMinYMid', role: 'img' },
      'aria-label': strings.screen.layout(all.length),
    },
    ...parts,
  );
}

function boundsOf(rects: readonly Rect[]): Rect {
  const x = Math.min(...rects.map((rect) => rect.x));
  const y = Math.min(...rects.map((rect) => rect.y));
  const right = Math.max(...rects.map((rect) => rect.x + rect.width));
  const bottom = Math.max(...rects.map((rect) => rect.y + rect.height));
  return { x, y, width: right - x, height: bottom - y };
}
