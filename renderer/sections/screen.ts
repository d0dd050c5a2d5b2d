// What is recorded and with what: the monitors with a little picture of how they stand on the desk, and the encoder.

import type { Monitor, Rect } from '../../main/shared/names.ts';
import type { ShownMonitors, ShownScreen } from '../../main/shared/overview.ts';
import { h, svg, write } from '../dom.ts';
import { strings } from '../strings.ts';
import type { Section } from './section.ts';
import { frame } from './section.ts';

/** Between monitors and around them, of the layout's longer side. */
const MARGIN = 0.012;

export function screen(): Section {
  const monitors = h('dd');
  const encoder = h('dd');
  const rate = h('dd');
  const rows = h(
    'dl',
    {},
    h('div', {}, h('dt', {}, strings.screen.monitors), monitors),
    h('div', {}, h('dt', {}, strings.screen.encoder), encoder),
    h('div', {}, h('dt', {}, strings.screen.rate), rate),
  );
  let shown = '';
  return {
    element: frame('screen', strings.screen.title, rows).element,
    show({ screen }) {
      const now = JSON.stringify(screen);
      if (now === shown) return;
      shown = now;
      monitors.replaceChildren(...monitorParts(screen.monitors));
      encoder.replaceChildren(...encoderParts(screen.encoder));
      write(rate, screen.fps === null ? strings.screen.unknown : strings.screen.perSecond(screen.fps));
    },
  };
}

function encoderParts(encoder: ShownScreen['encoder']): Node[] {
  if (encoder === null) return [h('p', {}, strings.screen.noEncoder)];
  const { name, ffmpegVersion, warning } = encoder;
  const words = h('p', {}, strings.screen.encoderValue(name, ffmpegVersion));
  return warning === null ? [words] : [words, h('p', { class: 'reason' }, warning)];
}

function monitorParts(monitors: ShownMonitors): Node[] {
  switch (monitors.status) {
    case 'unknown':
      return [h('p', {}, strings.screen.unknown)];
    case 'whole':
      return [h('p', {}, strings.screen.whole)];
    case 'none':
      return [h('p', {}, strings.screen.none)];
    case 'unreachable':
      return [h('p', { class: 'reason' }, monitors.message)];
    case 'known': {
      const all: readonly Desk[] = [
        ...monitors.recorded.map((monitor) => ({ monitor, isRecorded: true })),
        ...monitors.leftOut.map((monitor) => ({ monitor, isRecorded: false })),
      ];
      const list = h('ol', { class: 'monitors' }, ...all.map((one) => h('li', {}, describe(one))));
      return [layout(all), list];
    }
  }
}

interface Desk {
  readonly monitor: Monitor;
  readonly isRecorded: boolean;
}

function describe({ monitor, isRecorded }: Desk): string {
  const { name, width, height, primary } = monitor;
  return [
    strings.screen.monitor(name, width, height),
    ...(primary ? [strings.screen.primary] : []),
    ...(isRecorded ? [] : [strings.screen.leftOut]),
  ].join(', ');
}

/** To scale; the numbers are those of the list beside it. */
function layout(all: readonly Desk[]): SVGSVGElement {
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
