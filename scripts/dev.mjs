// `npm run dev`: the app in Electron. A change of the renderer reloads the windows; any other change restarts the app, and
// opens the window again where it was open. Arguments go to Electron.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { context } from 'esbuild';
import { WebSocket } from 'ws';
import { bundles } from './bundles.mjs';
import { ensureElectron } from './electronBinary.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Editors write a file in several steps. */
const SETTLE_MS = 50;

/** The app's. Pages and cloud are no part of it. */
const folders = ['main', 'preload', 'renderer'];

const say = (text) => process.stderr.write(`dev: ${text}\n`);
const contexts = Object.fromEntries(
  await Promise.all(folders.map(async (name) => [name, await context(bundles[name])])),
);
const electron = electronOrExit();

let app = null;
let changed = new Set();
let timer;
let working = Promise.resolve();

for (const folder of folders)
  watch(join(root, folder), { recursive: true }, () => {
    changed.add(folder);
    clearTimeout(timer);
    timer = setTimeout(() => (working = working.then(update)), SETTLE_MS);
  });
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    app?.process.kill('SIGTERM');
    if (app === null) process.exit(0);
  });
changed = new Set(folders);
await update();

async function update() {
  const startedAt = performance.now();
  const changes = changed;
  changed = new Set();
  const onlyPages = changes.size === 1 && changes.has('renderer') && app !== null;
  try {
    await Promise.all(
      (onlyPages ? ['renderer'] : Object.keys(contexts)).map((name) => contexts[name].rebuild()),
    );
  } catch {
    return say('not rebuilt: see the errors above'); // esbuild has printed them
  }
  if (onlyPages) await reloadPages();
  else await restart();
  say(`${onlyPages ? 'reloaded' : 'started'} after ${Math.round(performance.now() - startedAt)} ms`);
}

async function restart() {
  const hadWindow = (await pages()).some(({ url }) => url.endsWith('/index.html'));
  if (app !== null) {
    const old = app;
    app = null;
    old.process.kill('SIGTERM');
    await old.exited;
  }
  const child = spawn(electron, ['--remote-debugging-port=0', ...process.argv.slice(2), root], {
    stdio: ['inherit', 'inherit', 'pipe'],
  });
  const exited = once(child, 'exit');
  const devTools = new Promise((resolve) => {
    let text = '';
    child.stderr.setEncoding('utf8').on('data', (chunk) => {
      process.stderr.write(chunk);
      text = (text + chunk).slice(-10_000);
      const address = /DevTools listening on ws:\/\/([\d.]+:\d+)\//.exec(text)?.[1];
      if (address !== undefined) resolve(address);
    });
  });
  const started = { process: child, exited, devTools };
  app = started;
  void exited.then(() => {
    if (app === started) process.exit(0); // its user has quit
  });
  await Promise.race([devTools, exited]);
  // A second instance makes the first one show its window.
  if (hadWindow) spawn(electron, [...process.argv.slice(2), root], { stdio: 'ignore' });
}

async function pages() {
  if (app === null) return [];
  const answer = await fetch(`http://${await app.devTools}/json`);
  return (await answer.json()).filter(({ type }) => type === 'page');
}

async function reloadPages() {
  for (const { webSocketDebuggerUrl } of await pages()) {
    const socket = new WebSocket(webSocketDebuggerUrl);
    await once(socket, 'open');
    socket.send(JSON.stringify({ id: 1, method: 'Page.reload' }));
    await once(socket, 'message');
    socket.close();
  }
}

function electronOrExit() {
  try {
    return ensureElectron();
  } catch (error) {
    say(error.message);
    process.exit(69);
  }
}
