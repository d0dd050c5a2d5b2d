// The monitors of an X display, asked of the X server itself (RandR 1.3), without any program of the desktop's.

import { promisify } from 'node:util';
import x11 from 'x11';
import type { Client, Display, RandrExtension } from 'x11';
import { SightlineError } from '../shared/errors.ts';
import type { Monitor } from '../shared/names.ts';

const ANSWER_DEADLINE_MS = 5000;

/** @throws SightlineError NO_DISPLAY when the display cannot be reached */
export async function readX11Monitors(display: string): Promise<Monitor[]> {
  let client: Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('the X server does not answer')), ANSWER_DEADLINE_MS);
    });
    const connected = await Promise.race([connect(display), late]);
    client = connected.client;
    return await Promise.race([listMonitors(connected), late]);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new SightlineError(
      'NO_DISPLAY',
      `The display ${display} cannot be reached (${words}). Check that its session runs and that "display" names it.`,
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
    client?.terminate();
  }
}

function connect(display: string): Promise<Display> {
  return new Promise((resolve, reject) => {
    const client = x11.createClient({ display }, (error, connected) => {
      if (error) reject(error);
      else resolve(connected);
    });
    client.on('error', reject);
  });
}

async function listMonitors(display: Display): Promise<Monitor[]> {
  const screen = display.screen[0];
  if (screen === undefined) throw new Error('it has no screen');
  const whole = {
    name: 'screen',
    x: 0,
    y: 0,
    width: screen.pixel_width,
    height: screen.pixel_height,
    primary: true,
  };
  const randr = await new Promise<RandrExtension | null>((resolve) => {
    display.client.require('randr', (error, extension) => resolve(error === null ? extension : null));
  });
  if (randr === null) return [whole];
  await promisify(randr.QueryVersion.bind(randr))(1, 3);
  const resources = await promisify(randr.GetScreenResources.bind(randr))(screen.root);
  const primaryOutput = await promisify(randr.GetOutputPrimary.bind(randr))(screen.root);
  const outputInfo = promisify(randr.GetOutputInfo.bind(randr));
  const crtcInfo = promisify(randr.GetCrtcInfo.bind(randr));
  const crtcs = await Promise.all(resources.crtcs.map((crtc) => crtcInfo(crtc, 0)));
  const monitors = await Promise.all(
    crtcs
      .filter((crtc) => crtc.mode !== 0 && crtc.width > 0 && crtc.height > 0)
      .map(async (crtc): Promise<Monitor> => {
        const output = crtc.output[0];
        const name = output === undefined ? 'screen' : (await outputInfo(output, 0)).name;
        const { x, y, width, height } = crtc;
        return { name, x, y, width, height, primary: output === primaryOutput };
      }),
  );
  if (monitors.length === 0) return [whole];
  // A server need not name a primary; the leftmost then counts as it.
  const sorted = monitors.sort((a, b) => a.x - b.x || a.y - b.y);
  return sorted.map((monitor, index) =>
    sorted.some((one) => one.primary) ? monitor : { ...monitor, primary: index === 0 },
  );
}
