// Times as reviewers read them: playing time, and the wall clock in the viewer's zone and in UTC. Sightline's one clock makes both
// the same: time t of the video shows the screen at startTime + t.

/** `4:05`, `1:02:03`; with tenths `4:05.3`. Rounded down, as a clock does. */
export function playingTime(ms: number, tenths = false): string {
  const safe = Math.max(0, ms);
  const seconds = Math.floor(safe / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const tail = tenths ? `.${Math.floor((safe % 1000) / 100)}` : '';
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(seconds % 60)}${tail}`;
}

/** `12:37:43.3 UTC` */
export function utcTime(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(11, 21)} UTC`;
}

/** In the viewer's zone, with the zone's short name, as the locale writes it. */
export function localTime(epochMs: number, locale: string, timeZone?: string): string {
  return format(locale, timeZone).format(epochMs);
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Making one takes longer than formatting with it, and the clock runs with the video. */
function format(locale: string, timeZone: string | undefined): Intl.DateTimeFormat {
  const key = `${locale} ${timeZone ?? ''}`;
  const known = formats.get(key);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat(locale, {
    ...{ hour: 'numeric', minute: '2-digit', second: '2-digit', timeZoneName: 'short' },
    ...(timeZone === undefined ? {} : { timeZone }),
  });
  formats.set(key, made);
  return made;
}
