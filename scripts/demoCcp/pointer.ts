// The X pointer of a virtual screen, which nobody moves: out of the picture. The page draws the pointer that clicks.
import { promisify } from 'node:util';
import x11 from 'x11';
import type { Display } from 'x11';

export async function hidePointer(
  display: string,
  { width, height }: { width: number; height: number },
): Promise<void> {
  const { client, screen } = await promisify<Display>((done) =>
    x11.createClient({ display }, (error, one) => done(error ?? null, one)),
  )();
  const root = screen[0]?.root ?? 0;
  client.WarpPointer(0, root, 0, 0, 0, 0, width - 1, height - 1);
  // Answered after the request before it.
  await promisify(client.InternAtom.bind(client, false))('WM_NAME');
  client.terminate();
}
