// Sentences about what the timeline shows, for its hover, its list and its screen reader text.

import { texts } from '../strings/player.ts';
import { playingTime } from './model/clock.ts';
import type { TimelineItem } from './model/timeline.ts';

/** One line: what, for how long, and why. */
export function describeItem(item: TimelineItem): string {
  const length = playingTime(item.toMs - item.fromMs, item.toMs - item.fromMs < 60_000);
  switch (item.kind) {
    case 'run':
      return texts.runOf(item.run.monitors.length, length);
    case 'gap': {
      const { gap, words } = item;
      const ended = gap.endedBy === null ? texts.lastsToEnd : texts.endedBy(texts.causes[gap.endedBy]);
      const reason = words === null ? '' : texts.quoted(words);
      return `${texts.gapReasons[gap.reason]} ${length}, ${texts.byCause(texts.causes[gap.by])}${reason}; ${ended}`;
    }
    case 'black':
      return texts.blackFor(length);
    case 'display-change':
      return texts.displayChange(item.before.monitors.length, item.after.monitors.length);
    case 'contact': {
      const name = texts.contactEvents[item.event.kind];
      return item.event.endTime === null ? name : `${name} ${length}`;
    }
  }
}
