// The built package as a page's developer gets it: a TypeScript page compiles against its types, with the module and with the
// classic script, and the scripts are small and need nothing.
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import ts from 'typescript';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { builtModule, builtScript } from '../rig/ccpPackage.ts';

/** With the bridges and the indicator. They may grow into it, not beyond. */
const MAX_GZIP_BYTES = 30_000;

const PAGE = `
import { createClient, createContactRecorder, type Connection, type ContactState } from '@sightline/ccp';
const client = createClient({ identity: { agentArn: 'a', instanceArn: 'i' }, token: async () => 'token' });
const contacts = createContactRecorder(client);
contacts.record({ contactId: 'c-1', channel: 'VOICE', attributes: { language: 'de' } });
const texts: Record<ContactState['state'], string> | null = null;
function explain(connection: Connection): string {
  switch (connection.kind) {
    case 'refused': return connection.code + connection.message;
    case 'blocked': return connection.permission;
    case 'connected': return connection.appVersion;
    case 'wrong-version': return String(connection.recorderProtocol);
    case 'connecting': case 'not-running': case 'closed': return connection.kind;
  }
}
client.subscribe(() => console.log(explain(client.connection), contacts.contacts.map((one) => one.state), texts));
`;
const SCRIPT = `const client = Sightline.createClient({ identity: { agentArn: 'a', instanceArn: 'i' } });
client.stop('c-1').then(({ endTime }) => console.log(endTime.length));`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sightline-page-'));
  const scope = join(folder, 'node_modules', '@sightline');
  await mkdir(scope, { recursive: true });
  await symlink(dirname(builtModule), join(scope, 'ccp'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The compiler's complaints about a page of this text, in the strictest of usual settings. */
async function complaints(name: string, text: string, more: readonly string[] = []): Promise<string[]> {
  const file = join(folder, name);
  await writeFile(file, text);
  const program = ts.createProgram([file, ...more], {
    ...{ strict: true, noEmit: true, exactOptionalPropertyTypes: true, skipLibCheck: false, types: [] },
    ...{
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
    },
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  });
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

it('has types with which a page compiles, and a wrong one does not', async () => {
  expect(await complaints('page.ts', PAGE)).toEqual([]);
  const wrong = await complaints('wrong.ts', PAGE.replace("'VOICE'", "'EMAIL'").replace('agentArn', 'agent'));
  expect(wrong).toHaveLength(2);
});

it('has the same types for the classic script', async () => {
  const types = builtModule.replace(/\.mjs$/, '.d.ts');
  expect(await complaints('script.ts', SCRIPT, [types])).toEqual([]);
  expect(
    await complaints('wrongScript.ts', SCRIPT.replace('endTime.length', 'endTime.size'), [types]),
  ).toHaveLength(1);
});

it.each([builtModule, builtScript])(
  'is one small file without imports and without eval: %s',
  async (file) => {
    const text = await readFile(file, 'utf8');
    const sizes = { raw: text.length, gzip: gzipSync(text, { level: 9 }).byteLength };
    console.log(`${file.split('/').at(-1)}: ${sizes.raw} bytes, ${sizes.gzip} with gzip`);
    expect(sizes.gzip).toBeLessThan(MAX_GZIP_BYTES);
    expect(text).not.toMatch(/\b(?:import|require)\s*\(|\bfrom\s*["']|\beval\(|new Function|innerHTML/);
  },
);
