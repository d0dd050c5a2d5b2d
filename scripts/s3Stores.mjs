// What the tests judge our output by and we did not write: two S3 stores, moto (PyPI) and Adobe's S3Mock (Maven Central), cfn-lint and
// what moto needs for CloudFormation (PyPI), and OpenTelemetry's own protobuf definitions (PyPI). Plain JavaScript: it is part of the
// set-up.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from './cacheFolder.mjs';

/** Exact versions of moto and of what its S3 needs: a part of `moto[s3,server]`, which needs much more for other services. */
const MOTO = fileURLToPath(new URL('moto.txt', import.meta.url));
/** OpenTelemetry's definitions of OTLP, generated for Python by its authors. */
const OTLP = fileURLToPath(new URL('otlp.txt', import.meta.url));
/** Exact versions of cfn-lint and of what it and moto's CloudFormation need besides moto.txt. */
const CFN = fileURLToPath(new URL('cfn.txt', import.meta.url));
const S3MOCK = {
  artifact: 'com.adobe.testing:s3mock:5.2.0:jar:exec',
  file: 's3mock-5.2.0-exec.jar',
  sha256: 'dd7c192fef0005374dec507317ae946eaa5beeffeb4e901d8b97f7fd2ddfb741',
};
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy';

/** The folder for PYTHONPATH, or null while the set-up has not filled it. */
export function motoFolder() {
  return fetched(MOTO, 'moto');
}

/** The same, of OpenTelemetry's definitions. */
export function otlpFolder() {
  return fetched(OTLP, 'opentelemetry');
}

/** The folders for PYTHONPATH with cfn-lint and moto's CloudFormation, or null while the set-up has not filled them. */
export function cfnFolders() {
  const [moto, cfn] = [motoFolder(), fetched(CFN, 'cfnlint')];
  return moto === null || cfn === null ? null : [moto, cfn];
}

/** S3Mock's executable jar, or null while the set-up has not fetched it. */
export function s3MockJar() {
  const jar = join(cacheFolder(), S3MOCK.file);
  return existsSync(jar) ? jar : null;
}

/** @throws Error with pip's own words */
export function fetchMoto(say) {
  if (motoFolder() === null) pipInstall('moto', MOTO, say);
}

/** @throws Error with pip's own words */
export function fetchOtlp(say) {
  if (otlpFolder() === null) pipInstall('opentelemetry-proto', OTLP, say);
}

/** @throws Error with pip's own words */
export function fetchCfn(say) {
  fetchMoto(say);
  if (cfnFolders() === null) pipInstall('cfn-lint', CFN, say);
}

function pipInstall(name, list, say) {
  say(`fetching ${name} (pip)`);
  const options = ['--quiet', '--no-deps', '--only-binary=:all:', '--no-compile'];
  intoCache((folder) => {
    run('python3', ['-m', 'pip', 'install', ...options, '--target', folder, '-r', list]);
    return { from: folder, to: pipHome(list) };
  });
}

/** @throws Error with Maven's own words, or when the file is another one */
export function fetchS3Mock(say) {
  if (s3MockJar() !== null) return;
  say('fetching Adobe S3Mock (mvn)');
  intoCache((folder) => {
    run('mvn', ['-q', '-B', COPY, `-Dartifact=${S3MOCK.artifact}`, `-DoutputDirectory=${folder}`]);
    const from = join(folder, S3MOCK.file);
    const sha256 = createHash('sha256').update(readFileSync(from)).digest('hex');
    if (sha256 !== S3MOCK.sha256) throw new Error(`${S3MOCK.file} has the SHA-256 ${sha256}: not used.`);
    return { from, to: join(cacheFolder(), S3MOCK.file) };
  });
}

/** Compiled packages are for one version of Python. */
function pipHome(list) {
  const python = spawnSync('python3', ['-V'], { encoding: 'utf8' }).stdout ?? '';
  const hash = createHash('sha256').update(readFileSync(list)).update(python).digest('hex').slice(0, 12);
  return join(cacheFolder(), `${basename(list, '.txt')}-${hash}`);
}

function fetched(list, name) {
  return existsSync(join(pipHome(list), name)) ? pipHome(list) : null;
}

/** Renamed when complete, so that a set-up that is interrupted leaves nothing that looks usable. */
function intoCache(fetch) {
  mkdirSync(cacheFolder(), { recursive: true });
  const folder = mkdtempSync(join(cacheFolder(), 'fetching-'));
  try {
    const { from, to } = fetch(folder);
    renameSync(from, to);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(command, words) {
  const { status, stdout, stderr, error } = spawnSync(command, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? `${stderr}${stdout}`.trim()}`);
}
