// Chromium as a recorder: a browser of its own, beside the one on the desk, records the screen with getDisplayMedia and
// MediaRecorder, as a recorder in a web page would. Its window is outside the screen.
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { startBrowser } from '../rig/browser.ts';
import { startPageServer } from '../rig/pageServer.ts';
import { FPS, type BenchRecorder } from './recorders.ts';

const PAGE = `<!doctype html><meta charset="utf-8"><title>Recorder</title><button>Record</button><script>
  let recorder, stopped, sent = Promise.resolve();
  window.record = async (mimeType, frameRate) => {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate } });
    recorder = new MediaRecorder(stream, { mimeType });
    recorder.ondataavailable = ({ data }) => {
      sent = sent.then(() => fetch('/chunk', { method: 'POST', body: data }));
    };
    stopped = new Promise((resolve) => (recorder.onstop = resolve));
    const started = new Promise((resolve) => (recorder.onstart = resolve));
    recorder.start(1000);
    await started;
    return Date.now();
  };
  window.finish = async () => {
    recorder.stop();
    await stopped;
    await sent;
  };
</script>`;

interface PageScope {
  record(mimeType: string, frameRate: number): Promise<number>;
  finish(): Promise<void>;
}

/** MediaRecorder does not say when its first frame was taken. */
const CLOCK_SLACK_MS = 500;

/** @param codec of MediaRecorder's MIME type: h264, vp8, vp9 */
export function chromiumRecorder(codec: string): BenchRecorder {
  const name = `chromium-${codec}`;
  return {
    name,
    clockSlackMs: CLOCK_SLACK_MS,
    async start({ display, monitors, folder }) {
      const file = join(folder, `${name}.webm`);
      const server = await startPageServer({
        routes: {
          '/': PAGE,
          '/chunk': async (request, response) => {
            await pipeline(request, createWriteStream(file, { flags: 'a' }));
            response.end();
          },
        },
      });
      const browser = await startBrowser({
        ...{ display, window: { x: (monitors + 1) * 1920, y: 0, width: 640, height: 480 } },
        args: [
          '--auto-select-desktop-capture-source=Entire screen',
          // Its window is covered by nothing, but outside the screen.
          ...['--disable-backgrounding-occluded-windows', '--disable-renderer-backgrounding'],
        ],
      });
      try {
        const page = await browser.newPage(server.origin);
        // getDisplayMedia wants a user's action first.
        await page.click('button');
        const startedAtMs = await page.evaluate(
          ([mimeType, fps]) => (globalThis as unknown as PageScope).record(mimeType, fps),
          [`video/webm;codecs=${codec}`, FPS] as const,
        );
        return {
          pid: await browser.rootPid(),
          async stop() {
            await page.evaluate(() => (globalThis as unknown as PageScope).finish());
            await browser.stop();
            await server.stop();
            return { file, startedAtMs };
          },
        };
      } catch (error) {
        await browser.stop();
        await server.stop();
        throw error;
      }
    },
  };
}
