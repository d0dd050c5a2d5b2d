// Finds the source tarballs that the recipe pins: in the cache, in SIGHTLINE_SOURCES_DIR, or in Debian's archive by way
// of the host's own apt configuration. It must never hand out a file whose SHA-256 is not pinned, and never change the
// host's apt sources or package lists.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { hasProgram, run } from './host.mjs';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Resolves to { ffmpeg: { path, name, sha256 }, openh264: ... }, all in `cacheDir`. */
export async function ensureSources(recipe, cacheDir, log) {
  mkdirSync(cacheDir, { recursive: true });
  const found = await fromDirectory(recipe.sources, cacheDir);
  const given = process.env.SIGHTLINE_SOURCES_DIR;
  if (given) {
    if (!existsSync(given))
      throw new Error(`SIGHTLINE_SOURCES_DIR names ${given}, which does not exist. Correct or unset it.`);
    for (const [id, file] of Object.entries(await fromDirectory(absentFrom(recipe, found), given))) {
      found[id] = keep(file, cacheDir);
    }
  }
  let failure;
  if (Object.keys(absentFrom(recipe, found)).length > 0) {
    try {
      await fromDebian(recipe, found, cacheDir, log);
    } catch (error) {
      if (error.interrupted) throw error;
      failure = error.message;
    }
  }
  const absent = absentFrom(recipe, found);
  if (Object.keys(absent).length > 0) throw new Error(whatToPutWhere(absent, cacheDir, failure));
  return found;
}

const absentFrom = (recipe, found) =>
  Object.fromEntries(Object.entries(recipe.sources).filter(([id]) => !Object.hasOwn(found, id)));

// By content, not by name: hosts and browsers name the same tarball differently.
async function fromDirectory(wanted, dir) {
  const found = {};
  const pins = Object.entries(wanted).flatMap(([id, { files }]) => files.map((file) => ({ id, ...file })));
  const tarballs = readdirSync(dir).filter((name) => /\.(tar\.(xz|gz|bz2)|tgz)$/.test(name));
  for (const entry of pins.length > 0 ? tarballs : []) {
    const sha256 = await sha256Of(join(dir, entry));
    const pin = pins.find((candidate) => candidate.sha256 === sha256);
    if (pin) found[pin.id] ??= { path: join(dir, entry), name: pin.name, sha256 };
  }
  return found;
}

async function fromDebian(recipe, found, cacheDir, log) {
  if (!hasProgram('apt-get')) throw new Error('This host has no apt.');
  const archives = debianArchives();
  if (archives.length === 0) throw new Error("No Debian archive is among this host's apt sources.");
  const scratch = mkdtempSync(join(tmpdir(), 'sightline-apt-'));
  try {
    for (const suite of recipe.debianSuites) {
      for (const archive of archives) {
        const absent = absentFrom(recipe, found);
        if (Object.keys(absent).length === 0) return;
        log(`looking for the sources of ${Object.keys(absent).join(' and ')} in Debian ${suite}`);
        await fromSuite(absent, found, { scratch, archive, suite, cacheDir, log });
      }
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function fromSuite(absent, found, { scratch, archive, suite, cacheDir, log }) {
  const apt = privateApt(scratch, archive, suite);
  try {
    await run('apt-get', [...apt, '-q', 'update'], { cwd: scratch });
  } catch (error) {
    if (error.interrupted) throw error;
    log(`Debian ${suite} cannot be had from this host`);
    return;
  }
  for (const [id, source] of Object.entries(absent)) {
    const said = execFileSync('apt-cache', [...apt, 'showsrc', source.debianPackage], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    // Any Debian revision will do that is made from the pinned tarball.
    const stanza = said.split('\n\n').find((text) => source.files.some((file) => text.includes(file.sha256)));
    const version = stanza && /^Version: (.+)$/m.exec(stanza)[1];
    if (!version) continue;
    log(`downloading ${source.debianPackage} ${version}`);
    try {
      const what = `${source.debianPackage}=${version}`;
      await run('apt-get', [...apt, '-q', 'source', '--download-only', '--tar-only', what], { cwd: scratch });
    } catch (error) {
      if (error.interrupted) throw error;
      // The SHA-256 decides, not apt's exit code.
    }
    const file = (await fromDirectory({ [id]: source }, scratch))[id];
    if (file) found[id] = keep(file, cacheDir);
  }
}

// The base URIs of the Debian archives this host uses (not its security or update suites).
function debianArchives() {
  const said = execFileSync(
    'apt-get',
    ['indextargets', '--format', '$(REPO_URI) $(COMPONENT) $(RELEASE) $(LABEL)', 'Created-By: Packages'],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const release = /^VERSION_CODENAME=(.+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  const uris = said
    .split('\n')
    .map((line) => line.split(' '))
    // The label is known only after an `apt-get update`; before it, the host's own release tells the archive.
    .filter(
      ([, component, suite, label]) =>
        component === 'main' && (label === 'Debian' || (!label && suite === release)),
    )
    .map(([uri]) => uri);
  return [...new Set(uris)];
}

// Options that give apt its own state, lists and sources, and leave proxies and credentials as the host has them.
function privateApt(scratch, archive, suite) {
  const dir = join(scratch, suite);
  for (const sub of ['state/lists/partial', 'cache/archives/partial', 'parts'])
    mkdirSync(join(dir, sub), { recursive: true });
  writeFileSync(join(dir, 'status'), '');
  const signedBy = existsSync(keyring) ? `[signed-by=${keyring}] ` : '';
  writeFileSync(join(dir, 'sources.list'), `deb-src ${signedBy}${archive} ${suite} main\n`);
  writeFileSync(
    join(dir, 'apt.conf'),
    `Dir::State "${dir}/state";
Dir::State::status "${dir}/status";
Dir::Cache "${dir}/cache";
Dir::Etc::sourcelist "${dir}/sources.list";
Dir::Etc::sourceparts "${dir}/parts";
APT::Sandbox::User "root";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
`,
  );
  return ['-c', join(dir, 'apt.conf')];
}

// Copied under a temporary name first, so that another process never sees half a tarball.
function keep(file, cacheDir) {
  const path = join(cacheDir, file.name);
  const partial = `${path}.${process.pid}`;
  copyFileSync(file.path, partial);
  renameSync(partial, path);
  return { ...file, path };
}

async function sha256Of(path) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

function whatToPutWhere(absent, cacheDir, failure) {
  const describeFile = ({ name, from, sha256, note }) =>
    `${name} from ${from}\n      SHA-256 ${sha256}\n      ${note}`;
  const files = Object.values(absent).map(
    (source) => `  ${source.files.map(describeFile).join('\n    or ')}`,
  );
  return (
    `Sources of ffmpeg could not be found.${failure ? ` ${failure}` : ''} Put these files, under any name, into ${cacheDir} ` +
    `or into a directory that the environment variable SIGHTLINE_SOURCES_DIR names, and run this again:\n${files.join('\n')}`
  );
}
